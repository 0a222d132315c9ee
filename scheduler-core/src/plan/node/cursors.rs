//! Up to where each task is accounted for: asked of those that arrive, and of those whose fires others should have taken.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};

use super::{Action, Asked, Call, Failure, Node, Notice, known::Known};
use crate::plan::{Now, task::TaskId, window};

impl Node {
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
                    let again = now.mono + self.read_again_after();
                    self.reading.due_at = self.reading.due_at.min(again);
                }
                return;
            }
        };
        // An answer about others says nothing of those that arrive.
        if self.arriving.is_empty() || asked.iter().any(|task_id| self.arriving.contains(task_id)) {
            self.note_trouble(Asked::Cursors, None, actions);
        }
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
}
