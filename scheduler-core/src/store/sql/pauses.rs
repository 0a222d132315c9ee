//! [`Pauses`] on SQL.

use std::collections::HashSet;

use async_trait::async_trait;

use super::{
    SqlStore,
    connection::{Bind, Cell},
    desk::{self, change_row, locked},
    epoch_ms, from_ms, in_lock_order, json, read_only, task_row, write_transaction,
};
use crate::{
    plan::task::{TaskId, TaskRow},
    store::{
        Author, EditAction, Pause, PauseRow, Pauses, StoreError, TaskChange, Version,
        pauses::RESUMED,
    },
};

#[async_trait]
impl Pauses for SqlStore {
    async fn pause_as(
        &self,
        task: TaskId,
        version: Option<&Version>,
        pause: &Pause,
        author: &Author,
    ) -> Result<(), StoreError> {
        let (until, name) = (pause.until.map(epoch_ms), author.kept_name());
        write_transaction!(self, "pausing a task", connection => async {
            let before = match locked(&mut connection, self.sql, task, version).await? {
                Ok(row) => row,
                Err(refused) => return Ok(Err(refused)),
            };
            desk::pause_row(&mut connection, self.sql, before, pause, author).await?;
            let binds: [Bind<'_>; 4] =
                [task.into(), until.into(), (&pause.reason).into(), (&name).into()];
            connection.execute(self.sql.put_pause, &binds).await?;
            Ok(Ok(()))
        })?
    }

    async fn pauses(&self, tasks: &[TaskId]) -> Result<Vec<PauseRow>, StoreError> {
        if tasks.is_empty() {
            return Ok(Vec::new());
        }
        let ids = json(&tasks);
        let rows = read_only!(self, "reading pauses", connection =>
            connection.fetch(self.sql.read_pauses, &[(&ids).into()]))?;
        Ok(rows.iter().filter_map(|row| pause_row(row)).collect())
    }

    async fn paused(&self, limit: u32) -> Result<Vec<TaskId>, StoreError> {
        let rows = read_only!(self, "listing pauses", connection =>
            connection.fetch(self.sql.list_pauses, &[i64::from(limit).into()]))?;
        Ok(rows.iter().filter_map(|row| row[0].int()).collect())
    }

    async fn resume_due(&self) -> Result<Vec<TaskId>, StoreError> {
        let most = i64::try_from(RESUMED).unwrap_or(i64::MAX);
        // As a rule there is none, and nothing is locked.
        let due = read_only!(self, "looking for pauses that are over", connection =>
            connection.fetch(self.sql.due_pauses, &[most.into()]))?;
        let due = in_lock_order(due.iter().filter_map(|row| row[0].int()));
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let ids = json(&due);
        write_transaction!(self, "ending pauses", connection => async {
            let rows = connection.fetch(self.sql.try_lock_rows, &[(&ids).into()]).await?;
            let rows: Vec<TaskRow> = rows.into_iter().map(task_row).collect();
            // Somebody may have been faster, or has paused it anew: under the lock it is known.
            let due = connection.fetch(self.sql.due_pauses, &[most.into()]).await?;
            let due: HashSet<TaskId> = due.iter().filter_map(|row| row[0].int()).collect();
            let mut resumed = Vec::new();
            let mut over = Vec::new();
            let (on, author) = (TaskChange::enabled(true), Author::program());
            for before in rows.into_iter().filter(|row| due.contains(&row.id)) {
                let id = before.id;
                if change_row(&mut connection, self.sql, before, &on, &author, EditAction::Resume).await? {
                    resumed.push(id);
                }
                over.push(id);
            }
            let existing = connection.fetch(self.sql.existing_tasks, &[(&ids).into()]).await?;
            let existing: HashSet<TaskId> = existing.iter().filter_map(|row| row[0].int()).collect();
            // Those that were deleted by SQL.
            over.extend(due.iter().filter(|id| !existing.contains(id)));
            connection.execute(self.sql.drop_pauses, &[(&json(&over)).into()]).await?;
            Ok(resumed)
        })
    }
}

/// From `task_id, paused_at, until, reason, author`.
fn pause_row(row: &[Cell]) -> Option<PauseRow> {
    Some(PauseRow {
        task_id: row[0].int()?,
        paused_at: from_ms(&row[1])?,
        pause: Pause { until: from_ms(&row[2]), reason: row[3].to_lossy() },
        author: row[4].to_lossy(),
    })
}
