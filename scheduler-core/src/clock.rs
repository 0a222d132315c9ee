//! The only door to time.
//!
//! Due-ness is judged by the wall clock, which may step; leases, time-outs and back-off by the monotonic clock,
//! which may not. Whoever decides gets both as one [`Now`]; nothing else in the workspace reads a clock, and
//! the lints of `clippy.toml` hold that.
//!
//! What runs in production and in a test reads a [`Clock`] that is handed in: the system's, or one that the test
//! steps. What only ever runs in production asks [`wall`] and [`mono`].
#![expect(clippy::disallowed_methods, reason = "this is the door")]

#[cfg(any(test, feature = "testing"))]
mod stepped;

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use chrono::{DateTime, SubsecRound as _, Utc};

use crate::plan::Now;

static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Where the time comes from. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    #[cfg(any(test, feature = "testing"))]
    Stepped(std::sync::Arc<stepped::Stepped>),
}

impl Clock {
    /// The clock of the machine.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// Both clocks, read once.
    #[must_use]
    pub fn now(&self) -> Now {
        Now { wall: self.wall(), mono: self.mono() }
    }

    /// The wall clock in UTC, whole milliseconds.
    #[must_use]
    pub fn wall(&self) -> DateTime<Utc> {
        match &self.0 {
            Source::System => wall(),
            #[cfg(any(test, feature = "testing"))]
            Source::Stepped(stepped) => stepped.wall(),
        }
    }

    /// Lets `span` pass. On a clock of a test that stands still, see [`Clock::stand_still`], it is over at once.
    pub async fn sleep(&self, span: Duration) {
        match &self.0 {
            #[cfg(any(test, feature = "testing"))]
            Source::Stepped(stepped) if stepped.stands_still() => tokio::task::yield_now().await,
            _ => tokio::time::sleep(span).await,
        }
    }

    /// Monotonic time since an instant that stays the same for this clock.
    #[must_use]
    pub fn mono(&self) -> Duration {
        match &self.0 {
            Source::System => mono(),
            #[cfg(any(test, feature = "testing"))]
            Source::Stepped(stepped) => stepped.mono(),
        }
    }
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
