//! The record transaction, and the notes before it.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::{
    connection::Connection, epoch_ms, in_lock_order, json, statements::Statements,
    status::StatusColumn, try_lock_tasks,
};
use crate::plan::{
    execution::{ExecutionId, Noted, Outcome, Recorded, Status},
    retry::Retry,
    task::TaskId,
};

#[derive(Serialize)]
struct RetryJson {
    task_id: TaskId,
    scheduled_at: i64,
    attempt: u32,
    due_at: i64,
}

#[derive(Serialize)]
struct OutcomeJson<'a> {
    id: ExecutionId,
    status: &'static str,
    extra: &'a str,
    started_at: Option<i64>,
    finished_at: i64,
}

pub(super) async fn record(
    connection: &mut Connection<'_>,
    sql: &Statements,
    status: &StatusColumn,
    outcomes: &[Outcome],
) -> Result<Vec<Recorded>, sqlx::Error> {
    let tasks = in_lock_order(outcomes.iter().map(|outcome| outcome.task_id));
    let elsewhere = try_lock_tasks(connection, sql, &tasks).await?.elsewhere;
    let ours = outcomes.iter().filter(|outcome| !elsewhere.contains(&outcome.task_id));
    let executions = in_lock_order(ours.map(|outcome| outcome.execution_id));
    let rows = connection.fetch(sql.lock_executions, &[(&json(&executions)).into()]).await?;
    let mut standing: HashMap<ExecutionId, Standing> = rows
        .into_iter()
        .filter_map(|row| {
            Some((
                row[0].int()?,
                Standing { trace_id: row[1].to_lossy(), status: row[2].to_lossy() },
            ))
        })
        .collect();
    let absent: Vec<_> = executions.into_iter().filter(|id| !standing.contains_key(id)).collect();
    let held = existing(connection, sql, &absent).await?;
    let mut open = Vec::new();
    let mut retries = Vec::new();
    let mut freed = Vec::new();
    let mut recorded = Vec::with_capacity(outcomes.len());
    for outcome in outcomes {
        if elsewhere.contains(&outcome.task_id) || held.contains(&outcome.execution_id) {
            recorded.push(Recorded::Locked);
            continue;
        }
        let row = standing
            .get_mut(&outcome.execution_id)
            .filter(|row| *row.trace_id == *outcome.trace_id);
        let Some(row) = row else {
            recorded.push(Recorded::Discarded);
            continue;
        };
        if row.status == Status::Todo.as_str() {
            // From here on the row is closed, for a second outcome in the same batch too.
            outcome.status.as_str().clone_into(&mut row.status);
            open.push(outcome_json(outcome));
            retries.extend(outcome.retry.map(|retry| retry_json(outcome.task_id, retry)));
            freed.push(outcome.task_id);
        }
        let stands = row.status == outcome.status.as_str();
        recorded.push(if stands { Recorded::Stands } else { Recorded::Discarded });
    }
    if !open.is_empty() {
        connection.execute(sql.write_outcomes, &[(&json(&open)).into()]).await?;
        if !retries.is_empty() {
            connection.execute(sql.add_retries, &[(&json(&retries)).into()]).await?;
        }
        status.write(connection, sql.release_tasks, &json(&in_lock_order(freed))).await?;
    }
    Ok(recorded)
}

#[derive(Serialize)]
struct NotedJson<'a> {
    id: ExecutionId,
    trace_id: &'a str,
    extra: &'a str,
}

pub(super) async fn note(
    connection: &mut Connection<'_>,
    sql: &Statements,
    notes: &[Noted],
) -> Result<(), sqlx::Error> {
    let mut rows: Vec<NotedJson<'_>> = notes
        .iter()
        .map(|Noted { execution_id, trace_id, extra }| NotedJson {
            id: *execution_id,
            trace_id,
            extra,
        })
        .collect();
    // In the order in which everybody locks.
    rows.sort_by_key(|row| row.id);
    connection.execute(sql.write_notes, &[(&json(&rows)).into()]).await.map(drop)
}

/// Which of these executions exist: those that could not be locked because somebody else holds them.
async fn existing(
    connection: &mut Connection<'_>,
    sql: &Statements,
    absent: &[ExecutionId],
) -> Result<HashSet<ExecutionId>, sqlx::Error> {
    if absent.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = connection.fetch(sql.existing_executions, &[(&json(&absent)).into()]).await?;
    Ok(rows.iter().filter_map(|row| row[0].int()).collect())
}

/// A locked row of `execute_task`.
struct Standing {
    trace_id: String,
    status: String,
}

fn retry_json(task_id: TaskId, retry: Retry) -> RetryJson {
    let Retry { scheduled_at, attempt, due_at } = retry;
    RetryJson { task_id, scheduled_at: epoch_ms(scheduled_at), attempt, due_at: epoch_ms(due_at) }
}

fn outcome_json(outcome: &Outcome) -> OutcomeJson<'_> {
    OutcomeJson {
        id: outcome.execution_id,
        status: outcome.status.as_str(),
        extra: &outcome.extra,
        started_at: outcome.started_at.map(epoch_ms),
        finished_at: epoch_ms(outcome.finished_at),
    }
}
