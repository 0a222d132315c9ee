//! What a node has to say. The acting half turns each into one line of the log.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::Rows;
use crate::plan::{
    execution::{ExecutionId, Status, TraceId},
    task::{DoubtfulKey, TaskError, TaskId},
};

/// Something worth a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// A task is scheduled.
    Scheduled {
        /// `id`.
        task_id: TaskId,
        /// `task_key`.
        task_key: Arc<str>,
        /// Its next instant; `None`: it will never fire again.
        next: Option<DateTime<Utc>>,
    },
    /// A row does not parse, and why.
    Rejected(TaskError),
    /// A row of what waits cannot be read, and is passed over: which, and what is wrong.
    Unreadable(String),
    /// A row is scheduled, and a key of its `extra` was probably meant otherwise.
    Doubtful {
        /// `id`.
        task_id: TaskId,
        /// `task_key`.
        task_key: Arc<str>,
        /// Which key.
        doubt: DoubtfulKey,
    },
    /// A row was switched off.
    Disabled(TaskId, Arc<str>),
    /// A row is no more.
    Deleted(TaskId, Arc<str>),
    /// A live task has a new spec.
    SpecChanged {
        /// `id`.
        task_id: TaskId,
        /// `task_key`.
        task_key: Arc<str>,
        /// Before.
        old: Arc<str>,
        /// Now.
        new: Arc<str>,
    },
    /// Columns of a live task were edited that are not read again while it lives.
    EditIgnored {
        /// `id`.
        task_id: TaskId,
        /// `task_key`.
        task_key: Arc<str>,
        /// Which columns.
        columns: Vec<&'static str>,
    },
    /// The first reading is done: the counts of what was found.
    FirstReading(Rows),
    /// The claim of this task fails even alone.
    ClaimFails {
        /// The task.
        task_id: TaskId,
        /// What the database said.
        error: String,
    },
    /// The record of this run's outcome fails even alone.
    RecordFails {
        /// The task.
        task_id: TaskId,
        /// The execution.
        execution_id: ExecutionId,
        /// What the database said.
        error: String,
    },
    /// A task stood at `doing` without an open execution and is `ready` again.
    Healed(TaskId),
    /// A manual run or a retry was recorded `cancelled`, since its task cannot run.
    RequestRefused {
        /// The task.
        task_id: TaskId,
        /// 1: a manual run; more: a retry.
        attempt: u32,
        /// The row's `extra`, which says why.
        extra: String,
    },
    /// What became of a fire or a run.
    Ending(Ending),
    /// How the node fares.
    Health(Health),
    /// A stop was asked for while so many jobs run.
    Stopping(usize),
}

/// What hinders a node, or no longer does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// The database does not answer, or answers with an error.
    DatabaseTrouble(String),
    /// The database answers again.
    DatabaseBack,
    /// The machine's clock is this far ahead of the database's, or behind if it is negative: nothing is claimed.
    ClockIsOff(TimeDelta),
    /// The machine's clock is right again.
    ClockIsRight,
    /// The lease could not be renewed in time: nothing is claimed until it is.
    LeaseLost,
    /// What dead nodes left open cannot be closed.
    ReapingFails(String),
    /// Leaving, although so many outcomes could not be recorded; their executions become `lost`.
    LeftUnrecorded(usize),
}

/// What became of a fire or a run that is worth a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// Fires that did not run were recorded.
    NotRun {
        /// The task.
        task_key: Arc<str>,
        /// `missed` or `skipped`; `cancelled` or `lost` if it was claimed and did not begin.
        status: Status,
        /// The newest instant.
        scheduled_at: DateTime<Utc>,
        /// The row's `extra`.
        extra: String,
    },
    /// A run ended otherwise than with success.
    RunFailed {
        /// The task.
        task_key: Arc<str>,
        /// The execution.
        execution_id: ExecutionId,
        /// Its trace id.
        trace_id: TraceId,
        /// How it ended.
        status: Status,
        /// Why.
        reason: String,
        /// When it is tried again.
        retry_at: Option<DateTime<Utc>>,
    },
    /// A row was closed by somebody else before its outcome came.
    OutcomeDiscarded {
        /// The execution.
        execution_id: ExecutionId,
        /// The outcome that was not written.
        status: Status,
    },
    /// An execution of a dead node was marked `lost`.
    Lost {
        /// The execution.
        execution_id: ExecutionId,
        /// Its task.
        task_id: TaskId,
        /// The node that had it; `None`: not written by this scheduler.
        node_id: Option<String>,
        /// Whether it is tried again.
        is_retried: bool,
    },
}
