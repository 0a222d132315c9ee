//! What answers are made of.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::{OnceCell, Semaphore};

use super::{
    access::{Caller, Known},
    kept::Kept,
    login::Door,
};
use crate::{
    admin::{Board, Editor, Judge},
    clock,
    config::Config,
    registry::Registry,
    run::{Watch, open_small_store, tell_of_an_edit},
    store::{FailingTask, Outcomes, SharedStore, StoreError},
};

/// Streams at once: each looks into the database once a second.
const MOST_STREAMS: usize = 64;

/// Connections to a MySQL server at once. With more of them a flood of requests is answered no faster, and each claim finds the
/// processors of the server taken by as many others.
const MOST_CONNECTIONS: u32 = 3;

/// What answers are made of. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub(super) config: Arc<Config>,
    pub(super) registry: Arc<Registry>,
    pub(super) watch: Watch,
    pub(super) known: Arc<Known>,
    pub(super) door: Arc<Door>,
    pub(super) boards: Arc<Kept<Board>>,
    pub(super) outcomes: Arc<Kept<Outcomes>>,
    pub(super) failing: Arc<Kept<Vec<FailingTask>>>,
    /// One forecast at a time: it is computed with all of a processor.
    pub(super) forecasting: Arc<Semaphore>,
    /// Few look far behind at once: all rows before are read.
    pub(super) far_behind: Arc<Semaphore>,
    /// Room for those who follow something.
    pub(super) streams: Arc<Semaphore>,
    /// Connections of our own, made when somebody asks for the first time.
    store: Arc<OnceCell<SharedStore>>,
    /// When the database was, which never changes.
    adopted_at: Arc<OnceCell<DateTime<Utc>>>,
}

impl Site {
    pub(super) fn new(config: Arc<Config>, registry: Arc<Registry>, watch: Watch) -> Self {
        Self {
            known: Arc::new(Known::of(&config.http)),
            door: Arc::new(Door::of(&config.http)),
            boards: Arc::default(),
            outcomes: Arc::default(),
            failing: Arc::default(),
            forecasting: Arc::new(Semaphore::new(1)),
            far_behind: Arc::new(Semaphore::new(2)),
            streams: Arc::new(Semaphore::new(MOST_STREAMS)),
            store: Arc::default(),
            adopted_at: Arc::default(),
            config,
            registry,
            watch,
        }
    }

    #[cfg(test)]
    pub(super) fn on(self, store: SharedStore) -> Self {
        Self { store: Arc::new(OnceCell::new_with(Some(store))), ..self }
    }

    /// The tables.
    ///
    /// # Errors
    /// When the database is not there.
    pub(super) async fn store(&self) -> Result<&SharedStore, StoreError> {
        let open = || open_small_store(&self.config, MOST_CONNECTIONS);
        self.store.get_or_try_init(open).await
    }

    /// Judges rows as of now.
    ///
    /// # Errors
    /// When the database is not there.
    pub(super) async fn judge(&self) -> Result<Judge, StoreError> {
        let store = self.store().await?;
        let adopted_at = *self.adopted_at.get_or_try_init(|| store.adopted_at()).await?;
        let judge = Judge::new(&self.config, &self.registry, clock::wall());
        Ok(judge.of_adopted(adopted_at))
    }

    /// Edits in the name of `caller`.
    ///
    /// # Errors
    /// When the database is not there.
    pub(super) async fn editor(&self, caller: &Caller) -> Result<Editor<'_>, StoreError> {
        let (config, registry) = (&*self.config, &self.registry);
        Ok(Editor { store: self.store().await?, config, registry, author: caller.author() })
    }

    /// Tells the scheduler here, the others, and the lists of an edit.
    pub(super) fn edited(&self) {
        self.boards.edited();
        self.watch.wake();
        let site = self.clone();
        tokio::spawn(async move {
            if let Ok(store) = site.store().await {
                tell_of_an_edit(&site.config, &**store).await;
            }
        });
    }

    /// Says good-bye to the database, if it was ever asked.
    pub(super) async fn close(&self) {
        if let Some(store) = self.store.get() {
            store.close().await;
        }
    }
}
