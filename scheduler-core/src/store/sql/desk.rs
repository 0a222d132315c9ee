//! [`Desk`] on SQL.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    SqlStore,
    connection::{Bind, Cell, Connection, mysql_number},
    epoch_ms, from_ms, from_secs, in_lock_order, json, listing,
    migrate::{NEWEST, is_missing_table},
    read_only,
    schedule::{self, request, retry},
    statements::{RECENT_AT_ONCE, Statements},
    task_row, write_transaction,
};
use crate::{
    plan::{
        claim::{Request, RequestId},
        execution::{ExecutionId, ExecutionRow, LogPart, Status},
        node::{Cancel, NodeRow},
        task::{TaskId, TaskRow},
    },
    store::{
        Around, Author, Desk, DeskTask, EditAction, EditFilter, EditRow, ExecutionFilter,
        FailingTask, NewTask, Outcomes, Pause, RecentRow, Store as _, StoreError, TaskChange,
        TaskSelection, Version,
        desk::{MOST_WAITING, floor_hour, manual_instant},
        edits::{Newest, NoticedEdit, noticed, snapshot, snapshots},
    },
};

/// `scheduler_meta.name` that says that the demo rows were given once.
const DEMO_ROWS: &str = "demo_rows";

#[async_trait]
impl Desk for SqlStore {
    fn database(&self) -> &str {
        &self.database
    }

    async fn tasks(&self, selection: TaskSelection<'_>) -> Result<Vec<DeskTask>, StoreError> {
        let rows: Vec<TaskRow> = match selection {
            TaskSelection::All => self.read().await?.rows,
            TaskSelection::Id(id) => read_only!(self, "reading a task", connection => async {
                let rows = connection.fetch(self.sql.read_task, &[id.into()]).await?;
                Ok(rows.into_iter().map(task_row).collect())
            })?,
            TaskSelection::WithTwins(ids) => {
                let ids = json(&ids);
                let binds: [Bind<'_>; 2] = [(&ids).into(), (&ids).into()];
                let rows = read_only!(self, "reading tasks", connection =>
                    connection.fetch(self.sql.read_twins, &binds))?;
                rows.into_iter().map(task_row).collect()
            }
        };
        let ids: Vec<TaskId> = rows.iter().map(|row| row.id).collect();
        let cursors = self.cursors(&ids).await?;
        let tasks = rows
            .into_iter()
            .map(|row| DeskTask { last_accounted: cursors.get(&row.id).copied(), row });
        Ok(tasks.collect())
    }

    async fn rows_to_migrate(&self) -> Result<Option<Vec<TaskRow>>, StoreError> {
        if self.version().await? == NEWEST {
            return Ok(None);
        }
        match self.read_rows().await {
            Err(StoreError::Query { source, .. }) if is_missing_table(&source) => {
                Ok(Some(Vec::new()))
            }
            rows => rows.map(Some),
        }
    }

    async fn add_as(&self, task: &NewTask, author: &Author) -> Result<TaskId, StoreError> {
        let added = write_transaction!(self, "adding a task", connection => async {
            let Some(id) = add(&mut connection, self.sql, task).await? else { return Ok(None) };
            let after = read_snapshot(&mut connection, self.sql, id).await?;
            let deed = Deed::new(EditAction::Create, [None, after]);
            remember(&mut connection, self.sql, id, author, deed).await?;
            Ok(Some(id))
        });
        taken_or(added, &task.task_key)?.ok_or_else(|| key_taken(&task.task_key))
    }

    async fn edit_as(
        &self,
        task: TaskId,
        version: Option<&Version>,
        change: &TaskChange,
        author: &Author,
    ) -> Result<(), StoreError> {
        let edited = write_transaction!(self, "changing a task", connection => async {
            let before = match locked(&mut connection, self.sql, task, version).await? {
                Ok(row) => row,
                Err(refused) => return Ok(Err(refused)),
            };
            let mut was_paused = false;
            if change.is_enabled.is_some() {
                let ended = connection.execute(self.sql.drop_pauses, &[(&json(&[task])).into()]).await?;
                was_paused = ended.rows > 0;
            }
            let after = change.apply(&before);
            if after == before {
                if was_paused {
                    let deed = Deed::new(EditAction::Resume, snapshots([before, after]));
                    remember(&mut connection, self.sql, task, author, deed).await?;
                }
                return Ok(Ok(()));
            }
            if let Some(key) = change.task_key.as_ref().filter(|_| after.task_key != before.task_key) {
                let others = connection.fetch(self.sql.find_key, &[key.into()]).await?;
                if others.iter().any(|row| row[0].int() != Some(task)) {
                    return Ok(Err(key_taken(key)));
                }
            }
            change_row(&mut connection, self.sql, before, change, author, EditAction::Change).await?;
            Ok(Ok(()))
        });
        taken_or(edited, change.task_key.as_deref().unwrap_or_default())?
    }

    async fn delete_as(
        &self,
        task: TaskId,
        version: Option<&Version>,
        author: &Author,
    ) -> Result<(), StoreError> {
        write_transaction!(self, "deleting a task", connection => async {
            let before = match locked(&mut connection, self.sql, task, version).await? {
                Ok(row) => row,
                Err(refused) => return Ok(Err(refused)),
            };
            connection.execute(self.sql.delete_task, &[task.into()]).await?;
            connection.execute(self.sql.drop_pauses, &[(&json(&[task])).into()]).await?;
            let texts = [Some(snapshot(&before)), None];
            let deed = Deed::new(EditAction::Delete, texts);
            remember(&mut connection, self.sql, task, author, deed).await?;
            Ok(Ok(()))
        })?
    }

    async fn waiting(&self, task: TaskId) -> Result<Vec<Request>, StoreError> {
        let most = i64::try_from(MOST_WAITING).unwrap_or(i64::MAX);
        read_only!(self, "reading what waits of a task", connection => async {
            let binds: [Bind<'_>; 2] = [task.into(), most.into()];
            let manual = connection.fetch(self.sql.requests_of, &binds).await?;
            let retries = connection.fetch(self.sql.retries_of, &binds).await?;
            let manual = manual.iter().filter_map(|row| request(row).ok());
            Ok(manual.chain(retries.iter().filter_map(|row| retry(row).ok())).collect())
        })
    }

    async fn notice_edits(&self, tasks: &[TaskId]) -> Result<Vec<TaskId>, StoreError> {
        let ids = json(&in_lock_order(tasks.iter().copied()));
        write_transaction!(self, "looking for edits by SQL", connection => async {
            // Under its lock a row and its history agree, whoever edits.
            let rows = connection.fetch(self.sql.try_lock_rows, &[(&ids).into()]).await?;
            let rows: HashMap<TaskId, TaskRow> =
                rows.into_iter().map(task_row).map(|row| (row.id, row)).collect();
            let existing = connection.fetch(self.sql.existing_tasks, &[(&ids).into()]).await?;
            let existing: HashSet<TaskId> = existing.iter().filter_map(|row| row[0].int()).collect();
            let newest = connection.fetch(self.sql.newest_edits, &[(&ids).into()]).await?;
            let newest: HashMap<TaskId, Newest> =
                newest.into_iter().filter_map(newest_edit).map(|edit| (edit.task_id, edit)).collect();
            let is_locked = |id: &TaskId| existing.contains(id) && !rows.contains_key(id);
            let (locked, free): (Vec<TaskId>, Vec<TaskId>) = tasks.iter().copied().partition(is_locked);
            let edits: Vec<NoticedEdit> =
                free.iter().filter_map(|id| noticed(*id, rows.get(id), newest.get(id))).collect();
            if !edits.is_empty() {
                let via = Author::external().via.as_str();
                connection.execute(self.sql.add_edits, &[via.into(), (&json(&edits)).into()]).await?;
            }
            Ok(locked)
        })
    }

    async fn edits(&self, filter: EditFilter) -> Result<Vec<EditRow>, StoreError> {
        let before = filter.before.unwrap_or(i64::MAX);
        let page: [Bind<'_>; 2] = [before.into(), i64::from(filter.limit).into()];
        let (sql, binds) = match filter.task_id {
            Some(task) => (self.sql.edits_of_task, [&[task.into()], &page[..]].concat()),
            None => (self.sql.list_edits, page.to_vec()),
        };
        let rows = read_only!(self, "reading the history of edits", connection =>
            connection.fetch(sql, &binds))?;
        Ok(rows.into_iter().map(edit_row).collect())
    }

    async fn request_run_as(
        &self,
        task: TaskId,
        now: DateTime<Utc>,
        args: Option<&str>,
        author: &Author,
    ) -> Result<RequestId, StoreError> {
        let asked = write_transaction!(self, "asking for a run", connection => async {
            // Locked, so that of two who ask at once the second sees the first one's instant.
            if connection.fetch(self.sql.lock_tasks, &[(&json(&[task])).into()]).await?.is_empty() {
                return Ok(None);
            }
            let (from, to) = (epoch_ms(now), epoch_ms(now + TimeDelta::seconds(1)));
            let binds: [Bind<'_>; 6] = [task.into(), from.into(), to.into(), task.into(), from.into(), to.into()];
            let rows = connection.fetch(self.sql.read_instants, &binds).await?;
            let taken: HashSet<DateTime<Utc>> = rows.iter().filter_map(|row| from_ms(&row[0])).collect();
            let requested_at = epoch_ms(manual_instant(now, |instant| taken.contains(&instant)));
            let done = connection.execute(self.sql.request_run, &[task.into(), requested_at.into(), args.into()]).await?;
            let deed = Deed::new(EditAction::Run, [None, None]);
            remember(&mut connection, self.sql, task, author, deed).await?;
            Ok(Some(done.last_id))
        })?;
        asked.ok_or(StoreError::NotFound { what: "task", id: task })
    }

    async fn cancel_as(&self, execution: ExecutionId, author: &Author) -> Result<(), StoreError> {
        let name = author.kept_name();
        let row = self.execution(execution).await?;
        if row.status != Status::Todo.as_str() {
            return Err(StoreError::Ended { id: execution, status: row.status });
        }
        write_transaction!(self, "cancelling a run", connection => async {
            connection.execute(self.sql.forget_cancels, &[]).await?;
            connection.execute(self.sql.add_cancel, &[execution.into(), (&name).into()]).await?;
            Ok(())
        })
    }

    async fn cancels(&self) -> Result<Vec<Cancel>, StoreError> {
        read_only!(self, "reading what is to end", connection =>
            schedule::cancels(&mut connection, self.sql))
    }

    async fn executions(&self, filter: ExecutionFilter) -> Result<Vec<ExecutionRow>, StoreError> {
        let rows = read_only!(self, "reading executions", connection =>
            listing::executions(&mut connection, self.sql, filter))?;
        Ok(rows.iter().map(|row| execution_row(row)).collect())
    }

    async fn failing(
        &self,
        since: DateTime<Utc>,
        most: u32,
    ) -> Result<Vec<FailingTask>, StoreError> {
        let rows = read_only!(self, "reading what failed", connection => async {
            let first = listing::first_of(&mut connection, self.sql, since).await?;
            connection.fetch(self.sql.failing_tasks, &[first.into(), i64::from(most).into()]).await
        })?;
        let failing = |row: &Vec<Cell>| {
            let [.., count, has_recovered] = &row[..] else { return None };
            let count = count.int()?.try_into().ok()?;
            let has_recovered = has_recovered.int() == Some(1);
            Some(FailingTask { last: execution_row(row), count, has_recovered })
        };
        Ok(rows.iter().filter_map(failing).collect())
    }

    async fn count_executions(&self, task: TaskId) -> Result<u64, StoreError> {
        let rows = read_only!(self, "counting the executions of a task", connection =>
            connection.fetch(self.sql.count_executions, &[task.into()]))?;
        Ok(rows
            .first()
            .and_then(|row| row[0].int())
            .and_then(|count| count.try_into().ok())
            .unwrap_or(0))
    }

    async fn outcomes(
        &self,
        since: DateTime<Utc>,
        tasks: Option<&[TaskId]>,
        most: u32,
    ) -> Result<Outcomes, StoreError> {
        let found = read_only!(self, "looking for the executions of a day", connection =>
            listing::ids_since(&mut connection, self.sql, since, most))?;
        let mut outcomes = Outcomes { since: found.since, counts: Vec::new() };
        let ids = tasks.map(|tasks| json(&tasks));
        for part in found.parts() {
            let binds: [Bind<'_>; 4] =
                [part.0.into(), part.1.into(), ids.as_ref().into(), ids.as_ref().into()];
            let rows = read_only!(self, "counting executions", connection =>
                connection.fetch(self.sql.count_outcomes, &binds))?;
            let counted = rows.iter().filter_map(|row| listing::counted(row));
            outcomes.add(counted.filter(|count| count.hour >= floor_hour(found.since)));
        }
        Ok(outcomes)
    }

    async fn recent(&self, tasks: &[TaskId], most: u32) -> Result<Vec<RecentRow>, StoreError> {
        let mut recent = Vec::new();
        for tasks in tasks.chunks(RECENT_AT_ONCE) {
            let none = std::iter::repeat(&TaskId::MIN);
            let each = tasks.iter().chain(none).take(RECENT_AT_ONCE);
            let binds: Vec<Bind<'_>> =
                each.flat_map(|task| [(*task).into(), i64::from(most).into()]).collect();
            let rows = read_only!(self, "reading the last executions of tasks", connection =>
                connection.fetch(self.sql.read_recent, &binds))?;
            recent.extend(rows.iter().flat_map(|row| recent_rows(row)));
        }
        recent.sort_by_key(|(attempt, row)| (row.task_id, row.scheduled_at, *attempt));
        Ok(recent.into_iter().map(|(_, row)| row).collect())
    }

    async fn execution(&self, id: ExecutionId) -> Result<ExecutionRow, StoreError> {
        let rows = read_only!(self, "reading an execution", connection =>
            connection.fetch(self.sql.read_execution, &[id.into()]))?;
        rows.first()
            .map(|row| execution_row(row))
            .ok_or(StoreError::NotFound { what: "execution", id })
    }

    async fn around(&self, task: TaskId, at: DateTime<Utc>) -> Result<Around, StoreError> {
        let binds: [Bind<'_>; 2] = [task.into(), epoch_ms(at).into()];
        let [here, next, before] = read_only!(self, "reading what is recorded of an instant", connection => async {
            let here = connection.fetch(self.sql.read_fire, &binds).await?;
            let next = connection.fetch(self.sql.read_next_fire, &binds).await?;
            let before = connection.fetch(self.sql.read_runs_before, &binds).await?;
            Ok([here, next, before].map(|rows| rows.iter().map(|row| execution_row(row)).collect::<Vec<_>>()))
        })?;
        Ok(Around { here, next: next.into_iter().next(), before })
    }

    async fn log(&self, execution: ExecutionId, after: u32) -> Result<Vec<LogPart>, StoreError> {
        let rows = read_only!(self, "reading a log", connection =>
            connection.fetch(self.sql.read_log, &[execution.into(), i64::from(after).into()]))?;
        let part = |cells: Vec<Cell>| {
            let mut cells = cells.into_iter();
            let part = u32::try_from(cells.next()?.int()?).ok()?;
            let content = cells.next()?.into_text().ok()?;
            Some(LogPart { execution_id: execution, part, content })
        };
        Ok(rows.into_iter().filter_map(part).collect())
    }

    async fn nodes(&self) -> Result<Vec<NodeRow>, StoreError> {
        let rows = read_only!(self, "reading the nodes", connection =>
            connection.fetch(self.sql.list_nodes, &[]))?;
        Ok(rows.iter().filter_map(|row| node_row(row)).collect())
    }

    async fn load_demo(&self, rows: &[NewTask]) -> Result<bool, StoreError> {
        write_transaction!(self, "loading the demo rows", connection => async {
            let given = connection.fetch(self.sql.read_meta, &[DEMO_ROWS.into()]).await?;
            let tasks = connection.fetch(self.sql.count_tasks, &[]).await?;
            if !given.is_empty() {
                return Ok(false);
            }
            connection.execute(self.sql.add_meta, &[DEMO_ROWS.into(), "given".into()]).await?;
            if tasks.first().and_then(|row| row[0].int()) != Some(0) {
                return Ok(false);
            }
            for row in rows {
                add(&mut connection, self.sql, row).await?;
            }
            Ok(true)
        })
    }
}

/// The new row's id, or `None` when the key is taken.
async fn add(
    connection: &mut Connection<'_>,
    sql: &Statements,
    task: &NewTask,
) -> Result<Option<TaskId>, sqlx::Error> {
    let binds: [Bind<'_>; 9] = [
        task.id.into(),
        (&task.task_key).into(),
        (&task.description).into(),
        (&task.execute_func).into(),
        (&task.trigger).into(),
        (&task.spec).into(),
        (&task.args).into(),
        i64::from(task.is_enabled).into(),
        (&task.extra).into(),
    ];
    let done = connection.execute(sql.add_task, &binds).await?;
    if done.rows == 0 {
        return Ok(None);
    }
    let rows = connection.fetch(sql.find_key, &[(&task.task_key).into()]).await?;
    Ok(rows.first().and_then(|row| row[0].int()))
}

/// The row, locked, if it is of `version`; else why not.
pub(super) async fn locked(
    connection: &mut Connection<'_>,
    sql: &Statements,
    task: TaskId,
    version: Option<&Version>,
) -> Result<Result<TaskRow, StoreError>, sqlx::Error> {
    let rows = connection.fetch(sql.lock_task, &[task.into()]).await?;
    let Some(row) = rows.into_iter().next().map(task_row) else {
        return Ok(Err(StoreError::NotFound { what: "task", id: task }));
    };
    let is_it = version.is_none_or(|version| Version::of(&row) == *version);
    Ok(if is_it { Ok(row) } else { Err(StoreError::Edited { id: task }) })
}

async fn read_snapshot(
    connection: &mut Connection<'_>,
    sql: &Statements,
    task: TaskId,
) -> Result<Option<String>, sqlx::Error> {
    let rows = connection.fetch(sql.read_task, &[task.into()]).await?;
    Ok(rows.into_iter().next().map(|cells| snapshot(&task_row(cells))))
}

/// Changes a row that is locked, and remembers who did; whether it said otherwise.
pub(super) async fn change_row(
    connection: &mut Connection<'_>,
    sql: &Statements,
    before: TaskRow,
    change: &TaskChange,
    author: &Author,
    action: EditAction,
) -> Result<bool, sqlx::Error> {
    let (task, after) = (before.id, change.apply(&before));
    if after == before {
        return Ok(false);
    }
    connection.execute(sql.change_task, &changed_columns(change, task)).await?;
    let deed = Deed::new(action, snapshots([before, after]));
    remember(connection, sql, task, author, deed).await?;
    Ok(true)
}

/// Switches a row off that is locked, and remembers who wanted it, and how: one that is off already, too.
pub(super) async fn pause_row(
    connection: &mut Connection<'_>,
    sql: &Statements,
    before: TaskRow,
    pause: &Pause,
    author: &Author,
) -> Result<(), sqlx::Error> {
    let (task, off) = (before.id, TaskChange::enabled(false));
    let after = off.apply(&before);
    if after != before {
        connection.execute(sql.change_task, &changed_columns(&off, task)).await?;
    }
    let deed = Deed::new(EditAction::Pause, snapshots([before, after]));
    let deed = Deed { pause: Some(pause), ..deed };
    remember(connection, sql, task, author, deed).await
}

fn changed_columns(change: &TaskChange, task: TaskId) -> [Bind<'_>; 9] {
    let TaskChange { task_key, description, execute_func, trigger, spec, args, is_enabled, extra } =
        change;
    [
        task_key.as_ref().into(),
        description.as_ref().into(),
        execute_func.as_ref().into(),
        trigger.as_ref().into(),
        spec.as_ref().into(),
        args.as_ref().into(),
        is_enabled.map(i64::from).into(),
        extra.as_ref().into(),
        task.into(),
    ]
}

/// What the history keeps of an edit.
struct Deed<'a> {
    action: EditAction,
    /// What the row said before and afterwards.
    texts: [Option<String>; 2],
    pause: Option<&'a Pause>,
}

impl Deed<'_> {
    fn new(action: EditAction, texts: [Option<String>; 2]) -> Self {
        Self { action, texts, pause: None }
    }
}

/// Adds to the history.
async fn remember(
    connection: &mut Connection<'_>,
    sql: &Statements,
    task: TaskId,
    author: &Author,
    Deed { action, texts, pause }: Deed<'_>,
) -> Result<(), sqlx::Error> {
    let name = author.kept_name();
    let [before, after] = texts.each_ref().map(|text| Bind::from(text.as_ref()));
    let binds: [Bind<'_>; 8] = [
        task.into(),
        (&name).into(),
        author.via.as_str().into(),
        action.as_str().into(),
        before,
        after,
        pause.and_then(|pause| pause.until).map(epoch_ms).into(),
        pause.map(|pause| &pause.reason).into(),
    ];
    connection.execute(sql.add_edit, &binds).await.map(drop)
}

fn key_taken(key: &str) -> StoreError {
    StoreError::KeyTaken { key: key.to_owned() }
}

/// Another row may have taken `key` in between.
fn taken_or<T>(done: Result<T, StoreError>, key: &str) -> Result<T, StoreError> {
    match done {
        Err(StoreError::Query { source, .. }) if is_duplicate(&source) => Err(key_taken(key)),
        done => done,
    }
}

fn is_duplicate(error: &sqlx::Error) -> bool {
    mysql_number(error) == Some(1062)
        || error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// Reads the columns of `newest_edits`.
fn newest_edit(cells: Vec<Cell>) -> Option<Newest> {
    let mut cells = cells.into_iter();
    let task_id = cells.next()?.int()?;
    Some(Newest { task_id, after: cells.next()?.into_text().ok() })
}

/// Reads the columns of `list_edits`.
fn edit_row(cells: Vec<Cell>) -> EditRow {
    let text = |index: usize| cells[index].clone().into_text().ok();
    EditRow {
        id: cells[0].int().unwrap_or_default(),
        task_id: cells[1].int().unwrap_or_default(),
        edited_at: from_ms(&cells[2]),
        author: cells[3].to_lossy(),
        via: cells[4].to_lossy(),
        action: cells[5].to_lossy(),
        before: text(6),
        after: text(7),
        pause: text(9).map(|reason| Pause { until: from_ms(&cells[8]), reason }),
    }
}

/// Reads the columns of `list_nodes`.
fn node_row(cells: &[Cell]) -> Option<NodeRow> {
    let heartbeat_at = from_ms(&cells[2])?;
    Some(NodeRow {
        id: cells[0].to_lossy(),
        started_at: from_ms(&cells[1])?,
        heartbeat_at,
        left_at: from_ms(&cells[3]),
        silent_for: (from_ms(&cells[4])? - heartbeat_at).to_std().unwrap_or_default(),
        card: cells[5].clone().into_text().ok(),
    })
}

/// From a row of `read_recent`, with the attempts.
fn recent_rows(row: &[Cell]) -> Vec<(i64, RecentRow)> {
    type Run = (ExecutionId, String, Option<i64>, Option<i64>, Option<i64>, i64);
    let runs: Vec<Run> = serde_json::from_str(&row[1].to_lossy()).unwrap_or_default();
    let at = |millis: Option<i64>| millis.and_then(DateTime::from_timestamp_millis);
    let task_id = row[0].int().unwrap_or_default();
    let row = |(id, status, scheduled_at, started_at, finished_at, attempt): Run| {
        let [scheduled_at, started_at, finished_at] =
            [scheduled_at, started_at, finished_at].map(at);
        (attempt, RecentRow { task_id, id, status, scheduled_at, started_at, finished_at })
    };
    runs.into_iter().map(row).collect()
}

/// Reads the columns of `list_executions`.
fn execution_row(cells: &[Cell]) -> ExecutionRow {
    let text = |index: usize| cells[index].clone().into_text().ok();
    ExecutionRow {
        id: cells[0].int().unwrap_or_default(),
        task_id: cells[1].int().unwrap_or_default(),
        task_key: text(2),
        status: cells[3].to_lossy(),
        extra: cells[4].to_lossy(),
        trace_id: cells[5].to_lossy(),
        created_at: from_secs(&cells[6]),
        scheduled_at: from_ms(&cells[7]),
        attempt: cells[8].int().unwrap_or(1),
        source: cells[9].to_lossy(),
        node_id: text(10),
        started_at: from_ms(&cells[11]),
        finished_at: from_ms(&cells[12]),
    }
}
