//! Removing what is too old, or too much, a few rows at a time.

use chrono::{DateTime, Utc};

use super::{
    connection::{Cell, Connection},
    epoch_ms, json,
    statements::Statements,
};
use crate::{
    plan::{execution::ExecutionId, task::TaskId},
    store::{EditId, PRUNED, Pruned},
};

/// Tasks whose executions are counted in one call, at most.
const TASKS: i64 = 100;

/// Executions that are counted in it, about.
const COUNTED: i64 = 100_000;

/// Of the next in the order of their ids, by `sql`: those that are old enough to go, and where to go on.
async fn old(
    connection: &mut Connection<'_>,
    sql: &'static str,
    cutoff: DateTime<Utc>,
    after: ExecutionId,
) -> Result<(Vec<ExecutionId>, Option<ExecutionId>), sqlx::Error> {
    let cutoff = epoch_ms(cutoff);
    let binds = [cutoff.into(), cutoff.into(), after.into(), i64::from(PRUNED).into()];
    let rows = connection.fetch(sql, &binds).await?;
    let is_true = |cell: &Cell| cell.int() == Some(1);
    let going = rows.iter().filter(|row| is_true(&row[2]));
    // Ids grow with time: upon a young one follow younger ones.
    let last = rows.last().filter(|row| !is_true(&row[1]));
    Ok((going.filter_map(|row| row[0].int()).collect(), last.and_then(|row| row[0].int())))
}

pub(super) async fn prune_logs(
    connection: &mut Connection<'_>,
    sql: &Statements,
    cutoff: DateTime<Utc>,
    after: ExecutionId,
) -> Result<Pruned<ExecutionId>, sqlx::Error> {
    let (ids, next) = old(connection, sql.read_logs, cutoff, after).await?;
    if !ids.is_empty() {
        connection.execute(sql.delete_logs, &[(&json(&ids)).into()]).await?;
    }
    Ok(Pruned { removed: ids.len(), next })
}

pub(super) async fn prune_edits(
    connection: &mut Connection<'_>,
    sql: &Statements,
    cutoff: DateTime<Utc>,
    after: EditId,
) -> Result<Pruned<EditId>, sqlx::Error> {
    let (ids, next) = old(connection, sql.read_old_edits, cutoff, after).await?;
    if !ids.is_empty() {
        connection.execute(sql.delete_edits, &[(&json(&ids)).into()]).await?;
    }
    Ok(Pruned { removed: ids.len(), next })
}

pub(super) async fn prune_older(
    connection: &mut Connection<'_>,
    sql: &Statements,
    cutoff: DateTime<Utc>,
    after: ExecutionId,
) -> Result<Pruned<ExecutionId>, sqlx::Error> {
    let (ids, next) = old(connection, sql.read_oldest, cutoff, after).await?;
    let removed = remove(connection, sql, ids).await?;
    Ok(Pruned { removed, next })
}

/// The first task after `after` that has more than `most` and a tenth, and the instant of the last that stays; else the last
/// that was looked at.
pub(super) async fn crowded(
    connection: &mut Connection<'_>,
    sql: &Statements,
    most: u32,
    after: TaskId,
) -> Result<(Option<TaskId>, Option<i64>), sqlx::Error> {
    let most = i64::from(most);
    let tasks = (COUNTED / most.max(1)).clamp(1, TASKS);
    let binds = [(most + most / 10).into(), after.into(), tasks.into()];
    let rows = connection.fetch(sql.read_crowded, &binds).await?;
    let Some(crowded) =
        rows.iter().filter(|row| row[1].int().is_some()).find_map(|row| row[0].int())
    else {
        return Ok((rows.iter().filter_map(|row| row[0].int()).max(), None));
    };
    let binds = [(most - 1).into(), (crowded - 1).into(), 1_i64.into()];
    let rows = connection.fetch(sql.read_crowded, &binds).await?;
    Ok((Some(crowded), rows.first().and_then(|row| row[1].int())))
}

pub(super) async fn prune_before(
    connection: &mut Connection<'_>,
    sql: &Statements,
    task: TaskId,
    instant: i64,
) -> Result<usize, sqlx::Error> {
    let binds = [task.into(), instant.into(), i64::from(PRUNED).into()];
    let rows = connection.fetch(sql.read_before, &binds).await?;
    remove(connection, sql, rows.iter().filter_map(|row| row[0].int()).collect()).await
}

/// Removes those that nobody else holds.
async fn remove(
    connection: &mut Connection<'_>,
    sql: &Statements,
    mut executions: Vec<ExecutionId>,
) -> Result<usize, sqlx::Error> {
    if executions.is_empty() {
        return Ok(0);
    }
    // In the order in which everybody locks.
    executions.sort_unstable();
    let locked = connection.fetch(sql.lock_executions, &[(&json(&executions)).into()]).await?;
    let ids: Vec<ExecutionId> = locked.iter().filter_map(|row| row[0].int()).collect();
    let ids = json(&ids);
    connection.execute(sql.delete_logs, &[(&ids).into()]).await?;
    connection.execute(sql.delete_executions, &[(&ids).into()]).await?;
    Ok(locked.len())
}
