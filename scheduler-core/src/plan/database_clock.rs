//! What time it is by the database: the clock that all nodes share.
//!
//! ```text
//!   sighting ── the monotonic clock carries it on ──▶ now        the machine's wall clock is only compared with it
//! ```
//!
//! Due-ness is judged by this clock, so a step of the machine's own moves no fire. A machine whose clock is farther off
//! than the tolerance claims nothing: its jobs would take the wrong day for today.
//!
//! ```
//! use std::time::Duration;
//! use chrono::{DateTime, TimeDelta};
//! use scheduler_core::plan::{Now, database_clock::{DatabaseClock, Sighting}};
//!
//! let at = DateTime::UNIX_EPOCH;
//! let mut clock = DatabaseClock::new(Duration::from_secs(2));
//! clock.sighted(Sighting { at, seen: Duration::ZERO, error: Duration::ZERO });
//! let local = Now { wall: at + TimeDelta::hours(1), mono: Duration::from_secs(7) };
//! assert_eq!(clock.now(local).wall, at + TimeDelta::seconds(7));
//! assert!(!clock.is_right(local));
//! ```

use std::time::Duration;

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

use super::Now;

/// What the database's clock showed once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// What it showed.
    pub at: DateTime<Utc>,
    /// When the answer came, on the monotonic clock: the clock is carried on too late rather than too early, and no
    /// fire begins before its instant.
    pub seen: Duration,
    /// How far off `seen` may be: the time that the question took.
    pub error: Duration,
}

/// The database's clock as a node knows it.
#[derive(Clone, Copy, Debug)]
pub struct DatabaseClock {
    tolerance: Duration,
    sighting: Option<Sighting>,
}

/// What a clock may drift in the time since it was seen: a thousandth, twice of what bad ones do.
const DRIFT: u32 = 1_000;

impl DatabaseClock {
    /// A clock that was not seen yet; machines may be off by `tolerance`.
    #[must_use]
    pub fn new(tolerance: Duration) -> Self {
        Self { tolerance, sighting: None }
    }

    /// The clock was seen. A slow answer says less than an older sighting that was quick, as long as that cannot have
    /// drifted farther; unless it proves that one wrong. Says by how much it was set then, or this machine slept.
    pub fn sighted(&mut self, new: Sighting) -> Option<TimeDelta> {
        let Some(old) = self.sighting else {
            self.sighting = Some(new);
            return None;
        };
        let age = new.seen.saturating_sub(old.seen);
        let ahead = new.at - carried(old, new.seen);
        let possible = old.error + age / DRIFT;
        let was_set = ahead.abs().to_std().is_ok_and(|off| off > possible + new.error);
        if new.error <= possible || was_set {
            self.sighting = Some(new);
        }
        was_set.then_some(ahead)
    }

    /// `local` with the database's clock in the place of the machine's, whole milliseconds; `local` itself before the
    /// first sighting.
    #[must_use]
    pub fn now(&self, local: Now) -> Now {
        let at = self.sighting.map(|sighting| carried(sighting, local.mono).trunc_subsecs(3));
        Now { wall: at.unwrap_or(local.wall), ..local }
    }

    /// How far the machine's clock is ahead of the database's.
    #[must_use]
    pub fn skew(&self, local: Now) -> TimeDelta {
        local.wall - self.now(local).wall
    }

    /// Whether the machine's clock is off by no more than the tolerance, as far as the sighting can tell.
    #[must_use]
    pub fn is_right(&self, local: Now) -> bool {
        let error = self.sighting.map_or(Duration::ZERO, |sighting| sighting.error);
        self.skew(local).abs().to_std().is_ok_and(|skew| skew <= self.tolerance + error)
    }
}

fn carried(sighting: Sighting, mono: Duration) -> DateTime<Utc> {
    let since = |from: Duration, to: Duration| {
        TimeDelta::from_std(to.saturating_sub(from)).unwrap_or(TimeDelta::zero())
    };
    sighting.at + since(sighting.seen, mono) - since(mono, sighting.seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(ms)
    }

    fn local(wall: i64, mono: u64) -> Now {
        Now { wall: at(wall), mono: Duration::from_millis(mono) }
    }

    fn sighting(shown: i64, seen: u64, error: u64) -> Sighting {
        let [seen, error] = [seen, error].map(Duration::from_millis);
        Sighting { at: at(shown), seen, error }
    }

    fn clock(first: Sighting) -> DatabaseClock {
        let mut clock = DatabaseClock::new(Duration::from_secs(2));
        clock.sighted(first);
        clock
    }

    #[test]
    fn the_monotonic_clock_carries_it_on_whatever_the_machine_says() {
        let clock = clock(sighting(5_000, 100, 0));
        for wall in [0, 5_000, 9_999_999] {
            assert_eq!(clock.now(local(wall, 1_100)).wall, at(6_000));
        }
    }

    #[test]
    fn a_machine_is_right_up_to_the_tolerance() {
        let clock = clock(sighting(10_000, 0, 0));
        for (wall, is_right) in [(12_000, true), (12_001, false), (8_000, true), (7_999, false)] {
            assert_eq!(clock.is_right(local(wall, 0)), is_right, "{wall}");
        }
    }

    #[test]
    fn what_a_slow_answer_leaves_open_is_not_held_against_the_machine() {
        let clock = clock(sighting(10_000, 0, 1_000));
        assert!(clock.is_right(local(13_000, 0)));
        assert!(!clock.is_right(local(13_001, 0)));
    }

    #[test]
    fn before_the_first_sighting_the_machine_is_believed() {
        let clock = DatabaseClock::new(Duration::ZERO);
        assert_eq!(clock.now(local(7, 0)), local(7, 0));
        assert!(clock.is_right(local(7, 0)));
    }

    #[test]
    fn a_slow_answer_does_not_replace_a_quick_one_until_that_may_have_drifted_as_far() {
        let mut clock = clock(sighting(0, 0, 1));
        assert_eq!(clock.sighted(sighting(10_020, 10_000, 30)), None);
        assert_eq!(clock.now(local(0, 10_000)).wall, at(10_000), "off by 1 + 10 ms at most");
        clock.sighted(sighting(40_020, 40_000, 30));
        assert_eq!(clock.now(local(0, 40_000)).wall, at(40_020));
    }

    #[test]
    fn an_answer_that_proves_the_older_one_wrong_replaces_it_however_slow() {
        let mut clock = clock(sighting(0, 0, 1));
        assert_eq!(clock.sighted(sighting(3_610_000, 10_000, 500)), Some(TimeDelta::hours(1)));
        assert_eq!(clock.now(local(0, 10_000)).wall, at(3_610_000));
    }
}
