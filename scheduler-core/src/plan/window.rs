//! From when on a task's instants are accounted for.
//!
//! The window opens at the latest of the row's last edit, the adoption of the database and the last fire that
//! is accounted in `execute_task`. What lies before it was never promised; what lies in it is executed or
//! recorded with a reason.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::trigger::Trigger;

/// What the opening of a window depends on.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// The row's `update_at`.
    pub edited_at: DateTime<Utc>,
    /// When this database was first migrated.
    pub adopted_at: DateTime<Utc>,
    /// The newest `scheduled_at` of the task's executions that were not manual.
    pub last_accounted: Option<DateTime<Utc>>,
    /// Whether the spec was edited while the task lived: a `now` written just now is a new one.
    pub is_new_spec: bool,
}

/// The instant after which (exclusively) `trigger`'s instants count.
///
/// A `date` task has one instant, which people write a moment too late: one that lies at most
/// `misfire_grace` before the opening still counts, as it did in the original. A `now` task that was
/// accounted once is done for ever, since each edit of its row would otherwise move its instant.
#[must_use]
pub fn opens(trigger: &Trigger, facts: Facts, misfire_grace: Duration) -> DateTime<Utc> {
    let base = facts.edited_at.max(facts.adopted_at);
    let base = match trigger {
        Trigger::Date(date)
            if date.is_now() && facts.last_accounted.is_some() && !facts.is_new_spec =>
        {
            DateTime::<Utc>::MAX_UTC
        }
        Trigger::Date(_) => TimeDelta::from_std(misfire_grace + Duration::from_millis(1))
            .ok()
            .and_then(|grace| base.checked_sub_signed(grace))
            .unwrap_or(DateTime::<Utc>::MIN_UTC),
        Trigger::Cron(_) | Trigger::Interval(_) => base,
    };
    facts.last_accounted.map_or(base, |last| base.max(last))
}
