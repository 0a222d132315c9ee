//! Keys that hold a secret: each has a second one, `KEY_file`, that names a file which holds it.

use std::{
    cmp::Ordering,
    path::{Path, PathBuf},
};

use secrecy::SecretString;

use super::Reader;
use crate::config::{
    document::Entry,
    problem::Place,
    secret_file,
    settings::{InToml as _, NONE, Origin, SECRET},
};

/// What was read.
#[derive(Default)]
pub(in crate::config) struct Secret {
    pub(in crate::config) text: Option<SecretString>,
    /// The file that it came from.
    pub(in crate::config) file: Option<PathBuf>,
}

impl Reader<'_> {
    /// Text that is never shown, for which `is_good` holds: that of the first of `keys`, or of the file that the second
    /// one names. Of the two a variable takes the place of what the file says.
    pub(in crate::config) fn secret(
        &mut self,
        keys: [&'static str; 2],
        expected: &str,
        is_good: impl Fn(&str) -> bool,
    ) -> Secret {
        keys.into_iter().for_each(|key| self.know(key));
        let [given, filed] = keys.map(|key| self.entries.get(key));
        let rank = |entry: Option<&Entry>| entry.map(Entry::is_variable);
        let (secret, in_force) = match rank(given).cmp(&rank(filed)) {
            Ordering::Greater => (self.given(keys[0], expected, is_good), given),
            Ordering::Less => (self.filed(keys[1], expected, is_good), filed),
            Ordering::Equal => {
                if let Some((given, filed)) = given.zip(filed) {
                    self.refuse_both(keys, &given.place, &filed.place);
                }
                (Secret::default(), None)
            }
        };
        let origin = in_force.map_or(Origin::Default, |entry| Origin::Given(entry.place.clone()));
        let shown = if secret.text.is_some() { SECRET } else { NONE };
        self.note(keys[0], shown.to_owned(), origin.clone());
        let path = secret.file.as_deref().map_or_else(|| NONE.to_owned(), Path::in_toml);
        self.note(keys[1], path, if filed.is_some() { origin } else { Origin::Default });
        secret
    }

    fn given(&self, key: &str, expected: &str, is_good: impl Fn(&str) -> bool) -> Secret {
        let text = self.read(key, true, |value| {
            let text = value.as_text().filter(|text| is_good(text));
            text.map(str::to_owned).ok_or_else(|| expected.to_owned())
        });
        let is_written = !self.entries[key].is_variable();
        if is_written && text.as_ref().is_some_and(|text| !text.is_empty()) {
            self.warn_about_mode();
        }
        Secret { text: text.map(SecretString::from), file: None }
    }

    fn filed(&self, key: &str, expected: &str, is_good: impl Fn(&str) -> bool) -> Secret {
        let file = self.read(key, false, |value| {
            let path = value.as_text().filter(|path| !path.is_empty());
            let path = path.filter(|path| !path.chars().any(char::is_control));
            path.map(PathBuf::from).ok_or_else(|| "the path of a file".to_owned())
        });
        let Some(path) = file else { return Secret::default() };
        let text = secret_file::read(&path).and_then(|text| match text {
            text if text.chars().any(char::is_control) => {
                Err("holds control characters or several lines, expected a secret".to_owned())
            }
            text if !is_good(&text) => Err(format!("is wrong (not shown), expected {expected}")),
            text => Ok(text),
        });
        let noted = |reason: String| {
            self.remark(key, &secret_file::named(&path.to_string_lossy(), &reason));
        };
        Secret { text: text.map(SecretString::from).map_err(noted).ok(), file: Some(path) }
    }

    fn refuse_both(&self, [key, file_key]: [&str; 2], given: &Place, filed: &Place) {
        match (given, filed) {
            (Place::Variable(given), Place::Variable(filed)) => {
                let text = format!("{given} gives the same value, expected one of the two");
                self.report.problem(Place::Variable(filed.clone()), text);
            }
            _ => self.remark(key, &format!("is given beside {file_key}, expected one of the two")),
        }
    }

    /// A secret in a file that others may read is allowed, but said.
    fn warn_about_mode(&self) {
        let path = &self.document.path;
        if let Some(mode) = secret_file::open_mode(path) {
            self.report.warning(format!(
                "{}: holds a password and has mode {mode:04o}, expected 0600, or the password elsewhere",
                path.display()
            ));
        }
    }
}
