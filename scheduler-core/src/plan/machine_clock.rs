//! Whether the machine's wall clock went on otherwise than its monotonic one: it was set, or the machine slept, and its
//! monotonic clock with it.
//!
//! The two cannot be told apart here. What was set forward counts as slept, which costs a renewal; what slept and would
//! not count would trust a lease that is over.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::Now;

/// From here on a clock has been set, not merely drifted, and no lease's margin makes up for it.
pub const STEP: TimeDelta = TimeDelta::milliseconds(500);

/// The two clocks of a machine, as they stood to each other when they were last compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MachineClock {
    origin: Option<DateTime<Utc>>,
}

impl MachineClock {
    /// The clocks are compared from here on.
    pub fn compared(&mut self, now: Now) {
        self.origin = Some(origin(now));
    }

    /// By how much the wall clock went on more than the monotonic one since they were compared, which is said once; `None`:
    /// by no more than clocks drift.
    pub fn look(&mut self, now: Now) -> Option<TimeDelta> {
        let step = self.step(now);
        if step.is_some() || self.origin.is_none() {
            self.compared(now);
        }
        step
    }

    fn step(self, now: Now) -> Option<TimeDelta> {
        let step = origin(now) - self.origin?;
        (step.abs() > STEP).then_some(step)
    }

    /// How long the machine may have slept since the clocks were compared.
    #[must_use]
    pub fn slept(self, now: Now) -> Duration {
        self.step(now).and_then(|step| step.to_std().ok()).unwrap_or_default()
    }
}

/// What the wall clock would have shown when the monotonic one began.
fn origin(now: Now) -> DateTime<Utc> {
    let since = TimeDelta::from_std(now.mono).unwrap_or(TimeDelta::zero());
    now.wall.checked_sub_signed(since).unwrap_or(now.wall)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(wall: i64, mono: u64) -> Now {
        let wall = DateTime::UNIX_EPOCH + TimeDelta::milliseconds(wall);
        Now { wall, mono: Duration::from_millis(mono) }
    }

    #[test]
    fn a_clock_that_was_set_is_told_from_one_that_drifts() {
        let mut clock = MachineClock::default();
        assert_eq!(clock.look(now(300, 0)), None, "the first look");
        assert_eq!(clock.look(now(10_800, 10_000)), None);
        assert_eq!(clock.look(now(10_801, 10_000)), Some(TimeDelta::milliseconds(501)));
        assert_eq!(clock.look(now(10_801, 10_000)), None, "said once");
        clock.compared(now(11_201, 10_000));
        assert_eq!(clock.look(now(21_701, 20_000)), None, "what has drifted is forgotten");
    }

    #[test]
    fn what_was_set_forward_may_have_been_a_sleep_and_what_was_set_back_was_none() {
        let mut clock = MachineClock::default();
        clock.compared(now(100_000, 0));
        assert_eq!(clock.slept(now(140_000, 0)), Duration::from_secs(40));
        assert_eq!(clock.slept(now(60_000, 0)), Duration::ZERO);
        assert_eq!(clock.slept(now(140_000, 40_000)), Duration::ZERO);
    }
}
