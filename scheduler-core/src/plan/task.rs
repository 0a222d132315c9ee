//! A row of `task`, read once and trusted afterwards: [`TaskRow`] is what a store found, [`Task`] what it
//! means.
//!
//! A row that does not parse is rejected with a [`TaskError`] that names the row, the column, the value and
//! what was expected. Nothing from a row is ever code, a path or SQL: `execute_func` is looked up in the
//! [`Catalog`] of compiled jobs, and that is all.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use super::{
    duration,
    trigger::{Anchor, CronDialect, Parser, Trigger, TriggerError, TriggerKind, Zone},
    words::quote,
};

/// `task.id`.
pub type TaskId = i64;

/// Longest `task_key`, `execute_func` and `spec`, in characters: the width of the original's columns.
pub const LONGEST_NAME: usize = 255;
/// Longest `args`, in characters. The original's column holds 255; a wider one is served up to here.
pub const LONGEST_ARGS: usize = 4_096;
/// Longest `extra`, in characters.
pub const LONGEST_EXTRA: usize = 16_384;

/// A text column as the database gave it.
pub type Field = Result<String, FieldFault>;

/// Why a column could not be read as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum FieldFault {
    /// SQL NULL, in an old or hand-made schema.
    #[error("NULL")]
    Null,
    /// Bytes that are not UTF-8.
    #[error("not valid UTF-8")]
    NotUtf8,
}

/// A row of `task` as a store reads it; nothing is checked yet. A store reads no more than one character
/// beyond the limits above, so that a huge value costs nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TaskRow {
    /// `id`.
    pub id: TaskId,
    /// `task_key`.
    pub task_key: Field,
    /// `desc`.
    pub description: Field,
    /// `execute_func`.
    pub execute_func: Field,
    /// `trigger`.
    pub trigger: Field,
    /// `spec`.
    pub spec: Field,
    /// `args`.
    pub args: Field,
    /// `is_valid`, as text: a hand-made column may hold anything.
    pub is_valid: Field,
    /// `status`.
    pub status: Field,
    /// `extra`.
    pub extra: Field,
    /// `create_at`; `None` when it is no instant.
    pub created_at: Option<DateTime<Utc>>,
    /// `update_at`; `None` when it is no instant.
    pub updated_at: Option<DateTime<Utc>>,
}

impl TaskRow {
    /// The key for messages: what is there, however wrong.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.task_key {
            Ok(key) => format!("task {} {}", self.id, quote(key)),
            Err(_) => format!("task {}", self.id),
        }
    }
}

/// A row that parsed: safe to schedule.
#[derive(Clone, Debug)]
pub struct Task {
    /// `id`.
    pub id: TaskId,
    /// `task_key`.
    pub key: Arc<str>,
    /// `execute_func`, known to the catalog.
    pub job: Arc<str>,
    /// `args` as written.
    pub args: Arc<str>,
    /// `spec` as written.
    pub spec: Arc<str>,
    /// What `trigger` and `spec` mean.
    pub trigger: Trigger,
    /// The zone that `spec` is read in.
    pub zone: Zone,
    /// What interval and `now` hang on.
    pub anchor: Anchor,
    /// How late, overlapping and long runs are treated.
    pub policy: Policy,
}

/// How late, overlapping and long runs are treated: the configuration's defaults, which a row may override
/// in `extra`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// A fire found later than this is recorded `missed`. Zero: only a fire found in its own millisecond runs.
    pub misfire_grace_time: Duration,
    /// Of several overdue fires only the newest runs.
    pub coalesce: bool,
    /// How many runs of the task may be open at once, 1 or more.
    pub max_instances: u32,
    /// What happens to a fire beyond `max_instances`.
    pub overlap: Overlap,
    /// A run is ended and recorded `timeout` after this; `None`: it may run for ever.
    pub timeout: Option<Duration>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            misfire_grace_time: Duration::from_secs(60),
            coalesce: true,
            max_instances: 1,
            overlap: Overlap::Skip,
            timeout: None,
        }
    }
}

impl Policy {
    /// Whether a run may be claimed while another of the same task is open somewhere.
    #[must_use]
    pub fn may_overlap(&self) -> bool {
        self.overlap == Overlap::Allow || self.max_instances > 1
    }
}

/// `extra.overlap`: what happens to a fire whose task is still running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    /// Recorded `skipped`.
    #[default]
    Skip,
    /// Waits until the task is free, however long; of several waiting only the newest runs.
    Queue,
    /// Runs at once; `max_instances` does not apply.
    Allow,
}

/// Which jobs this program has, seen from the deciding half.
pub trait Catalog: Send {
    /// Whether a job of this name is compiled in and would accept `args`. The error is the reason in words.
    ///
    /// # Errors
    /// [`JobRefusal::Unknown`] with the nearest known names, or [`JobRefusal::Args`].
    fn accepts(&self, job: &str, args: &str) -> Result<(), JobRefusal>;
}

/// Why a row's job cannot run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobRefusal {
    /// No such job; the nearest known names, best first.
    Unknown(Vec<String>),
    /// The job does not take these arguments.
    Args(String),
}

/// Why a row is rejected. The text names row, column, value and what was expected.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{label}: {fault}")]
pub struct TaskError {
    /// `task 5 "daily_report"`.
    pub label: String,
    /// What is wrong with it.
    pub fault: TaskFault,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TaskFault {
    /// A column that cannot be read at all.
    #[error("{column} is {fault}, expected text")]
    Unreadable {
        /// The column.
        column: &'static str,
        /// How it is unreadable.
        fault: FieldFault,
    },
    /// A text that is too long.
    #[error("{column} {} is longer than {limit} characters, expected at most {limit}", quote(.value))]
    TooLong {
        /// The column.
        column: &'static str,
        /// Its beginning.
        value: String,
        /// The limit, in characters.
        limit: usize,
    },
    /// A value outside its set or range.
    #[error("{column} {} is not valid, expected {expected}", quote(.value))]
    Value {
        /// The column, or `extra.key`.
        column: &'static str,
        /// What stood there.
        value: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// `execute_func` names no compiled job.
    #[error("execute_func {} is not a known job, expected {}", quote(.value), names(.nearest))]
    UnknownJob {
        /// What stood there.
        value: String,
        /// The nearest known names.
        nearest: Vec<String>,
    },
    /// The job does not take the row's `args`.
    #[error("args {} do not fit, expected {expected}", quote(.value))]
    Args {
        /// What stood there.
        value: String,
        /// The job's own words.
        expected: String,
    },
    /// `extra` is no JSON object.
    #[error("extra {} is not valid, expected a JSON object such as {{\"timeout\": \"30s\"}} ({cause})", quote(.value))]
    Extra {
        /// What stood there.
        value: String,
        /// What the reader said.
        cause: String,
    },
    /// Another row already schedules this key.
    #[error("task_key {} already belongs to task {other}, expected a key of its own", quote(.value))]
    DuplicateKey {
        /// The key.
        value: String,
        /// The row that has it.
        other: TaskId,
    },
    /// `trigger` and `spec` do not parse.
    #[error(transparent)]
    Trigger(#[from] TriggerError),
}

fn names(names: &[String]) -> String {
    match names {
        [] => "a name given by #[job(\"…\")], see `scheduler jobs`".to_owned(),
        names => format!(
            "a job of this program such as {}",
            names
                .iter()
                .map(|name| quote(name))
                .collect::<Vec<_>>()
                .join(" or ")
        ),
    }
}

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
        Self {
            parser: Parser::new(dialect),
            zone,
            policy,
            catalog,
        }
    }

    /// Whether `row` is switched on.
    ///
    /// # Errors
    /// When `is_valid` is neither 0 nor 1.
    pub fn validity(&self, row: &TaskRow) -> Result<Validity, TaskError> {
        let named = |fault| TaskError {
            label: row.label(),
            fault,
        };
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
            label: row.label(),
            fault,
        })
    }

    /// The trigger that a live task gets from a new `spec`; its kind, zone and anchor stay as they were.
    ///
    /// # Errors
    /// When the new spec does not parse.
    pub fn respec(&mut self, task: &Task, row: &TaskRow) -> Result<(Arc<str>, Trigger), TaskError> {
        let named = |fault| TaskError {
            label: row.label(),
            fault,
        };
        let spec = text("spec", &row.spec, LONGEST_NAME).map_err(named)?;
        let updated_at = instant("update_at", row.updated_at).map_err(named)?;
        let anchor = Anchor {
            updated_at,
            ..task.anchor
        };
        let trigger = self
            .parser
            .parse(task.trigger.kind(), spec, &task.zone, anchor)
            .map_err(|error| named(error.into()))?;
        Ok((spec.into(), trigger))
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
        self.catalog
            .accepts(job, args)
            .map_err(|refusal| match refusal {
                JobRefusal::Unknown(nearest) => TaskFault::UnknownJob {
                    value: job.to_owned(),
                    nearest,
                },
                JobRefusal::Args(expected) => TaskFault::Args {
                    value: args.to_owned(),
                    expected,
                },
            })?;
        let kind: TriggerKind = text("trigger", &row.trigger, LONGEST_NAME)?.parse()?;
        let spec = text("spec", &row.spec, LONGEST_NAME)?;
        check_status(row)?;
        let (policy, zone) = extra(text("extra", &row.extra, LONGEST_EXTRA)?, self.policy)?;
        let zone = zone.unwrap_or_else(|| self.zone.clone());
        let anchor = Anchor {
            created_at: instant("create_at", row.created_at)?,
            updated_at: instant("update_at", row.updated_at)?,
        };
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
    let value = field.as_deref().map_err(|fault| TaskFault::Unreadable {
        column,
        fault: *fault,
    })?;
    // Bytes bound characters from above: most values need no counting.
    if value.len() > limit && value.chars().count() > limit {
        return Err(TaskFault::TooLong {
            column,
            value: value.to_owned(),
            limit,
        });
    }
    Ok(value)
}

fn instant(column: &'static str, value: Option<DateTime<Utc>>) -> Result<DateTime<Utc>, TaskFault> {
    value.ok_or(TaskFault::Value {
        column,
        value: String::new(),
        expected: "an instant in UTC, YYYY-MM-DD HH:MM:SS",
    })
}

/// Reads the keys of `extra` that are ours; all others are the user's and are left alone. An empty `extra`
/// is an empty object.
fn extra(text: &str, defaults: Policy) -> Result<(Policy, Option<Zone>), TaskFault> {
    if matches!(text.trim(), "" | "{}") {
        return Ok((defaults, None));
    }
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|error| TaskFault::Extra {
            value: text.to_owned(),
            cause: error.to_string(),
        })?;
    let key = |name: &str| object.get(name).filter(|value| !value.is_null());
    let mut policy = defaults;
    if let Some(value) = key("misfire_grace_time") {
        policy.misfire_grace_time = span("extra.misfire_grace_time", value)?;
    }
    if let Some(value) = key("timeout") {
        policy.timeout = Some(span("extra.timeout", value)?).filter(|span| !span.is_zero());
    }
    if let Some(value) = key("delay") {
        span("extra.delay", value)?;
    }
    if let Some(value) = key("coalesce") {
        policy.coalesce = value
            .as_bool()
            .ok_or_else(|| wrong("extra.coalesce", value, "true or false"))?;
    }
    if let Some(value) = key("max_instances") {
        policy.max_instances = value
            .as_u64()
            .filter(|count| (1..=10_000).contains(count))
            .and_then(|count| u32::try_from(count).ok())
            .ok_or_else(|| {
                wrong(
                    "extra.max_instances",
                    value,
                    "a whole number from 1 to 10000",
                )
            })?;
    }
    if let Some(value) = key("overlap") {
        policy.overlap = match value.as_str() {
            Some("skip") => Overlap::Skip,
            Some("queue") => Overlap::Queue,
            Some("allow") => Overlap::Allow,
            _ => {
                return Err(wrong(
                    "extra.overlap",
                    value,
                    "\"skip\", \"queue\" or \"allow\"",
                ));
            }
        };
    }
    let zone = match key("timezone") {
        None => None,
        Some(value) => {
            let name = value.as_str().ok_or_else(|| {
                wrong(
                    "extra.timezone",
                    value,
                    "a zone name such as \"Europe/London\"",
                )
            })?;
            Some(Zone::named(name)?)
        }
    };
    Ok((policy, zone))
}

/// A span in `extra`: a number of whole seconds, or a text such as `"90s"`; at most a year and a day.
fn span(column: &'static str, value: &serde_json::Value) -> Result<Duration, TaskFault> {
    const LONGEST: Duration = Duration::from_secs(366 * 86_400);
    value
        .as_u64()
        .map(Duration::from_secs)
        .or_else(|| value.as_str().and_then(duration::parse))
        .filter(|span| *span <= LONGEST)
        .ok_or_else(|| {
            wrong(
                column,
                value,
                "whole seconds or a duration such as \"90s\", at most 366 days",
            )
        })
}

fn wrong(column: &'static str, value: &serde_json::Value, expected: &'static str) -> TaskFault {
    let value = match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    TaskFault::Value {
        column,
        value,
        expected,
    }
}
