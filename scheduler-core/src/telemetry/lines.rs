//! Where lines go: writers that never fail, and count what they lose.

use std::{
    io::{self, Write},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tracing::{Level, Metadata};
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::fmt::MakeWriter;

use super::{COMPLAINTS, json, rolling::RollingFile};
use crate::clock::mono;

static LOST_LINES: AtomicU64 = AtomicU64::new(0);
static QUEUES: Mutex<Vec<ErrorCounter>> = Mutex::new(Vec::new());

/// Lines that could not be written since the start, for example because nobody reads stderr any more.
pub fn lost_lines() -> u64 {
    let queues = QUEUES.lock().unwrap_or_else(PoisonError::into_inner);
    let dropped: usize = queues.iter().map(ErrorCounter::dropped_lines).sum();
    LOST_LINES.load(Ordering::Relaxed) + u64::try_from(dropped).unwrap_or(u64::MAX)
}

fn count_lost() {
    LOST_LINES.fetch_add(1, Ordering::Relaxed);
}

/// Lines that wait for a file, or for stderr, at most. A disk is slow for moments only, and jobs log in bursts.
const WAITING_LINES: usize = 65_536;

/// And so many bytes.
const WAITING_BYTES: usize = 32 * 1024 * 1024;

/// A queue before `writer`, which has a thread of its own. What is too much for it is dropped and counted: whoever logs
/// waits for nobody.
pub(super) fn queue(writer: impl Write + Send + 'static) -> (Queue, WorkerGuard) {
    let bytes = Arc::new(AtomicUsize::new(0));
    let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(WAITING_LINES);
    let writer = Counted { writer, bytes: Arc::clone(&bytes) };
    let (lines, worker) = builder.thread_name("log").finish(writer);
    QUEUES.lock().unwrap_or_else(PoisonError::into_inner).push(lines.error_counter());
    (Queue { lines: Arc::new(Mutex::new(lines)), bytes }, worker)
}

/// The near end of a queue. Clones are the same queue.
#[derive(Clone)]
pub(super) struct Queue {
    lines: Arc<Mutex<NonBlocking>>,
    bytes: Arc<AtomicUsize>,
}

impl<'a> MakeWriter<'a> for Queue {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Write for Queue {
    /// Takes a whole line.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if self.bytes.load(Ordering::Relaxed) + line.len() > WAITING_BYTES {
            count_lost();
            return Ok(line.len());
        }
        let dropped = lines.error_counter().dropped_lines();
        self.bytes.fetch_add(line.len(), Ordering::Relaxed);
        let written = lines.write(line);
        // Under the lock nobody else can have dropped one.
        if lines.error_counter().dropped_lines() > dropped {
            self.bytes.fetch_sub(line.len(), Ordering::Relaxed);
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The far end of a queue.
struct Counted<W> {
    writer: W,
    bytes: Arc<AtomicUsize>,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let written = self.writer.write_all(line);
        self.bytes.fetch_sub(line.len(), Ordering::Relaxed);
        written.map(|()| line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
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

/// How often it is said of a file, at most, that it cannot be written.
const SAID_AGAIN: Duration = Duration::from_secs(60);

/// Lines for a file. When it cannot be written, that is said once on stderr, and once there and in the file when it can
/// again.
pub(super) struct FileLines {
    file: RollingFile,
    /// Lines that were lost since it was last said that it can be written.
    lost: u64,
    /// It was said that it cannot be written.
    is_said: bool,
    said_again_at: Duration,
    rolls_over: bool,
}

impl FileLines {
    pub(super) fn new(file: RollingFile) -> Self {
        Self { file, lost: 0, is_said: false, said_again_at: Duration::ZERO, rolls_over: true }
    }

    fn append(&mut self, line: &[u8]) {
        let rolled = self.file.make_room(line.len());
        let appended = self.file.append(line);
        match &appended {
            Ok(()) if self.is_said => self.say_that_it_is_written_again(),
            Ok(()) => {}
            Err(error) => {
                count_lost();
                self.lost += 1;
                self.say_that_it_cannot_be_written(error);
            }
        }
        let did_roll_over = std::mem::replace(&mut self.rolls_over, rolled.is_ok());
        if let Err(error) = rolled
            && appended.is_ok()
            && did_roll_over
        {
            tracing::error!(
                target: COMPLAINTS,
                path = self.path(),
                "the log file cannot be rolled over, it grows until it can: {error}"
            );
        }
    }

    fn say_that_it_cannot_be_written(&mut self, error: &io::Error) {
        if self.is_said || mono() < self.said_again_at {
            return;
        }
        self.is_said = true;
        self.said_again_at = mono() + SAID_AGAIN;
        tracing::error!(
            target: COMPLAINTS,
            path = self.path(),
            "the log file cannot be written, its lines are lost until it can: {error}"
        );
    }

    fn say_that_it_is_written_again(&mut self) {
        self.is_said = false;
        let lost = std::mem::take(&mut self.lost);
        let text = "the log file is written again";
        tracing::warn!(target: COMPLAINTS, path = self.path(), lost, "{text}");
        let line = json::own_line(&Level::WARN, COMPLAINTS, text, ("lost", lost.into()));
        // Whether it can be written the next line tells.
        let _ = self.file.append(line.as_bytes());
    }

    fn path(&self) -> String {
        self.file.path().display().to_string()
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
