//! Turns what the plan has to say into lines of the log: one line an event, the same field names everywhere.

use chrono::{DateTime, Utc};

use crate::plan::{
    node::{Ending, Health, Notice, Rows},
    words::instant,
};

/// Lines about scheduled tasks at the start; a table of 100,000 tasks must not flood the log.
const SCHEDULED_LINES: usize = 50;

/// Lines about rejected and doubtful rows at the start.
const FAULT_LINES: usize = 1_000;

/// Writes notices to the log.
#[derive(Debug, Default)]
pub(super) struct Reporter {
    scheduled_at_start: usize,
    faults_at_start: usize,
    has_started: bool,
}

impl Reporter {
    pub(super) fn say(&mut self, notice: Notice) {
        match notice {
            Notice::Scheduled { task_id, task_key, next } => {
                self.scheduled(task_id, &task_key, next)
            }
            Notice::FirstReading(Rows { scheduled, rejected, disabled }) => {
                self.has_started = true;
                if let Some(more @ 1..) = self.scheduled_at_start.checked_sub(SCHEDULED_LINES) {
                    tracing::info!("… and {more} more tasks, see `scheduler task list`");
                }
                if let Some(more @ 1..) = self.faults_at_start.checked_sub(FAULT_LINES) {
                    tracing::warn!(
                        "… and {more} more rejected or doubtful rows, see `scheduler check`"
                    );
                }
                tracing::info!(scheduled, rejected, disabled, "the table is read");
            }
            Notice::Rejected(error) if self.has_room() => {
                tracing::warn!(task.id = error.task_id, "rejected: {error}");
            }
            Notice::Doubtful { task_id, task_key, doubt } if self.has_room() => {
                tracing::warn!(task.id = task_id, task.key = %task_key, "{doubt}");
            }
            Notice::Unreadable(row) if self.has_room() => tracing::warn!("passed over: {row}"),
            Notice::Rejected(_) | Notice::Doubtful { .. } | Notice::Unreadable(_) => {}
            Notice::Disabled(task_id, task_key) => {
                tracing::info!(task.id = task_id, task.key = %task_key, "disabled");
            }
            Notice::Deleted(task_id, task_key) => {
                tracing::info!(task.id = task_id, task.key = %task_key, "deleted: forgotten");
            }
            Notice::SpecChanged { task_id, task_key, old, new } => {
                tracing::info!(task.id = task_id, task.key = %task_key, %old, %new, "new spec");
            }
            Notice::EditIgnored { task_id, task_key, columns } => tracing::warn!(
                task.id = task_id, task.key = %task_key, columns = %columns.join(", "),
                "edited while scheduled: takes effect when the task is disabled and enabled again"
            ),
            Notice::RequestRefused { task_id, attempt, extra } => {
                let what = if attempt == 1 { "a manual run" } else { "a retry" };
                tracing::warn!(task.id = task_id, attempt, %extra, "{what} is cancelled");
            }
            Notice::Healed(task_id) => {
                tracing::warn!(task.id = task_id, "stood at doing with nothing open: set ready");
            }
            Notice::ClaimFails { task_id, error } => tracing::error!(
                task.id = task_id,
                "claiming this task alone failed, trying again later: {error}"
            ),
            Notice::RecordFails { task_id, execution_id, error } => tracing::error!(
                task.id = task_id,
                execution.id = execution_id,
                "recording this outcome alone failed, trying again later: {error}"
            ),
            Notice::Ending(ending) => say_ending(ending),
            Notice::Health(health) => say_health(health),
            Notice::Stopping(running) => tracing::info!(running, "stopping: no new claims"),
        }
    }

    /// Whether one more line about a fault of a row is written.
    fn has_room(&mut self) -> bool {
        self.faults_at_start += usize::from(!self.has_started);
        self.has_started || self.faults_at_start <= FAULT_LINES
    }

    fn scheduled(&mut self, task_id: i64, task_key: &str, next: Option<DateTime<Utc>>) {
        if !self.has_started {
            self.scheduled_at_start += 1;
            if self.scheduled_at_start > SCHEDULED_LINES {
                return;
            }
        }
        tracing::info!(task.id = task_id, task.key = %task_key, next = %next_instant(next), "scheduled");
    }
}

/// How the node itself fares.
fn say_health(health: Health) {
    match health {
        Health::DatabaseTrouble(error) => {
            tracing::error!("the database is in trouble, retrying: {error}")
        }
        Health::DatabaseBack => tracing::info!("the database answers again"),
        Health::ClockIsOff(skew) => tracing::error!(
            ahead_ms = skew.num_milliseconds(),
            "the clock of this machine is off that of the database by more than clock_tolerance: nothing is \
             claimed until it is right; is NTP running on both?"
        ),
        Health::ClockIsRight => tracing::info!("the clock of this machine is right again"),
        Health::LeaseLost => {
            tracing::error!(
                "the lease could not be renewed in time: nothing is claimed until it is"
            );
        }
        Health::ReapingFails(error) => {
            tracing::error!("what dead nodes left open cannot be closed, retrying: {error}");
        }
        Health::LeftUnrecorded(outcomes) => tracing::error!(
            outcomes,
            "leaving before these outcomes were recorded, or known to be claimed: their executions become lost"
        ),
    }
}

/// What became of single fires and runs.
fn say_ending(ending: Ending) {
    match ending {
        Ending::NotRun { task_key, status, scheduled_at, extra } => tracing::warn!(
            task.key = %task_key, scheduled_at = %instant(scheduled_at), %extra, "{status}"
        ),
        Ending::RunFailed { task_key, execution_id, trace_id, status, reason, retry_at } => {
            let retry_at = retry_at.map(instant);
            tracing::error!(
                task.key = %task_key, execution.id = execution_id, %trace_id, retry_at,
                "{status}: {reason}"
            );
        }
        Ending::OutcomeDiscarded { execution_id, status } => tracing::warn!(
            execution.id = execution_id,
            "the outcome {status} is discarded: the execution was closed by somebody else"
        ),
        Ending::Lost { execution_id, task_id, node_id, is_retried } => tracing::warn!(
            execution.id = execution_id,
            task.id = task_id,
            is_retried,
            node.id = node_id.as_deref().unwrap_or("unknown"),
            "lost: its node did not renew its lease"
        ),
    }
}

fn next_instant(next: Option<DateTime<Utc>>) -> String {
    next.map_or_else(|| "never".to_owned(), instant)
}
