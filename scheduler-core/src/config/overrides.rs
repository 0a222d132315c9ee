//! Lays environment variables over the files: `SCHEDULER__<FILE>__<KEY>` or
//! `SCHEDULER__<FILE>__<TABLE>__<KEY>`. Afterwards the reader treats them like values of the files, so that an
//! unknown key or a wrong value is refused in the same words.

use std::collections::BTreeMap;

use super::{
    document::{Document, Entry, Tree, Value},
    nearest::or_nearest,
    problem::{Place, Report},
};

/// What every variable of ours begins with.
pub(super) const PREFIX: &str = "SCHEDULER__";

/// The variables of this process that override the configuration, for [`super::Config::load`].
///
/// Bytes that are not UTF-8 become U+FFFD, which `load` refuses.
pub fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into(), value.to_string_lossy().into()))
        .filter(|(name, _): &(String, String)| name.starts_with(PREFIX))
        .collect()
}

/// Puts the variables that begin with [`PREFIX`] in the place of what the files say.
pub(super) fn apply(
    documents: &mut [Document],
    env: impl IntoIterator<Item = (String, String)>,
    report: &Report,
) {
    // Sorted, so that what is reported does not depend on the order of the environment.
    let env: BTreeMap<_, _> = env.into_iter().collect();
    for (name, value) in env {
        let Some(rest) = name.strip_prefix(PREFIX) else {
            continue;
        };
        if let Err(text) = apply_one(documents, &name, &rest.to_lowercase(), value) {
            report.problem(Place::Variable(name), text);
        }
    }
}

fn apply_one(
    documents: &mut [Document],
    name: &str,
    rest: &str,
    value: String,
) -> Result<(), String> {
    if value.contains('\u{fffd}') {
        return Err("the value is not valid UTF-8".to_owned());
    }
    let segments: Vec<&str> = rest.split("__").collect();
    let (file, table, key) = match segments.as_slice() {
        [file, key] => (*file, None, *key),
        [file, table @ .., key] if !table.is_empty() => (*file, Some(table.join("__")), *key),
        _ => return Err(shape()),
    };
    if key.is_empty() || table.as_deref() == Some("") {
        return Err(shape());
    }
    let files: Vec<&str> = documents.iter().map(|document| document.name).collect();
    let Some(at) = files.iter().position(|known| *known == file) else {
        return Err(format!("unknown file {file:?}, {}", or_nearest(file, files)));
    };
    let place = Place::Variable(name.to_owned());
    let tree = match table {
        None => &mut documents[at].tree,
        Some(table) => match table_of(&mut documents[at].tree, &table, &place) {
            Some(tree) => tree,
            // The file has a plain value where a table belongs; the reader reports that.
            None => return Ok(()),
        },
    };
    match tree.get(key) {
        Some(Entry { value: Value::Table(_), .. }) => {
            Err(format!("{key:?} is a table, expected {PREFIX}<FILE>__<TABLE>__<KEY>"))
        }
        Some(Entry { place: Place::Variable(other), .. }) => {
            Err(format!("{other} sets the same key, expected one of the two"))
        }
        _ => {
            tree.insert(key.to_owned(), Entry { place, value: Value::Variable(value) });
            Ok(())
        }
    }
}

fn shape() -> String {
    format!("does not name a key, expected {PREFIX}<FILE>__<TABLE>__<KEY>")
}

/// The table `name`, whatever its case, made if there is none.
fn table_of<'a>(tree: &'a mut Tree, name: &str, place: &Place) -> Option<&'a mut Tree> {
    let existing = tree.keys().find(|key| key.to_lowercase() == name).cloned();
    let fresh = || Entry { place: place.clone(), value: Value::Table(Tree::new()) };
    match &mut tree.entry(existing.unwrap_or_else(|| name.to_owned())).or_insert_with(fresh).value {
        Value::Table(table) => Some(table),
        _ => None,
    }
}
