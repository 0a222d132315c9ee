//! Cron: patterns over civil time, placed in a zone as Debian's (Vixie) cron does it.
//!
//! croner finds matches in *civil* time, where every day has 24 hours. This file turns them into
//! instants, segment by segment (see [`super::zone`]), by one of two rules:
//!
//! - **fixed** (`30 1 * * *`): the job means a time of day and runs once for it. A match in a gap runs
//!   at the first instant after the gap, several in one gap together; a match in an overlap runs in
//!   its first pass only.
//! - **wildcard**, when minute or hour begins with `*` (`*/15 * * * *`): the job follows elapsed time.
//!   It runs at every real instant whose local time matches: not in a gap, twice in an overlap.
//!
//! The rule is that of `cron.c` and `entry.c` in Debian's cron 3.0pl1 (`MIN_STAR`, `HR_STAR`). croner
//! has one of its own, which takes lists for wildcards, so it never sees a zone here.
//!
//! Invariant: instants are whole seconds between the years 1 and 5000 and strictly increase.

use std::fmt;

use chrono::{DateTime, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

use super::field::{Field, Fields};
use super::zone::{Segment, civil_seconds, civil_time};
use super::{CronDialect, TriggerError, Zone};

const SECONDS_PER_DAY: i64 = 86_400;

/// 0001-01-02T00:00:00Z: what lies before is not searched. A day inside the year 1, since croner knows
/// no year 0 and local time may be a day behind.
const DAWN: i64 = -62_135_510_400;

/// 5000-01-01T00:00:00Z: no instant lies at or after it. croner's search ends with the year 5000.
const HORIZON: i64 = 95_617_584_000;

/// 2000-01-01T00:00:00: from here a new pattern must find its first match. Any day would do, the
/// calendar repeats every 400 years.
const PROBE: i64 = 946_684_800;

/// A cron pattern in a zone.
pub struct CronTrigger {
    spec: String,
    zone: Zone,
    cron: Cron,
    /// Follows elapsed time instead of the time of day.
    wildcard: bool,
    time_of_day: TimeOfDay,
}

impl CronTrigger {
    /// Parses a pattern of five fields, or six with seconds first, or a name such as `@daily`.
    ///
    /// # Errors
    /// As [`Parser::parse`](super::Parser::parse).
    pub fn parse(spec: &str, zone: &Zone, dialect: CronDialect) -> Result<Self, TriggerError> {
        let fields = Fields::parse(spec, dialect)?;
        let parser = CronParser::builder()
            .seconds(Seconds::Required)
            .year(Year::Disallowed)
            .dom_and_dow(fields.days_and)
            .build();
        let Ok(cron) = parser.parse(&fields.pattern()) else {
            return Err(blame(spec, &fields, &parser, dialect));
        };
        if cron.find_next_occurrence(&civil_time(PROBE), true).is_err() {
            return Err(TriggerError::never_fires(spec));
        }
        let time_of_day = TimeOfDay::of(&cron);
        let spec = spec.to_owned();
        Ok(CronTrigger {
            spec,
            zone: zone.clone(),
            cron,
            wildcard: fields.wildcard,
            time_of_day,
        })
    }

    pub(super) fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let after = after.timestamp().max(DAWN);
        let mut matches = Matches::new(&self.cron);
        let mut segment = self.zone.segment_at(after);
        while segment.start.is_none_or(|start| start < HORIZON) {
            if let Some(at) = self.first_in(&segment, after, &mut matches) {
                return instant(at);
            }
            segment = self.zone.segment_at(segment.end?);
        }
        None
    }

    pub(super) fn last_until(&self, until: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut until = until.timestamp().min(HORIZON - 1);
        let mut matches = Matches::new(&self.cron);
        while until >= DAWN {
            let segment = self.zone.segment_at(until);
            if let Some(at) = self.last_in(&segment, until, &mut matches) {
                return instant(at);
            }
            until = segment.start? - 1;
        }
        None
    }

    pub(super) fn count(&self, after: DateTime<Utc>, until: DateTime<Utc>) -> u64 {
        let mut from = after.timestamp().max(DAWN) + 1;
        let end = until.timestamp().min(HORIZON - 1) + 1;
        let mut count = 0;
        while from < end {
            let segment = self.zone.segment_at(from);
            let to = segment.end.map_or(end, |segment_end| segment_end.min(end));
            let first = self.first_civil(&segment).max(from + segment.offset);
            count += self.civil_count(first, to + segment.offset);
            count += u64::from(segment.start == Some(from) && self.lands_apart(&segment));
            from = to;
        }
        count
    }

    /// The first instant of the segment that is after `after`.
    fn first_in(&self, segment: &Segment, after: i64, matches: &mut Matches) -> Option<i64> {
        if let Some(start) = segment
            .start
            .filter(|start| *start > after && self.lands(segment))
        {
            return Some(start);
        }
        let from = self.first_civil(segment).max(after + 1 + segment.offset);
        let at = matches.next(from)? - segment.offset;
        segment.end.is_none_or(|end| at < end).then_some(at)
    }

    /// The last instant of the segment that is not after `until`, which lies within the segment.
    fn last_in(&self, segment: &Segment, until: i64, matches: &mut Matches) -> Option<i64> {
        let found = matches.previous(until + segment.offset);
        match found.filter(|civil| *civil >= self.first_civil(segment)) {
            Some(civil) => Some(civil - segment.offset),
            None => segment.start.filter(|_| self.lands(segment)),
        }
    }

    /// Where the civil time that counts in this segment begins. For a fixed job the second pass of an
    /// overlap does not count.
    fn first_civil(&self, segment: &Segment) -> i64 {
        let Some(start) = segment.start else {
            return i64::MIN;
        };
        let repeated = if self.wildcard {
            0
        } else {
            segment.before - segment.offset
        };
        start + segment.offset + repeated.max(0)
    }

    /// Whether a fixed job missed a match in the gap before this segment, and so runs at its start.
    fn lands(&self, segment: &Segment) -> bool {
        let Some(start) = segment.start.filter(|_| !self.wildcard) else {
            return false;
        };
        self.civil_count(start + segment.before, start + segment.offset) > 0
    }

    /// [`lands`](Self::lands), and the start of the segment is not a match of its own.
    fn lands_apart(&self, segment: &Segment) -> bool {
        let Some(start) = segment.start.filter(|_| self.lands(segment)) else {
            return false;
        };
        let civil = start + segment.offset;
        self.civil_count(civil, civil + 1) == 0
    }

    /// How many matches lie in [`from`, `to`) of civil time: whole days by multiplication, so that
    /// the cost is one look at the calendar per day.
    fn civil_count(&self, from: i64, to: i64) -> u64 {
        if from >= to {
            return 0;
        }
        let (first_day, last_day) = (
            from.div_euclid(SECONDS_PER_DAY),
            to.div_euclid(SECONDS_PER_DAY),
        );
        let count = |day: i64| {
            let midnight = day * SECONDS_PER_DAY;
            let until = self
                .time_of_day
                .before((to - midnight).min(SECONDS_PER_DAY));
            until - self.time_of_day.before((from - midnight).max(0))
        };
        // Asked in this order, a pattern for one minute a day looks at few calendar days in a gap.
        (first_day..=last_day)
            .map(|day| (day, count(day)))
            .filter(|(day, count)| *count > 0 && self.day_matches(*day))
            .map(|(_, count)| count)
            .sum()
    }

    fn day_matches(&self, day: i64) -> bool {
        let date = civil_time(day * SECONDS_PER_DAY).date();
        let [month, day] = [date.month(), date.day()].map(|part| u32::from(part.unsigned_abs()));
        let weekday = u32::from(date.weekday().to_sunday_zero_offset().unsigned_abs());
        let weekday = croner::Weekday::from_days_from_sunday(weekday);
        let pattern = &self.cron.pattern;
        // Neither can fail: the parts come from a real date.
        pattern.month_match(month).is_ok_and(|matches| matches)
            && pattern
                .day_match(date.year().into(), month, day, weekday)
                .is_ok_and(|matches| matches)
    }
}

impl fmt::Debug for CronTrigger {
    /// The spec and the zone; the parsed form fills pages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CronTrigger({:?} in {})", self.spec, self.zone.name())
    }
}

/// Finds the field at fault by reading each alone, the others being `*`.
fn blame(spec: &str, fields: &Fields, parser: &CronParser, dialect: CronDialect) -> TriggerError {
    let alone = |index: usize| {
        let mut pattern = ["*"; 6];
        pattern[index] = &fields.canonical[index];
        parser.parse(&pattern.join(" "))
    };
    let index = (0..6).find(|index| alone(*index).is_err());
    let index =
        index.expect("croner reads each field by itself, so one of them fails alone as well");
    let field = Field::ALL[index];
    TriggerError::field(
        spec,
        field.name(),
        &fields.written[index],
        field.expected(dialect),
    )
}

fn instant(at: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(at, 0).filter(|_| at < HORIZON)
}

/// croner's search in civil seconds, remembering its last answer: a pattern that matches once in 28
/// years is searched once, not once per segment.
struct Matches<'a> {
    cron: &'a Cron,
    next: Option<(i64, i64)>,
    previous: Option<(i64, i64)>,
}

impl<'a> Matches<'a> {
    fn new(cron: &'a Cron) -> Self {
        Matches {
            cron,
            next: None,
            previous: None,
        }
    }

    /// The first match at or after `from`.
    fn next(&mut self, from: i64) -> Option<i64> {
        if let Some((_, found)) = self
            .next
            .filter(|(asked, found)| (*asked..=*found).contains(&from))
        {
            return Some(found);
        }
        let found = self
            .cron
            .find_next_occurrence(&civil_time(from), true)
            .ok()?;
        let found = civil_seconds(found);
        self.next = Some((from, found));
        Some(found)
    }

    /// The last match at or before `until`.
    fn previous(&mut self, until: i64) -> Option<i64> {
        if let Some((_, found)) = self
            .previous
            .filter(|(asked, found)| (*found..=*asked).contains(&until))
        {
            return Some(found);
        }
        let found = self
            .cron
            .find_previous_occurrence(&civil_time(until), true)
            .ok()?;
        let found = civil_seconds(found);
        self.previous = Some((until, found));
        Some(found)
    }
}

/// The second, minute and hour fields as sets of bits.
struct TimeOfDay {
    hours: u64,
    minutes: u64,
    seconds: u64,
}

impl TimeOfDay {
    fn of(cron: &Cron) -> Self {
        let bits = |values: Vec<u16>| values.into_iter().fold(0, |bits, value| bits | 1 << value);
        TimeOfDay {
            hours: bits(cron.pattern.hours.values()),
            minutes: bits(cron.pattern.minutes.values()),
            seconds: bits(cron.pattern.seconds.values()),
        }
    }

    /// How many matching times of day come before this second of the day, 0 to 86,400.
    fn before(&self, second_of_day: i64) -> u64 {
        let (hour, minute, second) = (
            second_of_day / 3_600,
            second_of_day / 60 % 60,
            second_of_day % 60,
        );
        let below = |bits: u64, value: i64| u64::from((bits & ((1 << value) - 1)).count_ones());
        let has = |bits: u64, value: i64| bits >> value & 1;
        let per_minute = u64::from(self.seconds.count_ones());
        let per_hour = u64::from(self.minutes.count_ones()) * per_minute;
        let in_minute = has(self.minutes, minute) * below(self.seconds, second);
        let in_hour = below(self.minutes, minute) * per_minute + in_minute;
        below(self.hours, hour) * per_hour + has(self.hours, hour) * in_hour
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(spec: &str, zone: &str) -> CronTrigger {
        CronTrigger::parse(spec, &Zone::named(zone).unwrap(), CronDialect::Standard).unwrap()
    }

    fn refused(spec: &str, dialect: CronDialect) -> String {
        CronTrigger::parse(spec, &Zone::utc(), dialect)
            .unwrap_err()
            .to_string()
    }

    /// The local times of the instants after `after`, as many as are expected.
    #[track_caller]
    fn check(spec: &str, zone: &str, after: &str, expected: &[&str]) {
        let (trigger, zone) = (parse(spec, zone), Zone::named(zone).unwrap());
        let mut at: DateTime<Utc> = after.parse().unwrap();
        let start = at;
        for (index, expected) in expected.iter().enumerate() {
            let next = trigger.next_after(at).unwrap();
            assert_eq!(
                zone.to_local(next),
                *expected,
                "instant {index} of {spec:?}"
            );
            assert_eq!(trigger.last_until(next), Some(next));
            assert_eq!(trigger.count(start, next), index as u64 + 1);
            at = next;
        }
    }

    #[test]
    fn a_fixed_time_in_a_gap_runs_once_right_after_it() {
        let eve = "2026-03-28T12:00:00Z";
        let gap = ["2026-03-29T02:00:00+01:00", "2026-03-30T01:30:00+01:00"];
        check("30 1 * * *", "Europe/London", eve, &gap);
        // Two matches in the gap and one at its end are one instant.
        let collapsed = ["2026-03-29T02:00:00+01:00", "2026-03-30T01:10:00+01:00"];
        check("10,20 1 29,30 3 *", "Europe/London", eve, &collapsed);
        let meeting = ["2026-03-29T02:00:00+01:00", "2026-03-29T03:00:00+01:00"];
        check("0 1,2,3 29 3 *", "Europe/London", eve, &meeting);
        // croner alone takes a list for a wildcard, and would skip this one.
        let list = ["2026-03-28T13:30:00+00:00", "2026-03-29T02:00:00+01:00"];
        check("30 1,13 * * *", "Europe/London", eve, &list);
    }

    #[test]
    fn a_fixed_time_in_an_overlap_runs_in_the_first_pass_only() {
        let eve = "2026-10-24T12:00:00Z";
        let overlap = ["2026-10-25T01:30:00+01:00", "2026-10-26T01:30:00+00:00"];
        check("30 1 * * *", "Europe/London", eve, &overlap);
        check(
            "30 1 * * *",
            "Europe/London",
            "2026-10-25T01:10:00Z",
            &overlap[1..],
        );
        let seconds = ["2026-10-25T01:30:59+01:00", "2026-10-26T01:30:00+00:00"];
        check(
            "* 30 1 * * *",
            "Europe/London",
            "2026-10-25T00:30:58Z",
            &seconds,
        );
    }

    #[test]
    fn a_wildcard_follows_elapsed_time() {
        let gap = [
            "2026-03-29T00:30:00+00:00",
            "2026-03-29T02:00:00+01:00",
            "2026-03-29T02:30:00+01:00",
        ];
        check(
            "*/30 * * * *",
            "Europe/London",
            "2026-03-29T00:00:00Z",
            &gap,
        );
        check(
            "*/30 1 * * *",
            "Europe/London",
            "2026-03-29T00:00:00Z",
            &["2026-03-30T01:00:00+01:00"],
        );
        let overlap = [
            "2026-10-25T01:30:00+01:00",
            "2026-10-25T01:30:00+00:00",
            "2026-10-25T02:30:00+00:00",
        ];
        check(
            "30 * * * *",
            "Europe/London",
            "2026-10-25T00:00:00Z",
            &overlap,
        );
    }

    #[test]
    fn a_skipped_day_runs_when_the_next_begins() {
        let apia = [
            "2011-12-29T12:00:00-10:00",
            "2011-12-31T00:00:00+14:00",
            "2011-12-31T12:00:00+14:00",
        ];
        check("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00:00Z", &apia);
        let midnight = ["2026-04-24T01:00:00+03:00", "2026-04-25T00:30:00+03:00"];
        check(
            "30 0 * * *",
            "Africa/Cairo",
            "2026-04-23T12:00:00Z",
            &midnight,
        );
    }

    #[test]
    fn day_fields_are_ored_unless_one_begins_with_a_star() {
        let after = "2026-01-01T00:00:00Z";
        let utc = |days: &[&'static str]| {
            days.iter()
                .map(|day| format!("2026-{day}T00:00:00+00:00"))
                .collect::<Vec<_>>()
        };
        let check = |spec, days: &[&'static str]| {
            let expected = utc(days);
            super::tests::check(
                spec,
                "UTC",
                after,
                &expected.iter().map(String::as_str).collect::<Vec<_>>(),
            );
        };
        check("0 0 13 * 5", &["01-02", "01-09", "01-13", "01-16"]);
        check("0 0 */2 * 5", &["01-09", "01-23", "02-13"]);
        check("0 0 13 * */2", &["01-13", "06-13"]);
        check("0 0 ? * 7", &["01-04", "01-11"]);
        check("0 0 L * *", &["01-31", "02-28", "03-31"]);
        check("0 0 15W 8 *", &["08-14"]);
        check("0 0 LW 5 ?", &["05-29"]);
        check("0 0 * * 5L", &["01-30", "02-27"]);
        check("0 0 * * 1#2", &["01-12", "02-09"]);
    }

    #[test]
    fn apscheduler_counts_from_monday_and_both_days_must_match() {
        let trigger =
            CronTrigger::parse("0 0 13 * 4", &Zone::utc(), CronDialect::Apscheduler).unwrap();
        let next = trigger
            .next_after("2026-01-01T00:00:00Z".parse().unwrap())
            .unwrap();
        assert_eq!(next.to_rfc3339(), "2026-02-13T00:00:00+00:00");
        let apscheduler = CronDialect::Apscheduler;
        let weekday = "expected 0-6 (0 is Monday), MON-SUN, *, a list, a range or a step";
        for bad in ["7", "SUN-MON", "5L", "1#2", "?", "*/0"] {
            let spec = format!("0 0 * * {bad}");
            let text = format!("spec {spec:?}: weekday {bad:?} is not valid, {weekday}");
            assert_eq!(refused(&spec, apscheduler), text);
        }
        let count = r#"spec "0 0 0 * * *" has 6 fields, expected 5"#;
        assert_eq!(refused("0 0 0 * * *", apscheduler), count);
    }

    #[test]
    fn a_bad_field_is_named_with_what_it_takes() {
        #[track_caller]
        fn check(spec: &str, text: &str) {
            let refused = refused(spec, CronDialect::Standard);
            assert!(
                refused.starts_with(&format!("spec {spec:?}{text}")),
                "{refused}"
            );
        }
        assert_eq!(
            refused("61 * * * *", CronDialect::Standard),
            r#"spec "61 * * * *": minute "61" is not valid, expected 0-59, *, a list, a range or a step"#
        );
        check("60 * * * *", r#": minute "60" is not valid, expected 0-59"#);
        check(
            "60 0 0 * * *",
            r#": second "60" is not valid, expected 0-59"#,
        );
        check("0 24 * * *", r#": hour "24" is not valid, expected 0-23"#);
        check(
            "0 0 0 * *",
            r#": day of month "0" is not valid, expected 1-31"#,
        );
        check("0 0 32 * *", r#": day of month "32" is not valid"#);
        check(
            "0 0 * 13 *",
            r#": month "13" is not valid, expected 1-12, JAN-DEC"#,
        );
        check("0 0 * 0 *", r#": month "0" is not valid"#);
        check(
            "0 0 * * 8",
            r#": weekday "8" is not valid, expected 0-7, SUN-SAT"#,
        );
        for minute in [
            "*/0", "/5", "5/", "5/10", "5-", "-5", "5-1", "1,,2", ",", "1,", "*,1", "**",
        ] {
            check(
                &format!("{minute} * * * *"),
                &format!(": minute {minute:?} is not valid"),
            );
        }
        for minute in [
            "1-2-3", "*/5/5", "1.5", "+5", "0x1", "JAN", "SUN", "L", "?", "1#1", "%", "65536",
        ] {
            check(
                &format!("{minute} * * * *"),
                &format!(": minute {minute:?} is not valid"),
            );
        }
        for day in [
            "W", "15WX", "15W3", "WL", "L-3", "1-5W", "32W", "0W", "5L", "MON", "?/2", "1,?",
        ] {
            check(
                &format!("0 0 {day} * *"),
                &format!(": day of month {day:?} is not valid"),
            );
        }
        for weekday in [
            "L", "#", "1#", "1#0", "1#6", "1#2#3", "5#3L", "+1", "1-3L", "*#2", "JAN", "MONDAY",
            "1W",
        ] {
            check(
                &format!("0 0 * * {weekday}"),
                &format!(": weekday {weekday:?} is not valid"),
            );
        }
        check("0 0 * MON *", r#": month "MON" is not valid"#);
        check("0 0 * ? *", r#": month "?" is not valid"#);
    }

    #[test]
    fn the_number_of_fields_is_named() {
        #[track_caller]
        fn check(spec: &str, found: &str) {
            let text = format!("spec {spec:?} has {found}, expected 5, or 6 with seconds first");
            assert_eq!(refused(spec, CronDialect::Standard), text);
        }
        check("", "0 fields");
        check(" \n", "0 fields");
        check("*", "1 field");
        check("* * * *", "4 fields");
        check("0 0 0 1 1 * 2030", "7 fields");
        check("* * * * * * * *", "8 fields");
    }

    #[test]
    fn what_is_not_ascii_not_a_name_or_never_fires_is_refused() {
        let standard = CronDialect::Standard;
        for (spec, found) in [
            ("１ * * * *", '１'),
            ("¹ * * * *", '¹'),
            ("٥ * * * *", '٥'),
            ("0\u{a0}0 * * *", '\u{a0}'),
        ] {
            let text = format!("spec {spec:?} contains {found:?}, expected ASCII characters only");
            assert_eq!(refused(spec, standard), text);
        }
        for spec in ["@reboot", "@every 5m", "@", "@daily @daily"] {
            assert!(
                refused(spec, standard).starts_with(&format!("spec {spec:?} is not a known name"))
            );
        }
        for spec in [
            "0 0 30 2 *",
            "0 0 31 4,6,9,11 *",
            "0 0 30 2 */2",
            "0 0 30W 2 *",
        ] {
            let text = format!("spec {spec:?} never fires: no such instant before the year 5000");
            assert_eq!(refused(spec, standard), text);
        }
        assert!(refused("0 0 * * *\0", standard).contains(r#"weekday "*\0" is not valid"#));
    }

    #[test]
    fn blanks_of_any_kind_part_the_fields() {
        check(
            "\t0  0\t1 1 *\r\n",
            "UTC",
            "2026-01-01T00:00:00Z",
            &["2027-01-01T00:00:00+00:00"],
        );
    }

    #[test]
    fn a_rare_day_is_found_however_far_it_is() {
        check(
            "0 0 29 2 *",
            "Europe/London",
            "2096-03-01T00:00:00Z",
            &["2104-02-29T00:00:00+00:00"],
        );
        check(
            "0 0 29 2 */7",
            "Europe/London",
            "2032-03-01T00:00:00Z",
            &["2060-02-29T00:00:00+00:00"],
        );
        let utc = parse("0 0 1 1 *", "UTC");
        let last = "4999-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(
            utc.next_after("4998-06-01T00:00:00Z".parse().unwrap()),
            Some(last)
        );
        assert_eq!(utc.next_after(last), None);
        assert_eq!(utc.last_until(DateTime::<Utc>::MAX_UTC), Some(last));
        assert_eq!(utc.last_until(DateTime::<Utc>::MIN_UTC), None);
        assert_eq!(
            utc.count(DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC),
            4_998
        );
        for zone in ["Europe/London", "Asia/Shanghai", "America/New_York"] {
            let far = parse("0 0 1 1 *", zone);
            assert_eq!(far.next_after(DateTime::<Utc>::MAX_UTC), None);
            assert!(far.next_after(DateTime::<Utc>::MIN_UTC).is_some());
        }
    }

    #[test]
    fn fractions_of_a_second_do_not_shift_an_instant() {
        let trigger = parse("* * * * * *", "UTC");
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let second = at("2026-01-01T00:00:01Z");
        assert_eq!(
            trigger.next_after(at("2026-01-01T00:00:00.999Z")),
            Some(second)
        );
        assert_eq!(trigger.next_after(at("2026-01-01T00:00:00Z")), Some(second));
        assert_eq!(
            trigger.last_until(at("2026-01-01T00:00:01.999Z")),
            Some(second)
        );
        assert_eq!(
            trigger.count(at("2026-01-01T00:00:00.5Z"), at("2026-01-01T00:00:01.5Z")),
            1
        );
        assert_eq!(
            trigger.next_after(at("1969-12-31T23:59:58.5Z")),
            Some(at("1969-12-31T23:59:59Z"))
        );
    }

    #[test]
    fn counting_costs_a_look_per_day_not_per_instant() {
        let trigger = parse("* * * * * *", "Europe/London");
        let (from, to) = (
            "2020-01-01T00:00:00Z".parse().unwrap(),
            "2030-01-01T00:00:00Z".parse().unwrap(),
        );
        assert_eq!(trigger.count(from, to), 3_653 * 86_400);
        assert_eq!(trigger.count(to, from), 0);
        assert_eq!(parse("30 1 * * *", "Europe/London").count(from, to), 3_653);
    }
}
