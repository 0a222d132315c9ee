//! What people ask of the tables, by command line or page.

use async_trait::async_trait;
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};

use super::{
    Alarms, Author, EditFilter, EditRow, Pauses, Sessions, Store, StoreError, TaskChange, Version,
};
use crate::plan::{
    claim::{Request, RequestId},
    execution::{ExecutionId, ExecutionRow, LogPart, Status},
    node::{Cancel, NodeRow},
    task::{TaskId, TaskRow},
};

/// A row to be inserted. `status` becomes `ready`, the timestamps the database's now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTask {
    /// `id`; `None`: the database's choice.
    pub id: Option<TaskId>,
    /// `task_key`.
    pub task_key: String,
    /// `desc`.
    pub description: String,
    /// `execute_func`.
    pub execute_func: String,
    /// `trigger`.
    pub trigger: String,
    /// `spec`.
    pub spec: String,
    /// `args`.
    pub args: String,
    /// `is_valid`.
    pub is_enabled: bool,
    /// `extra`, a JSON object.
    pub extra: String,
}

impl NewTask {
    /// An enabled row that runs `execute_func` on `trigger` with `spec`, without arguments.
    ///
    /// ```
    /// use scheduler_core::store::NewTask;
    ///
    /// let daily = NewTask::new("daily_report", "send_report", "cron", "0 8 * * *");
    /// let daily = NewTask { args: "ops@example.org".to_owned(), ..daily };
    /// assert!(daily.is_enabled);
    /// ```
    #[must_use]
    pub fn new(task_key: &str, execute_func: &str, trigger: &str, spec: &str) -> Self {
        Self {
            id: None,
            task_key: task_key.to_owned(),
            description: String::new(),
            execute_func: execute_func.to_owned(),
            trigger: trigger.to_owned(),
            spec: spec.to_owned(),
            args: String::new(),
            is_enabled: true,
            extra: "{}".to_owned(),
        }
    }

    /// The row that it becomes when it is inserted at `now`.
    pub(crate) fn as_row(&self, id: TaskId, now: DateTime<Utc>) -> TaskRow {
        let text = |text: &str| Ok(text.to_owned());
        TaskRow {
            id,
            task_key: text(&self.task_key),
            description: text(&self.description),
            execute_func: text(&self.execute_func),
            trigger: text(&self.trigger),
            spec: text(&self.spec),
            args: text(&self.args),
            is_valid: text(if self.is_enabled { "1" } else { "0" }),
            status: text("ready"),
            extra: text(&self.extra),
            created_at: Some(now),
            updated_at: Some(now),
        }
    }
}

/// Which tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskSelection<'a> {
    /// All.
    All,
    /// The one with this id.
    Id(TaskId),
    /// Those with these ids, and all that share a `task_key` with one of them: what it takes to judge them.
    WithTwins(&'a [TaskId]),
}

/// A row of `task` with the newest of its executions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskTask {
    /// The row.
    pub row: TaskRow,
    /// The newest `scheduled_at` that is accounted and was not manual.
    pub last_accounted: Option<DateTime<Utc>>,
}

/// Which executions, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecutionFilter {
    /// Only of this task.
    pub task_id: Option<TaskId>,
    /// Only in this status.
    pub status: Option<Status>,
    /// Only with an id below this: the last id of the page before.
    pub before: Option<ExecutionId>,
    /// Only created from then on.
    pub since: Option<DateTime<Utc>>,
    /// Only created before then. Executions get their ids as they are created; where clocks differ, some come a little early
    /// or late.
    pub until: Option<DateTime<Utc>>,
    /// At most so many, 1 or more.
    pub limit: u32,
}

impl ExecutionFilter {
    /// The newest of all, `limit` at most.
    #[must_use]
    pub const fn newest(limit: u32) -> Self {
        Self { task_id: None, status: None, before: None, since: None, until: None, limit }
    }
}

/// An execution in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecentRow {
    /// `task_id`.
    pub task_id: TaskId,
    /// `id`.
    pub id: ExecutionId,
    /// `status`.
    pub status: String,
    /// `scheduled_at`.
    pub scheduled_at: Option<DateTime<Utc>>,
    /// `started_at`.
    pub started_at: Option<DateTime<Utc>>,
    /// `finished_at`.
    pub finished_at: Option<DateTime<Utc>>,
}

/// How many executions an hour had in one status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeCount {
    /// When the hour of their instants began.
    pub hour: DateTime<Utc>,
    /// `status`.
    pub status: String,
    /// How many.
    pub count: u64,
}

/// A task of which runs failed, timed out or were lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailingTask {
    /// The last of them.
    pub last: ExecutionRow,
    /// How many.
    pub count: u64,
    /// Whether a run succeeded that began after the last of them.
    pub has_recovered: bool,
}

/// What became of the executions of some hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcomes {
    /// From when on all are counted.
    pub since: DateTime<Utc>,
    /// By hour and status, those that have any.
    pub counts: Vec<OutcomeCount>,
}

impl Outcomes {
    pub(super) fn add(&mut self, counted: impl IntoIterator<Item = OutcomeCount>) {
        for OutcomeCount { hour, status, count } in counted {
            let key = |known: &OutcomeCount| (known.hour, known.status.clone());
            match self.counts.binary_search_by_key(&(hour, status.clone()), key) {
                Ok(place) => self.counts[place].count += count,
                Err(place) => self.counts.insert(place, OutcomeCount { hour, status, count }),
            }
        }
    }
}

/// So many manual runs and retries of one task are told of each.
pub(super) const MOST_WAITING: usize = 100;

/// When the hour of an instant began.
pub(super) fn floor_hour(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::hours(1)).unwrap_or(at)
}

/// What the tables hold around one instant of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// The executions of the instant by attempt, at most 100.
    pub here: Vec<ExecutionRow>,
    /// That of the next instant after it which the schedule accounted for.
    pub next: Option<ExecutionRow>,
    /// Those of earlier instants that were to run, the latest first, at most 20.
    pub before: Vec<ExecutionRow>,
}

/// The instant of a manual run that was asked for at `now`: off the whole seconds, on which schedules fire as a
/// rule, and the next that no other run of the task `is_taken` by, since one instant of a task is one execution.
pub(super) fn manual_instant(
    now: DateTime<Utc>,
    is_taken: impl Fn(DateTime<Utc>) -> bool,
) -> DateTime<Utc> {
    let mut instant = now;
    while instant.timestamp_subsec_millis() == 0 || is_taken(instant) {
        instant += TimeDelta::milliseconds(1);
    }
    instant
}

/// What people ask of the tables. Every edit here counts as an edit of the row: the database moves
/// `update_at`.
#[async_trait]
pub trait Desk: Store + Sessions + Pauses + Alarms {
    /// Where the tables are, without credentials: for messages.
    fn database(&self) -> &str {
        "memory"
    }

    /// Tasks in id order.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn tasks(&self, selection: TaskSelection<'_>) -> Result<Vec<DeskTask>, StoreError>;

    /// The rows of `task` in a database that is not migrated to our newest version yet, such as one of the original;
    /// `None`: it is. Changes nothing.
    ///
    /// # Errors
    /// When the database does not answer, or its tables are newer than this program.
    async fn rows_to_migrate(&self) -> Result<Option<Vec<TaskRow>>, StoreError>;

    /// Inserts a row in the name of `author`.
    ///
    /// # Errors
    /// [`StoreError::KeyTaken`] when a row of any status has the key.
    async fn add_as(&self, task: &NewTask, author: &Author) -> Result<TaskId, StoreError>;

    /// Changes a row in the name of `author`, if it still is of `version`, where one is given. A row that says so already
    /// is not touched, and has no edit in its history, unless a pause of it ended.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Edited`], and [`StoreError::KeyTaken`] when another row has the new key.
    async fn edit_as(
        &self,
        task: TaskId,
        version: Option<&Version>,
        change: &TaskChange,
        author: &Author,
    ) -> Result<(), StoreError>;

    /// Deletes a row of `task` in the name of `author`, if it still is of `version`, where one is given; its executions
    /// stay.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] and [`StoreError::Edited`].
    async fn delete_as(
        &self,
        task: TaskId,
        version: Option<&Version>,
        author: &Author,
    ) -> Result<(), StoreError>;

    /// Asks for a run of `task`, once, in the name of `author`, with `args` in place of those of the row; `now`, or the next
    /// free millisecond after it, becomes its `scheduled_at`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn request_run_as(
        &self,
        task: TaskId,
        now: DateTime<Utc>,
        args: Option<&str>,
        author: &Author,
    ) -> Result<RequestId, StoreError>;

    /// [`Self::add_as`] in the name of the program.
    ///
    /// # Errors
    /// As there.
    async fn add(&self, task: &NewTask) -> Result<TaskId, StoreError> {
        self.add_as(task, &Author::program()).await
    }

    /// Sets `is_valid` in the name of the program.
    ///
    /// # Errors
    /// As [`Self::edit_as`].
    async fn set_enabled(&self, task: TaskId, is_enabled: bool) -> Result<(), StoreError> {
        self.edit_as(task, None, &TaskChange::enabled(is_enabled), &Author::program()).await
    }

    /// Sets `spec` in the name of the program.
    ///
    /// # Errors
    /// As [`Self::edit_as`].
    async fn set_spec(&self, task: TaskId, spec: &str) -> Result<(), StoreError> {
        self.edit_as(task, None, &TaskChange::spec(spec), &Author::program()).await
    }

    /// [`Self::delete_as`] in the name of the program, whatever the row says.
    ///
    /// # Errors
    /// As there.
    async fn delete(&self, task: TaskId) -> Result<(), StoreError> {
        self.delete_as(task, None, &Author::program()).await
    }

    /// [`Self::request_run_as`] in the name of the program.
    ///
    /// # Errors
    /// As there.
    async fn request_run(&self, task: TaskId, now: DateTime<Utc>) -> Result<RequestId, StoreError> {
        self.request_run_as(task, now, None, &Author::program()).await
    }

    /// What waits outside of the schedule of one task: its first hundred manual runs, and its first hundred retries.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn waiting(&self, task: TaskId) -> Result<Vec<Request>, StoreError>;

    /// Compares these rows with the history, and keeps what was edited by others in it. Those that somebody holds are given
    /// back, to be looked at again.
    ///
    /// # Errors
    /// When the transaction failed as a whole; looking again is harmless.
    async fn notice_edits(&self, tasks: &[TaskId]) -> Result<Vec<TaskId>, StoreError>;

    /// The history of edits, newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn edits(&self, filter: EditFilter) -> Result<Vec<EditRow>, StoreError>;

    /// Asks in the name of `author` that a run ends; the node that has it obeys at its next reading. Asking again is
    /// harmless.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and [`StoreError::Ended`] when it has ended.
    async fn cancel_as(&self, execution: ExecutionId, author: &Author) -> Result<(), StoreError>;

    /// What is asked to end and has not ended yet.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn cancels(&self) -> Result<Vec<Cancel>, StoreError>;

    /// Executions, newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn executions(&self, filter: ExecutionFilter) -> Result<Vec<ExecutionRow>, StoreError>;

    /// The tasks of which executions failed, timed out or were lost that were created from `since` on; of more than `most` those
    /// that failed last. Those that did not recover come first, then those that failed last.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn failing(
        &self,
        since: DateTime<Utc>,
        most: u32,
    ) -> Result<Vec<FailingTask>, StoreError>;

    /// How many executions a task has.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn count_executions(&self, task: TaskId) -> Result<u64, StoreError>;

    /// How many executions each hour has had in each status since this hour, by their instants: of those that were created
    /// from then on, the newest `most`, only of these tasks where some are named.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn outcomes(
        &self,
        since: DateTime<Utc>,
        tasks: Option<&[TaskId]>,
        most: u32,
    ) -> Result<Outcomes, StoreError>;

    /// The executions of the last instants of each of these tasks, `most` of each and the other attempts at the first of
    /// them, by task and instant.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn recent(&self, tasks: &[TaskId], most: u32) -> Result<Vec<RecentRow>, StoreError>;

    /// One execution.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn execution(&self, id: ExecutionId) -> Result<ExecutionRow, StoreError>;

    /// What the tables hold around an instant of a task.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn around(&self, task: TaskId, at: DateTime<Utc>) -> Result<Around, StoreError>;

    /// What an execution has logged, after the part `after`, in order. 0: from the beginning.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn log(&self, execution: ExecutionId, after: u32) -> Result<Vec<LogPart>, StoreError>;

    /// The nodes of the last 30 days, last heard of first, at most 1,000.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn nodes(&self) -> Result<Vec<NodeRow>, StoreError>;

    /// Inserts `rows` when this database was never given demo rows and holds no task; says whether it did.
    ///
    /// # Errors
    /// When the database refuses.
    async fn load_demo(&self, rows: &[NewTask]) -> Result<bool, StoreError>;
}
