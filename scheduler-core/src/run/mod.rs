//! Acts: awaits one event, reads the clock once, asks [`plan::node`](crate::plan::node), performs the answer.
//!
//! ```text
//!             ┌────────────── event ◀─────────────┐
//!   stop ─────┤                                   │
//!   jobs ─────┼─▶ Node::handle(event, now) ─▶ actions ─▶ calls (store)   one task each
//!   timer ────┘                                   ├────▶ jobs            a runtime of their own
//!                                                 └────▶ report          the log
//! ```
//!
//! The loop itself never awaits a database or a job, so neither can delay it. Jobs run on threads of their
//! own: one that blocks its thread delays no claim and no renewal.

use std::{sync::Arc, time::Duration};

use tokio::{
    runtime::Handle,
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    clock::{self, Clock},
    config::{Config, Retention},
    job::Shared,
    plan::{
        node::{Action, Call, Event, Node, Settings},
        task::Reader,
    },
    registry::Registry,
    store::SharedStore,
};

mod calls;
mod identity;
pub(crate) mod jobs;
mod open;
mod report;
mod retention;
pub(crate) mod rules;
mod run_logs;
mod signals;
mod stop;
mod threads;
mod watchdog;

use self::{
    calls::Calls, report::Reporter, retention::Pruning, run_logs::RunLogs, watchdog::Watchdog,
};
pub use self::{
    identity::node_id,
    open::{open_and_migrate, open_store},
    rules::reader,
    signals::Signals,
    stop::{StopSource, StopToken, Wish},
    threads::job_runtime,
    watchdog::OnHang,
};
pub(crate) use self::{jobs::Jobs, threads::JobThreads};

/// Why a scheduler ended otherwise than by a stop that ran its course.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A second signal came while the first was being obeyed.
    #[error("a second signal came: stopped at once, what was open is left to the lease")]
    Interrupted,
    /// A call to the store panicked.
    #[error("bug: a call to the store panicked: {0}")]
    CallPanicked(String),
}

/// A scheduler, ready to run.
#[derive(Debug)]
pub struct Scheduler {
    store: SharedStore,
    registry: Arc<Registry>,
    reader: Reader,
    settings: Settings,
    node_id: Arc<str>,
    shared: Arc<Shared>,
    on_hang: OnHang,
    retention: Retention,
}

impl Scheduler {
    /// A scheduler on `store`, whose tables are migrated, with the jobs of `registry`.
    #[must_use]
    pub fn new(store: SharedStore, registry: Arc<Registry>, config: &Config) -> Self {
        Self {
            store,
            reader: reader(config, &registry),
            registry,
            settings: rules::settings(config),
            node_id: node_id().into(),
            shared: Arc::default(),
            on_hang: OnHang::EndProcess,
            retention: config.common.retention.clone(),
        }
    }

    /// The same, which gives `shared` to its jobs.
    #[must_use]
    pub fn sharing(self, shared: Arc<Shared>) -> Self {
        Self { shared, ..self }
    }

    /// The same with `on_hang` in place of [`OnHang::EndProcess`].
    #[must_use]
    pub fn on_hang(self, on_hang: OnHang) -> Self {
        Self { on_hang, ..self }
    }

    /// Runs until `stop` asks it to stop, with jobs on the runtime behind `jobs`.
    ///
    /// # Errors
    /// [`RunError::Interrupted`] on a second signal; [`RunError::CallPanicked`] is a bug of ours.
    pub async fn run(self, stop: &mut impl StopSource, jobs: Handle) -> Result<(), RunError> {
        let Self { store, registry, reader, settings, node_id, shared, on_hang, retention } = self;
        tracing::info!(node.id = %node_id, jobs = registry.len(), "the scheduler starts");
        let mut node =
            Node::new(&node_id, settings, reader, || Uuid::now_v7().simple().to_string().into());
        let clock = Clock::system();
        let calls =
            Calls::new(Arc::clone(&store), Arc::clone(&node_id), settings.lease, clock.clone());
        let logs = Arc::new(RunLogs::default());
        let mut jobs = Jobs::new(registry, jobs, clock.clone(), shared, Arc::clone(&logs));
        // What goes on beside it ends with it, however that end comes.
        let beside = CancellationToken::new();
        let _ends_with_it = beside.clone().drop_guard();
        let writing_logs = tokio::spawn(logs.write(Arc::clone(&store), beside.clone()));
        let lease = settings.lease;
        tokio::spawn(Pruning::new(&store, &node_id, lease, retention, &beside).run());
        let mut reporter = Reporter::default();
        let mut in_flight: JoinSet<Event> = JoinSet::new();
        let watchdog = Watchdog::start(on_hang);
        let mut event = Event::Tick;
        let until = 'turn: loop {
            watchdog.turned();
            if matches!(event, Event::Noted(Err(_))) {
                jobs.note_again();
            }
            let actions = node.handle(event, clock.now());
            jobs.begin_under(node.trust());
            for action in actions {
                match action {
                    Action::Start(runs) => jobs.start(runs),
                    Action::CancelJobs => jobs.cancel(),
                    Action::Abort(executions) => jobs.abort(&executions),
                    Action::Report(notice) => reporter.say(notice),
                    Action::Exit { until } => break 'turn until,
                    Action::Call(Call::Record(mut outcomes)) => {
                        jobs.complete(&mut outcomes);
                        calls.perform(Call::Record(outcomes), &mut in_flight);
                    }
                    Action::Call(Call::Note(mut notes)) => {
                        notes.extend(jobs.noted());
                        calls.perform(Call::Note(notes), &mut in_flight);
                    }
                    Action::Call(call) => calls.perform(call, &mut in_flight),
                }
            }
            let wait = node.wake_in(clock.now()).unwrap_or(Duration::MAX);
            event = tokio::select! {
                wish = stop.next() => match wish {
                    Wish::Stop => Event::Stop,
                    Wish::StopNow => return Err(RunError::Interrupted),
                },
                Some(answer) = in_flight.join_next() => match answer {
                    Ok(event) => event,
                    Err(error) => return Err(RunError::CallPanicked(error.to_string())),
                },
                Some(ended) = jobs.ended() => Event::Ended(ended),
                () = clock::sleep_at_most_5s(wait) => Event::Tick,
            };
        };
        beside.cancel();
        tokio::select! {
            () = say_good_bye(&store, &node_id, writing_logs, || until.saturating_sub(clock.mono())) => {}
            // The first wish was to stop.
            _ = stop.next() => return Err(RunError::Interrupted),
        }
        tracing::info!(node.id = %node_id, "the scheduler stopped");
        Ok(())
    }
}

/// Waits for the last lines of runs, leaves the table of nodes and closes the store, within the time that is `left`. What is
/// open is recorded: a row that stays is forgotten by the others, and what does not close in time is closed by the end of
/// the process.
async fn say_good_bye(
    store: &SharedStore,
    node_id: &str,
    writing_logs: JoinHandle<()>,
    left: impl Fn() -> Duration,
) {
    match tokio::time::timeout(left() / 3, writing_logs).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!("bug: keeping what runs log panicked: {error}"),
        Err(_) => tracing::warn!("the last lines of runs were not kept: no answer"),
    }
    match tokio::time::timeout(left() / 2, store.leave(node_id)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!("no good-bye to the database: {}", error.chain()),
        Err(_) => tracing::warn!("no good-bye to the database: no answer"),
    }
    let _ = tokio::time::timeout(left(), store.close()).await;
}
