//! From the answer to a claim to a started job: only what is committed runs.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Action, Ending, Failure, Node, Notice, Open, Run, Settled, Wanted, known::Known,
    lane::LOCKED_FOR, tasks::READ_AGAIN,
};
use crate::plan::{
    Now,
    claim::{Claim, Entry, Origin, Refusal, Verdict},
    execution::{ExecutionId, Outcome, Status, args_of, extra_of_reason, extra_with_args},
    lease::OVER,
    retry::{Attempt, Cause},
    task::{Overlap, Policy, TaskId},
};

impl Node {
    pub(super) fn on_claimed(
        &mut self,
        claims: Vec<Claim>,
        result: Result<Vec<Verdict>, Failure>,
        now: Now,
        actions: &mut Vec<Action>,
    ) {
        let verdicts = match result {
            Ok(verdicts) => verdicts,
            Err(failure) => {
                if self.claims.failed(&wanted_by(&claims), self.is_away(), now) {
                    let (task_id, error) = (claims[0].task_id, failure.text().to_owned());
                    self.note_stuck(Notice::ClaimFails { task_id, error }, actions);
                }
                match failure {
                    Failure::NotApplied(_) => self.give_back(&claims, now),
                    // Until it is known what was written, nothing of these tasks is planned.
                    Failure::Unknown(_) => self.unsettled.extend(claims),
                }
                return;
            }
        };
        // Where the task is busy, nothing else of what was asked for was tried.
        let is_told = |(claim, verdict): &(&Claim, &Verdict)| {
            claim.origin == Origin::Schedule || **verdict != Verdict::Refused(Refusal::Busy)
        };
        let told = claims.iter().zip(&verdicts).filter(is_told);
        self.claims.succeeded(told.map(|(claim, _)| Wanted::by(claim)));
        let mut runs = Vec::new();
        for (claim, verdict) in claims.iter().zip(verdicts) {
            match verdict {
                Verdict::Won(execution) => self.won(claim, execution, now, &mut runs, actions),
                Verdict::Refused(refusal) => self.refused(claim, refusal, now, actions),
            }
        }
        start(runs, actions);
    }

    pub(super) fn on_settled(
        &mut self,
        claims: Vec<Claim>,
        result: Result<Vec<Settled>, Failure>,
        now: Now,
        actions: &mut Vec<Action>,
    ) {
        let Ok(settled) = result else {
            self.claims.ended();
            self.settles_at = now.mono + self.settle_waits.next().max(READ_AGAIN);
            self.unsettled.extend(claims);
            return;
        };
        self.settle_waits.restart();
        let is_written = |(_, settled): &(_, &Settled)| matches!(settled, Settled::Written(_));
        let written = claims.iter().zip(&settled).filter(is_written);
        self.claims.succeeded(written.map(|(claim, _)| Wanted::by(claim)));
        let mut runs = Vec::new();
        for (claim, settled) in claims.into_iter().zip(settled) {
            match settled {
                Settled::Written(execution) => {
                    let execution = self.give_up_late(&claim, execution, now);
                    self.won(&claim, execution, now, &mut runs, actions);
                }
                Settled::NotWritten => self.give_back(&[claim], now),
                Settled::Locked => self.unsettled.push(claim),
            }
        }
        self.settles_at = now.mono + LOCKED_FOR;
        start(runs, actions);
    }

    /// Nothing was written: the tasks are planned again, as if the claim had not been tried.
    fn give_back(&mut self, claims: &[Claim], now: Now) {
        for claim in claims {
            self.wait_again(claim, now.wall);
            if let Some(live) = self.live_mut(claim.task_id) {
                live.is_claiming = false;
            }
            self.plan_next(claim.task_id);
        }
    }

    fn plan_later(&mut self, task_id: TaskId, now: Now, later: Duration) {
        self.plan_next(task_id);
        if let Some(due) = self.timetable.get(task_id) {
            self.timetable.set(task_id, due.max(now.wall + later));
        }
    }

    fn won(
        &mut self,
        claim: &Claim,
        execution: Option<ExecutionId>,
        now: Now,
        runs: &mut Vec<Run>,
        actions: &mut Vec<Action>,
    ) {
        self.say_what_does_not_run(claim, actions);
        let started = execution.zip(claim.run());
        let Some(live) = self.live_mut(claim.task_id) else {
            if let Some((execution_id, entry)) = started {
                self.finish(self.changed_meanwhile(execution_id, claim, entry, now));
            }
            return;
        };
        live.is_claiming = false;
        if claim.origin == Origin::Schedule {
            live.accounted = live.accounted.map(|accounted| accounted.max(claim.newest()));
            self.load_mut(claim.task_id).has_waited = false;
        }
        if let Some((execution_id, entry)) = started {
            self.start(execution_id, claim, entry, now, runs, actions);
        }
        self.plan_next(claim.task_id);
    }

    /// Between the claim and its answer its row was switched off, deleted or rejected.
    fn changed_meanwhile(
        &self,
        execution_id: ExecutionId,
        claim: &Claim,
        entry: &Entry,
        now: Now,
    ) -> Outcome {
        let is_rejected = matches!(self.known.get(&claim.task_id), Some(Known::Rejected(_)));
        let reason = match self.known.get(&claim.task_id) {
            Some(_) if is_rejected => "the row was rejected before the run began",
            Some(_) => "the row was switched off before the run began",
            None => "the row was deleted before the run began",
        };
        let mut outcome =
            unstarted(execution_id, claim.task_id, entry, (Status::Cancelled, reason), now);
        // The retry of a row that is rejected waits until the row is mended.
        if is_rejected && claim.origin == Origin::Retry {
            let Entry { scheduled_at, attempt: number, ref trace_id, .. } = *entry;
            let attempt = Attempt { scheduled_at, number, trace_id };
            outcome.retry = Policy::default().retry(Cause::NeverBegan, attempt, now.wall);
            let extra = extra_of_reason(reason, outcome.retry.map(|retry| retry.due_at));
            outcome.extra = extra_with_args(&extra, asked_args(claim, entry).as_deref());
        }
        outcome
    }

    fn start(
        &mut self,
        execution_id: ExecutionId,
        claim: &Claim,
        entry: &Entry,
        now: Now,
        runs: &mut Vec<Run>,
        actions: &mut Vec<Action>,
    ) {
        let task_id = claim.task_id;
        let Some(Known::Live(live)) = self.known.get(&task_id) else { return };
        let task = &live.task;
        let open = Open {
            task_id,
            task_key: Arc::clone(&task.key),
            trace_id: Arc::clone(&entry.trace_id),
            scheduled_at: entry.scheduled_at,
            attempt: entry.attempt,
            policy: task.policy,
            deadline: task.policy.timeout.map(|timeout| now.mono + timeout),
            skew: self.clocks.skew,
            origin: claim.origin,
            args: asked_args(claim, entry),
            is_given_up: false,
        };
        if let Some(why_not) = self.why_not_begin(now) {
            return self.never_began(open, execution_id, why_not, now.wall, actions);
        }
        runs.push(Run {
            execution_id,
            task_id,
            task_key: Arc::clone(&task.key),
            job: Arc::clone(&task.job),
            args: open.args.clone().unwrap_or_else(|| Arc::clone(&task.args)),
            trace_id: Arc::clone(&entry.trace_id),
            extra: entry.extra.clone(),
            scheduled_at: entry.scheduled_at,
            attempt: entry.attempt,
            timeout: task.policy.timeout,
            term: self.claims_term,
        });
        if let Some(deadline) = open.deadline {
            self.deadlines.insert((deadline, execution_id));
        }
        self.open.insert(execution_id, open);
        self.load_mut(task_id).running += 1;
    }

    /// Why what was claimed does not begin any more. Of a node that was frozen for longer than its lease others may have
    /// taken the run already, even if the node has renewed since.
    fn why_not_begin(&self, now: Now) -> Option<(Status, &'static str)> {
        if self.is_stopping() {
            Some((Status::Cancelled, "the scheduler stopped before the run began"))
        } else if !self.lease.covers(self.claims_term, now.mono) {
            Some((Status::Lost, OVER))
        } else {
            None
        }
    }

    /// A run whose claim was committed, but of which we hear only after the grace, is not started any more.
    fn give_up_late(
        &mut self,
        claim: &Claim,
        execution: Option<ExecutionId>,
        now: Now,
    ) -> Option<ExecutionId> {
        let (execution_id, entry) = execution.zip(claim.run())?;
        let Some(Known::Live(live)) = self.known.get(&claim.task_id) else { return execution };
        let policy = live.task.policy;
        let grace = TimeDelta::from_std(policy.misfire_grace_time).unwrap_or(TimeDelta::MAX);
        let is_late = now.wall - entry.scheduled_at > grace;
        let is_scheduled = claim.origin == Origin::Schedule;
        if !is_scheduled || policy.overlap == Overlap::Queue || !is_late {
            return execution;
        }
        let reason =
            "claimed in time, but the database's answer came later than misfire_grace_time";
        let why_not = (Status::Missed, reason);
        self.finish(unstarted(execution_id, claim.task_id, entry, why_not, now));
        None
    }

    fn refused(&mut self, claim: &Claim, refusal: Refusal, now: Now, actions: &mut Vec<Action>) {
        let task_id = claim.task_id;
        if let Some(live) = self.live_mut(task_id) {
            live.is_claiming = false;
            // The next reading says what became of the row; until then nothing of it is claimed.
            live.is_stale |= matches!(refusal, Refusal::Gone | Refusal::SpecChanged);
        }
        // Which reading showed what the claim saw, and whether one did, is not known.
        if matches!(refusal, Refusal::Gone | Refusal::SpecChanged | Refusal::Disabled) {
            self.seen.look_again(task_id);
        }
        match refusal {
            // Where a reading does not see what the claim saw, both would go on without a pause.
            Refusal::Gone | Refusal::SpecChanged => self.reading.hurry_after(READ_AGAIN),
            Refusal::Disabled => self.disable(task_id, actions),
            Refusal::RequestGone => {}
            Refusal::Accounted(last) => self.accounted_elsewhere(claim, last),
            // Whether what was asked for can run says nothing about the schedule.
            Refusal::Busy if claim.origin != Origin::Schedule => {
                let again = self.ask_again(claim.task_id);
                self.wait_again(claim, now.wall + again);
            }
            Refusal::Busy => self.load_mut(task_id).is_busy_elsewhere = true,
            Refusal::Locked => {
                self.wait_again(claim, now.wall + LOCKED_FOR);
                return self.plan_later(task_id, now, LOCKED_FOR);
            }
        }
        self.plan_next(task_id);
    }

    fn accounted_elsewhere(&mut self, claim: &Claim, last: DateTime<Utc>) {
        if claim.origin != Origin::Schedule {
            // A fire took the very millisecond of the manual run, which moves on to the next.
            return self.move_on(claim);
        }
        self.load_mut(claim.task_id).has_waited = false;
        if let Some(live) = self.live_mut(claim.task_id) {
            live.accounted = live.accounted.map(|accounted| accounted.max(last));
            live.is_left = false;
        }
    }

    fn say_what_does_not_run(&self, claim: &Claim, actions: &mut Vec<Action>) {
        for entry in &claim.entries {
            let notice = match (entry.status, self.known.get(&claim.task_id)) {
                (Status::Cancelled, _) => Notice::RequestRefused {
                    task_id: claim.task_id,
                    attempt: entry.attempt,
                    extra: entry.extra.clone(),
                },
                (Status::Missed | Status::Skipped, Some(Known::Live(live))) => {
                    Notice::Ending(Ending::NotRun {
                        task_key: Arc::clone(&live.task.key),
                        status: entry.status,
                        scheduled_at: entry.scheduled_at,
                        extra: entry.extra.clone(),
                    })
                }
                _ => continue,
            };
            actions.push(Action::Report(notice));
        }
    }
}

/// The outcome of a run that was claimed and never began.
fn unstarted(
    execution_id: ExecutionId,
    task_id: TaskId,
    entry: &Entry,
    (status, reason): (Status, &str),
    now: Now,
) -> Outcome {
    Outcome {
        execution_id,
        task_id,
        trace_id: Arc::clone(&entry.trace_id),
        status,
        extra: extra_of_reason(reason, None),
        started_at: None,
        finished_at: now.wall,
        retry: None,
    }
}

/// The arguments that somebody asked for; the schedule runs with those of the row.
fn asked_args(claim: &Claim, entry: &Entry) -> Option<Arc<str>> {
    if claim.origin == Origin::Schedule { None } else { args_of(&entry.extra) }
}

fn wanted_by(claims: &[Claim]) -> Vec<Wanted> {
    claims.iter().map(Wanted::by).collect()
}

fn start(runs: Vec<Run>, actions: &mut Vec<Action>) {
    if !runs.is_empty() {
        actions.push(Action::Start(runs));
    }
}
