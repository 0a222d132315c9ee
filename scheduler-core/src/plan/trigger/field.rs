//! The grammar of a cron pattern: from a spec to six fields that croner reads without ambiguity.
//!
//! croner is lenient where a scheduler must not be: it replaces month names in any field, skips empty
//! list items, ignores what follows `15W`, and takes `L` as a weekday that never comes. So each field
//! is first read here to the letter, names become numbers, and the weekdays of APScheduler become
//! those of cron. Ranges of numbers are left to croner.

use std::ops::RangeInclusive;

use super::{CronDialect, TriggerError};

/// One of the six fields, seconds first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Second,
    Minute,
    Hour,
    DayOfMonth,
    Month,
    Weekday,
}

use Field::{DayOfMonth, Hour, Minute, Month, Second, Weekday};

impl Field {
    pub(super) const ALL: [Field; 6] = [Second, Minute, Hour, DayOfMonth, Month, Weekday];

    pub(super) fn name(self) -> &'static str {
        match self {
            Second => "second",
            Minute => "minute",
            Hour => "hour",
            DayOfMonth => "day of month",
            Month => "month",
            Weekday => "weekday",
        }
    }

    /// What the field takes, as the end of a sentence.
    pub(super) fn expected(self, dialect: CronDialect) -> String {
        let values = match (self, dialect) {
            (Second | Minute, _) => "0-59, *",
            (Hour, _) => "0-23, *",
            (Month, _) => "1-12, JAN-DEC, *",
            (DayOfMonth, CronDialect::Standard) => "1-31, L, LW, 15W, *, ?",
            (DayOfMonth, CronDialect::Apscheduler) => "1-31, last, *",
            (Weekday, CronDialect::Standard) => "0-7, SUN-SAT, 5L, 1#2, *, ?",
            (Weekday, CronDialect::Apscheduler) => "0-6 (0 is Monday), MON-SUN, *",
        };
        let step = match dialect {
            CronDialect::Standard => "a step",
            CronDialect::Apscheduler => "a step no larger than its range",
        };
        format!("{values}, a list, a range or {step}")
    }

    /// The names that stand for numbers in this field, and the number of the first.
    fn names(self, dialect: CronDialect) -> (&'static [&'static str], u32) {
        match (self, dialect) {
            (Month, _) => (
                &[
                    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV",
                    "DEC",
                ],
                1,
            ),
            (Weekday, CronDialect::Standard) => {
                (&["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], 0)
            }
            (Weekday, CronDialect::Apscheduler) => {
                (&["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"], 0)
            }
            _ => (&[], 0),
        }
    }

    /// The smallest number.
    fn min(self) -> u32 {
        match self {
            DayOfMonth | Month => 1,
            Second | Minute | Hour | Weekday => 0,
        }
    }

    /// The largest number, for a step that begins at a number and has no end.
    fn max(self) -> u32 {
        match self {
            Second | Minute => 59,
            Hour => 23,
            DayOfMonth => 31,
            Month => 12,
            Weekday => 6,
        }
    }
}

/// Six fields in the form that croner takes, with the meaning of the dialect already applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fields {
    /// Upper case, names replaced by numbers.
    pub(super) canonical: [String; 6],
    /// As written, for error texts.
    pub(super) written: [String; 6],
    /// Both day fields must match; otherwise one is enough.
    pub(super) days_and: bool,
    /// Minute or hour begins with `*`: the job follows elapsed time, not the time of day.
    pub(super) wildcard: bool,
}

impl Fields {
    /// Reads the fields of a spec.
    ///
    /// # Errors
    /// Characters beyond ASCII, an unknown `@name`, a wrong number of fields, or a field that does not
    /// follow the grammar. A number out of range passes here, croner refuses it.
    pub(super) fn parse(spec: &str, dialect: CronDialect) -> Result<Self, TriggerError> {
        if let Some(found) = spec.chars().find(|c| !c.is_ascii()) {
            return Err(TriggerError::not_ascii(spec, found));
        }
        let mut text = spec.trim_ascii();
        if text.starts_with('@') {
            text = nickname(text).ok_or_else(|| TriggerError::nickname(spec))?;
        }
        let written = split(text, dialect)
            .map_err(|(found, expected)| TriggerError::field_count(spec, found, expected))?;
        let mut canonical: [String; 6] = Default::default();
        for ((field, text), slot) in Field::ALL.into_iter().zip(&written).zip(&mut canonical) {
            *slot = canonical_field(field, text, dialect).ok_or_else(|| {
                TriggerError::field(spec, field.name(), text, field.expected(dialect))
            })?;
        }
        let star = |index: usize| canonical[index].starts_with('*');
        let (wildcard, days_star) = (star(1) || star(2), star(3) || star(5));
        // Debian's cron: a day field that begins with a star restricts the other one.
        let days_and = days_star || dialect == CronDialect::Apscheduler;
        Ok(Fields { canonical, written, days_and, wildcard })
    }

    /// The pattern as croner takes it.
    pub(super) fn pattern(&self) -> String {
        self.canonical.join(" ")
    }
}

/// What an `@name` stands for, written so that it means the same in both dialects.
fn nickname(text: &str) -> Option<&'static str> {
    match text.to_ascii_lowercase().as_str() {
        "@yearly" | "@annually" => Some("0 0 1 1 *"),
        "@monthly" => Some("0 0 1 * *"),
        "@weekly" => Some("0 0 * * SUN"),
        "@daily" | "@midnight" => Some("0 0 * * *"),
        "@hourly" => Some("0 * * * *"),
        _ => None,
    }
}

/// Six fields, the second being 0 where five are written; or how many there are and what was expected.
fn split(text: &str, dialect: CronDialect) -> Result<[String; 6], (usize, &'static str)> {
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    match (fields.as_slice(), dialect) {
        ([minute, hour, day, month, weekday], _) => {
            Ok(["0", minute, hour, day, month, weekday].map(str::to_owned))
        }
        ([second, minute, hour, day, month, weekday], CronDialect::Standard) => {
            Ok([second, minute, hour, day, month, weekday].map(|field| (*field).to_owned()))
        }
        (other, CronDialect::Standard) => Err((other.len(), "5, or 6 with seconds first")),
        (other, CronDialect::Apscheduler) => Err((other.len(), "5")),
    }
}

/// One field as croner takes it; `None`: it does not follow the grammar.
pub(super) fn canonical_field(field: Field, text: &str, dialect: CronDialect) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    if upper == "?" && dialect == CronDialect::Standard && matches!(field, DayOfMonth | Weekday) {
        return Some("*".to_owned());
    }
    let items = upper.split(',').map(|item| canonical_item(field, item, dialect));
    Some(items.collect::<Option<Vec<_>>>()?.join(","))
}

/// One item of a list: `*`, a value or a range, the latter with a step, or a day such as `15W`.
fn canonical_item(field: Field, item: &str, dialect: CronDialect) -> Option<String> {
    if dialect == CronDialect::Apscheduler {
        return apscheduler_item(field, item);
    }
    if let Some(day) = special_day(field, item) {
        return day;
    }
    let Some((base, step)) = item.split_once('/') else {
        return if item == "*" { Some(item.to_owned()) } else { span(field, item) };
    };
    let step = digits(step)?;
    if base == "*" {
        return Some(format!("*/{step}"));
    }
    // `5/10` has no end, which cron does not know, and croner says so.
    Some(format!("{}/{step}", span(field, base)?))
}

/// One item as APScheduler 3 reads it: `5/10` runs to the end of the range, a step after numbers is no larger than their
/// range, and one after names is passed over.
fn apscheduler_item(field: Field, item: &str) -> Option<String> {
    if item == "*" {
        return Some(item.to_owned());
    }
    if field == DayOfMonth && item == "LAST" {
        return Some("L".to_owned());
    }
    let (base, step) = match item.split_once('/') {
        Some((base, step)) => (base, Some(digits(step)?)),
        None => (item, None),
    };
    let (first, last) = base.split_once('-').unwrap_or((base, base));
    let is_named = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic());
    if is_named(first) != is_named(last) {
        return None;
    }
    let step = step.filter(|_| !is_named(first));
    let value = |text| value(field, text, CronDialect::Apscheduler);
    let is_open = step.is_some() && !base.contains('-');
    let (first, last) = match base {
        "*" => (field.min(), field.max()),
        _ if is_open => (value(first)?, field.max()),
        _ => (value(first)?, value(last)?),
    };
    let width = last.checked_sub(first)?;
    if step.is_some_and(|step| step == 0 || step > width) {
        return None;
    }
    if field == Weekday {
        return weekdays_from_monday(first..=last, step.unwrap_or(1));
    }
    let span = match base {
        "*" => base.to_owned(),
        _ if width == 0 => first.to_string(),
        _ => format!("{first}-{last}"),
    };
    Some(match step {
        Some(step) => format!("{span}/{step}"),
        None => span,
    })
}

/// `L`, `LW` and `15W` in the day of month, `5L`, `1#2` and `1-3#2` in the weekday. The outer `None`
/// means that the item is none of these, the inner one that it is wrong.
fn special_day(field: Field, item: &str) -> Option<Option<String>> {
    match field {
        DayOfMonth if item == "L" || item == "LW" => Some(Some(item.to_owned())),
        DayOfMonth => {
            let day = item.strip_suffix('W')?;
            Some(digits(day).map(|day| format!("{day}W")))
        }
        Weekday => {
            if let Some(day) = item.strip_suffix('L') {
                return Some(value(field, day, CronDialect::Standard).map(|day| format!("{day}L")));
            }
            let (days, nth) = item.split_once('#')?;
            let both = span(field, days).zip(digits(nth));
            Some(both.map(|(days, nth)| format!("{days}#{nth}")))
        }
        Second | Minute | Hour | Month => None,
    }
}

/// A value or a range of two, without a step.
fn span(field: Field, text: &str) -> Option<String> {
    let value = |text| value(field, text, CronDialect::Standard);
    let Some((first, last)) = text.split_once('-') else {
        return value(text).map(|value| value.to_string());
    };
    let (first, mut end) = (value(first)?, value(last)?);
    // `FRI-SUN`: Sunday closes the week here. `SUN-SUN` stays one day.
    if field == Weekday && last == "SUN" && first > 0 {
        end = 7;
    }
    Some(format!("{first}-{end}"))
}

/// A number or a name of the field.
fn value(field: Field, text: &str, dialect: CronDialect) -> Option<u32> {
    let (names, first) = field.names(dialect);
    let named = (first..).zip(names).find(|(_, name)| **name == text);
    named.map(|(number, _)| number).or_else(|| digits(text))
}

/// A number of at most three digits, more than any field or sensible step needs.
fn digits(text: &str) -> Option<u32> {
    let plain = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// Days in APScheduler's numbering, 0 is Monday and 6 Sunday, as a list in cron's.
fn weekdays_from_monday(days: RangeInclusive<u32>, step: u32) -> Option<String> {
    if *days.end() > Weekday.max() {
        return None;
    }
    let days = days.step_by(usize::try_from(step).ok()?).map(|day| ((day + 1) % 7).to_string());
    Some(days.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests;
