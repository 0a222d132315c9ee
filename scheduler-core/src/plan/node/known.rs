//! What a node knows of a row of `task`.

use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, Utc};

use crate::plan::{
    Now, difference,
    share::Share,
    task::{Task, TaskRow},
};

/// What a node knows of a row.
#[derive(Debug)]
pub(super) enum Known {
    /// Scheduled.
    Live(Box<Live>),
    /// Does not parse, or may not run beside another row.
    Rejected(Rejection),
    /// Switched off.
    Disabled,
}

/// What was said of a rejected row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rejection {
    /// Digest of the row.
    row: u64,
    /// Whether only an edit of the row itself can mend it.
    is_final: bool,
}

impl Rejection {
    pub(super) fn of(row: &TaskRow, is_final: bool) -> Self {
        Self { row: difference::digest(row), is_final }
    }
}

/// A scheduled task.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) task: Task,
    /// Everything up to here is accounted for; `None` until the database said so.
    pub(super) accounted: Option<DateTime<Utc>>,
    /// A claim is in flight: the task stays out of the timetable.
    pub(super) is_claiming: bool,
    /// The row was found changed by a claim: nothing is planned until it was read again.
    pub(super) is_stale: bool,
    /// When the database last said what is accounted for.
    pub(super) seen_at: DateTime<Utc>,
    /// Its own node left a fire: until somebody else takes one, it is ours like our own.
    pub(super) is_left: bool,
    /// The answer of the trigger that was asked for last, and what for: the end of a run asks the same again.
    pub(super) planned: Option<(DateTime<Utc>, Option<DateTime<Utc>>)>,
    /// The spec was edited while the task lived, and its window is not open yet.
    pub(super) has_new_spec: bool,
    /// The columns as they were when the task went live, and the last edit of them that was said.
    pub(super) columns: Columns,
    pub(super) said: Columns,
}

/// Digests of the columns that are not read again while a task lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Columns([u64; 6]);

const COLUMN_NAMES: [&str; 6] =
    ["task_key", "execute_func", "trigger", "args", "extra", "create_at"];

impl Columns {
    pub(super) fn of(row: &TaskRow) -> Self {
        Self([
            digest(&row.task_key),
            digest(&row.execute_func),
            digest(&row.trigger),
            digest(&row.args),
            digest(&row.extra),
            digest(&row.created_at),
        ])
    }

    pub(super) fn changed(self, other: Self) -> Vec<&'static str> {
        let pairs = self.0.iter().zip(other.0);
        pairs.zip(COLUMN_NAMES).filter(|((was, is), _)| *was != is).map(|(_, name)| name).collect()
    }
}

fn digest(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Live {
    /// One that arrives: what is accounted of it is not known yet.
    pub(super) fn new(task: Task, row: &TaskRow) -> Self {
        let columns = Columns::of(row);
        Self {
            task,
            accounted: None,
            seen_at: DateTime::<Utc>::MIN_UTC,
            is_left: false,
            is_claiming: false,
            is_stale: false,
            planned: None,
            has_new_spec: false,
            columns,
            said: columns,
        }
    }

    /// The first instant after `accounted`.
    pub(super) fn next_after(&mut self, accounted: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self.planned {
            Some((asked, next)) if asked == accounted => next,
            _ => {
                let next = self.task.trigger.next_after(accounted);
                self.planned = Some((accounted, next));
                next
            }
        }
    }

    /// When its next fire is due on this node: at its instant, or later if it is left to another node first.
    pub(super) fn next_due(&mut self, share: &Share) -> Option<DateTime<Utc>> {
        let next = self.next_after(self.accounted?)?;
        if self.is_left || share.is_mine(self.task.id) {
            return Some(next);
        }
        let grace = self.task.policy.misfire_grace_time;
        let following = self.task.trigger.next_after(next);
        let period = following.and_then(|following| (following - next).to_std().ok());
        let patience = period.map_or(grace, |period| period.min(grace));
        Some(share.due_here(self.task.id, next, patience))
    }

    /// The next instant to come; where there is none, one that is due already.
    pub(super) fn next_to_say(&self, now: Now) -> Option<DateTime<Utc>> {
        let accounted = self.accounted?;
        let trigger = &self.task.trigger;
        trigger.next_after(accounted.max(now.wall)).or_else(|| trigger.next_after(accounted))
    }
}
