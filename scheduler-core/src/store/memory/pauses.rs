//! [`Pauses`] in memory.

use async_trait::async_trait;

use super::MemoryStore;
use crate::{
    plan::task::TaskId,
    store::{
        Author, EditAction, Pause, PauseRow, Pauses, StoreError, TaskChange, Version,
        pauses::RESUMED,
    },
};

#[async_trait]
impl Pauses for MemoryStore {
    async fn pause_as(
        &self,
        task: TaskId,
        version: Option<&Version>,
        pause: &Pause,
        author: &Author,
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let before = tables.row_of(task, version)?;
        tables.pause(before, pause, author)?;
        let (paused_at, author) = (tables.now, author.kept_name());
        let row = PauseRow { task_id: task, paused_at, pause: pause.clone(), author };
        tables.pauses.insert(task, row);
        Ok(())
    }

    async fn pauses(&self, tasks: &[TaskId]) -> Result<Vec<PauseRow>, StoreError> {
        let known = &self.tables().pauses;
        Ok(known.values().filter(|row| tasks.contains(&row.task_id)).cloned().collect())
    }

    async fn paused(&self, limit: u32) -> Result<Vec<TaskId>, StoreError> {
        Ok(self.tables().pauses.keys().copied().take(limit as usize).collect())
    }

    async fn resume_due(&self) -> Result<Vec<TaskId>, StoreError> {
        let mut tables = self.tables();
        let now = tables.now;
        let is_over = |row: &&PauseRow| row.pause.until.is_some_and(|until| until <= now);
        let over = tables.pauses.values().filter(is_over).map(|row| row.task_id);
        let over: Vec<TaskId> = over.take(RESUMED).collect();
        let mut resumed = Vec::new();
        for task in over {
            tables.pauses.remove(&task);
            let Ok(before) = tables.row_of(task, None) else { continue };
            let (on, author) = (TaskChange::enabled(true), Author::program());
            if tables.change(before, &on, &author, EditAction::Resume)? {
                resumed.push(task);
            }
        }
        Ok(resumed)
    }
}
