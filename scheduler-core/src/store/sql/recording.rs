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
    let tasks = in_lock_order(outcomes.iter().map(|outcome| outcome.task_id));
    connection.fetch(sql.lock_tasks, &[(&json(&tasks)).into()]).await?;
    let executions = json(&in_lock_order(outcomes.iter().map(|outcome| outcome.execution_id)));
    let rows = connection.fetch(sql.lock_executions, &[(&executions).into()]).await?;
    let mut standing: HashMap<ExecutionId, Standing> = rows
        .into_iter()
        .filter_map(|row| {
            Some((
                row[0].int()?,
                Standing { trace_id: row[1].to_lossy(), status: row[2].to_lossy() },
            ))
        })
        .collect();
    let mut open = Vec::new();
    let mut freed = Vec::new();
    let mut stands = Vec::with_capacity(outcomes.len());
    for outcome in outcomes {
        let row = standing
            .get_mut(&outcome.execution_id)
            .filter(|row| *row.trace_id == *outcome.trace_id);
        let Some(row) = row else {
            stands.push(false);
            continue;
        };
        if row.status == Status::Todo.as_str() {
            // From here on the row is closed, for a second outcome in the same batch too.
            outcome.status.as_str().clone_into(&mut row.status);
            open.push(outcome_json(outcome));
            freed.push(outcome.task_id);
        }
        stands.push(row.status == outcome.status.as_str());
    }
    if !open.is_empty() {
        connection.execute(sql.write_outcomes, &[(&json(&open)).into()]).await?;
        connection.execute(sql.release_tasks, &[(&json(&in_lock_order(freed))).into()]).await?;
    }
    Ok(stands)
}

/// A locked row of `execute_task`.
struct Standing {
    trace_id: String,
    status: String,
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
