//! Ends the process when the loop no longer turns: a half-dead node would hold its lease's tasks and run none.
//! In a program of which the scheduler is a part only, it says so and leaves the decision to others.
//!
//! It counts its own wake-ups, not the clock: a process that was paused for an hour finds no turn missing
//! until it has been awake for 30 s without one.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The loop turns every 5 s at the least.
const PATIENCE: u32 = 6;

/// What follows when the loop does not turn for 30 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnHang {
    /// The end of the process, with exit code 1: for a program that is a scheduler and nothing else.
    EndProcess,
    /// A line in the log, once per hang: for a program that does other things as well.
    Say,
}

/// Watches one loop until it is dropped.
#[derive(Debug)]
pub(super) struct Watchdog(Arc<AtomicU64>);

impl Watchdog {
    pub(super) fn start(on_hang: OnHang) -> Self {
        let turns = Arc::new(AtomicU64::new(0));
        let watched = Arc::downgrade(&turns);
        let started = thread::Builder::new()
            .name("watchdog".to_owned())
            .spawn(move || watch(&watched, on_hang));
        if let Err(error) = started {
            tracing::warn!("no watchdog: {error}");
        }
        Self(turns)
    }

    pub(super) fn turned(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn watch(turns: &Weak<AtomicU64>, on_hang: OnHang) {
    let (mut seen, mut misses) = (0, 0);
    loop {
        thread::park_timeout(LOOK_EVERY);
        let Some(turns) = turns.upgrade() else { return };
        let now = turns.load(Ordering::Relaxed);
        misses = if now == seen { misses + 1 } else { 0 };
        seen = now;
        if misses == PATIENCE {
            hangs(on_hang);
        }
    }
}

fn hangs(on_hang: OnHang) {
    match on_hang {
        OnHang::EndProcess => {
            tracing::error!(
                "the scheduler's loop has not turned for 30 s: the process ends with exit code 1"
            );
            // The log has a thread of its own, and a moment to write the line.
            thread::park_timeout(Duration::from_millis(200));
            std::process::exit(1);
        }
        OnHang::Say => tracing::error!(
            "the scheduler's loop has not turned for 30 s: something blocks the program's runtime"
        ),
    }
}
