//! What a test looks at.

use super::{Execution, Harness, database::done, timeline::civil};
use crate::{
    plan::{
        execution::Status,
        task::{TaskId, Validity},
    },
    store::{Desk as _, ExecutionFilter, ExecutionRow, Store as _},
};

impl Harness {
    /// The executions of a row, oldest claim first, also of one that is deleted.
    #[must_use]
    #[track_caller]
    pub fn executions(&self, task_key: &str) -> Vec<Execution> {
        self.rows(task_key).into_iter().filter_map(Execution::of).collect()
    }

    /// The same as they stand in `execute_task`.
    #[must_use]
    #[track_caller]
    pub fn rows(&self, task_key: &str) -> Vec<ExecutionRow> {
        let task_id = Some(self.id_ever(task_key));
        let filter = ExecutionFilter { task_id, ..ExecutionFilter::newest(u32::MAX) };
        let rows = done(self.engine.store.executions(filter));
        rows.into_iter().rev().collect()
    }

    /// Why the row as it stands would be rejected when it is read, as `scheduler check` says it; `None` when it would
    /// not be, or is switched off.
    #[must_use]
    #[track_caller]
    pub fn rejection(&self, task_key: &str) -> Option<String> {
        self.why_rejected(self.id(task_key))
    }

    fn why_rejected(&self, id: TaskId) -> Option<String> {
        let reading = done(self.engine.store.read());
        let row = reading.rows.iter().find(|row| row.id == id)?;
        let mut reader = self.engine.reader();
        let read = match reader.validity(row) {
            Ok(Validity::Disabled) => return None,
            Ok(Validity::Enabled) => reader.read(row).map(drop),
            Err(error) => Err(error),
        };
        read.err().map(|error| error.to_string())
    }

    /// Asserts what became of a row, oldest claim first: each line is the instant in the zone of the harness, the
    /// status, and `attempt N` for a retry, such as `2026-03-29 02:00:00 success` or `2026-03-29 02:00:00 fail attempt
    /// 2`. What stands in front may be left out: the date, or the whole instant.
    ///
    /// # Panics
    /// When it is otherwise, with what happened when.
    #[track_caller]
    pub fn check(&self, task_key: &str, expected: &[&str]) {
        let lines: Vec<String> =
            self.executions(task_key).iter().map(|execution| self.line(execution)).collect();
        let is_line = |line: &String, expected: &&str| {
            line.strip_suffix(*expected).is_some_and(|date| date.is_empty() || date.ends_with(' '))
        };
        let is_same = lines.len() == expected.len()
            && lines.iter().zip(expected).all(|(line, expected)| is_line(line, expected));
        let rejected = self.why_rejected(self.id_ever(task_key));
        let rejected = rejected.map(|why| format!("; REJECTED {why}")).unwrap_or_default();
        assert!(
            is_same,
            "executions of {task_key:?}: expected {expected:#?}, found {lines:#?}{rejected}"
        );
    }

    /// What is under way.
    pub(super) fn open_rows(&self) -> Vec<ExecutionRow> {
        let status = Some(Status::Todo);
        let filter = ExecutionFilter { status, ..ExecutionFilter::newest(u32::MAX) };
        done(self.engine.store.executions(filter))
    }

    fn line(&self, execution: &Execution) -> String {
        let Execution { status, scheduled_at, attempt, .. } = execution;
        let fire = civil(&self.zone, *scheduled_at);
        if *attempt == 1 {
            format!("{fire} {status}")
        } else {
            format!("{fire} {status} attempt {attempt}")
        }
    }
}
