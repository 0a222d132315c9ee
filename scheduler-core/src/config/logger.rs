//! `logger.toml`: how much is logged. What the names of the tables mean is decided by [`crate::telemetry`].

use std::collections::BTreeMap;

use super::{document::Document, problem::Report, reader::read_named};

/// What `logger.toml` says: a level per table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logger {
    /// By name: `root`, which is always there, `other`, `apscheduler`, or a tracing target.
    pub loggers: BTreeMap<String, LoggerTable>,
}

/// One table of `logger.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggerTable {
    /// The least important level that is still written. Default `info` for `root`, else required.
    pub level: Level,
}

/// How important a log line must be to be written; each level includes those after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Everything.
    Trace,
    /// Details for a developer.
    Debug,
    /// What happens.
    Info,
    /// What should not happen, but harms nothing yet.
    Warn,
    /// What failed.
    Error,
    /// Nothing.
    Off,
}

/// The names of the levels; the last two are those of the original, which was written in Python.
const LEVELS: &[(&str, Level)] = &[
    ("trace", Level::Trace),
    ("debug", Level::Debug),
    ("info", Level::Info),
    ("warn", Level::Warn),
    ("error", Level::Error),
    ("off", Level::Off),
    ("warning", Level::Warn),
    ("critical", Level::Error),
];

impl Default for Logger {
    /// `info` for everything: what is logged before the configuration is read.
    fn default() -> Logger {
        let root = LoggerTable { level: Level::Info };
        Logger { loggers: BTreeMap::from([("root".to_owned(), root)]) }
    }
}

/// The keys of each table of `logger.toml`.
pub(super) fn read(document: &Document, report: &Report) -> Logger {
    let mut logger = Logger::default();
    logger.loggers.extend(read_named(document, report, "root", |name, t| {
        if name != "root" {
            t.require(&["level"]);
        }
        LoggerTable { level: t.choice("level", LEVELS).unwrap_or(Level::Info) }
    }));
    logger
}
