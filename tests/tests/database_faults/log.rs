//! Every event of this process as a line, libraries included, however unimportant.

use std::{
    fmt::{Debug, Write as _},
    sync::{Mutex, MutexGuard, Once, PoisonError},
};

use tests::poll;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::trial::PATIENCE;

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Lines that are kept at most; a run of all tests writes far fewer.
const KEPT: usize = 1_000_000;

/// From now on lines are kept.
pub(crate) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Listener).unwrap());
}

/// Waits until there is a line with all these texts.
#[track_caller]
pub(crate) fn await_line(texts: &[&str]) {
    let is_found = || lines_with(texts).first().map(drop);
    assert!(
        poll::until(PATIENCE, is_found).is_some(),
        "no line with {texts:?} within {PATIENCE:?}"
    );
}

/// All lines with all these texts.
pub(crate) fn lines_with(texts: &[&str]) -> Vec<String> {
    let is_wanted = |line: &&String| texts.iter().all(|text| line.contains(text));
    lines().iter().filter(is_wanted).cloned().collect()
}

fn lines() -> MutexGuard<'static, Vec<String>> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        keep(|line| span.record(line));
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        keep(|line| values.record(line));
    }

    fn event(&self, event: &Event<'_>) {
        keep(|line| event.record(line));
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // A text takes whatever is written to it.
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

fn keep(record: impl FnOnce(&mut Line)) {
    let mut line = Line(String::new());
    record(&mut line);
    let mut lines = lines();
    if lines.len() < KEPT {
        lines.push(line.0);
    }
}
