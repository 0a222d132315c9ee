//! From a row to a task, by one set of rules.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{
    Catalog, Field, JobRefusal, LONGEST_ARGS, LONGEST_EXTRA, LONGEST_NAME, Policy, Task, TaskError,
    TaskFault, TaskRow, extra::extra,
};
use crate::plan::trigger::{Anchor, CronDialect, Parser, Trigger, TriggerKind, Zone};

/// Whether a row is switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// `is_valid` is 1.
    Enabled,
    /// `is_valid` is 0.
    Disabled,
}

/// Reads rows by one set of rules. It keeps parsed patterns, so that equal specs share one.
pub struct Reader {
    parser: Parser,
    zone: Zone,
    policy: Policy,
    catalog: Box<dyn Catalog>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("zone", &self.zone)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl Reader {
    /// Rules: the dialect of cron patterns, the zone and policy of rows that name none, the known jobs.
    #[must_use]
    pub fn new(
        dialect: CronDialect,
        zone: Zone,
        policy: Policy,
        catalog: Box<dyn Catalog>,
    ) -> Self {
        Self { parser: Parser::new(dialect), zone, policy, catalog }
    }

    /// Whether `row` is switched on.
    ///
    /// # Errors
    /// When `is_valid` is neither 0 nor 1.
    pub fn validity(&self, row: &TaskRow) -> Result<Validity, TaskError> {
        let named = |fault| TaskError { task_id: row.id, label: row.label(), fault };
        match text("is_valid", &row.is_valid, LONGEST_NAME).map_err(named)? {
            "1" => Ok(Validity::Enabled),
            "0" => Ok(Validity::Disabled),
            other => Err(named(TaskFault::Value {
                column: "is_valid",
                value: other.to_owned(),
                expected: "0 or 1",
            })),
        }
    }

    /// What `row` means.
    ///
    /// # Errors
    /// The first fault, in the order of the columns.
    pub fn read(&mut self, row: &TaskRow) -> Result<Task, TaskError> {
        self.read_columns(row).map_err(|fault| TaskError {
            task_id: row.id,
            label: row.label(),
            fault,
        })
    }

    /// The trigger that a live task gets from a new `spec`; its kind, zone and anchor stay as they were.
    ///
    /// # Errors
    /// When the new spec does not parse.
    pub fn respec(&mut self, task: &Task, row: &TaskRow) -> Result<(Arc<str>, Trigger), TaskError> {
        let named = |fault| TaskError { task_id: row.id, label: row.label(), fault };
        let spec = text("spec", &row.spec, LONGEST_NAME).map_err(named)?;
        let updated_at = instant("update_at", row.updated_at).map_err(named)?;
        let anchor = Anchor { updated_at, ..task.anchor };
        let trigger = self
            .parser
            .parse(task.trigger.kind(), spec, &task.zone, anchor)
            .map_err(|error| named(error.into()))?;
        Ok((spec.into(), trigger))
    }

    /// When `row` fires, whatever it runs, and in which zone.
    ///
    /// # Errors
    /// The first fault of the columns that say so: `trigger`, `spec`, `extra`, `create_at`, `update_at`.
    pub fn timing(&mut self, row: &TaskRow) -> Result<(Trigger, Zone), TaskError> {
        let mut read = || {
            let (_, zone) = extra(text("extra", &row.extra, LONGEST_EXTRA)?, self.policy)?;
            let zone = zone.unwrap_or_else(|| self.zone.clone());
            let kind: TriggerKind = text("trigger", &row.trigger, LONGEST_NAME)?.parse()?;
            let spec = text("spec", &row.spec, LONGEST_NAME)?;
            let trigger = self.parser.parse(kind, spec, &zone, anchor(row)?)?;
            Ok((trigger, zone))
        };
        read().map_err(|fault| TaskError { task_id: row.id, label: row.label(), fault })
    }

    fn read_columns(&mut self, row: &TaskRow) -> Result<Task, TaskFault> {
        let key = text("task_key", &row.task_key, LONGEST_NAME)?;
        if key.is_empty() {
            return Err(TaskFault::Value {
                column: "task_key",
                value: String::new(),
                expected: "a name of 1 to 255 characters",
            });
        }
        let job = text("execute_func", &row.execute_func, LONGEST_NAME)?;
        let args = text("args", &row.args, LONGEST_ARGS)?;
        let options = self.catalog.accepts(job, args).map_err(|refusal| match refusal {
            JobRefusal::Unknown(nearest) => {
                TaskFault::UnknownJob { value: job.to_owned(), nearest }
            }
            JobRefusal::Args(reason) => {
                TaskFault::Args { value: args.to_owned(), job: job.to_owned(), reason }
            }
        })?;
        let kind: TriggerKind = text("trigger", &row.trigger, LONGEST_NAME)?.parse()?;
        let spec = text("spec", &row.spec, LONGEST_NAME)?;
        check_status(row)?;
        let (policy, zone) =
            extra(text("extra", &row.extra, LONGEST_EXTRA)?, self.policy.with(&options))?;
        let zone = zone.unwrap_or_else(|| self.zone.clone());
        let anchor = anchor(row)?;
        let trigger = self.parser.parse(kind, spec, &zone, anchor)?;
        Ok(Task {
            id: row.id,
            key: key.into(),
            job: job.into(),
            args: args.into(),
            spec: spec.into(),
            trigger,
            zone,
            anchor,
            policy,
        })
    }
}

fn check_status(row: &TaskRow) -> Result<(), TaskFault> {
    match text("status", &row.status, LONGEST_NAME)? {
        "ready" | "doing" => Ok(()),
        other => Err(TaskFault::Value {
            column: "status",
            value: other.to_owned(),
            expected: "ready or doing",
        }),
    }
}

fn text<'a>(column: &'static str, field: &'a Field, limit: usize) -> Result<&'a str, TaskFault> {
    let value =
        field.as_deref().map_err(|fault| TaskFault::Unreadable { column, fault: *fault })?;
    // Bytes bound characters from above: most values need no counting.
    if value.len() > limit && value.chars().count() > limit {
        return Err(TaskFault::TooLong { column, value: value.to_owned(), limit });
    }
    Ok(value)
}

fn anchor(row: &TaskRow) -> Result<Anchor, TaskFault> {
    Ok(Anchor {
        created_at: instant("create_at", row.created_at)?,
        updated_at: instant("update_at", row.updated_at)?,
    })
}

fn instant(column: &'static str, value: Option<DateTime<Utc>>) -> Result<DateTime<Utc>, TaskFault> {
    value.ok_or(TaskFault::NoInstant { column })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::task::{FieldFault, JobOptions};

    struct OneJob;

    impl Catalog for OneJob {
        fn accepts(&self, job: &str, args: &str) -> Result<JobOptions, JobRefusal> {
            match (job, args) {
                ("job", "bad") => {
                    Err(JobRefusal::Args("value 1 is \"bad\", expected i64".to_owned()))
                }
                ("job", _) => Ok(JobOptions::NONE),
                _ => Err(JobRefusal::Unknown(vec!["job".to_owned()])),
            }
        }
    }

    fn row() -> TaskRow {
        let text = |value: &str| Ok(value.to_owned());
        let now = "2026-01-01T12:00:00Z".parse().ok();
        TaskRow {
            id: 5,
            task_key: text("report"),
            description: text(""),
            execute_func: text("job"),
            trigger: text("interval"),
            spec: text("5"),
            args: text(""),
            is_valid: text("1"),
            status: text("ready"),
            extra: text("{}"),
            created_at: now,
            updated_at: now,
        }
    }

    fn read(row: &TaskRow) -> Result<Task, TaskError> {
        Reader::new(CronDialect::Standard, Zone::utc(), Policy::default(), Box::new(OneJob))
            .read(row)
    }

    #[track_caller]
    fn refuses(row: &TaskRow, text: &str) {
        assert_eq!(read(row).expect_err("it is refused").to_string(), text);
    }

    #[test]
    fn each_text_is_taken_up_to_its_limit_and_refused_beyond() {
        let long = |count: usize| Ok("é".repeat(count));
        assert!(read(&TaskRow { task_key: long(LONGEST_NAME), ..row() }).is_ok());
        assert!(read(&TaskRow { args: long(LONGEST_ARGS), ..row() }).is_ok());
        for (row, column) in [
            (TaskRow { task_key: long(LONGEST_NAME + 1), ..row() }, "task_key"),
            (TaskRow { execute_func: long(LONGEST_NAME + 1), ..row() }, "execute_func"),
            (TaskRow { trigger: long(LONGEST_NAME + 1), ..row() }, "trigger"),
            (TaskRow { spec: long(LONGEST_NAME + 1), ..row() }, "spec"),
            (TaskRow { args: long(LONGEST_ARGS + 1), ..row() }, "args"),
            (TaskRow { status: long(LONGEST_NAME + 1), ..row() }, "status"),
            (TaskRow { extra: long(LONGEST_EXTRA + 1), ..row() }, "extra"),
        ] {
            let fault = read(&row).expect_err("it is too long").fault;
            assert!(
                matches!(&fault, TaskFault::TooLong { column: at, .. } if *at == column),
                "{fault:?}"
            );
        }
    }

    #[test]
    fn a_rejection_names_row_column_value_and_expectation() {
        let text = |value: &str| Ok(value.to_owned());
        refuses(
            &TaskRow { execute_func: text("jab"), ..row() },
            "task 5 \"report\": execute_func \"jab\" is not a known job, expected a job of this program such as \"job\"",
        );
        refuses(
            &TaskRow { args: text("bad"), ..row() },
            "task 5 \"report\": args \"bad\" do not fit job \"job\": value 1 is \"bad\", expected i64",
        );
        refuses(
            &TaskRow { status: text("paused"), ..row() },
            "task 5 \"report\": status \"paused\" is not valid, expected ready or doing",
        );
        refuses(
            &TaskRow { task_key: Err(FieldFault::Null), ..row() },
            "task 5: task_key is NULL, expected text",
        );
        refuses(
            &TaskRow { spec: Err(FieldFault::NotUtf8), ..row() },
            "task 5 \"report\": spec is not valid UTF-8, expected text",
        );
        refuses(
            &TaskRow { spec: text("1\0x"), ..row() },
            "task 5 \"report\": spec \"1\\0x\" is not an interval, expected whole seconds of 1 or more, or a duration such as 90s, 1h30m, 250ms",
        );
        refuses(
            &TaskRow { created_at: None, ..row() },
            "task 5 \"report\": create_at is no instant, expected one in UTC, YYYY-MM-DD HH:MM:SS",
        );
        refuses(
            &TaskRow { task_key: text(""), ..row() },
            "task 5 \"\": task_key \"\" is not valid, expected a name of 1 to 255 characters",
        );
    }

    #[test]
    fn is_valid_is_0_or_1() {
        let reader =
            Reader::new(CronDialect::Standard, Zone::utc(), Policy::default(), Box::new(OneJob));
        let validity =
            |value: &str| reader.validity(&TaskRow { is_valid: Ok(value.to_owned()), ..row() });
        assert_eq!(validity("1"), Ok(Validity::Enabled));
        assert_eq!(validity("0"), Ok(Validity::Disabled));
        for other in ["2", "-1", "", "true"] {
            let error = validity(other).expect_err("it is refused").to_string();
            assert!(error.ends_with("expected 0 or 1"), "{error}");
        }
    }
}
