//! The SQL stores: the algorithms once, the texts once per dialect.
//!
//! ```text
//!   claim   lock tasks ─▶ read cursors ─▶ judge ─▶ insert ─▶ read back ─▶ set doing ─▶ COMMIT
//!   record  lock tasks ─▶ lock executions ─▶ write outcomes ─▶ release tasks ─▶ COMMIT
//!   reap    find dead ─▶ lock tasks ─▶ find dead again ─▶ mark lost ─▶ release tasks ─▶ COMMIT
//! ```
//!
//! Everybody locks tasks before executions, each in id order, so the three cannot deadlock among themselves;
//! what a database reports as a deadlock all the same is rolled back and tried again with jitter. Rows that a
//! stranger holds are passed over; where they cannot be, a batch waits 1 s and is then tried in parts.

use std::{
    collections::{HashMap, HashSet},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use backon::{ExponentialBuilder, Retryable as _};
use chrono::{DateTime, Utc};

#[cfg(any(test, feature = "testing"))]
pub(super) use self::migrate::NEWEST;
use self::{
    connection::{Cell, Connection, Pools},
    statements::Statements,
    status::StatusColumn,
};
use super::StoreError;
use crate::plan::task::{LONGEST_ARGS, LONGEST_EXTRA, LONGEST_NAME, TaskId, TaskRow};

mod alarms;
mod claiming;
pub(super) mod connection;
mod desk;
mod listing;
mod migrate;
pub(super) mod mysql;
mod pauses;
mod pruning;
mod reaping;
mod recording;
mod schedule;
mod sessions;
mod sqlite;
mod statements;
mod status;
#[cfg(feature = "testing")]
mod testing;

/// A store on SQLite, MySQL or MariaDB.
pub struct SqlStore {
    pools: Pools,
    sql: &'static Statements,
    database: String,
    deadline: Duration,
    status: StatusColumn,
}

impl std::fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqlStore").field("database", &self.database).finish_non_exhaustive()
    }
}

/// Runs `$attempt` as often as `$retry` says it is worth it, within the store's deadline. It borrows the store, and the
/// flag that its connection sets while it commits.
macro_rules! within_deadline {
    ($store:expr, $operation:literal, $retry:expr, ($from:ident, $committing:ident) => $attempt:block) => {{
        let $from: &$crate::store::sql::SqlStore = $store;
        let $committing = &std::sync::atomic::AtomicBool::new(false);
        $from.within_deadline($operation, $committing, $retry, || async $attempt).await
    }};
}

/// Runs `$body` in a transaction, as often as somebody else was faster, within the store's deadline.
/// `$body` borrows the connection and yields `Result<T, sqlx::Error>`.
macro_rules! write_transaction {
    ($store:expr, $operation:literal, $connection:ident => $body:expr) => {
        write_transaction!($store, $operation, $crate::store::sql::connection::is_worth_a_retry, $connection => $body)
    };
    ($store:expr, $operation:literal, $retry:expr, $connection:ident => $body:expr) => {
        $crate::store::sql::within_deadline!(
            $store,
            $operation,
            $retry,
            (store, committing) => {
                let mut $connection = store.pools.begin(store.sql.begin, committing).await?;
                let result = $body.await;
                $connection.finish(result).await
            }
        )
    };
}

/// Runs one statement that writes, within the store's deadline: what must not fail while the database is slow takes one
/// exchange, not the three of a transaction.
macro_rules! write_alone {
    ($store:expr, $operation:literal, $sql:expr, $binds:expr) => {
        $crate::store::sql::within_deadline!(
            $store,
            $operation,
            $crate::store::sql::connection::is_worth_a_retry,
            (store, committing) => {
                store.pools.writer(committing).await?.execute_alone($sql, $binds).await
            }
        )
    };
}

/// Runs `$body` on a connection for reading, within the store's deadline.
macro_rules! read_only {
    ($store:expr, $operation:literal, $connection:ident => $body:expr) => {
        $crate::store::sql::within_deadline!(
            $store,
            $operation,
            $crate::store::sql::connection::is_worth_a_retry,
            (store, committing) => {
                let mut $connection = store.pools.reader(committing).await?;
                let result = $body.await;
                $connection.give_back(result)
            }
        )
    };
}

use read_only;
use within_deadline;
use write_alone;
use write_transaction;

impl SqlStore {
    fn new(pools: Pools, sql: &'static Statements, database: String, deadline: Duration) -> Self {
        Self { pools, sql, database, deadline, status: StatusColumn::default() }
    }

    async fn within_deadline<T, F, A>(
        &self,
        operation: &'static str,
        committing: &AtomicBool,
        is_worth_a_retry: fn(&sqlx::Error) -> bool,
        attempt: F,
    ) -> Result<T, StoreError>
    where
        F: FnMut() -> A,
        A: Future<Output = Result<T, sqlx::Error>>,
    {
        let patience = ExponentialBuilder::new()
            .with_min_delay(Duration::from_millis(10))
            .with_max_delay(Duration::from_millis(200))
            .without_max_times()
            .with_jitter();
        // A connection that breaks is replaced at once, once: the fire must not wait until its task's turn comes again.
        let was_broken = AtomicBool::new(false);
        let is_replaced = |error: &sqlx::Error| {
            connection::is_broken(error)
                && !committing.load(Ordering::Relaxed)
                && !was_broken.swap(true, Ordering::Relaxed)
        };
        let retried =
            attempt.retry(patience).when(|error| is_worth_a_retry(error) || is_replaced(error));
        match tokio::time::timeout(self.deadline, retried).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(source)) if committing.load(Ordering::Relaxed) => {
                Err(StoreError::CommitUnknown { operation, source: Some(source) })
            }
            Ok(Err(source)) => Err(StoreError::Query { operation, source }),
            Err(_) if committing.load(Ordering::Relaxed) => {
                Err(StoreError::CommitUnknown { operation, source: None })
            }
            Err(_) => Err(StoreError::Deadline { operation, after: self.deadline }),
        }
    }
}

/// A batch as one JSON text.
fn json(values: &impl serde::Serialize) -> String {
    serde_json::to_string(values).expect("numbers and strings always serialise")
}

fn epoch_ms(instant: DateTime<Utc>) -> i64 {
    instant.timestamp_millis()
}

fn from_ms(cell: &Cell) -> Option<DateTime<Utc>> {
    cell.int().and_then(DateTime::from_timestamp_millis)
}

/// The original's timestamps; MySQL's zero date reads as 0, which is no instant.
fn from_secs(cell: &Cell) -> Option<DateTime<Utc>> {
    cell.int().filter(|secs| *secs != 0).and_then(|secs| DateTime::from_timestamp(secs, 0))
}

/// Reads the columns of `read_tasks`.
fn task_row(cells: Vec<Cell>) -> TaskRow {
    let mut cells = cells.into_iter();
    let mut next = || cells.next().unwrap_or(Cell::Null);
    // One character beyond a limit shows that it is exceeded.
    TaskRow {
        id: next().int().unwrap_or_default(),
        task_key: next().into_text_of(LONGEST_NAME + 1),
        description: next().into_text_of(LONGEST_NAME + 1),
        execute_func: next().into_text_of(LONGEST_NAME + 1),
        trigger: next().into_text_of(LONGEST_NAME + 1),
        spec: next().into_text_of(LONGEST_NAME + 1),
        args: next().into_text_of(LONGEST_ARGS + 1),
        is_valid: next().into_text_of(LONGEST_NAME + 1),
        status: next().into_text_of(LONGEST_NAME + 1),
        extra: next().into_text_of(LONGEST_EXTRA + 1),
        created_at: from_secs(&next()),
        updated_at: from_secs(&next()),
    }
}

/// Ids, each once, in the order in which everybody locks.
fn in_lock_order(ids: impl IntoIterator<Item = i64>) -> Vec<i64> {
    let mut ids: Vec<i64> = ids.into_iter().collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The rows of `task` that could be locked, and those that exist but are locked by somebody else.
struct Locked {
    rows: HashMap<TaskId, Vec<Cell>>,
    elsewhere: HashSet<TaskId>,
}

/// Locks tasks, in lock order, without waiting for anybody.
async fn try_lock_tasks(
    connection: &mut Connection<'_>,
    sql: &Statements,
    ids: &[TaskId],
) -> Result<Locked, sqlx::Error> {
    let rows = connection.fetch(sql.try_lock_tasks, &[(&json(&ids)).into()]).await?;
    let rows: HashMap<TaskId, Vec<Cell>> =
        rows.into_iter().filter_map(|row| Some((row[0].int()?, row))).collect();
    let absent: Vec<TaskId> = ids.iter().copied().filter(|id| !rows.contains_key(id)).collect();
    let mut elsewhere = HashSet::new();
    if !absent.is_empty() {
        let existing = connection.fetch(sql.existing_tasks, &[(&json(&absent)).into()]).await?;
        elsewhere.extend(existing.iter().filter_map(|row| row[0].int()));
    }
    Ok(Locked { rows, elsewhere })
}

async fn read_cursors(
    connection: &mut Connection<'_>,
    sql: &Statements,
    tasks: &[TaskId],
) -> Result<HashMap<TaskId, DateTime<Utc>>, sqlx::Error> {
    let rows = connection.fetch(sql.read_cursors, &[(&json(&tasks)).into()]).await?;
    Ok(rows.iter().filter_map(|row| Some((row[0].int()?, from_ms(&row[1])?))).collect())
}
