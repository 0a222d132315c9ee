//! A fake row of `task`.

use crate::store::NewTask;

/// A row of `task` to be inserted: enabled, without arguments, unless it says otherwise.
///
/// ```
/// use scheduler_core::testing::Row;
///
/// let row = Row::cron("daily_report", "send_report", "0 8 * * *")
///     .args(r#"{"to": "ops@example.org"}"#)
///     .extra(r#"{"timeout": "5m"}"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a row is inserted with `Harness::insert`"]
pub struct Row(pub(super) NewTask);

impl Row {
    /// A row with `trigger` = `cron`, for the job `execute_func`.
    pub fn cron(task_key: &str, execute_func: &str, spec: &str) -> Self {
        Self::new(task_key, execute_func, "cron", spec)
    }

    /// A row with `trigger` = `interval`. Its grid counts from the instant at which it is inserted.
    pub fn interval(task_key: &str, execute_func: &str, spec: &str) -> Self {
        Self::new(task_key, execute_func, "interval", spec)
    }

    /// A row with `trigger` = `date`.
    pub fn date(task_key: &str, execute_func: &str, spec: &str) -> Self {
        Self::new(task_key, execute_func, "date", spec)
    }

    /// A row with any `trigger`, as somebody may write it.
    pub fn new(task_key: &str, execute_func: &str, trigger: &str, spec: &str) -> Self {
        Self(NewTask::new(task_key, execute_func, trigger, spec))
    }

    /// The same with `args`.
    pub fn args(mut self, args: &str) -> Self {
        args.clone_into(&mut self.0.args);
        self
    }

    /// The same with `extra`, a JSON object: `timeout`, `retries`, `overlap` and the like.
    pub fn extra(mut self, extra: &str) -> Self {
        extra.clone_into(&mut self.0.extra);
        self
    }

    /// The same, switched off: `is_valid` = 0.
    pub fn disabled(mut self) -> Self {
        self.0.is_enabled = false;
        self
    }
}

impl From<NewTask> for Row {
    fn from(task: NewTask) -> Self {
        Self(task)
    }
}
