//! What a node hears and what it wants done.

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use super::Notice;
use crate::plan::{
    claim::{Claim, Request, Verdict},
    database_clock::Sighting,
    difference::Seen,
    execution::{ExecutionId, Noted, Outcome, Recorded, TraceId},
    notes::Notes,
    task::{TaskId, TaskRow},
};

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// The moment of [`Node::wake_in`](super::Node::wake_in) has come.
    Tick,
    /// The tables were read: what was seen by then, and what is new.
    Read(Seen, Result<Box<Reading>, Failure>),
    /// The last accounted fires of the tasks that were asked about; one without any is absent.
    Cursors(Vec<TaskId>, Result<HashMap<TaskId, DateTime<Utc>>, Failure>),
    /// A claim was answered, one verdict per claim in the same order.
    Claimed(Vec<Claim>, Result<Vec<Verdict>, Failure>),
    /// What a claim of unknown fate has written: per claim the execution that carries its trace id, as far as
    /// the claim had a run.
    Settled(Vec<Claim>, Result<Vec<Settled>, Failure>),
    /// Jobs ended.
    Ended(Vec<Ended>),
    /// Outcomes were written: per outcome what became of it, in the same order.
    Recorded(Vec<Outcome>, Result<Vec<Recorded>, Failure>),
    /// A renewal that began at `started` (monotonic) was answered.
    Renewed {
        /// Start of the call, monotonic.
        started: Duration,
        /// Its end, and the database's clock.
        result: Result<Sighting, Failure>,
    },
    /// The notes of running jobs were written, or could not be: the next ones will tell more.
    Noted(Result<(), Failure>),
    /// Dead nodes' executions were looked for.
    Reaped(Result<Reaped, Failure>),
    /// Somebody has edited the tables, or may have. Harmless at any time.
    Wake,
    /// A signal asked to stop.
    Stop,
}

impl Event {
    /// Why a call to the database gave no answer, if this is about one.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Event::Tick | Event::Wake | Event::Ended(_) | Event::Stop => None,
            Event::Read(_, result) => result.as_ref().err(),
            Event::Cursors(_, result) => result.as_ref().err(),
            Event::Claimed(_, result) => result.as_ref().err(),
            Event::Settled(_, result) => result.as_ref().err(),
            Event::Recorded(_, result) => result.as_ref().err(),
            Event::Renewed { result, .. } => result.as_ref().err(),
            Event::Noted(result) => result.as_ref().err(),
            Event::Reaped(result) => result.as_ref().err(),
        }
    }

    /// The claims of which it is known by this that they are committed, each with the execution of its run, if it had one.
    pub fn won(&self) -> impl Iterator<Item = (&Claim, Option<ExecutionId>)> {
        let claimed = match self {
            Event::Claimed(claims, Ok(verdicts)) => claims.iter().zip(verdicts),
            _ => [].iter().zip(&[]),
        };
        let settled = match self {
            Event::Settled(claims, Ok(settled)) => claims.iter().zip(settled),
            _ => [].iter().zip(&[]),
        };
        let claimed = claimed.filter_map(|(claim, verdict)| match verdict {
            Verdict::Won(run) => Some((claim, *run)),
            Verdict::Refused(_) => None,
        });
        let settled = settled.filter_map(|(claim, settled)| match settled {
            Settled::Written(run) => Some((claim, *run)),
            Settled::NotWritten | Settled::Locked => None,
        });
        claimed.chain(settled)
    }
}

/// What the plan wants done.
#[derive(Debug, PartialEq)]
pub enum Action {
    /// Ask the store; the answer comes back as an event.
    Call(Call),
    /// Start these jobs: their claims are committed.
    Start(Vec<Run>),
    /// Tell the running jobs that the scheduler is stopping.
    CancelJobs,
    /// End these jobs; their outcome is recorded without them.
    Abort(Vec<ExecutionId>),
    /// Say it.
    Report(Notice),
    /// Everything is recorded, or the time for it is over: leave.
    Exit {
        /// When the last good-byes to the database are over (monotonic), also those that had no answer.
        until: Duration,
    },
}

/// What is asked of the store.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// Read the tables, and tell what is new to who has seen this.
    Read(Seen),
    /// Read the last accounted fire of these tasks.
    ReadCursors(Vec<TaskId>),
    /// Claim, in one transaction.
    Claim(Vec<Claim>),
    /// Find out what a claim of unknown fate has written.
    Settle(Vec<Claim>),
    /// Record, in one transaction.
    Record(Vec<Outcome>),
    /// Write what running jobs noted since the last time. Who runs them fills it in.
    Note(Vec<Noted>),
    /// Renew the lease.
    Renew,
    /// Mark what dead nodes left open `lost`, and set `doing` tasks without an open execution `ready`.
    Reap {
        /// Tasks that stand at `doing` although this node runs nothing of them.
        suspects: Vec<TaskId>,
        /// By a clock of the database that is later, nobody is dead.
        until: DateTime<Utc>,
    },
}

impl Call {
    /// One word for it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Call::Read(_) => "read",
            Call::ReadCursors(_) => "cursors",
            Call::Claim(_) => "claim",
            Call::Settle(_) => "settle",
            Call::Record(_) => "record",
            Call::Note(_) => "note",
            Call::Renew => "renew",
            Call::Reap { .. } => "reap",
        }
    }
}

/// One reading of the tables.
#[derive(Debug, Default)]
pub struct Reading {
    /// Rows of `task`, in id order: what a store was asked for, and of these what is news to who reads.
    pub rows: Vec<TaskRow>,
    /// Whether a store was asked for all rows, or brings them anyhow.
    pub shows_all: bool,
    /// Rows that were there at the reading before, as [`Reading::news_to`] finds them.
    pub gone: Vec<TaskId>,
    /// Those of the rows that do not differ, and are told of only since somebody wanted it, likewise.
    pub again: Vec<TaskId>,
    /// Rows whose `status` is `doing`, likewise, if it shows all.
    pub doing: Vec<TaskId>,
    /// Manual runs and retries that wait, those that are due first at the front.
    pub requests: Vec<Request>,
    /// Whether these are all that wait.
    pub is_whole: bool,
    /// Rows of what waits that cannot be read, each named, with what is wrong: they are passed over.
    pub unreadable: Vec<String>,
    /// When this database was first migrated.
    pub adopted_at: DateTime<Utc>,
    /// Open executions that somebody wants to end.
    pub cancels: Vec<Cancel>,
    /// The nodes that were heard of lately, and how long ago by the database's clock.
    pub nodes: Vec<(String, Duration)>,
}

/// Somebody's wish that a run ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancel {
    /// Which.
    pub execution_id: ExecutionId,
    /// Who; empty: not known.
    pub author: String,
}

/// A row of `scheduler_node`: one life of one program. All by the database's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRow {
    /// `node_id`.
    pub id: String,
    /// `started_at`.
    pub started_at: DateTime<Utc>,
    /// `heartbeat_at`: its last renewal.
    pub heartbeat_at: DateTime<Utc>,
    /// `left_at`: when it stopped in order; `None`: it lives, or died.
    pub left_at: Option<DateTime<Utc>>,
    /// How long it was silent when the row was read.
    pub silent_for: Duration,
    /// What it says of itself: a JSON object; `None`: nothing.
    pub card: Option<String>,
}

/// Why a call to the database gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing was written.
    NotApplied(String),
    /// It may or may not have been written.
    Unknown(String),
}

impl Failure {
    /// What the database said.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Failure::NotApplied(text) | Failure::Unknown(text) => text,
        }
    }
}

/// What a claim of unknown fate turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It was never committed.
    NotWritten,
    /// It was committed; the execution of its run, when it had one that is still `todo`.
    Written(Option<ExecutionId>),
    /// Not known yet: somebody holds the row of its task, and it may be the claim itself.
    Locked,
}

/// A job to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// `execute_task.id`, `sub_task_id` for the job.
    pub execution_id: ExecutionId,
    /// The row's task.
    pub task_id: TaskId,
    /// Its key.
    pub task_key: Arc<str>,
    /// The compiled job.
    pub job: Arc<str>,
    /// The row's `args`.
    pub args: Arc<str>,
    /// The trace id.
    pub trace_id: TraceId,
    /// What the claim wrote into the row's `extra`.
    pub extra: String,
    /// The instant it is for.
    pub scheduled_at: DateTime<Utc>,
    /// 1 for the first.
    pub attempt: u32,
    /// How long it may run.
    pub timeout: Option<Duration>,
    /// The term of the lease in which it was claimed: it begins in no other.
    pub term: u64,
}

/// A job that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Which.
    pub execution_id: ExecutionId,
    /// When it began; `None`: it never did, since it was ended before or the lease was over.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: DateTime<Utc>,
    /// How; an error or panic with its text.
    pub result: Result<(), String>,
    /// What the job noted.
    pub notes: Notes,
}

/// An execution that a dead node left open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Which.
    pub execution_id: ExecutionId,
    /// Its task.
    pub task_id: TaskId,
    /// The node that had it; `None`: not written by this scheduler.
    pub node_id: Option<String>,
    /// Whether its next attempt waits.
    pub is_retried: bool,
}

/// What reaping did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reaped {
    /// Executions marked `lost`.
    pub lost: Vec<Lost>,
    /// Tasks set `ready` again.
    pub healed: Vec<TaskId>,
}
