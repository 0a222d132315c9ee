//! The deciding half: values in, values out, `now` as the last argument.
//!
//! Nothing here is async, reads a clock or does IO, so every rule of the scheduler is tested by stepping
//! values. The reading order:
//!
//! ```text
//! row (TaskRow) ─▶ task (Task) ─▶ trigger ─▶ timetable ─▶ lateness ─▶ claim ─▶ execution
//!                  task.rs        trigger/    timetable    lateness    claim    execution
//!                        └──────────── node/: one scheduler's brain ties them together ─┘
//! ```

use std::time::Duration;

use chrono::{DateTime, Utc};

pub mod alarm;
pub mod claim;
pub mod database_clock;
pub mod difference;
pub mod duration;
pub mod execution;
pub(crate) mod hash;
pub mod lateness;
pub mod lease;
pub mod machine_clock;
pub mod node;
pub mod notes;
pub mod retry;
pub mod share;
pub mod task;
pub mod timetable;
pub mod trigger;
pub mod why;
pub mod window;
pub mod words;

/// The two readings of the clock that every decision gets.
///
/// Due-ness is judged by `wall`, set right by the [database's clock](database_clock); leases, time-outs and back-off by `mono`, which no clock step can move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Wall clock, UTC.
    pub wall: DateTime<Utc>,
    /// Monotonic time since an arbitrary, fixed origin of this process.
    pub mono: Duration,
}
