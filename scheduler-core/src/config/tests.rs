//! The configuration as its users meet it: files in a folder, variables, and what is said about them.

mod files;
mod keys;
mod otlp;
mod secrets;
mod sections;
mod settings;
mod shipped;

use std::{fs, path::Path};

use tempfile::TempDir;

use super::{Config, ConfigError};

/// Files that are right, to which each test does one thing.
const GOOD: [(&str, &str); 4] = [
    ("common", "store = \"sqlite:data/scheduler.db\"\n"),
    ("logger", "[root]\nlevel = \"info\"\n"),
    ("mysql", "[default]\nhost = \"db\"\ndb = \"d\"\nuser = \"u\"\npassword = \"\"\n"),
    ("redis", "[default]\nhost = \"cache\"\n"),
];

/// A folder `conf` with one environment, `local`.
struct Conf {
    temp: TempDir,
}

impl Conf {
    /// The good files.
    fn new() -> Conf {
        let conf = Conf { temp: tempfile::tempdir().unwrap() };
        fs::create_dir(conf.folder().join("local")).unwrap();
        for (name, text) in GOOD {
            conf.write(name, text);
        }
        conf
    }

    /// The good files but for one.
    fn with(name: &str, text: impl AsRef<[u8]>) -> Conf {
        let conf = Conf::new();
        conf.write(name, text);
        conf
    }

    fn folder(&self) -> &Path {
        self.temp.path()
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder().join("local").join(format!("{name}.toml"))
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    fn load(&self, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Config::load(self.folder(), "local", env.iter().map(own))
    }

    /// The mistakes, one per line, with paths as below `local`.
    fn mistakes(&self, env: &[(&str, &str)]) -> Vec<String> {
        let text = match self.load(env) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        };
        let folder = format!("{}/", self.folder().join("local").display());
        text.replace(&folder, "").lines().map(str::to_owned).collect()
    }
}

/// The good file `name` with `line` in place of the line for the same key, and the number of that line.
fn with_line(name: &str, line: &str) -> (String, usize) {
    let (_, good) = GOOD.iter().find(|(good, _)| *good == name).unwrap();
    let key = line.split(['=', ' ']).next().unwrap();
    let mut lines: Vec<&str> = good.lines().collect();
    let same = |other: &&str| other.split(['=', ' ']).next() == Some(key);
    let at = lines.iter().position(same).unwrap_or(lines.len());
    if at == lines.len() {
        lines.push(line);
    } else {
        lines[at] = line;
    }
    (lines.join("\n") + "\n", at + 1)
}
