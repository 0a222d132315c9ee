//! Tasks that are off for a while.

use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Author, StoreError, Version};
use crate::plan::task::TaskId;

/// How a task is to be off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// From then on, by the database's clock, it is on again; `None`: when somebody switches it on.
    pub until: Option<DateTime<Utc>>,
    /// Why, at most 255 characters.
    pub reason: String,
}

/// A task that is off for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PauseRow {
    /// The task.
    pub task_id: TaskId,
    /// Since when.
    pub paused_at: DateTime<Utc>,
    /// Until when, and why.
    pub pause: Pause,
    /// Who wanted it.
    pub author: String,
}

/// What is asked of the table of pauses. Whoever switches a task on or off, or deletes it, ends its pause.
#[async_trait]
pub trait Pauses: Debug + Send + Sync {
    /// Switches a task off for a while in the name of `author`, if it still is of `version`, where one is given. One that is
    /// off already is so from now on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] and [`StoreError::Edited`].
    async fn pause_as(
        &self,
        task: TaskId,
        version: Option<&Version>,
        pause: &Pause,
        author: &Author,
    ) -> Result<(), StoreError>;

    /// Those of these tasks that are off for a while, by id.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn pauses(&self, tasks: &[TaskId]) -> Result<Vec<PauseRow>, StoreError>;

    /// The tasks that are off for a while, by id, `limit` at most.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn paused(&self, limit: u32) -> Result<Vec<TaskId>, StoreError>;

    /// Switches the tasks on whose pause is over, in the name of the program; which these are. Those that somebody holds are
    /// left for the next time.
    ///
    /// # Errors
    /// When the transaction failed as a whole.
    async fn resume_due(&self) -> Result<Vec<TaskId>, StoreError>;
}

/// How many tasks are switched on in one call.
pub(super) const RESUMED: usize = 50;
