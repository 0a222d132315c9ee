//! Reads the keys of one table, each by a function that notes a mistake and goes on with the default, so that
//! all mistakes of a file are found in one go. The keys that were asked for are the keys that exist: what is
//! left over in the table is refused by [`Reader::finish`].

use std::{fmt::Display, ops::RangeInclusive, time::Duration};

use secrecy::SecretString;

use super::{
    document::{Document, Entry, Tree, Value},
    nearest::{nearest, or_nearest},
    problem::{Place, Report},
    value::{limits_of_durations, limits_of_numbers},
};

/// A table that is being read.
pub(super) struct Reader<'a> {
    document: &'a Document,
    /// `[default] ` in front of each key, nothing for the keys above the first table.
    prefix: String,
    /// The same as the documentation writes it, where a table may have any name.
    pattern: &'static str,
    place: Place,
    entries: &'a Tree,
    known: Vec<&'static str>,
    pub(super) report: &'a Report,
}

/// Reads the keys above the first table, and the tables that `read` asks for by name.
pub(super) fn read_root<'a, T>(
    document: &'a Document,
    report: &'a Report,
    read: impl FnOnce(&mut Reader<'a>) -> T,
) -> T {
    let mut reader = Reader {
        document,
        prefix: String::new(),
        pattern: "",
        place: Place::file(&document.path),
        entries: &document.tree,
        known: Vec::new(),
        report,
    };
    let value = read(&mut reader);
    reader.finish();
    value
}

/// Reads a file in which every table is one thing of the same kind with a name of its own.
///
/// `example` names such a table.
pub(super) fn read_named<'a, T>(
    document: &'a Document,
    report: &'a Report,
    example: &str,
    mut read: impl FnMut(&str, &mut Reader<'a>) -> T,
) -> Vec<(String, T)> {
    let mut named = Vec::new();
    for (name, entry) in &document.tree {
        if let Value::Table(entries) = &entry.value {
            let prefix = format!("[{name}] ");
            let place = entry.place.clone();
            let known = Vec::new();
            let pattern = "[*] ";
            let mut reader = Reader { document, prefix, pattern, place, entries, known, report };
            if name.is_empty() {
                reader.remark_table("has no name, expected letters or digits");
            }
            named.push((name.clone(), read(name, &mut reader)));
            reader.finish();
        } else if document.is_whole {
            let text = format!("{name:?} stands outside a table, expected one such as [{example}]");
            report.problem(entry.place.clone(), text);
        }
    }
    named
}

impl<'a> Reader<'a> {
    /// `true` or `false`.
    pub(super) fn bool(&mut self, key: &'static str, default: bool) -> bool {
        let parse = |value: &Value| value.as_bool().ok_or_else(|| "true or false".to_owned());
        self.optional(key, parse).unwrap_or(default)
    }

    /// A whole number.
    pub(super) fn integer<T>(
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
        self.optional(key, parse).unwrap_or(default)
    }

    /// Whole seconds, or text such as `250ms` or `1h30m`.
    pub(super) fn duration(
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
        self.optional(key, parse).unwrap_or(default)
    }

    /// The same, or `never`; `None` if it is absent or wrong.
    pub(super) fn duration_or_never(
        &mut self,
        key: &'static str,
        range: RangeInclusive<Duration>,
    ) -> Option<Option<Duration>> {
        let parse = |value: &Value| match value.as_text() {
            Some("never") => Ok(None),
            _ => value
                .as_duration()
                .filter(|duration| range.contains(duration))
                .map(Some)
                .ok_or_else(|| {
                    let limits = limits_of_durations(&range);
                    format!("\"never\", or {limits}, as whole seconds or as text such as \"90d\"")
                }),
        };
        self.optional(key, parse)
    }

    /// One of several names, whatever their case.
    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, names: &[(&str, T)]) -> Option<T> {
        let parse = |value: &Value| {
            let text = value.as_text().unwrap_or_default().to_lowercase();
            let chosen = names.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
            chosen.ok_or_else(|| {
                let names: Vec<_> = names.iter().map(|(name, _)| format!("{name:?}")).collect();
                format!("one of {}", names.join(", "))
            })
        };
        self.optional(key, parse)
    }

    /// Text that is not empty and is accepted by `parse`; `expected` says what it accepts.
    pub(super) fn text<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        self.text_or_else(key, |text| parse(text).ok_or_else(|| expected.to_owned()), expected)
    }

    /// The same, where what was expected depends on the text; `expected` is for what is not even text.
    pub(super) fn text_or_else<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
        expected: &str,
    ) -> Option<T> {
        self.optional(key, |value| {
            let text = value.as_text().filter(|text| !text.is_empty());
            let text = text.filter(|text| !text.chars().any(char::is_control));
            text.ok_or_else(|| expected.to_owned()).and_then(parse)
        })
    }

    /// Text that is never shown, for which `is_good` holds.
    pub(super) fn secret(
        &mut self,
        key: &'static str,
        expected: &str,
        is_good: impl FnOnce(&str) -> bool,
    ) -> Option<SecretString> {
        let parse = |value: &Value| {
            let text = value.as_text().filter(|text| is_good(text));
            text.map(SecretString::from).ok_or_else(|| expected.to_owned())
        };
        self.read(key, true, parse)
    }

    /// The keys of the table `name`, which may be absent.
    pub(super) fn table<T>(
        &mut self,
        name: &'static str,
        pattern: &'static str,
        read: impl FnOnce(&mut Reader<'a>) -> T,
    ) -> T {
        static EMPTY: Tree = Tree::new();
        self.known.push(name);
        let (place, entries) = match self.entries.get(name) {
            Some(Entry { place, value: Value::Table(entries) }) => (place.clone(), entries),
            Some(entry) => {
                self.mistake(name, entry, false, "a table");
                (entry.place.clone(), &EMPTY)
            }
            None => (self.place.clone(), &EMPTY),
        };
        let (document, report) = (self.document, self.report);
        let (prefix, known) = (format!("[{name}] "), Vec::new());
        let mut reader = Reader { document, prefix, pattern, place, entries, known, report };
        let value = read(&mut reader);
        reader.finish();
        value
    }

    /// Leaves the table `name`, which may be absent, to somebody else.
    pub(super) fn leave(&mut self, name: &'static str) {
        self.known.push(name);
    }

    /// Whether the key is given, right or wrong.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// The key, if it is given by its file and not by the environment.
    pub(super) fn is_in_file(&self, key: &str) -> bool {
        self.entries.get(key).is_some_and(|entry| matches!(entry.place, Place::File { .. }))
    }

    /// The file that is being read.
    pub(super) fn path(&self) -> &'a std::path::Path {
        &self.document.path
    }

    /// Notes each of `keys` that is absent.
    pub(super) fn require(&self, keys: &[&str]) {
        for key in keys.iter().filter(|key| !self.has(key) && self.document.is_whole) {
            let text = format!("{}{key} is missing{}", self.prefix, self.hint());
            self.report.problem(self.place.clone(), text);
        }
    }

    /// Notes each of `keys` that is given although `other`, which replaces it, is given as well.
    pub(super) fn refuse_beside(&self, other: &str, keys: &[&str]) {
        if self.has(other) {
            for key in keys.iter().filter(|key| self.has(key)) {
                self.remark(key, &format!("is given beside {other}, expected one of the two"));
            }
        }
    }

    /// Notes a mistake about a key in free words.
    pub(super) fn remark(&self, key: &str, text: &str) {
        let place = self.entries.get(key).map_or(&self.place, |entry| &entry.place);
        self.report.problem(place.clone(), format!("{}{key} {text}", self.prefix));
    }

    /// Notes that a key is allowed but unwise.
    pub(super) fn warn(&self, key: &str, text: &str) {
        let place = self.entries.get(key).map_or(&self.place, |entry| &entry.place);
        self.report.warning(format!("{place}: {}{key} {text}", self.prefix));
    }

    /// Notes a mistake about the table as a whole.
    pub(super) fn remark_table(&self, text: &str) {
        self.report.problem(self.place.clone(), format!("{}{text}", self.prefix));
    }

    fn optional<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        self.read(key, false, parse)
    }

    /// Reads one key, `None` if it is absent or wrong; `parse` says what it expected instead.
    fn read<T>(
        &mut self,
        key: &'static str,
        is_secret: bool,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        self.known.push(key);
        self.report.know(self.document.name, format!("{}{key}", self.pattern));
        let entry = self.entries.get(key)?;
        let noted = |expected: String| self.mistake(key, entry, is_secret, &expected);
        parse(&entry.value).map_err(noted).ok()
    }

    fn mistake(&self, key: &str, entry: &Entry, is_secret: bool, expected: &str) {
        let prefix = &self.prefix;
        let found = || entry.value.shown();
        let text = match (&entry.place, is_secret) {
            (Place::Variable(_), false) => format!("{} is refused", found()),
            (Place::Variable(_), true) => "the value (not shown) is refused".to_owned(),
            (_, false) => format!("{prefix}{key} is {}", found()),
            (_, true) => format!("{prefix}{key} is wrong (not shown)"),
        };
        self.report.problem(entry.place.clone(), format!("{text}, expected {expected}"));
    }

    /// Refuses the keys that nobody asked for. Their values stay unshown: a misspelt `password` is one.
    fn finish(self) {
        for (key, entry) in self.entries.iter().filter(|_| self.document.is_whole) {
            if !self.known.contains(&key.as_str()) {
                let kind = if matches!(entry.value, Value::Table(_)) { "table" } else { "key" };
                let help = or_nearest(key, self.known.iter().copied());
                let text = format!("{}unknown {kind} {key:?}, {help}", self.prefix);
                self.report.problem(entry.place.clone(), text);
            }
        }
    }

    /// A table that only the environment names may be a misspelt one.
    fn hint(&self) -> String {
        let Place::Variable(_) = self.place else {
            return String::new();
        };
        let own = self.prefix.trim_matches(['[', ']', ' ']);
        let others = self.document.tree.keys().map(String::as_str).filter(|name| *name != own);
        nearest(own, others).map_or_else(String::new, |near| format!(", did you mean [{near}]?"))
    }
}
