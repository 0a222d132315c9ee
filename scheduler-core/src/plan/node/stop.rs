//! The way out: no new claims, running jobs get their time, what is open is recorded, then exit.
//!
//! ```text
//!   stop ── jobs may end: shutdown_timeout ──▶ cut ── last records, leaving, closing: 2 s together ──▶ the end
//! ```
//!
//! Where nothing is open any more the good-byes begin before `shutdown_timeout` is over.

use std::time::Duration;

use super::{Action, Health, Node, Notice};
use crate::plan::{
    Now,
    execution::{ExecutionId, Status},
    retry::Cause,
};

/// Where a node stands on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Running,
    /// Jobs may end until the deadline (monotonic).
    Draining(Duration),
    /// What still ran was cut; only records are awaited, until the deadline of all good-byes.
    Closing(Duration),
    Left,
}

impl Phase {
    pub(super) fn deadline(self) -> Option<Duration> {
        match self {
            Phase::Running | Phase::Left => None,
            Phase::Draining(deadline) | Phase::Closing(deadline) => Some(deadline),
        }
    }
}

impl Node {
    /// How long all good-byes to the database may take together: the last records, and then, by whoever acts, leaving
    /// the table of nodes and closing the connections. 2 s are promised; the rest is for the end of the process.
    const GOOD_BYES: Duration = Duration::from_millis(1_750);

    pub(super) fn on_stop(&mut self, now: Now, actions: &mut Vec<Action>) {
        if self.stop != Phase::Running {
            return;
        }
        self.stop = Phase::Draining(now.mono + self.settings.shutdown_timeout);
        self.hurry_what_failed();
        actions.push(Action::Report(Notice::Stopping(self.open.len())));
        actions.push(Action::CancelJobs);
    }

    /// There may be no later.
    fn hurry_what_failed(&mut self) {
        self.records.hurry();
        self.claims.resume();
        self.settles_at = Duration::ZERO;
        self.settle_waits.restart();
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stop != Phase::Running
    }

    pub(super) fn exit_when_done(&mut self, now: Now, actions: &mut Vec<Action>) {
        if !self.is_stopping() {
            return;
        }
        let is_idle = self.open.values().all(|open| open.is_given_up)
            && self.outcomes.is_empty()
            && self.records.in_flight == 0
            && self.claims.in_flight == 0
            && self.unsettled.is_empty();
        match self.stop {
            Phase::Running | Phase::Left => {}
            Phase::Draining(_) if is_idle => self.leave(now.mono + Self::GOOD_BYES, actions),
            Phase::Draining(deadline) if deadline <= now.mono => {
                self.cut_what_runs(now, actions);
                self.stop = Phase::Closing(now.mono + Self::GOOD_BYES);
                self.hurry_what_failed();
                self.claim_what_is_due(now, actions);
                self.record_what_ended(now, actions);
            }
            Phase::Closing(until) if is_idle || until <= now.mono => self.leave(until, actions),
            Phase::Draining(_) | Phase::Closing(_) => {}
        }
    }

    fn leave(&mut self, until: Duration, actions: &mut Vec<Action>) {
        let unknown = self.unsettled.len() + self.claims.in_flight;
        let unrecorded = self.outcomes.len() + self.records.in_flight + unknown;
        if unrecorded > 0 {
            actions.push(Action::Report(Notice::Health(Health::LeftUnrecorded(unrecorded))));
        }
        self.stop = Phase::Left;
        actions.push(Action::Exit { until });
    }

    fn cut_what_runs(&mut self, now: Now, actions: &mut Vec<Action>) {
        let running = self.open.iter().filter(|(_, open)| !open.is_given_up);
        let mut cut: Vec<ExecutionId> = running.map(|(id, _)| *id).collect();
        cut.sort_unstable();
        let reason = format!(
            "still running {} s after the scheduler was asked to stop",
            self.settings.shutdown_timeout.as_secs_f64()
        );
        for execution_id in &cut {
            let (status, cause) = (Status::Cancelled, Cause::Interrupted);
            self.give_up(*execution_id, status, cause, &reason, now, actions);
        }
        if !cut.is_empty() {
            actions.push(Action::Abort(cut));
        }
    }
}
