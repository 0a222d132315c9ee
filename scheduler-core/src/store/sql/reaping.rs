//! The reap transaction: what dead nodes left open, and what stands at `doing` for no reason.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{
    connection::{Bind, Cell, Connection},
    epoch_ms, in_lock_order, json,
    statements::Statements,
    status::StatusColumn,
    try_lock_tasks,
};
use crate::plan::{
    execution::ExecutionId,
    node::{Lost, Reaped},
    retry::{extra_when_lost, is_wanted_when_lost, reason_when_lost},
    task::TaskId,
};

type Dead = BTreeMap<ExecutionId, (TaskId, Option<String>)>;

/// What is asked of a reap transaction.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    /// Who asks, and is alive.
    pub(super) node: &'a str,
    pub(super) lease: Duration,
    /// By a clock that is later, nobody is dead.
    pub(super) until: DateTime<Utc>,
    pub(super) suspects: &'a [TaskId],
    /// Look at this task alone.
    pub(super) only: Option<TaskId>,
}

pub(super) async fn reap(
    connection: &mut Connection<'_>,
    sql: &Statements,
    status: &StatusColumn,
    search: Search<'_>,
) -> Result<Reaped, sqlx::Error> {
    let reaped = reap_dead(connection, sql, status, search).await?;
    // Only now: a node that is forgotten no longer counts as dead, but from its claims on.
    connection.execute(sql.forget_nodes, &[]).await?;
    Ok(reaped)
}

/// The tasks that a reap transaction would look at.
pub(super) async fn tasks_to_reap(
    connection: &mut Connection<'_>,
    sql: &Statements,
    search: Search<'_>,
) -> Result<Vec<TaskId>, sqlx::Error> {
    let found = find_dead(connection, sql, search).await?;
    Ok(tasks_of(&found, search))
}

fn tasks_of(found: &Dead, search: Search<'_>) -> Vec<TaskId> {
    let suspects = search.suspects.iter().copied();
    let suspects = suspects.filter(|task| search.only.is_none_or(|only| only == *task));
    in_lock_order(found.values().map(|(task, _)| *task).chain(suspects))
}

async fn reap_dead(
    connection: &mut Connection<'_>,
    sql: &Statements,
    status: &StatusColumn,
    search: Search<'_>,
) -> Result<Reaped, sqlx::Error> {
    let found = find_dead(connection, sql, search).await?;
    let tasks = tasks_of(&found, search);
    if tasks.is_empty() {
        return Ok(Reaped::default());
    }
    let locked = try_lock_tasks(connection, sql, &tasks).await?;
    let doing_before = doing(locked.rows.values());
    let tasks: Vec<TaskId> =
        tasks.into_iter().filter(|task| !locked.elsewhere.contains(task)).collect();
    let tasks_json = json(&tasks);
    // Under the lock of the tasks nobody records: who is still dead now is dead.
    let still = find_dead(connection, sql, search).await?;
    let mut lost: Dead = found
        .into_iter()
        .filter(|(id, (task, _))| still.contains_key(id) && !locked.elsewhere.contains(task))
        .collect();
    let mut retried = HashSet::new();
    if !lost.is_empty() {
        let ids = json(&lost.keys().collect::<Vec<_>>());
        let held = connection.fetch(sql.lock_executions, &[(&ids).into()]).await?;
        let held: HashSet<ExecutionId> = held.iter().filter_map(|row| row[0].int()).collect();
        lost.retain(|id, _| held.contains(id));
        retried = mark_lost(connection, sql, &lost, search.lease).await?;
    }
    status.write(connection, sql.release_tasks, &tasks_json).await?;
    let doing_after = doing(&connection.fetch(sql.lock_tasks, &[(&tasks_json).into()]).await?);
    let of_lost: HashSet<TaskId> = lost.values().map(|(task, _)| *task).collect();
    Ok(Reaped {
        healed: tasks
            .into_iter()
            .filter(|task| {
                doing_before.contains(task)
                    && !doing_after.contains(task)
                    && !of_lost.contains(task)
            })
            .collect(),
        lost: lost
            .into_iter()
            .map(|(execution_id, (task_id, node_id))| {
                let is_retried = retried.contains(&execution_id);
                Lost { execution_id, task_id, node_id, is_retried }
            })
            .collect(),
    })
}

#[derive(Serialize)]
struct LostJson {
    id: ExecutionId,
    extra: String,
}

/// Closes the executions, and lets the next attempt wait where the row asks for it; which executions that are.
async fn mark_lost(
    connection: &mut Connection<'_>,
    sql: &Statements,
    lost: &Dead,
    lease: Duration,
) -> Result<HashSet<ExecutionId>, sqlx::Error> {
    let reason = reason_when_lost(lease);
    let ids = json(&lost.keys().collect::<Vec<_>>());
    let rows = connection.fetch(sql.read_attempts, &[(&ids).into()]).await?;
    let mut wanted = Vec::new();
    let mut closed = Vec::new();
    for row in &rows {
        let Some(id) = row[0].int() else { continue };
        let extra = row[2].to_lossy();
        // A row without an instant is not of ours, and nothing could be tried again.
        let is_wanted =
            row[3].int().is_some() && is_wanted_when_lost(&extra, row[1].int().unwrap_or(1));
        if is_wanted {
            wanted.push(id);
        }
        let retry_at = row[4].int().filter(|_| is_wanted).and_then(DateTime::from_timestamp_millis);
        closed.push(LostJson { id, extra: extra_when_lost(&extra, &reason, retry_at) });
    }
    if !wanted.is_empty() {
        connection.execute(sql.retry_lost, &[(&json(&wanted)).into()]).await?;
    }
    connection.execute(sql.mark_lost, &[(&json(&closed)).into()]).await?;
    Ok(wanted.into_iter().collect())
}

async fn find_dead(
    connection: &mut Connection<'_>,
    sql: &Statements,
    search: Search<'_>,
) -> Result<Dead, sqlx::Error> {
    let lease_ms = i64::try_from(search.lease.as_millis()).unwrap_or(i64::MAX);
    let binds: [Bind<'_>; 3] = [search.node.into(), lease_ms.into(), epoch_ms(search.until).into()];
    let rows = connection.fetch(sql.find_dead, &binds).await?;
    let dead = rows.into_iter().filter_map(|row| {
        let node = row[2].clone().into_text().ok();
        Some((row[0].int()?, (row[1].int()?, node)))
    });
    Ok(dead.filter(|(_, (task, _))| search.only.is_none_or(|only| only == *task)).collect())
}

/// Which of these rows of `task` stand at `doing`.
fn doing<'a>(rows: impl IntoIterator<Item = &'a Vec<Cell>>) -> HashSet<TaskId> {
    let rows = rows.into_iter().filter(|row| row[2].to_lossy() == "doing");
    rows.filter_map(|row| row[0].int()).collect()
}
