//! From the end of a job to the recorded outcome.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Action, Ended, Failure, Node, Notice, Open};
use crate::plan::{
    Now,
    execution::{ExecutionId, Outcome, Status},
};

impl Node {
    pub(super) fn on_ended(&mut self, ended: Vec<Ended>, actions: &mut Vec<Action>) {
        for run in ended {
            // A run that was given up (time-out, stop) is recorded already.
            let Some(open) = self.close(run.execution_id) else {
                continue;
            };
            let (status, extra) = match &run.result {
                Ok(()) => (Status::Success, "{}".to_owned()),
                Err(error) => (Status::Fail, serde_json::json!({ "err": error }).to_string()),
            };
            if let Err(error) = run.result {
                actions.push(open.failed(run.execution_id, status, error));
            }
            self.finish(Outcome {
                execution_id: run.execution_id,
                task_id: open.task_id,
                trace_id: open.trace_id,
                status,
                extra,
                started_at: run.started_at,
                finished_at: run.finished_at,
            });
        }
    }

    /// Puts an outcome into the queue. Until it is recorded the task is still `doing` for the database.
    pub(super) fn finish(&mut self, outcome: Outcome) {
        if let Some(live) = self.live_mut(outcome.task_id) {
            live.load.unrecorded += 1;
        }
        self.outcomes.push(outcome);
    }

    /// Forgets an open run and gives its task room for the next.
    pub(super) fn close(&mut self, execution_id: ExecutionId) -> Option<Open> {
        let open = self.open.remove(&execution_id)?;
        if let Some(deadline) = open.deadline {
            self.deadlines.remove(&(deadline, execution_id));
        }
        if let Some(live) = self.live_mut(open.task_id) {
            live.load.running = live.load.running.saturating_sub(1);
        }
        Some(open)
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
            let Some(open) = self.close(*execution_id) else {
                continue;
            };
            let reason = "still running at the end of its timeout";
            actions.push(open.failed(*execution_id, Status::Timeout, reason.to_owned()));
            self.finish(open.unfinished(*execution_id, Status::Timeout, reason, now.wall));
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
        self.records.begin();
        let rest = self.outcomes.split_off(self.outcomes.len().min(self.records.batch));
        let mut batch = std::mem::replace(&mut self.outcomes, rest);
        // Rows are locked in this order: by task, then by execution.
        batch.sort_by_key(|outcome| (outcome.task_id, outcome.execution_id));
        actions.push(Action::Record(batch));
    }

    /// What failed together is tried in smaller parts. What fails alone lets the others pass, and gives up the
    /// one thing a table may refuse: characters beyond its set.
    fn try_again(&mut self, outcomes: Vec<Outcome>) {
        match <[Outcome; 1]>::try_from(outcomes) {
            Ok([outcome]) => {
                let extra = in_ascii(&outcome.extra);
                self.outcomes.push(Outcome { extra, ..outcome });
            }
            Err(outcomes) => drop(self.outcomes.splice(0..0, outcomes)),
        }
    }

    pub(super) fn on_recorded(
        &mut self,
        outcomes: Vec<Outcome>,
        result: Result<Vec<bool>, Failure>,
        now: Now,
        actions: &mut Vec<Action>,
    ) {
        let written = match result {
            Ok(written) => written,
            Err(failure) => {
                // Writing again is harmless: a row that is closed already stays as it is.
                self.records.failed(outcomes.len(), now);
                self.note_trouble(Some(&failure), actions);
                self.try_again(outcomes);
                return;
            }
        };
        self.records.succeeded();
        for (outcome, is_written) in outcomes.into_iter().zip(written) {
            if !is_written {
                let Outcome { execution_id, status, .. } = outcome;
                actions.push(Action::Report(Notice::OutcomeDiscarded { execution_id, status }));
            }
            if let Some(live) = self.live_mut(outcome.task_id) {
                live.load.unrecorded = live.load.unrecorded.saturating_sub(1);
            }
            self.plan_next(outcome.task_id);
        }
    }
}

/// A JSON text in ASCII: the same value for whoever parses it, and storable in any character set.
fn in_ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut units = [0; 2];
    for character in json.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}

impl Open {
    /// The outcome of a run that did not end by itself.
    pub(super) fn unfinished(
        &self,
        execution_id: ExecutionId,
        status: Status,
        reason: &str,
        finished_at: DateTime<Utc>,
    ) -> Outcome {
        Outcome {
            execution_id,
            task_id: self.task_id,
            trace_id: Arc::clone(&self.trace_id),
            status,
            extra: serde_json::json!({ "reason": reason }).to_string(),
            started_at: Some(self.started_at),
            finished_at,
        }
    }

    fn failed(&self, execution_id: ExecutionId, status: Status, reason: String) -> Action {
        Action::Report(Notice::RunFailed {
            task_key: Arc::clone(&self.task_key),
            execution_id,
            trace_id: Arc::clone(&self.trace_id),
            status,
            reason,
        })
    }
}
