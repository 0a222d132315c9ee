//! Keys by the type of their value.

use std::{fmt::Display, ops::RangeInclusive, time::Duration};

use super::Reader;
use crate::{
    config::{
        document::Value,
        settings::{InToml, NONE},
        value::{limits_of_durations, limits_of_numbers},
    },
    plan::words::quote,
};

impl Reader<'_> {
    /// `true` or `false`.
    pub(in crate::config) fn bool(&mut self, key: &'static str, default: bool) -> bool {
        let parse = |value: &Value| value.as_bool().ok_or_else(|| "true or false".to_owned());
        self.value(key, default, bool::in_toml, parse)
    }

    /// A whole number.
    pub(in crate::config) fn integer<T>(
        &mut self,
        key: &'static str,
        default: T,
        range: RangeInclusive<T>,
    ) -> T
    where
        T: Copy + Display + PartialOrd + TryFrom<i128>,
    {
        let parse = |value: &Value| {
            let limits = limits_of_numbers(&range);
            let Some(number) = value.as_integer() else {
                return Err(format!("a whole number, {limits}"));
            };
            T::try_from(number).ok().filter(|number| range.contains(number)).ok_or(limits)
        };
        self.value(key, default, T::to_string, parse)
    }

    /// Whole seconds, or text such as `250ms` or `1h30m`.
    pub(in crate::config) fn duration(
        &mut self,
        key: &'static str,
        default: Duration,
        range: RangeInclusive<Duration>,
    ) -> Duration {
        let parse = |value: &Value| {
            let limits = limits_of_durations(&range);
            value.as_duration().filter(|duration| range.contains(duration)).ok_or_else(|| {
                format!("{limits}, as whole seconds or as text such as \"10s\" or \"1h30m\"")
            })
        };
        self.value(key, default, Duration::in_toml, parse)
    }

    /// The same, or `never`, which is `None`.
    pub(in crate::config) fn duration_or_never<T: From<Option<Duration>> + InToml>(
        &mut self,
        key: &'static str,
        default: T,
        range: RangeInclusive<Duration>,
    ) -> T {
        let parse = |value: &Value| {
            let span = value.as_duration().filter(|span| range.contains(span)).map(Some);
            let span = if value.as_text() == Some("never") { Some(None) } else { span };
            span.map(T::from).ok_or_else(|| {
                let limits = limits_of_durations(&range);
                format!("\"never\", or {limits}, as whole seconds or as text such as \"90d\"")
            })
        };
        self.value(key, default, T::in_toml, parse)
    }

    /// One of several names, whatever their case. Of those that mean the same, the first is the one that is shown.
    pub(in crate::config) fn choice<T: Copy + PartialEq>(
        &mut self,
        key: &'static str,
        default: T,
        names: &[(&str, T)],
    ) -> T {
        let parse = |value: &Value| {
            let text = value.as_text().unwrap_or_default().to_lowercase();
            let chosen = names.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
            chosen.ok_or_else(|| {
                let names: Vec<_> = names.iter().map(|(name, _)| format!("{name:?}")).collect();
                format!("one of {}", names.join(", "))
            })
        };
        let shown = |value: &T| {
            let name = names.iter().find(|(_, other)| other == value);
            name.map_or_else(|| NONE.to_owned(), |(name, _)| name.in_toml())
        };
        self.value(key, default, shown, parse)
    }

    /// Several of some names, whatever their case: an array, or, in a variable, one text with commas.
    pub(in crate::config) fn words<T: Copy + PartialEq>(
        &mut self,
        key: &'static str,
        default: Vec<T>,
        names: &[(&str, T)],
    ) -> Vec<T> {
        let named = |text: &str| {
            let text = text.trim().to_lowercase();
            names.iter().find(|(name, _)| *name == text).map(|(_, value)| *value)
        };
        let known: Vec<_> = names.iter().map(|(name, _)| format!("{name:?}")).collect();
        let known = format!("an array of {}", known.join(", "));
        let parse = |value: &Value| {
            let texts = list(value).ok_or_else(|| known.clone())?;
            let wrong = |place, text| {
                format!("{known}, of which number {}, {}, is none", place + 1, quote(text))
            };
            let each = texts.into_iter().enumerate();
            each.map(|(place, text)| named(text).ok_or_else(|| wrong(place, text))).collect()
        };
        let shown = |words: &Vec<T>| {
            let name = |word: &T| names.iter().find(|(_, other)| other == word);
            in_brackets(words.iter().filter_map(name).map(|(name, _)| name.in_toml()))
        };
        self.value(key, default, shown, parse)
    }

    /// So many texts, each accepted by `parse`, as an array, or, in a variable, as one text with commas; `expected` says
    /// what it accepts.
    pub(in crate::config) fn texts<T: InToml>(
        &mut self,
        key: &'static str,
        default: Option<Vec<T>>,
        count: RangeInclusive<usize>,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let limits = format!("an array of {}, each {expected}", limits_of_numbers(&count));
        let parse = |value: &Value| {
            let texts = list(value).ok_or_else(|| limits.clone())?;
            if !count.contains(&texts.len()) {
                return Err(format!("{limits}, not {}", texts.len()));
            }
            let wrong = |place| format!("{limits}, which number {} is not", place + 1);
            let each = texts.into_iter().enumerate();
            each.map(|(place, text)| parse(text).ok_or_else(|| wrong(place)))
                .collect::<Result<Vec<_>, _>>()
                .map(Some)
        };
        let shown = |texts: &Option<Vec<T>>| {
            let texts = texts.as_ref().map(|texts| in_brackets(texts.iter().map(T::in_toml)));
            texts.unwrap_or_else(|| NONE.to_owned())
        };
        self.value(key, default, shown, parse)
    }

    /// Text that is not empty and is accepted by `parse`; `expected` says what it accepts.
    pub(in crate::config) fn text<T: InToml>(
        &mut self,
        key: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let parse = |text: &str| parse(text).ok_or_else(|| expected.to_owned());
        self.text_or_else(key, None, expected, parse)
    }

    /// The same, where what was expected depends on the text; `expected` is for what is not even text.
    pub(in crate::config) fn text_or_else<T: InToml>(
        &mut self,
        key: &'static str,
        default: Option<T>,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let parse = |value: &Value| {
            let text = value.as_text().filter(|text| !text.is_empty());
            let text = text.filter(|text| !text.chars().any(char::is_control));
            text.ok_or_else(|| expected.to_owned()).and_then(parse).map(Some)
        };
        let shown = |text: &Option<T>| text.as_ref().map_or_else(|| NONE.to_owned(), T::in_toml);
        self.value(key, default, shown, parse)
    }
}

/// The texts of an array, or, in a variable, of one text with commas; what is no text is empty. `None`: it is neither.
fn list(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::Array(values) => {
            Some(values.iter().map(|value| value.as_text().unwrap_or_default()).collect())
        }
        Value::Variable(text) => Some(text.split(',').map(str::trim).collect()),
        _ => None,
    }
}

/// An array as TOML has it.
fn in_brackets(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}
