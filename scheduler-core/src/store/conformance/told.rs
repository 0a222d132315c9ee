//! What nodes were told of their claims and runs, to be held against the rows.

use std::collections::{BTreeMap, BTreeSet};

use super::Fixture;
use crate::{
    plan::{
        execution::{ExecutionId, Status, TraceId},
        task::TaskId,
    },
    store::{ExecutionRow, StoreError},
};

/// What all nodes were told.
#[derive(Default)]
pub(super) struct Told {
    /// The trace id of each row that was won, and its execution, where it is a run.
    pub(super) won: BTreeMap<TraceId, Option<ExecutionId>>,
    /// Those that were refused, or failed without being written.
    pub(super) unwritten: BTreeSet<TraceId>,
    /// How a run was closed, each time somebody was told that it was.
    pub(super) closed: Vec<(ExecutionId, Status)>,
    pub(super) wrong: Vec<String>,
}

impl Told {
    pub(super) fn absorb(&mut self, other: Self) {
        self.won.extend(other.won);
        self.unwritten.extend(other.unwritten);
        self.closed.extend(other.closed);
        self.wrong.extend(other.wrong);
    }

    /// An error may say that nothing was written, and nothing else: no COMMIT is lost here.
    pub(super) fn fails(&mut self, what: &str, error: &StoreError) {
        if error.is_unknown() || matches!(error, StoreError::Deadline { .. }) {
            self.wrong.push(format!("{what}: {}", error.chain()));
        }
    }

    pub(super) async fn compare(&mut self, fixture: &Fixture, tasks: &[TaskId]) {
        let rows = fixture.executions().await;
        let mut keys = BTreeSet::new();
        for row in &rows {
            if !keys.insert((row.task_id, row.scheduled_at, row.attempt)) {
                self.wrong.push(format!("the second row of its fire and attempt: {row:?}"));
            }
            match self.won.remove(&*row.trace_id) {
                None => self.wrong.push(format!("nobody won {row:?}")),
                Some(Some(id)) if id != row.id => self.wrong.push(format!("won as {id}: {row:?}")),
                Some(None) if row.status == "todo" => self.wrong.push(format!("no run: {row:?}")),
                Some(_) => {}
            }
        }
        self.wrong.extend(self.won.keys().map(|trace| format!("{trace} was won and has no row")));
        let written = rows.iter().filter(|row| self.unwritten.contains(&*row.trace_id));
        self.wrong.extend(written.map(|row| format!("refused, and written: {row:?}")));
        self.compare_ends(&rows);
        self.compare_tasks(fixture, tasks, &rows).await;
    }

    /// Each run was closed once, as whoever closed it was told.
    fn compare_ends(&mut self, rows: &[ExecutionRow]) {
        let mut closed: BTreeMap<ExecutionId, Vec<Status>> = BTreeMap::new();
        self.closed.iter().for_each(|(id, status)| closed.entry(*id).or_default().push(*status));
        for row in rows.iter().filter(|row| row.status != "missed") {
            let ends: Vec<_> = closed.remove(&row.id).unwrap_or_default();
            if ends.iter().map(|status| status.as_str()).ne([&*row.status]) {
                self.wrong.push(format!("closed as {ends:?}: {row:?}"));
            }
        }
    }

    /// Cursors say what stands in the rows, and no task is `doing` any more.
    async fn compare_tasks(&mut self, fixture: &Fixture, tasks: &[TaskId], rows: &[ExecutionRow]) {
        let mut newest = BTreeMap::new();
        for row in rows.iter().filter(|row| row.source == "schedule") {
            let entry = newest.entry(row.task_id).or_insert(row.scheduled_at);
            *entry = (*entry).max(row.scheduled_at);
        }
        let cursors = fixture.store.cursors(tasks).await.unwrap();
        let cursors: BTreeMap<_, _> = cursors.into_iter().map(|(id, at)| (id, Some(at))).collect();
        if cursors != newest {
            self.wrong.push(format!("cursors {cursors:?}, rows {newest:?}"));
        }
        let reading = fixture.store.read().await.unwrap();
        let doing = reading.rows.iter().filter(|row| row.status.as_deref() != Ok("ready"));
        self.wrong.extend(doing.map(|row| format!("nothing is open of {row:?}")));
    }
}
