//! A scheduler that is checked and has touched nothing yet.

use std::{sync::Arc, time::Duration};

use crate::{
    app::AppError,
    config::Config,
    job::Shared,
    registry::Registry,
    run::{JobThreads, OnHang, Scheduler, StopSource, open_and_migrate},
    store::{SharedStore, StoreError},
    web::Web,
};

/// How long the good-bye to the servers of the jobs may take.
const CLOSING: Duration = Duration::from_millis(200);

/// Configuration, jobs and what they share, all checked. Clones are the same.
#[derive(Clone, Debug)]
pub struct Prepared {
    config: Arc<Config>,
    registry: Arc<Registry>,
    shared: Arc<Shared>,
    on_hang: OnHang,
}

impl Prepared {
    pub(super) fn new(config: Arc<Config>, registry: Arc<Registry>, shared: Arc<Shared>) -> Self {
        Self { config, registry, shared, on_hang: OnHang::EndProcess }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// The jobs.
    #[must_use]
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// The same with `on_hang` in place of [`OnHang::EndProcess`].
    #[must_use]
    pub fn on_hang(self, on_hang: OnHang) -> Self {
        Self { on_hang, ..self }
    }

    /// The store, with its tables brought to the newest version.
    ///
    /// Give it a task of its own: a call to a database must not be dropped half way.
    ///
    /// # Errors
    /// When the database does not answer, refuses, or lacks a key that the scheduler relies on.
    pub async fn open(&self) -> Result<SharedStore, StoreError> {
        open_and_migrate(&self.config).await
    }

    /// Runs on `store`, which [`open`](Self::open) gave, until `stop` asks it to stop; closes the store. Whatever
    /// job then still holds a thread is left behind.
    ///
    /// # Errors
    /// [`AppError::Threads`] and [`AppError::Run`].
    pub async fn run(self, store: SharedStore, stop: &mut impl StopSource) -> Result<(), AppError> {
        let threads =
            JobThreads::start(self.config.common.jobs.threads).map_err(AppError::Threads)?;
        let scheduler = Scheduler::new(store, Arc::clone(&self.registry), &self.config)
            .sharing(Arc::clone(&self.shared))
            .on_hang(self.on_hang);
        let _web = Web::start(&self.config, &self.registry, scheduler.watch())
            .map_err(AppError::Threads)?;
        Box::pin(scheduler.run(stop, threads.handle())).await?;
        // What a job still uses is left behind with it.
        let _ = tokio::time::timeout(CLOSING, self.shared.pools().close()).await;
        Ok(())
    }
}
