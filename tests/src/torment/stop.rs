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
}

/// Its number, everywhere.
const SIGTERM: i32 = 15;

impl Stop {
    pub(super) fn asked_now(child: &Child, has_link: bool, has_begun: bool) -> Self {
        let (asked, asked_ms) = (clock::mono(), wall_ms());
        Self { pid: child.id(), asked, asked_ms, left_ms: 0, has_link, has_begun }
    }

    pub(super) fn took_ms(&self) -> i64 {
        self.left_ms - self.asked_ms
    }

    /// Whether it may end so. A process that was made just now does not listen to signals yet, and has claimed
    /// nothing either.
    pub(super) fn is_orderly(&self, status: ExitStatus) -> bool {
        status.success() || !self.has_begun && status.signal() == Some(SIGTERM)
    }
}
