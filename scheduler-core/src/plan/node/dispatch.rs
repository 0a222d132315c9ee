//! From a due instant to a started job: claim first, run only what is committed.

use std::sync::Arc;

use chrono::TimeDelta;

use super::{Action, Failure, Node, Notice, Open, Run, Settled, tasks::Known};
use crate::plan::{
    Now,
    claim::{Claim, Entry, Refusal, Verdict},
    execution::{ExecutionId, Outcome, Source, Status},
    lateness::{self, Due},
    task::{Overlap, TaskId},
};

/// How soon a task that waits for a run on another node is tried again.
const ASK_AGAIN: TimeDelta = TimeDelta::seconds(1);

/// How long a claim that failed alone is put off.
const PUT_OFF: TimeDelta = TimeDelta::seconds(5);

impl Node {
    pub(super) fn can_claim(&self, now: Now) -> bool {
        !self.is_stopping()
            && self.unsettled.is_none()
            && self.open.len() < self.settings.max_running
            && self.claims.is_open(now)
            && self.lease.is_trusted(now.mono)
    }

    /// Puts the task's next instant into the timetable, unless a claim of it is in flight.
    pub(super) fn plan_next(&mut self, task_id: TaskId) {
        let Some(Known::Live(live)) = self.known.get(&task_id) else {
            return;
        };
        let Some(accounted) = live.accounted else {
            return;
        };
        if live.is_claiming || live.is_stale {
            return;
        }
        match live.task.trigger.next_after(accounted) {
            Some(next) => self.timetable.set(task_id, next),
            None => self.timetable.remove(task_id),
        }
    }

    /// Everything that is due goes into one transaction; while it is in flight the next batch gathers.
    pub(super) fn claim_what_is_due(&mut self, now: Now, actions: &mut Vec<Action>) {
        if let Some(claims) = self.unsettled.take_if(|_| self.claims.is_open(now)) {
            self.claims.begin();
            actions.push(Action::Settle(claims));
            return;
        }
        if !self.can_claim(now) {
            return;
        }
        let room = self.claims.batch.min(self.settings.max_running - self.open.len());
        let mut claims = self.claim_requests(room, actions);
        for task_id in self.timetable.take_due(now.wall, room.saturating_sub(claims.len())) {
            if let Some(claim) = self.claim_of(task_id, now) {
                self.mark_claiming(task_id);
                claims.push(claim);
            }
        }
        if claims.is_empty() {
            return;
        }
        // Rows are locked in id order.
        claims.sort_by_key(|claim| claim.task_id);
        self.claims.begin();
        actions.push(Action::Claim(claims));
    }

    /// One claim of a task at a time: until it is answered, the task is not planned.
    pub(super) fn mark_claiming(&mut self, task_id: TaskId) {
        if let Some(live) = self.live_mut(task_id) {
            live.is_claiming = true;
        }
        self.timetable.remove(task_id);
    }

    fn claim_of(&mut self, task_id: TaskId, now: Now) -> Option<Claim> {
        let Some(Known::Live(live)) = self.known.get_mut(&task_id) else {
            return None;
        };
        let accounted = live.accounted?;
        let (missed, fire) = match lateness::due(
            &live.task.trigger,
            &live.task.policy,
            accounted,
            live.load,
            now.wall,
        ) {
            Due::Nothing => {
                // The wall clock stepped back since the task was taken: plan it anew.
                self.plan_next(task_id);
                return None;
            }
            Due::Wait => {
                live.load.has_waited |= live.load.unrecorded == 0;
                // The end of a run of ours plans the task anew. Of a run elsewhere we hear nothing: ask again.
                if live.load.unrecorded == 0 && live.load.running < live.task.policy.max_instances {
                    live.load.is_busy_elsewhere = false;
                    self.timetable.set(task_id, now.wall + ASK_AGAIN);
                }
                return None;
            }
            Due::Now { missed, fire } => (missed, fire),
        };
        let first =
            missed.as_ref().map(|missed| missed.first).or(fire.map(|fire| fire.scheduled_at))?;
        let mut entries = Vec::with_capacity(2);
        if let Some(missed) = missed {
            let extra = missed.extra(&live.task.policy, fire, now.wall);
            entries.push((missed.last, Status::Missed, extra));
        }
        if let Some(fire) = fire {
            let (status, extra) = if fire.is_skipped {
                (
                    Status::Skipped,
                    serde_json::json!({ "reason": "the task was still running" }).to_string(),
                )
            } else {
                (Status::Todo, "{}".to_owned())
            };
            entries.push((fire.scheduled_at, status, extra));
        }
        let entries = entries
            .into_iter()
            .map(|(scheduled_at, status, extra)| Entry {
                scheduled_at,
                trace_id: (self.make_trace_id)(),
                status,
                source: Source::Schedule,
                extra,
            })
            .collect();
        let may_overlap = live.task.policy.may_overlap();
        Some(Claim {
            task_id,
            spec: Arc::clone(&live.task.spec),
            first,
            may_overlap,
            request: None,
            entries,
        })
    }

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
                self.claims.failed(claims.len(), now);
                self.note_trouble(Some(&failure), actions);
                match failure {
                    Failure::NotApplied(_) => {
                        self.give_back(&claims);
                        self.put_off(&claims, now);
                    }
                    // Until it is known what was written, nothing of these tasks is planned.
                    Failure::Unknown(_) => self.unsettled = Some(claims),
                }
                return;
            }
        };
        self.claims.succeeded();
        let mut runs = Vec::new();
        for (claim, verdict) in claims.iter().zip(verdicts) {
            match verdict {
                Verdict::Won(execution) => self.won(claim, execution, now, &mut runs, actions),
                Verdict::Refused(refusal) => self.refused(claim, refusal, now, actions),
            }
        }
        if !runs.is_empty() {
            actions.push(Action::Start(runs));
        }
    }

    pub(super) fn on_settled(
        &mut self,
        claims: Vec<Claim>,
        result: Result<Vec<Settled>, Failure>,
        now: Now,
        actions: &mut Vec<Action>,
    ) {
        let settled = match result {
            Ok(settled) => settled,
            Err(failure) => {
                self.claims.failed(claims.len(), now);
                self.note_trouble(Some(&failure), actions);
                self.unsettled = Some(claims);
                return;
            }
        };
        self.claims.succeeded();
        let mut runs = Vec::new();
        for (claim, settled) in claims.iter().zip(settled) {
            match settled {
                Settled::Written(execution) => {
                    let execution = self.give_up_late(claim, execution, now);
                    self.won(claim, execution, now, &mut runs, actions);
                }
                Settled::NotWritten => self.give_back(std::slice::from_ref(claim)),
            }
        }
        if !runs.is_empty() {
            actions.push(Action::Start(runs));
        }
    }

    /// Nothing was written: the tasks are planned again, as if the claim had not been tried.
    fn give_back(&mut self, claims: &[Claim]) {
        for claim in claims {
            if let Some(live) = self.live_mut(claim.task_id) {
                live.is_claiming = false;
            }
            // A request that was not written is still in its table: the next reading shows it again.
            self.plan_next(claim.task_id);
        }
    }

    /// A claim that fails even alone lets the others pass first.
    fn put_off(&mut self, claims: &[Claim], now: Now) {
        if let [claim] = claims
            && let Some(due) = self.timetable.get(claim.task_id)
        {
            self.timetable.set(claim.task_id, due.max(now.wall + PUT_OFF));
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
        let started = execution.zip(claim.run().cloned());
        let Some(Known::Live(live)) = self.known.get_mut(&claim.task_id) else {
            // Deleted or disabled between the claim and its answer; the claim was first.
            if let Some((execution_id, entry)) = started {
                let reason = "the task was disabled or deleted before the run began";
                self.never_started(
                    execution_id,
                    claim.task_id,
                    &entry,
                    Status::Cancelled,
                    reason,
                    now,
                );
            }
            return;
        };
        live.is_claiming = false;
        if claim.request.is_none() {
            live.accounted = live.accounted.map(|accounted| accounted.max(claim.newest()));
            live.load.has_waited = false;
            live.load.is_busy_elsewhere = false;
        }
        if let Some((execution_id, entry)) = started {
            self.start(execution_id, claim.task_id, &entry, now, runs);
        }
        self.plan_next(claim.task_id);
    }

    fn start(
        &mut self,
        execution_id: ExecutionId,
        task_id: TaskId,
        entry: &Entry,
        now: Now,
        runs: &mut Vec<Run>,
    ) {
        if self.is_stopping() {
            let reason = "the scheduler stopped before the run began";
            return self.never_started(
                execution_id,
                task_id,
                entry,
                Status::Cancelled,
                reason,
                now,
            );
        }
        let Some(live) = self.live_mut(task_id) else {
            return;
        };
        live.load.running += 1;
        let task = &live.task;
        let open = Open {
            task_id,
            task_key: Arc::clone(&task.key),
            trace_id: Arc::clone(&entry.trace_id),
            started_at: now.wall,
            deadline: task.policy.timeout.map(|timeout| now.mono + timeout),
        };
        runs.push(Run {
            execution_id,
            task_id,
            task_key: Arc::clone(&task.key),
            job: Arc::clone(&task.job),
            args: Arc::clone(&task.args),
            trace_id: Arc::clone(&entry.trace_id),
            scheduled_at: entry.scheduled_at,
            attempt: 1,
        });
        if let Some(deadline) = open.deadline {
            self.deadlines.insert((deadline, execution_id));
        }
        self.open.insert(execution_id, open);
    }

    /// A run whose claim was committed, but of which we hear only after the grace, is not started any more.
    fn give_up_late(
        &mut self,
        claim: &Claim,
        execution: Option<ExecutionId>,
        now: Now,
    ) -> Option<ExecutionId> {
        let (execution_id, entry) = execution.zip(claim.run())?;
        let policy = self.live_mut(claim.task_id)?.task.policy;
        let is_late = now.wall - entry.scheduled_at
            > TimeDelta::from_std(policy.misfire_grace_time).unwrap_or(TimeDelta::MAX);
        if entry.source == Source::Manual || policy.overlap == Overlap::Queue || !is_late {
            return execution;
        }
        let reason =
            "claimed in time, but the database's answer came later than misfire_grace_time";
        self.never_started(
            execution_id,
            claim.task_id,
            &entry.clone(),
            Status::Missed,
            reason,
            now,
        );
        None
    }

    fn never_started(
        &mut self,
        execution_id: ExecutionId,
        task_id: TaskId,
        entry: &Entry,
        status: Status,
        reason: &str,
        now: Now,
    ) {
        self.finish(Outcome {
            execution_id,
            task_id,
            trace_id: Arc::clone(&entry.trace_id),
            status,
            extra: serde_json::json!({ "reason": reason }).to_string(),
            started_at: None,
            finished_at: now.wall,
        });
    }

    fn refused(&mut self, claim: &Claim, refusal: Refusal, now: Now, actions: &mut Vec<Action>) {
        if let Some(live) = self.live_mut(claim.task_id) {
            live.is_claiming = false;
        }
        match refusal {
            // The next reading says what became of the row; until then nothing of it is claimed.
            Refusal::Gone | Refusal::SpecChanged => {
                if let Some(live) = self.live_mut(claim.task_id) {
                    live.is_stale = true;
                }
                self.reading.due_at = self.reading.due_at.min(now.mono);
                return;
            }
            Refusal::Disabled => {
                self.disable(claim.task_id, actions);
                return;
            }
            Refusal::RequestGone => {}
            Refusal::Accounted(last) => {
                if let Some(live) = self.live_mut(claim.task_id) {
                    live.accounted = live.accounted.map(|accounted| accounted.max(last));
                }
            }
            Refusal::Busy => {
                if let Some(live) = self.live_mut(claim.task_id) {
                    live.load.is_busy_elsewhere = true;
                }
            }
        }
        self.plan_next(claim.task_id);
    }

    fn say_what_does_not_run(&self, claim: &Claim, actions: &mut Vec<Action>) {
        let Some(Known::Live(live)) = self.known.get(&claim.task_id) else {
            return;
        };
        for entry in claim.entries.iter().filter(|entry| entry.status != Status::Todo) {
            actions.push(Action::Report(Notice::NotRun {
                task_key: Arc::clone(&live.task.key),
                status: entry.status,
                scheduled_at: entry.scheduled_at,
                extra: entry.extra.clone(),
            }));
        }
    }
}
