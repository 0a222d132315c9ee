//! How a node fares and how much it holds, for whoever watches it. Nothing is decided by it.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Node,
    known::{Known, Live},
};
use crate::plan::{Now, task::TaskId};

/// How a node fares and how much it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Whether the tables were read, and it is known up to where each task is accounted for.
    pub has_read: bool,
    /// Whether its lease lets it claim.
    pub is_trusted: bool,
    /// Whether its clock lets it claim.
    pub is_clock_right: bool,
    /// Whether renewals and readings of the database succeed.
    pub is_database_well: bool,
    /// Whether it was asked to stop.
    pub is_stopping: bool,
    /// How far the machine's clock is ahead of the database's.
    pub skew: TimeDelta,
    /// How long ago the last good renewal began; `None`: there was none.
    pub renewed_ago: Option<Duration>,
    /// The rows of `task`, as they were last read.
    pub rows: Rows,
    /// Runs that are open on this node, those that ended and are not recorded yet included.
    pub open: usize,
    /// Outcomes that wait to be recorded.
    pub unrecorded: usize,
    /// Claims of unknown fate.
    pub unsettled: usize,
    /// Manual runs and retries that wait.
    pub requests: usize,
    /// Claims and records that failed, and are tried again apart from the others.
    pub failing: usize,
}

/// How many rows of `task` there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Scheduled.
    pub scheduled: usize,
    /// Rejected, with a reason.
    pub rejected: usize,
    /// Switched off.
    pub disabled: usize,
}

impl Rows {
    /// How many there are like this one.
    pub(super) fn like(&mut self, known: &Known) -> &mut usize {
        match known {
            Known::Live(_) => &mut self.scheduled,
            Known::Rejected(_) => &mut self.rejected,
            Known::Disabled => &mut self.disabled,
        }
    }
}

impl Node {
    /// How it fares when the machine's clocks say `local`, without asking anybody and in constant time.
    #[must_use]
    pub fn survey(&self, local: Now) -> Survey {
        let now = self.clocks.now(local);
        Survey {
            has_read: self.has_read,
            is_trusted: self.lease.is_trusted(now.mono),
            is_clock_right: self.clocks.is_right,
            is_database_well: self.trouble.is_empty(),
            is_stopping: self.is_stopping(),
            skew: self.clocks.skew,
            renewed_ago: self.lease.renewed_at().map(|at| now.mono.saturating_sub(at)),
            rows: self.rows,
            open: self.open.len(),
            unrecorded: self.outcomes.len(),
            unsettled: self.unsettled.len(),
            requests: self.requests.len(),
            failing: self.claims.failing() + self.records.failing(),
        }
    }

    /// How many nodes are alive, this one among them.
    #[must_use]
    pub fn company(&self) -> usize {
        self.share.company()
    }

    /// Whether of all living nodes this one comes first for `task`, so that one of them speaks of it and no other.
    #[must_use]
    pub fn is_first_for(&self, task: TaskId) -> bool {
        self.share.is_mine(task)
    }

    /// Whether the row was rejected when it was read last.
    #[must_use]
    pub fn is_rejected(&self, task: TaskId) -> bool {
        matches!(self.known.get(&task), Some(Known::Rejected(_)))
    }

    /// The tasks of its own that have fires which are due for longer than the task's `delay`, and which nobody has accounted
    /// for. Those up to the instant `told` of a task's key are not counted again. Looks at each task.
    pub fn overdue(
        &self,
        local: Now,
        told: impl Fn(&str) -> Option<DateTime<Utc>>,
    ) -> impl Iterator<Item = Overdue> {
        let now = self.clocks.now(local).wall;
        self.known.values().filter_map(move |known| match known {
            Known::Live(live) if self.share.is_mine(live.task.id) => {
                live.overdue(now, told(&live.task.key))
            }
            _ => None,
        })
    }
}

/// A task that has fires which are due for too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// Its key.
    pub task_key: Arc<str>,
    /// The last of them.
    pub last: DateTime<Utc>,
    /// How many are new, and the first of these; `None`: all were told.
    pub new: Option<(u64, DateTime<Utc>)>,
}

impl Live {
    /// Its fires that are due for longer than they may be.
    fn overdue(&self, now: DateTime<Utc>, told: Option<DateTime<Utc>>) -> Option<Overdue> {
        let accounted = self.accounted?;
        let latest = now.checked_sub_signed(TimeDelta::from_std(self.task.policy.delay).ok()?)?;
        if accounted >= latest {
            return None;
        }
        let trigger = &self.task.trigger;
        let next = match self.planned {
            Some((asked, next)) if asked == accounted => next,
            _ => trigger.next_after(accounted),
        };
        next.filter(|next| *next <= latest)?;
        let after = accounted.max(told.unwrap_or(accounted));
        let first = trigger.next_after(after).filter(|first| *first <= latest);
        Some(Overdue {
            task_key: Arc::clone(&self.task.key),
            last: trigger.last_until(latest)?,
            new: first.map(|first| (trigger.count(after, latest), first)),
        })
    }
}
