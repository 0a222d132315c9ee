//! What a value can stand for. A value of a file has one type; a variable is text that may stand for any.

use std::{fmt::Display, ops::RangeInclusive, time::Duration};

use super::document::Value;
use crate::plan::duration;

impl Value {
    pub(super) fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(flag) => Some(*flag),
            Value::Variable(text) => text.parse().ok(),
            _ => None,
        }
    }

    pub(super) fn as_integer(&self) -> Option<i128> {
        match self {
            Value::Integer(number) => Some(*number),
            Value::Variable(text) => text.parse().ok(),
            _ => None,
        }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) | Value::Variable(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_duration(&self) -> Option<Duration> {
        if let Value::Integer(seconds) = self {
            return u64::try_from(*seconds).ok().map(Duration::from_secs);
        }
        self.as_text().and_then(duration::parse)
    }

    /// The value as a message shows it. Text of several lines is mostly a string that was not closed.
    pub(super) fn shown(&self) -> String {
        match self {
            Value::Text(text) | Value::Variable(text) => match text {
                text if text.contains('@') && !text.contains("://") => {
                    "text with an @ (not shown)".to_owned()
                }
                text if looks_like_url(text) => "a url (not shown)".to_owned(),
                text if text.contains('\n') => "text of several lines (not shown)".to_owned(),
                text if text.chars().count() > 60 => "text of more than 60 characters".to_owned(),
                text => format!("{text:?}"),
            },
            Value::Integer(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Other(words) => words.clone(),
            Value::Table(_) | Value::Array(_) | Value::Datetime(_) | Value::Filed(_) => {
                self.kind().to_owned()
            }
        }
    }

    /// What it is, where the value itself must not be shown.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Text(_) | Value::Variable(_) | Value::Filed(_) => "text",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Bool(_) => "true or false",
            Value::Datetime(_) => "a date or time",
            Value::Array(_) => "an array",
            Value::Table(_) => "a table",
            Value::Other(_) => "a very large number",
        }
    }
}

/// Whether `text` may be an address with a password in it, that was put under the wrong key.
pub(super) fn looks_like_url(text: &str) -> bool {
    text.contains("://") || text.contains('@')
}

/// A range of numbers as a message shows it.
pub(super) fn limits_of_numbers<T: Display>(range: &RangeInclusive<T>) -> String {
    format!("{} to {}", range.start(), range.end())
}

/// A range of durations as a message shows it.
pub(super) fn limits_of_durations(range: &RangeInclusive<Duration>) -> String {
    format!("{} to {}", in_words(*range.start()), in_words(*range.end()))
}

/// A span of whole milliseconds as one number and the largest unit that fits: `100ms`, `10s`, `1h`, `366d`.
pub(super) fn in_words(duration: Duration) -> String {
    let millis = duration.as_millis();
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let unit = units.iter().find(|(length, _)| millis >= *length && millis.is_multiple_of(*length));
    match unit {
        Some((length, name)) => format!("{}{name}", millis / length),
        None if millis == 0 => "0s".to_owned(),
        None => format!("{millis}ms"),
    }
}
