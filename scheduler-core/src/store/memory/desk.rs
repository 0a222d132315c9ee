//! [`Desk`] in memory.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{MemoryStore, NodeTimes, Tables};
use crate::{
    plan::{
        claim::{Origin, Request, RequestId},
        execution::{ExecutionId, ExecutionRow, LogPart, Source, Status},
        node::{Cancel, NodeRow},
        task::{TaskId, TaskRow},
    },
    store::{
        Around, Author, Desk, DeskTask, EditAction, EditFilter, EditRow, ExecutionFilter,
        FailingTask, NewTask, OutcomeCount, Outcomes, Pause, RecentRow, StoreError, TaskChange,
        TaskSelection, Version,
        desk::{MOST_WAITING, floor_hour, manual_instant},
        edits::{Newest, NoticedEdit, noticed, snapshot, snapshots},
    },
};

#[async_trait]
impl Desk for MemoryStore {
    async fn tasks(&self, selection: TaskSelection<'_>) -> Result<Vec<DeskTask>, StoreError> {
        let tables = self.tables();
        let key_of =
            |id: &TaskId| tables.tasks.get(id).and_then(|row| row.task_key.as_deref().ok());
        let is_selected = |row: &&TaskRow| match selection {
            TaskSelection::All => true,
            TaskSelection::Id(id) => row.id == id,
            TaskSelection::WithTwins(ids) => {
                let key = row.task_key.as_deref().ok();
                ids.contains(&row.id) || key.is_some() && ids.iter().any(|id| key_of(id) == key)
            }
        };
        let rows = tables.tasks.values().filter(is_selected);
        Ok(rows
            .map(|row| DeskTask { row: row.clone(), last_accounted: tables.last_accounted(row.id) })
            .collect())
    }

    async fn rows_to_migrate(&self) -> Result<Option<Vec<TaskRow>>, StoreError> {
        let tables = self.tables();
        let rows = || tables.tasks.values().cloned().collect();
        Ok(tables.adopted_at.is_none().then(rows))
    }

    async fn add_as(&self, task: &NewTask, author: &Author) -> Result<TaskId, StoreError> {
        let mut tables = self.tables();
        let id = tables.add(task)?;
        let after = snapshot(&tables.tasks[&id]);
        tables.remember(id, author, EditAction::Create.as_str(), [None, Some(after)]);
        Ok(id)
    }

    async fn edit_as(
        &self,
        task: TaskId,
        version: Option<&Version>,
        change: &TaskChange,
        author: &Author,
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let before = tables.row_of(task, version)?;
        let is_switched = change.is_enabled.is_some();
        let was_paused = is_switched && tables.pauses.remove(&task).is_some();
        let after = change.apply(&before);
        if after == before {
            if was_paused {
                let texts = snapshots([before, after]);
                tables.remember(task, author, EditAction::Resume.as_str(), texts);
            }
            return Ok(());
        }
        if let Some(key) = change.task_key.as_ref().filter(|_| after.task_key != before.task_key) {
            tables.check_key(key)?;
        }
        tables.change(before, change, author, EditAction::Change).map(drop)
    }

    async fn delete_as(
        &self,
        task: TaskId,
        version: Option<&Version>,
        author: &Author,
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let before = snapshot(&tables.row_of(task, version)?);
        tables.tasks.remove(&task);
        tables.pauses.remove(&task);
        tables.remember(task, author, EditAction::Delete.as_str(), [Some(before), None]);
        Ok(())
    }

    async fn waiting(&self, task: TaskId) -> Result<Vec<Request>, StoreError> {
        let tables = self.tables();
        let of_it = |requests: Vec<Request>| {
            let of_it = requests.into_iter().filter(move |request| request.task_id == task);
            of_it.take(MOST_WAITING)
        };
        let (manual, retries) = (tables.manual_runs(), tables.waiting_retries());
        Ok(of_it(manual).chain(of_it(retries)).collect())
    }

    async fn notice_edits(&self, tasks: &[TaskId]) -> Result<Vec<TaskId>, StoreError> {
        let mut tables = self.tables();
        for &task in tasks {
            let mut edits = tables.edits.iter().rev();
            let newest =
                edits.find(|row| row.task_id == task && row.action != EditAction::Run.as_str());
            let newest = newest.map(|row| Newest { task_id: task, after: row.after.clone() });
            let edit = noticed(task, tables.tasks.get(&task), newest.as_ref());
            if let Some(NoticedEdit { action, before, after, .. }) = edit {
                tables.remember(task, &Author::external(), action, [before, after]);
            }
        }
        Ok(Vec::new())
    }

    async fn edits(&self, filter: EditFilter) -> Result<Vec<EditRow>, StoreError> {
        let tables = self.tables();
        let rows = tables.edits.iter().rev().filter(|row| {
            filter.task_id.is_none_or(|task| row.task_id == task)
                && filter.before.is_none_or(|before| row.id < before)
        });
        Ok(rows.take(filter.limit as usize).cloned().collect())
    }

    async fn request_run_as(
        &self,
        task: TaskId,
        now: DateTime<Utc>,
        args: Option<&str>,
        author: &Author,
    ) -> Result<RequestId, StoreError> {
        let mut tables = self.tables();
        tables.row_of(task, None)?;
        tables.remember(task, author, EditAction::Run.as_str(), [None, None]);
        let id = tables.next_request;
        tables.next_request += 1;
        let requested_at = manual_instant(now, |instant| {
            tables.fires.contains_key(&(task, instant, 1))
                || tables
                    .requests
                    .values()
                    .any(|other| (other.task_id, other.scheduled_at) == (task, instant))
        });
        let request = Request {
            origin: Origin::Request(id),
            task_id: task,
            scheduled_at: requested_at,
            attempt: 1,
            due_at: DateTime::UNIX_EPOCH,
            args: args.map(Arc::from),
        };
        tables.requests.insert(id, request);
        Ok(id)
    }

    async fn cancel_as(&self, execution: ExecutionId, author: &Author) -> Result<(), StoreError> {
        let row = self.execution(execution).await?;
        if row.status != Status::Todo.as_str() {
            return Err(StoreError::Ended { id: execution, status: row.status });
        }
        self.tables().cancels.entry(execution).or_insert_with(|| author.kept_name());
        Ok(())
    }

    async fn cancels(&self) -> Result<Vec<Cancel>, StoreError> {
        Ok(self.tables().cancels())
    }

    async fn executions(&self, filter: ExecutionFilter) -> Result<Vec<ExecutionRow>, StoreError> {
        let tables = self.tables();
        // What is open is found as by an index.
        let all: Box<dyn Iterator<Item = &ExecutionRow>> = match filter.status {
            Some(Status::Todo) => {
                Box::new(tables.open.iter().rev().filter_map(|id| tables.executions.get(id)))
            }
            _ => Box::new(tables.executions.values().rev()),
        };
        let rows = all.filter(|row| {
            filter.task_id.is_none_or(|task| row.task_id == task)
                && filter.status.is_none_or(|status| row.status == status.as_str())
                && filter.before.is_none_or(|before| row.id < before)
                && filter.since.is_none_or(|since| row.created_at.is_some_and(|at| at >= since))
                && filter.until.is_none_or(|until| row.created_at.is_some_and(|at| at < until))
        });
        Ok(rows.take(filter.limit as usize).map(|row| tables.with_key(row)).collect())
    }

    async fn failing(
        &self,
        since: DateTime<Utc>,
        most: u32,
    ) -> Result<Vec<FailingTask>, StoreError> {
        let failed = [Status::Fail, Status::Timeout, Status::Lost].map(Status::as_str);
        let tables = self.tables();
        let young = |row: &&ExecutionRow| row.created_at.is_some_and(|at| at >= since);
        let mut failing: Vec<FailingTask> = Vec::new();
        let newest = tables.executions.values().rev().take_while(young);
        for row in newest.filter(|row| failed.contains(&&*row.status)) {
            if let Some(known) = failing.iter_mut().find(|known| known.last.task_id == row.task_id)
            {
                known.count += 1;
                continue;
            }
            let succeeds = |other: &ExecutionRow| {
                other.task_id == row.task_id
                    && other.id > row.id
                    && other.status == Status::Success.as_str()
            };
            let has_recovered = tables.executions.values().any(succeeds);
            failing.push(FailingTask { last: tables.with_key(row), count: 1, has_recovered });
        }
        failing.truncate(most as usize);
        failing.sort_by_key(|task| task.has_recovered);
        Ok(failing)
    }

    async fn count_executions(&self, task: TaskId) -> Result<u64, StoreError> {
        let tables = self.tables();
        Ok(tables.executions.values().filter(|row| row.task_id == task).count() as u64)
    }

    async fn outcomes(
        &self,
        since: DateTime<Utc>,
        tasks: Option<&[TaskId]>,
        most: u32,
    ) -> Result<Outcomes, StoreError> {
        let tables = self.tables();
        let young = |row: &&ExecutionRow| row.created_at.is_some_and(|at| at >= since);
        let mut rows: Vec<_> =
            tables.executions.values().rev().take_while(young).take(most as usize + 1).collect();
        let mut outcomes = Outcomes { since, counts: Vec::new() };
        if rows.len() > most as usize {
            rows.pop();
            outcomes.since = rows.last().and_then(|row| row.created_at).unwrap_or(since);
        }
        let first = floor_hour(outcomes.since);
        rows.retain(|row| tasks.is_none_or(|tasks| tasks.contains(&row.task_id)));
        let counted = rows.iter().filter_map(|row| {
            let hour = floor_hour(row.scheduled_at.or(row.created_at)?);
            (hour >= first).then(|| OutcomeCount { hour, status: row.status.clone(), count: 1 })
        });
        outcomes.add(counted);
        Ok(outcomes)
    }

    async fn recent(&self, tasks: &[TaskId], most: u32) -> Result<Vec<RecentRow>, StoreError> {
        let tables = self.tables();
        let of = |task: &TaskId| {
            let rows = tables.executions.values().filter(|row| row.task_id == *task);
            let mut rows: Vec<_> = rows.filter(|row| row.scheduled_at.is_some()).collect();
            rows.sort_by_key(|row| (row.scheduled_at, row.attempt));
            let first = rows.iter().rev().nth(most as usize - 1).and_then(|row| row.scheduled_at);
            rows.retain(|row| row.scheduled_at >= first);
            rows
        };
        let short = |row: &ExecutionRow| RecentRow {
            task_id: row.task_id,
            id: row.id,
            status: row.status.clone(),
            scheduled_at: row.scheduled_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
        };
        let tasks: BTreeSet<TaskId> = tasks.iter().copied().collect();
        Ok(tasks.iter().flat_map(of).map(short).collect())
    }

    async fn execution(&self, id: ExecutionId) -> Result<ExecutionRow, StoreError> {
        let tables = self.tables();
        let row = tables.executions.get(&id).map(|row| tables.with_key(row));
        row.ok_or(StoreError::NotFound { what: "execution", id })
    }

    async fn around(&self, task: TaskId, at: DateTime<Utc>) -> Result<Around, StoreError> {
        let tables = self.tables();
        let of_task = tables.executions.values().filter(|row| row.task_id == task);
        let mut rows: Vec<ExecutionRow> = of_task
            .filter(|row| row.scheduled_at.is_some())
            .map(|row| tables.with_key(row))
            .collect();
        rows.sort_by_key(|row| (row.scheduled_at, row.attempt));
        let place = |row: &ExecutionRow| row.scheduled_at.cmp(&Some(at));
        let here = rows.iter().filter(|row| place(row).is_eq()).take(100).cloned().collect();
        let is_next =
            |row: &&ExecutionRow| place(row).is_gt() && row.source == Source::Schedule.as_str();
        let next = rows.iter().find(is_next).cloned();
        let never_ran = [Status::Missed, Status::Skipped].map(Status::as_str);
        let ran = rows.iter().rev().filter(|row| !never_ran.contains(&row.status.as_str()));
        let before = ran.filter(|row| place(row).is_lt()).take(20).cloned().collect();
        Ok(Around { here, next, before })
    }

    async fn log(&self, execution: ExecutionId, after: u32) -> Result<Vec<LogPart>, StoreError> {
        let tables = self.tables();
        let parts = tables.log.range((execution, after.saturating_add(1))..=(execution, u32::MAX));
        let part = |(&(execution_id, part), content): (_, &String)| LogPart {
            execution_id,
            part,
            content: content.clone(),
        };
        Ok(parts.map(part).collect())
    }

    async fn nodes(&self) -> Result<Vec<NodeRow>, StoreError> {
        let tables = self.tables();
        let row = |(id, node): (&String, &NodeTimes)| NodeRow {
            id: id.clone(),
            started_at: node.started_at,
            heartbeat_at: node.heartbeat_at,
            left_at: node.left_at,
            silent_for: tables.silent_for(node),
            card: tables.cards.get(id).cloned(),
        };
        let mut rows: Vec<NodeRow> = tables.nodes.iter().map(row).collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.heartbeat_at));
        rows.truncate(1_000);
        Ok(rows)
    }

    async fn load_demo(&self, rows: &[NewTask]) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        if std::mem::replace(&mut tables.is_demo_given, true) || !tables.tasks.is_empty() {
            return Ok(false);
        }
        for row in rows {
            tables.add(row)?;
        }
        Ok(true)
    }
}

impl Tables {
    /// The row, if it is of `version`.
    pub(super) fn row_of(
        &self,
        task: TaskId,
        version: Option<&Version>,
    ) -> Result<TaskRow, StoreError> {
        let row = self.tasks.get(&task).ok_or(StoreError::NotFound { what: "task", id: task })?;
        match version {
            Some(version) if Version::of(row) != *version => Err(StoreError::Edited { id: task }),
            _ => Ok(row.clone()),
        }
    }

    /// Changes a row, and remembers who did; whether it said otherwise.
    pub(super) fn change(
        &mut self,
        before: TaskRow,
        change: &TaskChange,
        author: &Author,
        action: EditAction,
    ) -> Result<bool, StoreError> {
        let (task, after) = (before.id, change.apply(&before));
        if after == before {
            return Ok(false);
        }
        self.edit(task, |row| *row = after.clone())?;
        self.remember(task, author, action.as_str(), snapshots([before, after]));
        Ok(true)
    }

    /// Switches a row off, and remembers who wanted it, and how: one that is off already, too.
    pub(super) fn pause(
        &mut self,
        before: TaskRow,
        pause: &Pause,
        author: &Author,
    ) -> Result<(), StoreError> {
        let (task, after) = (before.id, TaskChange::enabled(false).apply(&before));
        if after != before {
            self.edit(task, |row| *row = after.clone())?;
        }
        let texts = snapshots([before, after]);
        let edit = self.remember(task, author, EditAction::Pause.as_str(), texts);
        edit.pause = Some(pause.clone());
        Ok(())
    }

    /// Adds to the history; `texts` are what the row said before and afterwards.
    fn remember(
        &mut self,
        task_id: TaskId,
        author: &Author,
        action: &'static str,
        [before, after]: [Option<String>; 2],
    ) -> &mut EditRow {
        self.edits.push(EditRow {
            id: self.edits.last().map_or(1, |newest| newest.id + 1),
            task_id,
            edited_at: Some(self.now),
            author: author.kept_name(),
            via: author.via.as_str().to_owned(),
            action: action.to_owned(),
            before,
            after,
            pause: None,
        });
        let last = self.edits.len() - 1;
        &mut self.edits[last]
    }

    fn with_key(&self, row: &ExecutionRow) -> ExecutionRow {
        let key = self.tasks.get(&row.task_id).and_then(|task| task.task_key.clone().ok());
        ExecutionRow { task_key: key, ..row.clone() }
    }
}
