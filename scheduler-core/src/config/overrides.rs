//! Lays environment variables over the files: `SCHEDULER__<FILE>__<KEY>` or `SCHEDULER__<FILE>__<TABLE>__<KEY>`, and
//! below `SCHEDULER__COMMON__APP__` as many tables as there are. Afterwards the reader treats them like values of the
//! files, so that an unknown key or a wrong value is refused in the same words.
//!
//! A variable `KEY_FILE` names a file that holds the value. The reader knows of which keys of ours that is true; of those
//! of the program the type does, so that there both meanings are kept.

use std::{collections::BTreeMap, path::Path};

use super::{
    document::{Document, Entry, Filed, Tree, Value, folded},
    nearest::or_nearest,
    problem::{Place, Report},
    secret_file,
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
    let (file, tables, key) = match segments.as_slice() {
        [file, key] => (*file, Vec::new(), *key),
        [file, tables @ .., key] if !tables.is_empty() => (*file, path_of(file, tables), *key),
        _ => return Err(shape()),
    };
    if key.is_empty() || tables.iter().any(String::is_empty) {
        return Err(shape());
    }
    let files: Vec<&str> = documents.iter().map(|document| document.name).collect();
    let Some(at) = files.iter().position(|known| *known == file) else {
        return Err(format!("unknown file {file:?}, {}", or_nearest(file, files)));
    };
    let place = Place::Variable(name.to_owned());
    let mut tree = &mut documents[at].tree;
    for table in &tables {
        match table_of(tree, table, &place) {
            Some(inner) => tree = inner,
            // There is a plain value where a table belongs; the reader reports that.
            None => return Ok(()),
        }
    }
    let is_app = is_app(file, &tables);
    let key = if is_app { existing(tree, key) } else { key.to_owned() };
    match tree.get(&key) {
        Some(Entry { value: Value::Table(_), .. }) => {
            return Err(format!("{key:?} is a table, expected {PREFIX}<FILE>__<TABLE>__<KEY>"));
        }
        Some(Entry { place: Place::Variable(other), .. }) => {
            return Err(format!("{other} sets the same key, expected one of the two"));
        }
        Some(_) => {}
        // Not of a section as a whole.
        None if is_app && tables.len() > 1 => {
            if let Some(plain) = key.strip_suffix("_file").filter(|plain| !plain.is_empty()) {
                let value = filed(tree, plain, value)?;
                tree.insert(key, Entry { place, value });
                return Ok(());
            }
        }
        None => {}
    }
    tree.insert(key, Entry { place, value: Value::Variable(value) });
    Ok(())
}

/// The value of `plain`, from the file that `path` names.
fn filed(tree: &Tree, plain: &str, path: String) -> Result<Value, String> {
    let key = existing(tree, plain);
    if let Some(Entry { place: Place::Variable(other), .. }) = tree.get(&key) {
        return Err(format!("{other} gives the same value, expected one of the two"));
    }
    let content = secret_file::read(Path::new(&path)).map(Value::Variable);
    let content = content.map_err(|reason| secret_file::named(&path, &reason));
    Ok(Value::Filed(Box::new(Filed { key, path: Value::Variable(path), content })))
}

/// The names of the tables, from the outermost. Pools and loggers are not nested, and may have `__` in their name.
fn path_of(file: &str, tables: &[&str]) -> Vec<String> {
    match file {
        "common" => tables.iter().map(|&table| table.to_owned()).collect(),
        _ => vec![tables.join("__")],
    }
}

/// Whether the keys are those of the program, in letters of its choice.
fn is_app(file: &str, tables: &[String]) -> bool {
    file == "common" && tables.first().is_some_and(|table| table == "app")
}

fn shape() -> String {
    format!("does not name a key, expected {PREFIX}<FILE>__<TABLE>__<KEY>")
}

/// The table `name`, whatever its case, made if there is none.
fn table_of<'a>(tree: &'a mut Tree, name: &str, place: &Place) -> Option<&'a mut Tree> {
    let fresh = || Entry { place: place.clone(), value: Value::Table(Tree::new()) };
    match &mut tree.entry(existing(tree, name)).or_insert_with(fresh).value {
        Value::Table(table) => Some(table),
        _ => None,
    }
}

/// The name by which `tree` has `name`, whatever its case; if it has none, `name` itself.
fn existing(tree: &Tree, name: &str) -> String {
    if tree.contains_key(name) {
        return name.to_owned();
    }
    let known = tree.keys().find(|key| folded(key) == folded(name));
    known.map_or_else(|| name.to_owned(), Clone::clone)
}
