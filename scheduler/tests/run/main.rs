//! The program at work, as a process of its own: jobs run, edits take effect, signals end it, and a
//! crash loses nothing.
//!
//! Nothing here waits for a time to pass; each step waits for what the program says or writes.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests may fail as tests do"
)]

#[path = "../support/mod.rs"]
mod support;

mod alarms;
mod crash;
mod edits;
mod logs;
#[cfg(feature = "email")]
mod mail;
mod process;
mod program;
mod same_as_harness;
mod shared;
mod stop;
mod systemd;
mod watched;

use program::app;
