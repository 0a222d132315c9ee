//! From a reading of the tables to the timetable: new, changed, disabled, deleted and rejected rows.
//!
//! Of a live task only `is_valid` and `spec` are read again. Anything else that was edited is said once and
//! takes effect when the task is disabled and enabled again. A row that does not parse harms only itself.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};

use super::{Action, Failure, Node, Notice, Reading};
use crate::plan::{
    Now,
    lateness::Load,
    task::{Task, TaskError, TaskFault, TaskId, TaskRow, Validity},
    trigger::Trigger,
    window,
};

/// Shortest time between a failed reading and the next.
const RETRY: Duration = Duration::from_millis(500);

/// What a node knows of a row.
#[derive(Debug)]
pub(super) enum Known {
    /// Scheduled.
    Live(Box<Live>),
    /// Does not parse; the digest of the row that was reported.
    Rejected(u64),
    /// Switched off.
    Disabled,
}

/// A scheduled task.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) task: Task,
    /// Everything up to here is accounted for; `None` until the database said so.
    pub(super) accounted: Option<DateTime<Utc>>,
    pub(super) load: Load,
    /// A claim is in flight: the task stays out of the timetable.
    pub(super) is_claiming: bool,
    /// The row was found changed by a claim: nothing is planned until it was read again.
    pub(super) is_stale: bool,
    /// The columns as they were when the task went live, and the last edit of them that was said.
    columns: Columns,
    said: Columns,
}

/// Digests of the columns that are not read again while a task lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Columns([u64; 6]);

const COLUMN_NAMES: [&str; 6] =
    ["task_key", "execute_func", "trigger", "args", "extra", "create_at"];

impl Columns {
    fn of(row: &TaskRow) -> Self {
        Self([
            digest(&row.task_key),
            digest(&row.execute_func),
            digest(&row.trigger),
            digest(&row.args),
            digest(&row.extra),
            digest(&row.created_at),
        ])
    }

    fn changed(self, other: Self) -> Vec<&'static str> {
        let pairs = self.0.iter().zip(other.0);
        pairs.zip(COLUMN_NAMES).filter(|((was, is), _)| *was != is).map(|(_, name)| name).collect()
    }
}

fn digest(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Node {
    pub(super) fn on_read(
        &mut self,
        result: Result<Reading, Failure>,
        now: Now,
        actions: &mut Vec<Action>,
    ) {
        let reading = match result {
            Ok(reading) => reading,
            Err(failure) => {
                self.note_trouble(Some(&failure), actions);
                self.reading.end(now.mono + (self.settings.sync_interval / 10).max(RETRY));
                return;
            }
        };
        self.reading.end(now.mono + self.settings.sync_interval);
        if self.is_stopping() {
            return;
        }
        self.adopted_at = reading.adopted_at;
        self.forget_deleted(&reading.rows, actions);
        self.suspects.clear();
        for row in &reading.rows {
            self.read_row(row, now, actions);
        }
        self.take_requests(reading.requests);
        if self.arriving.is_empty() {
            self.say_first_reading(actions);
        } else if !self.cursors_in_flight {
            self.cursors_in_flight = true;
            actions.push(Action::ReadCursors(self.arriving.iter().copied().collect()));
        }
    }

    fn forget_deleted(&mut self, rows: &[TaskRow], actions: &mut Vec<Action>) {
        // Both sides are in id order, so one pass finds what is gone.
        let mut rows = rows.iter().map(|row| row.id).peekable();
        let mut gone = Vec::new();
        for id in self.known.keys().copied() {
            while rows.next_if(|row| *row < id).is_some() {}
            if rows.peek() != Some(&id) {
                gone.push(id);
            }
        }
        for id in gone {
            if let Some(Known::Live(live)) = self.known.get(&id) {
                actions.push(Action::Report(Notice::Deleted(id, Arc::clone(&live.task.key))));
            }
            self.replace(id, None);
        }
    }

    /// Puts `known` in the place of what was known of `id`, and clears what hung on it.
    fn replace(&mut self, id: TaskId, known: Option<Known>) {
        if let Some(Known::Live(live)) = self.known.remove(&id) {
            self.keys.remove(&live.task.key);
            self.timetable.remove(id);
            self.arriving.remove(&id);
        }
        if let Some(known) = known {
            self.known.insert(id, known);
        }
    }

    fn read_row(&mut self, row: &TaskRow, now: Now, actions: &mut Vec<Action>) {
        let runs_here = matches!(self.known.get(&row.id), Some(Known::Live(live)) if live.load.running > 0 || live.is_claiming);
        if row.status.as_deref() == Ok("doing") && !runs_here {
            self.suspects.insert(row.id);
        }
        match (self.reader.validity(row), self.known.get(&row.id)) {
            (Err(error), _) => self.reject(row, error, actions),
            (Ok(Validity::Disabled), Some(Known::Disabled)) => {}
            (Ok(Validity::Disabled), _) => self.disable(row.id, actions),
            (Ok(Validity::Enabled), Some(Known::Live(_))) => self.reread_live(row, now, actions),
            (Ok(Validity::Enabled), _) => self.welcome(row, actions),
        }
    }

    fn reject(&mut self, row: &TaskRow, error: TaskError, actions: &mut Vec<Action>) {
        let digest = digest(row);
        if !matches!(self.known.get(&row.id), Some(Known::Rejected(said)) if *said == digest) {
            actions.push(Action::Report(Notice::Rejected(error)));
        }
        self.replace(row.id, Some(Known::Rejected(digest)));
    }

    pub(super) fn disable(&mut self, id: TaskId, actions: &mut Vec<Action>) {
        if let Some(Known::Live(live)) = self.known.get(&id) {
            actions.push(Action::Report(Notice::Disabled(id, Arc::clone(&live.task.key))));
        }
        self.replace(id, Some(Known::Disabled));
    }

    /// A row that was not live parses, or is rejected. Until the database said what is accounted of it, it
    /// arrives.
    fn welcome(&mut self, row: &TaskRow, actions: &mut Vec<Action>) {
        if matches!(self.known.get(&row.id), Some(Known::Rejected(said)) if *said == digest(row)) {
            return;
        }
        let task = match self.reader.read(row) {
            Ok(task) => task,
            Err(error) => return self.reject(row, error, actions),
        };
        if let Some(other) = self.keys.get(&task.key) {
            let fault = TaskFault::DuplicateKey { value: task.key.to_string(), other: *other };
            return self.reject(row, TaskError { label: row.label(), fault }, actions);
        }
        self.keys.insert(Arc::clone(&task.key), row.id);
        self.arriving.insert(row.id);
        // A task that was disabled and enabled again may still have runs open from before.
        let running = self.open.values().filter(|open| open.task_id == row.id).count();
        let load = Load { running: u32::try_from(running).unwrap_or(u32::MAX), ..Load::default() };
        let columns = Columns::of(row);
        let live = Live {
            task,
            accounted: None,
            load,
            is_claiming: false,
            is_stale: false,
            columns,
            said: columns,
        };
        self.known.insert(row.id, Known::Live(Box::new(live)));
    }

    fn reread_live(&mut self, row: &TaskRow, now: Now, actions: &mut Vec<Action>) {
        let previous_read = self.previous_read;
        let Some(Known::Live(live)) = self.known.get_mut(&row.id) else {
            return;
        };
        let columns = Columns::of(row);
        if columns != live.said {
            live.said = columns;
            let changed = live.columns.changed(columns);
            if !changed.is_empty() {
                actions.push(Action::Report(Notice::EditIgnored {
                    task_id: row.id,
                    task_key: Arc::clone(&live.task.key),
                    columns: changed,
                }));
            }
        }
        let was_stale = std::mem::take(&mut live.is_stale);
        if row.spec.as_deref() == Ok(&*live.task.spec) {
            if was_stale {
                self.plan_next(row.id);
            }
            return;
        }
        let (spec, trigger) = match self.reader.respec(&live.task, row) {
            Ok(parsed) => parsed,
            Err(error) => return self.reject(row, error, actions),
        };
        // Where `update_at` did not move with the edit, the last reading that showed the old spec bounds it.
        let edited_at =
            row.updated_at.filter(|at| *at > live.task.anchor.updated_at).unwrap_or(previous_read);
        live.respec(spec, trigger, edited_at, now, actions);
        self.plan_next(row.id);
    }

    pub(super) fn on_cursors(
        &mut self,
        result: Result<HashMap<TaskId, DateTime<Utc>>, Failure>,
        now: Now,
        actions: &mut Vec<Action>,
    ) {
        self.cursors_in_flight = false;
        let cursors = match result {
            Ok(cursors) => cursors,
            Err(failure) => {
                // The next reading asks again.
                self.note_trouble(Some(&failure), actions);
                self.reading.due_at = self.reading.due_at.min(now.mono + RETRY);
                return;
            }
        };
        for task_id in std::mem::take(&mut self.arriving) {
            let adopted_at = self.adopted_at;
            let Some(live) = self.live_mut(task_id) else {
                continue;
            };
            let facts = window::Facts {
                edited_at: live.task.anchor.updated_at,
                adopted_at,
                last_accounted: cursors.get(&task_id).copied(),
            };
            live.accounted =
                Some(window::opens(&live.task.trigger, facts, live.task.policy.misfire_grace_time));
            let task_key = Arc::clone(&live.task.key);
            let next = live.next_to_say(now);
            actions.push(Action::Report(Notice::Scheduled { task_id, task_key, next }));
            self.plan_next(task_id);
        }
        self.say_first_reading(actions);
    }

    fn say_first_reading(&mut self, actions: &mut Vec<Action>) {
        if std::mem::replace(&mut self.has_read, true) {
            return;
        }
        let count =
            |wanted: fn(&Known) -> bool| self.known.values().filter(|known| wanted(known)).count();
        actions.push(Action::Report(Notice::FirstReading {
            scheduled: count(|known| matches!(known, Known::Live(_))),
            rejected: count(|known| matches!(known, Known::Rejected(_))),
            disabled: count(|known| matches!(known, Known::Disabled)),
        }));
    }
}

impl Live {
    /// The next instant to come; where there is none, one that is due already.
    fn next_to_say(&self, now: Now) -> Option<DateTime<Utc>> {
        let accounted = self.accounted?;
        let trigger = &self.task.trigger;
        trigger.next_after(accounted.max(now.wall)).or_else(|| trigger.next_after(accounted))
    }

    /// Goes over to a new spec, whose instants count from the edit on.
    fn respec(
        &mut self,
        spec: Arc<str>,
        trigger: Trigger,
        edited_at: DateTime<Utc>,
        now: Now,
        actions: &mut Vec<Action>,
    ) {
        let old = std::mem::replace(&mut self.task.spec, spec);
        self.task.trigger = trigger;
        self.task.anchor.updated_at = edited_at;
        self.accounted = self.accounted.map(|accounted| accounted.max(edited_at));
        let next = self.next_to_say(now);
        actions.push(Action::Report(Notice::SpecChanged {
            task_id: self.task.id,
            task_key: Arc::clone(&self.task.key),
            old,
            new: Arc::clone(&self.task.spec),
            next,
        }));
    }
}
