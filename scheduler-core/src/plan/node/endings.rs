//! From the end of a job to the recorded outcome.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{
    Action, Call, Cancel, Ended, Ending, Failure, Node, Notice, Open, lane::LOCKED_FOR, stop::Phase,
};
use crate::plan::{
    Now,
    claim::Origin,
    execution::{
        ExecutionId, Outcome, Recorded, Status, extra_of_error, extra_of_reason, extra_with_args,
    },
    notes::{in_ascii, with_notes},
    retry::{Attempt, Cause, Retry},
    task::{OnLost, TaskId},
    words::quote,
};

impl Node {
    pub(super) fn on_ended(&mut self, ended: Vec<Ended>, actions: &mut Vec<Action>) {
        for mut run in ended {
            let Some(open) = self.close(run.execution_id) else { continue };
            // Jobs look at the machine's clock, rows tell the database's.
            run.started_at = run.started_at.map(|at| at - open.skew);
            // The skew is known to a millisecond, and a run may be shorter.
            run.finished_at =
                (run.finished_at - self.clocks.skew).max(run.started_at.unwrap_or_default());
            if open.is_given_up {
                self.complete(run);
                // From now on its task has room again.
                self.plan_next(open.task_id);
                continue;
            }
            if let (None, Err(why_not)) = (run.started_at, &run.result) {
                let why_not = (Status::Lost, &**why_not);
                self.never_began(open, run.execution_id, why_not, run.finished_at, actions);
                continue;
            }
            let retry = run.result.is_err().then(|| open.retry_failure(self, &run)).flatten();
            let (status, extra) = match &run.result {
                Ok(()) => (Status::Success, "{}".to_owned()),
                Err(error) => {
                    (Status::Fail, extra_of_error(error, retry.map(|retry| retry.due_at)))
                }
            };
            let extra = with_notes(&extra, run.notes);
            if let Err(error) = run.result {
                actions.push(open.failed(run.execution_id, status, error, retry));
            }
            let said = (status, extra, retry);
            let outcome = open.outcome(run.execution_id, said, run.finished_at);
            self.finish(Outcome { started_at: run.started_at, ..outcome });
        }
    }

    /// Adds what only the run itself knew to its outcome, if that still waits.
    fn complete(&mut self, run: Ended) {
        let waits = |outcome: &&mut Outcome| outcome.execution_id == run.execution_id;
        if let Some(outcome) = self.outcomes.iter_mut().find(waits) {
            outcome.started_at = outcome.started_at.or(run.started_at);
            outcome.extra = with_notes(&outcome.extra, run.notes);
        }
    }

    /// Puts an outcome into the queue. Until it is recorded the task is still `doing` for the database.
    pub(super) fn finish(&mut self, outcome: Outcome) {
        self.load_mut(outcome.task_id).unrecorded += 1;
        self.outcomes.push(outcome);
    }

    /// Forgets an open run and gives its task room for the next.
    pub(super) fn close(&mut self, execution_id: ExecutionId) -> Option<Open> {
        let open = self.open.remove(&execution_id)?;
        if let Some(deadline) = open.deadline {
            self.deadlines.remove(&(deadline, execution_id));
        }
        let load = self.load_mut(open.task_id);
        load.running = load.running.saturating_sub(1);
        Some(open)
    }

    /// Records what was claimed and not begun.
    pub(super) fn never_began(
        &mut self,
        open: Open,
        execution_id: ExecutionId,
        (status, reason): (Status, &str),
        finished_at: DateTime<Utc>,
        actions: &mut Vec<Action>,
    ) {
        // What was asked for, by a person or by a failure, is never too late: it waits on.
        let cause = match open.origin {
            Origin::Schedule => Cause::Interrupted,
            Origin::Request(_) | Origin::Retry => Cause::NeverBegan,
        };
        let retry = open.policy.retry(cause, open.attempt(), finished_at);
        let extra = extra_of_reason(reason, retry.map(|retry| retry.due_at));
        self.finish(open.outcome(execution_id, (status, extra.clone(), retry), finished_at));
        actions.push(Action::Report(Notice::Ending(Ending::NotRun {
            task_key: open.task_key,
            status,
            scheduled_at: open.scheduled_at,
            extra,
        })));
    }

    /// Records a run that did not end by itself. It keeps its place among the runs of its task until it really
    /// ended: a job that blocks its thread cannot be ended from outside.
    pub(super) fn give_up(
        &mut self,
        execution_id: ExecutionId,
        status: Status,
        cause: Cause,
        reason: &str,
        now: Now,
        actions: &mut Vec<Action>,
    ) {
        let Some(open) = self.open.get_mut(&execution_id).filter(|open| !open.is_given_up) else {
            return;
        };
        open.is_given_up = true;
        let retry = open.policy.retry(cause, open.attempt(), now.wall);
        let failed = open.failed(execution_id, status, reason.to_owned(), retry);
        let extra = extra_of_reason(reason, retry.map(|retry| retry.due_at));
        let outcome = open.outcome(execution_id, (status, extra, retry), now.wall);
        actions.push(failed);
        self.finish(outcome);
    }

    /// Ends those of these runs that are ours and go on.
    pub(super) fn cancel(&mut self, wanted: &[Cancel], now: Now, actions: &mut Vec<Action>) {
        let mut cancelled = Vec::new();
        for Cancel { execution_id, author } in wanted {
            if self.open.get(execution_id).is_none_or(|open| open.is_given_up) {
                continue;
            }
            let by =
                if author.is_empty() { String::new() } else { format!(" by {}", quote(author)) };
            let (status, cause) = (Status::Cancelled, Cause::Cancelled);
            let reason = format!("cancelled{by}");
            self.give_up(*execution_id, status, cause, &reason, now, actions);
            cancelled.push(*execution_id);
        }
        if !cancelled.is_empty() {
            actions.push(Action::Abort(cancelled));
        }
    }

    pub(super) fn end_overdue_runs(&mut self, now: Now, actions: &mut Vec<Action>) {
        let mut overdue = Vec::new();
        while let Some(&(deadline, execution_id)) = self.deadlines.first() {
            if deadline > now.mono {
                break;
            }
            self.deadlines.pop_first();
            overdue.push(execution_id);
        }
        for execution_id in &overdue {
            let Some(open) = self.open.get(execution_id) else { continue };
            let timeout = open.policy.timeout.unwrap_or_default().as_secs_f64();
            let reason = format!("had not ended after its timeout of {timeout} s");
            let (status, cause) = (Status::Timeout, Cause::Failed);
            self.give_up(*execution_id, status, cause, &reason, now, actions);
        }
        if !overdue.is_empty() {
            actions.push(Action::Abort(overdue));
        }
    }

    /// Everything that waits goes into one transaction; while it is in flight the next batch gathers.
    pub(super) fn record_what_ended(&mut self, now: Now, actions: &mut Vec<Action>) {
        if self.outcomes.is_empty() || !self.records.is_open(now) {
            return;
        }
        let Some(mut batch) = self.gather_outcomes(now) else { return };
        // Rows are locked in this order: by task, then by execution.
        batch.sort_by_key(|outcome| (outcome.task_id, outcome.execution_id));
        self.records.turn_is_over();
        self.records.begin(batch.len());
        actions.push(Action::Call(Call::Record(batch)));
    }

    /// Outcomes of one standing, of those whose time has come.
    fn gather_outcomes(&mut self, now: Now) -> Option<Vec<Outcome>> {
        let lane = &mut self.records;
        lane.turns().into_iter().find_map(|standing| {
            let mut most = lane.most(standing);
            let is_next = |outcome: &mut Outcome| {
                let id = outcome.execution_id;
                let is_next =
                    most > 0 && lane.put_off(id, now).is_none() && lane.standing(id) == standing;
                most -= usize::from(is_next);
                is_next
            };
            let batch: Vec<Outcome> = self.outcomes.extract_if(.., is_next).collect();
            (!batch.is_empty()).then_some(batch)
        })
    }

    pub(super) fn on_recorded(
        &mut self,
        outcomes: Vec<Outcome>,
        result: Result<Vec<Recorded>, Failure>,
        now: Now,
        actions: &mut Vec<Action>,
    ) {
        let recorded = match result {
            Ok(recorded) => recorded,
            Err(failure) => {
                let ids: Vec<_> = outcomes.iter().map(|outcome| outcome.execution_id).collect();
                if self.records.failed(&ids, self.is_away(), now) {
                    let Outcome { task_id, execution_id, .. } = outcomes[0];
                    let error = failure.text().to_owned();
                    let notice = Notice::RecordFails { task_id, execution_id, error };
                    self.note_stuck(notice, actions);
                }
                // In the last two seconds what is left does not wait for a pause either.
                if matches!(self.stop, Phase::Closing(_)) && !self.is_away() {
                    self.records.resume();
                }
                self.try_again(outcomes);
                return;
            }
        };
        self.records.succeeded(outcomes.iter().map(|outcome| outcome.execution_id));
        let mut locked = Vec::new();
        for (outcome, recorded) in outcomes.into_iter().zip(recorded) {
            match recorded {
                Recorded::Locked => locked.push(outcome),
                Recorded::Stands => {
                    if let Some(retry) = outcome.retry {
                        self.wait_for_retry(&outcome, retry);
                    }
                    self.is_recorded(outcome.task_id);
                }
                Recorded::Discarded => {
                    let Outcome { execution_id, status, .. } = outcome;
                    let discarded = Ending::OutcomeDiscarded { execution_id, status };
                    actions.push(Action::Report(Notice::Ending(discarded)));
                    self.is_recorded(outcome.task_id);
                }
            }
        }
        if !locked.is_empty() {
            self.records.pause(LOCKED_FOR, now);
            self.outcomes.extend(locked);
        }
    }

    fn is_recorded(&mut self, task_id: TaskId) {
        let load = self.load_mut(task_id);
        load.unrecorded = load.unrecorded.saturating_sub(1);
        self.plan_next(task_id);
    }

    /// What failed together is tried in smaller parts; writing again is harmless, since a row that is closed
    /// stays as it is. What fails alone lets the others pass, and gives up the one thing a table may refuse:
    /// characters beyond its set.
    fn try_again(&mut self, outcomes: Vec<Outcome>) {
        match <[Outcome; 1]>::try_from(outcomes) {
            Ok([outcome]) => {
                let extra = in_ascii(&outcome.extra);
                self.outcomes.push(Outcome { extra, ..outcome });
            }
            Err(outcomes) => drop(self.outcomes.splice(0..0, outcomes)),
        }
    }
}

impl Open {
    pub(super) fn attempt(&self) -> Attempt<'_> {
        let Self { scheduled_at, attempt: number, trace_id, .. } = self;
        Attempt { scheduled_at: *scheduled_at, number: *number, trace_id }
    }

    /// How the run ended, as far as is known without it.
    fn outcome(
        &self,
        execution_id: ExecutionId,
        (status, extra, retry): (Status, String, Option<Retry>),
        finished_at: DateTime<Utc>,
    ) -> Outcome {
        Outcome {
            execution_id,
            task_id: self.task_id,
            trace_id: Arc::clone(&self.trace_id),
            status,
            extra: extra_with_args(&extra, self.args.as_deref()),
            started_at: None,
            finished_at,
            retry,
        }
    }

    /// A run that fails after it was asked to stop was interrupted, if its job wants to be tried again then.
    fn retry_failure(&self, node: &Node, run: &Ended) -> Option<Retry> {
        let is_interrupted = node.is_stopping() && self.policy.on_lost == OnLost::Retry;
        let cause = if is_interrupted { Cause::Interrupted } else { Cause::Failed };
        self.policy.retry(cause, self.attempt(), run.finished_at)
    }

    fn failed(
        &self,
        execution_id: ExecutionId,
        status: Status,
        reason: String,
        retry: Option<Retry>,
    ) -> Action {
        Action::Report(Notice::Ending(Ending::RunFailed {
            task_key: Arc::clone(&self.task_key),
            execution_id,
            trace_id: Arc::clone(&self.trace_id),
            status,
            reason,
            retry_at: retry.map(|retry| retry.due_at),
        }))
    }
}
