//! Why an instant of a task ran, or did not: the answer in words, from what is recorded.
//!
//! ```text
//!   executions of the instant ─▶ records.rs: what became of each attempt
//!   the next accounted one is `missed` and reaches back to it ─▶ records.rs: missed, and who was up then
//!   neither ─▶ row.rs: gone, younger, edited since, disabled, paused, rejected, not due, not yet, waiting, overdue, removed
//! ```
//!
//! Says only what the records bear out: what a row said before its last edit nobody knows.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{
    claim::Request,
    execution::{ExecutionRow, Status},
    node::NodeRow,
    task::Task,
    trigger::Zone,
};

mod records;
mod row;
#[cfg(test)]
mod tests;

/// What is known of an instant of a task.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The instant in question.
    pub at: DateTime<Utc>,
    /// The row; `None`: it is deleted.
    pub row: Option<Row<'a>>,
    /// Since when and why the row is off for a while, if it is.
    pub pause: Option<Paused<'a>>,
    /// When this database was first migrated.
    pub adopted_at: DateTime<Utc>,
    /// The executions of the instant, by attempt.
    pub here: &'a [ExecutionRow],
    /// The execution of the next instant that the schedule accounted for.
    pub next: Option<&'a ExecutionRow>,
    /// Executions of earlier instants that were to run, the latest first.
    pub before: &'a [ExecutionRow],
    /// What waits outside of the schedule, of this task.
    pub waiting: &'a [Request],
    /// The nodes that are remembered.
    pub nodes: &'a [NodeRow],
    /// `lease` of the configuration.
    pub lease: Duration,
    /// The zone in which instants are shown.
    pub zone: &'a Zone,
}

/// A row of `task` as it stands now.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Whether it is switched on and accepted.
    pub state: State<'a>,
    /// What it means, if it can be read.
    pub task: Option<&'a Task>,
    /// `create_at`.
    pub created_at: Option<DateTime<Utc>>,
    /// `update_at`.
    pub edited_at: Option<DateTime<Utc>>,
}

/// How a row is off for a while.
#[derive(Clone, Copy, Debug)]
pub struct Paused<'a> {
    /// Since when.
    pub at: DateTime<Utc>,
    /// Until when; `None`: until somebody switches it on.
    pub until: Option<DateTime<Utc>>,
    /// Why; may be empty.
    pub reason: &'a str,
    /// Who wanted it; empty: not known.
    pub author: &'a str,
}

/// What the scheduler makes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State<'a> {
    /// It fires.
    Enabled,
    /// `is_valid` is 0.
    Disabled,
    /// Refused, for this reason.
    Rejected(&'a str),
}

/// What became of an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has an execution, of which the last attempt stands so.
    Recorded(Status),
    /// The schedule has no such instant.
    NotDue,
    /// It lies ahead.
    NotYet,
    /// It is due and waits for an earlier run of the task.
    Waiting,
    /// It is due, and nobody has claimed it.
    Overdue,
    /// It was accounted for, and its record is gone.
    Removed,
    /// The row is off.
    Disabled,
    /// The row is off for a while.
    Paused,
    /// The row is refused.
    Rejected,
    /// The row, or the whole database, came to the scheduler only later.
    Younger,
    /// The row was edited since, and says nothing of the time before.
    EditedSince,
    /// The row is deleted.
    Gone,
}

impl Answer {
    /// One word, as programs see it: a status of `execute_task`, or what else it is.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Answer::Recorded(status) => status.as_str(),
            Answer::NotDue => "not_due",
            Answer::NotYet => "not_yet",
            Answer::Waiting => "waiting",
            Answer::Overdue => "overdue",
            Answer::Removed => "removed",
            Answer::Disabled => "disabled",
            Answer::Paused => "paused",
            Answer::Rejected => "rejected",
            Answer::Younger => "younger",
            Answer::EditedSince => "edited_since",
            Answer::Gone => "gone",
        }
    }
}

/// An answer with its reasons, a sentence each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// In a word.
    pub answer: Answer,
    /// In words, the most important first.
    pub because: Vec<String>,
}

/// Why the instant ran, or did not, as far as is known at `now`.
#[must_use]
pub fn why(facts: &Facts<'_>, now: DateTime<Utc>) -> Why {
    if let Some(last) = facts.here.last() {
        return facts.of_executions(last, now);
    }
    if let Some(missed) = facts.next.filter(|next| facts.reaches_back(next)) {
        return facts.of_missed(missed, now);
    }
    facts.of_row(now)
}

impl Facts<'_> {
    fn is_instant_of(&self, task: &Task) -> bool {
        task.trigger.last_until(self.at) == Some(self.at)
    }

    fn is_alive(&self, node: &NodeRow) -> bool {
        node.left_at.is_none() && node.silent_for <= self.lease
    }

    fn show(&self, at: DateTime<Utc>) -> String {
        self.zone.to_local(at)
    }
}
