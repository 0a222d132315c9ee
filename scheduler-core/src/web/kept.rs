//! What is made of many rows, and made anew as it is asked for: never more often than its making allows.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{clock, store::StoreError};

/// What took less to make is waited for; what took longer is made while the one before is shown.
const CHEAP: Duration = Duration::from_millis(20);

/// After an edit here, what took less is waited for, if it was not made just now: who edited sees it in the lists, and
/// making them takes half of a core at most.
const QUICK: Duration = Duration::from_millis(250);

/// It lasts so many times as long as it took to make, so that making it costs a twentieth of a core at most.
const LASTS: u32 = 20;

/// It lasts no longer: what is edited by SQL is found by then. What is edited here is found at once, and the rows that are
/// shown are read anew in any case.
const LONGEST: Duration = Duration::from_secs(30);

/// One that is older, since nobody asked, is not shown while the next is made: a minute, or a thousand times as long as it
/// took to make. Who looks at very many rows after a pause sees at once what there was, and a little later what there is.
const OLDEST: Duration = Duration::from_secs(60);
const OLDEST_BY_MAKING: u32 = 1_000;

/// The newest that was made.
#[derive(Debug)]
pub(super) struct Kept<T> {
    newest: Mutex<Option<Made<T>>>,
    /// Held by who makes one.
    making: tokio::sync::Mutex<()>,
    /// How many rows were edited here.
    edits: AtomicU64,
    /// When the last one was begun that was not made (monotonic, in ms).
    failed_at: AtomicU64,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self {
            newest: Mutex::default(),
            making: tokio::sync::Mutex::default(),
            edits: AtomicU64::new(0),
            failed_at: AtomicU64::new(0),
        }
    }
}

#[derive(Debug)]
struct Made<T> {
    it: Arc<T>,
    /// When it was begun (monotonic).
    at: Duration,
    took: Duration,
    /// After how many edits that was.
    edits: u64,
}

impl<T> Clone for Made<T> {
    fn clone(&self) -> Self {
        Self { it: Arc::clone(&self.it), ..*self }
    }
}

/// How it is made.
pub(super) trait Maker<T>: Send + Sync + 'static {
    /// What is done, for messages.
    const OPERATION: &'static str;

    /// How long the database may take.
    fn deadline(&self) -> Duration;

    /// Makes one.
    fn make(&self) -> impl Future<Output = Result<T, StoreError>> + Send;
}

impl<T: Send + Sync + 'static> Kept<T> {
    /// A row was edited here: who asks next shall find it.
    pub(super) fn edited(&self) {
        self.edits.fetch_add(1, Ordering::Relaxed);
    }

    /// One that is not too old.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn get<M: Maker<T>>(self: &Arc<Self>, maker: M) -> Result<Arc<T>, StoreError> {
        let Some(made) = self.newest() else { return self.make(&maker).await };
        if self.is_fresh(&made) {
            return Ok(made.it);
        }
        let is_edited = made.edits != self.edits.load(Ordering::Relaxed);
        let is_soon_made = made.took < CHEAP || is_edited && made.took < QUICK.min(made.age());
        if is_soon_made || made.age() > OLDEST.max(made.took * OLDEST_BY_MAKING) {
            return self.make(&maker).await;
        }
        if let Ok(free) = self.making.try_lock() {
            drop(free);
            let kept = Arc::clone(self);
            tokio::spawn(async move {
                if let Err(error) = kept.make(&maker).await {
                    let operation = M::OPERATION;
                    tracing::warn!("{operation} is not brought up to date: {}", error.chain());
                }
            });
        }
        Ok(made.it)
    }

    /// One that is not too old, if that can be had `within` so long; else it is made for who asks next.
    pub(super) async fn get_within<M: Maker<T>>(
        self: &Arc<Self>,
        maker: M,
        within: Duration,
    ) -> Option<Arc<T>> {
        let kept = Arc::clone(self);
        let getting = tokio::spawn(async move { kept.get(maker).await });
        // The task goes on when nobody waits for it any more.
        tokio::time::timeout(within, getting).await.ok()?.ok()?.ok()
    }

    /// Makes one. Who comes meanwhile waits, and shares what is begun after he came: of many who wait one asks.
    async fn make<M: Maker<T>>(&self, maker: &M) -> Result<Arc<T>, StoreError> {
        let came = clock::mono();
        let _making = self.making.lock().await;
        if let Some(made) = self.newest()
            && (made.at >= came || self.is_fresh(&made))
        {
            return Ok(made.it);
        }
        if self.failed_at.load(Ordering::Relaxed) > millis(came) {
            let after = maker.deadline();
            return Err(StoreError::Deadline { operation: M::OPERATION, after });
        }
        // What is edited from now on may be missing.
        let (at, edits) = (clock::mono(), self.edits.load(Ordering::Relaxed));
        let it = match maker.make().await {
            Ok(it) => Arc::new(it),
            Err(error) => {
                self.failed_at.store(millis(at), Ordering::Relaxed);
                return Err(error);
            }
        };
        let took = clock::mono().saturating_sub(at);
        let made = Made { it: Arc::clone(&it), at, took, edits };
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
        Ok(it)
    }

    fn is_fresh(&self, made: &Made<T>) -> bool {
        made.edits == self.edits.load(Ordering::Relaxed)
            && made.age() < (made.took * LASTS).clamp(CHEAP, LONGEST)
    }

    fn newest(&self) -> Option<Made<T>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn millis(mono: Duration) -> u64 {
    mono.as_millis().try_into().unwrap_or(u64::MAX)
}

impl<T> Made<T> {
    fn age(&self) -> Duration {
        clock::mono().saturating_sub(self.at)
    }
}
