//! Where lines go: writers that never fail, and count what they lose.

use std::{
    io::{self, Write},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use tracing::Metadata;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::fmt::MakeWriter;

use super::{COMPLAINTS, json, rolling::RollingFile};

static LOST_LINES: AtomicU64 = AtomicU64::new(0);
static QUEUES: Mutex<Vec<ErrorCounter>> = Mutex::new(Vec::new());

/// Lines that could not be written since the start, for example because nobody reads stderr any more.
pub fn lost_lines() -> u64 {
    let queues = QUEUES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let dropped: usize = queues.iter().map(ErrorCounter::dropped_lines).sum();
    LOST_LINES.load(Ordering::Relaxed) + u64::try_from(dropped).unwrap_or(u64::MAX)
}

fn count_lost() {
    LOST_LINES.fetch_add(1, Ordering::Relaxed);
}

/// A queue of at most `most` lines before `writer`, which has a thread of its own. What comes beyond is dropped and
/// counted: whoever logs waits for nobody.
pub(super) fn queue(
    writer: impl Write + Send + 'static,
    most: usize,
) -> (NonBlocking, WorkerGuard) {
    let builder =
        NonBlockingBuilder::default().lossy(true).buffered_lines_limit(most).thread_name("log");
    let (queue, worker) = builder.finish(writer);
    QUEUES.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(queue.error_counter());
    (queue, worker)
}

/// Passes lines on and never fails: if stderr is closed, the scheduler keeps its schedule and counts.
pub(super) struct Forgiving<W> {
    pub(super) writer: W,
    pub(super) is_json: bool,
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
            count_lost();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // What cannot be flushed was counted when it was written.
        let _ = self.writer.flush();
        Ok(())
    }
}

/// Lines for a file. When it cannot be written, that is said once on stderr, and once when it can again.
pub(super) struct FileLines {
    file: RollingFile,
    /// Lines that were lost since it could not be written.
    lost: u64,
    rolls_over: bool,
}

impl FileLines {
    pub(super) fn new(file: RollingFile) -> Self {
        Self { file, lost: 0, rolls_over: true }
    }

    fn append(&mut self, line: &[u8]) {
        let rolled = self.file.make_room(line.len());
        let (path, rolled_over) = (self.file.path().display().to_string(), self.rolls_over);
        self.rolls_over = rolled.is_ok();
        let appended = self.file.append(line);
        match &appended {
            Ok(()) if self.lost > 0 => {
                let lost = std::mem::take(&mut self.lost);
                tracing::warn!(target: COMPLAINTS, path, lost, "the log file is written again");
                // In the file itself, too.
                tracing::warn!(target: "scheduler", path, lost, "lines of this log file were lost");
            }
            Ok(()) => {}
            Err(error) => {
                count_lost();
                self.lost += 1;
                if self.lost == 1 {
                    tracing::error!(
                        target: COMPLAINTS,
                        path,
                        "the log file cannot be written, its lines are lost until it can: {error}"
                    );
                }
            }
        }
        if let Err(error) = rolled
            && appended.is_ok()
            && rolled_over
        {
            tracing::error!(
                target: COMPLAINTS,
                path,
                "the log file cannot be rolled over, it grows until it can: {error}"
            );
        }
    }
}

impl Write for FileLines {
    /// Takes a whole line, as a queue gives it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.append(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
