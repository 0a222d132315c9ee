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
use croner::describe::Language;
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

/// 2000-01-01T00:00:00, and the days from there on that hold all fourteen kinds of years: a day matches by what it is in its
/// year.
const PROBE: i64 = 946_684_800;
const PROBED_DAYS: i64 = 28 * 1_461 / 4;

/// Days of all kinds, counted from 1970 on.
fn probed_days() -> std::ops::Range<i64> {
    let first = PROBE / SECONDS_PER_DAY;
    first..first + PROBED_DAYS
}

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
    pub(super) fn parse(
        spec: &str,
        zone: &Zone,
        dialect: CronDialect,
    ) -> Result<Self, TriggerError> {
        let fields = Fields::parse(spec, dialect)?;
        let parser = CronParser::builder()
            .seconds(Seconds::Required)
            .year(Year::Disallowed)
            .dom_and_dow(fields.days_and)
            .build();
        let Ok(cron) = parser.parse(&fields.pattern()) else {
            return Err(blame(spec, &fields, &parser, dialect));
        };
        let time_of_day = TimeOfDay::of(&cron);
        let (zone, wildcard) = (zone.clone(), fields.wildcard);
        let trigger = CronTrigger { spec: spec.to_owned(), zone, cron, wildcard, time_of_day };
        // croner would search thousands of years, 60 ms of a pattern of which somebody may write a thousand rows.
        if !probed_days().any(|day| trigger.day_matches(day)) {
            return Err(TriggerError::never_fires(spec));
        }
        Ok(trigger)
    }

    /// The pattern.
    pub(crate) fn spec(&self) -> &str {
        &self.spec
    }

    /// What the pattern means, in words.
    pub(crate) fn describe(&self, language: impl Language) -> String {
        self.cron.describe_lang(language)
    }

    /// As [`Trigger::next_after`](super::Trigger::next_after).
    pub fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
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

    /// Whether both have the same instants in every zone.
    pub(super) fn has_instants_of(&self, other: &Self) -> bool {
        self.wildcard == other.wildcard
            && self.time_of_day == other.time_of_day
            && probed_days().all(|day| self.day_matches(day) == other.day_matches(day))
    }

    /// The first instant of the segment that is after `after`.
    fn first_in(&self, segment: &Segment, after: i64, matches: &mut Matches) -> Option<i64> {
        if let Some(start) = segment.start.filter(|start| *start > after && self.lands(segment)) {
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
        let repeated = if self.wildcard { 0 } else { segment.before - segment.offset };
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
        let (first_day, last_day) =
            (from.div_euclid(SECONDS_PER_DAY), to.div_euclid(SECONDS_PER_DAY));
        let count = |day: i64| {
            let midnight = day * SECONDS_PER_DAY;
            let until = self.time_of_day.before((to - midnight).min(SECONDS_PER_DAY));
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
    TriggerError::field(spec, field.name(), &fields.written[index], field.expected(dialect))
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
        Matches { cron, next: None, previous: None }
    }

    /// The first match at or after `from`.
    fn next(&mut self, from: i64) -> Option<i64> {
        if let Some((_, found)) =
            self.next.filter(|(asked, found)| (*asked..=*found).contains(&from))
        {
            return Some(found);
        }
        let found = self.cron.find_next_occurrence(&civil_time(from), true).ok()?;
        let found = civil_seconds(found);
        self.next = Some((from, found));
        Some(found)
    }

    /// The last match at or before `until`.
    fn previous(&mut self, until: i64) -> Option<i64> {
        if let Some((_, found)) =
            self.previous.filter(|(asked, found)| (*found..=*asked).contains(&until))
        {
            return Some(found);
        }
        let found = self.cron.find_previous_occurrence(&civil_time(until), true).ok()?;
        let found = civil_seconds(found);
        self.previous = Some((until, found));
        Some(found)
    }
}

/// The second, minute and hour fields as sets of bits.
#[derive(PartialEq, Eq)]
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
        let (hour, minute, second) =
            (second_of_day / 3_600, second_of_day / 60 % 60, second_of_day % 60);
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
mod tests;
