//! Why a row is rejected, in words that name the row, the column, the value and what was expected.

use super::{FieldFault, TaskId};
use crate::plan::{trigger::TriggerError, words::quote};

/// Why a row is rejected. The text names row, column, value and what was expected.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{label}: {fault}")]
pub struct TaskError {
    /// The row.
    pub task_id: TaskId,
    /// `task 5 "daily_report"`.
    pub label: String,
    /// What is wrong with it.
    pub fault: TaskFault,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TaskFault {
    /// A column that cannot be read at all.
    #[error("{column} is {fault}, expected {}", if *column == "is_valid" { "0 or 1" } else { "text" })]
    Unreadable {
        /// The column.
        column: &'static str,
        /// How it is unreadable.
        fault: FieldFault,
    },
    /// A text that is too long.
    #[error("{column} {} is longer than {limit} characters, expected at most {limit}", quote(.value))]
    TooLong {
        /// The column.
        column: &'static str,
        /// Its beginning.
        value: String,
        /// The limit, in characters.
        limit: usize,
    },
    /// A timestamp that is none.
    #[error("{column} is no instant, expected one in UTC, YYYY-MM-DD HH:MM:SS")]
    NoInstant {
        /// The column.
        column: &'static str,
    },
    /// A value outside its set or range.
    #[error("{column} {} is not valid, expected {expected}", quote(.value))]
    Value {
        /// The column.
        column: &'static str,
        /// What stood there.
        value: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// A key of `extra` with a value outside its set or range.
    #[error("extra.{key} is {value}, expected {expected}")]
    Key {
        /// The key.
        key: &'static str,
        /// What stood there: text in quotes, numbers as they are.
        value: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// `execute_func` names no compiled job.
    #[error("execute_func {} is not a known job, expected {}", quote(.value), names(.nearest))]
    UnknownJob {
        /// What stood there.
        value: String,
        /// The nearest known names.
        nearest: Vec<String>,
    },
    /// The job does not take the row's `args`.
    #[error("args {} do not fit job {}: {reason}", quote(.value), quote(.job))]
    Args {
        /// What stood there.
        value: String,
        /// The job that `execute_func` names.
        job: String,
        /// Which value does not fit, and what was expected.
        reason: String,
    },
    /// `extra` is no JSON object.
    #[error("extra {} is not valid, expected a JSON object such as {{\"timeout\": \"30s\"}} ({cause})", quote(.value))]
    Extra {
        /// What stood there.
        value: String,
        /// What the reader said.
        cause: String,
    },
    /// Another row already schedules this key.
    #[error("task_key {} already belongs to task {other}, expected a key of its own", quote(.value))]
    DuplicateKey {
        /// The key.
        value: String,
        /// The row that has it.
        other: TaskId,
    },
    /// `trigger` and `spec` do not parse.
    #[error(transparent)]
    Trigger(#[from] TriggerError),
}

impl TaskFault {
    /// The column that is wrong.
    #[must_use]
    pub fn column(&self) -> &'static str {
        match self {
            TaskFault::Unreadable { column, .. }
            | TaskFault::TooLong { column, .. }
            | TaskFault::NoInstant { column }
            | TaskFault::Value { column, .. } => column,
            TaskFault::Key { .. }
            | TaskFault::Extra { .. }
            | TaskFault::Trigger(TriggerError::Zone { .. }) => "extra",
            TaskFault::UnknownJob { .. } => "execute_func",
            TaskFault::Args { .. } => "args",
            TaskFault::DuplicateKey { .. } => "task_key",
            TaskFault::Trigger(TriggerError::Kind { .. }) => "trigger",
            TaskFault::Trigger(_) => "spec",
        }
    }
}

fn names(names: &[String]) -> String {
    match names {
        [] => "a name given by #[job(\"…\")], see `scheduler jobs`".to_owned(),
        names => format!(
            "a job of this program such as {}",
            names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(" or ")
        ),
    }
}
