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

use super::{Action, Asked, Call, Failure, Node, Notice, Reading, Wanted};
use crate::plan::{
    Now,
    lateness::Load,
    share::Share,
    task::{Task, TaskError, TaskFault, TaskId, TaskRow, Validity, doubtful_keys},
    window,
};

/// Shortest time between a reading that failed, or whose rows a claim did not find so, and the next.
pub(super) const READ_AGAIN: Duration = Duration::from_millis(500);

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
    planned: Option<(DateTime<Utc>, Option<DateTime<Utc>>)>,
    /// The spec was edited while the task lived, and its window is not open yet.
    has_new_spec: bool,
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

/// A digest of the row but for `status`, which the scheduler itself moves.
fn row_digest(row: &TaskRow) -> u64 {
    digest(&TaskRow { status: Ok(String::new()), ..row.clone() })
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
                self.note_trouble(Asked::Rows, Some(&failure), actions);
                self.reading
                    .end(now, now.mono + (self.settings.sync_interval / 10).max(READ_AGAIN));
                return;
            }
        };
        self.reading.end(now, now.mono + self.settings.sync_interval);
        self.note_trouble(Asked::Rows, None, actions);
        if self.arriving.is_empty() {
            // Perhaps nobody asks for them again.
            self.note_trouble(Asked::Cursors, None, actions);
        }
        // Heard after a freeze it shows what stood before. Once: a database may be as slow as that.
        let is_old = self.is_blind_since(self.read_started, now.wall);
        let was_old = std::mem::replace(&mut self.read_was_old, is_old);
        if is_old && !was_old {
            self.reading.hurry();
        }
        if self.is_stopping() {
            return;
        }
        self.adopted_at = reading.adopted_at;
        self.forget_deleted(&reading.rows, actions);
        self.suspects.clear();
        let was_blind = self.is_blind_since(self.last_good_read, now.wall);
        for row in &reading.rows {
            self.read_row(row, was_blind, actions);
        }
        self.share_with(&reading.nodes);
        self.say_unreadable(reading.unreadable, actions);
        let mut requests = reading.requests;
        for request in &mut requests {
            // What was tried and put off stays behind what was not.
            let known = self.requests.due_at(request).filter(|at| *at <= now.wall);
            request.due_at = known.max(Some(self.due_here(request))).unwrap_or(request.due_at);
        }
        self.requests.read(requests, reading.is_whole);
        if reading.is_whole {
            let asked = self.requests.tasks();
            self.claims.retain(|wanted| match wanted {
                Wanted::Asked(task_id) => asked.contains(task_id),
                Wanted::Fire(_) => true,
            });
        }
        self.last_good_read = self.read_started;
        self.loads.retain(|_, load| *load != Load::default());
        if self.arriving.is_empty() {
            self.say_first_reading(actions);
        }
        // What could not be asked is asked again now.
        self.cursors_may_be_asked = true;
    }

    /// Once, until the row is mended or gone.
    fn say_unreadable(&mut self, rows: Vec<String>, actions: &mut Vec<Action>) {
        let said = std::mem::replace(&mut self.unreadable, rows.into_iter().collect());
        let news = self.unreadable.difference(&said);
        actions.extend(news.map(|row| Action::Report(Notice::Unreadable(row.clone()))));
    }

    /// Whoever missed a renewal has no share, long before it is taken for dead.
    fn share_with(&mut self, nodes: &[(String, Duration)]) {
        let most = self.settings.lease / 2;
        let alive = nodes.iter().filter(|(_, silent_for)| *silent_for <= most);
        if self.share.alive(alive.map(|(node, _)| node.as_str())) {
            let tasks: Vec<TaskId> = self.known.keys().copied().collect();
            tasks.into_iter().for_each(|task| self.plan_next(task));
        }
    }

    /// Asks what is accounted of the tasks that arrive and of those whose fires others should have taken.
    pub(super) fn ask_for_cursors(&mut self, now: Now, actions: &mut Vec<Action>) {
        if self.is_stopping() || self.cursors_asked.is_some() {
            return;
        }
        let arriving = self.arriving.iter().filter(|_| self.cursors_may_be_asked);
        let asked: Vec<TaskId> = arriving.chain(&self.checking).copied().collect();
        if !asked.is_empty() {
            self.cursors_asked = Some(now.wall);
            actions.push(Action::Call(Call::ReadCursors(asked)));
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
            self.claims.forget(Wanted::Fire(id));
            self.claims.forget(Wanted::Asked(id));
            self.replace(id, None);
        }
    }

    /// Puts `known` in the place of what was known of `id`, and clears what hung on it.
    fn replace(&mut self, id: TaskId, known: Option<Known>) {
        if let Some(Known::Live(live)) = self.known.remove(&id) {
            self.keys.remove(&live.task.key);
            self.timetable.remove(id);
            self.arriving.remove(&id);
            self.checking.remove(&id);
        }
        if let Some(known) = known {
            self.known.insert(id, known);
        }
    }

    fn read_row(&mut self, row: &TaskRow, was_blind: bool, actions: &mut Vec<Action>) {
        let load = self.load(row.id);
        let runs_here = load.running + load.unrecorded > 0
            || matches!(self.known.get(&row.id), Some(Known::Live(live)) if live.is_claiming);
        if row.status.as_deref() == Ok("doing") && !runs_here {
            self.suspects.insert(row.id);
        }
        match (self.reader.validity(row), self.known.get(&row.id)) {
            (Err(error), _) => self.reject(row, error, actions),
            (Ok(Validity::Disabled), Some(Known::Disabled)) => {}
            (Ok(Validity::Disabled), _) => self.disable(row.id, actions),
            (Ok(Validity::Enabled), Some(Known::Live(_))) => {
                self.reread_live(row, was_blind, actions)
            }
            (Ok(Validity::Enabled), _) => self.welcome(row, actions),
        }
    }

    fn reject(&mut self, row: &TaskRow, error: TaskError, actions: &mut Vec<Action>) {
        // A key is free again when the other row goes: such a row is asked at each reading.
        let is_final = !matches!(error.fault, TaskFault::DuplicateKey { .. });
        let rejection = Rejection { row: row_digest(row), is_final };
        if self.rejection(row.id) != Some(rejection) {
            actions.push(Action::Report(Notice::Rejected(error)));
        }
        self.replace(row.id, Some(Known::Rejected(rejection)));
    }

    fn rejection(&self, id: TaskId) -> Option<Rejection> {
        match self.known.get(&id) {
            Some(Known::Rejected(rejection)) => Some(*rejection),
            _ => None,
        }
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
        let as_before = Rejection { row: row_digest(row), is_final: true };
        if self.rejection(row.id) == Some(as_before) {
            return;
        }
        let task = match self.reader.read(row) {
            Ok(task) => task,
            Err(error) => return self.reject(row, error, actions),
        };
        if let Some(other) = self.keys.get(&task.key) {
            let fault = TaskFault::DuplicateKey { value: task.key.to_string(), other: *other };
            return self.reject(
                row,
                TaskError { task_id: row.id, label: row.label(), fault },
                actions,
            );
        }
        for doubt in doubtful_keys(&row.extra) {
            let task_key = Arc::clone(&task.key);
            actions.push(Action::Report(Notice::Doubtful { task_id: row.id, task_key, doubt }));
        }
        self.keys.insert(Arc::clone(&task.key), row.id);
        self.arriving.insert(row.id);
        let columns = Columns::of(row);
        let live = Live {
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
        };
        self.known.insert(row.id, Known::Live(Box::new(live)));
    }

    fn reread_live(&mut self, row: &TaskRow, was_blind: bool, actions: &mut Vec<Action>) {
        let last_good_read = self.last_good_read;
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
        let moved = row.updated_at.filter(|at| *at > live.task.anchor.updated_at);
        if row.spec.as_deref() == Ok(&*live.task.spec) {
            if let Some(edited_at) = moved.filter(|_| was_blind) {
                live.task.anchor.updated_at = edited_at;
                self.open_anew(row.id);
            } else if was_stale {
                self.plan_next(row.id);
            }
            return;
        }
        let (spec, trigger) = match self.reader.respec(&live.task, row) {
            Ok(parsed) => parsed,
            Err(error) => return self.reject(row, error, actions),
        };
        // Where `update_at` did not move with the edit, the last reading that showed the old spec bounds it.
        live.task.anchor.updated_at = moved.unwrap_or(last_good_read);
        live.task.trigger = trigger;
        live.planned = None;
        live.has_new_spec = true;
        actions.push(Action::Report(Notice::SpecChanged {
            task_id: row.id,
            task_key: Arc::clone(&live.task.key),
            old: std::mem::replace(&mut live.task.spec, spec),
            new: Arc::clone(&live.task.spec),
        }));
        self.open_anew(row.id);
    }

    /// Whether nothing was read for so long that a row may have been disabled and enabled again without being seen
    /// disabled, by a reading or by a claim.
    pub(super) fn is_blind_since(&self, last_good_read: DateTime<Utc>, at: DateTime<Utc>) -> bool {
        let span = (at - last_good_read).to_std().unwrap_or_default();
        span > 2 * self.settings.sync_interval
    }

    /// As for a new row, the database says what is accounted for.
    fn open_anew(&mut self, id: TaskId) {
        if let Some(live) = self.live_mut(id) {
            live.accounted = None;
        }
        self.timetable.remove(id);
        self.arriving.insert(id);
    }

    pub(super) fn on_cursors(
        &mut self,
        asked: &[TaskId],
        result: Result<HashMap<TaskId, DateTime<Utc>>, Failure>,
        now: Now,
        actions: &mut Vec<Action>,
    ) {
        let seen_at = self.cursors_asked.take().unwrap_or(DateTime::<Utc>::MIN_UTC);
        let cursors = match result {
            Ok(cursors) => cursors,
            Err(failure) => {
                self.take_unseen(asked, seen_at);
                // Of those that arrive the next reading asks again.
                self.cursors_may_be_asked = false;
                // What was looked for of others the claim will tell.
                if !self.arriving.is_empty() {
                    self.note_trouble(Asked::Cursors, Some(&failure), actions);
                    self.reading.due_at = self.reading.due_at.min(now.mono + READ_AGAIN);
                }
                return;
            }
        };
        self.note_trouble(Asked::Cursors, None, actions);
        for task_id in asked.iter().copied() {
            if self.checking.remove(&task_id) {
                self.on_checked(task_id, cursors.get(&task_id).copied(), seen_at);
            }
            let (is_asked, adopted_at) = (self.arriving.remove(&task_id), self.adopted_at);
            let Some(live) = self.live_mut(task_id).filter(|_| is_asked) else { continue };
            live.seen_at = seen_at;
            let facts = window::Facts {
                edited_at: live.task.anchor.updated_at,
                adopted_at,
                last_accounted: cursors.get(&task_id).copied(),
                is_new_spec: std::mem::take(&mut live.has_new_spec),
            };
            let grace = live.task.policy.misfire_grace_time;
            live.accounted = Some(window::opens(&live.task.trigger, facts, grace));
            let task_key = Arc::clone(&live.task.key);
            let next = live.next_to_say(now);
            actions.push(Action::Report(Notice::Scheduled { task_id, task_key, next }));
            self.load_mut(task_id).has_waited = false;
            self.plan_next(task_id);
        }
        if self.arriving.is_empty() {
            self.say_first_reading(actions);
        }
    }

    /// What others left of a task is ours now.
    fn on_checked(&mut self, task_id: TaskId, last: Option<DateTime<Utc>>, seen_at: DateTime<Utc>) {
        let Some(Known::Live(live)) = self.known.get_mut(&task_id) else { return };
        live.seen_at = seen_at;
        let news = live.accounted.zip(last).filter(|(accounted, last)| last > accounted);
        if let Some((_, last)) = news {
            live.accounted = Some(last);
        }
        live.is_left = live.next_due(&self.share).is_some_and(|due| due <= seen_at);
        if news.is_some() {
            self.load_mut(task_id).has_waited = false;
        }
        self.plan_next(task_id);
    }

    /// Whether others took what is due of these tasks could not be seen: the claim will tell.
    fn take_unseen(&mut self, asked: &[TaskId], seen_at: DateTime<Utc>) {
        for task_id in asked.iter().copied() {
            if self.checking.remove(&task_id) {
                if let Some(live) = self.live_mut(task_id) {
                    live.seen_at = seen_at;
                }
                self.plan_next(task_id);
            }
        }
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
    fn next_to_say(&self, now: Now) -> Option<DateTime<Utc>> {
        let accounted = self.accounted?;
        let trigger = &self.task.trigger;
        trigger.next_after(accounted.max(now.wall)).or_else(|| trigger.next_after(accounted))
    }
}
