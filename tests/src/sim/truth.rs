//! What the jobs themselves testify: each run from its first to its last instant. The scheduler never sees it.

use std::collections::{BTreeMap, BTreeSet};

use scheduler_core::plan::{execution::ExecutionId, node::Run, task::TaskId};

use super::time::Ms;

/// A run as its job saw it.
#[derive(Clone, Debug)]
pub(super) struct Testimony {
    /// Who ran it.
    pub(super) node: String,
    /// The execution it was told.
    pub(super) execution: ExecutionId,
    /// The task.
    pub(super) task: TaskId,
    /// The instant it was told.
    pub(super) scheduled_at: Ms,
    /// The attempt it was told.
    pub(super) attempt: u32,
    /// The trace id it was told.
    pub(super) trace_id: String,
    /// When it began, in true time.
    pub(super) started: Ms,
    /// When it ended, or its process was killed; `None`: it still runs.
    pub(super) ended: Option<Ms>,
    /// Whether it ended by itself.
    pub(super) is_whole: bool,
}

/// All runs there ever were.
#[derive(Debug, Default)]
pub(super) struct Truth {
    /// In the order of their beginnings.
    pub(super) runs: Vec<Testimony>,
    /// What was given up before its first step.
    pub(super) given_up: BTreeSet<ExecutionId>,
    under_way: BTreeMap<(String, ExecutionId), usize>,
}

impl Truth {
    /// A job begins.
    pub(super) fn begins(&mut self, node: &str, run: &Run, now: Ms) {
        self.under_way.insert((node.to_owned(), run.execution_id), self.runs.len());
        self.runs.push(Testimony {
            node: node.to_owned(),
            execution: run.execution_id,
            task: run.task_id,
            scheduled_at: run.scheduled_at.timestamp_millis(),
            attempt: run.attempt,
            trace_id: run.trace_id.to_string(),
            started: now,
            ended: None,
            is_whole: false,
        });
    }

    /// A job ends, by itself or because it is ended.
    pub(super) fn ends(&mut self, node: &str, execution: ExecutionId, is_whole: bool, now: Ms) {
        let run = self.under_way.remove(&(node.to_owned(), execution));
        if let Some(run) = run.and_then(|run| self.runs.get_mut(run)) {
            run.ended = Some(now);
            run.is_whole = is_whole;
        }
    }

    /// A process is killed with all its jobs.
    pub(super) fn dies(&mut self, node: &str, now: Ms) {
        let of_node: Vec<ExecutionId> =
            self.under_way.keys().filter(|(of, _)| of == node).map(|(_, id)| *id).collect();
        of_node.into_iter().for_each(|id| self.ends(node, id, false, now));
    }
}
