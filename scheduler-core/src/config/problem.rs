//! What can be wrong with a configuration, and where: every mistake of all files and of the environment is
//! collected here and reported at once. No text in this file ever holds the value of a secret.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
};

use super::settings::Setting;

/// The configuration was refused: nothing has been touched yet. Displays one line per mistake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// At least one mistake; the files first, in the order of their names and lines, then the environment.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

/// One mistake. Displays as one line, whatever the file holds: control characters are escaped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where the mistake stands.
    pub place: Place,
    /// What was found there and what was expected; never the value of a secret.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = format!("{}: {}", self.place, self.text);
        for c in line.chars() {
            if c.is_control() {
                write!(f, "{}", c.escape_default())?;
            } else {
                write!(f, "{c}")?;
            }
        }
        Ok(())
    }
}

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A file or, if the file itself is at fault, no line of it.
    File {
        /// As it would be opened from the working directory.
        path: PathBuf,
        /// Counted from 1.
        line: Option<usize>,
    },
    /// The environment variable of this name.
    Variable(String),
    /// The program that changed what was read, or made a configuration without files.
    Program,
}

impl Place {
    /// The file as a whole.
    pub(super) fn file(path: &Path) -> Place {
        Place::File { path: path.to_owned(), line: None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File { path, line: None } => write!(f, "{}", path.display()),
            Place::File { path, line: Some(line) } => write!(f, "{}:{line}", path.display()),
            Place::Variable(name) => write!(f, "environment {name}"),
            Place::Program => write!(f, "the program"),
        }
    }
}

/// Gathers mistakes, warnings, the names of the keys that were asked for, and what is in force.
///
/// The cells let the readers of nested tables share one report.
#[derive(Default)]
pub(super) struct Report {
    problems: RefCell<BTreeSet<Problem>>,
    garbled: RefCell<BTreeSet<Place>>,
    warnings: RefCell<Vec<String>>,
    known: RefCell<BTreeSet<(&'static str, String)>>,
    settings: RefCell<Vec<Setting>>,
}

impl Report {
    /// Notes a mistake. A second one on a line that is not TOML would be a guess, and is dropped.
    pub(super) fn problem(&self, place: Place, text: String) {
        if !self.garbled.borrow().contains(&place) {
            self.problems.borrow_mut().insert(Problem { place, text });
        }
    }

    /// Notes that a line is not TOML.
    pub(super) fn garbled(&self, place: Place, text: String) {
        self.problem(place.clone(), text);
        self.garbled.borrow_mut().insert(place);
    }

    /// Notes something that is allowed but unwise, once however often it is met.
    pub(super) fn warning(&self, text: String) {
        let mut warnings = self.warnings.borrow_mut();
        if !warnings.contains(&text) {
            warnings.push(text);
        }
    }

    /// Notes that `key` (with its table, as in `[jobs] threads`) of `file` has a meaning.
    pub(super) fn know(&self, file: &'static str, key: String) {
        self.known.borrow_mut().insert((file, key));
    }

    /// Notes what is in force for a key.
    pub(super) fn setting(&self, setting: Setting) {
        self.settings.borrow_mut().push(setting);
    }

    /// What was noted of that, in the order of reading.
    pub(super) fn take_settings(&self) -> Vec<Setting> {
        self.settings.take()
    }

    /// The keys that have a meaning, as (file, key).
    #[cfg(test)]
    pub(super) fn known(&self) -> BTreeSet<(&'static str, String)> {
        self.known.borrow().clone()
    }

    /// The warnings, if there is no mistake.
    ///
    /// # Errors
    ///
    /// All mistakes that were noted, in order.
    pub(super) fn verdict(self) -> Result<Vec<String>, ConfigError> {
        let problems: Vec<_> = self.problems.into_inner().into_iter().collect();
        if problems.is_empty() {
            Ok(self.warnings.into_inner())
        } else {
            Err(ConfigError { problems })
        }
    }
}
