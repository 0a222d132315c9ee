//! `[app.NAME]` in `common.toml`: settings of the jobs, in a shape that only the program knows. A program declares
//! each as a [`Section`] with a type of its own, and serde reads it.
//!
//! The values may be secrets of any shape, so none stands in a message: a mistake says which key, what kind of
//! value stands there, and what was expected. What a type of the program says in its own words is passed on,
//! unless it quotes a text of the section.

use std::{
    any::{Any, TypeId, type_name},
    fmt,
    sync::Arc,
};

use serde::de::DeserializeOwned;

use super::{
    ConfigError,
    document::{Document, Entry, Tree, Value, folded},
    mistake::Mistake,
    nearest::or_nearest,
    problem::{Place, Report},
    serde_value::deserialize_table,
    settings::{NOT_SHOWN, Origin, Setting},
};

/// What stands under `[app]`, the environment laid over it, not yet understood.
#[derive(Clone)]
pub struct AppTable {
    /// Where a section that is missing would stand.
    place: Place,
    entries: Tree,
    /// False if parts of the file could not be read: what seems missing or unknown is then no mistake of its own.
    is_whole: bool,
}

/// What a section was read into: a value of the type that was declared for it.
pub type SectionValue = Arc<dyn Any + Send + Sync>;

/// The section `[app.NAME]` and the type that it is read into.
#[derive(Clone, Copy)]
pub struct Section {
    name: &'static str,
    type_id: TypeId,
    type_name: &'static str,
    /// Reads a [`Value::Table`].
    read: fn(&Value) -> Result<SectionValue, Mistake>,
}

impl Section {
    /// The section `[app.name]`, read into a `T`.
    #[must_use]
    pub fn of<T: DeserializeOwned + Send + Sync + 'static>(name: &'static str) -> Self {
        let read = |table: &Value| -> Result<SectionValue, Mistake> {
            deserialize_table::<T>(table).map(|value| Arc::new(value) as SectionValue)
        };
        Self { name, type_id: TypeId::of::<T>(), type_name: type_name::<T>(), read }
    }

    /// Its name, without `app.`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The type that it is read into.
    #[must_use]
    pub fn type_id(&self) -> TypeId {
        self.type_id
    }

    /// The name of that type, for people.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }
}

impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[app.{}] as {}", self.name, self.type_name)
    }
}

/// The names of the sections; the values may be secrets.
impl fmt::Debug for AppTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.entries.keys()).finish()
    }
}

impl Default for AppTable {
    /// Nothing, and no file where anything could stand.
    fn default() -> Self {
        Self { place: Place::Program, entries: Tree::new(), is_whole: true }
    }
}

impl AppTable {
    /// The table `[app]` of `document`, which is `common.toml`.
    pub(super) fn of(document: &Document, report: &Report) -> Self {
        let is_whole = document.is_whole;
        let app = document.tree.get("app");
        note_all(document.name, "app", app, report);
        match app {
            None => Self { place: Place::file(&document.path), entries: Tree::new(), is_whole },
            Some(Entry { place, value: Value::Table(entries) }) => {
                Self { place: place.clone(), entries: entries.clone(), is_whole }
            }
            Some(Entry { place, value }) => {
                report.problem(place.clone(), not_a_table("app", place, value));
                Self { place: place.clone(), entries: Tree::new(), is_whole: false }
            }
        }
    }

    /// Reads `sections` and notes every mistake, also a section that stands here and in no type; what was read is
    /// in the order of `sections`.
    pub(super) fn read(&self, sections: &[Section], report: &Report) -> Vec<SectionValue> {
        for (name, entry) in self.entries.iter().filter(|_| self.is_whole) {
            if !sections.iter().any(|section| is_named(name, entry, section.name)) {
                let help = if sections.is_empty() {
                    "expected what the program declares with App::config, which is nothing"
                        .to_owned()
                } else {
                    or_nearest(name, sections.iter().map(|section| section.name))
                };
                let kind = if matches!(entry.value, Value::Table(_)) { "table" } else { "key" };
                report
                    .problem(entry.place.clone(), format!("[app] unknown {kind} {name:?}, {help}"));
            }
        }
        sections.iter().filter_map(|section| self.read_one(section, report)).collect()
    }

    fn read_one(&self, section: &Section, report: &Report) -> Option<SectionValue> {
        let name = section.name;
        let named = self.entries.iter().find(|(key, entry)| is_named(key, entry, name));
        match named {
            Some((_, Entry { place, value: value @ Value::Table(table) })) => {
                let noted = |mistake: Mistake| {
                    if self.is_whole || !mistake.is_about_absence() {
                        let (place, text) = mistake.said_in(name, place, table);
                        report.problem(place, text);
                    }
                };
                (section.read)(value).map_err(noted).ok()
            }
            Some((_, Entry { place, value })) => {
                report.problem(place.clone(), not_a_table(&format!("app.{name}"), place, value));
                None
            }
            // A type that needs nothing needs no section.
            None => {
                let read = (section.read)(&Value::Table(Tree::new())).ok();
                if read.is_none() && self.is_whole {
                    let expected = section.type_name;
                    let text =
                        format!("[app.{name}] is missing, expected the settings of {expected}");
                    report.problem(self.place.clone(), text);
                }
                read
            }
        }
    }
}

/// Notes where each key of `table` comes from, without its value.
fn note_all(file: &'static str, table: &str, entry: Option<&Entry>, report: &Report) {
    let Some(Value::Table(entries)) = entry.map(|entry| &entry.value) else { return };
    let filed = |key: &String| {
        let mut values = entries.values().map(|entry| &entry.value);
        values.any(|value| matches!(value, Value::Filed(filed) if filed.key == *key))
    };
    let is_table = |(_, entry): &(&String, &Entry)| matches!(entry.value, Value::Table(_));
    let (tables, keys) = entries.iter().partition::<Vec<_>, _>(is_table);
    for (key, entry) in keys.into_iter().filter(|(key, _)| !filed(key)) {
        let key = if let Value::Filed(filed) = &entry.value { &filed.key } else { key };
        let (table, key, value) = (table.to_owned(), key.clone(), NOT_SHOWN.to_owned());
        let origin = Origin::Given(entry.place.clone());
        report.setting(Setting { file, table, key, value, origin });
    }
    for (name, entry) in tables {
        note_all(file, &format!("{table}.{name}"), Some(entry), report);
    }
}

/// A variable is written in capitals and knows no hyphen, so its table has lost both.
fn is_named(key: &str, entry: &Entry, name: &str) -> bool {
    key == name || matches!(entry.place, Place::Variable(_)) && folded(key) == folded(name)
}

fn not_a_table(name: &str, place: &Place, value: &Value) -> String {
    match place {
        Place::Variable(_) => "the value (not shown) is refused, expected a table".to_owned(),
        _ => format!("[{name}] is {}, expected a table", value.kind()),
    }
}

impl super::Config {
    /// Reads `sections` from what [`load`](Self::load) has found under `[app]`, in their order.
    ///
    /// # Errors
    ///
    /// Every mistake in them, and each section that stands in the file but not in `sections`.
    pub fn read_sections(&self, sections: &[Section]) -> Result<Vec<SectionValue>, ConfigError> {
        let report = Report::default();
        let values = self.app.read(sections, &report);
        report.verdict()?;
        Ok(values)
    }
}
