//! The database's clock and the machine's, and what each tells of the other: a machine that is off, or that slept.

use std::time::Duration;

use chrono::TimeDelta;

use crate::plan::{
    Now,
    database_clock::{DatabaseClock, Sighting},
    machine_clock::{MachineClock, STEP},
};

/// Both clocks, and how they stood to each other when they were last read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clocks {
    database: DatabaseClock,
    machine: MachineClock,
    /// How far the machine's clock is ahead of the database's.
    pub(super) skew: TimeDelta,
    /// Whether that is within the tolerance.
    pub(super) is_right: bool,
    standing: Standing,
    /// For how long the machine slept since the database's clock was seen, as its own told.
    told: Duration,
}

/// What the sightings of the database's clock say of the machine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Right,
    /// One found it off; a second one will tell.
    Suspect,
    Off,
}

impl Clocks {
    /// The machine's clock may be off by `tolerance`.
    pub(super) fn new(tolerance: Duration) -> Self {
        Self {
            database: DatabaseClock::new(tolerance),
            machine: MachineClock::default(),
            skew: TimeDelta::zero(),
            is_right: true,
            standing: Standing::Right,
            told: Duration::ZERO,
        }
    }

    /// What time it is by the database, at an event: what is known of the machine's clock holds until the next.
    pub(super) fn read(&mut self, local: Now) -> Now {
        self.skew = self.database.skew(local);
        self.is_right = self.database.is_right(local);
        self.now(local)
    }

    /// What time it is by the database.
    pub(super) fn now(&self, local: Now) -> Now {
        self.database.now(local)
    }

    /// The machine's clock, as it was last compared.
    pub(super) fn machine(&self) -> MachineClock {
        self.machine
    }

    /// For how long the machine may have slept, when its clock was set or it slept; zero when it was set back.
    pub(super) fn look_for_a_step(&mut self, local: Now) -> Option<Duration> {
        let slept = self.machine.look(local)?.to_std().unwrap_or_default();
        self.told += slept;
        Some(slept)
    }

    /// The database's clock was seen. When it was set, or went on while the machine slept: for how long that may have been,
    /// beyond what the machine's own clock has told. `slept_meanwhile`: since the question.
    pub(super) fn sighted(
        &mut self,
        sighting: Sighting,
        local: Now,
        slept_meanwhile: Duration,
    ) -> Option<Duration> {
        self.machine.compared(local);
        let told = std::mem::take(&mut self.told);
        // Several servers behind one address show no more than that.
        let is_step = |ahead: &TimeDelta| ahead.abs() > STEP;
        let Some(ahead) = self.database.sighted(sighting).filter(is_step) else {
            // It may have been made before the machine slept, and be heard of after: then the next one tells.
            self.told = told.min(slept_meanwhile);
            return None;
        };
        Some(ahead.to_std().unwrap_or_default().saturating_sub(told))
    }

    /// How the machine's clock stood before a sighting, and how it stands after it. Two sightings must agree that it is
    /// off: it may have been set between one and the moment in which it is heard of.
    pub(super) fn judge(&mut self, local: Now) -> (Standing, Standing) {
        self.read(local);
        let before = self.standing;
        self.standing = match before {
            _ if self.is_right => Standing::Right,
            Standing::Right => Standing::Suspect,
            Standing::Suspect | Standing::Off => Standing::Off,
        };
        (before, self.standing)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn local(wall: i64, mono: u64) -> Now {
        Now {
            wall: DateTime::UNIX_EPOCH + TimeDelta::seconds(wall),
            mono: Duration::from_secs(mono),
        }
    }

    fn sighting(shown: i64, seen: u64) -> Sighting {
        let Now { wall: at, mono: seen } = local(shown, seen);
        Sighting { at, seen, error: Duration::ZERO }
    }

    fn clocks() -> Clocks {
        let mut clocks = Clocks::new(Duration::from_secs(2));
        assert_eq!(clocks.sighted(sighting(100, 0), local(100, 0), Duration::ZERO), None);
        clocks
    }

    #[test]
    fn a_sleep_that_both_clocks_tell_of_counts_once() {
        let mut clocks = clocks();
        assert_eq!(clocks.look_for_a_step(local(140, 0)), Some(Duration::from_secs(40)));
        let beyond = clocks.sighted(sighting(145, 0), local(145, 0), Duration::ZERO);
        assert_eq!(beyond, Some(Duration::from_secs(5)));
        assert_eq!(clocks.look_for_a_step(local(145, 0)), None);
        let all = clocks.sighted(sighting(185, 0), local(185, 0), Duration::ZERO);
        assert_eq!(all, Some(Duration::from_secs(40)), "what was told before is forgotten");
    }

    #[test]
    fn a_sighting_that_was_made_before_the_sleep_leaves_it_to_the_next() {
        for (slept_meanwhile, beyond) in [(13, 0), (0, 13)] {
            let mut clocks = clocks();
            clocks.look_for_a_step(local(113, 0));
            let slept_meanwhile = Duration::from_secs(slept_meanwhile);
            assert_eq!(clocks.sighted(sighting(100, 0), local(113, 0), slept_meanwhile), None);
            let next = clocks.sighted(sighting(113, 0), local(113, 0), Duration::ZERO);
            assert_eq!(next, Some(Duration::from_secs(beyond)));
        }
    }

    #[test]
    fn two_servers_half_a_second_apart_are_no_clock_that_was_set() {
        let half = TimeDelta::milliseconds(500);
        for (at, is_set) in [(half, false), (half + TimeDelta::milliseconds(1), true)] {
            let mut other = sighting(100, 0);
            other.at += at;
            let told = clocks().sighted(other, local(100, 0), Duration::ZERO);
            assert_eq!(told.is_some(), is_set);
        }
    }

    #[test]
    fn a_clock_that_was_set_back_is_no_sleep() {
        assert_eq!(clocks().look_for_a_step(local(60, 0)), Some(Duration::ZERO));
        assert_eq!(
            clocks().sighted(sighting(60, 0), local(100, 0), Duration::ZERO),
            Some(Duration::ZERO)
        );
    }

    #[test]
    fn two_sightings_must_agree_that_the_machine_is_off_and_one_that_it_is_right() {
        use Standing::{Off, Right, Suspect};
        let (right, off) = (local(100, 0), local(103, 0));
        let mut clocks = clocks();
        for (at, before, after) in [
            (right, Right, Right),
            (off, Right, Suspect),
            (right, Suspect, Right),
            (off, Right, Suspect),
            (off, Suspect, Off),
            (off, Off, Off),
            (right, Off, Right),
        ] {
            assert_eq!(clocks.judge(at), (before, after));
        }
    }
}
