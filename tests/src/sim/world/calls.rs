//! What becomes of a call between a process and the database.

use std::time::Duration;

use scheduler_core::plan::node::{Call, Event, Failure};

use super::{DEADLINE, Happening, World};
use crate::sim::{
    database::{State, failed},
    faults::Faults,
    machine::Plight,
    seen,
    time::Ms,
};

/// Who waits for an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub(super) machine: usize,
    pub(super) incarnation: u32,
}

/// What becomes of a call that reaches a database that works.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fate {
    Answered,
    Refused,
    AnswerLost,
    Hangs,
    /// A reading shows the tables as they were a while ago.
    Stale,
}

impl World {
    pub(super) fn calls(&mut self, machine: usize, call: Call) {
        let from = Caller { machine, incarnation: self.machines[machine].incarnation };
        let started = self.machines[machine].mono(self.now);
        let asked = self.now;
        self.machines[machine].is_claiming |= matches!(call, Call::Claim(_));
        seen::in_call(&call, &mut self.counts);
        let fate = self.draw_fate();
        let latency = self.latency();
        self.happens_in(latency, Happening::Arrives { call, from, asked, started, fate });
    }

    fn draw_fate(&mut self) -> Fate {
        let Faults { refused, answers_lost, hang, stale, .. } = self.faults;
        let mut draw = self.rng.u32(0..1_000);
        let fates = [
            (refused, Fate::Refused),
            (answers_lost, Fate::AnswerLost),
            (hang, Fate::Hangs),
            (stale, Fate::Stale),
        ];
        for (share, fate) in fates {
            if draw < share {
                return fate;
            }
            draw -= share;
        }
        Fate::Answered
    }

    fn latency(&mut self) -> Ms {
        if self.rng.u32(0..1_000) < self.faults.slow {
            self.count("slow");
            self.rng.i64(5..2_000)
        } else {
            self.rng.i64(1..5)
        }
    }

    pub(super) fn arrives(
        &mut self,
        call: Call,
        from: Caller,
        asked: Ms,
        started: Duration,
        fate: Fate,
    ) {
        let writes = writes(&call);
        let is_silent =
            self.machines[from.machine].is_cut_off || self.database.state == State::Frozen;
        if is_silent || fate == Fate::Hangs {
            return self.hangs(call, from, asked, started);
        }
        let refused = || Failure::NotApplied("refused".to_owned());
        let is_refused = self.database.state == State::Refuses
            || fate == Fate::Refused
            || (self.database.state == State::ReadOnly && writes);
        let event = if is_refused {
            self.count("refused");
            failed(call, refused(), started)
        } else if fate == Fate::AnswerLost && writes {
            self.count("answers lost");
            let unheard = call.clone();
            self.answer(from, call, started);
            let unknown = Failure::Unknown("the answer to COMMIT was lost".to_owned());
            failed(unheard, unknown, started)
        } else {
            match call {
                Call::Read(mut seen) if fate == Fate::Stale => {
                    self.count("stale readings");
                    let reading = self.database.old_reading(self.now).news_to(&mut seen);
                    Event::Read(seen, Ok(reading))
                }
                call => {
                    self.count_race(&call, from, asked);
                    self.answer(from, call, started)
                }
            }
        };
        let latency = self.latency();
        self.happens_in(latency, Happening::Hears { from, event });
    }

    /// Whether a reaper asks while another one has just found something.
    fn count_race(&mut self, call: &Call, from: Caller, asked: Ms) {
        let race = self.last_loss.filter(|(machine, at)| *machine != from.machine && *at >= asked);
        if matches!(call, Call::Reap { .. }) && race.is_some() {
            self.count("two reapers at once");
        }
    }

    /// Nothing comes back within the deadline. A third of the claims, records and renewals are in their COMMIT: they
    /// hold their rows, and are committed when the packet arrives after all. Once all is mended nothing comes that late:
    /// what flaps loses the answer alone, and what is cut off is never heard.
    fn hangs(&mut self, call: Call, from: Caller, asked: Ms, started: Duration) {
        self.count("hung");
        let may_commit = matches!(call, Call::Claim(_) | Call::Record(_) | Call::Renew);
        let failure = if may_commit && self.rng.u8(0..3) == 0 {
            let late = call.clone();
            if self.machines[from.machine].plight == Some(Plight::Flaps) {
                self.answer(from, late, started);
            } else if !self.is_healed {
                self.database.hold(&late);
                let wait = self.rng.i64(0..60_000);
                self.happens_in(wait, Happening::AppliesLate { call: late, from, started });
            }
            Failure::Unknown("no answer to COMMIT within 5 s".to_owned())
        } else {
            Failure::NotApplied("no answer within 5 s".to_owned())
        };
        let event = failed(call, failure, started);
        let wait = DEADLINE - (self.now - asked);
        self.happens_in(wait, Happening::Hears { from, event });
    }

    pub(super) fn answer(&mut self, from: Caller, call: Call, started: Duration) -> Event {
        let node = self.node_of(from);
        let seen = self.machines[from.machine].mono(self.now);
        let event = self.database.answer(&node, call, [started, seen], self.now);
        if matches!(&event, Event::Reaped(Ok(reaped)) if !reaped.lost.is_empty()) {
            self.last_loss = Some((from.machine, self.now));
        }
        event
    }

    fn node_of(&self, from: Caller) -> String {
        let name = self.machines[from.machine].node_id();
        let stem = name.split('.').next().unwrap_or_default();
        format!("{stem}.{}", from.incarnation)
    }
}

fn writes(call: &Call) -> bool {
    !matches!(call, Call::Read(_) | Call::ReadCursors(_) | Call::Settle(_))
}
