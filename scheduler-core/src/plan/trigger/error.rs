//! What can be wrong with a trigger, in words an operator can act on.
//!
//! The text names the column, the value and what was expected, and follows `task "key": ` in a log
//! line. Values come from rows, so they are cut and escaped before they enter a text.

use thiserror::Error;

use crate::plan::words::{self, quote};

/// Why a trigger, spec, zone or dialect was refused. Values inside are already quoted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TriggerError {
    /// The column `trigger` names no kind.
    #[error("trigger {value} is not known, expected cron, date or interval{nearest}")]
    Kind {
        /// The value, quoted.
        value: String,
        /// ` (nearest: …)` or nothing.
        nearest: String,
    },
    /// `cron_dialect` names no dialect.
    #[error("cron_dialect {value} is not known, expected standard or apscheduler{nearest}")]
    Dialect {
        /// The value, quoted.
        value: String,
        /// ` (nearest: …)` or nothing.
        nearest: String,
    },
    /// No zone of that name in the bundled database.
    #[error("timezone {value} is not known, expected a name such as Europe/London{nearest}")]
    Zone {
        /// The value, quoted.
        value: String,
        /// ` (nearest: …)` or nothing.
        nearest: String,
    },
    /// Longer than the column it comes from.
    #[error("spec {spec} is too long, expected at most 255 characters")]
    TooLong {
        /// The start of the spec, quoted.
        spec: String,
    },
    /// A cron pattern with a character beyond ASCII, such as a full-width digit.
    #[error("spec {spec} contains {found:?}, expected ASCII characters only")]
    NotAscii {
        /// The spec, quoted.
        spec: String,
        /// The first such character.
        found: char,
    },
    /// A cron pattern with the wrong number of fields.
    #[error("spec {spec} has {found} {}, expected {expected}", if *.found == 1 { "field" } else { "fields" })]
    FieldCount {
        /// The spec, quoted.
        spec: String,
        /// How many fields it has.
        found: usize,
        /// Which numbers are accepted.
        expected: &'static str,
    },
    /// One field of a cron pattern is wrong.
    #[error("spec {spec}: {field} {value} is not valid, expected {expected}")]
    Field {
        /// The spec, quoted.
        spec: String,
        /// The name of the field.
        field: &'static str,
        /// Its text, quoted.
        value: String,
        /// What the field takes.
        expected: String,
    },
    /// An unknown `@name`, or `@reboot`, which names no instant.
    #[error(
        "spec {spec} is not a known name, \
         expected @yearly, @annually, @monthly, @weekly, @daily, @midnight or @hourly"
    )]
    Nickname {
        /// The spec, quoted.
        spec: String,
    },
    /// A cron pattern such as 30 February.
    #[error("spec {spec} never fires: no such instant before the year 5000")]
    NeverFires {
        /// The spec, quoted.
        spec: String,
    },
    /// Neither whole seconds nor a duration.
    #[error(
        "spec {spec} is not an interval, \
         expected whole seconds of 1 or more, or a duration such as 90s, 1h30m, 250ms"
    )]
    Interval {
        /// The spec, quoted.
        spec: String,
    },
    /// A duration, but not one that can be kept.
    #[error("spec {spec} is out of range, expected whole milliseconds from 1 ms to 100 years")]
    IntervalRange {
        /// The spec, quoted.
        spec: String,
    },
    /// Not a date, or one that does not exist.
    #[error("spec {spec} is not a date, expected YYYY-MM-DD HH:MM:SS, RFC 3339 or now")]
    Date {
        /// The spec, quoted.
        spec: String,
    },
}

impl TriggerError {
    pub(super) fn kind<const N: usize>(value: &str, known: [&str; N]) -> Self {
        TriggerError::Kind { value: quote(value), nearest: nearest(value, known) }
    }

    pub(super) fn dialect<const N: usize>(value: &str, known: [&str; N]) -> Self {
        TriggerError::Dialect { value: quote(value), nearest: nearest(value, known) }
    }

    pub(super) fn zone<'a>(value: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        TriggerError::Zone { value: quote(value), nearest: nearest(value, known) }
    }

    pub(super) fn too_long(spec: &str) -> Self {
        TriggerError::TooLong { spec: quote(spec) }
    }

    pub(super) fn not_ascii(spec: &str, found: char) -> Self {
        TriggerError::NotAscii { spec: quote(spec), found }
    }

    pub(super) fn field_count(spec: &str, found: usize, expected: &'static str) -> Self {
        TriggerError::FieldCount { spec: quote(spec), found, expected }
    }

    pub(super) fn field(spec: &str, field: &'static str, value: &str, expected: String) -> Self {
        TriggerError::Field { spec: quote(spec), field, value: quote(value), expected }
    }

    pub(super) fn nickname(spec: &str) -> Self {
        TriggerError::Nickname { spec: quote(spec) }
    }

    pub(super) fn never_fires(spec: &str) -> Self {
        TriggerError::NeverFires { spec: quote(spec) }
    }

    pub(super) fn interval(spec: &str) -> Self {
        TriggerError::Interval { spec: quote(spec) }
    }

    pub(super) fn interval_range(spec: &str) -> Self {
        TriggerError::IntervalRange { spec: quote(spec) }
    }

    pub(super) fn date(spec: &str) -> Self {
        TriggerError::Date { spec: quote(spec) }
    }
}

/// ` (nearest: …)` when a known name resembles the value, else nothing.
fn nearest<'a>(value: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let near = words::nearest(value, known, 1);
    near.first().map_or_else(String::new, |name| format!(" (nearest: {name})"))
}
