//! What the program tells: one line per event on stderr, for people on a terminal, as JSON elsewhere, and as JSON in
//! files. Decides the shape of a line, which lines are written, and where; what is worth a line is left to those who log.
//!
//! Three promises. A line of a run carries its `trace_id`, `task.key` and `execution.id`, however little is
//! logged: the filter lets every span named `run` pass, since a span that is filtered out hides its fields.
//! An event is one line, whatever it holds: control characters are escaped in both shapes. And whoever logs waits for
//! nobody: a pipe that is not read, a full disk, a folder that is gone cost lines, which are counted.
//!
//! Tables of `logger.toml`: `root` takes everything that no other table names; `other` takes of that
//! what is not ours (libraries); `apscheduler` stands for the scheduler itself (`scheduler_core` and
//! `scheduler`), as in the original; any other name is a tracing target and all below it. A longer name wins.

mod host;
mod json;
mod lines;
mod people;
mod rolling;
mod run_log;
#[cfg(test)]
mod tests;

use std::{io, path::Path};

use tracing::{Span, Subscriber, level_filters::LevelFilter};
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::{
    Layer, Registry,
    filter::{FilterExt as _, Targets, filter_fn},
    fmt::MakeWriter,
    layer::{Filter, SubscriberExt as _},
    registry::LookupSpan,
};

pub(crate) use self::host::host_name;
pub use self::lines::lost_lines;
pub(crate) use self::run_log::{RunLog, Shelf};
#[cfg(test)]
pub(crate) use self::tests::listen_on_every_thread;
use self::{
    lines::{FileLines, queue},
    rolling::RollingFile,
};
use crate::{
    config::{Level, LogFile, Logger, LoggerTable},
    job::JobDescriptor,
};

/// Logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// Something in this process has installed a subscriber before.
    #[error("logging is already set up in this process")]
    AlreadyInstalled(#[source] tracing::subscriber::SetGlobalDefaultError),
}

/// Writes what waits when it is dropped, for at most a second or two: whoever reads stderr may have stopped, and a disk may
/// hang.
#[derive(Debug)]
#[must_use = "what waits is written when it is dropped"]
pub struct Writing {
    files: Vec<WorkerGuard>,
    _stderr: WorkerGuard,
}

impl Drop for Writing {
    fn drop(&mut self) {
        // All at once, and before stderr, where it is said of a file that it cannot be written.
        std::thread::scope(|scope| {
            for file in self.files.drain(..) {
                scope.spawn(|| drop(file));
            }
        });
    }
}

/// Sends the events of this process to stderr and to files, as `logger` says. From then on a panic is an event too.
///
/// Threads of their own write: a reader that stops reading stops no scheduler. A file that cannot be written is said on
/// stderr.
///
/// # Errors
///
/// [`TelemetryError::AlreadyInstalled`] on a second call.
pub fn init(logger: &Logger) -> Result<Writing, TelemetryError> {
    let is_terminal = io::IsTerminal::is_terminal(&io::stderr());
    let (stderr, of_stderr) = queue(lines::Forgiving { writer: io::stderr(), is_json: false });
    let (mut files, mut workers): (Vec<(&LogFile, _)>, _) = (Vec::new(), Vec::new());
    for file in logger.loggers.values().filter_map(|table| table.file.as_ref()) {
        if files.iter().all(|(other, _)| other.path != file.path) {
            let (lines, worker) = queue(FileLines::new(RollingFile::new(file.clone())));
            workers.push(worker);
            files.push((file, lines));
        }
    }
    let files = files.into_iter().map(|(file, lines)| (file.path.as_path(), lines)).collect();
    let subscriber = subscriber(logger, stderr, is_terminal, files);
    tracing::subscriber::set_global_default(subscriber)
        .map_err(TelemetryError::AlreadyInstalled)?;
    // Lines of libraries that know `log` only; a program may have a logger of its own for those.
    let _ = tracing_log::LogTracer::init();
    std::panic::set_hook(Box::new(log_panic));
    Ok(Writing { files: workers, _stderr: of_stderr })
}

/// One line with the place of the panic, and with the trace id of the run in which it happened.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    const LONGEST: usize = 1_000;
    let text = panic.payload_as_str().unwrap_or("a payload that is no text");
    let text: String = text.chars().take(LONGEST).collect();
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(target: "scheduler", place, "panicked: {text}");
}

/// The span around one execution: what is logged inside carries its fields, and is kept in `log`.
///
/// Its level is `ERROR`, so that no filter of a job's author drops it.
pub(crate) fn run_span(trace_id: &str, task_key: &str, execution_id: i64, log: &RunLog) -> Span {
    let span = tracing::error_span!(
        target: RUN_TARGET,
        RUN,
        trace_id,
        task.key = task_key,
        execution.id = execution_id
    );
    span.with_subscriber(|(id, subscriber)| {
        let registry = subscriber.downcast_ref::<Registry>();
        if let Some(span) = registry.and_then(|registry| registry.span(id)) {
            span.extensions_mut().insert(log.clone());
        }
    });
    span
}

const RUN: &str = "run";
/// A job may have a span named `run` of its own; only ours has this target.
const RUN_TARGET: &str = "scheduler::run";
/// What the log says of its own files. On stderr, whatever `logger.toml` says: the file is what cannot be written.
const COMPLAINTS: &str = "scheduler::log";

/// What [`init`] installs, with the writers and the shape of stderr chosen by the caller.
fn subscriber<W, F>(
    logger: &Logger,
    stderr: W,
    is_terminal: bool,
    files: Vec<(&Path, F)>,
) -> impl Subscriber + Send + Sync + for<'a> LookupSpan<'a> + use<W, F>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
    F: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let all = targets(logger, |_| true);
    let kept = run_log::KeepLines.with_filter(filter(all.clone())).boxed();
    let spans = json::SpanFields
        .with_filter(filter(all).and(filter_fn(|metadata| !metadata.is_event())))
        .boxed();
    let stderr =
        if is_terminal { people::layer(stderr).boxed() } else { json::layer(stderr).boxed() };
    let of_stderr =
        targets(logger, |table| table.stderr).with_target(COMPLAINTS, LevelFilter::INFO);
    let stderr = stderr.with_filter(filter(of_stderr)).boxed();
    let files = files.into_iter().map(|(path, writer)| {
        let is_here =
            |table: &LoggerTable| table.file.as_ref().is_some_and(|file| file.path == path);
        let of_file = targets(logger, is_here).with_target(COMPLAINTS, LevelFilter::OFF);
        json::layer(writer).with_filter(filter(of_file)).boxed()
    });
    let layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> =
        [spans, kept, stderr].into_iter().chain(files).collect();
    tracing_subscriber::registry().with(layers)
}

/// `targets`, and the span of each run, which its lines need.
fn filter(targets: Targets) -> impl Filter<Registry> + use<> {
    targets.or(filter_fn(|metadata| metadata.is_span() && metadata.name() == RUN))
}

/// The scheduler.
const SCHEDULER: [&str; 3] = ["scheduler", "scheduler_core", "scheduler_macros"];

/// Ours, to whom `other` does not apply: the scheduler, and the crates in which jobs are written.
fn own() -> impl Iterator<Item = &'static str> {
    let jobs = inventory::iter::<JobDescriptor>.into_iter();
    let crates = jobs.filter_map(|job| job.function.split("::").next());
    SCHEDULER.into_iter().chain(["jobs"]).chain(crates)
}

/// Says of each connection that fails, many times a second, what the scheduler says of the database once.
const REPEATS: &str = "sqlx_core::pool::inner";

/// The levels of the lines that go where `is_here` says of their table.
fn targets(logger: &Logger, is_here: impl Fn(&LoggerTable) -> bool) -> Targets {
    let level = |table: &LoggerTable| {
        if is_here(table) { level_filter(table.level) } else { LevelFilter::OFF }
    };
    let of = |name: &str| logger.loggers.get(name).map(level);
    let root = of("root").unwrap_or(LevelFilter::INFO);
    let own = own().map(|target| (target, root));
    let scheduler = of("apscheduler").map(|level| SCHEDULER.map(|target| (target, level)));
    let scheduler = scheduler.into_iter().flatten();
    let roles = ["root", "other", "apscheduler"];
    let named = logger.loggers.iter().filter(|(name, _)| !roles.contains(&name.as_str()));
    Targets::new()
        .with_default(of("other").unwrap_or(root))
        .with_target(REPEATS, LevelFilter::OFF)
        .with_targets(own)
        .with_targets(scheduler)
        .with_targets(named.map(|(name, table)| (name.clone(), level(table))))
}

fn level_filter(level: Level) -> LevelFilter {
    match level {
        Level::Trace => LevelFilter::TRACE,
        Level::Debug => LevelFilter::DEBUG,
        Level::Info => LevelFilter::INFO,
        Level::Warn => LevelFilter::WARN,
        Level::Error => LevelFilter::ERROR,
        Level::Off => LevelFilter::OFF,
    }
}

/// `text` with each character replaced that moves the cursor, ends a line or turns the reading direction.
fn escape(text: &str, replace: impl Fn(char) -> String) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        let is_invisible = matches!(
            c,
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        );
        if c.is_control() || is_invisible {
            escaped.push_str(&replace(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[expect(clippy::disallowed_methods, reason = "the time of a log line decides nothing")]
fn utc_now() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now()
}
