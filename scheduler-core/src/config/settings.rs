//! What is in force, key by key, and where it came from: the reader writes it down as it reads, so that it names the
//! keys that exist and the defaults that apply. Secrets are not written down, nor what stands under `[app]`.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    common::{MaxAge, StoreChoice},
    problem::Place,
    value::{in_words, looks_like_url},
};
use crate::plan::duration;

/// One key and what is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The file without `.toml`: `common`, `logger`, `mysql` or `redis`.
    pub file: &'static str,
    /// The table without brackets; empty for the keys above the first table.
    pub table: String,
    /// The key.
    pub key: String,
    /// As one would write it in TOML, durations in the largest unit that fits. What is no value of TOML is said in words,
    /// without quotes: `none`, `(secret)`, `(not shown)`, `by url`.
    pub value: String,
    /// Where the value came from.
    pub origin: Origin,
}

/// Where a value in force came from. Displays as `conf/local/common.toml:3`, `environment NAME`, `default` or `[root]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file or a variable.
    Given(Place),
    /// Nobody gave one.
    Default,
    /// The table of this name gives it to those that do not.
    Table(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Given(place) => place.fmt(f),
            Origin::Default => f.write_str("default"),
            Origin::Table(name) => write!(f, "[{name}]"),
        }
    }
}

/// In place of a secret.
pub(super) const SECRET: &str = "(secret)";
/// In place of what may be a secret.
pub(super) const NOT_SHOWN: &str = "(not shown)";
/// Where there is no value.
pub(super) const NONE: &str = "none";

/// What can be written as TOML.
pub(super) trait InToml {
    fn in_toml(&self) -> String;
}

impl InToml for bool {
    fn in_toml(&self) -> String {
        self.to_string()
    }
}

impl InToml for str {
    fn in_toml(&self) -> String {
        // An address that was put under the wrong key may hold a password.
        if looks_like_url(self) {
            return NOT_SHOWN.to_owned();
        }
        toml::Value::from(self).to_string()
    }
}

impl InToml for String {
    fn in_toml(&self) -> String {
        self.as_str().in_toml()
    }
}

impl InToml for Path {
    fn in_toml(&self) -> String {
        self.to_string_lossy().in_toml()
    }
}

impl InToml for PathBuf {
    fn in_toml(&self) -> String {
        self.as_path().in_toml()
    }
}

impl InToml for Duration {
    fn in_toml(&self) -> String {
        let is_whole = self.subsec_nanos().is_multiple_of(1_000_000);
        if is_whole { in_words(*self).in_toml() } else { duration::show(*self).in_toml() }
    }
}

/// `None`: for ever.
impl InToml for Option<Duration> {
    fn in_toml(&self) -> String {
        self.map_or_else(|| "never".in_toml(), |span| span.in_toml())
    }
}

impl InToml for MaxAge {
    fn in_toml(&self) -> String {
        match self {
            MaxAge::ByOrigin => "by origin of the database".to_owned(),
            MaxAge::Never => None::<Duration>.in_toml(),
            MaxAge::After(age) => age.in_toml(),
        }
    }
}

impl InToml for StoreChoice {
    fn in_toml(&self) -> String {
        match self {
            StoreChoice::Mysql => "mysql".in_toml(),
            StoreChoice::Sqlite(path) => format!("sqlite:{}", path.display()).in_toml(),
        }
    }
}
