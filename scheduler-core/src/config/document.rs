//! Turns one TOML file into a tree in which every value knows its place. Says what is wrong with the file
//! itself: missing, a folder, too large, not UTF-8, not TOML. What the values mean is left to [`super::reader`].

use std::{
    collections::BTreeMap,
    fs::File,
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use toml::{
    de::{DeTable, DeValue},
    value::Datetime,
};

use super::problem::{Place, Report};

/// 1 MiB: a larger file is not a configuration, and reading one from a device would never end.
const MAX_BYTES: u64 = 1024 * 1024;

/// One configuration file, read but not yet understood.
pub(super) struct Document {
    /// The name without `.toml`.
    pub(super) name: &'static str,
    pub(super) path: PathBuf,
    pub(super) tree: Tree,
    /// False if parts could not be read: a key that seems missing or unknown is then no mistake of its own.
    pub(super) is_whole: bool,
}

/// Keys and what they hold.
pub(super) type Tree = BTreeMap<String, Entry>;

/// A value and where it stands. No `Debug`: it may be a secret.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) place: Place,
    pub(super) value: Value,
}

#[derive(Clone)]
pub(super) enum Value {
    Text(String),
    Integer(i128),
    Float(f64),
    Bool(bool),
    Datetime(Datetime),
    Array(Vec<Value>),
    Table(Tree),
    /// No key takes such a value; the words show it in a message.
    Other(String),
    /// From the environment: text that may stand for any type.
    Variable(String),
    /// From a variable `KEY_FILE` below `[app]`, where it may also be a key of that name.
    Filed(Box<Filed>),
}

/// The two things that a variable `KEY_FILE` may mean.
#[derive(Clone)]
pub(super) struct Filed {
    /// The key without `_file`.
    pub(super) key: String,
    /// The text of the variable, a [`Value::Variable`].
    pub(super) path: Value,
    /// The text of the file, a [`Value::Variable`]; else what is wrong with it.
    pub(super) content: Result<Value, String>,
}

impl Entry {
    pub(super) fn is_variable(&self) -> bool {
        matches!(self.place, Place::Variable(_))
    }
}

/// Reads `path`, noting what is wrong; an unreadable file yields an empty tree.
pub(super) fn open(name: &'static str, path: PathBuf, report: &Report) -> Document {
    match read_text(&path) {
        Ok(text) => parse(name, path, &text, report),
        Err((line, text)) => {
            report.problem(Place::File { path: path.clone(), line }, text);
            Document { name, path, tree: Tree::new(), is_whole: false }
        }
    }
}

/// The text of a file, without byte order mark; the error is a line and a sentence.
fn read_text(path: &Path) -> Result<String, (Option<usize>, String)> {
    let refuse = |text: String| (None, text);
    let cannot = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => refuse("no such file, expected one (it may be empty)".to_owned()),
        kind => refuse(format!("cannot be read: {kind}")),
    };
    let meta = std::fs::metadata(path).map_err(cannot)?;
    // Opening a pipe would wait for a writer, so look before opening.
    if !meta.is_file() {
        let kind = if meta.is_dir() { "a folder" } else { "a device, pipe or socket" };
        return Err(refuse(format!("is {kind}, expected a file")));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(cannot)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(refuse("is larger than 1 MiB, expected a configuration file".to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..good].iter().filter(|byte| **byte == b'\n').count() + 1;
        (Some(line), "is not UTF-8 text".to_owned())
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

fn parse(name: &'static str, path: PathBuf, text: &str, report: &Report) -> Document {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut seen = None;
    for error in &errors {
        // Without a span the end of the file is at fault.
        let span = error.span().unwrap_or(text.len()..text.len());
        let line = line_of(text, span.start);
        // Further errors on one line follow from its first.
        if seen.replace(line) == Some(line) {
            continue;
        }
        let (column, message) = (column_of(text, span.start), error.message());
        // A key is named, a value never: the text around a syntax error may be a password.
        let named = match text.get(span).filter(|_| message == "duplicate key") {
            Some(key) => format!("duplicate key {key:?}, expected each key once"),
            // The parser takes a bare word, and none, for a text.
            None if message.starts_with("string values must be quoted") => {
                "expected a number, true, false, or a text in quotes".to_owned()
            }
            None => message.to_owned(),
        };
        let place = Place::File { path: path.clone(), line: Some(line) };
        report.garbled(place, format!("column {column}: {named}"));
    }
    let tree = convert_table(table.into_inner(), text, &path);
    Document { name, path, tree, is_whole: errors.is_empty() }
}

fn convert_table(table: DeTable<'_>, text: &str, path: &Path) -> Tree {
    let entries = table.into_iter().map(|(key, value)| {
        let line = Some(line_of(text, key.span().start));
        let place = Place::File { path: path.to_owned(), line };
        let value = convert(value.into_inner(), text, path);
        (key.into_inner().into_owned(), Entry { place, value })
    });
    entries.collect()
}

fn convert(value: DeValue<'_>, text: &str, path: &Path) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(digits) => i128::from_str_radix(digits.as_str(), digits.radix())
            .map_or_else(|_| Value::Other("a very large number".to_owned()), Value::Integer),
        DeValue::Boolean(flag) => Value::Bool(flag),
        DeValue::Float(digits) => digits.as_str().parse().map_or_else(
            |_| Value::Other("a number that is not understood".to_owned()),
            Value::Float,
        ),
        DeValue::Datetime(datetime) => Value::Datetime(datetime),
        DeValue::Array(values) => {
            let values = values.into_iter().map(|value| convert(value.into_inner(), text, path));
            Value::Array(values.collect())
        }
        DeValue::Table(table) => Value::Table(convert_table(table, text, path)),
    }
}

/// A name as a variable of the environment can write it, which knows neither case nor hyphen.
pub(super) fn folded(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}

/// The line that holds the byte `offset`, from 1.
fn line_of(text: &str, offset: usize) -> usize {
    let bytes = text.as_bytes();
    bytes[..offset.min(bytes.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// The column of the byte `offset`, in characters from 1.
fn column_of(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or(text);
    before.chars().rev().take_while(|c| *c != '\n').count() + 1
}
