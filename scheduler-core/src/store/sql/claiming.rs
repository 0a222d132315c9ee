//! The claim transaction.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::{
    connection::{Bind, Connection},
    epoch_ms, from_secs, in_lock_order, json, read_cursors,
    statements::Statements,
    status::StatusColumn,
    try_lock_tasks,
};
use crate::plan::{
    claim::{Claim, Entry, LockedTask, Origin, Refusal, RequestId, Verdict, judge},
    execution::{ExecutionId, Status},
    node::Settled,
    task::TaskId,
};

/// An entry as it travels in the batch.
#[derive(Serialize)]
struct FireJson<'a> {
    task_id: TaskId,
    status: &'static str,
    extra: &'a str,
    trace_id: &'a str,
    scheduled_at: i64,
    attempt: u32,
    source: &'static str,
}

fn fires<'a>(claims: impl IntoIterator<Item = &'a Claim>) -> String {
    let fire = |claim: &'a Claim, entry: &'a Entry| FireJson {
        task_id: claim.task_id,
        status: entry.status.as_str(),
        extra: &entry.extra,
        trace_id: &entry.trace_id,
        scheduled_at: epoch_ms(entry.scheduled_at),
        attempt: entry.attempt,
        source: claim.origin.source().as_str(),
    };
    let fires: Vec<_> = claims
        .into_iter()
        .flat_map(|claim| claim.entries.iter().map(move |entry| fire(claim, entry)))
        .collect();
    json(&fires)
}

pub(super) async fn claim(
    connection: &mut Connection<'_>,
    sql: &Statements,
    status: &StatusColumn,
    node: &str,
    claims: &[Claim],
) -> Result<Vec<Verdict>, sqlx::Error> {
    let tasks = lock_tasks(connection, sql, claims).await?;
    // Who does not hold the task leaves alone what waits for it: locked by us, it would seem gone to who does.
    let is_ours = |claim: &&Claim| !tasks.elsewhere.contains(&claim.task_id);
    let ours: Vec<&Claim> = claims.iter().filter(is_ours).collect();
    let waiting = lock_what_waits(connection, sql, &ours).await?;
    let judged: Vec<Result<(), Refusal>> = claims
        .iter()
        .map(|claim| {
            if tasks.elsewhere.contains(&claim.task_id) {
                return Err(Refusal::Locked);
            }
            judge(claim, tasks.locked.get(&claim.task_id), waiting.has(claim))
        })
        .collect();
    let accepted: Vec<&Claim> = claims
        .iter()
        .zip(&judged)
        .filter(|(_, judged)| judged.is_ok())
        .map(|(claim, _)| claim)
        .collect();
    let mut own = HashMap::new();
    if !accepted.is_empty() {
        let fires = fires(accepted.iter().copied());
        connection.execute(sql.insert_executions, &[node.into(), (&fires).into()]).await?;
        own = read_back(connection, sql, &fires).await?;
    }
    let verdicts: Vec<Verdict> =
        claims.iter().zip(judged).map(|(claim, judged)| verdict(claim, judged, &own)).collect();
    let is_own = |entry: &Entry| own.contains_key(&*entry.trace_id);
    let is_taken =
        |claim: &&Claim| claim.origin == Origin::Schedule && !claim.entries.iter().all(is_own);
    let taken: Vec<&Claim> = accepted.into_iter().filter(is_taken).collect();
    if !taken.is_empty() {
        connection.execute(sql.become_fires, &[(&fires(taken)).into()]).await?;
    }
    let won =
        || claims.iter().zip(&verdicts).filter(|(_, verdict)| matches!(verdict, Verdict::Won(_)));
    let doing = won().filter(|(claim, _)| claim.run().is_some()).map(|(claim, _)| claim.task_id);
    let doing = in_lock_order(doing);
    if !doing.is_empty() {
        status.write(connection, sql.set_doing, &json(&doing)).await?;
    }
    let served = in_lock_order(won().filter_map(|(claim, _)| request_of(claim)));
    if !served.is_empty() {
        connection.execute(sql.delete_requests, &[(&json(&served)).into()]).await?;
    }
    let retried: Vec<&Claim> =
        won().map(|(claim, _)| claim).filter(|claim| is_retry(claim)).collect();
    if !retried.is_empty() {
        connection.execute(sql.delete_retries, &[(&fires(retried)).into()]).await?;
    }
    Ok(verdicts)
}

fn verdict(
    claim: &Claim,
    judged: Result<(), Refusal>,
    own: &HashMap<String, (ExecutionId, bool)>,
) -> Verdict {
    if let Err(refusal) = judged {
        return Verdict::Refused(refusal);
    }
    // The entry that matters is the newest: an older one can only collide with a manual run of its very
    // millisecond, which became its fire.
    match claim.entries.last() {
        Some(entry) => match own.get(&*entry.trace_id) {
            Some((id, _)) => Verdict::Won((entry.status == Status::Todo).then_some(*id)),
            // Only somebody by hand can have written the row of a retry: then it waits no longer.
            None if is_retry(claim) => Verdict::Won(None),
            None => Verdict::Refused(Refusal::Accounted(entry.scheduled_at)),
        },
        None => Verdict::Won(None),
    }
}

/// What stands at the batch's fires, by trace id: the execution, and whether it is still open.
async fn read_back(
    connection: &mut Connection<'_>,
    sql: &Statements,
    fires: &str,
) -> Result<HashMap<String, (ExecutionId, bool)>, sqlx::Error> {
    let rows = connection.fetch(sql.read_back, &[Bind::Text(fires)]).await?;
    let own = rows.into_iter().filter_map(|row| {
        let id = row[0].int()?;
        Some((row[1].to_lossy(), (id, row[2].to_lossy() == Status::Todo.as_str())))
    });
    Ok(own.collect())
}

pub(super) async fn settle(
    connection: &mut Connection<'_>,
    sql: &Statements,
    claims: &[Claim],
) -> Result<Vec<Settled>, sqlx::Error> {
    // The transaction of unknown fate may still be under way in the server. It holds the rows of its tasks, so
    // whoever has them knows how it ended.
    let tasks = in_lock_order(claims.iter().map(|claim| claim.task_id));
    let elsewhere = try_lock_tasks(connection, sql, &tasks).await?.elsewhere;
    let own = read_back(connection, sql, &fires(claims)).await?;
    let settled = claims.iter().map(|claim| {
        if elsewhere.contains(&claim.task_id) {
            return Settled::Locked;
        }
        let written = claim.entries.last().and_then(|entry| own.get(&*entry.trace_id));
        written
            .map_or(Settled::NotWritten, |(id, is_open)| Settled::Written(is_open.then_some(*id)))
    });
    Ok(settled.collect())
}

struct Tasks {
    locked: HashMap<TaskId, LockedTask>,
    elsewhere: HashSet<TaskId>,
}

async fn lock_tasks(
    connection: &mut Connection<'_>,
    sql: &Statements,
    claims: &[Claim],
) -> Result<Tasks, sqlx::Error> {
    let ids = in_lock_order(claims.iter().map(|claim| claim.task_id));
    let super::Locked { rows, elsewhere } = try_lock_tasks(connection, sql, &ids).await?;
    // Statements of their own, after the lock: they must see what the one before us committed.
    let cursors = read_cursors(connection, sql, &ids).await?;
    let counted = claims.iter().filter(|claim| claim.limit.is_some());
    let open = count_open(connection, sql, counted.map(|claim| claim.task_id)).await?;
    let locked = rows.into_iter().map(|(id, row)| {
        let task = LockedTask {
            is_enabled: row[1].int() == Some(1),
            spec: row[3].to_lossy(),
            updated_at: from_secs(&row[4]),
            last_accounted: cursors.get(&id).copied(),
            open: open.get(&id).copied().unwrap_or(0),
        };
        (id, task)
    });
    Ok(Tasks { locked: locked.collect(), elsewhere })
}

async fn count_open(
    connection: &mut Connection<'_>,
    sql: &Statements,
    tasks: impl Iterator<Item = TaskId>,
) -> Result<HashMap<TaskId, u32>, sqlx::Error> {
    let ids = in_lock_order(tasks);
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = connection.fetch(sql.count_open, &[(&json(&ids)).into()]).await?;
    let count = |cell: &super::Cell| cell.int().and_then(|count| u32::try_from(count).ok());
    Ok(rows.iter().filter_map(|row| Some((row[0].int()?, count(&row[1])?))).collect())
}

/// The manual runs and retries of a batch that still wait, locked.
#[derive(Default)]
struct Waiting {
    requests: HashSet<RequestId>,
    /// Task, instant in epoch milliseconds, attempt.
    retries: HashSet<(TaskId, i64, i64)>,
}

impl Waiting {
    fn has(&self, claim: &Claim) -> bool {
        match (claim.origin, claim.entries.last()) {
            (Origin::Request(id), _) => self.requests.contains(&id),
            (Origin::Retry, Some(entry)) => {
                let fire = (claim.task_id, epoch_ms(entry.scheduled_at), i64::from(entry.attempt));
                self.retries.contains(&fire)
            }
            (Origin::Retry, None) | (Origin::Schedule, _) => false,
        }
    }
}

async fn lock_what_waits(
    connection: &mut Connection<'_>,
    sql: &Statements,
    claims: &[&Claim],
) -> Result<Waiting, sqlx::Error> {
    let mut waiting = Waiting::default();
    let ids = in_lock_order(claims.iter().copied().filter_map(request_of));
    if !ids.is_empty() {
        let rows = connection.fetch(sql.lock_requests, &[(&json(&ids)).into()]).await?;
        waiting.requests = rows.iter().filter_map(|row| row[0].int()).collect();
    }
    let retries: Vec<&Claim> = claims.iter().copied().filter(|claim| is_retry(claim)).collect();
    if !retries.is_empty() {
        let rows = connection.fetch(sql.lock_retries, &[(&fires(retries)).into()]).await?;
        let fire = |row: &Vec<super::Cell>| Some((row[0].int()?, row[1].int()?, row[2].int()?));
        waiting.retries = rows.iter().filter_map(fire).collect();
    }
    Ok(waiting)
}

fn request_of(claim: &Claim) -> Option<RequestId> {
    match claim.origin {
        Origin::Request(id) => Some(id),
        Origin::Schedule | Origin::Retry => None,
    }
}

fn is_retry(claim: &Claim) -> bool {
    claim.origin == Origin::Retry
}
