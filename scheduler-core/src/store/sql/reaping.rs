//! The reap transaction: what dead nodes left open, and what stands at `doing` for no reason.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use super::{connection::Connection, in_lock_order, json, statements::Statements};
use crate::plan::{execution::ExecutionId, node::Reaped, task::TaskId};

type Dead = BTreeMap<ExecutionId, (TaskId, Option<String>)>;

pub(super) async fn reap(
    connection: &mut Connection<'_>,
    sql: &Statements,
    lease: Duration,
    suspects: &[TaskId],
) -> Result<Reaped, sqlx::Error> {
    let reaped = reap_dead(connection, sql, lease, suspects).await?;
    // Only now: a node that is forgotten no longer counts as dead, but from its claims on.
    connection.execute(sql.forget_nodes, &[]).await?;
    Ok(reaped)
}

async fn reap_dead(
    connection: &mut Connection<'_>,
    sql: &Statements,
    lease: Duration,
    suspects: &[TaskId],
) -> Result<Reaped, sqlx::Error> {
    let found = find_dead(connection, sql, lease).await?;
    if found.is_empty() && suspects.is_empty() {
        return Ok(Reaped::default());
    }
    let tasks =
        in_lock_order(found.values().map(|(task, _)| *task).chain(suspects.iter().copied()));
    let tasks_json = json(&tasks);
    let doing_before = doing(connection, sql, &tasks_json).await?;
    // Under the lock of the tasks nobody records: who is still dead now is dead.
    let still = find_dead(connection, sql, lease).await?;
    let lost: Dead = found.into_iter().filter(|(id, _)| still.contains_key(id)).collect();
    if !lost.is_empty() {
        let ids = json(&lost.keys().collect::<Vec<_>>());
        let reason = format!("the node did not renew its lease for {} s", lease.as_secs_f64());
        let extra = json(&serde_json::json!({ "reason": reason }));
        let binds: [super::connection::Bind<'_>; 2] = [(&ids).into(), (&extra).into()];
        connection.execute(sql.mark_lost, &binds).await?;
    }
    connection.execute(sql.release_tasks, &[(&tasks_json).into()]).await?;
    let doing_after = doing(connection, sql, &tasks_json).await?;
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
        lost: lost.into_iter().map(|(id, (task, node))| (id, task, node)).collect(),
    })
}

async fn find_dead(
    connection: &mut Connection<'_>,
    sql: &Statements,
    lease: Duration,
) -> Result<Dead, sqlx::Error> {
    let lease_ms = i64::try_from(lease.as_millis()).unwrap_or(i64::MAX);
    let rows = connection.fetch(sql.find_dead, &[lease_ms.into()]).await?;
    let dead = rows.into_iter().filter_map(|row| {
        let node = row[2].clone().into_text().ok();
        Some((row[0].int()?, (row[1].int()?, node)))
    });
    Ok(dead.collect())
}

/// Locks the tasks and tells which stand at `doing`.
async fn doing(
    connection: &mut Connection<'_>,
    sql: &Statements,
    tasks: &str,
) -> Result<HashSet<TaskId>, sqlx::Error> {
    let rows = connection.fetch(sql.lock_tasks, &[tasks.into()]).await?;
    Ok(rows
        .iter()
        .filter(|row| row[2].to_lossy() == "doing")
        .filter_map(|row| row[0].int())
        .collect())
}
