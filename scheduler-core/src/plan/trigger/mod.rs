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
mod dialects;
mod error;
mod field;
pub mod interval;
mod parser;
pub mod zone;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, Utc};

pub use cron::CronTrigger;
pub use date::DateTrigger;
pub use dialects::{Parting, parting, respelled};
pub use error::TriggerError;
pub use interval::IntervalTrigger;
pub use parser::Parser;
pub use zone::Zone;

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
        let found = Self::ALL.into_iter().find(|dialect| dialect.as_str() == value);
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

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(kind("zzz\n"), format!(r#"trigger "zzz\n" is not known, {expected}"#));
        assert_eq!(
            "vixie".parse::<CronDialect>().unwrap_err().to_string(),
            r#"cron_dialect "vixie" is not known, expected standard or apscheduler"#
        );
    }

    #[test]
    fn triggers_and_zones_can_go_to_other_threads() {
        fn check<T: Send + Sync + Clone>() {}
        check::<Trigger>();
        check::<Zone>();
        check::<TriggerError>();
    }
}
