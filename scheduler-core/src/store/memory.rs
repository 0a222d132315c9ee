//! The store without a database, for the harness and the simulation: the same promises, one lock.
//!
//! Its clock is set from outside ([`MemoryStore::set_now`]), so that time is stepped. Nothing survives it.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    pin::pin,
    sync::{Mutex, MutexGuard},
    task::{Context, Poll, Waker},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::{EditId, EditRow, ExecutionRow, PRUNED, Pruned, Store, StoreError, sql::NEWEST};
use crate::plan::{
    claim::{Claim, Verdict},
    difference::Scope,
    execution::{ExecutionId, LogPart, Noted, Outcome, Recorded, Status},
    node::{Lost, Reading, Reaped, Settled},
    retry::{extra_when_lost, is_wanted_when_lost, reason_when_lost},
    task::{TaskId, TaskRow},
};

mod alarms;
mod desk;
mod pauses;
mod sessions;
mod tables;

use self::tables::{MEMORY_OF_NODES, NodeTimes, Tables, edited, has_ended, is_old, next_attempt};

/// Tables in memory.
#[derive(Debug)]
pub struct MemoryStore(Mutex<Tables>);

/// The answer of a store in memory, which never waits.
///
/// # Panics
/// When `call` waits after all.
pub fn at_once<T>(call: impl Future<Output = T>) -> T {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("bug: a call to tables in memory waits"),
    }
}

impl MemoryStore {
    /// Empty tables whose clock stands at `now`.
    #[must_use]
    pub fn new(now: DateTime<Utc>) -> Self {
        Self(Mutex::new(Tables::new(now)))
    }

    /// Sets the clock.
    pub fn set_now(&self, now: DateTime<Utc>) {
        self.tables().now = now;
    }

    /// Whether nothing is open, and no task says that something is.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        let tables = self.tables();
        let is_ready = |row: &TaskRow| row.status.as_deref() == Ok("ready");
        tables.open.is_empty() && tables.tasks.values().all(is_ready)
    }

    /// Changes a row as an operator would by SQL: the edit moves `update_at` unless it changes nothing or
    /// `status` only.
    pub fn edit(&self, task: TaskId, edit: impl FnOnce(&mut TaskRow)) {
        let mut tables = self.tables();
        let now = tables.now;
        if let Some(row) = tables.tasks.get_mut(&task) {
            edited(row, now, edit);
        }
    }

    /// Inserts a row of `task` as it stands, as an operator would by SQL.
    pub fn insert_task(&self, row: TaskRow) {
        let mut tables = self.tables();
        tables.next_task = tables.next_task.max(row.id + 1);
        tables.tasks.insert(row.id, row);
    }

    /// Deletes a row of `task`, as an operator would by SQL.
    pub fn delete_task(&self, task: TaskId) {
        self.tables().tasks.remove(&task);
    }

    /// Inserts a row of `execute_task` as it stands, as an operator would by SQL.
    pub fn insert_execution(&self, row: ExecutionRow) {
        self.tables().insert(row);
    }

    /// Makes all that happened so far older by `span`; the clock stays.
    pub fn age(&self, span: Duration) {
        let span = TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX);
        let mut tables = self.tables();
        for row in tables.tasks.values_mut() {
            row.created_at = row.created_at.map(|at| at - span);
            row.updated_at = row.updated_at.map(|at| at - span);
        }
        for row in tables.executions.values_mut() {
            row.created_at = row.created_at.map(|at| at - span);
        }
        for node in tables.nodes.values_mut() {
            node.started_at -= span;
            node.heartbeat_at -= span;
            node.left_at = node.left_at.map(|at| at - span);
        }
        for edit in &mut tables.edits {
            edit.edited_at = edit.edited_at.map(|at| at - span);
        }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().expect("bug: a call on the memory store panicked half way")
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn migrate(&self) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let now = tables.now;
        tables.adopted_at.get_or_insert(now);
        Ok(())
    }

    async fn check_schema(&self) -> Result<(), StoreError> {
        match self.tables().adopted_at {
            Some(_) => Ok(()),
            None => Err(StoreError::Schema(format!(
                "the tables in memory are at version 0, expected {NEWEST}"
            ))),
        }
    }

    async fn read_of(&self, scope: &Scope) -> Result<Reading, StoreError> {
        let tables = self.tables();
        let (requests, is_whole) = tables.waiting();
        let (rows, shows_all) = tables.rows_of(scope);
        Ok(Reading {
            rows,
            shows_all,
            requests,
            is_whole,
            unreadable: Vec::new(),
            adopted_at: tables.adopted_at.unwrap_or(DateTime::UNIX_EPOCH),
            nodes: tables.living(),
            cancels: tables.cancels(),
            ..Reading::default()
        })
    }

    async fn cursors(
        &self,
        tasks: &[TaskId],
    ) -> Result<HashMap<TaskId, DateTime<Utc>>, StoreError> {
        let tables = self.tables();
        Ok(tasks.iter().filter_map(|task| Some((*task, tables.last_accounted(*task)?))).collect())
    }

    async fn claim(&self, node: &str, claims: &[Claim]) -> Result<Vec<Verdict>, StoreError> {
        let mut tables = self.tables();
        Ok(claims.iter().map(|claim| tables.claim(node, claim)).collect())
    }

    async fn settle(&self, claims: &[Claim]) -> Result<Vec<Settled>, StoreError> {
        let tables = self.tables();
        let written = claims.iter().map(|claim| tables.written_by(claim));
        Ok(written.map(|written| written.map_or(Settled::NotWritten, Settled::Written)).collect())
    }

    async fn record(&self, outcomes: &[Outcome]) -> Result<Vec<Recorded>, StoreError> {
        let mut tables = self.tables();
        Ok(outcomes.iter().map(|outcome| tables.record(outcome)).collect())
    }

    async fn adopted_at(&self) -> Result<DateTime<Utc>, StoreError> {
        Ok(self.tables().adopted_at.unwrap_or(DateTime::UNIX_EPOCH))
    }

    async fn was_made_new(&self) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn prune_logs(
        &self,
        cutoff: DateTime<Utc>,
        after: ExecutionId,
    ) -> Result<Pruned<ExecutionId>, StoreError> {
        let mut tables = self.tables();
        let logged = tables.log.range((after.saturating_add(1), 0)..).map(|((id, _), _)| *id);
        let logged: BTreeSet<ExecutionId> = logged.collect();
        let logged: Vec<ExecutionId> = logged.into_iter().take(PRUNED as usize).collect();
        let row = |id: &ExecutionId| tables.executions.get(id);
        let next =
            logged.last().copied().filter(|id| row(id).is_none_or(|row| is_old(row, cutoff)));
        let goes = |id: &&ExecutionId| {
            row(id).is_none_or(|row| row.status != Status::Todo.as_str() && has_ended(row, cutoff))
        };
        let going: BTreeSet<ExecutionId> = logged.iter().filter(goes).copied().collect();
        tables.log.retain(|(id, _), _| !going.contains(id));
        Ok(Pruned { removed: going.len(), next })
    }

    async fn prune_edits(
        &self,
        cutoff: DateTime<Utc>,
        after: EditId,
    ) -> Result<Pruned<EditId>, StoreError> {
        let mut tables = self.tables();
        let rows = tables.edits.iter().filter(|row| row.id > after);
        let rows: Vec<EditRow> = rows.take(PRUNED as usize).cloned().collect();
        let is_old = |row: &EditRow| row.edited_at.is_none_or(|at| at < cutoff);
        let is_newest = |row: &EditRow| {
            let mut newer = tables.edits.iter().filter(|other| other.task_id == row.task_id);
            row.after.is_some() && !newer.any(|other| other.id > row.id && other.action != "run")
        };
        let going = rows.iter().filter(|row| is_old(row) && !is_newest(row)).map(|row| row.id);
        let going: BTreeSet<EditId> = going.collect();
        tables.edits.retain(|row| !going.contains(&row.id));
        let next = rows.last().filter(|row| is_old(row)).map(|row| row.id);
        Ok(Pruned { removed: going.len(), next })
    }

    async fn prune_older(
        &self,
        cutoff: DateTime<Utc>,
        after: ExecutionId,
    ) -> Result<Pruned<ExecutionId>, StoreError> {
        let mut tables = self.tables();
        let rows = tables.executions.range(after.saturating_add(1)..).map(|(_, row)| row);
        let rows: Vec<&ExecutionRow> = rows.take(PRUNED as usize).collect();
        let next = rows.last().filter(|row| is_old(row, cutoff)).map(|row| row.id);
        let going = rows.iter().filter(|row| has_ended(row, cutoff) && tables.may_go(row));
        let going: Vec<ExecutionId> = going.map(|row| row.id).collect();
        going.iter().for_each(|id| tables.remove_execution(*id));
        Ok(Pruned { removed: going.len(), next })
    }

    async fn prune_beyond(&self, most: u32, after: TaskId) -> Result<Pruned<TaskId>, StoreError> {
        let mut tables = self.tables();
        let most = most as usize;
        let tasks: Vec<TaskId> =
            tables.tasks.range(after.saturating_add(1)..).map(|(id, _)| *id).take(100).collect();
        let of = |task: TaskId| {
            let rows = tables.executions.values().filter(move |row| row.task_id == task);
            let mut rows: Vec<&ExecutionRow> =
                rows.filter(|row| row.scheduled_at.is_some()).collect();
            rows.sort_by_key(|row| std::cmp::Reverse((row.scheduled_at, row.attempt)));
            rows
        };
        let crowded = tasks.iter().copied().find(|task| of(*task).len() > most + most / 10);
        let Some(task) = crowded else {
            return Ok(Pruned { removed: 0, next: tasks.last().copied() });
        };
        let rows = of(task);
        let first_kept = rows[most - 1].scheduled_at;
        let going =
            rows.iter().rev().filter(|row| row.scheduled_at < first_kept && tables.may_go(row));
        let going: Vec<ExecutionId> = going.map(|row| row.id).take(PRUNED as usize).collect();
        going.iter().for_each(|id| tables.remove_execution(*id));
        let is_done = going.len() < PRUNED as usize;
        Ok(Pruned { removed: going.len(), next: Some(if is_done { task } else { task - 1 }) })
    }

    async fn append_log(&self, parts: &[LogPart]) -> Result<(), StoreError> {
        let mut tables = self.tables();
        for LogPart { execution_id, part, content } in parts {
            if tables.executions.contains_key(execution_id) {
                tables.log.entry((*execution_id, *part)).or_insert_with(|| content.clone());
            }
        }
        Ok(())
    }

    async fn note(&self, notes: &[Noted]) -> Result<(), StoreError> {
        let mut tables = self.tables();
        for note in notes {
            let row = tables.executions.get_mut(&note.execution_id);
            let is_open = |row: &&mut ExecutionRow| {
                row.status == Status::Todo.as_str() && *row.trace_id == *note.trace_id
            };
            if let Some(row) = row.filter(is_open) {
                row.extra.clone_from(&note.extra);
            }
        }
        Ok(())
    }

    async fn renew(&self, node: &str) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let now = tables.now;
        let new = NodeTimes { started_at: now, heartbeat_at: now, left_at: None };
        tables.nodes.entry(node.to_owned()).or_insert(new).heartbeat_at = now;
        Ok(())
    }

    async fn now(&self) -> Result<DateTime<Utc>, StoreError> {
        Ok(self.tables().now)
    }

    async fn leave(&self, node: &str) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let now = tables.now;
        if let Some(node) = tables.nodes.get_mut(node) {
            node.left_at.get_or_insert(now);
        }
        Ok(())
    }

    async fn reap(
        &self,
        node: &str,
        lease: Duration,
        until: DateTime<Utc>,
        suspects: &[TaskId],
    ) -> Result<Reaped, StoreError> {
        let mut tables = self.tables();
        let now = tables.now;
        let dead_before = now - TimeDelta::from_std(lease).unwrap_or(TimeDelta::MAX);
        let reason = reason_when_lost(lease);
        let nodes = tables.nodes.clone();
        let (mut lost, mut retries) = (Vec::new(), Vec::new());
        let judged = if now <= until { tables.open.clone() } else { BTreeSet::new() };
        for id in judged {
            let Some(row) = tables.executions.get_mut(&id) else { continue };
            let heard = row
                .node_id
                .as_ref()
                .and_then(|node| nodes.get(node))
                .map(|node| node.heartbeat_at)
                .or(row.created_at);
            let is_own = row.node_id.as_deref() == Some(node);
            if !is_own && heard.is_some_and(|heard| heard < dead_before) {
                let retry =
                    next_attempt(row).filter(|_| is_wanted_when_lost(&row.extra, row.attempt));
                row.status = Status::Lost.as_str().to_owned();
                row.extra = extra_when_lost(&row.extra, &reason, retry.map(|_| now));
                row.finished_at = Some(now);
                lost.push(Lost {
                    execution_id: row.id,
                    task_id: row.task_id,
                    node_id: row.node_id.clone(),
                    is_retried: retry.is_some(),
                });
                retries.extend(retry.map(|fire| (fire, now)));
            }
        }
        for (fire, due_at) in retries {
            tables.retries.entry(fire).or_insert(due_at);
        }
        for lost in &lost {
            tables.open.remove(&lost.execution_id);
        }
        let of_lost: HashSet<TaskId> = lost.iter().map(|lost| lost.task_id).collect();
        for task in &of_lost {
            tables.release(*task);
        }
        tables.nodes.retain(|_, node| node.heartbeat_at >= now - MEMORY_OF_NODES);
        let suspects = suspects.iter().copied().filter(|task| !of_lost.contains(task));
        Ok(Reaped { healed: suspects.filter(|task| tables.release(*task)).collect(), lost })
    }
}
