//! Keeps: the tables behind a contract that every store obeys.
//!
//! | who | asks |
//! |---|---|
//! | the scheduler ([`Store`]) | read, claim, settle, record, renew, reap: **batches**, one transaction each |
//! | people, by command line or page ([`Desk`]) | list, show, add, enable, edit, trigger, delete |
//!
//! What every store promises, and `conformance` checks:
//!
//! 1. A claim is won or refused as a whole, by [`claim::judge`] under the lock of the task's row. What is won is
//!    durable before the answer. No instant of a task is accounted twice, whoever asks, however often.
//! 2. Ownership is read back by trace id, never taken from a count of affected rows.
//! 3. A terminal execution never changes again. A task is set `ready` when nothing of it is open any more; where
//!    the column was written by hand, or a stranger's lock kept it from changing, [`Store::reap`] puts it right.
//! 4. Our own updates leave `update_at` alone: it means "last edited".
//! 5. A row that cannot be read as text is handed out as such and harms no other row.
//! 6. Every call ends within the deadline. [`StoreError::is_unknown`] tells whether something may have been
//!    written all the same.
//!
//! [`claim::judge`]: crate::plan::claim::judge

use std::{collections::HashMap, fmt::Debug, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::plan::{
    claim::{Claim, Verdict},
    difference::Scope,
    execution::{ExecutionId, LogPart, Noted, Outcome, Recorded},
    node::{Reading, Reaped, Settled},
    task::TaskId,
};

mod alarms;
mod card;
#[cfg(feature = "testing")]
pub mod conformance;
mod desk;
mod edits;
mod error;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
mod pauses;
mod sessions;
mod sql;

pub use crate::plan::execution::ExecutionRow;
pub use alarms::{AlarmFilter, AlarmId, AlarmRow, Alarms};
pub use card::NodeCard;
pub use desk::{
    Around, Desk, DeskTask, ExecutionFilter, FailingTask, NewTask, OutcomeCount, Outcomes,
    RecentRow, TaskSelection,
};
pub use edits::{Author, EditAction, EditFilter, EditId, EditRow, TaskChange, Version, Via};
pub use error::StoreError;
pub use pauses::{Pause, PauseRow, Pauses};
pub use sessions::{SessionRow, Sessions};
pub use sql::{SqlStore, mysql::MysqlPlace};

/// What the scheduler asks of the tables. See the module for what every implementation promises.
#[async_trait]
pub trait Store: Debug + Send + Sync {
    /// Brings the tables to the newest version; harmless when they are there already, also when a migration
    /// was interrupted. The first call adopts the database: instants before it are never accounted for.
    ///
    /// # Errors
    /// When the database refuses, or was migrated by a newer program.
    async fn migrate(&self) -> Result<(), StoreError>;

    /// Checks that the tables are fit to run on: migrated, and with the unique keys that decide who runs a
    /// fire.
    ///
    /// # Errors
    /// [`StoreError::Schema`] naming what is missing.
    async fn check_schema(&self) -> Result<(), StoreError>;

    /// All rows of `task` in id order, the waiting manual runs, and the instant of adoption.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn read(&self) -> Result<Reading, StoreError> {
        self.read_of(&Scope::All).await
    }

    /// The same with the rows of `scope` and perhaps others.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn read_of(&self, scope: &Scope) -> Result<Reading, StoreError>;

    /// The newest `scheduled_at` of each task's executions that were not manual; tasks without one are absent.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn cursors(&self, tasks: &[TaskId])
    -> Result<HashMap<TaskId, DateTime<Utc>>, StoreError>;

    /// Claims for `node`, in one transaction, at most one claim per task. One verdict per claim, in order.
    ///
    /// # Errors
    /// When the transaction failed as a whole.
    async fn claim(&self, node: &str, claims: &[Claim]) -> Result<Vec<Verdict>, StoreError>;

    /// What a claim whose answer never came has written, by its trace ids. The claim may still be under way: a row that
    /// somebody holds is [`Settled::Locked`], any other answer is final.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn settle(&self, claims: &[Claim]) -> Result<Vec<Settled>, StoreError>;

    /// Records outcomes in one transaction and sets tasks `ready` of which nothing is open any more. Per
    /// outcome, in order, what became of it.
    ///
    /// # Errors
    /// When the transaction failed as a whole; recording again is harmless.
    async fn record(&self, outcomes: &[Outcome]) -> Result<Vec<Recorded>, StoreError>;

    /// Writes the `extra` of open rows, into which running jobs have noted something. A row that is closed, or carries
    /// another trace id, stays as it is.
    ///
    /// # Errors
    /// When the transaction failed as a whole; noting again is harmless.
    async fn note(&self, notes: &[Noted]) -> Result<(), StoreError>;

    /// Keeps these parts of the logs of runs. A part that is there already stays as it is.
    ///
    /// # Errors
    /// When the transaction failed as a whole; keeping again is harmless.
    async fn append_log(&self, parts: &[LogPart]) -> Result<(), StoreError>;

    /// When this database was first migrated, in whole milliseconds: it tells two databases of one name apart.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn adopted_at(&self) -> Result<DateTime<Utc>, StoreError>;

    /// Whether the tables were empty when they were first migrated by a program that knew of retention.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn was_made_new(&self) -> Result<bool, StoreError>;

    /// Removes what runs logged that ended before `cutoff`, or whose executions are no more: of the [`PRUNED`] that follow
    /// upon `after` in the order of their ids.
    ///
    /// # Errors
    /// When the transaction failed as a whole.
    async fn prune_logs(
        &self,
        cutoff: DateTime<Utc>,
        after: ExecutionId,
    ) -> Result<Pruned<ExecutionId>, StoreError>;

    /// Removes edits before `cutoff` from the history: of the [`PRUNED`] that follow upon `after` in the order of their ids.
    /// The newest of each row that stands stays, runs left out: by it edits by others are noticed.
    ///
    /// # Errors
    /// When the transaction failed as a whole.
    async fn prune_edits(
        &self,
        cutoff: DateTime<Utc>,
        after: EditId,
    ) -> Result<Pruned<EditId>, StoreError>;

    /// Removes executions that ended before `cutoff`, and their logs: of the [`PRUNED`] that follow upon `after` in the
    /// order of their ids. What is open stays, and what is of the newest fire of a task, by which it is known what is
    /// accounted for, or has a next attempt that waits; and what somebody holds.
    ///
    /// # Errors
    /// When the transaction failed as a whole.
    async fn prune_older(
        &self,
        cutoff: DateTime<Utc>,
        after: ExecutionId,
    ) -> Result<Pruned<ExecutionId>, StoreError>;

    /// Of the first task after `after` that has more than `most` executions and a tenth, removes those of its oldest
    /// instants, [`PRUNED`] at most, so that `most` stay or a few more: all attempts at one instant stay or go. The same
    /// stay as with [`Self::prune_older`], and those without an instant. Goes on with the same task until it has no more than
    /// that.
    ///
    /// # Errors
    /// When the transaction failed as a whole.
    async fn prune_beyond(&self, most: u32, after: TaskId) -> Result<Pruned<TaskId>, StoreError>;

    /// Renews the lease of `node` by the database's clock.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn renew(&self, node: &str) -> Result<(), StoreError>;

    /// What the database's clock shows, by which leases are kept and fires are due.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn now(&self) -> Result<DateTime<Utc>, StoreError>;

    /// `node` is no longer among the living; it has nothing open any more. It is remembered for 30 days.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn leave(&self, node: &str) -> Result<(), StoreError>;

    /// Marks open executions `lost` whose node did not renew for `lease` by the database's clock; `node`, which
    /// asks, is alive whatever that clock says. By a clock that is later than `until` nobody is dead: the call was held up, or
    /// the clock was set, and the living had no time to renew. Sets
    /// `ready` their tasks and those of `suspects` that stand at `doing` with nothing open.
    ///
    /// # Errors
    /// When the transaction failed as a whole.
    async fn reap(
        &self,
        node: &str,
        lease: Duration,
        until: DateTime<Utc>,
        suspects: &[TaskId],
    ) -> Result<Reaped, StoreError>;

    /// How many connections there are just now.
    fn connections(&self) -> Connections {
        Connections::default()
    }

    /// Closes all connections; on SQLite what stands in the write-ahead log goes into the file.
    async fn close(&self) {}
}

/// Connections of a store to its database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// All that are open.
    pub open: usize,
    /// Those that nobody uses.
    pub idle: usize,
}

/// How many executions one call removes at most.
pub const PRUNED: u32 = 100;

/// What was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pruned<K> {
    /// How many executions.
    pub removed: usize,
    /// After what to go on; `None`: all was looked at.
    pub next: Option<K>,
}

/// A store as the program holds it.
pub type SharedStore = Arc<dyn Desk>;
