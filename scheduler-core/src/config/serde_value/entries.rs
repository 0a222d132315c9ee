//! The keys of a table as a type asks for them: names that the environment has lost, and values that a variable gives from
//! a file.

use std::collections::btree_map;

use serde::de::{DeserializeSeed, Error as _, MapAccess, value::StrDeserializer};

use super::ValueReader;
use crate::config::{
    document::{Entry, Tree, Value, folded},
    mistake::Mistake,
    problem::Place,
};

/// The name that a key of the environment stands for: capitals and hyphens are lost there.
pub(super) fn name_in<'a>(key: &'a str, entry: &Entry, names: &[&'static str]) -> &'a str {
    if names.contains(&key) || !matches!(entry.place, Place::Variable(_)) {
        return key;
    }
    names.iter().copied().find(|name| folded(name) == folded(key)).unwrap_or(key)
}

/// What an entry stands for in a table of which `fields` are known to the type: its name, and the value or what is wrong
/// with it.
fn meaning<'a>(
    key: &'a str,
    entry: &'a Entry,
    fields: &[&'static str],
) -> (&'a str, Result<&'a Value, &'a str>) {
    let (key, value) = match &entry.value {
        Value::Filed(filed) if is_field(key, fields) => (key, Ok(&filed.path)),
        Value::Filed(filed) => (filed.key.as_str(), filed.content.as_ref().map_err(String::as_str)),
        value => (key, Ok(value)),
    };
    (name_in(key, entry, fields), value)
}

/// Whether the type has a key that the environment writes as `key`.
fn is_field(key: &str, fields: &[&'static str]) -> bool {
    fields.iter().any(|field| folded(field) == folded(key))
}

/// The keys of a table, of which `fields` are known to the type.
pub(super) struct Entries<'a> {
    table: &'a Tree,
    fields: &'static [&'static str],
    entries: btree_map::Iter<'a, String, Entry>,
    value: Option<(&'a str, &'a Entry)>,
}

impl<'a> Entries<'a> {
    pub(super) fn of(table: &'a Tree, fields: &'static [&'static str]) -> Self {
        Self { table, fields, entries: table.iter(), value: None }
    }

    /// Whether the file that a variable names gives the value of `key`.
    fn is_filed(&self, key: &str) -> bool {
        self.table.iter().any(|(other, entry)| {
            matches!(&entry.value, Value::Filed(filed) if filed.key == key)
                && !is_field(other, self.fields)
        })
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Mistake> {
        let (key, entry) = loop {
            let Some((key, entry)) = self.entries.next() else { return Ok(None) };
            if !self.is_filed(key) {
                break (key, entry);
            }
        };
        self.value = Some((key, entry));
        let (name, _) = meaning(key, entry, self.fields);
        let read = seed.deserialize(StrDeserializer::new(name));
        read.map(Some).map_err(|mistake: Mistake| mistake.at(&entry.place))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mistake> {
        let (key, entry) = self.value.take().expect("bug: a value was asked for before its key");
        let (name, value) = meaning(key, entry, self.fields);
        let value = value.map_err(Mistake::custom);
        let value = value.and_then(|value| seed.deserialize(ValueReader(value)));
        let key = if matches!(entry.value, Value::Filed(_)) { name } else { key };
        value.map_err(|mistake| mistake.under(key, Some(&entry.place)))
    }
}
