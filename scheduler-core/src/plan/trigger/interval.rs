//! Intervals: the instants `created_at + k · interval` for k of 1 or more.
//!
//! They hang on the row's creation, never on a run or a start of a process, so every node finds the
//! same ones and a slow run shifts nothing. Zones play no part: an hour is 3,600 s on any day.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Anchor, TriggerError};
use crate::plan::duration;

/// 100 years of 365.25 days. What is longer is a slip of the pen.
const LONGEST_MS: u128 = 3_155_760_000 * 1_000;

/// An interval and the instant from which it counts, both in whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntervalTrigger {
    created_ms: i64,
    every_ms: i64,
}

impl IntervalTrigger {
    /// Parses whole seconds (`90`) or a duration (`90s`, `1h30m`, `250ms`), 1 ms to 100 years.
    ///
    /// # Errors
    /// [`TriggerError::Interval`] when the spec is neither, [`TriggerError::IntervalRange`] when it is
    /// a duration that is zero, too long or not in whole milliseconds.
    pub(super) fn parse(spec: &str, anchor: Anchor) -> Result<Self, TriggerError> {
        let text = spec.trim_ascii();
        let is_bare = text.bytes().all(|byte| byte.is_ascii_digit());
        let every = duration::parse(text)
            .filter(|every| !(is_bare && every.is_zero()))
            .ok_or_else(|| TriggerError::interval(spec))?;
        let whole = every.subsec_nanos() % 1_000_000 == 0;
        let in_range = (1..=LONGEST_MS).contains(&every.as_millis());
        match i64::try_from(every.as_millis()) {
            Ok(every_ms) if whole && in_range => {
                Ok(IntervalTrigger { created_ms: anchor.created_at.timestamp_millis(), every_ms })
            }
            _ => Err(TriggerError::interval_range(spec)),
        }
    }

    /// The time from one instant to the next.
    pub fn every(&self) -> Duration {
        Duration::from_millis(self.every_ms.unsigned_abs())
    }

    pub(super) fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.instant(self.passed(after) + 1)
    }

    pub(super) fn last_until(&self, until: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let passed = self.passed(until);
        if passed == 0 { None } else { self.instant(passed) }
    }

    pub(super) fn count(&self, after: DateTime<Utc>, until: DateTime<Utc>) -> u64 {
        let passed = self.passed(until).saturating_sub(self.passed(after));
        u64::try_from(passed).unwrap_or(0)
    }

    /// The k of the newest instant at or before `at`; 0 before the first. Cannot overflow: both
    /// instants are chrono's, whose range in milliseconds is a thousandth of an i64's.
    fn passed(&self, at: DateTime<Utc>) -> i64 {
        (at.timestamp_millis() - self.created_ms).div_euclid(self.every_ms).max(0)
    }

    fn instant(&self, k: i64) -> Option<DateTime<Utc>> {
        let since = k.checked_mul(self.every_ms)?;
        DateTime::from_timestamp_millis(self.created_ms.checked_add(since)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchor() -> Anchor {
        let created_at = "2026-01-01T00:00:00Z".parse().unwrap();
        Anchor { created_at, updated_at: "2026-06-01T00:00:00Z".parse().unwrap() }
    }

    fn parse(spec: &str) -> Result<IntervalTrigger, TriggerError> {
        IntervalTrigger::parse(spec, anchor())
    }

    #[test]
    fn an_interval_is_whole_seconds_or_a_duration() {
        #[track_caller]
        fn check(spec: &str, millis: u64) {
            assert_eq!(
                parse(spec).map(|interval| interval.every()),
                Ok(Duration::from_millis(millis))
            );
        }
        check("1", 1_000);
        check("90", 90_000);
        check(" 5 ", 5_000);
        check("5\n", 5_000);
        check("007", 7_000);
        check("3155760000", 3_155_760_000_000);
        check("1ms", 1);
        check("250ms", 250);
        check("90s", 90_000);
        check("1h30m", 5_400_000);
        check("1h 30m", 5_400_000);
        check("2 hours", 7_200_000);
        check("1.5h", 5_400_000);
        check("1000us", 1);
        check("100y", 3_155_760_000_000);
        check("3155760000000ms", 3_155_760_000_000);
    }

    #[test]
    fn what_is_no_interval_is_refused() {
        #[track_caller]
        fn check(spec: &str) {
            assert_eq!(parse(spec), Err(TriggerError::interval(spec)));
        }
        for spec in ["", " ", "0", "00", "-5", "+5", "5.5", "1e3", "9e99", "NaN", "inf", "5 5"] {
            check(spec);
        }
        for spec in [
            "٥", "５", "5s５", "1_000", "1,000", "0x10", "s", "5x", "5 s x", "-5s", "1h-30m", "5s;",
        ] {
            check(spec);
        }
        check("18446744073709551616");
        check("1000000000000000000000000000000");
        check("18446744073709551615s 1000ms");
        check("584542046090y 18446744073709551615s 1000ms");
        assert_eq!(
            parse("-5").unwrap_err().to_string(),
            r#"spec "-5" is not an interval, expected whole seconds of 1 or more, or a duration such as 90s, 1h30m, 250ms"#
        );
    }

    #[test]
    fn an_interval_out_of_range_is_refused() {
        #[track_caller]
        fn check(spec: &str) {
            assert_eq!(parse(spec), Err(TriggerError::interval_range(spec)));
        }
        for spec in ["3155760001", "9223372036854775808", "18446744073709551615"] {
            check(spec);
        }
        for spec in ["0s", "0ms", "999us", "1001us", "1ns", "100y 1ms", "18446744073709551615s"] {
            check(spec);
        }
        assert_eq!(
            parse("0s").unwrap_err().to_string(),
            r#"spec "0s" is out of range, expected whole milliseconds from 1 ms to 100 years"#
        );
    }

    #[test]
    fn instants_count_from_the_creation_of_the_row() {
        let minute = parse("60").unwrap();
        let next = |at: &str| minute.next_after(at.parse().unwrap()).unwrap().to_rfc3339();
        let last = |at: &str| minute.last_until(at.parse().unwrap()).map(|at| at.to_rfc3339());
        assert_eq!(next("2020-01-01T00:00:00Z"), "2026-01-01T00:01:00+00:00");
        assert_eq!(next("2026-01-01T00:00:00Z"), "2026-01-01T00:01:00+00:00");
        assert_eq!(next("2026-01-01T00:00:59.999999Z"), "2026-01-01T00:01:00+00:00");
        assert_eq!(next("2026-01-01T00:01:00Z"), "2026-01-01T00:02:00+00:00");
        assert_eq!(next("2026-01-01T00:01:00.000001Z"), "2026-01-01T00:02:00+00:00");
        assert_eq!(last("2026-01-01T00:00:59.999Z"), None);
        assert_eq!(last("2026-01-01T00:01:00Z"), Some("2026-01-01T00:01:00+00:00".to_owned()));
        assert_eq!(last("2026-01-01T00:01:59.999Z"), Some("2026-01-01T00:01:00+00:00".to_owned()));
    }

    #[test]
    fn counting_agrees_with_stepping_and_survives_any_gap() {
        let tick = parse("7s").unwrap();
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert_eq!(tick.count(at("2025-01-01T00:00:00Z"), at("2026-01-01T00:00:06Z")), 0);
        assert_eq!(tick.count(at("2025-01-01T00:00:00Z"), at("2026-01-01T00:00:07Z")), 1);
        assert_eq!(tick.count(at("2026-01-01T00:00:07Z"), at("2026-01-01T00:00:21Z")), 2);
        assert_eq!(tick.count(at("2026-01-01T00:00:21Z"), at("2026-01-01T00:00:07Z")), 0);
        let all = parse("1ms").unwrap().count(DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
        assert!(all > 8_000_000_000_000_000);
        assert_eq!(tick.next_after(DateTime::<Utc>::MAX_UTC), None);
        assert_eq!(tick.last_until(DateTime::<Utc>::MIN_UTC), None);
    }
}
