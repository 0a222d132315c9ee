//! What the scheduler would make of each row of `task`: accepted, disabled, or rejected and why.
//!
//! Asks the same `Reader` as the scheduler, and like it gives a `task_key` that several enabled rows
//! share to the one with the lowest id.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    config::Config,
    plan::{
        task::{Reader, Task, TaskFault, TaskId, TaskRow, Validity, doubtful_keys},
        window::{self, Facts},
    },
    registry::Registry,
    run::reader,
    store::DeskTask,
};

/// A row and what the scheduler would make of it.
#[derive(Debug)]
pub struct Judged {
    /// The row.
    pub row: TaskRow,
    /// What the scheduler would make of it.
    pub verdict: Verdict,
}

/// What the scheduler would make of a row.
#[derive(Debug)]
pub enum Verdict {
    /// Enabled, and it parses.
    Enabled(Box<Scheduled>),
    /// Switched off; what it would mean if it were on, or the reason why it would be rejected.
    Disabled(Result<Box<Task>, TaskFault>),
    /// Enabled or not readable as either, and does not parse, for this reason.
    Rejected(TaskFault),
}

/// What the scheduler makes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It fires.
    Enabled,
    /// It is off.
    Disabled,
    /// It cannot be read, and does not fire.
    Rejected,
}

impl State {
    /// All, by name.
    pub const NAMES: [(&'static str, State); 3] =
        [("enabled", State::Enabled), ("disabled", State::Disabled), ("rejected", State::Rejected)];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::NAMES[self as usize].0
    }
}

/// A task that fires.
#[derive(Debug)]
pub struct Scheduled {
    /// What the row means.
    pub task: Task,
    /// Its first instant that is due and not accounted for.
    due: Option<DateTime<Utc>>,
    next: Option<DateTime<Utc>>,
}

impl Scheduled {
    /// `task` as of `now`, of which `last_accounted` was accounted for last, in a database that was adopted then.
    #[must_use]
    pub fn new(
        task: Task,
        last_accounted: Option<DateTime<Utc>>,
        adopted_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Self {
        let edited_at = task.anchor.updated_at;
        let first = |adopted_at| {
            let facts = Facts { edited_at, adopted_at, last_accounted, is_new_spec: false };
            let opens = window::opens(&task.trigger, facts, task.policy.misfire_grace_time);
            task.trigger.next_after(opens)
        };
        let due = first(adopted_at.min(now));
        match due {
            Some(at) if at <= now => Self { next: first(now), due, task },
            next => Self { next, due: None, task },
        }
    }

    /// The coming instants, soonest first.
    pub fn instants(&self) -> impl Iterator<Item = DateTime<Utc>> {
        std::iter::successors(self.next(), |at| self.task.trigger.next_after(*at))
    }

    /// The next instant; `None`: it will never fire again.
    #[must_use]
    pub fn next(&self) -> Option<DateTime<Utc>> {
        self.next
    }

    /// The first instant that is due and not accounted for, as far as it is known since when they count.
    #[must_use]
    pub fn due(&self) -> Option<DateTime<Utc>> {
        self.due
    }
}

impl Judged {
    /// The task, when it fires.
    #[must_use]
    pub fn scheduled(&self) -> Option<&Scheduled> {
        match &self.verdict {
            Verdict::Enabled(scheduled) => Some(scheduled),
            Verdict::Disabled(_) | Verdict::Rejected(_) => None,
        }
    }

    /// What the row means, or would mean if it were on.
    #[must_use]
    pub fn task(&self) -> Option<&Task> {
        match &self.verdict {
            Verdict::Enabled(scheduled) => Some(&scheduled.task),
            Verdict::Disabled(read) => read.as_deref().ok(),
            Verdict::Rejected(_) => None,
        }
    }

    /// Why the row is, or would be, rejected.
    #[must_use]
    pub fn reason(&self) -> Option<&TaskFault> {
        match &self.verdict {
            Verdict::Enabled(_) => None,
            Verdict::Disabled(read) => read.as_ref().err(),
            Verdict::Rejected(reason) => Some(reason),
        }
    }

    /// Whether the scheduler refuses it.
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        matches!(self.verdict, Verdict::Rejected(_))
    }

    /// What is accepted, and was probably meant otherwise.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let label = self.row.label();
        let doubtful = doubtful_keys(&self.row.extra);
        doubtful.iter().map(|doubt| format!("{label}: {doubt}")).collect()
    }

    /// The verdict without its reasons.
    #[must_use]
    pub fn state(&self) -> State {
        match self.verdict {
            Verdict::Enabled(_) => State::Enabled,
            Verdict::Disabled(_) => State::Disabled,
            Verdict::Rejected(_) => State::Rejected,
        }
    }
}

/// Judges rows as of one moment.
#[derive(Debug)]
pub struct Judge {
    reader: Reader,
    /// The keys of enabled rows that parse.
    keys: HashMap<Arc<str>, TaskId>,
    now: DateTime<Utc>,
    adopted_at: DateTime<Utc>,
}

impl Judge {
    /// Judges as a program with the jobs of `registry` would under `config`.
    #[must_use]
    pub fn new(config: &Config, registry: &Arc<Registry>, now: DateTime<Utc>) -> Self {
        Self { reader: reader(config, registry), keys: HashMap::new(), now, adopted_at: now }
    }

    /// Of a database that was adopted then: only of such a one it is known what is due.
    #[must_use]
    pub fn of_adopted(self, adopted_at: DateTime<Utc>) -> Self {
        Self { adopted_at, ..self }
    }

    /// Judges the rows of the whole table, which come in id order, and remembers their keys.
    pub fn survey(&mut self, tasks: Vec<DeskTask>) -> Vec<Judged> {
        let on: Vec<_> = tasks.into_iter().map(|task| (self.judge(&task), task.row)).collect();
        // A disabled row may share its key with an enabled one that came later.
        let judged = on.into_iter().map(|(verdict, row)| {
            let off = || Verdict::Disabled(self.read(&row).map(Box::new));
            Judged { verdict: verdict.unwrap_or_else(off), row }
        });
        judged.collect()
    }

    /// What `row` means if it is switched on. Keys count as far as they were surveyed.
    ///
    /// # Errors
    /// The reason why it would be rejected.
    pub fn read(&mut self, row: &TaskRow) -> Result<Task, TaskFault> {
        let task = self.reader.read(row).map_err(|error| error.fault)?;
        match self.keys.get(&task.key) {
            Some(other) if *other != row.id => {
                let value = task.key.to_string();
                Err(TaskFault::DuplicateKey { value, other: *other })
            }
            _ => Ok(task),
        }
    }

    /// `None`: it is off.
    fn judge(&mut self, DeskTask { row, last_accounted }: &DeskTask) -> Option<Verdict> {
        match self.reader.validity(row) {
            Err(error) => Some(Verdict::Rejected(error.fault)),
            Ok(Validity::Disabled) => None,
            Ok(Validity::Enabled) => Some(match self.read(row) {
                Err(reason) => Verdict::Rejected(reason),
                Ok(task) => {
                    self.keys.insert(Arc::clone(&task.key), row.id);
                    let (adopted_at, now) = (self.adopted_at, self.now);
                    Verdict::Enabled(Box::new(Scheduled::new(
                        task,
                        *last_accounted,
                        adopted_at,
                        now,
                    )))
                }
            }),
        }
    }
}
