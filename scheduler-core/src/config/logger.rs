//! `logger.toml`: how much is logged, and into which files. What the names of the tables mean is decided by
//! [`crate::telemetry`].

use std::{
    collections::BTreeMap,
    path::{Component, PathBuf},
};

use super::{
    document::Document,
    problem::{Place, Report},
    reader::{Reader, read_named},
};

/// What `logger.toml` says: a table per logger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logger {
    /// By name: `root`, which is always there, `other`, `apscheduler`, or a tracing target.
    pub loggers: BTreeMap<String, LoggerTable>,
}

/// One table of `logger.toml`; what it does not say is as in `root`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggerTable {
    /// The least important level that is still written. Default that of `root`, there `info`.
    pub level: Level,
    /// The file that takes the lines. Default that of `root`, there none.
    pub file: Option<LogFile>,
    /// Whether stderr takes the lines. Default false beside a `file` of its own, else that of `root`, there true.
    pub stderr: bool,
}

/// A file that rolls over by its size. The names of the keys are those of Python's `RotatingFileHandler`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// `filename`: relative to the working directory. Its folder is made.
    pub path: PathBuf,
    /// `maxBytes`: it rolls over before a line with which it would reach so many bytes; 0: never. Default that of
    /// `root`, there 10 MiB, up to 1 TiB.
    pub max_bytes: u64,
    /// `backupCount`: how many older files are kept, `.1` the newest; 0: it never rolls over. Default that
    /// of `root`, there 5, up to 1,000.
    pub backups: u32,
}

const MAX_BYTES: u64 = 10 << 20;
const BACKUPS: u32 = 5;

/// Different files in one `logger.toml`, at most.
const MOST_FILES: usize = 32;

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
    /// `info` for everything, on stderr: what is logged before the configuration is read.
    fn default() -> Logger {
        let root = LoggerTable { level: Level::Info, file: None, stderr: true };
        Logger { loggers: BTreeMap::from([("root".to_owned(), root)]) }
    }
}

/// The keys of each table of `logger.toml`.
pub(super) fn read(document: &Document, report: &Report) -> Logger {
    let named = read_named(document, report, "root", |_, t| Said::read(t));
    let root = named.iter().find(|(name, _)| name == "root").map(|(_, said)| said.clone());
    let root = root.unwrap_or_default().beside(&Logger::default().loggers["root"]);
    let loggers = named.into_iter().map(|(name, said)| (name, said.beside(&root)));
    let loggers = loggers.chain([("root".to_owned(), root.clone())]).collect();
    refuse_collisions(&loggers, document, report);
    Logger { loggers }
}

/// Two tables may share a file, but not disagree on it, nor may one write what another one rolls over.
fn refuse_collisions(
    loggers: &BTreeMap<String, LoggerTable>,
    document: &Document,
    report: &Report,
) {
    let problem = |text: String| report.problem(Place::file(&document.path), text);
    let mut files: BTreeMap<&PathBuf, &LogFile> = BTreeMap::new();
    for (name, file) in
        loggers.iter().filter_map(|(name, table)| Some((name, table.file.as_ref()?)))
    {
        if *files.entry(&file.path).or_insert(file) != file {
            let path = file.path.display();
            problem(format!(
                "[{name}] {path} stands in two tables with different maxBytes or backupCount, expected the same"
            ));
        }
    }
    for file in files.values() {
        let is_older = |other: &&PathBuf| {
            let name = other.to_str().zip(file.path.to_str());
            let number = name.and_then(|(other, path)| other.strip_prefix(path)?.strip_prefix('.'));
            number
                .and_then(|number| number.parse().ok())
                .is_some_and(|number: u32| number <= file.backups)
        };
        if let Some(other) = files.keys().copied().find(is_older) {
            let (path, other) = (file.path.display(), other.display());
            problem(format!("{other} is what {path} is renamed to, expected another filename"));
        }
    }
    if files.len() > MOST_FILES {
        problem(format!("names {} different files, expected {MOST_FILES} at most", files.len()));
    }
}

/// What one table says.
#[derive(Clone, Default)]
struct Said {
    level: Option<Level>,
    path: Option<PathBuf>,
    max_bytes: Option<u64>,
    backups: Option<u32>,
    stderr: bool,
}

impl Said {
    fn read(t: &mut Reader<'_>) -> Self {
        const FILE: &str = "the path of a file such as \"logs/root.log\"";
        let path = t.text("filename", FILE, path);
        let max_bytes = t.integer("maxBytes", MAX_BYTES, 0..=1 << 40);
        let backups = t.integer("backupCount", BACKUPS, 0..=1_000);
        let stderr = t.bool("stderr", false);
        let of_a_file = ["maxBytes", "backupCount", "stderr"];
        for key in of_a_file.iter().filter(|key| t.has(key) && !t.has("filename")) {
            t.remark(key, "is given without filename, expected both or none");
        }
        if path.is_some() && max_bytes > 0 && backups == 0 {
            t.warn("backupCount", "is 0: the file never rolls over, and grows without bound");
        }
        let level = t.choice("level", LEVELS);
        let max_bytes = t.has("maxBytes").then_some(max_bytes);
        let backups = t.has("backupCount").then_some(backups);
        Self { level, path, max_bytes, backups, stderr }
    }

    fn beside(self, root: &LoggerTable) -> LoggerTable {
        let level = self.level.unwrap_or(root.level);
        let Some(path) = self.path else {
            return LoggerTable { level, file: root.file.clone(), stderr: root.stderr };
        };
        let of_root = root.file.as_ref();
        let max_bytes = of_root.map_or(MAX_BYTES, |file| file.max_bytes);
        let backups = of_root.map_or(BACKUPS, |file| file.backups);
        let file = LogFile {
            path,
            max_bytes: self.max_bytes.unwrap_or(max_bytes),
            backups: self.backups.unwrap_or(backups),
        };
        LoggerTable { level, file: Some(file), stderr: self.stderr }
    }
}

/// `./logs/../logs/x` is left as it is, `./logs/./x` is `logs/x`.
fn path(text: &str) -> Option<PathBuf> {
    let is_file = !text.ends_with('/') && !text.contains("://");
    let parts = std::path::Path::new(text).components();
    is_file.then(|| parts.filter(|part| *part != Component::CurDir).collect())
}
