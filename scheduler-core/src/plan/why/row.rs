//! What the row says of an instant of which nothing is recorded.

use std::{cmp::Reverse, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Answer, Facts, Paused, State, Why, records::status};
use crate::plan::{
    duration,
    execution::{ExecutionRow, Status},
    task::{Overlap, Task},
    words::quote,
};

impl Facts<'_> {
    pub(super) fn of_row(&self, now: DateTime<Utc>) -> Why {
        let Some(row) = self.row else {
            return because(
                Answer::Gone,
                "the row is deleted, and nothing of this instant is recorded",
            );
        };
        if let Some(created) = row.created_at.filter(|created| *created > self.at) {
            let text = format!("the row was made later, at {}", self.show(created));
            return because(Answer::Younger, &text);
        }
        if let Some(not_due) = row.task.and_then(|task| self.is_not_due(task)) {
            return not_due;
        }
        if self.adopted_at > self.at {
            let text = format!(
                "the scheduler came to this database later, at {}",
                self.show(self.adopted_at)
            );
            return because(Answer::Younger, &text);
        }
        if let Some(edited) = row.edited_at.filter(|edited| *edited > self.at) {
            return because(Answer::EditedSince, &self.of_edit(row.state, edited));
        }
        if let Some(removed) = self.of_removed() {
            return removed;
        }
        let since = row.edited_at.map_or_else(String::new, |at| {
            format!(", and so since {} at the latest", self.show(at))
        });
        match row.state {
            State::Disabled => {
                let off = format!("the row is disabled: is_valid is 0{since}");
                let Some(pause) = self.pause else { return because(Answer::Disabled, &off) };
                let ends_before = pause.until.is_some_and(|until| until <= self.at);
                let answer =
                    if ends_before && self.at > now { Answer::NotYet } else { Answer::Paused };
                Why { answer, because: vec![self.of_pause(&pause), off] }
            }
            State::Rejected(reason) => {
                because(Answer::Rejected, &format!("the row is rejected{since}: {reason}"))
            }
            State::Enabled if self.at > now => {
                let wait = whole_seconds(self.at - now);
                because(
                    Answer::NotYet,
                    &format!("it fires in {wait}, unless the row is edited until then"),
                )
            }
            State::Enabled => self.of_due(row.task, now),
        }
    }

    fn of_pause(&self, pause: &Paused<'_>) -> String {
        let Paused { at, until, reason, author } = *pause;
        let by = if author.is_empty() { String::new() } else { format!(" by {}", quote(author)) };
        let until = match until {
            None => "until somebody enables it".to_owned(),
            Some(until) if until <= self.at => {
                format!("until {}, when it is enabled again, before this instant", self.show(until))
            }
            Some(until) => format!("until {}", self.show(until)),
        };
        let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        format!("it was paused{by} at {}, {until}{reason}", self.show(at))
    }

    /// What is accounted for ends with the newest record of the schedule, which is never removed.
    fn of_removed(&self) -> Option<Why> {
        let later = self.next?.scheduled_at?;
        let text = format!(
            "a later instant, {}, is accounted for, so this one was, too: its record was removed, by [retention] or by hand",
            self.show(later)
        );
        Some(because(Answer::Removed, &text))
    }

    fn of_edit(&self, state: State<'_>, edited: DateTime<Utc>) -> String {
        let is = match state {
            State::Enabled => "enabled",
            State::Disabled => "disabled",
            State::Rejected(_) => "rejected",
        };
        format!(
            "the row is {is} now, and was edited at {}, after this instant, which was not accounted for by then: it was \
             disabled or rejected, or had another spec, or the instant waited and the edit has ended that; the history of \
             edits tells more",
            self.show(edited)
        )
    }

    fn is_not_due(&self, task: &Task) -> Option<Why> {
        if self.is_instant_of(task) {
            return None;
        }
        let spec = format!("{} {}", task.trigger.kind(), quote(&task.spec));
        let show =
            |at: Option<DateTime<Utc>>| at.map_or_else(|| "none".to_owned(), |at| self.show(at));
        let last = show(task.trigger.last_until(self.at));
        let next = show(task.trigger.next_after(self.at));
        let mut sentences = vec![format!(
            "{spec} has no such instant: the one before is {last}, the one after {next}"
        )];
        sentences.extend(self.clocks_were_changed(task));
        Some(Why { answer: Answer::NotDue, because: sentences })
    }

    fn clocks_were_changed(&self, task: &Task) -> Option<String> {
        let (at, forward) = task.zone.change_near(self.at)?;
        let by = duration::show(forward.abs().to_std().unwrap_or_default());
        let (zone, at) = (task.zone.name(), self.show(at));
        Some(if forward > TimeDelta::zero() {
            format!(
                "the clocks of {zone} went forward by {by} at {at}: the times between did not exist, and what is due at a fixed time then fires there"
            )
        } else {
            format!(
                "the clocks of {zone} went back by {by} at {at}: what comes twice fires once, the first time"
            )
        })
    }

    fn of_due(&self, task: Option<&Task>, now: DateTime<Utc>) -> Why {
        let late = whole_seconds(now - self.at);
        let queues = task.is_some_and(|task| task.policy.overlap == Overlap::Queue);
        let is_open = |row: &&ExecutionRow| status(row) == Some(Status::Todo);
        if let Some(open) = self.before.iter().find(is_open).filter(|_| queues) {
            let text = format!(
                "due for {late}, and waits its turn (overlap is \"queue\"): {}",
                self.of_execution(open, now)
            );
            return because(Answer::Waiting, &text);
        }
        let alive = self.nodes.iter().filter(|node| self.is_alive(node));
        let alive: Vec<&str> = alive.map(|node| node.id.as_str()).collect();
        let who = if alive.is_empty() {
            match self.nodes.iter().min_by_key(|node| Reverse(node.heartbeat_at)) {
                Some(node) => format!(
                    "no scheduler is up; node {} was heard of last at {}",
                    node.id,
                    self.show(node.heartbeat_at)
                ),
                None => "no scheduler is up".to_owned(),
            }
        } else {
            format!("up: node {}; its log says what keeps it", alive.join(", "))
        };
        Why {
            answer: Answer::Overdue,
            because: vec![format!("due for {late}, and not claimed yet"), who],
        }
    }
}

fn because(answer: Answer, sentence: &str) -> Why {
    Why { answer, because: vec![sentence.to_owned()] }
}

fn whole_seconds(span: TimeDelta) -> String {
    duration::show(Duration::from_secs(span.num_seconds().unsigned_abs()))
}
