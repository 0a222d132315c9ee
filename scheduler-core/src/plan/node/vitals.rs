//! What keeps a node alive and the tables fresh and clean: readings, renewals, notes of running jobs, and looking
//! after dead nodes.

use std::time::Duration;

use chrono::TimeDelta;

use super::{
    Action, Asked, Call, Chore, Ending, Failure, Health, Lost, Node, Notice, Reaped,
    clocks::Standing, stop::Phase, tasks::READ_AGAIN,
};
use crate::plan::{Now, database_clock::Sighting, task::TaskId};

/// How old the notes of a running job in the table may be: fresh enough for whoever watches a bar move, and one
/// statement for all jobs together.
const NOTE_EVERY: Duration = Duration::from_secs(5);

impl Node {
    /// Looking for dead nodes costs one statement; a third of the lease keeps recovery within
    /// lease + 10 s + one database call at the defaults.
    fn reap_every(&self) -> Duration {
        self.lease.renew_every()
    }

    /// Renewals go on while jobs still run and end last; readings end with the wish to stop.
    pub(super) fn active_chores(&self) -> impl Iterator<Item = Chore> {
        let is_here = self.stop != Phase::Left;
        let is_running = !self.is_stopping();
        [
            (self.renewing, is_here),
            (self.reading, is_running),
            (self.reaping, is_running && self.has_read),
            (self.noting, !self.open.is_empty()),
        ]
        .into_iter()
        .filter_map(|(chore, is_active)| is_active.then_some(chore))
    }

    pub(super) fn do_chores(&mut self, now: Now, actions: &mut Vec<Action>) {
        if self.stop != Phase::Left && self.renewing.is_due(now) {
            self.renewing.begin();
            self.slept_in_renewal = Duration::ZERO;
            actions.push(Action::Call(Call::Renew));
        }
        if !self.open.is_empty() && self.noting.is_due(now) {
            self.noting.begin();
            actions.push(Action::Call(Call::Note(Vec::new())));
        }
        if self.is_stopping() {
            return;
        }
        if self.reading.is_due(now) {
            self.reading.begin();
            self.requests.reading_begins();
            self.read_started = now;
            if self.is_blind_since(self.last_good_read, now.wall) {
                self.seen.look_at_all_again();
            }
            self.seen.only_edited(self.only_edited_within(now));
            actions.push(Action::Call(Call::Read(std::mem::take(&mut self.seen))));
        }
        if self.has_read && self.reaping.is_due(now) {
            if let Some(left) = self.lease.may_reap_for(now.mono) {
                self.reaping.begin();
                let suspects = self.next_suspects();
                let until = now.wall + TimeDelta::from_std(left).unwrap_or(TimeDelta::MAX);
                actions.push(Action::Call(Call::Reap { suspects, until }));
            } else {
                let next = now.mono + self.reap_every();
                let from = self.lease.may_reap_from().filter(|from| *from > now.mono);
                self.reaping.due_at = from.map_or(next, |from| from.min(next));
            }
        }
    }

    /// A clock that was set is compared at once: the database's may have been set with it. A machine that slept looks like
    /// one whose clock was set forward, and its monotonic clock slept too: its lease is shorter by that, as is what a
    /// renewal that began before will tell, and what it read last is old. Looked for before an answer is heard, which would
    /// explain it away.
    pub(super) fn look_for_a_step(&mut self, local: Now) {
        let Some(slept) = self.clocks.look_for_a_step(local) else { return };
        self.renewing.hurry();
        self.reading.hurry();
        self.slept(slept);
    }

    /// The database's clock was set, or it went on while this machine slept. By one that was set forward everybody looks
    /// dead.
    pub(super) fn look_at_the_databases_clock(
        &mut self,
        sighting: Sighting,
        local: Now,
        actions: &mut Vec<Action>,
    ) {
        if let Some(slept) = self.clocks.sighted(sighting, local, self.slept_in_renewal) {
            self.lease.contact_lost();
            self.reading.hurry();
            self.slept(slept);
        }
        self.say_whether_the_clock_is_off(local, actions);
    }

    /// Another clock went on by so much more than the monotonic one. If it was set instead, that costs one more renewal.
    fn slept(&mut self, slept: Duration) {
        self.lease.slept(slept);
        self.slept_in_renewal += slept;
    }

    /// Says once that the machine's clock is off, and once that it is right again. A suspicion is soon looked into.
    fn say_whether_the_clock_is_off(&mut self, local: Now, actions: &mut Vec<Action>) {
        let health = match self.clocks.judge(local) {
            (Standing::Right, Standing::Suspect) => return self.renewing.hurry(),
            (Standing::Suspect, Standing::Off) => Health::ClockIsOff(self.clocks.skew),
            (Standing::Off, Standing::Right) => Health::ClockIsRight,
            _ => return,
        };
        actions.push(Action::Report(Notice::Health(health)));
    }

    /// At most a batch, taking turns: one that runs on another node stays a suspect for long.
    fn next_suspects(&mut self) -> Vec<TaskId> {
        let after = self.suspects.range(self.last_suspect.saturating_add(1)..);
        let before = self.suspects.range(..=self.last_suspect);
        let suspects: Vec<_> = after.chain(before).copied().take(self.settings.batch).collect();
        self.last_suspect = suspects.last().copied().unwrap_or(TaskId::MIN);
        suspects
    }

    pub(super) fn on_renewed(
        &mut self,
        started: Duration,
        result: Result<Sighting, Failure>,
        now: Now,
        actions: &mut Vec<Action>,
    ) {
        match result {
            Ok(_) => {
                let started = started.checked_sub(self.slept_in_renewal);
                if let Some(started) = started {
                    self.lease.renewed(started, now.mono);
                }
                let is_trusted = self.lease.is_trusted(now.mono);
                self.lease_is_lost &= !is_trusted;
                let next = started.filter(|_| is_trusted).map(|at| at + self.lease.renew_every());
                self.renewing.end(now, next.unwrap_or(now.mono));
                self.note_trouble(Asked::Lease, None, actions);
            }
            Err(failure) => {
                self.lease.contact_lost();
                self.note_trouble(Asked::Lease, Some(&failure), actions);
                self.renewing.end(now, now.mono + self.lease.renew_every() / 5);
                let is_lost = !self.lease.is_trusted(now.mono);
                if is_lost && !std::mem::replace(&mut self.lease_is_lost, true) {
                    actions.push(Action::Report(Notice::Health(Health::LeaseLost)));
                }
            }
        }
    }

    /// A reading at once; of many wake-ups two in a second, and one more after what is under way.
    pub(super) fn on_wake(&mut self) {
        self.reading.hurry_after(READ_AGAIN);
    }

    pub(super) fn on_noted(&mut self, result: Result<(), Failure>, now: Now) {
        // A database in trouble has more important things to write.
        let pause = if result.is_ok() { NOTE_EVERY } else { 6 * NOTE_EVERY };
        self.noting.end(now, now.mono + pause);
    }

    pub(super) fn on_reaped(
        &mut self,
        result: Result<Reaped, Failure>,
        now: Now,
        actions: &mut Vec<Action>,
    ) {
        // A full answer means that more of the dead wait.
        let is_full = result.as_ref().is_ok_and(|reaped| reaped.lost.len() >= self.settings.batch);
        let pause = if is_full { Duration::ZERO } else { self.reap_every() };
        self.reaping.end(now, now.mono + pause);
        let failed_before = std::mem::replace(&mut self.reaping_fails, result.is_err());
        match result {
            Ok(reaped) => {
                for Lost { execution_id, task_id, node_id, is_retried } in reaped.lost {
                    let lost = Ending::Lost { execution_id, task_id, node_id, is_retried };
                    actions.push(Action::Report(Notice::Ending(lost)));
                    if is_retried {
                        // The retry waits in its table; a reading brings it.
                        self.reading.hurry();
                    }
                }
                for task_id in reaped.healed {
                    self.suspects.remove(&task_id);
                    actions.push(Action::Report(Notice::Healed(task_id)));
                }
            }
            Err(failure) if !failed_before => {
                let text = failure.text().to_owned();
                actions.push(Action::Report(Notice::Health(Health::ReapingFails(text))));
            }
            Err(_) => {}
        }
    }
}
