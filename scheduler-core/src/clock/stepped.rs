//! A clock that a test steps.
//!
//! ```text
//! mono = time of the tokio runtime since the clock was made      stands still while the runtime is paused
//! wall = start + mono + offset                                   the offset is what the test has stepped
//! ```

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use tokio::time::Instant;

use super::{Clock, Source};

#[derive(Debug)]
pub(super) struct Stepped {
    start: DateTime<Utc>,
    origin: Instant,
    offset_ms: AtomicI64,
    stands_still: AtomicBool,
}

impl Clock {
    /// A clock that shows `start`, in whole milliseconds, and goes on with the time of the tokio runtime in which
    /// it is read: one that is paused is stepped with `tokio::time::advance`.
    ///
    /// Read it in the runtime in which it was made; another has a time of its own.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use chrono::{DateTime, TimeDelta};
    /// use scheduler_core::clock::Clock;
    ///
    /// #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// async fn main() {
    ///     let clock = Clock::stepped(DateTime::UNIX_EPOCH);
    ///     tokio::time::advance(Duration::from_secs(2)).await;
    ///     clock.step(TimeDelta::hours(-1));
    ///     assert_eq!(clock.wall().timestamp(), 2 - 3600);
    ///     assert_eq!(clock.mono(), Duration::from_secs(2));
    /// }
    /// ```
    #[must_use]
    pub fn stepped(start: DateTime<Utc>) -> Self {
        let start = start.trunc_subsecs(3);
        Self(Source::Stepped(Arc::new(Stepped {
            start,
            origin: Instant::now(),
            offset_ms: AtomicI64::new(0),
            stands_still: AtomicBool::new(false),
        })))
    }

    /// Says whether time stands still while something real is awaited: then [`Clock::sleep`] waits for nothing, since
    /// its time would never come.
    ///
    /// # Panics
    /// On the clock of the machine.
    pub fn stand_still(&self, stands_still: bool) {
        self.stepped_only().stands_still.store(stands_still, Ordering::Relaxed);
    }

    /// Sets the wall clock forward by `by`, or back if it is negative, as an operator or a time server does; the
    /// monotonic clock stays. Less than a millisecond is dropped.
    ///
    /// # Panics
    /// On the clock of the machine.
    pub fn step(&self, by: TimeDelta) {
        self.stepped_only().offset_ms.fetch_add(by.num_milliseconds(), Ordering::Relaxed);
    }

    fn stepped_only(&self) -> &Stepped {
        match &self.0 {
            Source::System => panic!("the clock of the machine is not ours to step"),
            Source::Stepped(stepped) => stepped,
        }
    }
}

impl Stepped {
    pub(super) fn wall(&self) -> DateTime<Utc> {
        let offset = TimeDelta::milliseconds(self.offset_ms.load(Ordering::Relaxed));
        (self.start + self.mono() + offset).trunc_subsecs(3)
    }

    pub(super) fn mono(&self) -> Duration {
        self.origin.elapsed()
    }

    pub(super) fn stands_still(&self) -> bool {
        self.stands_still.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn it_goes_on_with_the_time_of_a_paused_runtime() {
        let clock = Clock::stepped(start());
        assert_eq!(clock.wall().timestamp_micros(), 1_700_000_000_123_000);
        tokio::time::advance(Duration::from_micros(2_500)).await;
        assert_eq!(clock.wall().timestamp_micros(), 1_700_000_000_125_000);
        assert_eq!(clock.mono(), Duration::from_micros(2_500));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sleep_takes_its_time_unless_the_clock_stands_still() {
        let clock = Clock::stepped(start());
        clock.sleep(Duration::from_secs(5)).await;
        assert_eq!(clock.mono(), Duration::from_secs(5));
        clock.stand_still(true);
        clock.sleep(Duration::from_secs(5)).await;
        assert_eq!(clock.mono(), Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_moves_the_wall_of_every_clone_and_no_monotonic_clock() {
        let clock = Clock::stepped(start());
        let before = clock.clone().now();
        clock.step(TimeDelta::hours(2));
        clock.step(TimeDelta::minutes(-3));
        let after = clock.clone().now();
        assert_eq!(after.wall - before.wall, TimeDelta::minutes(117));
        assert_eq!(after.mono, before.mono);
    }
}
