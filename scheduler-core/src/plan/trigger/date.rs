//! Dates: one instant, written as local time, as RFC 3339, or as `now`.
//!
//! Whether a date that has passed still runs is not decided here; it is the same instant for ever.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use jiff::civil;

use super::{Anchor, TriggerError, Zone};

/// One instant in whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTrigger {
    at: DateTime<Utc>,
    is_now: bool,
}

impl DateTrigger {
    /// Parses `YYYY-MM-DD HH:MM:SS` in the zone (`T` may stand for the blank), the same with a
    /// fraction and an offset as in RFC 3339, or `now`, which means the row's last edit. A local time
    /// in a gap means the first instant after the gap, one in an overlap the earlier of the two. Years
    /// run from 0001 to 9999; fractions are cut to milliseconds.
    ///
    /// # Errors
    /// [`TriggerError::Date`] for every other text and for dates that do not exist.
    pub(super) fn parse(spec: &str, zone: &Zone, anchor: Anchor) -> Result<Self, TriggerError> {
        let text = spec.trim_ascii();
        let is_now = text == "now";
        let at = if is_now { Some(anchor.updated_at) } else { instant(text, zone) };
        let whole = at.and_then(|at| DateTime::from_timestamp_millis(at.timestamp_millis()));
        whole.map(|at| DateTrigger { at, is_now }).ok_or_else(|| TriggerError::date(spec))
    }

    /// Whether the spec is `now`, so that the instant moves with every edit of the row.
    pub fn is_now(&self) -> bool {
        self.is_now
    }

    /// The instant.
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }

    pub(super) fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        Some(self.at).filter(|at| *at > after)
    }

    pub(super) fn last_until(&self, until: DateTime<Utc>) -> Option<DateTime<Utc>> {
        Some(self.at).filter(|at| *at <= until)
    }

    pub(super) fn count(&self, after: DateTime<Utc>, until: DateTime<Utc>) -> u64 {
        u64::from(after < self.at && self.at <= until)
    }
}

impl Zone {
    /// The instant of a time as a `date` writes it, `now` left out.
    ///
    /// ```
    /// use scheduler_core::plan::trigger::Zone;
    ///
    /// let london = Zone::named("Europe/London").unwrap();
    /// assert_eq!(london.instant("2026-07-01T18:00:00").unwrap().to_rfc3339(), "2026-07-01T17:00:00+00:00");
    /// ```
    #[must_use]
    pub fn instant(&self, text: &str) -> Option<DateTime<Utc>> {
        instant(text, self)
    }
}

fn instant(text: &str, zone: &Zone) -> Option<DateTime<Utc>> {
    let (local, rest) = text.split_at_checked("YYYY-MM-DD HH:MM:SS".len())?;
    let civil = civil_time(local)?;
    if rest.is_empty() {
        return DateTime::from_timestamp(zone.place(civil), 0);
    }
    let (millis, rest) = fraction(rest)?;
    let offset_minutes = offset_minutes(rest)?;
    let date = NaiveDate::from_ymd_opt(
        civil.year().into(),
        u32::from(civil.month().unsigned_abs()),
        u32::from(civil.day().unsigned_abs()),
    )?;
    let midnight = date.and_hms_opt(0, 0, 0)?.and_utc();
    let of_day = civil.time().duration_since(civil::Time::midnight()).as_secs();
    Some(
        midnight + TimeDelta::milliseconds(of_day * 1_000 + millis)
            - TimeDelta::minutes(offset_minutes),
    )
}

/// `YYYY-MM-DD HH:MM:SS` to the letter. Refuses the year 0000, 24:00:00 and a second 60.
fn civil_time(text: &str) -> Option<civil::DateTime> {
    let shape = text.bytes().enumerate().all(|(place, byte)| match place {
        4 | 7 => byte == b'-',
        10 => byte == b' ' || byte == b'T',
        13 | 16 => byte == b':',
        _ => byte.is_ascii_digit(),
    });
    let year = text.get(..4).filter(|_| shape)?.parse().ok().filter(|year| *year > 0)?;
    let two = |at: usize| text.get(at..at + 2)?.parse::<i8>().ok();
    civil::DateTime::new(year, two(5)?, two(8)?, two(11)?, two(14)?, two(17)?, 0).ok()
}

/// A fraction of a second, `.` and 1 to 9 digits, as milliseconds; 0 when there is none.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(digits) = text.strip_prefix('.') else {
        return Some((0, text));
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).filter(|end| (1..=9).contains(end))?;
    let millis: i64 = format!("{:0<3}", &digits[..end]).get(..3)?.parse().ok()?;
    Some((millis, &digits[end..]))
}

/// `Z`, or `+HH:MM` or `-HH:MM` up to 23:59, as minutes east of UTC.
fn offset_minutes(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let sign = match text.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let number = |text: &str, limit: i64| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|number| digits && *number <= limit)
    };
    Some(sign * (number(hours, 23)? * 60 + number(minutes, 59)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(spec: &str, zone: &str) -> Result<DateTrigger, TriggerError> {
        let anchor = Anchor {
            created_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            updated_at: "2026-06-01T12:00:00.250900Z".parse().unwrap(),
        };
        DateTrigger::parse(spec, &Zone::named(zone).unwrap(), anchor)
    }

    #[track_caller]
    fn check(spec: &str, zone: &str, instant: &str) {
        let at = parse(spec, zone).map(|date| date.at().to_rfc3339());
        assert_eq!(at, Ok(instant.replace('Z', "+00:00")));
    }

    #[test]
    fn a_local_time_is_read_in_the_zone() {
        check("2026-07-01 12:00:00", "UTC", "2026-07-01T12:00:00Z");
        check("2026-07-01T12:00:00", "Europe/London", "2026-07-01T11:00:00Z");
        check(" 2026-07-01 12:00:00\n", "Asia/Shanghai", "2026-07-01T04:00:00Z");
        check("2038-01-20 00:00:00", "UTC", "2038-01-20T00:00:00Z");
        check("2024-02-29 23:59:59", "UTC", "2024-02-29T23:59:59Z");
        check("0001-01-01 00:00:00", "UTC", "0001-01-01T00:00:00Z");
        check("9999-12-31 23:59:59", "UTC", "9999-12-31T23:59:59Z");
        check("9999-12-31 23:59:59", "America/Caracas", "+10000-01-01T03:59:59Z");
    }

    #[test]
    fn a_time_in_a_gap_means_the_first_instant_after_it_and_in_an_overlap_the_earlier() {
        check("2026-03-29 01:30:00", "Europe/London", "2026-03-29T01:00:00Z");
        check("2026-10-25 01:30:00", "Europe/London", "2026-10-25T00:30:00Z");
    }

    #[test]
    fn an_offset_overrules_the_zone() {
        check("2026-07-01T12:00:00Z", "Asia/Shanghai", "2026-07-01T12:00:00Z");
        check("2026-07-01T12:00:00+02:00", "Asia/Shanghai", "2026-07-01T10:00:00Z");
        check("2026-07-01 12:00:00-09:30", "Asia/Shanghai", "2026-07-01T21:30:00Z");
        check("2026-07-01T12:00:00.25Z", "UTC", "2026-07-01T12:00:00.250Z");
        check("2026-07-01T12:00:00.999999999+00:00", "UTC", "2026-07-01T12:00:00.999Z");
        check("2026-01-01T00:00:00+23:59", "UTC", "2025-12-31T00:01:00Z");
    }

    #[test]
    fn now_means_the_last_edit_of_the_row() {
        check("now", "Asia/Shanghai", "2026-06-01T12:00:00.250Z");
        check(" now ", "UTC", "2026-06-01T12:00:00.250Z");
    }

    #[track_caller]
    fn refuse(specs: &[&str]) {
        for spec in specs {
            assert_eq!(parse(spec, "UTC"), Err(TriggerError::date(spec)));
        }
    }

    #[test]
    fn a_date_that_does_not_exist_is_refused() {
        refuse(&["2020-13-01 00:00:00", "2020-00-01 00:00:00"]);
        refuse(&["2020-01-00 00:00:00", "2020-01-32 00:00:00"]);
        refuse(&["2025-02-29 00:00:00", "2100-02-29 00:00:00"]);
        refuse(&["0000-01-01 00:00:00", "10000-01-01 00:00:00"]);
        refuse(&["2026-07-01 24:00:00", "2026-07-01 12:60:00"]);
        refuse(&["2026-07-01 12:00:60", "2016-12-31T23:59:60Z"]);
    }

    #[test]
    fn a_text_that_is_no_date_is_refused() {
        refuse(&["", " ", "Now", "tomorrow", "1767225600", "2026-07-01", "2026-07-01 12:00"]);
        refuse(&["2026-7-1 12:00:00", "2026/07/01 12:00:00", "2026-07-01  12:00:00"]);
        refuse(&["2026-07-01t12:00:00", "２026-07-01 12:00:00", "２6-07-01 12:00:00"]);
        refuse(&["+026-07-01 12:00:00", "2026-+7-01 12:00:00", "2026-07-01 12:00:00é"]);
        assert_eq!(
            parse("2020-13-01", "UTC").unwrap_err().to_string(),
            r#"spec "2020-13-01" is not a date, expected YYYY-MM-DD HH:MM:SS, RFC 3339 or now"#
        );
    }

    #[test]
    fn trailing_text_is_refused() {
        #[track_caller]
        fn check(rests: &[&str]) {
            for rest in rests {
                refuse(&[&format!("2026-07-01 12:00:00{rest}")]);
            }
        }
        check(&["x", " UTC", "z", "Z ;", "\0", "[Europe/London]", "+02:00[Europe/Paris]"]);
        check(&["+2", "+0200", "+24:00", "+02:60", "+02:0", "++1:00"]);
        check(&[".", ".5", ".Z", ".x1Z", ".0123456789Z"]);
    }

    #[test]
    fn a_date_is_one_instant() {
        let date = parse("2026-07-01 12:00:00", "UTC").unwrap();
        let (at, ms) = (date.at(), TimeDelta::milliseconds(1));
        assert_eq!(date.next_after(at - ms), Some(at));
        assert_eq!(date.next_after(at), None);
        assert_eq!(date.last_until(at), Some(at));
        assert_eq!(date.last_until(at - ms), None);
        assert_eq!(date.count(at - ms, at), 1);
        assert_eq!(date.count(at, at + ms), 0);
        assert_eq!(date.count(at - ms - ms, at - ms), 0);
    }
}
