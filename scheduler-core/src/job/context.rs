//! What a job knows about the run it is in.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

/// Which execution a job runs as, and whether it has been asked to stop. Clones are cheap.
#[derive(Debug, Clone)]
pub struct Context {
    parts: ContextParts,
}

/// What a [`Context`] is made of. The runtime fills in every field.
///
/// The default is for tests of jobs: execution 1 of task 1, first attempt, scheduled at the epoch.
///
/// ```
/// use scheduler_core::job::{Context, ContextParts};
///
/// let ctx = Context::new(ContextParts { execution_id: 7, ..ContextParts::default() });
/// assert_eq!(ctx.sub_task_id(), 7);
/// ```
#[derive(Debug, Clone)]
pub struct ContextParts {
    /// `task.id`.
    pub task_id: i64,
    /// `execute_task.id`.
    pub execution_id: i64,
    /// `execute_task.trace_id`.
    pub trace_id: Arc<str>,
    /// The instant at which the task was due.
    pub scheduled_at: DateTime<Utc>,
    /// 1 for the first run of a fire.
    pub attempt: u32,
    /// Cancelled when the run shall stop.
    pub cancellation: CancellationToken,
}

impl Default for ContextParts {
    fn default() -> Self {
        Self {
            task_id: 1,
            execution_id: 1,
            trace_id: Arc::from("trace-of-a-test"),
            scheduled_at: DateTime::UNIX_EPOCH,
            attempt: 1,
            cancellation: CancellationToken::new(),
        }
    }
}

impl Context {
    /// A context of these parts.
    pub fn new(parts: ContextParts) -> Self {
        Self { parts }
    }

    /// The id of this execution, `execute_task.id`.
    pub fn sub_task_id(&self) -> i64 {
        self.parts.execution_id
    }

    /// The id of the task that is due, `task.id`.
    pub fn task_id(&self) -> i64 {
        self.parts.task_id
    }

    /// The trace id of this execution, also in its row and in its log lines.
    pub fn trace_id(&self) -> &str {
        &self.parts.trace_id
    }

    /// The instant at which this run was due, which is not later than the one at which it started.
    pub fn scheduled_at(&self) -> DateTime<Utc> {
        self.parts.scheduled_at
    }

    /// How often this fire has been started, this time included: 1 for the first run.
    pub fn attempt(&self) -> u32 {
        self.parts.attempt
    }

    /// `task_id:scheduled_at` with the instant in epoch milliseconds: the same for every attempt at
    /// one fire, different for every other fire.
    ///
    /// Give it to a service that accepts such a key, so that a repeated run has no second effect.
    pub fn idempotency_key(&self) -> String {
        let task_id = self.parts.task_id;
        let scheduled_at_ms = self.parts.scheduled_at.timestamp_millis();
        format!("{task_id}:{scheduled_at_ms}")
    }

    /// Whether this run has been asked to stop. Once true, it stays true.
    pub fn is_cancelled(&self) -> bool {
        self.parts.cancellation.is_cancelled()
    }

    /// Returns once this run has been asked to stop, at once if it already has.
    ///
    /// May be dropped at any time, so it fits into `tokio::select!`.
    pub async fn cancelled(&self) {
        self.parts.cancellation.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(task_id: i64, scheduled_at_ms: i64, attempt: u32) -> ContextParts {
        ContextParts {
            task_id,
            attempt,
            scheduled_at: DateTime::from_timestamp_millis(scheduled_at_ms).unwrap(),
            ..ContextParts::default()
        }
    }

    #[test]
    fn a_context_answers_with_its_parts() {
        let context = Context::new(ContextParts {
            execution_id: 812,
            trace_id: Arc::from("0199"),
            ..parts(3, 1_587_722_880_000, 2)
        });
        assert_eq!(context.sub_task_id(), 812);
        assert_eq!(context.task_id(), 3);
        assert_eq!(context.trace_id(), "0199");
        assert_eq!(context.attempt(), 2);
        assert_eq!(context.scheduled_at().to_rfc3339(), "2020-04-24T10:08:00+00:00");
    }

    #[test]
    fn the_idempotency_key_is_one_per_fire_whatever_the_attempt() {
        let key = |parts| Context::new(parts).idempotency_key();
        assert_eq!(key(parts(3, 1_587_722_880_250, 1)), "3:1587722880250");
        assert_eq!(key(parts(3, 1_587_722_880_250, 2)), "3:1587722880250");
        assert_eq!(key(parts(4, 1_587_722_880_250, 1)), "4:1587722880250");
        assert_eq!(key(parts(3, 1_587_722_880_251, 1)), "3:1587722880251");
    }

    #[tokio::test]
    async fn a_cancelled_run_sees_it_in_every_clone() {
        let parts = ContextParts::default();
        let stop = parts.cancellation.clone();
        let context = Context::new(parts);
        let clone = context.clone();
        assert!(!clone.is_cancelled());
        stop.cancel();
        assert!(context.is_cancelled());
        clone.cancelled().await;
    }
}
