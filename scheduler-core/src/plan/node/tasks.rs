//! From a reading of the tables to the timetable: new, changed, disabled, deleted and rejected rows.
//!
//! Of a live task only `is_valid` and `spec` are read again. Anything else that was edited is said once and
//! takes effect when the task is disabled and enabled again. A row that does not parse harms only itself.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use super::{
    Action, Asked, Failure, Node, Notice, Reading, Wanted,
    known::{Columns, Known, Live, Rejection},
};
use crate::plan::{
    Now,
    difference::Seen,
    lateness::Load,
    task::{TaskError, TaskFault, TaskId, TaskRow, Validity, doubtful_keys},
};

/// Shortest time between a reading that failed, whose rows a claim did not find so or somebody edited, and the next.
pub(super) const READ_AGAIN: Duration = Duration::from_millis(500);

/// A reading of all rows that takes longer than this part of the time between two readings is followed by some that bring only
/// what was edited, until the time that all rows cost is this part of all time: 1 %.
const WHOLE_READINGS_TAKE: u32 = 100;

/// All rows are read so often at least.
const WHOLE_AFTER: Duration = Duration::from_secs(5 * 60);

/// A reading of what was edited goes back beyond the reading before it by so much: an edit is seen when it is committed, and
/// its `update_at`, in whole seconds, is from when it was made.
const OVERLAP: Duration = Duration::from_secs(60);

/// What a reading showed counts for so long at least: it may take as long as a call to the database does by default, and
/// the one before it, too.
const SEEN_FOR: Duration = Duration::from_secs(10);

impl Node {
    pub(super) fn on_read(
        &mut self,
        seen: Seen,
        result: Result<Box<Reading>, Failure>,
        now: Now,
        actions: &mut Vec<Action>,
    ) {
        // What was to be looked at again since it was asked for.
        let wishes = std::mem::replace(&mut self.seen, seen);
        self.seen.look_again_as(wishes);
        let reading = match result {
            Ok(reading) => reading,
            Err(failure) => {
                self.note_trouble(Asked::Rows, Some(&failure), actions);
                self.failed_reading = Some(self.read_started.mono);
                self.reading.end(now, now.mono + self.read_again_after());
                return;
            }
        };
        self.failed_reading = None;
        self.reading.end(now, now.mono + self.settings.sync_interval);
        self.note_trouble(Asked::Rows, None, actions);
        if self.arriving.is_empty() {
            // Perhaps nobody asks for them again.
            self.note_trouble(Asked::Cursors, None, actions);
        }
        // Heard after a freeze it shows what stood before. Once: a database may be as slow as that.
        let is_old = self.is_blind_since(self.read_started.wall, now.wall);
        let was_old = std::mem::replace(&mut self.read_was_old, is_old);
        if is_old && !was_old {
            self.reading.hurry();
        }
        self.cancel(&reading.cancels, now, actions);
        if self.is_stopping() {
            return;
        }
        self.adopted_at = reading.adopted_at;
        self.forget_deleted(&reading.gone, actions);
        let shows_all = reading.shows_all;
        if shows_all {
            let doing = reading.doing.into_iter();
            self.suspects = doing.filter(|id| !self.runs_here(*id)).collect();
        }
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
        if self.claims.failing() > 0 {
            self.forget_what_fails_no_more(reading.is_whole);
        }
        self.last_good_read = self.read_started.wall;
        self.last_read = Some(self.read_started.mono);
        if shows_all {
            self.last_whole_read = self.read_started.wall;
            let took = now.mono.saturating_sub(self.read_started.mono);
            self.whole_again_at = now.mono + self.whole_again_after(took);
        }
        self.loads.retain(|_, load| *load != Load::default());
        if self.arriving.is_empty() {
            self.say_first_reading(actions);
        }
        // What could not be asked is asked again now.
        self.cursors_may_be_asked = true;
    }

    /// Nobody will ask for it again.
    fn forget_what_fails_no_more(&mut self, all_requests_are_known: bool) {
        let asked = all_requests_are_known.then(|| self.requests.tasks());
        let known = &self.known;
        self.claims.retain(|wanted| match wanted {
            Wanted::Asked(task_id) => asked.as_ref().is_none_or(|asked| asked.contains(task_id)),
            Wanted::Fire(task_id) => matches!(known.get(task_id), Some(Known::Live(_))),
        });
    }

    /// How soon after a failure the rows are read again.
    pub(super) fn read_again_after(&self) -> Duration {
        (self.settings.sync_interval / 10).max(READ_AGAIN)
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

    fn forget_deleted(&mut self, gone: &[TaskId], actions: &mut Vec<Action>) {
        for id in gone.iter().copied() {
            if let Some(Known::Live(live)) = self.known.get(&id) {
                actions.push(Action::Report(Notice::Deleted(id, Arc::clone(&live.task.key))));
            }
            self.claims.forget(Wanted::Asked(id));
            self.replace(id, None);
        }
    }

    /// Puts `known` in the place of what was known of `id`, and clears what hung on it.
    fn replace(&mut self, id: TaskId, known: Option<Known>) {
        let before = self.known.remove(&id);
        if let Some(before) = &before {
            *self.rows.like(before) -= 1;
        }
        if let Some(Known::Live(live)) = before {
            self.keys.remove(&live.task.key);
            self.timetable.remove(id);
            self.arriving.remove(&id);
            self.checking.remove(&id);
        }
        if let Some(known) = known {
            *self.rows.like(&known) += 1;
            self.known.insert(id, known);
        }
    }

    fn runs_here(&self, id: TaskId) -> bool {
        let load = self.load(id);
        load.running + load.unrecorded > 0
            || matches!(self.known.get(&id), Some(Known::Live(live)) if live.is_claiming)
    }

    fn read_row(&mut self, row: &TaskRow, was_blind: bool, actions: &mut Vec<Action>) {
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
        let is_final = !matches!(error.fault, TaskFault::DuplicateKey { .. });
        if !is_final {
            // A key is free again when the other row goes.
            self.seen.look_again(row.id);
        }
        let rejection = Rejection::of(row, is_final);
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
        let as_before = Rejection::of(row, true);
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
        let live = Live::new(task, row);
        self.replace(row.id, Some(Known::Live(Box::new(live))));
    }

    fn reread_live(&mut self, row: &TaskRow, was_blind: bool, actions: &mut Vec<Action>) {
        let last_shown = self.last_shown(row.updated_at);
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
            Err(error) if self.reader.read(row).is_err() => {
                return self.reject(row, error, actions);
            }
            // It goes with the other columns as they are now: with them the task begins anew.
            Err(_) => {
                self.replace(row.id, None);
                return self.welcome(row, actions);
            }
        };
        // Where `update_at` did not move with the edit, the last reading that showed the old spec bounds it.
        live.task.anchor.updated_at = moved.unwrap_or(last_shown);
        live.task.trigger = trigger;
        live.planned = None;
        live.has_new_spec = true;
        actions.push(Action::Report(Notice::SpecChanged {
            task_id: row.id,
            task_key: Arc::clone(&live.task.key),
            old: std::mem::replace(&mut live.task.spec, spec),
            new: Arc::clone(&live.task.spec),
        }));
        self.claims.forget(Wanted::Fire(row.id));
        self.open_anew(row.id);
    }

    /// The last reading that showed a row whose `update_at` is this, if that was its `update_at` then.
    fn last_shown(&self, updated_at: Option<DateTime<Utc>>) -> DateTime<Utc> {
        let age = |at: DateTime<Utc>| self.last_good_read.signed_duration_since(at).to_std();
        let is_old = updated_at.is_none_or(|at| age(at).is_ok_and(|age| age > OVERLAP / 2));
        if is_old { self.last_whole_read } else { self.last_good_read }
    }

    /// How long after a reading of all rows that took so long the rows that nobody edited need not be read again.
    fn whole_again_after(&self, took: Duration) -> Duration {
        let pause = WHOLE_READINGS_TAKE * took;
        if pause <= self.settings.sync_interval { Duration::ZERO } else { pause.min(WHOLE_AFTER) }
    }

    /// Which rows the next reading need bring: those that were edited within this time; `None`: all.
    pub(super) fn only_edited_within(&self, now: Now) -> Option<Duration> {
        let is_large = self.known.len() > self.settings.small_table;
        let last_read = self.last_read.filter(|_| is_large && now.mono < self.whole_again_at)?;
        Some(now.mono.saturating_sub(last_read) + OVERLAP)
    }

    /// Whether nothing was read for so long that a row may have been disabled and enabled again without being seen
    /// disabled, by a reading or by a claim.
    pub(super) fn is_blind_since(&self, last_good_read: DateTime<Utc>, at: DateTime<Utc>) -> bool {
        let span = (at - last_good_read).to_std().unwrap_or_default();
        span > (2 * self.settings.sync_interval).max(SEEN_FOR)
    }

    /// As for a new row, the database says what is accounted for.
    fn open_anew(&mut self, id: TaskId) {
        if let Some(live) = self.live_mut(id) {
            live.accounted = None;
        }
        self.timetable.remove(id);
        self.arriving.insert(id);
    }

    pub(super) fn say_first_reading(&mut self, actions: &mut Vec<Action>) {
        if !std::mem::replace(&mut self.has_read, true) {
            actions.push(Action::Report(Notice::FirstReading(self.rows)));
        }
    }
}
