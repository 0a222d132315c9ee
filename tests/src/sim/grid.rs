//! Schedules that the simulation draws, and the instants they mean, found without the scheduler's own code: every
//! minute of the span is asked whether it matches.

use std::collections::BTreeSet;

use fastrand::Rng;
use jiff::{Timestamp, ToSpan as _, civil, tz::AmbiguousOffset, tz::TimeZone};

use super::time::Ms;

/// A schedule.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Grid {
    /// Every so many seconds since the row's creation.
    Interval(i64),
    /// One instant.
    Date(Ms),
    /// A pattern of five fields.
    Cron(Pattern),
    /// A text that means nothing, in a row with this trigger.
    Broken(&'static str),
}

/// A cron pattern, field by field. `None` is `*`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pattern {
    minutes: Field,
    hours: Field,
    weekdays: Field,
}

/// One field: its text and what it matches.
#[derive(Clone, Debug, PartialEq)]
struct Field {
    text: String,
    values: BTreeSet<i8>,
}

impl Field {
    fn any(range: std::ops::RangeInclusive<i8>) -> Self {
        Self { text: "*".to_owned(), values: range.collect() }
    }

    fn every(step: i8, below: i8) -> Self {
        let values = (0..below).filter(|value| value % step == 0).collect();
        Self { text: format!("*/{step}"), values }
    }

    fn list(values: BTreeSet<i8>) -> Self {
        let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
        Self { text: texts.join(","), values }
    }

    /// About half of the values, at least one.
    fn some(rng: &mut Rng, below: i8) -> Self {
        let one = rng.i8(0..below);
        Self::list((0..below).filter(|value| *value == one || rng.bool()).collect())
    }

    fn is_star(&self) -> bool {
        self.text.starts_with('*')
    }
}

impl Pattern {
    /// A pattern with several instants within a few hours.
    fn draw(rng: &mut Rng) -> Self {
        let minutes = match rng.u8(0..4) {
            0 => Field::any(0..=59),
            1 => Field::every(*rng.choice(&[2, 5, 7, 10, 15]).unwrap_or(&5), 60),
            _ => Field::list((0..rng.u8(1..6)).map(|_| rng.i8(0..60)).collect()),
        };
        let hours = match rng.u8(0..4) {
            0 => Field::some(rng, 24),
            1 => Field::every(2, 24),
            _ => Field::any(0..=23),
        };
        let weekdays = if rng.u8(0..4) == 0 { Field::some(rng, 7) } else { Field::any(0..=6) };
        Self { minutes, hours, weekdays }
    }

    fn matches(&self, at: civil::DateTime) -> bool {
        self.minutes.values.contains(&at.minute())
            && self.hours.values.contains(&at.hour())
            && self.weekdays.values.contains(&at.weekday().to_sunday_zero_offset())
    }

    /// Vixie cron's rule: with a wildcard in minute or hour it follows real time.
    fn follows_real_time(&self) -> bool {
        self.minutes.is_star() || self.hours.is_star()
    }
}

const MINUTE: Ms = 60_000;
const DAY: Ms = 86_400_000;

impl Grid {
    /// A schedule with instants between `from` and `until`.
    pub(super) fn draw(rng: &mut Rng, from: Ms, until: Ms) -> Self {
        match rng.u8(0..10) {
            0..4 => Grid::Interval(*rng.choice(&[1, 2, 5, 7, 10, 30, 60, 90, 600]).unwrap_or(&60)),
            4..9 => Grid::Cron(Pattern::draw(rng)),
            _ => Grid::Date(rng.i64(from..until) / 1_000 * 1_000),
        }
    }

    /// `trigger` of the row.
    pub(super) fn trigger(&self) -> &'static str {
        match self {
            Grid::Interval(_) => "interval",
            Grid::Date(_) => "date",
            Grid::Cron(_) => "cron",
            Grid::Broken(trigger) => trigger,
        }
    }

    /// `spec` of the row.
    pub(super) fn spec(&self) -> String {
        match self {
            Grid::Interval(secs) => secs.to_string(),
            Grid::Date(at) => timestamp(*at).to_string(),
            Grid::Broken(_) => "poison".to_owned(),
            Grid::Cron(Pattern { minutes, hours, weekdays }) => {
                format!("{} {} * * {}", minutes.text, hours.text, weekdays.text)
            }
        }
    }

    /// The instants in (`after`, `until`].
    pub(super) fn instants(
        &self,
        created: Ms,
        zone: &TimeZone,
        after: Ms,
        until: Ms,
    ) -> BTreeSet<Ms> {
        let is_within = |at: &Ms| after < *at && *at <= until;
        match self {
            Grid::Broken(_) => BTreeSet::new(),
            Grid::Date(at) => Some(*at).into_iter().filter(is_within).collect(),
            Grid::Interval(secs) => {
                let every = secs * 1_000;
                let first = ((after - created).div_euclid(every) + 1).max(1);
                (first..).map(|k| created + k * every).take_while(|at| *at <= until).collect()
            }
            Grid::Cron(pattern) if pattern.follows_real_time() => {
                let first = (after.div_euclid(MINUTE) + 1) * MINUTE;
                let minutes = (0..).map(|k| first + k * MINUTE).take_while(|at| *at <= until);
                minutes.filter(|at| pattern.matches(zone.to_datetime(timestamp(*at)))).collect()
            }
            Grid::Cron(pattern) => {
                let civil = |at: Ms| zone.to_datetime(timestamp(at));
                let (mut at, last) = (civil(after - DAY), civil(until + DAY));
                at = civil::DateTime::from_parts(at.date(), civil::Time::midnight());
                let mut found = BTreeSet::new();
                while at <= last {
                    if pattern.matches(at) {
                        found.insert(place(zone, at));
                    }
                    at = at.saturating_add(1.minute());
                }
                found.into_iter().filter(is_within).collect()
            }
        }
    }
}

/// A fixed time runs once a day: right after the gap that swallows it, the first time where it comes twice.
fn place(zone: &TimeZone, at: civil::DateTime) -> Ms {
    let ambiguous = zone.to_ambiguous_timestamp(at);
    let instant = match ambiguous.offset() {
        AmbiguousOffset::Gap { before, .. } => {
            let inside = before.to_timestamp(at).unwrap_or_default();
            let mut before_gap =
                zone.preceding(inside.saturating_add(1.second()).unwrap_or_default());
            before_gap.next().map_or(inside, |transition| transition.timestamp())
        }
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(at).unwrap_or_default(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(at).unwrap_or_default(),
    };
    instant.as_millisecond()
}

fn timestamp(at: Ms) -> Timestamp {
    Timestamp::from_millisecond(at).unwrap_or_default()
}
