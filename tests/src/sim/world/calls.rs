//! What becomes of a call between a process and the database.

use std::time::Duration;

use scheduler_core::plan::node::{Call, Event, Failure};

use super::{DEADLINE, Happening, World};
use crate::sim::{
    database::{State, failed},
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
}

impl World {
    pub(super) fn calls(&mut self, machine: usize, call: Call) {
        let from = Caller { machine, incarnation: self.machines[machine].incarnation };
        let started = self.machines[machine].mono(self.now);
        let asked = self.now;
        let fate = match self.rng.u32(0..1_000) {
            draw if draw < self.faults.refused => Fate::Refused,
            draw if draw < self.faults.refused + self.faults.answers_lost => Fate::AnswerLost,
            draw if draw < self.faults.refused + self.faults.answers_lost + self.faults.hang => {
                Fate::Hangs
            }
            _ => Fate::Answered,
        };
        let latency = self.latency();
        self.happens_in(latency, Happening::Arrives { call, from, asked, started, fate });
    }

    fn latency(&mut self) -> Ms {
        if self.rng.u32(0..1_000) < self.faults.slow {
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
        let writes = !matches!(call, Call::Read | Call::ReadCursors(_) | Call::Settle(_));
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
            self.answer(from, call, started)
        };
        let latency = self.latency();
        self.happens_in(latency, Happening::Hears { from, event });
    }

    /// Nothing comes back within the deadline. A third of the transactions are in their COMMIT: they hold their rows,
    /// and are committed when the packet arrives after all.
    fn hangs(&mut self, call: Call, from: Caller, asked: Ms, started: Duration) {
        self.count("hung");
        let is_transaction = matches!(call, Call::Claim(_) | Call::Record(_));
        let failure = if is_transaction && self.rng.u8(0..3) == 0 {
            let late = call.clone();
            self.database.hold(&late);
            let wait = self.rng.i64(0..60_000);
            self.happens_in(wait, Happening::AppliesLate { call: late, from, started });
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
        self.database.answer(&node, call, [started, seen], self.now)
    }

    fn node_of(&self, from: Caller) -> String {
        let name = self.machines[from.machine].node_id();
        let stem = name.split('.').next().unwrap_or_default();
        format!("{stem}.{}", from.incarnation)
    }
}
