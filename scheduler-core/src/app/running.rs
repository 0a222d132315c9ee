//! A scheduler as a part of another program, which has a `main`, a runtime and a log of its own.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    app::{App, AppError},
    config::Config,
    run::{OnHang, StopToken},
    store::SharedStore,
};

/// A scheduler that runs beside the rest of the program. Dropping it asks the scheduler to stop in order, and waits
/// for nothing.
#[derive(Debug)]
#[must_use = "the scheduler stops when this is dropped"]
pub struct Running {
    store: SharedStore,
    /// `None` once it has ended and somebody has heard of it.
    task: Option<JoinHandle<Result<(), AppError>>>,
    stop: DropGuard,
}

impl App {
    /// Starts the scheduler on the tokio runtime that calls this: connects to the database, brings its tables to
    /// the newest version (an SQLite file is made if there is none), and runs the jobs on threads of their own.
    ///
    /// It listens to no signal and installs no log: both belong to the program. What it has to say are `tracing`
    /// events; [`telemetry::init`](crate::telemetry::init) shows them as our own program does.
    ///
    /// # Errors
    /// What is refused before anything is touched ([`AppError::Twice`], [`AppError::Config`],
    /// [`AppError::Registry`]), and a database that is not there or not fit to use ([`AppError::Store`]).
    pub async fn start(self, config: &Config) -> Result<Running, AppError> {
        let prepared = self.prepare(config)?.on_hang(OnHang::Say);
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }
        let opening = prepared.clone();
        // In tasks of their own: the caller may drop this future, but no call to a database.
        let store = tokio::spawn(async move { opening.open().await }).await??;
        let stop = CancellationToken::new();
        let mut asked = StopToken::new(stop.clone());
        let running = Arc::clone(&store);
        let task = tokio::spawn(async move { prepared.run(running, &mut asked).await });
        Ok(Running { store, task: Some(task), stop: stop.drop_guard() })
    }

    /// Runs the scheduler until it fails.
    ///
    /// # Errors
    /// As [`App::start`] and [`Running::ended`].
    pub async fn run(self, config: &Config) -> Result<(), AppError> {
        self.run_until(config, std::future::pending()).await
    }

    /// Runs the scheduler until `stop` is ready, then stops it in order.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), scheduler_core::app::AppError> {
    /// use scheduler_core::{App, config::Config};
    ///
    /// let config = Config::sqlite("data/app.db");
    /// let ctrl_c = async { drop(tokio::signal::ctrl_c().await) };
    /// App::new().run_until(&config, ctrl_c).await
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`App::start`] and [`Running::ended`].
    pub async fn run_until(
        self,
        config: &Config,
        stop: impl Future<Output = ()>,
    ) -> Result<(), AppError> {
        let mut running = self.start(config).await?;
        tokio::select! {
            ended = running.ended() => return ended,
            () = stop => {}
        }
        running.stop().await
    }
}

impl Running {
    /// The store, to add rows and to look at executions. It is closed when the scheduler stops.
    pub fn store(&self) -> &SharedStore {
        &self.store
    }

    /// Returns when the scheduler has ended by itself, and why; at once with `Ok` if it has said so before.
    /// Cancel-safe, so it fits into `tokio::select!`.
    ///
    /// # Errors
    /// [`AppError::Run`], [`AppError::Threads`] and [`AppError::Broken`].
    pub async fn ended(&mut self) -> Result<(), AppError> {
        let Some(task) = &mut self.task else { return Ok(()) };
        let ended = task.await;
        self.task = None;
        ended?
    }

    /// Stops in order: nothing is claimed any more, running jobs are told and get `shutdown_timeout`, and what they
    /// did is recorded. Returns when all this is done.
    ///
    /// # Errors
    /// As [`Self::ended`], if the scheduler has failed before.
    pub async fn stop(self) -> Result<(), AppError> {
        let Self { task, stop, .. } = self;
        drop(stop);
        match task {
            Some(task) => task.await?,
            None => Ok(()),
        }
    }
}
