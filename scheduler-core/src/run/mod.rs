//! Acts: awaits one event, reads the clock once, asks [`plan::node`](crate::plan::node), performs the answer.
//!
//! ```text
//!             ┌────────────── event ◀─────────────┐
//!   stop ─────┤                                   │
//!   jobs ─────┤
//!   Redis ────┼─▶ Node::handle(event, now) ─▶ actions ─▶ calls (store)   one task each
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
    config::{self, Config, RedisPool, Retention},
    job::Shared,
    plan::{
        Now,
        node::{Action, Call, Event, Node, Settings},
        task::Reader,
    },
    registry::Registry,
    store::{NodeCard, SharedStore},
};

mod alarm;
mod beside;
mod calls;
mod card;
mod courier;
mod history;
mod identity;
pub(crate) mod jobs;
mod metrics;
mod open;
#[cfg_attr(not(any(feature = "otlp", test)), path = "otlp/absent.rs")]
mod otlp;
mod pauses;
mod report;
mod retention;
pub(crate) mod rules;
mod run_logs;
mod signals;
mod stop;
mod systemd;
mod threads;
mod wake;
mod watch;
mod watchdog;

use self::{
    alarm::Alarms, calls::Calls, history::Edited, otlp::Otlp, report::Reporter, retention::Pruning,
    run_logs::RunLogs, systemd::Systemd, watchdog::Watchdog,
};
pub use self::{
    alarm::{ChannelSight, Speaker, test_channel},
    identity::node_id,
    open::{open_and_migrate, open_store},
    rules::reader,
    signals::Signals,
    stop::{StopSource, StopToken, Wish},
    threads::job_runtime,
    wake::tell_of_an_edit,
    watch::{Sight, Watch},
    watchdog::OnHang,
};
pub(crate) use self::{jobs::Jobs, open::open_small_store, threads::JobThreads};

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
    environment: Arc<str>,
    shared: Arc<Shared>,
    on_hang: OnHang,
    retention: Retention,
    alarms: config::Alarms,
    otlp: Option<config::Otlp>,
    watch: Watch,
    card: NodeCard,
    /// Where word of edits comes from.
    wakes_by: Option<RedisPool>,
}

impl Scheduler {
    /// A scheduler on `store`, whose tables are migrated, with the jobs of `registry`.
    #[must_use]
    pub fn new(store: SharedStore, registry: Arc<Registry>, config: &Config) -> Self {
        let node_id: Arc<str> = node_id().into();
        Self {
            watch: Watch::new(&node_id, &store),
            store,
            reader: reader(config, &registry),
            card: card::of(&registry, config),
            registry,
            settings: rules::settings(config),
            node_id,
            environment: config.app_env.as_str().into(),
            shared: Arc::default(),
            on_hang: OnHang::EndProcess,
            retention: config.common.retention.clone(),
            alarms: config.alarms.clone(),
            otlp: config.otlp.clone(),
            wakes_by: wake::pool(config),
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

    /// What others may see of it while it runs.
    #[must_use]
    pub fn watch(&self) -> Watch {
        self.watch.clone()
    }

    /// Runs until `stop` asks it to stop, with jobs on the runtime behind `jobs`.
    ///
    /// # Errors
    /// [`RunError::Interrupted`] on a second signal; [`RunError::CallPanicked`] is a bug of ours.
    pub async fn run(self, stop: &mut impl StopSource, jobs: Handle) -> Result<(), RunError> {
        let Self { store, registry, reader, settings, node_id, shared, watch, .. } = self;
        tracing::info!(node.id = %node_id, jobs = registry.len(), "the scheduler starts");
        let mut node =
            Node::new(&node_id, settings, reader, || Uuid::now_v7().simple().to_string().into());
        let (clock, metrics) = (Clock::system(), Arc::clone(watch.metrics()));
        let (logs, lease) = (Arc::new(RunLogs::default()), settings.lease);
        // What goes on beside it ends with it, however that end comes.
        let beside = CancellationToken::new();
        let _ends_with_it = beside.clone().drop_guard();
        let speaker = Speaker { environment: self.environment, node: Arc::clone(&node_id) };
        let (alarms, telling) = alarm::start(self.alarms, speaker, &watch, &store, &beside);
        let (otlp, exporting) = otlp::start(self.otlp, &node_id, &watch, &beside);
        let mut hands = Hands {
            jobs: Jobs::new(registry, jobs, clock.clone(), shared, Arc::clone(&logs)),
            calls: Calls::new(&store, &node_id, lease, &clock, &metrics),
            in_flight: JoinSet::new(),
            reporter: Reporter::default(),
            alarms,
            otlp,
            edited: Edited::start(&store, &node_id, lease, &watch, &beside),
        };
        let writing_logs = tokio::spawn(logs.write(Arc::clone(&store), beside.clone()));
        tokio::spawn(Pruning::new(&store, &node_id, lease, self.retention, &beside).run());
        pauses::start(&store, &watch, &beside);
        card::start(&store, &node_id, self.card, &watch, &beside);
        let mut wanted = wake::listen(self.wakes_by, &store, watch.wanted(), &beside);
        let watchdog = Watchdog::start(self.on_hang);
        let mut systemd = Systemd::start(self.on_hang, &watch);
        let mut event = Event::Tick;
        let until = loop {
            watchdog.turned();
            let began = clock.mono();
            metrics.heard(&event);
            let until = hands.take(event, &mut node, clock.now());
            let now = clock.now();
            let survey = node.survey(now);
            let is_stopping = survey.is_stopping;
            watch.turned(survey);
            systemd.turned(is_stopping);
            metrics.turned(now.mono - began);
            if let Some(until) = until {
                break until;
            }
            let wait = node.wake_in(now).unwrap_or(Duration::MAX);
            event = tokio::select! {
                wish = stop.next() => match wish {
                    Wish::Stop => Event::Stop,
                    Wish::StopNow => return Err(RunError::Interrupted),
                },
                Some(answer) = hands.in_flight.join_next() => match answer {
                    Ok(event) => event,
                    Err(error) => return Err(RunError::CallPanicked(error.to_string())),
                },
                Some(ended) = hands.jobs.ended() => Event::Ended(ended),
                () = wanted.next() => Event::Wake,
                () = clock::sleep_at_most_5s(wait) => {
                    metrics.woke((clock.mono() - now.mono).saturating_sub(wait));
                    Event::Tick
                }
            };
        };
        beside.cancel();
        let left = || until.saturating_sub(clock.mono());
        tokio::select! {
            () = say_good_bye(&store, &node_id, writing_logs, [Some(telling), exporting], left) => {}
            // The first wish was to stop.
            _ = stop.next() => return Err(RunError::Interrupted),
        }
        tracing::info!(node.id = %node_id, "the scheduler stopped");
        Ok(())
    }
}

/// What the loop acts with.
struct Hands {
    jobs: Jobs,
    calls: Calls,
    in_flight: JoinSet<Event>,
    reporter: Reporter,
    alarms: Alarms,
    otlp: Otlp,
    edited: Edited,
}

impl Hands {
    /// Hands `event` to the node and performs what it wants. When it wants to leave: until when (monotonic) that may take.
    fn take(&mut self, event: Event, node: &mut Node, now: Now) -> Option<Duration> {
        if matches!(event, Event::Noted(Err(_))) {
            self.jobs.note_again();
        }
        self.alarms.heard(&event);
        self.otlp.heard(&event);
        self.edited.heard(&event, now.wall);
        let actions = node.handle(event, now);
        self.jobs.begin_under(node.trust());
        for action in actions {
            match action {
                Action::Start(runs) => {
                    self.alarms.started(&runs, now.wall);
                    self.otlp.started(&runs);
                    self.jobs.start(runs);
                }
                Action::CancelJobs => self.jobs.cancel(),
                Action::Abort(executions) => self.jobs.abort(&executions),
                Action::Report(notice) => {
                    self.alarms.said(&notice, node, now.wall);
                    self.reporter.say(notice);
                }
                Action::Exit { until } => return Some(until),
                Action::Call(mut call) => {
                    match &mut call {
                        Call::Record(outcomes) => self.jobs.complete(outcomes),
                        Call::Note(notes) => notes.extend(self.jobs.noted()),
                        _ => {}
                    }
                    self.calls.perform(call, &mut self.in_flight);
                }
            }
        }
        self.alarms.passed(node, now);
        None
    }
}

/// How long alarms, and spans with figures, may take for what they have left at a stop. Less than half of what all good-byes
/// have, for which they are waited for, so that it can be said what did not arrive.
const LAST_WORDS: Duration = Duration::from_millis(750);

/// Waits for the last lines of runs and for those who tell others, who all began with their last words at once; leaves
/// the table of nodes and closes the store, within the time that is `left`. What is open is recorded: a row that stays is
/// forgotten by the others, and what does not close in time is closed by the end of the process.
async fn say_good_bye(
    store: &SharedStore,
    node_id: &str,
    writing_logs: JoinHandle<()>,
    telling: [Option<JoinHandle<()>>; 2],
    left: impl Fn() -> Duration,
) {
    match tokio::time::timeout(left() / 3, writing_logs).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!("bug: keeping what runs log panicked: {error}"),
        Err(_) => tracing::warn!("the last lines of runs were not kept: no answer"),
    }
    let last_words = async {
        for telling in telling.into_iter().flatten() {
            if let Err(error) = telling.await {
                tracing::error!("bug: telling others panicked: {error}");
            }
        }
    };
    let _ = tokio::time::timeout(left() / 2, last_words).await;
    match tokio::time::timeout(left() / 2, store.leave(node_id)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!("no good-bye to the database: {}", error.chain()),
        Err(_) => tracing::warn!("no good-bye to the database: no answer"),
    }
    let _ = tokio::time::timeout(left(), store.close()).await;
}
