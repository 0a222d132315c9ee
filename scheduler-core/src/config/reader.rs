//! Reads the keys of one table, each by a function that notes a mistake and goes on with the default, so that
//! all mistakes of a file are found in one go. The keys that were asked for are the keys that exist: what is
//! left over in the table is refused by [`Reader::finish`].

mod secret;
mod typed;

pub(super) use self::secret::Secret;

use super::{
    document::{Document, Entry, Tree, Value},
    nearest::{nearest, or_nearest},
    problem::{Place, Report},
    settings::{Origin, Setting},
};

/// A table that is being read.
pub(super) struct Reader<'a> {
    document: &'a Document,
    /// Its name, empty for the keys above the first table.
    table: String,
    /// As the documentation writes it in front of a key, where a table may have any name: `[*] `.
    pattern: &'static str,
    place: Place,
    entries: &'a Tree,
    known: Vec<&'static str>,
    /// The table that the defaults come from, if not from the program.
    heir_of: Option<&'static str>,
    /// Keys in whose place another one stands, and where that is.
    replaced: Option<(Place, &'static str, &'static [&'static str])>,
    pub(super) report: &'a Report,
}

/// Where an absent table is read.
static EMPTY: Tree = Tree::new();

/// Reads the keys above the first table, and the tables that `read` asks for by name.
pub(super) fn read_root<'a, T>(
    document: &'a Document,
    report: &'a Report,
    read: impl FnOnce(&mut Reader<'a>) -> T,
) -> T {
    let place = Place::file(&document.path);
    let reader = Reader::of(document, String::new(), "", place, &document.tree, report);
    reader.read_all(read)
}

/// Reads the table `name` of a file that does not have it.
pub(super) fn read_absent<'a, T>(
    document: &'a Document,
    report: &'a Report,
    name: &str,
    read: impl FnOnce(&mut Reader<'a>) -> T,
) -> T {
    let place = Place::file(&document.path);
    Reader::of(document, name.to_owned(), "[*] ", place, &EMPTY, report).read_all(read)
}

/// Reads a file in which every table is one thing of the same kind with a name of its own.
///
/// `first` names such a table, which is read first if it is there.
pub(super) fn read_named<'a, T>(
    document: &'a Document,
    report: &'a Report,
    first: &str,
    mut read: impl FnMut(&str, &mut Reader<'a>) -> T,
) -> Vec<(String, T)> {
    let mut named = Vec::new();
    let (before, after) = document.tree.iter().partition::<Vec<_>, _>(|(name, _)| *name == first);
    for (name, entry) in before.into_iter().chain(after) {
        if let Value::Table(entries) = &entry.value {
            let place = entry.place.clone();
            let reader = Reader::of(document, name.clone(), "[*] ", place, entries, report);
            if name.is_empty() {
                reader.remark_table("has no name, expected letters or digits");
            }
            named.push((name.clone(), reader.read_all(|t| read(name, t))));
        } else if document.is_whole {
            let text = format!("{name:?} stands outside a table, expected one such as [{first}]");
            report.problem(entry.place.clone(), text);
        }
    }
    named
}

impl<'a> Reader<'a> {
    fn of(
        document: &'a Document,
        table: String,
        pattern: &'static str,
        place: Place,
        entries: &'a Tree,
        report: &'a Report,
    ) -> Self {
        let (known, heir_of, replaced) = (Vec::new(), None, None);
        Self { document, table, pattern, place, entries, known, heir_of, replaced, report }
    }

    fn read_all<T>(mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let value = read(&mut self);
        self.finish();
        value
    }

    /// The keys of the table `name`, which may be absent.
    pub(super) fn table<T>(
        &mut self,
        name: &'static str,
        pattern: &'static str,
        read: impl FnOnce(&mut Reader<'a>) -> T,
    ) -> T {
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
        Reader::of(document, name.to_owned(), pattern, place, entries, report).read_all(read)
    }

    /// The tables below the table `name`, each of which has a name of its own; there may be none.
    pub(super) fn tables<T>(
        &mut self,
        name: &'static str,
        pattern: &'static str,
        mut read: impl FnMut(&str, &mut Reader<'a>) -> T,
    ) -> Vec<(String, T)> {
        self.known.push(name);
        let path = format!("{}.{name}", self.table);
        let entries = match self.entries.get(name) {
            Some(Entry { value: Value::Table(entries), .. }) => entries,
            Some(entry) => {
                self.mistake(name, entry, false, "a table");
                &EMPTY
            }
            None => &EMPTY,
        };
        let mut named = Vec::new();
        for (key, entry) in entries {
            let Value::Table(entries) = &entry.value else {
                let expected = format!("a table such as [{path}.ops]");
                self.mistake(key, entry, false, &expected);
                continue;
            };
            let (place, table) = (entry.place.clone(), format!("{path}.{key}"));
            let reader = Reader::of(self.document, table, pattern, place, entries, self.report);
            named.push((key.clone(), reader.read_all(|t| read(key, t))));
        }
        named
    }

    /// From now on, the defaults are those of the program, or what the table `name` says.
    pub(super) fn inherit(&mut self, name: Option<&'static str>) {
        self.heir_of = name;
    }

    /// Notes each of `keys` that is given although one of `others` is, which stands in their place. To be called before
    /// they are read.
    pub(super) fn replace_by(
        &mut self,
        others: [&'static str; 2],
        keys: &'static [&'static str],
    ) -> bool {
        let Some(other) = others.into_iter().find(|other| self.has(other)) else { return false };
        for key in keys.iter().filter(|key| self.has(key)) {
            self.remark(key, &format!("is given beside {other}, expected one of the two"));
        }
        self.replaced = Some((self.entries[other].place.clone(), others[0], keys));
        true
    }

    /// Leaves the table `name`, which may be absent, to somebody else.
    pub(super) fn leave(&mut self, name: &'static str) {
        self.known.push(name);
    }

    /// Whether the key is given, right or wrong.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Notes each of `keys` that is absent.
    pub(super) fn require(&self, keys: &[&str]) {
        for key in keys.iter().filter(|key| !self.has(key) && self.document.is_whole) {
            let text = format!("{}{key} is missing{}", self.prefix(), self.hint());
            self.report.problem(self.place.clone(), text);
        }
    }

    /// Notes a mistake about a key in free words.
    pub(super) fn remark(&self, key: &str, text: &str) {
        let place = self.entries.get(key).map_or(&self.place, |entry| &entry.place);
        self.report.problem(place.clone(), format!("{}{key} {text}", self.prefix()));
    }

    /// Notes that a key is allowed but unwise.
    pub(super) fn warn(&self, key: &str, text: &str) {
        let place = self.entries.get(key).map_or(&self.place, |entry| &entry.place);
        self.report.warning(format!("{place}: {}{key} {text}", self.prefix()));
    }

    /// Notes a mistake about the table as a whole.
    pub(super) fn remark_table(&self, text: &str) {
        self.report.problem(self.place.clone(), format!("{}{text}", self.prefix()));
    }

    /// `[default] ` in front of each key, nothing for the keys above the first table.
    fn prefix(&self) -> String {
        if self.pattern.is_empty() { String::new() } else { format!("[{}] ", self.table) }
    }

    /// Reads one key that is no secret, `default` if it is absent or wrong.
    fn value<T>(
        &mut self,
        key: &'static str,
        default: T,
        shown: impl FnOnce(&T) -> String,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> T {
        self.know(key);
        let value = self.read(key, false, parse).unwrap_or(default);
        let origin = match (self.entries.get(key), self.heir_of) {
            (Some(entry), _) => Origin::Given(entry.place.clone()),
            (None, Some(name)) => Origin::Table(name),
            (None, None) => Origin::Default,
        };
        self.note(key, shown(&value), origin);
        value
    }

    fn know(&mut self, key: &'static str) {
        self.known.push(key);
        self.report.know(self.document.name, format!("{}{key}", self.pattern));
    }

    /// What is given for a key, `None` if it is absent or wrong; `parse` says what it expected instead.
    fn read<T>(
        &self,
        key: &str,
        is_secret: bool,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        let entry = self.entries.get(key)?;
        let noted = |expected: String| self.mistake(key, entry, is_secret, &expected);
        parse(&entry.value).map_err(noted).ok()
    }

    /// Notes what is in force for a key.
    fn note(&self, key: &str, value: String, origin: Origin) {
        let (value, origin) = match &self.replaced {
            Some((place, other, keys)) if keys.contains(&key) => {
                (format!("by {other}"), Origin::Given(place.clone()))
            }
            _ => (value, origin),
        };
        let (file, table, key) = (self.document.name, self.table.clone(), key.to_owned());
        self.report.setting(Setting { file, table, key, value, origin });
    }

    fn mistake(&self, key: &str, entry: &Entry, is_secret: bool, expected: &str) {
        let prefix = self.prefix();
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
                let text = format!("{}unknown {kind} {key:?}, {help}", self.prefix());
                self.report.problem(entry.place.clone(), text);
            }
        }
    }

    /// A table that only the environment names may be a misspelt one.
    fn hint(&self) -> String {
        let Place::Variable(_) = self.place else {
            return String::new();
        };
        let own = self.table.as_str();
        let others = self.document.tree.keys().map(String::as_str).filter(|name| *name != own);
        nearest(own, others).map_or_else(String::new, |near| format!(", did you mean [{near}]?"))
    }
}
