//! From what a node hears and does to the runs that are over.
//!
//! A run is over when its outcome is recorded, so that a span says what the row says. One that never began, and a fire
//! that was missed or skipped, ran nothing and is not among them; nor is one whose outcome could not be recorded, since
//! its row becomes `lost`.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};

use crate::plan::{
    execution::{ExecutionId, Outcome, Recorded, Source},
    node::{Event, Run},
    task::TaskId,
};

/// A run that is over.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) began: Began,
    pub(super) started_at: DateTime<Utc>,
    pub(super) outcome: Outcome,
    /// Whether somebody else had closed its row before.
    pub(super) is_discarded: bool,
}

/// What is known of a run when it begins.
#[derive(Clone, Debug)]
pub(super) struct Began {
    pub(super) task_id: TaskId,
    pub(super) task_key: Arc<str>,
    pub(super) job: Arc<str>,
    pub(super) scheduled_at: DateTime<Utc>,
    pub(super) attempt: u32,
    pub(super) source: Source,
}

/// The runs that are not over yet.
#[derive(Debug, Default)]
pub(super) struct Runs {
    /// What asked for those that are claimed.
    sources: HashMap<ExecutionId, Source>,
    open: HashMap<ExecutionId, Began>,
}

impl Runs {
    /// Something happened, of which the node has not heard yet.
    pub(super) fn heard(&mut self, event: &Event) -> Vec<Ended> {
        let won = event.won().filter_map(|(claim, run)| Some((run?, claim.origin.source())));
        self.sources.extend(won);
        let Event::Recorded(outcomes, Ok(recorded)) = event else { return Vec::new() };
        // One that is locked is recorded later.
        let closed = outcomes.iter().zip(recorded).filter(|(_, r)| **r != Recorded::Locked);
        closed.filter_map(|(outcome, recorded)| self.over(outcome, *recorded)).collect()
    }

    /// These runs begin now.
    pub(super) fn started(&mut self, runs: &[Run]) {
        for run in runs {
            let began = Began {
                task_id: run.task_id,
                task_key: Arc::clone(&run.task_key),
                job: Arc::clone(&run.job),
                scheduled_at: run.scheduled_at,
                attempt: run.attempt,
                source: self.sources.remove(&run.execution_id).unwrap_or(Source::Schedule),
            };
            self.open.insert(run.execution_id, began);
        }
    }

    fn over(&mut self, outcome: &Outcome, recorded: Recorded) -> Option<Ended> {
        self.sources.remove(&outcome.execution_id);
        let began = self.open.remove(&outcome.execution_id)?;
        Some(Ended {
            began,
            started_at: outcome.started_at?,
            outcome: outcome.clone(),
            is_discarded: recorded == Recorded::Discarded,
        })
    }
}

#[cfg(test)]
mod tests;
