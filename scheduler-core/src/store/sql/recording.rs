//! The record transaction.

use std::collections::HashMap;

use serde::Serialize;

use super::{connection::Connection, epoch_ms, in_lock_order, json, statements::Statements};
use crate::plan::execution::{ExecutionId, Outcome, Status};

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
    outcomes: &[Outcome],
) -> Result<Vec<bool>, sqlx::Error> {
    let tasks = json(&in_lock_order(
        outcomes.iter().map(|outcome| outcome.task_id),
    ));
    connection.fetch(sql.lock_tasks, &[(&tasks).into()]).await?;
    let executions = json(&in_lock_order(
        outcomes.iter().map(|outcome| outcome.execution_id),
    ));
    let rows = connection
        .fetch(sql.lock_executions, &[(&executions).into()])
        .await?;
    let standing: HashMap<ExecutionId, (String, String)> = rows
        .into_iter()
        .filter_map(|row| Some((row[0].int()?, (row[1].to_lossy(), row[2].to_lossy()))))
        .collect();
    let is_open_or_ours = |outcome: &Outcome| {
        let Some((trace_id, status)) = standing.get(&outcome.execution_id) else {
            return (false, false);
        };
        let is_ours = **trace_id == *outcome.trace_id;
        let is_open = is_ours && status == Status::Todo.as_str();
        (
            is_open,
            is_open || is_ours && status == outcome.status.as_str(),
        )
    };
    let open: Vec<_> = outcomes
        .iter()
        .filter(|outcome| is_open_or_ours(outcome).0)
        .map(|outcome| OutcomeJson {
            id: outcome.execution_id,
            status: outcome.status.as_str(),
            extra: &outcome.extra,
            started_at: outcome.started_at.map(epoch_ms),
            finished_at: epoch_ms(outcome.finished_at),
        })
        .collect();
    if !open.is_empty() {
        connection
            .execute(sql.write_outcomes, &[(&json(&open)).into()])
            .await?;
        connection
            .execute(sql.release_tasks, &[(&tasks).into()])
            .await?;
    }
    Ok(outcomes
        .iter()
        .map(|outcome| is_open_or_ours(outcome).1)
        .collect())
}
