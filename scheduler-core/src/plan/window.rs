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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::trigger::{Anchor, CronDialect, Parser, TriggerKind, Zone};

    const GRACE: Duration = Duration::from_secs(60);

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    #[track_caller]
    fn check(kind: TriggerKind, spec: &str, facts: Facts, expected: DateTime<Utc>) {
        let anchor = Anchor { created_at: at(0), updated_at: facts.edited_at };
        let mut parser = Parser::new(CronDialect::Standard);
        let trigger = parser.parse(kind, spec, &Zone::utc(), anchor).expect("the spec parses");
        assert_eq!(opens(&trigger, facts, GRACE), expected, "{kind} {spec} {facts:?}");
    }

    fn facts(edited: i64, adopted: i64, last: Option<i64>) -> Facts {
        Facts {
            edited_at: at(edited),
            adopted_at: at(adopted),
            last_accounted: last.map(at),
            is_new_spec: false,
        }
    }

    #[test]
    fn the_latest_of_edit_adoption_and_last_fire_opens_it() {
        check(TriggerKind::Interval, "5", facts(100, 200, None), at(200));
        check(TriggerKind::Interval, "5", facts(300, 200, None), at(300));
        check(TriggerKind::Cron, "* * * * *", facts(300, 200, Some(400)), at(400));
        check(TriggerKind::Cron, "* * * * *", facts(300, 200, Some(250)), at(300));
    }

    #[test]
    fn a_date_opens_a_grace_earlier_but_never_before_its_last_fire() {
        let just_before = at(240) - TimeDelta::milliseconds(1);
        check(TriggerKind::Date, "1970-01-01 00:10:00", facts(300, 200, None), just_before);
        check(TriggerKind::Date, "1970-01-01 00:10:00", facts(300, 200, Some(280)), at(280));
    }

    #[test]
    fn a_now_that_ran_never_opens_again_unless_it_was_just_written() {
        let never = DateTime::<Utc>::MAX_UTC;
        check(TriggerKind::Date, "now", facts(300, 200, Some(100)), never);
        let new = Facts { is_new_spec: true, ..facts(300, 200, Some(100)) };
        check(TriggerKind::Date, "now", new, at(240) - TimeDelta::milliseconds(1));
    }
}
