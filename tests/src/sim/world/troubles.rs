//! Faults: when they come, what they do to a machine or to the database, and the hour in which all is mended.

use super::{Happening, World};
use crate::sim::{database::State, faults::Faults, time::Ms};

impl World {
    pub(super) fn plan_faults(&mut self, machine: usize) {
        let Faults { crash, pause, stop, cut_off, .. } = self.faults;
        let faults = [
            (crash, Happening::Crashes(machine)),
            (pause, Happening::Pauses(machine)),
            (stop, Happening::Stops(machine)),
            (cut_off, Happening::CutOff(machine, true)),
        ];
        for (mean, what) in faults {
            if let Some(mean) = mean {
                let wait = self.around(mean);
                self.happens_in(wait, what);
            }
        }
    }

    pub(super) fn draw_trouble(&mut self) -> State {
        *self
            .rng
            .choice(&[State::Refuses, State::Frozen, State::ReadOnly])
            .unwrap_or(&State::Frozen)
    }

    /// What befalls a machine.
    pub(super) fn befalls(&mut self, what: Happening) {
        match what {
            Happening::Starts(machine) => self.starts(machine),
            Happening::Crashes(machine) => {
                if !self.is_healed {
                    self.crashes(machine);
                    let wait = self.rng.i64(0..120_000);
                    self.happens_in(wait, Happening::Starts(machine));
                }
                self.again(self.faults.crash, Happening::Crashes(machine));
            }
            Happening::Pauses(machine) => {
                if !self.is_healed && self.machines[machine].brain.is_some() {
                    self.count("pauses");
                    self.machines[machine].is_paused = true;
                    if self.rng.bool() {
                        self.count("sleeps");
                        self.machines[machine].asleep_since = Some(self.now);
                    }
                    let wait = self.rng.i64(1_000..3 * self.lease);
                    self.happens_in(wait, Happening::GoesOn(machine));
                }
                self.again(self.faults.pause, Happening::Pauses(machine));
            }
            Happening::GoesOn(machine) => self.goes_on(machine),
            Happening::Stops(machine) => {
                if !self.is_healed && self.machines[machine].brain.is_some() {
                    self.stops(machine);
                }
                self.again(self.faults.stop, Happening::Stops(machine));
            }
            Happening::CutOff(machine, is_cut_off) => {
                self.machines[machine].is_cut_off = is_cut_off && !self.is_healed;
                if is_cut_off {
                    self.count("cut off");
                    let wait = self.rng.i64(1_000..120_000);
                    self.happens_in(wait, Happening::CutOff(machine, false));
                } else {
                    self.again(self.faults.cut_off, Happening::CutOff(machine, true));
                }
            }
            Happening::ClockSteps(machine) => {
                if self.is_healed {
                    return;
                }
                let most = self.faults.clock;
                self.count("clock steps");
                self.machines[machine].ahead = self.rng.i64(-most..=most);
                self.again(Some(600_000), Happening::ClockSteps(machine));
            }
            _ => {}
        }
    }

    pub(super) fn again(&mut self, mean: Option<Ms>, what: Happening) {
        if let Some(mean) = mean.filter(|_| !self.is_healed) {
            let wait = self.around(mean);
            self.happens_in(wait, what);
        }
    }

    pub(super) fn database_turns(&mut self, state: State) {
        if self.is_healed {
            return;
        }
        self.database.state = state;
        if state == State::Up {
            let next = self.draw_trouble();
            self.again(self.faults.database, Happening::Database(next));
        } else {
            self.count("database troubles");
            let wait = self.rng.i64(1_000..180_000);
            self.happens_in(wait, Happening::Database(State::Up));
        }
    }

    pub(super) fn heal(&mut self) {
        self.is_healed = true;
        self.database.state = State::Up;
        let edit = self.faults.edit;
        self.faults = Faults { edit, clock: self.faults.clock, ..Faults::default() };
        for machine in 0..self.machines.len() {
            self.machines[machine].is_cut_off = false;
            self.machines[machine].ahead = 0;
            self.goes_on(machine);
            self.happens_in(1_000, Happening::Starts(machine));
        }
    }
}
