//! A scheduler that runs, seen through its log.

use std::{
    io::{BufRead as _, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, TryRecvError},
    time::Duration,
};

use crate::support::{Home, eventually, within};

/// Reads the table often, loses its lease soon, gives jobs little time to end.
pub(crate) const QUICK: &str =
    "sync_interval = \"100ms\"\nlease = \"1s\"\nshutdown_timeout = \"500ms\"";

/// A started scheduler; killed when the test ends.
pub(crate) struct Running {
    child: Child,
    log: Receiver<String>,
    /// Every line of the log that was read.
    pub(crate) seen: Vec<String>,
}

impl Running {
    /// The program as it is shipped.
    pub(crate) fn start(home: &Home) -> Self {
        Self::spawn(home.command().arg("run"))
    }

    pub(crate) fn spawn(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        Self::reading(child, stderr)
    }

    /// Of another program what it prints, in place of its log.
    pub(crate) fn spawn_reading_stdout(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        Self::reading(child, stdout)
    }

    fn reading(child: Child, output: impl Read + Send + 'static) -> Self {
        let lines = BufReader::new(output).lines();
        let (sender, log) = mpsc::channel();
        std::thread::spawn(move || {
            lines.map_while(Result::ok).try_for_each(|line| sender.send(line).ok())
        });
        Self { child, log, seen: Vec::new() }
    }

    /// Waits for a line with all of `parts`, from now on or seen before.
    #[track_caller]
    pub(crate) fn says(&mut self, parts: &[&str]) {
        eventually(&format!("{parts:?} in the log"), || {
            while let Ok(line) = self.log.try_recv() {
                self.seen.push(line);
            }
            self.count(parts).checked_sub(1)
        });
    }

    /// Lines seen with all of `parts`.
    pub(crate) fn count(&self, parts: &[&str]) -> usize {
        self.seen.iter().filter(|line| parts.iter().all(|part| line.contains(part))).count()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends `TERM`, `INT`, `KILL`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().unwrap();
        assert!(sent.success(), "kill -s {name}");
    }

    /// Whether the process has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for the end; the exit code, -1 after a signal.
    #[track_caller]
    pub(crate) fn ends_within(&mut self, span: Duration) -> i32 {
        let status = within(span, "the end of the process", || self.child.try_wait().unwrap());
        // The rest of the log, until its writer is gone.
        eventually("the end of the log", || {
            loop {
                match self.log.try_recv() {
                    Ok(line) => self.seen.push(line),
                    Err(TryRecvError::Empty) => return None,
                    Err(TryRecvError::Disconnected) => return Some(()),
                }
            }
        });
        status.code().unwrap_or(-1)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            self.seen.extend(self.log.try_iter());
            eprintln!("the log:\n{}", self.seen.join("\n"));
        }
    }
}
