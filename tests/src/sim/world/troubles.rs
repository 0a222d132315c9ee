//! Faults: when they come, what they do to a machine or to the database, and the hour in which all is mended.

use scheduler_core::plan::node::Event;

use super::{Happening, World};
use crate::sim::{database::State, faults::Faults, machine::Plight, time::Ms};

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
            Happening::StopsAgain(machine, incarnation) => {
                let subject = &self.machines[machine];
                if subject.incarnation == incarnation && subject.brain.is_some() {
                    self.count("second stops");
                    self.dies(machine);
                    let wait = self.rng.i64(0..60_000);
                    self.happens_in(wait, Happening::Starts(machine));
                }
            }
            Happening::CutOff(machine, is_cut_off) => self.cut_off(machine, is_cut_off),
            Happening::Told(machine) => self.told(machine),
            Happening::ClockSteps(machine) => {
                if self.is_healed {
                    return;
                }
                let Faults { clock, drift, .. } = self.faults;
                let (ahead, drift) = (self.rng.i64(-clock..=clock), self.rng.i64(-drift..=drift));
                self.count(if drift == 0 { "clock steps" } else { "clocks that drift" });
                self.machines[machine].sets_clock(ahead, drift, self.now);
                self.again(Some(600_000), Happening::ClockSteps(machine));
            }
            _ => {}
        }
    }

    /// Of one edit in three the machines hear, each of them or not: soon, long after, or far too often.
    pub(super) fn tells_of_an_edit(&mut self) {
        if self.rng.u8(0..3) > 0 {
            return;
        }
        for machine in 0..self.machines.len() {
            let (times, within) = match self.rng.u8(0..8) {
                0..3 => continue,
                3..6 => (1, 1_000),
                6 => (1, 120_000),
                _ => (20, 3_000),
            };
            for _ in 0..times {
                let wait = self.rng.i64(0..within);
                self.happens_in(wait, Happening::Told(machine));
            }
        }
    }

    fn told(&mut self, machine: usize) {
        if self.machines[machine].brain.is_some() {
            self.count("told of an edit");
            self.hear(machine, Event::Wake);
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
            self.count(match state {
                State::Refuses => "database refuses",
                State::ReadOnly => "database is read-only",
                State::Frozen | State::Up => "database is frozen",
            });
            let wait = self.rng.i64(1_000..180_000);
            self.happens_in(wait, Happening::Database(State::Up));
        }
    }

    pub(super) fn heal(&mut self) {
        self.is_healed = true;
        self.database.state = State::Up;
        let edit = self.faults.edit;
        let is_lasting = self.faults.lasting;
        self.faults = Faults { edit, ..Faults::default() };
        for machine in 0..self.machines.len() {
            self.machines[machine].is_cut_off = false;
            self.machines[machine].sets_clock(0, 0, self.now);
            self.goes_on(machine);
            self.happens_in(1_000, Happening::Starts(machine));
            if is_lasting && machine > 0 && self.rng.u8(0..3) > 0 {
                self.is_left_to(machine);
            }
        }
    }

    /// What `machine` suffers from now on is never mended.
    fn is_left_to(&mut self, machine: usize) {
        use Plight::{ClockOff, CutOff, Dead, Flaps, Paused};
        let plight = *self.rng.choice(&[Dead, Paused, CutOff, Flaps, ClockOff]).unwrap_or(&Dead);
        self.machines[machine].plight = Some(plight);
        if matches!(plight, Dead | Paused | CutOff) {
            self.silent_since.insert(self.machines[machine].node_id(), self.now);
        }
        match plight {
            Dead => {
                self.count("dead for good");
                self.dies(machine);
            }
            Paused => {
                self.count("paused for good");
                self.machines[machine].is_paused = true;
            }
            CutOff => {
                self.count("cut off for good");
                self.machines[machine].is_cut_off = true;
            }
            Flaps => {
                self.count("flapping for good");
                self.flaps(machine, true);
            }
            ClockOff => {
                self.count("clock off for good");
                self.machines[machine].sets_clock(7_200_000, 0, self.now);
            }
        }
    }

    fn flaps(&mut self, machine: usize, is_cut_off: bool) {
        let wait = self.rng.i64(2_000..8_000);
        self.happens_in(wait, Happening::CutOff(machine, is_cut_off));
    }

    fn cut_off(&mut self, machine: usize, is_cut_off: bool) {
        match self.machines[machine].plight {
            Some(Plight::CutOff) => return,
            Some(Plight::Flaps) => {
                self.machines[machine].is_cut_off = is_cut_off;
                return self.flaps(machine, !is_cut_off);
            }
            _ => self.machines[machine].is_cut_off = is_cut_off && !self.is_healed,
        }
        if is_cut_off {
            self.count("cut off");
            let wait = self.rng.i64(1_000..120_000);
            self.happens_in(wait, Happening::CutOff(machine, false));
        } else {
            self.again(self.faults.cut_off, Happening::CutOff(machine, true));
        }
    }
}
