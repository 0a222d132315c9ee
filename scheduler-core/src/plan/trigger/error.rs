//! What can be wrong with a trigger, in words an operator can act on.
//!
//! The text names the column, the value and what was expected, and follows `task "key": ` in a log
//! line. Values come from rows, so they are cut and escaped before they enter a text.

use thiserror::Error;

/// 80: enough of a value to recognise it, short enough for one line.
const QUOTED_CHARS: usize = 80;

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
        expected: &'static str,
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
        TriggerError::Kind {
            value: quoted(value),
            nearest: nearest(value, known),
        }
    }

    pub(super) fn dialect<const N: usize>(value: &str, known: [&str; N]) -> Self {
        TriggerError::Dialect {
            value: quoted(value),
            nearest: nearest(value, known),
        }
    }

    pub(super) fn zone<'a>(value: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        TriggerError::Zone {
            value: quoted(value),
            nearest: nearest(value, known),
        }
    }

    pub(super) fn too_long(spec: &str) -> Self {
        TriggerError::TooLong { spec: quoted(spec) }
    }

    pub(super) fn not_ascii(spec: &str, found: char) -> Self {
        TriggerError::NotAscii {
            spec: quoted(spec),
            found,
        }
    }

    pub(super) fn field_count(spec: &str, found: usize, expected: &'static str) -> Self {
        TriggerError::FieldCount {
            spec: quoted(spec),
            found,
            expected,
        }
    }

    pub(super) fn field(
        spec: &str,
        field: &'static str,
        value: &str,
        expected: &'static str,
    ) -> Self {
        TriggerError::Field {
            spec: quoted(spec),
            field,
            value: quoted(value),
            expected,
        }
    }

    pub(super) fn nickname(spec: &str) -> Self {
        TriggerError::Nickname { spec: quoted(spec) }
    }

    pub(super) fn never_fires(spec: &str) -> Self {
        TriggerError::NeverFires { spec: quoted(spec) }
    }

    pub(super) fn interval(spec: &str) -> Self {
        TriggerError::Interval { spec: quoted(spec) }
    }

    pub(super) fn interval_range(spec: &str) -> Self {
        TriggerError::IntervalRange { spec: quoted(spec) }
    }

    pub(super) fn date(spec: &str) -> Self {
        TriggerError::Date { spec: quoted(spec) }
    }
}

/// The value in quotes, cut at [`QUOTED_CHARS`] and with control characters escaped, so that a row
/// can neither fill a log nor forge a line of it.
fn quoted(value: &str) -> String {
    match value.char_indices().nth(QUOTED_CHARS) {
        None => format!("{value:?}"),
        Some((end, _)) => {
            let mut text = format!("{:?}", &value[..end]);
            text.insert(text.len() - 1, '…');
            text
        }
    }
}

/// ` (nearest: …)` when a known name resembles the value, else nothing.
fn nearest<'a>(value: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    /// 255: comparing costs the product of both lengths, and no known name is near that long.
    const COMPARED_CHARS: usize = 255;
    let lower: String = value
        .chars()
        .take(COMPARED_CHARS)
        .collect::<String>()
        .to_lowercase();
    let scored = known.into_iter().map(|name| {
        let score = strsim::jaro_winkler(&lower, &name.to_lowercase());
        (score, name)
    });
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0));
    // 0.7: below it a name shares little more than single letters.
    best.filter(|(score, _)| *score >= 0.7)
        .map_or_else(String::new, |(_, name)| format!(" (nearest: {name})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_80_characters_is_shown_whole_and_one_of_81_is_cut() {
        assert_eq!(quoted(&"é".repeat(80)), format!("\"{}\"", "é".repeat(80)));
        assert_eq!(quoted(&"é".repeat(81)), format!("\"{}…\"", "é".repeat(80)));
    }

    #[test]
    fn a_value_cannot_forge_a_line_or_colour_the_terminal() {
        assert_eq!(quoted("a\nb\u{1b}[31m\""), r#""a\nb\u{1b}[31m\"""#);
    }
}
