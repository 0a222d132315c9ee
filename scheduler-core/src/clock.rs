//! The only door to time.
//!
//! Due-ness is judged by the wall clock, which may step; leases, time-outs and back-off by the monotonic clock,
//! which may not. Whoever decides gets both as one [`Now`]; nothing else in the workspace reads a clock, and
//! the lints of `clippy.toml` hold that.
#![expect(clippy::disallowed_methods, reason = "this is the door")]

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use chrono::{DateTime, SubsecRound as _, Utc};

use crate::plan::Now;

static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Both clocks, read once.
#[must_use]
pub fn now() -> Now {
    Now { wall: wall(), mono: mono() }
}

/// The wall clock in UTC, whole milliseconds.
#[must_use]
pub fn wall() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}

/// Monotonic time since the first call of this process.
#[must_use]
pub fn mono() -> Duration {
    ORIGIN.elapsed()
}

/// Sleeps for `span`, at most 5 s: whoever waits for an instant must ask the wall clock again, since it can
/// jump.
pub async fn sleep_at_most_5s(span: Duration) {
    tokio::time::sleep(span.min(Duration::from_secs(5))).await;
}
