//! From a due instant to a claim: everything that is due goes into one transaction.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Action, Call, Node, Wanted, known::Known, lane::Standing};
use crate::plan::{
    Now,
    claim::{Claim, Entry, Origin},
    execution::{Status, extra_of_reason},
    lateness::{self, Due, Fire},
    task::{Policy, TaskId},
};

/// How soon a task that waits for a run on another node is tried again.
const ASK_AGAIN: TimeDelta = TimeDelta::seconds(1);

/// The same of a task that another node asks for, too.
const OTHERS_ASK_AGAIN: TimeDelta = TimeDelta::seconds(5);

/// How many outcomes may wait to be recorded before nothing more is claimed, where `max_running` is less.
const MOST_WAITING: usize = 1_000;

impl Node {
    /// Whether anything may be claimed: there is room, a lease, a right clock and a fresh reading, and no stop or back-off.
    #[must_use]
    pub fn can_claim(&self, now: Now) -> bool {
        !self.is_stopping()
            && self.clocks.is_right
            && !self.must_read_first(now)
            && self.room() > 0
            && self.claims.is_open(now)
            && self.lease.is_trusted(now.mono)
    }

    /// What was due before a freeze or an outage may have been edited away meanwhile. Where only readings fail, and
    /// renewals do not, that holds up nothing: the claim itself sees the row.
    fn must_read_first(&self, now: Now) -> bool {
        let only_readings_fail =
            self.failed_reading.is_some_and(|began| self.lease.has_contact_since(began));
        self.is_blind_since(self.last_good_read, now.wall)
            && (self.reading.in_flight && !only_readings_fail || !self.lease.has_contact())
    }

    /// How many runs may still be claimed. An outcome that waits takes no place from a run, but they are bounded, too; of
    /// what cannot be recorded even alone each task has few.
    fn room(&self) -> usize {
        let most = self.settings.max_running;
        let places = most.saturating_sub(self.open.len() + self.unsettled.len());
        let waiting = self.outcomes.len() + self.records.in_flight;
        let waiting = waiting.saturating_sub(self.records.failing_alone());
        places.min(most.max(MOST_WAITING).saturating_sub(waiting))
    }

    /// Puts the task's next instant into the timetable, unless a claim of it is in flight or its row must be
    /// read first.
    pub(super) fn plan_next(&mut self, task_id: TaskId) {
        let Some(Known::Live(live)) = self.known.get_mut(&task_id) else { return };
        if live.is_claiming || live.is_stale || live.accounted.is_none() {
            return;
        }
        match live.next_due(&self.share) {
            Some(due) => self.timetable.set(task_id, due),
            None => self.timetable.remove(task_id),
        }
    }

    /// Whether another node should have taken the task's next fire, and may have done so since we last looked.
    fn may_be_accounted_elsewhere(&mut self, task_id: TaskId) -> bool {
        let Some(Known::Live(live)) = self.known.get_mut(&task_id) else { return false };
        let is_ours = live.is_left || self.share.is_mine(task_id);
        !is_ours && live.next_due(&self.share).is_some_and(|due| live.seen_at < due)
    }

    /// While one transaction is in flight the next batch gathers.
    pub(super) fn claim_what_is_due(&mut self, now: Now, actions: &mut Vec<Action>) {
        if self.may_settle(now) {
            let claims = std::mem::take(&mut self.unsettled);
            self.begin_claims(claims.len());
            actions.push(Action::Call(Call::Settle(claims)));
            return;
        }
        if !self.can_claim(now) {
            return;
        }
        let mut claims = self.gather(now);
        if claims.is_empty() {
            return;
        }
        // Rows are locked in id order.
        claims.sort_by_key(|claim| claim.task_id);
        self.begin_claims(claims.len());
        actions.push(Action::Call(Call::Claim(claims)));
    }

    /// What one transaction claims: of tasks of one standing only, so that none that fails takes others with it.
    fn gather(&mut self, now: Now) -> Vec<Claim> {
        let room = self.room();
        let some = self.claims.most(Standing::Fine).min(room) + self.claims.failing();
        let mut due: Vec<TaskId> = self.timetable.take_due(now.wall, some);
        due.retain(|task_id| !self.put_off_fire(*task_id, now));
        let mut claims = Vec::new();
        for standing in self.claims.turns() {
            let most = self.claims.most(standing).min(room);
            let fires_first = self.claims.is_turn_of_fires();
            if !fires_first {
                claims = self.claim_requests(most, standing, now);
            }
            let of_it = |task: &TaskId| self.claims.standing(Wanted::Fire(*task)) == standing;
            let (mut fires, others): (Vec<TaskId>, _) = due.into_iter().partition(of_it);
            due = others;
            // Who waits longest comes first, not whose fire is oldest: that of one that always fails is.
            fires.sort_by_key(|task| self.claims.tried_again_at(Wanted::Fire(*task)));
            for task_id in fires {
                if claims.len() >= most || self.is_claiming(task_id) {
                    self.plan_next(task_id);
                } else if self.may_be_accounted_elsewhere(task_id) {
                    self.checking.insert(task_id);
                } else {
                    claims.extend(self.claim_and_mark(task_id, now));
                }
            }
            if fires_first && claims.len() < most {
                claims.extend(self.claim_requests(most - claims.len(), standing, now));
            }
            if !claims.is_empty() {
                self.claims.turn_is_over();
                break;
            }
        }
        due.into_iter().for_each(|task_id| self.plan_next(task_id));
        claims
    }

    /// Whether the fire of a task failed alone and is tried again later; then it is planned for that moment.
    fn put_off_fire(&mut self, task_id: TaskId, now: Now) -> bool {
        let Some(wait) = self.claims.put_off(Wanted::Fire(task_id), now) else { return false };
        self.timetable.set(task_id, now.wall + wait);
        true
    }

    fn may_settle(&self, now: Now) -> bool {
        self.claims.is_open(now)
            && self.lease.is_trusted(now.mono)
            && !self.unsettled.is_empty()
            && self.settles_at <= now.mono
    }

    fn begin_claims(&mut self, rows: usize) {
        self.claims.begin(rows);
        self.claims_term = self.lease.term();
    }

    /// How soon we ask again for a task that is busy on another node.
    pub(super) fn ask_again(&self, task_id: TaskId) -> TimeDelta {
        if self.share.is_mine(task_id) { ASK_AGAIN } else { OTHERS_ASK_AGAIN }
    }

    fn claim_and_mark(&mut self, task_id: TaskId, now: Now) -> Option<Claim> {
        let claim = self.claim_of(task_id, now)?;
        self.mark_claiming(task_id);
        Some(claim)
    }

    fn is_claiming(&mut self, task_id: TaskId) -> bool {
        self.live_mut(task_id).is_some_and(|live| live.is_claiming)
    }

    /// One claim of a task at a time: until it is answered, the task is not planned.
    pub(super) fn mark_claiming(&mut self, task_id: TaskId) {
        if let Some(live) = self.live_mut(task_id) {
            live.is_claiming = true;
        }
        self.timetable.remove(task_id);
    }

    fn claim_of(&mut self, task_id: TaskId, now: Now) -> Option<Claim> {
        let load = self.load(task_id);
        let Some(Known::Live(live)) = self.known.get(&task_id) else { return None };
        let (accounted, policy) = (live.accounted?, live.task.policy);
        let spec = Arc::clone(&live.task.spec);
        let due = lateness::due(&live.task.trigger, &policy, accounted, load, now.wall);
        let (first, missed, fire) = match due {
            // The wall clock stepped back since the task was taken.
            Due::Nothing => {
                self.plan_next(task_id);
                return None;
            }
            Due::Wait => {
                self.wait(task_id, now);
                return None;
            }
            Due::Missed(missed) => (missed.first, Some(missed), None),
            Due::Fire { fire, missed } => {
                let first = missed.as_ref().map_or(fire.scheduled_at, |missed| missed.first);
                (first, missed, Some(fire))
            }
        };
        // Said once by the database, it holds for one answer: the next fire asks anew.
        self.load_mut(task_id).is_busy_elsewhere = false;
        let missed = missed
            .map(|missed| self.entry(missed.last, Status::Missed, missed.extra(&policy, now.wall)));
        let fire = fire.map(|fire| self.fire_entry(fire, &policy));
        let entries = missed.into_iter().chain(fire).collect();
        Some(Claim {
            task_id,
            spec,
            first,
            limit: policy.limit(),
            origin: Origin::Schedule,
            entries,
        })
    }

    /// The end of a run of ours, or its record, plans the task anew. Of a run elsewhere we hear nothing.
    fn wait(&mut self, task_id: TaskId, now: Now) {
        let load = self.load_mut(task_id);
        load.has_waited |= load.unrecorded == 0;
        if std::mem::take(&mut load.is_busy_elsewhere) {
            let again = self.ask_again(task_id);
            self.timetable.set(task_id, now.wall + again);
        }
    }

    fn fire_entry(&mut self, fire: Fire, policy: &Policy) -> Entry {
        if fire.is_skipped {
            let extra = extra_of_reason("an earlier run of the task is still open", None);
            self.entry(fire.scheduled_at, Status::Skipped, extra)
        } else {
            self.entry(fire.scheduled_at, Status::Todo, policy.extra_at_claim())
        }
    }

    fn entry(&mut self, scheduled_at: DateTime<Utc>, status: Status, extra: String) -> Entry {
        let trace_id = (self.make_trace_id)();
        Entry { scheduled_at, trace_id, status, attempt: 1, extra }
    }
}
