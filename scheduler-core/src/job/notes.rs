//! What a job notes of its run while it is under way.
//!
//! Notes stand in the execution's `extra`: within seconds while the run is open, and whole when it has ended. A job
//! that notes too much loses notes, never its run: what was refused is counted under `notes_refused`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::{Value, json};

use crate::plan::{execution::WITH_ARGS, notes::Notes, retry::RETRIES_ON_LOST};

/// 8 KiB of JSON for all notes of a run: small beside the 64 KiB of the column, with room for a failure's text.
pub const MAX_NOTES_BYTES: usize = 8 * 1024;

/// How deep lists and objects may stand in one another.
const DEEPEST: usize = 64;

/// The keys of `extra` that are the scheduler's.
const RESERVED: [&str; 7] =
    ["err", "reason", "retry_at", RETRIES_ON_LOST, WITH_ARGS, "progress", "notes_refused"];

/// The notes of one run. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Notebook(Arc<Mutex<Page>>);

#[derive(Debug, Default)]
struct Page {
    notes: Notes,
    bytes: usize,
    refused: u32,
    is_changed: bool,
}

impl Notebook {
    /// Notes `value` under `key`, in place of what stood there.
    pub(super) fn note(&self, key: &str, value: impl Serialize) {
        let value = serde_json::to_value(value).map_err(|error| error.to_string());
        let mut page = self.page();
        let refusal = match value {
            _ if RESERVED.contains(&key) => "the key is the scheduler's".to_owned(),
            Err(error) => error,
            // Who finds a lost run reads its row, and reads no deeper than 127.
            Ok(value) if depth(&value) > DEEPEST => {
                format!("it is nested deeper than {DEEPEST}")
            }
            Ok(value) => match page.write(key, value) {
                Ok(()) => return,
                Err(TooLong) => format!("all notes of a run take {MAX_NOTES_BYTES} bytes at most"),
            },
        };
        page.refused += 1;
        page.is_changed = true;
        let is_first = page.refused == 1;
        drop(page);
        // The others are counted: a job may note in a loop.
        if is_first {
            tracing::warn!(key, "a note is refused: {refusal}");
        }
    }

    /// Notes how far the run has come.
    pub(super) fn progress(&self, done: u64, total: u64) {
        // Two numbers are short: they take none of the job's room.
        let mut page = self.page();
        page.notes.insert("progress".to_owned(), json!({ "done": done, "total": total }));
        page.is_changed = true;
    }

    /// All that was noted so far.
    ///
    /// ```
    /// use scheduler_core::job::{Context, ContextParts};
    ///
    /// let parts = ContextParts::default();
    /// let notes = parts.notes.clone();
    /// Context::new(parts).note("sent", 3);
    /// assert_eq!(notes.all()["sent"], 3);
    /// ```
    #[must_use]
    pub fn all(&self) -> Notes {
        self.page().all()
    }

    /// The same, if something was noted since the last call.
    pub(crate) fn changed(&self) -> Option<Notes> {
        let mut page = self.page();
        std::mem::take(&mut page.is_changed).then(|| page.all())
    }

    /// What was told last did not arrive: it is told again.
    pub(crate) fn tell_again(&self) {
        let mut page = self.page();
        page.is_changed = !page.notes.is_empty() || page.refused > 0;
    }

    fn page(&self) -> MutexGuard<'_, Page> {
        // Nothing is left half done where this could panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct TooLong;

impl Page {
    fn write(&mut self, key: &str, value: Value) -> Result<(), TooLong> {
        let old = self.notes.get(key).map_or(0, |old| length(key, old));
        let bytes = self.bytes - old + length(key, &value);
        if bytes > MAX_NOTES_BYTES {
            return Err(TooLong);
        }
        self.bytes = bytes;
        self.notes.insert(key.to_owned(), value);
        self.is_changed = true;
        Ok(())
    }

    fn all(&self) -> Notes {
        let mut notes = self.notes.clone();
        if self.refused > 0 {
            notes.insert("notes_refused".to_owned(), self.refused.into());
        }
        notes
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        Value::Object(values) => 1 + values.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// The bytes of `"key":value,`.
fn length(key: &str, value: &Value) -> usize {
    json!({ key: value }).to_string().len() - 1
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[track_caller]
    fn check(notebook: &Notebook, expected: Value) {
        assert_eq!(Value::Object(notebook.all()), expected);
    }

    #[test]
    fn the_last_note_under_a_key_stands_whatever_its_type() {
        let notebook = Notebook::default();
        notebook.note("sent", 1);
        notebook.note("sent", 2);
        notebook.note("to", ["a", "b"]);
        notebook.progress(3, 10);
        check(
            &notebook,
            json!({ "sent": 2, "to": ["a", "b"], "progress": { "done": 3, "total": 10 } }),
        );
    }

    #[test]
    fn a_change_is_told_once() {
        let notebook = Notebook::default();
        assert_eq!(notebook.changed(), None);
        notebook.progress(1, 2);
        assert!(notebook.changed().is_some());
        assert_eq!(notebook.changed(), None);
        notebook.note("err", "refused");
        assert!(notebook.changed().is_some());
    }

    #[test]
    fn notes_fill_their_room_exactly_and_what_comes_beyond_is_counted() {
        // `"k":"…",` with 7 bytes around the text.
        let longest = "x".repeat(MAX_NOTES_BYTES - 7);
        let notebook = Notebook::default();
        notebook.note("k", format!("{longest}x"));
        check(&notebook, json!({ "notes_refused": 1 }));
        notebook.note("k", &longest);
        notebook.note("more", 1);
        assert_eq!(notebook.all()["notes_refused"], 2);
        assert_eq!(notebook.all()["k"], longest.as_str());
        notebook.note("k", "short again");
        notebook.note("more", 1);
        assert_eq!(notebook.all()["more"], 1);
    }

    #[test]
    fn a_note_may_be_64_deep_and_no_deeper() {
        let nested = |depth| (0..depth).fold(json!(1), |value, _| json!([value]));
        let notebook = Notebook::default();
        notebook.note("deep", nested(64));
        assert_eq!(notebook.all().len(), 1);
        notebook.note("deeper", nested(65));
        assert_eq!(notebook.all()["notes_refused"], 1);
    }

    #[test]
    fn a_key_of_the_schedulers_and_a_value_that_is_no_json_are_refused() {
        let notebook = Notebook::default();
        for key in RESERVED {
            notebook.note(key, 1);
        }
        notebook.note("no json", BTreeMap::from([((1, 2), 3)]));
        check(&notebook, json!({ "notes_refused": RESERVED.len() + 1 }));
    }
}
