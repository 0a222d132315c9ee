//! `logger.toml`: how much is logged, and into which files. What the names of the tables mean is decided by
//! [`crate::telemetry`].

use std::{
    collections::BTreeMap,
    path::{Component, PathBuf},
};

use super::{
    document::Document,
    problem::{Place, Report},
    reader::{Reader, read_absent, read_named},
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

/// The tables of `logger.toml`. Where `[root]` is not written, it holds what it says by default.
pub(super) fn read(document: &Document, report: &Report) -> Logger {
    let Logger { mut loggers } = Logger::default();
    let mut root = loggers["root"].clone();
    if !document.tree.contains_key("root") {
        read_absent(document, report, "root", |t| table(t, &root));
    }
    loggers.extend(read_named(document, report, "root", |name, t| {
        if name == "root" {
            root = table(t, &root);
            return root.clone();
        }
        t.inherit(Some("root"));
        table(t, &root)
    }));
    refuse_collisions(&loggers, document, report);
    Logger { loggers }
}

/// The keys of one table, each with its range; what it does not say is as in `root`.
fn table(t: &mut Reader<'_>, root: &LoggerTable) -> LoggerTable {
    const FILE: &str = "the path of a file such as \"logs/root.log\"";
    let of_root = root.file.as_ref();
    let level = t.choice("level", root.level, LEVELS);
    let inherited = of_root.map(|file| file.path.clone());
    let path = t.text_or_else("filename", inherited, FILE, |text| {
        path(text).ok_or_else(|| FILE.to_owned())
    });
    let default = of_root.map_or(MAX_BYTES, |file| file.max_bytes);
    let max_bytes = t.integer("maxBytes", default, 0..=1 << 40);
    let default = of_root.map_or(BACKUPS, |file| file.backups);
    let backups = t.integer("backupCount", default, 0..=1_000);
    let has_own = t.has("filename");
    if has_own {
        t.inherit(None);
    }
    let stderr = t.bool("stderr", !has_own && root.stderr);
    let of_a_file = ["maxBytes", "backupCount", "stderr"];
    for key in of_a_file.iter().filter(|key| t.has(key) && !has_own) {
        t.remark(key, "is given without filename, expected both or none");
    }
    if has_own && max_bytes > 0 && backups == 0 {
        t.warn("backupCount", "is 0: the file never rolls over, and grows without bound");
    }
    let file = path.map(|path| LogFile { path, max_bytes, backups });
    LoggerTable { level, file, stderr }
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

/// `./logs/../logs/x` is left as it is, `./logs/./x` is `logs/x`.
fn path(text: &str) -> Option<PathBuf> {
    let is_file = !text.ends_with('/') && !text.contains("://");
    let parts = std::path::Path::new(text).components();
    is_file.then(|| parts.filter(|part| *part != Component::CurDir).collect())
}
