//! What the program tells: one line per event on stderr, for people on a terminal, as JSON elsewhere. Decides
//! the shape of a line and which lines are written; what is worth a line is left to those who log.
//!
//! Two promises. A line of a run carries its `trace_id`, `task.key` and `execution.id`, however little is
//! logged: the filter lets every span named `run` pass, since a span that is filtered out hides its fields.
//! And an event is one line, whatever it holds: control characters are escaped in both shapes.
//!
//! Tables of `logger.toml`: `root` is the level of everything that no other table names; `other` is that level
//! for what is not ours (libraries); `apscheduler` stands for the scheduler itself (`scheduler_core` and
//! `scheduler`), as in the original; any other name is a tracing target and all below it. A longer name wins.

mod json;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    io::{self, Write},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use tracing::{Metadata, Span, Subscriber, field::Field, level_filters::LevelFilter};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    Layer, Registry,
    field::MakeExt as _,
    filter::{FilterExt as _, Targets, filter_fn},
    fmt::{MakeWriter, format, time::FormatTime},
    layer::{Filter, SubscriberExt as _},
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

use crate::config::{Level, Logger};

/// Logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// Something in this process has installed a subscriber before.
    #[error("logging is already set up in this process")]
    AlreadyInstalled(#[source] tracing_subscriber::util::TryInitError),
}

/// Writes what waits when it is dropped, for at most a second or so: whoever reads stderr may have stopped.
#[derive(Debug)]
#[must_use = "what waits is written when it is dropped"]
pub struct Writing {
    _worker: WorkerGuard,
}

/// Lines that wait for stderr at most; what comes beyond is dropped and counted.
const WAITING_LINES: usize = 8_192;

/// Sends the events of this process to stderr, as `logger` says. From then on a panic is an event too.
///
/// A thread of its own writes: a reader that stops reading stops no scheduler.
///
/// # Errors
///
/// [`TelemetryError::AlreadyInstalled`] on a second call.
pub fn init(logger: &Logger) -> Result<Writing, TelemetryError> {
    let is_terminal = io::IsTerminal::is_terminal(&io::stderr());
    let stderr = Forgiving { writer: io::stderr(), is_json: false };
    let (writer, worker) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(WAITING_LINES)
        .thread_name("log")
        .finish(stderr);
    let dropped = writer.error_counter();
    subscriber(logger, writer, is_terminal).try_init().map_err(TelemetryError::AlreadyInstalled)?;
    // Set once, since a second subscriber was refused above.
    let _ = DROPPED_LINES.set(dropped);
    std::panic::set_hook(Box::new(log_panic));
    Ok(Writing { _worker: worker })
}

/// One line with the place of the panic, and with the trace id of the run in which it happened.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    const LONGEST: usize = 1_000;
    let text = panic.payload_as_str().unwrap_or("a payload that is no text");
    let text: String = text.chars().take(LONGEST).collect();
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(target: "scheduler", place, "panicked: {text}");
}

/// The span around one execution: what is logged inside carries its fields.
///
/// Its level is `ERROR`, so that no filter of a job's author drops it.
pub fn run_span(trace_id: &str, task_key: &str, execution_id: i64) -> Span {
    tracing::error_span!(
        target: RUN_TARGET,
        RUN,
        trace_id,
        task.key = task_key,
        execution.id = execution_id
    )
}

/// Lines that could not be written since the start, for example because nobody reads stderr any more.
pub fn lost_lines() -> u64 {
    let dropped = DROPPED_LINES.get().map_or(0, ErrorCounter::dropped_lines);
    LOST_LINES.load(Ordering::Relaxed) + u64::try_from(dropped).unwrap_or(u64::MAX)
}

const RUN: &str = "run";
/// A job may have a span named `run` of its own; only ours has this target.
const RUN_TARGET: &str = "scheduler::run";
static LOST_LINES: AtomicU64 = AtomicU64::new(0);
static DROPPED_LINES: OnceLock<ErrorCounter> = OnceLock::new();

/// What [`init`] installs, with the writer and the shape chosen by the caller.
fn subscriber<W>(
    logger: &Logger,
    writer: W,
    is_terminal: bool,
) -> impl Subscriber + Send + Sync + for<'a> LookupSpan<'a>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = if is_terminal { for_people(writer).boxed() } else { json::layer(writer).boxed() };
    tracing_subscriber::registry().with(layer.with_filter(filter(logger)))
}

fn filter(logger: &Logger) -> impl Filter<Registry> + use<> {
    targets(logger).or(filter_fn(|metadata| metadata.is_span() && metadata.name() == RUN))
}

/// Ours: to them `other` does not apply.
const OWN: [&str; 4] = ["scheduler", "scheduler_core", "scheduler_macros", "jobs"];

/// Says of each connection that fails, many times a second, what the scheduler says of the database once.
const REPEATS: &str = "sqlx_core::pool::inner";

fn targets(logger: &Logger) -> Targets {
    let level = |name: &str| logger.loggers.get(name).map(|table| level_filter(table.level));
    let root = level("root").unwrap_or(LevelFilter::INFO);
    let own = OWN.map(|target| (target, root));
    let scheduler = level("apscheduler").map(|level| OWN.map(|target| (target, level)));
    let scheduler = scheduler.into_iter().flatten().filter(|(target, _)| *target != "jobs");
    let roles = ["root", "other", "apscheduler"];
    let named = logger.loggers.iter().filter(|(name, _)| !roles.contains(&name.as_str()));
    Targets::new()
        .with_default(level("other").unwrap_or(root))
        .with_target(REPEATS, LevelFilter::OFF)
        .with_targets(own)
        .with_targets(scheduler)
        .with_targets(named.map(|(name, table)| (name.clone(), level_filter(table.level))))
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

/// Local time, level, spans, target, message, fields; colours unless `NO_COLOR` is set.
fn for_people<W>(writer: W) -> impl Layer<Registry> + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let field = |out: &mut format::Writer<'_>, field: &Field, value: &dyn fmt::Debug| {
        let text = escape(&format!("{value:?}"), |c| c.escape_default().to_string());
        match field.name() {
            "message" => write!(out, "{text}"),
            name => write!(out, "{name}={text}"),
        }
    };
    tracing_subscriber::fmt::layer()
        .with_timer(ShortLocalTime)
        .fmt_fields(format::debug_fn(field).delimited(" "))
        .with_writer(Forgiving { writer, is_json: false })
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

/// `17:30:12.345` in the zone of the machine.
struct ShortLocalTime;

impl FormatTime for ShortLocalTime {
    fn format_time(&self, out: &mut format::Writer<'_>) -> fmt::Result {
        write!(out, "{}", utc_now().with_timezone(&chrono::Local).format("%H:%M:%S%.3f"))
    }
}

#[expect(clippy::disallowed_methods, reason = "the time of a log line decides nothing")]
fn utc_now() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now()
}

/// Passes lines on and never fails: if stderr is closed, the scheduler keeps its schedule and counts.
struct Forgiving<W> {
    writer: W,
    is_json: bool,
}

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Forgiving<W> {
    type Writer = Forgiving<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Forgiving { writer: self.writer.make_writer(), is_json: self.is_json }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Self::Writer {
        Forgiving { writer: self.writer.make_writer_for(metadata), is_json: self.is_json }
    }
}

impl<W: Write> Write for Forgiving<W> {
    /// Takes a whole line, as both layers give it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let result = match std::str::from_utf8(line) {
            Ok(text) if self.is_json => self.writer.write_all(json::as_one_line(text).as_bytes()),
            _ => self.writer.write_all(line),
        };
        if result.is_err() {
            LOST_LINES.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // What cannot be flushed was counted when it was written.
        let _ = self.writer.flush();
        Ok(())
    }
}
