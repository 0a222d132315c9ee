//! When a task is due: a row's `trigger` and `spec` become a [`Trigger`], and a trigger yields instants.
//!
//! Three kinds share one face. [`cron`] searches civil time and places what it finds in a zone,
//! [`interval`] counts from the row's creation, [`date`] is a single instant. Everything here is a
//! function of its arguments: no clock, no IO, and zone rules from the bundle inside the binary, so
//! that every node finds the same instants.
//!
//! What is due now, late or missed is decided elsewhere; a trigger only knows its grid. Its invariant:
//! [`Trigger::next_after`], [`Trigger::last_until`] and [`Trigger::count`] describe one and the same
//! strictly increasing sequence.
//!
//! ```
//! use chrono::{DateTime, Utc};
//! use scheduler_core::plan::trigger::{Anchor, CronDialect, Parser, TriggerKind, Zone};
//!
//! let row_written_at: DateTime<Utc> = "2026-03-01T00:00:00Z".parse().unwrap();
//! let anchor = Anchor { created_at: row_written_at, updated_at: row_written_at };
//! let london = Zone::named("Europe/London").unwrap();
//! let mut parser = Parser::new(CronDialect::Standard);
//!
//! // 01:30 does not exist in London on 29 March 2026: the job runs right after the gap.
//! let daily = parser.parse(TriggerKind::Cron, "30 1 * * *", &london, anchor).unwrap();
//! let next = daily.next_after("2026-03-28T12:00:00Z".parse().unwrap()).unwrap();
//! assert_eq!(london.to_local(next), "2026-03-29T02:00:00+01:00");
//!
//! let refused = parser.parse(TriggerKind::Cron, "61 * * * *", &london, anchor);
//! assert!(refused.unwrap_err().to_string().starts_with(r#"spec "61 * * * *": minute "61" is not valid"#));
//! ```

pub mod cron;
pub mod date;
mod error;
mod field;
pub mod interval;
pub mod zone;

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Weak};

use chrono::{DateTime, Utc};

pub use cron::CronTrigger;
pub use date::DateTrigger;
pub use error::TriggerError;
pub use interval::IntervalTrigger;
pub use zone::Zone;

/// 255: the width of the column `spec`. What is longer is refused before any other work.
const SPEC_CHARS: usize = 255;

/// A parsed `trigger` and `spec`: a strictly increasing sequence of instants. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Trigger {
    /// The instants of a cron pattern in a zone; equal patterns share one parsed form.
    Cron(Arc<CronTrigger>),
    /// One instant.
    Date(DateTrigger),
    /// `created_at + k · interval` for k of 1 or more.
    Interval(IntervalTrigger),
}

impl Trigger {
    /// The first instant strictly after `after`, or `None` when there is none: a date that has
    /// passed, or a pattern without an instant before the year 5000.
    pub fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Trigger::Cron(cron) => cron.next_after(after),
            Trigger::Date(date) => date.next_after(after),
            Trigger::Interval(interval) => interval.next_after(after),
        }
    }

    /// The newest instant at or before `until`, or `None` when there is none yet.
    pub fn last_until(&self, until: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Trigger::Cron(cron) => cron.last_until(until),
            Trigger::Date(date) => date.last_until(until),
            Trigger::Interval(interval) => interval.last_until(until),
        }
    }

    /// How many instants lie in (`after`, `until`]; 0 when the window is empty or turned around.
    /// Arithmetic, not iteration: ten years of seconds cost less than a millisecond.
    pub fn count(&self, after: DateTime<Utc>, until: DateTime<Utc>) -> u64 {
        match self {
            Trigger::Cron(cron) => cron.count(after, until),
            Trigger::Date(date) => date.count(after, until),
            Trigger::Interval(interval) => interval.count(after, until),
        }
    }

    /// Which kind of row this came from.
    pub fn kind(&self) -> TriggerKind {
        match self {
            Trigger::Cron(_) => TriggerKind::Cron,
            Trigger::Date(_) => TriggerKind::Date,
            Trigger::Interval(_) => TriggerKind::Interval,
        }
    }
}

/// The value of the column `trigger`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TriggerKind {
    /// `cron`: a pattern of five fields, or six with seconds first.
    Cron,
    /// `date`: one instant.
    Date,
    /// `interval`: again and again, counted from the row's creation.
    Interval,
}

impl TriggerKind {
    const ALL: [TriggerKind; 3] = [TriggerKind::Cron, TriggerKind::Date, TriggerKind::Interval];

    fn as_str(self) -> &'static str {
        match self {
            TriggerKind::Cron => "cron",
            TriggerKind::Date => "date",
            TriggerKind::Interval => "interval",
        }
    }
}

impl fmt::Display for TriggerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for TriggerKind {
    type Err = TriggerError;

    /// Reads the column as it stands: lower case, no blanks.
    ///
    /// # Errors
    /// [`TriggerError::Kind`] names the value and the nearest kind.
    fn from_str(value: &str) -> Result<Self, TriggerError> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == value);
        found.ok_or_else(|| TriggerError::kind(value, Self::ALL.map(Self::as_str)))
    }
}

/// How the fields of a cron pattern are read (`cron_dialect` in `common.toml`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CronDialect {
    /// As Debian's cron: 0 and 7 are Sunday, two restricted day fields are OR-ed.
    #[default]
    Standard,
    /// As `CronTrigger.from_crontab` of APScheduler 3.6: 0 is Monday, 6 is Sunday, there is no 7,
    /// both day fields must match, five fields only.
    Apscheduler,
}

impl CronDialect {
    const ALL: [CronDialect; 2] = [CronDialect::Standard, CronDialect::Apscheduler];

    fn as_str(self) -> &'static str {
        match self {
            CronDialect::Standard => "standard",
            CronDialect::Apscheduler => "apscheduler",
        }
    }
}

impl fmt::Display for CronDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for CronDialect {
    type Err = TriggerError;

    /// Reads `standard` or `apscheduler`, in lower case.
    ///
    /// # Errors
    /// [`TriggerError::Dialect`] names the value and the nearest dialect.
    fn from_str(value: &str) -> Result<Self, TriggerError> {
        let found = Self::ALL
            .into_iter()
            .find(|dialect| dialect.as_str() == value);
        found.ok_or_else(|| TriggerError::dialect(value, Self::ALL.map(Self::as_str)))
    }
}

/// The two instants of a row from which triggers count. Never the start of a process, so that every
/// node finds the same instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// `create_at`: an interval counts from here.
    pub created_at: DateTime<Utc>,
    /// `update_at`, the last edit: the date `now` means this.
    pub updated_at: DateTime<Utc>,
}

/// Turns specs into triggers, and shares what is costly: a parsed cron pattern takes kilobytes and
/// 35 µs, and many rows carry the same one.
#[derive(Debug)]
pub struct Parser {
    dialect: CronDialect,
    /// By zone, then by spec. `Weak`, so that a pattern no task uses any more is freed.
    patterns: HashMap<String, HashMap<String, Weak<CronTrigger>>>,
    /// Patterns held, living and dead. When it reaches `prune_at` the dead leave.
    held: usize,
    prune_at: usize,
}

/// 64: below this many patterns nothing is gained by looking for dead ones.
const PRUNE_FLOOR: usize = 64;

impl Parser {
    /// A parser for one dialect, holding no patterns yet.
    pub fn new(dialect: CronDialect) -> Self {
        Parser {
            dialect,
            patterns: HashMap::new(),
            held: 0,
            prune_at: PRUNE_FLOOR,
        }
    }

    /// Parses `spec` as a trigger of the given kind. `zone` says what civil time means in a cron
    /// pattern or in a date without an offset. Blanks around the spec are ignored.
    ///
    /// # Errors
    /// Whatever is wrong with the spec: its length, characters, number of fields, one of its fields,
    /// a pattern that never fires, an interval out of range, a date that does not exist.
    pub fn parse(
        &mut self,
        kind: TriggerKind,
        spec: &str,
        zone: &Zone,
        anchor: Anchor,
    ) -> Result<Trigger, TriggerError> {
        if spec.chars().nth(SPEC_CHARS).is_some() {
            return Err(TriggerError::too_long(spec));
        }
        match kind {
            TriggerKind::Cron => self.cron(spec, zone).map(Trigger::Cron),
            TriggerKind::Date => DateTrigger::parse(spec, zone, anchor).map(Trigger::Date),
            TriggerKind::Interval => IntervalTrigger::parse(spec, anchor).map(Trigger::Interval),
        }
    }

    fn cron(&mut self, spec: &str, zone: &Zone) -> Result<Arc<CronTrigger>, TriggerError> {
        let known = self
            .patterns
            .get(zone.name())
            .and_then(|specs| specs.get(spec));
        if let Some(shared) = known.and_then(Weak::upgrade) {
            return Ok(shared);
        }
        let parsed = Arc::new(CronTrigger::parse(spec, zone, self.dialect)?);
        self.remember(spec, zone, &parsed);
        Ok(parsed)
    }

    fn remember(&mut self, spec: &str, zone: &Zone, parsed: &Arc<CronTrigger>) {
        if self.held >= self.prune_at {
            self.prune();
        }
        let specs = self.patterns.entry(zone.name().to_owned()).or_default();
        let replaced = specs.insert(spec.to_owned(), Arc::downgrade(parsed));
        self.held += usize::from(replaced.is_none());
    }

    /// Drops dead patterns. Waiting for twice the survivors makes the cost constant per pattern.
    fn prune(&mut self) {
        self.patterns.retain(|_, specs| {
            specs.retain(|_, pattern| pattern.strong_count() > 0);
            !specs.is_empty()
        });
        self.held = self.patterns.values().map(HashMap::len).sum();
        self.prune_at = PRUNE_FLOOR.max(self.held * 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchor() -> Anchor {
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        Anchor {
            created_at: at,
            updated_at: at,
        }
    }

    fn cron(parser: &mut Parser, spec: &str, zone: &Zone) -> Arc<CronTrigger> {
        match parser
            .parse(TriggerKind::Cron, spec, zone, anchor())
            .unwrap()
        {
            Trigger::Cron(shared) => shared,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn equal_patterns_in_one_zone_share_one_parsed_form() {
        let mut parser = Parser::new(CronDialect::Standard);
        let paris = Zone::named("Europe/Paris").unwrap();
        let first = cron(&mut parser, "0 4 * * *", &paris);
        assert!(Arc::ptr_eq(&first, &cron(&mut parser, "0 4 * * *", &paris)));
        assert!(!Arc::ptr_eq(
            &first,
            &cron(&mut parser, "0 5 * * *", &paris)
        ));
        assert!(!Arc::ptr_eq(
            &first,
            &cron(&mut parser, "0 4 * * *", &Zone::utc())
        ));
    }

    #[test]
    fn the_parser_forgets_patterns_that_nobody_uses() {
        let mut parser = Parser::new(CronDialect::Standard);
        let kept = cron(&mut parser, "0 4 * * *", &Zone::utc());
        for edit in 0..1_000 {
            let spec = format!("{} {} * * *", edit % 60, edit / 60);
            cron(&mut parser, &spec, &Zone::utc());
            assert!(
                parser.held <= PRUNE_FLOOR + 1,
                "{} patterns held",
                parser.held
            );
        }
        assert!(Arc::ptr_eq(
            &kept,
            &cron(&mut parser, "0 4 * * *", &Zone::utc())
        ));
    }

    #[test]
    fn a_spec_of_255_characters_is_read_and_one_of_256_refused() {
        let mut parser = Parser::new(CronDialect::Standard);
        let mut check = |kind, spec: &str| parser.parse(kind, spec, &Zone::utc(), anchor());
        let longest = format!("{:<255}", "0 4 * * *");
        assert!(check(TriggerKind::Cron, &longest).is_ok());
        let refused = check(TriggerKind::Cron, &format!("{longest} "))
            .unwrap_err()
            .to_string();
        let start = format!("spec \"{:<80}…\"", "0 4 * * *");
        assert_eq!(
            refused,
            format!("{start} is too long, expected at most 255 characters")
        );
        for kind in TriggerKind::ALL {
            assert!(
                check(kind, &"9".repeat(10_000))
                    .unwrap_err()
                    .to_string()
                    .len()
                    < 200
            );
        }
    }

    #[test]
    fn kinds_and_dialects_are_read_exactly_and_the_nearest_is_named() {
        for kind in TriggerKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        for dialect in CronDialect::ALL {
            assert_eq!(dialect.to_string().parse(), Ok(dialect));
        }
        assert_eq!(CronDialect::default(), CronDialect::Standard);
        let kind = |value: &str| value.parse::<TriggerKind>().unwrap_err().to_string();
        let expected = "expected cron, date or interval";
        assert_eq!(
            kind("crom"),
            format!(r#"trigger "crom" is not known, {expected} (nearest: cron)"#)
        );
        assert_eq!(
            kind("Date"),
            format!(r#"trigger "Date" is not known, {expected} (nearest: date)"#)
        );
        assert_eq!(kind(""), format!(r#"trigger "" is not known, {expected}"#));
        assert_eq!(
            kind("zzz\n"),
            format!(r#"trigger "zzz\n" is not known, {expected}"#)
        );
        assert_eq!(
            "vixie".parse::<CronDialect>().unwrap_err().to_string(),
            r#"cron_dialect "vixie" is not known, expected standard or apscheduler"#
        );
    }

    #[test]
    fn a_trigger_knows_its_kind() {
        let mut parser = Parser::new(CronDialect::Standard);
        for (kind, spec) in [
            (TriggerKind::Cron, "@daily"),
            (TriggerKind::Date, "now"),
            (TriggerKind::Interval, "5"),
        ] {
            assert_eq!(
                parser
                    .parse(kind, spec, &Zone::utc(), anchor())
                    .unwrap()
                    .kind(),
                kind
            );
        }
    }
}
