//! Changes for the worse that the tests must notice, from `tests/mutants.toml`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

/// A change for the worse.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutant {
    /// What it is called.
    pub name: String,
    /// What goes wrong by it.
    pub what: String,
    /// What notices it: `simulate`, or a test of the package `tests`.
    pub caught_by: String,
    file: PathBuf,
    old: String,
    new: String,
    also: Option<Edit>,
}

/// A text in a file, and what takes its place.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    file: PathBuf,
    old: String,
    new: String,
}

#[derive(Deserialize)]
struct List {
    mutant: Vec<Mutant>,
}

/// The root of the workspace.
#[must_use]
pub fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// All mutants.
///
/// # Errors
/// When the list does not read.
pub fn all() -> anyhow::Result<Vec<Mutant>> {
    let path = workspace().join("tests/mutants.toml");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let list: List = toml::from_str(&text).with_context(|| path.display().to_string())?;
    Ok(list.mutant)
}

impl Mutant {
    /// The files that it changes, below `root`, as they are and as they become.
    ///
    /// # Errors
    /// When a text is not there exactly once.
    pub fn changes(&self, root: &Path) -> anyhow::Result<Vec<(PathBuf, String, String)>> {
        let first = (&self.file, &self.old, &self.new);
        let also = self.also.as_ref().map(|edit| (&edit.file, &edit.old, &edit.new));
        let change = |(file, old, new): (&PathBuf, &String, &String)| {
            let path = root.join(file);
            let text =
                std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let count = text.matches(old.as_str()).count();
            let place = file.display();
            ensure!(
                count == 1,
                "mutant {:?}: {place} has {count} times {old:?}, expected once",
                self.name
            );
            let changed = text.replace(old.as_str(), new);
            Ok((path, text, changed))
        };
        [first].into_iter().chain(also).map(change).collect()
    }
}
