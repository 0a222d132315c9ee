//! What is logged inside one run, kept until it stands beside its execution.
//!
//! A run keeps its first lines and its last ones; between them stands how many were dropped. So a job that logs without
//! end costs a bounded amount, and what it said last, which tells most of a failure, is there.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Map, Value, json};
use tokio::sync::Notify;
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    Layer,
    layer::Context,
    registry::{LookupSpan, Scope},
};

use super::json;

/// Bytes of a run's first lines.
const FIRST: usize = 192 * 1024;

/// Bytes of a run's last lines.
const LAST: usize = 64 * 1024;

/// Bytes of one line's message or field; the rest is cut off.
const LONGEST_VALUE: usize = 8 * 1024;

/// Bytes of all fields of one line; more are left out, and counted under `fields_cut`.
const LONGEST_FIELDS: usize = 32 * 1024;

/// Bytes of all runs that wait to be written; what comes beyond is dropped.
const WAITING: usize = 64 * 1024 * 1024;

/// What the logs of all runs share.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    bytes: AtomicUsize,
    /// Told when there is something to write.
    pub(crate) wanted: Notify,
}

/// The log of one run. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct RunLog {
    pages: Arc<Mutex<Pages>>,
    shelf: Arc<Shelf>,
}

#[derive(Debug)]
struct Pages {
    /// Whole lines that wait to be written.
    waiting: String,
    /// How many more bytes may be written before the last lines.
    room: usize,
    last: VecDeque<String>,
    last_bytes: usize,
    dropped: u64,
    is_over: bool,
    /// The part that is being written, and its number.
    part: u32,
    writing: Option<String>,
}

impl RunLog {
    /// An empty one.
    pub(crate) fn new(shelf: Arc<Shelf>) -> Self {
        let pages = Pages {
            waiting: String::new(),
            room: FIRST,
            last: VecDeque::new(),
            last_bytes: 0,
            dropped: 0,
            is_over: false,
            part: 0,
            writing: None,
        };
        Self { pages: Arc::new(Mutex::new(pages)), shelf }
    }

    /// Keeps a line, which ends with a line feed. What a task that outlives its run logs is not the run's.
    pub(crate) fn keep(&self, line: String) {
        let mut pages = self.pages();
        if pages.is_over {
            return;
        }
        if self.shelf.bytes.load(Ordering::Relaxed) + line.len() > WAITING {
            pages.dropped += 1;
            return;
        }
        self.shelf.bytes.fetch_add(line.len(), Ordering::Relaxed);
        if line.len() <= pages.room && pages.last.is_empty() {
            pages.room -= line.len();
            pages.waiting.push_str(&line);
            drop(pages);
            self.shelf.wanted.notify_one();
            return;
        }
        pages.last_bytes += line.len();
        pages.last.push_back(line);
        while pages.last_bytes > LAST {
            let Some(line) = pages.last.pop_front() else { break };
            pages.last_bytes -= line.len();
            self.shelf.bytes.fetch_sub(line.len(), Ordering::Relaxed);
            pages.dropped += 1;
        }
    }

    /// The run is over, and its last lines are to be written. Whether there are any.
    pub(crate) fn end(&self) -> bool {
        let mut pages = self.pages();
        if !std::mem::replace(&mut pages.is_over, true) && pages.dropped > 0 {
            let line = json!({ "dropped": pages.dropped }).to_string() + "\n";
            self.shelf.bytes.fetch_add(line.len(), Ordering::Relaxed);
            pages.waiting.push_str(&line);
        }
        let last = std::mem::take(&mut pages.last);
        pages.waiting.extend(last);
        let is_more = !pages.waiting.is_empty() || pages.writing.is_some();
        drop(pages);
        if is_more {
            self.shelf.wanted.notify_one();
        }
        is_more
    }

    /// The next part to be written, and its number from 1 on; the same until it [was written](Self::written).
    pub(crate) fn part(&self) -> Option<(u32, String)> {
        let mut pages = self.pages();
        if pages.writing.is_none() && !pages.waiting.is_empty() {
            pages.part += 1;
            pages.writing = Some(std::mem::take(&mut pages.waiting));
        }
        pages.writing.clone().map(|content| (pages.part, content))
    }

    /// The part is written. Whether it was the last.
    pub(crate) fn written(&self) -> bool {
        let mut pages = self.pages();
        let written = pages.writing.take().map_or(0, |content| content.len());
        self.shelf.bytes.fetch_sub(written, Ordering::Relaxed);
        pages.is_over && pages.waiting.is_empty()
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        // Nothing is left half done where this could panic.
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives the lines inside a run to the [`RunLog`] of its span.
pub(super) struct KeepLines;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for KeepLines {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let spans = context.event_scope(event).into_iter().flat_map(Scope::from_root);
        let log = spans.filter_map(|span| span.extensions().get::<RunLog>().cloned()).next();
        if let Some(log) = log {
            log.keep(line(event));
        }
    }
}

/// One JSON object with the event's own fields: what is of the run stands beside its execution.
fn line(event: &Event<'_>) -> String {
    let mut fields = json::fields(event);
    let message = fields.remove("message").unwrap_or_else(|| "".into());
    let metadata = event.metadata();
    let own = json::own(metadata.level(), metadata.target(), message);
    let own = own.into_iter().filter(|(name, _)| !matches!(*name, "host_name" | "host_ip"));
    let mut line: Map<String, Value> = fields
        .into_iter()
        .map(|(name, value)| match json::OWN.contains(&name) || json::OF_RUN.contains(&name) {
            true => (format!("field.{name}"), cut(value)),
            false => (name.to_owned(), cut(value)),
        })
        .collect();
    if line.values().map(|value| value.to_string().len()).sum::<usize>() > LONGEST_FIELDS {
        line = Map::from_iter([("fields_cut".to_owned(), line.len().into())]);
    }
    line.extend(own.map(|(name, value)| (name.to_owned(), cut(value))));
    json::as_one_line(&Value::Object(line).to_string())
}

fn cut(value: Value) -> Value {
    match value {
        Value::String(text) if text.len() > LONGEST_VALUE => {
            let end = text.floor_char_boundary(LONGEST_VALUE);
            format!("{}…", &text[..end]).into()
        }
        value => value,
    }
}
