//! What the executions say of an instant: what became of each attempt, or of the gap in which it lies.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Answer, Facts, Why};
use crate::plan::{
    duration,
    execution::{ExecutionRow, Source, Status, why_of},
    node::NodeRow,
    task::Overlap,
};

impl Facts<'_> {
    pub(super) fn of_executions(&self, last: &ExecutionRow, now: DateTime<Utc>) -> Why {
        let mut because = Vec::new();
        for row in self.here {
            because.push(self.of_execution(row, now));
            match status(row) {
                Some(Status::Skipped) => because.push(self.what_it_was_skipped_for(row)),
                Some(Status::Missed) => because.push(self.what_held_it_up(now)),
                Some(Status::Todo) => because.extend(self.of_the_node_of(row)),
                _ => {}
            }
        }
        if let Some(retry) = self.waiting.iter().find(|one| one.is_retry_of(self.at)) {
            let (attempt, due) = (retry.attempt, self.show(retry.due_at));
            because.push(format!("attempt {attempt} waits, and is due at {due}"));
        }
        // A status that somebody wrote by hand says no more than that there is a row.
        let status = status(last).unwrap_or(Status::Todo);
        Why { answer: Answer::Recorded(status), because }
    }

    pub(super) fn of_execution(&self, row: &ExecutionRow, now: DateTime<Utc>) -> String {
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
            // When a run began is written with its outcome, which nobody has of one whose node is gone.
            (Some(Status::Lost), None) if !reason.ends_with(" before the run began") => {
                text + &format!(
                    " was open on node {node}, and may have begun: {}{reason}",
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
        match self.before.iter().find(was_open) {
            Some(row) => self.still_ran(row),
            None => "which run that was is not known any more".to_owned(),
        }
    }

    fn still_ran(&self, row: &ExecutionRow) -> String {
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
    pub(super) fn reaches_back(&self, row: &ExecutionRow) -> bool {
        let is_instant =
            self.row.and_then(|row| row.task).is_none_or(|task| self.is_instant_of(task));
        let extra = extra(row);
        let first = extra["first"].as_str().and_then(|first| first.parse::<DateTime<Utc>>().ok());
        is_instant
            && status(row) == Some(Status::Missed)
            && first.is_some_and(|first| first <= self.at)
    }

    pub(super) fn of_missed(&self, row: &ExecutionRow, now: DateTime<Utc>) -> Why {
        let extra = extra(row);
        let count = extra["count"].as_u64().unwrap_or(1);
        let reason = reason(row).unwrap_or_else(|| "no reason is recorded".to_owned());
        let row = format!(
            "execution {} stands for it and {} more: {reason}",
            row.id,
            count.saturating_sub(1)
        );
        let because = vec![row, self.what_held_it_up(now)];
        Why { answer: Answer::Recorded(Status::Missed), because }
    }

    /// Why the instant was missed: where fires wait for each other the run before, else whoever was up, or nobody.
    fn what_held_it_up(&self, now: DateTime<Utc>) -> String {
        let queues = self.row.and_then(|row| row.task);
        let queues = queues.is_some_and(|task| task.policy.overlap == Overlap::Queue);
        let was_open = |row: &&ExecutionRow| {
            row.created_at.is_some_and(|begun| begun <= self.at)
                && row.finished_at.is_none_or(|end| end >= self.at)
        };
        match self.before.iter().find(was_open).filter(|_| queues) {
            Some(row) => self.still_ran(row),
            None => self.who_was_up(now),
        }
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
}

fn node_of(row: &ExecutionRow) -> &str {
    row.node_id.as_deref().unwrap_or("that is not known")
}

/// `null`: written by hand.
fn extra(row: &ExecutionRow) -> serde_json::Value {
    serde_json::from_str(&row.extra).unwrap_or_default()
}

/// `None`: written by hand.
pub(super) fn status(row: &ExecutionRow) -> Option<Status> {
    row.status.parse().ok()
}

fn reason(row: &ExecutionRow) -> Option<String> {
    why_of(&extra(row)).map(str::to_owned)
}
