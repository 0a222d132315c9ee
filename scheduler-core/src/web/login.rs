//! Logging in: passwords that are checked two at a time, and how often one may try.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use argon2::{Algorithm, Argon2, Block, Params, Version, password_hash::phc::PasswordHash};
use secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;

use crate::{
    clock,
    config::{Http, hash_password},
};

/// So many failures within [`WINDOW`] with one name from one address, and it is not tried any more for a while.
const MOST_OF_A_NAME: usize = 5;

/// The same for an address, whatever the name: others may sit behind it.
const MOST_OF_AN_ADDRESS: usize = 50;

const WINDOW: Duration = Duration::from_secs(60);

/// Failures that are remembered; beyond that the oldest is forgotten.
const MOST: usize = 10_000;

/// A check takes some 20 MB, and tens of milliseconds of a core.
const AT_ONCE: usize = 2;

/// Those whose password is checked, and those who wait for that. Who waits has one of the places at which all requests are
/// answered.
const MOST_AT_THE_DOOR: usize = 8;

/// The longest password that is looked at, in bytes.
const LONGEST: usize = 1_024;

/// What a password is checked against when nobody has the name: it takes as long.
static NOBODYS: LazyLock<String> = LazyLock::new(|| hash_password("nobody's"));

/// When (monotonic) somebody failed from an address: with this name, or with any.
type Failures = HashMap<(IpAddr, Option<String>), Vec<Duration>>;

/// Who may log in, and who has failed to.
#[derive(Debug)]
pub(super) struct Door {
    hashes: HashMap<String, String>,
    at_the_door: Semaphore,
    at_once: Semaphore,
    /// What checks work in, kept from one to the next: who allocates so much anew each time keeps much more of it.
    memory: Arc<Mutex<Vec<Vec<Block>>>>,
    failures: Mutex<Failures>,
}

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The name or the password is wrong; which of them is not said.
    Wrong,
    /// It was tried too often: again after [`WINDOW`].
    TooOften,
    /// Too many try it at once.
    Crowd,
}

impl Door {
    pub(super) fn of(http: &Http) -> Self {
        let hash = |user: &crate::config::User| user.password_hash.expose_secret().to_owned();
        Self {
            hashes: http.users.iter().map(|(name, user)| (name.clone(), hash(user))).collect(),
            at_the_door: Semaphore::new(MOST_AT_THE_DOOR),
            at_once: Semaphore::new(AT_ONCE),
            memory: Arc::default(),
            failures: Mutex::default(),
        }
    }

    /// Whether `name` has this password.
    ///
    /// # Errors
    /// When not, or when it was tried too often.
    pub(super) async fn enter(
        &self,
        from: IpAddr,
        name: &str,
        password: String,
    ) -> Result<(), Refused> {
        let Ok(_place) = self.at_the_door.try_acquire() else { return Err(Refused::Crowd) };
        let _turn = self.at_once.acquire().await;
        // Only now: of many at once each counts.
        if self.is_shut(from, name) {
            return Err(Refused::TooOften);
        }
        let known = self.hashes.get(name).cloned();
        let (is_known, hash) = (known.is_some(), known.unwrap_or_else(|| NOBODYS.clone()));
        let memory = Arc::clone(&self.memory);
        let checking = tokio::task::spawn_blocking(move || {
            let spare = || memory.lock().unwrap_or_else(PoisonError::into_inner);
            let mut blocks = spare().pop().unwrap_or_default();
            let is_right = is_right(&password, &hash, &mut blocks);
            spare().push(blocks);
            is_right
        });
        if checking.await.unwrap_or(false) && is_known {
            return Ok(());
        }
        self.failed(from, name);
        Err(Refused::Wrong)
    }

    fn is_shut(&self, from: IpAddr, name: &str) -> bool {
        let (from, name) = (network(from), key(name));
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let since = clock::mono().saturating_sub(WINDOW);
        failures.retain(|_, times| {
            times.retain(|at| *at > since);
            !times.is_empty()
        });
        let of = |key| failures.get(&key).map_or(0, Vec::len);
        of((from, Some(name))) >= MOST_OF_A_NAME || of((from, None)) >= MOST_OF_AN_ADDRESS
    }

    fn failed(&self, from: IpAddr, name: &str) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= MOST
            && let Some(oldest) = failures.iter().min_by_key(|(_, times)| times.last().copied())
        {
            let oldest = oldest.0.clone();
            failures.remove(&oldest);
        }
        for name in [Some(key(name)), None] {
            failures.entry((network(from), name)).or_default().push(clock::mono());
        }
    }
}

/// As much of a name as is remembered: no user has a longer one.
fn key(name: &str) -> String {
    name.chars().take(64).collect()
}

/// Of an address of IPv6 the network that one subscriber has.
fn network(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
        ip => ip,
    }
}

/// Works in `blocks`, which grows as the hash asks for it.
fn is_right(password: &str, hash: &str, blocks: &mut Vec<Block>) -> bool {
    let Some(hash) = PasswordHash::new(hash).ok().filter(|_| password.len() <= LONGEST) else {
        return false;
    };
    let (Ok(params), Some(salt), Some(expected)) = (Params::try_from(&hash), hash.salt, hash.hash)
    else {
        return false;
    };
    blocks.resize(params.block_count().max(blocks.len()), Block::default());
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut found = vec![0; expected.as_bytes().len()];
    let (password, salt) = (password.as_bytes(), salt.as_ref());
    let hashed = argon2.hash_password_into_with_memory(password, salt, &mut found, &mut blocks[..]);
    hashed.is_ok() && found.ct_eq(expected.as_bytes()).into()
}
