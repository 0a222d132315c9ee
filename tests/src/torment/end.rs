//! When a process ended: at once, whatever else the torment is waiting for.

use std::{io, process::ChildStdout, thread::JoinHandle};

use super::outages::wall_ms;

/// The end of one process, which closes its standard output.
#[derive(Default)]
pub(super) struct End(Option<JoinHandle<i64>>);

impl End {
    pub(super) fn of(mut stdout: ChildStdout) -> Self {
        Self(Some(std::thread::spawn(move || {
            // An error is an end like any other.
            let _ = io::copy(&mut stdout, &mut io::sink());
            wall_ms()
        })))
    }

    /// By the wall clock; waits for it.
    pub(super) fn at_ms(&mut self) -> i64 {
        self.0.take().and_then(|end| end.join().ok()).unwrap_or_else(wall_ms)
    }
}
