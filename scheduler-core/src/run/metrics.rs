//! What one scheduler counts and measures, in the words of Prometheus. Its loop fills them as it goes, and whoever asks for
//! them asks nothing of it.
//!
//! No label holds the name of a task: a table of 100,000 rows would be as many series. What became of one task its
//! executions tell.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use prometheus_client::{
    encoding::text,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::{Metric, Registry, Unit},
};

use crate::{
    plan::{
        claim::{Claim, Origin, Refusal, Verdict},
        execution::{ExecutionId, Recorded, Status},
        node::{Ended, Event, Failure, Survey},
    },
    store::Connections,
    telemetry,
};

/// One label with one of a few values.
type Label = [(&'static str, &'static str); 1];

type Seconds = Gauge<f64, AtomicU64>;

/// See the module.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    executions: Family<Label, Counter>,
    claims: Family<Label, Counter>,
    claim_batch: Histogram,
    start_delay: Histogram,
    run_time: Histogram,
    calls: Family<Label, Histogram>,
    failures: Family<Label, Counter>,
    turn: Histogram,
    lag: Histogram,
    tasks: Family<Label, Gauge>,
    waiting: Family<Label, Gauge>,
    connections: Family<Label, Gauge>,
    heartbeat_age: Seconds,
    skew: Seconds,
    is_ready: Gauge,
    lost_log_lines: Counter,
    alarms: Family<[(&'static str, String); 2], Counter>,
    #[cfg(any(feature = "otlp", test))]
    spans: Family<Label, Counter>,
    /// The instants of runs that the schedule asked for, until they end.
    instants: Mutex<HashMap<ExecutionId, DateTime<Utc>>>,
}

/// Names as they are made.
struct Naming(Registry);

impl Naming {
    fn plain<M: Metric + Clone>(&mut self, name: &str, help: &str, metric: M) -> M {
        self.0.register(name, help, metric.clone());
        metric
    }

    fn seconds<M: Metric + Clone>(&mut self, name: &str, help: &str, metric: M) -> M {
        self.0.register_with_unit(name, help, Unit::Seconds, metric.clone());
        metric
    }
}

impl Metrics {
    pub(super) fn new(node_id: &str) -> Self {
        let mut of = Naming(Registry::with_prefix("scheduler"));
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let build = Info::new([("version", version), ("node", node_id.to_owned())]);
        of.0.register("build", "The program and this node", build);
        let closed =
            "Executions that this node closed, or recorded without running them, by status";
        let lag = "How much later than it wanted the loop woke by itself";
        let heartbeat = "Since the last good renewal of the lease began; -1: there was none";
        let skew = "How far the clock of the machine is ahead of the database's";
        let calls = "How long calls to the database took, failed ones included";
        let run_time = Histogram::new(exponential_buckets(0.001, 4.0, 14));
        let batch = Histogram::new(exponential_buckets(1.0, 2.0, 11));
        let new = Self {
            executions: of.plain("executions", closed, Family::default()),
            claims: of.plain(
                "claims",
                "Claims of one task each, by their answer",
                Family::default(),
            ),
            claim_batch: of.plain("claim_batch", "Claims in one transaction", batch),
            start_delay: of.seconds(
                "start_delay",
                "From the instant of a fire to the first step of its job",
                seconds(),
            ),
            run_time: of.seconds("run", "How long jobs ran", run_time),
            calls: of.seconds("database_call", calls, Family::new_with_constructor(seconds)),
            failures: of.plain(
                "database_failures",
                "Calls to the database that failed",
                Family::default(),
            ),
            turn: of.seconds("loop_turn", "How long a turn of the loop took", seconds()),
            lag: of.seconds("loop_lag", lag, seconds()),
            tasks: of.plain("tasks", "Rows of the table task when last read", Family::default()),
            waiting: of.plain("waiting", "What waits for what on this node", Family::default()),
            connections: of.plain("connections", "Connections to the database", Family::default()),
            heartbeat_age: of.seconds("heartbeat_age", heartbeat, Seconds::default()),
            skew: of.seconds("clock_skew", skew, Seconds::default()),
            is_ready: of.plain("ready", "1 if this node may claim, else 0", Gauge::default()),
            lost_log_lines: of.plain(
                "lost_log_lines",
                "Lines of the log that could not be written",
                Counter::default(),
            ),
            alarms: of.plain(
                "alarms",
                "Messages to channels, by what became of them",
                Family::default(),
            ),
            #[cfg(any(feature = "otlp", test))]
            spans: of.plain(
                "spans",
                "Spans of runs for the collector, by what became of them",
                Family::default(),
            ),
            instants: Mutex::default(),
            registry: of.0,
        };
        // What did not happen yet is 0, and not absent.
        for status in Status::names().filter(|name| *name != Status::Todo.as_str()) {
            drop(new.executions.get_or_create(&[("status", status)]));
        }
        for answer in ANSWERS {
            drop(new.claims.get_or_create(&[("answer", answer)]));
        }
        new
    }

    /// Something happened, and the loop has not heard of it yet.
    pub(super) fn heard(&self, event: &Event) {
        event.won().for_each(|(claim, run)| self.won(claim, run));
        match event {
            Event::Claimed(claims, result) => self.claimed(claims, result.as_deref()),
            Event::Ended(ended) => ended.iter().for_each(|ended| self.ended(ended)),
            Event::Recorded(outcomes, Ok(recorded)) => {
                for (outcome, recorded) in outcomes.iter().zip(recorded) {
                    // Of a run that never began nobody says that it ended.
                    self.instants().remove(&outcome.execution_id);
                    if *recorded == Recorded::Stands {
                        self.closed(outcome.status);
                    }
                }
            }
            Event::Reaped(Ok(reaped)) => {
                reaped.lost.iter().for_each(|_| self.closed(Status::Lost));
            }
            _ => {}
        }
    }

    fn claimed(&self, claims: &[Claim], result: Result<&[Verdict], &Failure>) {
        self.claim_batch.observe(claims.len() as f64);
        let answered = |answer, count| {
            self.claims.get_or_create(&[("answer", answer)]).inc_by(count);
        };
        match result {
            Ok(verdicts) => {
                for verdict in verdicts {
                    answered(answer_of(verdict), 1);
                }
            }
            Err(failure) => {
                let answer = match failure {
                    Failure::NotApplied(_) => "failed",
                    Failure::Unknown(_) => "unknown",
                };
                answered(answer, claims.len() as u64);
            }
        }
    }

    /// A claim is committed.
    fn won(&self, claim: &Claim, run: Option<ExecutionId>) {
        for entry in claim.entries.iter().filter(|entry| entry.status.is_terminal()) {
            self.closed(entry.status);
        }
        if let (Some(run), Origin::Schedule) = (run, claim.origin) {
            self.instants().insert(run, claim.newest());
        }
    }

    fn ended(&self, ended: &Ended) {
        let instant = self.instants().remove(&ended.execution_id);
        let Some(started_at) = ended.started_at else { return };
        self.run_time.observe(seconds_between(started_at, ended.finished_at));
        if let Some(instant) = instant {
            self.start_delay.observe(seconds_between(instant, started_at));
        }
    }

    fn closed(&self, status: Status) {
        self.executions.get_or_create(&[("status", status.as_str())]).inc();
    }

    fn instants(&self) -> std::sync::MutexGuard<'_, HashMap<ExecutionId, DateTime<Utc>>> {
        self.instants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call to the database was answered, or was not.
    pub(super) fn called(&self, call: &'static str, took: Duration, is_answered: bool) {
        self.calls.get_or_create(&[("call", call)]).observe(took.as_secs_f64());
        // Made with the first call of its kind, so that it is 0 and not absent.
        self.failures.get_or_create(&[("call", call)]).inc_by(u64::from(!is_answered));
    }

    /// A message to a channel arrived, or did not.
    pub(super) fn told(&self, channel: &str, has_arrived: bool) {
        let result = if has_arrived { "arrived" } else { "refused" };
        let labels = [("channel", channel.to_owned()), ("result", result.to_owned())];
        self.alarms.get_or_create(&labels).inc();
    }

    /// So many spans arrived at the collector, or are lost.
    #[cfg(any(feature = "otlp", test))]
    pub(super) fn spans(&self, result: &'static str, count: u64) {
        self.spans.get_or_create(&[("result", result)]).inc_by(count);
    }

    /// The loop turned once, which took so long.
    pub(super) fn turned(&self, took: Duration) {
        self.turn.observe(took.as_secs_f64());
    }

    /// The loop woke by itself, so much later than it wanted.
    pub(super) fn woke(&self, late: Duration) {
        self.lag.observe(late.as_secs_f64());
    }

    /// All of it, as OpenMetrics has it.
    pub(super) fn encode(
        &self,
        survey: &Survey,
        is_ready: bool,
        connections: Connections,
    ) -> String {
        let set = |family: &Family<Label, Gauge>, name, values: &[(&'static str, usize)]| {
            for (value, count) in values {
                family
                    .get_or_create(&[(name, *value)])
                    .set(i64::try_from(*count).unwrap_or(i64::MAX));
            }
        };
        let rows = survey.rows;
        let tasks = [
            ("scheduled", rows.scheduled),
            ("rejected", rows.rejected),
            ("disabled", rows.disabled),
        ];
        set(&self.tasks, "state", &tasks);
        let waiting = [
            ("running", survey.open.saturating_sub(survey.unrecorded)),
            ("recording", survey.unrecorded),
            ("settling", survey.unsettled),
            ("requested", survey.requests),
            ("failing", survey.failing),
        ];
        set(&self.waiting, "for", &waiting);
        let idle = connections.idle.min(connections.open);
        set(&self.connections, "state", &[("idle", idle), ("busy", connections.open - idle)]);
        self.heartbeat_age.set(survey.renewed_ago.map_or(-1.0, |ago| ago.as_secs_f64()));
        self.skew.set(survey.skew.as_seconds_f64());
        self.is_ready.set(i64::from(is_ready));
        self.lost_log_lines.inner().store(telemetry::lost_lines(), Ordering::Relaxed);
        let mut text = String::new();
        // A `String` takes whatever is written.
        let _ = text::encode(&mut text, &self.registry);
        text
    }
}

/// What the database may answer a claim.
const ANSWERS: [&str; 10] = [
    "won",
    "accounted",
    "busy",
    "locked",
    "disabled",
    "gone",
    "spec_changed",
    "request_gone",
    "failed",
    "unknown",
];

fn answer_of(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Won(_) => "won",
        Verdict::Refused(refusal) => match refusal {
            Refusal::Accounted(_) => "accounted",
            Refusal::Busy => "busy",
            Refusal::Locked => "locked",
            Refusal::Disabled => "disabled",
            Refusal::Gone => "gone",
            Refusal::SpecChanged => "spec_changed",
            Refusal::RequestGone => "request_gone",
        },
    }
}

/// 0 if the clock was set back meanwhile.
fn seconds_between(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    (to - from).as_seconds_f64().max(0.0)
}

/// From 0.1 ms to 105 s, each twice the one before.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.000_1, 2.0, 21))
}

#[cfg(test)]
mod tests;
