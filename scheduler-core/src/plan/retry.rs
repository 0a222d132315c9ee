//! Whether and when a run that did not succeed is tried again.
//!
//! ```text
//!   attempt n ended ──── wait(n) ────▶ attempt n + 1        wait(n) = min(from · 2ⁿ⁻¹, to), and up to 10 % more
//! ```
//!
//! A retry is an execution of its own: the same `scheduled_at`, the next `attempt`. It waits in a table, written in
//! the transaction that records why it is needed, so that no crash loses it and none doubles it.
//!
//! ```
//! use std::time::Duration;
//! use scheduler_core::plan::task::Backoff;
//!
//! let backoff = Backoff { from: Duration::from_secs(10), to: Duration::from_secs(60) };
//! let secs = |attempt| backoff.wait(attempt, "trace").as_secs_f64();
//! assert!((10.0..=11.0).contains(&secs(1)));
//! assert!((40.0..=44.0).contains(&secs(3)));
//! assert!((60.0..=66.0).contains(&secs(4)));
//! ```

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    execution::extra_of_reason,
    hash::fnv1a,
    notes::{Notes, with_notes},
    task::{Backoff, OnLost, Policy},
};

/// A run that is to be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The fire's instant, which stays.
    pub scheduled_at: DateTime<Utc>,
    /// Of the new run, 2 or more.
    pub attempt: u32,
    /// When it may begin.
    pub due_at: DateTime<Utc>,
}

/// A run that ended without success.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The fire's instant.
    pub scheduled_at: DateTime<Utc>,
    /// 1 for the first run.
    pub number: u32,
    /// Of the run that ended.
    pub trace_id: &'a str,
}

/// Why a run did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It returned an error, panicked, or ran into its time-out.
    Failed,
    /// Its node died or was stopped before it had ended.
    Interrupted,
    /// Somebody wanted it to end.
    Cancelled,
    /// It waited for its turn, as a manual run or a retry, and its node was stopped before it began.
    NeverBegan,
}

/// How often an interrupted run is tried again where `on_lost = "retry"` comes without `retries`.
const DEFAULT_ON_LOST: u32 = 3;

/// The key of an open execution's `extra` that says how often it is tried again when it gets lost. It stands in the
/// row, since whoever finds the dead node need not know the job.
pub const RETRIES_ON_LOST: &str = "retries_on_lost";

impl Policy {
    /// Up to which attempt a run that ended so is followed by another.
    #[must_use]
    pub fn retries_after(&self, cause: Cause) -> u32 {
        match (cause, self.on_lost) {
            (Cause::Failed, _) => self.retries.unwrap_or(0),
            (Cause::Cancelled, _) | (Cause::Interrupted, OnLost::Leave) => 0,
            (Cause::Interrupted, OnLost::Retry) => self.retries.unwrap_or(DEFAULT_ON_LOST),
            (Cause::NeverBegan, _) => u32::MAX,
        }
    }

    /// What follows `attempt`, which ended at `ended_at`; `None`: nothing. After an interruption it is due at once.
    #[must_use]
    pub fn retry(
        &self,
        cause: Cause,
        attempt: Attempt<'_>,
        ended_at: DateTime<Utc>,
    ) -> Option<Retry> {
        if attempt.number > self.retries_after(cause) {
            return None;
        }
        let wait = match cause {
            Cause::Failed => self.backoff.wait(attempt.number, attempt.trace_id),
            Cause::Cancelled | Cause::Interrupted | Cause::NeverBegan => Duration::ZERO,
        };
        Some(Retry {
            scheduled_at: attempt.scheduled_at,
            attempt: attempt.number.checked_add(1)?,
            due_at: ended_at.checked_add_signed(TimeDelta::from_std(wait).ok()?)?,
        })
    }

    /// The `extra` of an execution that is claimed under this policy.
    #[must_use]
    pub fn extra_at_claim(&self) -> String {
        match self.retries_after(Cause::Interrupted) {
            0 => "{}".to_owned(),
            retries => serde_json::json!({ RETRIES_ON_LOST: retries }).to_string(),
        }
    }
}

/// Whether the open execution with this `extra` and `attempt` is tried again when its node is dead.
#[must_use]
pub fn is_wanted_when_lost(extra: &str, attempt: i64) -> bool {
    let extra: Option<serde_json::Value> = serde_json::from_str(extra).ok();
    let retries = extra.and_then(|extra| extra.get(RETRIES_ON_LOST)?.as_i64()).unwrap_or(0);
    attempt <= retries
}

/// Why an execution is lost whose node did not renew its lease.
#[must_use]
pub fn reason_when_lost(lease: Duration) -> String {
    format!("the node did not renew its lease for {} s", lease.as_secs_f64())
}

/// The `extra` of an open execution when it is found lost: why, when it is tried again, and what its job noted.
#[must_use]
pub fn extra_when_lost(extra: &str, reason: &str, retry_at: Option<DateTime<Utc>>) -> String {
    let mut notes: Notes = serde_json::from_str(extra).unwrap_or_default();
    notes.remove(RETRIES_ON_LOST);
    with_notes(&extra_of_reason(reason, retry_at), notes)
}

impl Backoff {
    /// How long after the end of `attempt` (1 for the first run) the next one begins, in whole milliseconds.
    ///
    /// Up to a tenth is added, taken from the trace id of the run that ended: runs that failed together come back one
    /// after the other, never earlier than promised, and every node finds the same instant.
    #[must_use]
    pub fn wait(&self, attempt: u32, trace_id: &str) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        let wait = self.from.saturating_mul(1 << doublings).min(self.to);
        let wait_ms = wait.as_millis();
        let jitter_ms = u128::from(fnv1a(trace_id)) % (wait_ms / 10 + 1);
        Duration::from_millis(u64::try_from(wait_ms + jitter_ms).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn policy(retries: Option<u32>, on_lost: OnLost) -> Policy {
        let backoff = Backoff { from: 10 * SECOND, to: 60 * SECOND };
        Policy { retries, on_lost, backoff, ..Policy::default() }
    }

    const ENDED_AT: DateTime<Utc> = DateTime::<Utc>::MIN_UTC;

    fn retry(policy: Policy, cause: Cause, number: u32) -> Option<Retry> {
        let attempt = Attempt { scheduled_at: DateTime::UNIX_EPOCH, number, trace_id: "a" };
        policy.retry(cause, attempt, ENDED_AT)
    }

    #[track_caller]
    fn check_wait(attempt: u32, from_ms: u128, to_ms: u128) {
        for trace_id in ["", "a", "b", "0199c0ffee"] {
            let wait = policy(None, OnLost::Leave).backoff.wait(attempt, trace_id).as_millis();
            assert!((from_ms..=to_ms).contains(&wait), "attempt {attempt}: {wait} ms");
        }
    }

    #[test]
    fn a_wait_doubles_up_to_its_limit_and_grows_by_a_tenth_at_most() {
        check_wait(1, 10_000, 11_000);
        check_wait(2, 20_000, 22_000);
        check_wait(3, 40_000, 44_000);
        check_wait(4, 60_000, 66_000);
        check_wait(u32::MAX, 60_000, 66_000);
    }

    #[test]
    fn runs_that_failed_together_come_back_one_after_the_other_and_the_same_on_every_node() {
        let backoff = policy(None, OnLost::Leave).backoff;
        let waits: std::collections::BTreeSet<_> =
            (0..100).map(|run| backoff.wait(1, &format!("trace{run}"))).collect();
        assert!(waits.len() > 80, "{} different waits of 100", waits.len());
        assert_eq!(backoff.wait(1, "a"), backoff.wait(1, "a"));
    }

    #[test]
    fn a_failure_is_retried_up_to_its_retries_and_not_beyond() {
        let retry = |policy, number| retry(policy, Cause::Failed, number);
        assert_eq!(retry(policy(None, OnLost::Leave), 1), None);
        assert_eq!(retry(policy(Some(0), OnLost::Retry), 1), None);
        let two = policy(Some(2), OnLost::Leave);
        let is_after = |retry: Option<Retry>, secs| {
            retry.is_some_and(|retry| retry.due_at >= ENDED_AT + TimeDelta::seconds(secs))
        };
        assert!(is_after(retry(two, 1), 10));
        assert!(is_after(retry(two, 2), 20));
        assert_eq!(retry(two, 3), None);
    }

    #[test]
    fn after_the_last_attempt_that_can_be_counted_there_is_none() {
        let never = policy(None, OnLost::Leave);
        assert!(retry(never, Cause::NeverBegan, u32::MAX - 1).is_some());
        assert_eq!(retry(never, Cause::NeverBegan, u32::MAX), None);
    }

    #[test]
    fn an_interruption_is_retried_at_once_where_the_job_asked_for_it() {
        let retry = |policy, number| retry(policy, Cause::Interrupted, number);
        let at_once =
            |attempt| Some(Retry { scheduled_at: DateTime::UNIX_EPOCH, attempt, due_at: ENDED_AT });
        assert_eq!(retry(policy(Some(5), OnLost::Leave), 1), None);
        assert_eq!(retry(policy(None, OnLost::Retry), 3), at_once(4));
        assert_eq!(retry(policy(None, OnLost::Retry), 4), None);
        assert_eq!(retry(policy(Some(1), OnLost::Retry), 1), at_once(2));
        assert_eq!(retry(policy(Some(1), OnLost::Retry), 2), None);
    }

    #[test]
    fn the_row_of_a_claim_says_how_often_it_is_retried_when_lost() {
        assert_eq!(policy(Some(5), OnLost::Leave).extra_at_claim(), "{}");
        let extra = policy(Some(5), OnLost::Retry).extra_at_claim();
        assert!(is_wanted_when_lost(&extra, 5));
        assert!(!is_wanted_when_lost(&extra, 6));
        for other in ["", "{}", "not json", "[]", "{\"retries_on_lost\": \"9\"}"] {
            assert!(!is_wanted_when_lost(other, 1), "{other}");
        }
    }

    #[test]
    fn a_lost_execution_keeps_what_its_job_noted() {
        let lost = |extra| extra_when_lost(extra, "why", None);
        assert_eq!(lost(r#"{"retries_on_lost":3,"sent":7}"#), r#"{"reason":"why","sent":7}"#);
        assert_eq!(lost("not json"), r#"{"reason":"why"}"#);
    }
}
