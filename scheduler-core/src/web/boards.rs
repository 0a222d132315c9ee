//! The board from which lists are picked, made anew as it is asked for: never more often than its making allows.

use std::{
    panic,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

use super::{problem::Problem, site::Site};
use crate::{
    admin::{Board, Judge},
    clock,
    plan::words::quote,
    store::{StoreError, TaskSelection},
};

/// A board that took less to make is waited for; one that took longer is made while the one before is shown.
const CHEAP: Duration = Duration::from_millis(20);

/// A board lasts so many times as long as it took to make, so that making it costs a twentieth of a core at most.
const LASTS: u32 = 20;

/// A board lasts no longer than it takes a scheduler to read an edit.
const LONGEST: Duration = Duration::from_secs(10);

/// One that is older, since nobody asked, is not shown while the next is made.
const OLDEST: Duration = Duration::from_secs(60);

/// The newest board.
#[derive(Debug, Default)]
pub(crate) struct Boards {
    newest: Mutex<Option<Made>>,
    /// Held by who makes one.
    making: tokio::sync::Mutex<()>,
    /// How many rows were edited here.
    edits: AtomicU64,
    /// When the last one was begun that was not made (monotonic, in ms).
    failed_at: AtomicU64,
}

#[derive(Debug, Clone)]
struct Made {
    board: Arc<Board>,
    /// When it was begun (monotonic).
    at: Duration,
    took: Duration,
    /// After how many edits that was.
    edits: u64,
}

impl Boards {
    /// A row was edited here: who asks next shall find it.
    pub(crate) fn edited(&self) {
        self.edits.fetch_add(1, Ordering::Relaxed);
    }

    /// A board that is not too old.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn get(site: &Site) -> Result<Arc<Board>, StoreError> {
        let Some(made) = site.boards.newest() else { return Self::make(site).await };
        if site.boards.is_fresh(&made) {
            return Ok(made.board);
        }
        if made.took < CHEAP || made.age() > OLDEST {
            return Self::make(site).await;
        }
        if let Ok(free) = site.boards.making.try_lock() {
            drop(free);
            let site = site.clone();
            tokio::spawn(async move {
                if let Err(error) = Self::make(&site).await {
                    tracing::warn!("lists of tasks are not brought up to date: {}", error.chain());
                }
            });
        }
        Ok(made.board)
    }

    /// Makes a board. Who comes meanwhile waits, and shares what is begun after he came: of many who wait one asks.
    async fn make(site: &Site) -> Result<Arc<Board>, StoreError> {
        let (came, boards) = (clock::mono(), &site.boards);
        let _making = boards.making.lock().await;
        if let Some(made) = boards.newest()
            && (made.at >= came || boards.is_fresh(&made))
        {
            return Ok(made.board);
        }
        if boards.failed_at.load(Ordering::Relaxed) > millis(came) {
            let after = site.config.common.database_timeout;
            return Err(StoreError::Deadline { operation: "listing tasks", after });
        }
        let began = millis(clock::mono());
        let made = Self::make_anew(site).await;
        if made.is_err() {
            boards.failed_at.store(began, Ordering::Relaxed);
        }
        made
    }

    async fn make_anew(site: &Site) -> Result<Arc<Board>, StoreError> {
        // What is edited from now on may be missing.
        let (at, edits) = (clock::mono(), site.boards.edits.load(Ordering::Relaxed));
        let tasks = site.store().await?.tasks(TaskSelection::All).await?;
        let mut judge = Judge::new(&site.config, &site.registry, clock::wall());
        let judging = tokio::task::spawn_blocking(move || Board::of(&judge.survey(tasks)));
        let board = Arc::new(judging.await.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => panic::resume_unwind(panic),
            // The program ends.
            Err(_) => Board::default(),
        }));
        let took = clock::mono().saturating_sub(at);
        let made = Made { board: Arc::clone(&board), at, took, edits };
        *site.boards.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
        Ok(board)
    }

    fn is_fresh(&self, made: &Made) -> bool {
        made.edits == self.edits.load(Ordering::Relaxed)
            && made.age() < (made.took * LASTS).clamp(CHEAP, LONGEST)
    }

    fn newest(&self) -> Option<Made> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn millis(mono: Duration) -> u64 {
    mono.as_millis().try_into().unwrap_or(u64::MAX)
}

impl Made {
    fn age(&self) -> Duration {
        clock::mono().saturating_sub(self.at)
    }
}

/// The place where a page ended, as text that means nothing to others.
pub(super) fn to_text(cursor: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(cursor).unwrap_or_default())
}

/// The same back; `field` is the parameter that it was given as.
pub(super) fn from_text<T: DeserializeOwned>(field: &str, text: &str) -> Result<T, Problem> {
    let cursor = URL_SAFE_NO_PAD.decode(text).ok();
    let cursor = cursor.and_then(|json| serde_json::from_slice(&json).ok());
    cursor.ok_or_else(|| {
        const EXPECTED: &str = "expected `next` of the page before, of a list in the same order";
        Problem::bad(format!("{field} {} is no place in a list, {EXPECTED}", quote(text)))
            .about(field)
    })
}
