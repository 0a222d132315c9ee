//! Why an instant of a task ran, or did not: the answer in words, from what is recorded.
//!
//! ```text
//!   executions of the instant ─▶ what became of each attempt
//!   the next accounted one is `missed` and reaches back to it ─▶ missed, and who was up then
//!   neither ─▶ what the row says: gone, younger, edited since, disabled, rejected, not due, not yet, waiting, overdue
//! ```
//!
//! Says only what the records bear out: what a row said before its last edit nobody knows.

use std::{cmp::Reverse, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    claim::{Origin, Request},
    duration,
    execution::{ExecutionRow, Source, Status},
    node::NodeRow,
    task::{Overlap, Task},
    trigger::Zone,
    words::quote,
};

#[cfg(test)]
mod tests;

/// What is known of an instant of a task.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The instant in question.
    pub at: DateTime<Utc>,
    /// The row; `None`: it is deleted.
    pub row: Option<Row<'a>>,
    /// When this database was first migrated.
    pub adopted_at: DateTime<Utc>,
    /// The executions of the instant, by attempt.
    pub here: &'a [ExecutionRow],
    /// The execution of the next instant that the schedule accounted for.
    pub next: Option<&'a ExecutionRow>,
    /// Executions of earlier instants that were to run, the latest first.
    pub before: &'a [ExecutionRow],
    /// What waits outside of the schedule, of this task.
    pub waiting: &'a [Request],
    /// The nodes that are remembered.
    pub nodes: &'a [NodeRow],
    /// `lease` of the configuration.
    pub lease: Duration,
    /// The zone in which instants are shown.
    pub zone: &'a Zone,
}

/// A row of `task` as it stands now.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Whether it is switched on and accepted.
    pub state: State<'a>,
    /// What it means, if it can be read.
    pub task: Option<&'a Task>,
    /// `create_at`.
    pub created_at: Option<DateTime<Utc>>,
    /// `update_at`.
    pub edited_at: Option<DateTime<Utc>>,
}

/// What the scheduler makes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State<'a> {
    /// It fires.
    Enabled,
    /// `is_valid` is 0.
    Disabled,
    /// Refused, for this reason.
    Rejected(&'a str),
}

/// What became of an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has an execution, of which the last attempt stands so.
    Recorded(Status),
    /// The schedule has no such instant.
    NotDue,
    /// It lies ahead.
    NotYet,
    /// It is due and waits for an earlier run of the task.
    Waiting,
    /// It is due, and nobody has claimed it.
    Overdue,
    /// The row is off.
    Disabled,
    /// The row is refused.
    Rejected,
    /// The row, or the whole database, came to the scheduler only later.
    Younger,
    /// The row was edited since, and says nothing of the time before.
    EditedSince,
    /// The row is deleted.
    Gone,
}

impl Answer {
    /// One word, as programs see it: a status of `execute_task`, or what else it is.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Answer::Recorded(status) => status.as_str(),
            Answer::NotDue => "not_due",
            Answer::NotYet => "not_yet",
            Answer::Waiting => "waiting",
            Answer::Overdue => "overdue",
            Answer::Disabled => "disabled",
            Answer::Rejected => "rejected",
            Answer::Younger => "younger",
            Answer::EditedSince => "edited_since",
            Answer::Gone => "gone",
        }
    }
}

/// An answer with its reasons, a sentence each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// In a word.
    pub answer: Answer,
    /// In words, the most important first.
    pub because: Vec<String>,
}

/// Why the instant ran, or did not, as far as is known at `now`.
#[must_use]
pub fn why(facts: &Facts<'_>, now: DateTime<Utc>) -> Why {
    if let Some(last) = facts.here.last() {
        return facts.of_executions(last, now);
    }
    if let Some(missed) = facts.next.filter(|next| facts.reaches_back(next)) {
        return facts.of_missed(missed, now);
    }
    facts.of_row(now)
}

impl Facts<'_> {
    fn of_executions(&self, last: &ExecutionRow, now: DateTime<Utc>) -> Why {
        let mut because = Vec::new();
        for row in self.here {
            because.push(self.of_execution(row, now));
            match status(row) {
                Some(Status::Skipped) => because.push(self.what_it_was_skipped_for(row)),
                Some(Status::Missed) => because.push(self.who_was_up(now)),
                Some(Status::Todo) => because.extend(self.of_the_node_of(row)),
                _ => {}
            }
        }
        let is_retry = |one: &&Request| one.origin == Origin::Retry && one.scheduled_at == self.at;
        if let Some(retry) = self.waiting.iter().find(is_retry) {
            let (attempt, due) = (retry.attempt, self.show(retry.due_at));
            because.push(format!("attempt {attempt} waits, and is due at {due}"));
        }
        // A status that somebody wrote by hand says no more than that there is a row.
        let status = status(last).unwrap_or(Status::Todo);
        Why { answer: Answer::Recorded(status), because }
    }

    fn of_execution(&self, row: &ExecutionRow, now: DateTime<Utc>) -> String {
        let mut text = format!("execution {}", row.id);
        if row.source == Source::Manual.as_str() {
            text += ", which somebody asked for,";
        } else if row.attempt > 1 {
            text += &format!(", attempt {},", row.attempt);
        }
        let node = node_of(row);
        let reason = reason(row).map(|reason| format!(": {reason}")).unwrap_or_default();
        match (status(row), row.started_at.zip(row.finished_at)) {
            (Some(Status::Todo), _) => {
                let claimed_at = row.created_at.map_or_else(String::new, |at| {
                    let since = (now - at).to_std().unwrap_or_default().as_secs();
                    format!(
                        " since {} ({})",
                        self.show(at),
                        duration::show(Duration::from_secs(since))
                    )
                });
                text + &format!(" is open on node {node}{claimed_at}")
            }
            (Some(Status::Missed | Status::Skipped), _) => {
                text + &format!(" accounts for it: {}{reason}", row.status)
            }
            (_, Some((started, finished))) => {
                let took = duration::show((finished - started).to_std().unwrap_or_default());
                let started = self.show(started);
                text + &format!(
                    " ran on node {node} from {started} for {took}: {}{reason}",
                    row.status
                )
            }
            (_, None) => text + &format!(" never began on node {node}: {}{reason}", row.status),
        }
    }

    fn what_it_was_skipped_for(&self, skipped: &ExecutionRow) -> String {
        // Claims are written in whole seconds.
        let claimed_at = skipped.created_at.unwrap_or(self.at);
        let was_open = |row: &&ExecutionRow| row.finished_at.is_none_or(|end| end >= claimed_at);
        let Some(row) = self.before.iter().find(was_open) else {
            return "which run that was is not known any more".to_owned();
        };
        let fire = row.scheduled_at.map_or_else(String::new, |at| format!(" of {}", self.show(at)));
        let node = node_of(row);
        let end = match row.finished_at {
            Some(end) => format!("it ended at {}: {}", self.show(end), row.status),
            None => "it is open still".to_owned(),
        };
        format!("execution {}{fire} still ran on node {node}; {end}", row.id)
    }

    fn of_the_node_of(&self, row: &ExecutionRow) -> Option<String> {
        let node = self.nodes.iter().find(|node| Some(&node.id) == row.node_id.as_ref())?;
        (!self.is_alive(node)).then(|| {
            let (heard, lease) = (self.show(node.heartbeat_at), duration::show(self.lease));
            format!(
                "that node was heard of last at {heard}: the next scheduler that looks records the execution as lost, \
                 {lease} after that at the earliest"
            )
        })
    }

    /// Whether `row` is a `missed` row that stands for the instant, too.
    fn reaches_back(&self, row: &ExecutionRow) -> bool {
        let is_instant =
            self.row.and_then(|row| row.task).is_none_or(|task| self.is_instant_of(task));
        let extra = extra(row);
        let first = extra["first"].as_str().and_then(|first| first.parse::<DateTime<Utc>>().ok());
        is_instant
            && status(row) == Some(Status::Missed)
            && first.is_some_and(|first| first <= self.at)
    }

    fn of_missed(&self, row: &ExecutionRow, now: DateTime<Utc>) -> Why {
        let extra = extra(row);
        let count = extra["count"].as_u64().unwrap_or(1);
        let reason = reason(row).unwrap_or_else(|| "no reason is recorded".to_owned());
        let row = format!(
            "execution {} stands for it and {} more: {reason}",
            row.id,
            count.saturating_sub(1)
        );
        Why { answer: Answer::Recorded(Status::Missed), because: vec![row, self.who_was_up(now)] }
    }

    /// Which schedulers were up at the instant, or between which two of them it lies.
    fn who_was_up(&self, now: DateTime<Utc>) -> String {
        let end = |node: &NodeRow| {
            if self.is_alive(node) { now } else { node.left_at.unwrap_or(node.heartbeat_at) }
        };
        let up =
            self.nodes.iter().filter(|node| node.started_at <= self.at && self.at <= end(node));
        let up: Vec<&str> = up.map(|node| node.id.as_str()).collect();
        if !up.is_empty() {
            return format!(
                "up then: node {}; it was frozen, cut off from the database, full or off by its clock, which its log says",
                up.join(", ")
            );
        }
        let last =
            self.nodes.iter().filter(|node| end(node) < self.at).max_by_key(|node| end(node));
        let next = self
            .nodes
            .iter()
            .filter(|node| node.started_at > self.at)
            .min_by_key(|node| node.started_at);
        let from = last.map(|node| {
            let how = if node.left_at.is_some() { "stopped" } else { "was heard of last" };
            format!(" from {}, when node {} {how},", self.show(end(node)), node.id)
        });
        let to = next.map(|node| {
            format!(" until {}, when node {} started", self.show(node.started_at), node.id)
        });
        match (from, to) {
            (None, None) => "no scheduler is known to have been up at any time near it".to_owned(),
            (from, to) => {
                format!("no scheduler was up{}{}", from.unwrap_or_default(), to.unwrap_or_default())
                    .trim_end_matches(',')
                    .to_owned()
            }
        }
    }

    fn is_instant_of(&self, task: &Task) -> bool {
        task.trigger.last_until(self.at) == Some(self.at)
    }

    fn is_alive(&self, node: &NodeRow) -> bool {
        node.left_at.is_none() && node.silent_for <= self.lease
    }

    fn of_row(&self, now: DateTime<Utc>) -> Why {
        let Some(row) = self.row else {
            return because(
                Answer::Gone,
                "the row is deleted, and nothing of this instant is recorded",
            );
        };
        if let Some(not_due) = row.task.and_then(|task| self.is_not_due(task)) {
            return not_due;
        }
        if let Some(created) = row.created_at.filter(|created| *created > self.at) {
            let text = format!("the row was made later, at {}", self.show(created));
            return because(Answer::Younger, &text);
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
        let since = row.edited_at.map_or_else(String::new, |at| {
            format!(", and so since {} at the latest", self.show(at))
        });
        match row.state {
            State::Disabled => {
                because(Answer::Disabled, &format!("the row is disabled: is_valid is 0{since}"))
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

    fn of_edit(&self, state: State<'_>, edited: DateTime<Utc>) -> String {
        let is = match state {
            State::Enabled => "enabled",
            State::Disabled => "disabled",
            State::Rejected(_) => "rejected",
        };
        format!(
            "the row is {is} now, and was edited at {}, after this instant: before that it was disabled or rejected, or had \
             another spec; what it said then is not recorded",
            self.show(edited)
        )
    }

    fn is_not_due(&self, task: &Task) -> Option<Why> {
        if self.is_instant_of(task) {
            return None;
        }
        let spec = format!("{} {}", task.trigger.kind(), quote(&task.spec));
        let show =
            |at: Option<DateTime<Utc>>| at.map_or_else(|| "never".to_owned(), |at| self.show(at));
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

    fn show(&self, at: DateTime<Utc>) -> String {
        self.zone.to_local(at)
    }
}

fn because(answer: Answer, sentence: &str) -> Why {
    Why { answer, because: vec![sentence.to_owned()] }
}

fn whole_seconds(span: TimeDelta) -> String {
    duration::show(Duration::from_secs(span.num_seconds().unsigned_abs()))
}

fn node_of(row: &ExecutionRow) -> &str {
    row.node_id.as_deref().unwrap_or("that is not known")
}

/// `null`: written by hand.
fn extra(row: &ExecutionRow) -> serde_json::Value {
    serde_json::from_str(&row.extra).unwrap_or_default()
}

/// `None`: written by hand.
fn status(row: &ExecutionRow) -> Option<Status> {
    row.status.parse().ok()
}

fn reason(row: &ExecutionRow) -> Option<String> {
    let extra = extra(row);
    Some(extra["err"].as_str().or(extra["reason"].as_str())?.to_owned())
}
