//! An orderly stop of a program: what is known of it.

use std::{
    os::unix::process::ExitStatusExt as _,
    process::{Child, ExitStatus},
    time::Duration,
};

use scheduler_core::clock;

use super::outages::wall_ms;

/// A program was asked to stop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stop {
    pub(super) pid: u32,
    /// Monotonic.
    pub(super) asked: Duration,
    /// By the wall clock.
    pub(super) asked_ms: i64,
    /// By the wall clock; 0: not yet.
    pub(super) left_ms: i64,
    /// Whether it had the database.
    pub(super) has_link: bool,
    /// Whether it had spoken to the database yet.
    pub(super) has_begun: bool,
    /// When was last looked for who holds rows, monotonic.
    pub(super) looked: Duration,
    /// Whether a session of another was found that held rows and did nothing with them.
    pub(super) met_locks: bool,
}

/// How often a stop that takes long is asked about, and from when on.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Its number, everywhere.
const SIGTERM: i32 = 15;

impl Stop {
    pub(super) fn asked_now(child: &Child, has_link: bool, has_begun: bool) -> Self {
        let (asked, asked_ms) = (clock::mono(), wall_ms());
        let (looked, met_locks) = (asked, false);
        let pid = child.id();
        Self { pid, asked, asked_ms, left_ms: 0, has_link, has_begun, looked, met_locks }
    }

    /// Whether it is time to look at what holds it up.
    pub(super) fn is_long(&self) -> bool {
        clock::mono() > self.looked + LOOK_EVERY
    }

    /// Milliseconds from the wish until it was gone.
    pub(super) fn took_ms(&self) -> i64 {
        self.left_ms - self.asked_ms
    }

    /// Whether it may end so. A process that was made just now does not listen to signals yet, and has claimed
    /// nothing either.
    pub(super) fn is_orderly(&self, status: ExitStatus) -> bool {
        status.success() || !self.has_begun && status.signal() == Some(SIGTERM)
    }
}
