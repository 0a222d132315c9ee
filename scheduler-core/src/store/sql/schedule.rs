//! [`Store`] on SQL: the short calls here, the long ones in files of their own.

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{
    SqlStore, claiming,
    connection::{Cell, Connection, is_worth_the_same_batch},
    from_ms, json, pruning, read_cursors, read_only,
    reaping::{self, Search},
    recording,
    statements::Statements,
    task_row, write_alone, write_transaction,
};
use crate::{
    plan::{
        claim::{Claim, Origin, Request, Verdict},
        difference::{Lately, Scope},
        execution::{ExecutionId, LogPart, Noted, Outcome, Recorded, args_of},
        node::{
            Cancel, MOST_MANUAL, MOST_OF_ONE_TASK, MOST_REQUESTS, Reading, Reaped, Settled, are_all,
        },
        notes::in_ascii,
        task::{TaskId, TaskRow},
    },
    store::{Connections, EditId, PRUNED, Pruned, Store, StoreError},
};

/// Rows of `task` in one statement. A reading of many tasks is made of several, each seeing what is committed
/// when it begins; a row that is edited in between is seen as of one moment all the same.
const PAGE: i64 = 10_000;

/// So many rows are made of what was read before others on the thread have their turn: about a millisecond.
const AT_ONCE: usize = 250;

/// Tasks asked about in one statement.
const CHUNK: usize = 10_000;

/// Runs whose notes are written in one transaction: 8 KiB each, well below the 16 MiB of a packet.
const NOTED: usize = 500;

/// Tasks that are reaped one by one in one turn, after they could not be reaped together.
const ONE_BY_ONE: usize = 100;

#[derive(Serialize)]
struct LogPartJson<'a> {
    execution_id: ExecutionId,
    part: u32,
    content: &'a str,
}

/// In the order in which everybody locks.
fn log_rows(parts: &[LogPart]) -> Vec<LogPartJson<'_>> {
    let row =
        |&LogPart { execution_id, part, ref content }| LogPartJson { execution_id, part, content };
    let mut rows: Vec<_> = parts.iter().map(row).collect();
    rows.sort_unstable_by_key(|row| (row.execution_id, row.part));
    rows
}

impl SqlStore {
    /// All rows of `task`, in id order.
    pub(super) async fn read_rows(&self) -> Result<Vec<TaskRow>, StoreError> {
        let mut rows: Vec<TaskRow> = Vec::new();
        loop {
            let after = rows.last().map_or(i64::MIN, |row| row.id);
            let page = read_only!(self, "reading the tables", connection => async {
                let rows = connection.fetch(self.sql.read_tasks, &[after.into(), PAGE.into()]).await?;
                Ok(rows)
            })?;
            let is_last = i64::try_from(page.len()).is_ok_and(|len| len < PAGE);
            for (number, row) in page.into_iter().enumerate() {
                rows.push(task_row(row));
                if number % AT_ONCE == 0 {
                    tokio::task::yield_now().await;
                }
            }
            if is_last {
                return Ok(rows);
            }
        }
    }

    /// What may be news, in id order; `None`: it is too much, or not all that there is.
    async fn read_lately(&self, lately: &Lately) -> Result<Option<Vec<TaskRow>>, StoreError> {
        let Lately { within, beyond, also, .. } = lately;
        let seconds = i64::try_from(within.as_secs()).unwrap_or(i64::MAX).saturating_add(1);
        let also = json(also);
        let binds = [seconds.into(), (*beyond).into(), (&also).into(), PAGE.into()];
        let (rows, count) = read_only!(self, "reading what was edited", connection => async {
            let rows = connection.fetch(self.sql.read_edited, &binds).await?;
            let count = connection.fetch(self.sql.count_tasks, &[]).await?;
            Ok((rows, count))
        })?;
        let is_part = i64::try_from(rows.len()).is_ok_and(|len| len < PAGE);
        let rows: Vec<TaskRow> = rows.into_iter().map(task_row).collect();
        let count = count.first().and_then(|row| usize::try_from(row[0].int()?).ok());
        let is_explained = count.is_some_and(|count| lately.explains(&rows, count));
        Ok(Some(rows).filter(|_| is_part && is_explained))
    }

    async fn note_once(&self, notes: &[Noted]) -> Result<(), StoreError> {
        write_transaction!(self, "noting", connection => recording::note(&mut connection, self.sql, notes))
    }

    async fn reap_once(&self, search: Search<'_>) -> Result<Reaped, StoreError> {
        write_transaction!(self, "looking for dead nodes", is_worth_the_same_batch, connection =>
            reaping::reap(&mut connection, self.sql, &self.status, search))
    }

    /// What some tasks refuse is said only where all of them do: the others are done.
    async fn reap_one_by_one(&self, search: Search<'_>) -> Result<Reaped, StoreError> {
        let tasks = read_only!(self, "looking for dead nodes", connection =>
            reaping::tasks_to_reap(&mut connection, self.sql, search))?;
        let mut all = Reaped::default();
        let mut refused = None;
        let mut is_any_done = false;
        for task in tasks.into_iter().take(ONE_BY_ONE) {
            match self.reap_once(Search { only: Some(task), ..search }).await {
                Ok(reaped) => {
                    is_any_done = true;
                    all.lost.extend(reaped.lost);
                    all.healed.extend(reaped.healed);
                }
                Err(error) => refused = Some(error),
            }
        }
        refused.filter(|_| !is_any_done).map_or(Ok(all), Err)
    }
}

/// Reads the columns of `read_requests`, or names the row.
pub(super) fn request(row: &[Cell]) -> Result<Request, String> {
    let read = || {
        Some(Request {
            origin: Origin::Request(row[0].int()?),
            task_id: row[1].int()?,
            scheduled_at: from_ms(&row[2])?,
            attempt: 1,
            due_at: DateTime::UNIX_EPOCH,
            args: match &row[3] {
                Cell::Null => None,
                args => Some(args.clone().into_text().ok()?.into()),
            },
        })
    };
    let columns = ["id", "task_id", "requested_at"];
    read().ok_or_else(|| unreadable("scheduler_request", &columns, row))
}

/// Reads the columns of `read_retries`, or names the row.
pub(super) fn retry(row: &[Cell]) -> Result<Request, String> {
    let read = || {
        Some(Request {
            origin: Origin::Retry,
            task_id: row[0].int()?,
            scheduled_at: from_ms(&row[1])?,
            attempt: u32::try_from(row[2].int()?).ok()?,
            due_at: from_ms_or_nearest(&row[3])?,
            args: args_of(&row[4].to_lossy()),
        })
    };
    let columns = ["task_id", "scheduled_at", "attempt", "due_at"];
    read().ok_or_else(|| unreadable("scheduler_retry", &columns, row))
}

/// The instant; beyond all time the first or last that there is.
fn from_ms_or_nearest(cell: &Cell) -> Option<DateTime<Utc>> {
    let nearest = if cell.int()? < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
    Some(from_ms(cell).unwrap_or(nearest))
}

/// The longest value that is shown of a row which cannot be read, in characters.
const SHOWN: usize = 40;

fn unreadable(table: &str, columns: &[&str], row: &[Cell]) -> String {
    let shown = |cell: &Cell| cell.to_lossy().chars().take(SHOWN).collect::<String>();
    let named = columns.iter().zip(row).map(|(column, cell)| format!("{column} {}", shown(cell)));
    let named = named.collect::<Vec<_>>().join(", ");
    let wanted = "expected milliseconds of an instant, args in UTF-8, and of a retry an attempt of 0 or more";
    format!("row of {table} with {named}: {wanted}")
}

fn adopted_at(rows: &[Vec<Cell>]) -> DateTime<Utc> {
    rows.first().and_then(|row| from_ms(&row[0])).unwrap_or(DateTime::UNIX_EPOCH)
}

fn node(row: Vec<Cell>) -> Option<(String, Duration)> {
    let silent_ms = row[1].int()?;
    // One whose row was written after the statement's clock was read is silent for less than nothing.
    let silent_for = Duration::from_millis(u64::try_from(silent_ms).unwrap_or(0));
    Some((row[0].clone().into_text().ok()?, silent_for))
}

/// How many wishes to end a run a reading brings; the others come when these are obeyed.
const MOST_CANCELS: i64 = 1_000;

/// From `execution_id, author`.
fn cancel(row: &[Cell]) -> Option<Cancel> {
    Some(Cancel { execution_id: row[0].int()?, author: row[1].to_lossy() })
}

/// Wishes to end what is open.
pub(super) async fn cancels(
    connection: &mut Connection<'_>,
    sql: &Statements,
) -> Result<Vec<Cancel>, sqlx::Error> {
    let rows = connection.fetch(sql.read_cancels, &[MOST_CANCELS.into()]).await?;
    Ok(rows.iter().filter_map(|row| cancel(row)).collect())
}

#[async_trait]
impl Store for SqlStore {
    async fn migrate(&self) -> Result<(), StoreError> {
        self.run_migrations().await
    }

    async fn check_schema(&self) -> Result<(), StoreError> {
        self.check_tables().await
    }

    async fn read_of(&self, scope: &Scope) -> Result<Reading, StoreError> {
        let mut reading = read_only!(self, "reading the requests", connection => async {
            let [of_one, most, manual] = [MOST_OF_ONE_TASK, MOST_REQUESTS, MOST_MANUAL].map(|most| i64::try_from(most).unwrap_or(i64::MAX));
            let requests = connection.fetch(self.sql.read_requests, &[manual.into()]).await?;
            let adopted = connection.fetch(self.sql.read_meta, &["adopted_at".into()]).await?;
            let retries = connection.fetch(self.sql.read_retries, &[of_one.into(), most.into()]).await?;
            let mut unreadable = Vec::new();
            let mut readable = |row: Result<Request, String>| row.map_err(|named| unreadable.push(named)).ok();
            let is_all_manual = requests.len() < MOST_MANUAL;
            let mut requests: Vec<Request> = requests.iter().filter_map(|row| readable(request(row))).collect();
            let retries: Vec<Request> = retries.iter().filter_map(|row| readable(retry(row))).collect();
            let is_whole = is_all_manual && are_all(&retries) && unreadable.is_empty();
            requests.extend(retries);
            let adopted_at = adopted_at(&adopted);
            let nodes = connection.fetch(self.sql.read_nodes, &[]).await?.into_iter().filter_map(node).collect();
            let cancels = cancels(&mut connection, self.sql).await?;
            Ok(Reading { requests, is_whole, unreadable, adopted_at, nodes, cancels, ..Reading::default() })
        })?;
        let lately = match scope {
            Scope::All => None,
            Scope::Edited(lately) => self.read_lately(lately).await?,
        };
        reading.shows_all = lately.is_none();
        reading.rows = match lately {
            Some(rows) => rows,
            None => self.read_rows().await?,
        };
        Ok(reading)
    }

    async fn cursors(
        &self,
        tasks: &[TaskId],
    ) -> Result<HashMap<TaskId, DateTime<Utc>>, StoreError> {
        let mut cursors = HashMap::with_capacity(tasks.len());
        for chunk in tasks.chunks(CHUNK) {
            cursors.extend(read_only!(self, "reading the last fires", connection =>
                read_cursors(&mut connection, self.sql, chunk))?);
        }
        Ok(cursors)
    }

    async fn claim(&self, node: &str, claims: &[Claim]) -> Result<Vec<Verdict>, StoreError> {
        write_transaction!(self, "claiming", is_worth_the_same_batch, connection =>
            claiming::claim(&mut connection, self.sql, &self.status, node, claims))
    }

    async fn settle(&self, claims: &[Claim]) -> Result<Vec<Settled>, StoreError> {
        write_transaction!(self, "settling a claim", connection => claiming::settle(&mut connection, self.sql, claims))
    }

    async fn record(&self, outcomes: &[Outcome]) -> Result<Vec<Recorded>, StoreError> {
        write_transaction!(self, "recording", is_worth_the_same_batch, connection =>
            recording::record(&mut connection, self.sql, &self.status, outcomes))
    }

    async fn adopted_at(&self) -> Result<DateTime<Utc>, StoreError> {
        let rows = read_only!(self, "asking when the tables were made", connection =>
            connection.fetch(self.sql.read_meta, &["adopted_at".into()]))?;
        Ok(adopted_at(&rows))
    }

    async fn was_made_new(&self) -> Result<bool, StoreError> {
        let rows = read_only!(self, "asking whether the tables were made new", connection =>
            connection.fetch(self.sql.read_meta, &["made_new".into()]))?;
        Ok(!rows.is_empty())
    }

    async fn prune_logs(
        &self,
        cutoff: DateTime<Utc>,
        after: ExecutionId,
    ) -> Result<Pruned<ExecutionId>, StoreError> {
        write_transaction!(self, "removing what runs logged", connection =>
            pruning::prune_logs(&mut connection, self.sql, cutoff, after))
    }

    async fn prune_edits(
        &self,
        cutoff: DateTime<Utc>,
        after: EditId,
    ) -> Result<Pruned<EditId>, StoreError> {
        write_transaction!(self, "removing old edits", connection =>
            pruning::prune_edits(&mut connection, self.sql, cutoff, after))
    }

    async fn prune_older(
        &self,
        cutoff: DateTime<Utc>,
        after: ExecutionId,
    ) -> Result<Pruned<ExecutionId>, StoreError> {
        write_transaction!(self, "removing old executions", connection =>
            pruning::prune_older(&mut connection, self.sql, cutoff, after))
    }

    async fn prune_beyond(&self, most: u32, after: TaskId) -> Result<Pruned<TaskId>, StoreError> {
        let found = read_only!(self, "looking for tasks with many executions", connection =>
            pruning::crowded(&mut connection, self.sql, most, after))?;
        let (task, Some(instant)) = found else { return Ok(Pruned { removed: 0, next: found.0 }) };
        let task = task.unwrap_or(after);
        let removed = write_transaction!(self, "removing executions beyond max_per_task", connection =>
            pruning::prune_before(&mut connection, self.sql, task, instant))?;
        let is_done = removed < usize::try_from(PRUNED).unwrap_or(usize::MAX);
        Ok(Pruned { removed, next: Some(if is_done { task } else { task - 1 }) })
    }

    async fn append_log(&self, parts: &[LogPart]) -> Result<(), StoreError> {
        let rows = json(&log_rows(parts));
        write_alone!(self, "keeping what runs log", self.sql.append_log, &[(&rows).into()])
    }

    async fn note(&self, notes: &[Noted]) -> Result<(), StoreError> {
        for notes in notes.chunks(NOTED) {
            match self.note_once(notes).await {
                // The one thing that a table may refuse: characters beyond its set.
                Err(StoreError::Query { .. }) => {
                    let ascii =
                        |noted: &Noted| Noted { extra: in_ascii(&noted.extra), ..noted.clone() };
                    let notes: Vec<Noted> = notes.iter().map(ascii).collect();
                    self.note_once(&notes).await?;
                }
                result => result?,
            }
        }
        Ok(())
    }

    async fn renew(&self, node: &str) -> Result<(), StoreError> {
        write_alone!(self, "renewing the lease", self.sql.renew, &[node.into()])
    }

    async fn now(&self) -> Result<DateTime<Utc>, StoreError> {
        let rows = read_only!(self, "reading the database's clock", connection =>
            connection.fetch(self.sql.read_now, &[]))?;
        let micros = rows.first().and_then(|row| row[0].int()).unwrap_or_default();
        Ok(DateTime::from_timestamp_micros(micros).unwrap_or_default())
    }

    async fn leave(&self, node: &str) -> Result<(), StoreError> {
        write_alone!(self, "leaving", self.sql.leave, &[node.into()])
    }

    async fn reap(
        &self,
        node: &str,
        lease: Duration,
        until: DateTime<Utc>,
        suspects: &[TaskId],
    ) -> Result<Reaped, StoreError> {
        let search = Search { node, lease, until, suspects, only: None };
        match self.reap_once(search).await {
            // One row that cannot be written must not keep all the others from being looked after.
            Err(StoreError::Query { .. }) => self.reap_one_by_one(search).await,
            result => result,
        }
    }

    fn connections(&self) -> Connections {
        self.pools.connections()
    }

    async fn close(&self) {
        self.pools.close().await;
    }
}
