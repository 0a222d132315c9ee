//! The states of an execution and the steps between them.
//!
//! ```text
//!  (claim) ──▶ todo ──▶ success │ fail │ timeout │ lost │ cancelled │ missed
//!  (record) ─▶ missed │ skipped                    never ran
//! ```
//!
//! Every state but `todo` is terminal: a terminal row is never changed again, so a late outcome is discarded.

use std::{fmt, str::FromStr, sync::Arc};

use chrono::{DateTime, SecondsFormat, Utc};

use super::{
    notes::{Notes, with_notes},
    retry::Retry,
    task::TaskId,
};

/// The `id` of a row of `execute_task`; jobs see it as `sub_task_id`.
pub type ExecutionId = i64;

/// Unique per execution row; also the fence: only the holder of the trace id may write the outcome.
pub type TraceId = Arc<str>;

/// The id of the span that a run with this trace id is: the second half of it, so that whoever knows the one knows the
/// other. 16 digits, like the trace id lower-case hexadecimal ones with one that is not 0, as W3C Trace Context has it.
///
/// `None` for a trace id that is none for it; ours all are.
///
/// ```
/// use scheduler_core::plan::execution::span_id;
///
/// assert_eq!(span_id("01a209a0c972778a9348f175f51b7e95"), Some("9348f175f51b7e95"));
/// ```
#[must_use]
pub fn span_id(trace_id: &str) -> Option<&str> {
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_valid = trace_id.len() == 32 && trace_id.bytes().all(is_hex);
    let span_id = trace_id.get(16..).filter(|_| is_valid)?;
    span_id.bytes().any(|byte| byte != b'0').then_some(span_id)
}

/// `execute_task.status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Claimed; running, or about to.
    Todo,
    /// The job returned without an error.
    Success,
    /// The job returned an error or panicked; `extra.err` says which.
    Fail,
    /// The job was still running at the end of its `timeout`.
    Timeout,
    /// The node that claimed it stopped renewing its lease.
    Lost,
    /// The scheduler stopped before the job ended, or a manual run or retry became impossible.
    Cancelled,
    /// Never ran: found too late, or coalesced into a newer fire.
    Missed,
    /// Never ran: the task was still running.
    Skipped,
}

/// Every status with its name in the table, in the order of [`Status`].
const STATUSES: [(Status, &str); 8] = [
    (Status::Todo, "todo"),
    (Status::Success, "success"),
    (Status::Fail, "fail"),
    (Status::Timeout, "timeout"),
    (Status::Lost, "lost"),
    (Status::Cancelled, "cancelled"),
    (Status::Missed, "missed"),
    (Status::Skipped, "skipped"),
];

impl Status {
    /// The name in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        STATUSES[self as usize].1
    }

    /// All names, for messages and for the command line.
    pub fn names() -> impl Iterator<Item = &'static str> {
        STATUSES.iter().map(|(_, name)| *name)
    }

    /// Whether the row may still change.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        self != Status::Todo
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        STATUSES
            .iter()
            .find(|(_, name)| *name == text)
            .map(|(status, _)| *status)
            .ok_or_else(|| UnknownStatus(text.to_owned()))
    }
}

/// A status that no execution has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("status {} is not known, expected {}", super::words::quote(.0), Status::names().collect::<Vec<_>>().join(", "))]
pub struct UnknownStatus(String);

/// `execute_task.source`: what asked for the execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The task's trigger.
    Schedule,
    /// A person, through `task trigger`.
    Manual,
    /// An earlier attempt that did not succeed.
    Retry,
}

impl Source {
    /// The name in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Schedule => "schedule",
            Source::Manual => "manual",
            Source::Retry => "retry",
        }
    }
}

/// A row of `execute_task`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionRow {
    /// `id`.
    pub id: ExecutionId,
    /// `task_id`.
    pub task_id: TaskId,
    /// The task's `task_key`, while its row exists.
    pub task_key: Option<String>,
    /// `status` as it stands there.
    pub status: String,
    /// `extra`.
    pub extra: String,
    /// `trace_id`.
    pub trace_id: String,
    /// `create_at`: when it was claimed, whole seconds.
    pub created_at: Option<DateTime<Utc>>,
    /// `scheduled_at`; `None` for rows of the original program.
    pub scheduled_at: Option<DateTime<Utc>>,
    /// `attempt`, 1 for the first.
    pub attempt: i64,
    /// `source`.
    pub source: String,
    /// `node_id`.
    pub node_id: Option<String>,
    /// `started_at`.
    pub started_at: Option<DateTime<Utc>>,
    /// `finished_at`.
    pub finished_at: Option<DateTime<Utc>>,
}

/// The notes of a run that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// The row.
    pub execution_id: ExecutionId,
    /// The fence.
    pub trace_id: TraceId,
    /// What stands in its `extra` from now on: all that was noted so far, beside what the claim wrote there.
    pub extra: String,
}

/// Some lines of what a run logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPart {
    /// The row.
    pub execution_id: ExecutionId,
    /// Which part of the run's log: from 1 on.
    pub part: u32,
    /// Whole lines, each a JSON object and a line feed.
    pub content: String,
}

/// How an execution ended, ready to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The row to close.
    pub execution_id: ExecutionId,
    /// The row's task, which is set `ready` when nothing of it is open any more.
    pub task_id: TaskId,
    /// The fence.
    pub trace_id: TraceId,
    /// Terminal.
    pub status: Status,
    /// A JSON object: the reason, for a failure under `err`.
    pub extra: String,
    /// When the job began; `None` when it never did.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended, or was given up.
    pub finished_at: DateTime<Utc>,
    /// The next attempt, which begins to wait when this outcome is recorded.
    pub retry: Option<Retry>,
}

/// What became of an outcome that was to be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It stands in its row.
    Stands,
    /// Somebody else closed the row before; it stays as it was.
    Discarded,
    /// The task's row is locked by somebody else: nothing was written, ask again.
    Locked,
}

/// The `extra` of a job that returned an error or panicked: the error, and when the run is tried again.
#[must_use]
pub fn extra_of_error(error: &str, retry_at: Option<DateTime<Utc>>) -> String {
    extra_of("err", error, retry_at)
}

/// The `extra` of a run that did not end by itself, or never began: why, and when it is tried again.
#[must_use]
pub fn extra_of_reason(reason: &str, retry_at: Option<DateTime<Utc>>) -> String {
    extra_of("reason", reason, retry_at)
}

fn extra_of(key: &str, why: &str, retry_at: Option<DateTime<Utc>>) -> String {
    let mut extra = serde_json::json!({ key: why });
    if let Some(at) = retry_at {
        extra["retry_at"] = at.to_rfc3339_opts(SecondsFormat::Millis, true).into();
    }
    extra.to_string()
}

/// The key of an execution's `extra` under which the arguments stand that it was asked for with, other than its task's. It
/// goes from the claim to the end, and from there into the next attempt.
pub const WITH_ARGS: &str = "with_args";

/// The arguments that the execution with this `extra` was asked for with; `None`: it has those of its task.
#[must_use]
pub fn args_of(extra: &str) -> Option<Arc<str>> {
    let extra: serde_json::Value = serde_json::from_str(extra).ok()?;
    extra[WITH_ARGS].as_str().map(Arc::from)
}

/// `extra`, a JSON object of ours, of an execution that was asked for with `args`.
///
/// ```
/// use scheduler_core::plan::execution::{args_of, extra_with_args};
///
/// let extra = extra_with_args("{}", Some("2026-11"));
/// assert_eq!(extra, r#"{"with_args":"2026-11"}"#);
/// assert_eq!(args_of(&extra).as_deref(), Some("2026-11"));
/// assert_eq!(extra_with_args("{}", None), "{}");
/// ```
#[must_use]
pub fn extra_with_args(extra: &str, args: Option<&str>) -> String {
    let Some(args) = args else { return extra.to_owned() };
    with_notes(extra, Notes::from_iter([(WITH_ARGS.to_owned(), args.into())]))
}

/// Why an execution with this `extra` did not succeed; `None`: it did, or is open, or somebody wrote the row by hand.
#[must_use]
pub fn why_of(extra: &serde_json::Value) -> Option<&str> {
    extra["err"].as_str().or(extra["reason"].as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_reads_back_as_itself() {
        for (index, (status, name)) in STATUSES.iter().enumerate() {
            assert_eq!(*status as usize, index, "{name} stands at its own index");
            assert_eq!(name.parse::<Status>().unwrap(), *status);
        }
    }

    #[test]
    fn an_unknown_status_names_the_known_ones() {
        let error = "done".parse::<Status>().unwrap_err().to_string();
        assert_eq!(
            error,
            "status \"done\" is not known, expected todo, success, fail, timeout, lost, cancelled, missed, skipped"
        );
    }
}
