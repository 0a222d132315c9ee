//! Why a job gets no connection.

use std::{error::Error, fmt, sync::Arc, time::Duration};

/// The file that names a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// `mysql.toml`.
    Mysql,
    /// `redis.toml`.
    Redis,
}

/// Why a job gets no connection. Shown without credentials.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PoolError {
    /// The file has no such table.
    #[error("{file} has no pool {alias:?}, {known}")]
    Unknown {
        /// The file that was looked into.
        file: File,
        /// What was asked for.
        alias: String,
        /// What there is instead.
        known: String,
    },
    /// No connection was made.
    #[error("{file} [{alias}]: no connection to {server}")]
    NoConnection {
        /// The file that names the pool.
        file: File,
        /// The pool.
        alias: String,
        /// Where it is.
        server: String,
        /// What the system or the server said.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
    /// The server, or a place among `maxsize` connections, was waited for in vain.
    #[error("{file} [{alias}]: {what} within {within:?}")]
    TooLate {
        /// The file that names the pool.
        file: File,
        /// The pool.
        alias: String,
        /// What did not come.
        what: String,
        /// How long it was waited for.
        within: Duration,
    },
    /// The runtime of the jobs ends.
    #[error("the scheduler stops: no connection is made any more")]
    GivenUp,
}

impl PoolError {
    pub(super) fn unknown<'a>(
        file: File,
        alias: &str,
        known: impl Iterator<Item = &'a String>,
    ) -> Self {
        let known: Vec<String> = known.map(|name| format!("{name:?}")).collect();
        let known = match &known[..] {
            [] => "and no other".to_owned(),
            [one] => format!("expected {one}"),
            several => format!("expected one of {}", several.join(", ")),
        };
        Self::Unknown { file, alias: alias.to_owned(), known }
    }
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            File::Mysql => "mysql.toml",
            File::Redis => "redis.toml",
        })
    }
}
