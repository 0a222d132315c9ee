//! Lists and counts of executions, however many there are.
//!
//! What is asked for is either frequent, and then found among the newest rows, or it is not, and then an index has few of it.

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

use super::{
    connection::{Bind, Cell, Connection},
    from_secs,
    statements::Statements,
};
use crate::{
    plan::execution::{ExecutionId, Status},
    store::{ExecutionFilter, OutcomeCount},
};

/// So many rows are looked through, newest first, before an index is asked.
const NEAR: i64 = 2_000;

/// Rows that are counted in one statement.
const COUNTED: i64 = 50_000;

pub(super) async fn executions(
    connection: &mut Connection<'_>,
    sql: &Statements,
    filter: ExecutionFilter,
) -> Result<Vec<Vec<Cell>>, sqlx::Error> {
    let first = match filter.since {
        Some(since) => first_of(connection, sql, next_second(since)).await?,
        None => 0,
    };
    let before = filter.before.unwrap_or(i64::MAX);
    let before = match filter.until {
        Some(until) => before.min(first_of(connection, sql, next_second(until)).await?),
        None => before,
    };
    let mut rows = newest_first(connection, sql, filter, (first, before)).await?;
    rows.retain(|row| row[0].int().is_some_and(|id| id >= first));
    Ok(rows)
}

/// Those from `first` on that stand before `before`, and maybe some that are older.
async fn newest_first(
    connection: &mut Connection<'_>,
    sql: &Statements,
    filter: ExecutionFilter,
    (first, before): (ExecutionId, ExecutionId),
) -> Result<Vec<Vec<Cell>>, sqlx::Error> {
    let ExecutionFilter { task_id, status, limit, .. } = filter;
    let limit = i64::from(limit);
    let is_near = match (task_id, status) {
        // They are few, and have an index of their own.
        (None, Some(Status::Todo)) => {
            return in_status(connection, sql, Status::Todo, before, limit).await;
        }
        // Those that succeed are most: sooner or later enough of them come.
        (None, None | Some(Status::Success)) => false,
        _ => true,
    };
    let newest = if is_near { newest(connection, sql, before).await? } else { 0 };
    let from = (newest - NEAR).max(first);
    let status_name = status.map(Status::as_str);
    let binds: [Bind<'_>; 7] = [
        task_id.into(),
        task_id.into(),
        status_name.into(),
        status_name.into(),
        from.into(),
        before.into(),
        limit.into(),
    ];
    let near = connection.fetch(sql.list_executions, &binds).await?;
    if from == first || i64::try_from(near.len()).is_ok_and(|len| len == limit) {
        return Ok(near);
    }
    match (task_id, status) {
        (Some(task), _) => {
            let binds: [Bind<'_>; 5] =
                [task.into(), status_name.into(), status_name.into(), before.into(), limit.into()];
            connection.fetch(sql.list_of_task, &binds).await
        }
        (None, Some(status)) => in_status(connection, sql, status, before, limit).await,
        (None, None) => Ok(near),
    }
}

async fn in_status(
    connection: &mut Connection<'_>,
    sql: &Statements,
    status: Status,
    before: ExecutionId,
    limit: i64,
) -> Result<Vec<Vec<Cell>>, sqlx::Error> {
    let binds: [Bind<'_>; 3] = [status.as_str().into(), before.into(), limit.into()];
    connection.fetch(sql.list_in_status, &binds).await
}

/// The newest before this one; 0: there is none.
async fn newest(
    connection: &mut Connection<'_>,
    sql: &Statements,
    before: ExecutionId,
) -> Result<ExecutionId, sqlx::Error> {
    let rows = connection.fetch(sql.newest_execution, &[before.into()]).await?;
    Ok(rows.first().and_then(|row| row[0].int()).unwrap_or(0))
}

/// Ids of executions in a row.
pub(super) struct Ids {
    first: ExecutionId,
    last: ExecutionId,
    /// When the first of them was created, or what was asked for.
    pub(super) since: DateTime<Utc>,
}

impl Ids {
    /// First and last of parts that one statement counts.
    pub(super) fn parts(&self) -> impl Iterator<Item = (ExecutionId, ExecutionId)> {
        let last = self.last;
        let first = std::iter::successors(Some(self.first), |first| first.checked_add(COUNTED));
        first
            .take_while(move |first| *first <= last)
            .map(move |first| (first, last.min(first + COUNTED - 1)))
    }
}

/// Those that were created from `since` on, the newest `most`: ids are given as rows are created.
pub(super) async fn ids_since(
    connection: &mut Connection<'_>,
    sql: &Statements,
    since: DateTime<Utc>,
    most: u32,
) -> Result<Ids, sqlx::Error> {
    let last = newest(connection, sql, i64::MAX).await?;
    let earliest = (last - i64::from(most) + 1).max(1);
    let first = first_since(connection, sql, since, (earliest, last + 1)).await?;
    let mut since = since;
    let is_cut = first == earliest && earliest > 1;
    if is_cut {
        let rows = connection.fetch(sql.read_created, &[earliest.into()]).await?;
        since = rows.first().and_then(|row| from_secs(&row[1])).unwrap_or(since).max(since);
    }
    Ok(Ids { first, last, since })
}

/// The first of these ids, the last left out, that was created from `since` on; the last, if none was.
async fn first_since(
    connection: &mut Connection<'_>,
    sql: &Statements,
    since: DateTime<Utc>,
    (mut low, mut high): (ExecutionId, ExecutionId),
) -> Result<ExecutionId, sqlx::Error> {
    while low < high {
        let middle = low.midpoint(high);
        let rows = connection.fetch(sql.read_created, &[middle.into()]).await?;
        let found = rows.first().and_then(|row| Some((row[0].int()?, from_secs(&row[1])?)));
        match found {
            Some((id, created_at)) if created_at < since => low = id + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// The first that was created from `since` on; the next that will be, if none was.
pub(super) async fn first_of(
    connection: &mut Connection<'_>,
    sql: &Statements,
    since: DateTime<Utc>,
) -> Result<ExecutionId, sqlx::Error> {
    let last = newest(connection, sql, i64::MAX).await?;
    first_since(connection, sql, since, (1, last + 1)).await
}

/// The whole second that `at` is, or the next: when an execution was created is written in such.
fn next_second(at: DateTime<Utc>) -> DateTime<Utc> {
    at.checked_add_signed(TimeDelta::nanoseconds(999_999_999))
        .map_or(at, |later| later.trunc_subsecs(0))
}

/// From hour since 1970, status and count.
pub(super) fn counted(row: &[Cell]) -> Option<OutcomeCount> {
    let hour = DateTime::UNIX_EPOCH.checked_add_signed(TimeDelta::try_hours(row[0].int()?)?)?;
    Some(OutcomeCount { hour, status: row[1].to_lossy(), count: row[2].int()?.try_into().ok()? })
}
