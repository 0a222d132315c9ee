//! From what a node hears, does and says to signs.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};

use super::{Rule, Sign};
use crate::plan::{
    claim::Origin,
    duration,
    execution::{ExecutionId, Status, why_of},
    node::{Ended, Ending, Event, Health, Notice, Overdue, Run},
    task::TaskId,
    words::instant,
};

/// From when on something is a sign.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// So many failures of a task in a row.
    pub failing: u32,
    /// A fire began so long after its instant.
    pub late: Duration,
    /// A run takes so many times as long as the longest of its task's last 20 that succeeded, and a minute longer.
    pub slow: u32,
}

/// Runs of a task by which it is known how long they take.
const HABIT: usize = 20;

/// Fewer tell nothing.
const LEAST_HABIT: usize = 5;

/// A run is not slow before it takes so much longer.
const SLOW_BY: Duration = Duration::from_secs(60);

/// Tasks whose runs are remembered at once.
const MOST_TASKS: usize = 10_000;

/// From what a node hears, does and says to signs.
#[derive(Debug)]
pub struct Signs {
    limits: Limits,
    node: Arc<str>,
    /// Runs of fires that did not end yet, and those that run.
    fires: HashSet<ExecutionId>,
    running: HashMap<ExecutionId, Running>,
    tasks: HashMap<Arc<str>, Habit>,
    /// Rows that were told to be rejected.
    rejected: BTreeSet<TaskId>,
    /// The last fire of each task that was found overdue the last time.
    overdue: BTreeMap<Arc<str>, DateTime<Utc>>,
}

#[derive(Debug)]
struct Running {
    task_key: Arc<str>,
    began_at: DateTime<Utc>,
    is_slow: bool,
}

/// What is known of a task by its runs here.
#[derive(Debug, Default)]
struct Habit {
    /// `None`: it did not run here yet.
    task_id: Option<TaskId>,
    failures: u32,
    took: VecDeque<Duration>,
}

impl Habit {
    /// From when on a run is slow; `None`: too few ran yet.
    fn slow(&self, times: u32) -> Option<Duration> {
        let longest = self.took.iter().max().filter(|_| self.took.len() >= LEAST_HABIT)?;
        Some((*longest * times).max(*longest + SLOW_BY))
    }
}

impl Signs {
    /// Those of the node `id`.
    #[must_use]
    pub fn new(id: &Arc<str>, limits: Limits) -> Self {
        Self {
            limits,
            node: Arc::clone(id),
            fires: HashSet::new(),
            running: HashMap::new(),
            tasks: HashMap::new(),
            rejected: BTreeSet::new(),
            overdue: BTreeMap::new(),
        }
    }

    /// Something happened, of which the node has not heard yet.
    pub fn heard(&mut self, event: &Event) -> Vec<Sign> {
        let fires = event.won().filter(|(claim, _)| claim.origin == Origin::Schedule);
        self.fires.extend(fires.filter_map(|(_, run)| run));
        match event {
            Event::Recorded(outcomes, Ok(_)) => {
                for outcome in outcomes {
                    self.fires.remove(&outcome.execution_id);
                    self.running.remove(&outcome.execution_id);
                }
            }
            Event::Ended(ended) => {
                return ended.iter().filter_map(|ended| self.ended(ended)).collect();
            }
            _ => {}
        }
        Vec::new()
    }

    /// These runs begin now.
    pub fn started(&mut self, runs: &[Run], now: DateTime<Utc>) -> Vec<Sign> {
        let mut signs = Vec::new();
        for run in runs {
            let task_key = Arc::clone(&run.task_key);
            let late = (now - run.scheduled_at).to_std().unwrap_or_default();
            if self.fires.remove(&run.execution_id) && late > self.limits.late {
                let text = format!("execution {} began {} late", run.execution_id, show(late));
                signs.push(Sign::wrong(Rule::Late, &task_key, now, text));
            }
            if let Some(habit) = self.habit(&task_key) {
                habit.task_id = Some(run.task_id);
            }
            let running = Running { task_key, began_at: now, is_slow: false };
            self.running.insert(run.execution_id, running);
        }
        signs
    }

    fn ended(&mut self, ended: &Ended) -> Option<Sign> {
        let Running { task_key, .. } = self.running.remove(&ended.execution_id)?;
        if ended.result.is_err() {
            return None;
        }
        let habit = self.habit(&task_key)?;
        if habit.took.len() == HABIT {
            habit.took.pop_front();
        }
        let began_at = ended.started_at.unwrap_or(ended.finished_at);
        habit.took.push_back((ended.finished_at - began_at).to_std().unwrap_or_default());
        let failures = std::mem::take(&mut habit.failures);
        let text = format!("execution {} succeeded", ended.execution_id);
        (failures >= self.limits.failing)
            .then(|| Sign::right(Rule::Failing, &task_key, ended.finished_at, text))
    }

    /// `None`: there are too many already.
    fn habit(&mut self, task_key: &Arc<str>) -> Option<&mut Habit> {
        if self.tasks.len() >= MOST_TASKS && !self.tasks.contains_key(task_key) {
            return None;
        }
        Some(self.tasks.entry(Arc::clone(task_key)).or_default())
    }

    /// The node has something to say. Of rows every node says the same: only those that are its own by `is_mine` count.
    pub fn said(
        &mut self,
        notice: &Notice,
        is_mine: impl Fn(TaskId) -> bool,
        now: DateTime<Utc>,
    ) -> Vec<Sign> {
        match notice {
            Notice::Rejected(error)
                if is_mine(error.task_id) && self.rejected.len() < MOST_TASKS =>
            {
                self.rejected.insert(error.task_id);
                let (row, text) = (of_row(error.task_id), error.to_string());
                // The row is named by the line.
                let text = text.strip_prefix(&*row).unwrap_or(&text).trim_start_matches([':', ' ']);
                vec![Sign::wrong(Rule::Rejected, &row, now, text.to_owned())]
            }
            Notice::Disabled(_, task_key) | Notice::Deleted(_, task_key) => {
                let habit = self.tasks.remove(task_key);
                let was_failing = habit.is_some_and(|habit| habit.failures >= self.limits.failing);
                let text = "the task is switched off or deleted".to_owned();
                let over = was_failing.then(|| Sign::right(Rule::Failing, task_key, now, text));
                over.into_iter().collect()
            }
            Notice::Ending(ending) => self.ending(ending, now),
            Notice::Health(health) => self.health(health, now).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn ending(&mut self, ending: &Ending, now: DateTime<Utc>) -> Vec<Sign> {
        match ending {
            Ending::NotRun { task_key, status, scheduled_at, extra } => {
                let extra: serde_json::Value = serde_json::from_str(extra).unwrap_or_default();
                let reason = why_of(&extra).unwrap_or_default();
                let text = format!("{}: {status}: {reason}", fires(&extra, *scheduled_at));
                match status {
                    Status::Missed => vec![Sign::wrong(Rule::Missed, task_key, now, text)],
                    Status::Skipped => vec![Sign::wrong(Rule::Skipped, task_key, now, text)],
                    Status::Lost if extra["retry_at"].is_null() => self.failed(task_key, text, now),
                    _ => Vec::new(),
                }
            }
            Ending::RunFailed {
                task_key,
                execution_id,
                trace_id,
                status,
                reason,
                retry_at: None,
            } if *status != Status::Cancelled => {
                let text =
                    format!("execution {execution_id}: {status}: {reason} (trace {trace_id})");
                self.failed(task_key, text, now)
            }
            Ending::Lost { execution_id, task_id, node_id, is_retried } => {
                let node = node_id.as_deref().unwrap_or("unknown");
                let next = if *is_retried { "is tried again" } else { "is not tried again" };
                let text =
                    format!("execution {execution_id} of task {task_id} is lost, and {next}");
                vec![Sign::wrong(Rule::NodeLost, &node.into(), now, text)]
            }
            _ => Vec::new(),
        }
    }

    fn failed(&mut self, task_key: &Arc<str>, text: String, now: DateTime<Utc>) -> Vec<Sign> {
        let most = self.limits.failing;
        let failures = self.habit(task_key).map(|habit| {
            habit.failures = habit.failures.saturating_add(1);
            habit.failures
        });
        let failing = failures.filter(|failures| *failures >= most).map(|failures| {
            let text = format!("{failures} times in a row, at last {text}");
            Sign::wrong(Rule::Failing, task_key, now, text)
        });
        std::iter::once(Sign::wrong(Rule::Failed, task_key, now, text)).chain(failing).collect()
    }

    fn health(&self, health: &Health, now: DateTime<Utc>) -> Option<Sign> {
        let wrong = |rule, text: String| Some(Sign::wrong(rule, &self.node, now, text));
        let right = |rule, text: &str| Some(Sign::right(rule, &self.node, now, text.to_owned()));
        match health {
            Health::DatabaseTrouble(error) => wrong(Rule::Database, error.clone()),
            Health::LeaseLost => wrong(
                Rule::Database,
                "the lease could not be renewed in time: nothing is claimed".to_owned(),
            ),
            Health::LeftUnrecorded(outcomes) => {
                wrong(Rule::Database, format!("left before {outcomes} outcomes were recorded"))
            }
            Health::DatabaseBack => right(Rule::Database, "the database answers again"),
            Health::ClockIsOff(skew) => {
                let skew = skew.num_milliseconds();
                wrong(Rule::Clock, format!("{skew} ms ahead of the database's: nothing is claimed"))
            }
            Health::ClockIsRight => right(Rule::Clock, "the clock is right again"),
            // Nothing says when it ends; the log has it.
            Health::ReapingFails(_) => None,
        }
    }

    /// Up to which of its fires it was told that a task is overdue.
    #[must_use]
    pub fn told_overdue(&self, task_key: &str) -> Option<DateTime<Utc>> {
        self.overdue.get(task_key).copied()
    }

    /// Some time passed. `overdue` are the tasks with fires that are due for too long, those that were not told yet counted;
    /// `is_rejected` says which rows still are, `is_mine` which tasks are for this node.
    pub fn passed(
        &mut self,
        overdue: &[Overdue],
        is_rejected: impl Fn(TaskId) -> bool,
        is_mine: impl Fn(TaskId) -> bool,
        now: DateTime<Utc>,
    ) -> Vec<Sign> {
        let mut signs = self.slow(now);
        self.hand_over(is_mine, now, &mut signs);
        self.rejected.retain(|task_id| {
            let still = is_rejected(*task_id);
            if !still {
                let text = "the row is no longer rejected".to_owned();
                signs.push(Sign::right(Rule::Rejected, &of_row(*task_id), now, text));
            }
            still
        });
        for Overdue { task_key, last, new } in overdue {
            let text = match new {
                None => continue,
                Some((..=1, at)) => format!("the fire of {} is", instant(*at)),
                Some((fires, at)) => {
                    format!("{fires} fires from {} to {} are", instant(*at), instant(*last))
                }
            };
            let text = format!("{text} not accounted for yet");
            signs.push(Sign::wrong(Rule::Overdue, task_key, now, text));
        }
        let last = |overdue: &Overdue| (Arc::clone(&overdue.task_key), overdue.last);
        let found: BTreeMap<Arc<str>, DateTime<Utc>> = overdue.iter().map(last).collect();
        for task_key in self.overdue.keys().filter(|key| !found.contains_key(*key)) {
            let text = "no fire of it is overdue on this node any more".to_owned();
            signs.push(Sign::right(Rule::Overdue, task_key, now, text));
        }
        self.overdue = found;
        signs
    }

    /// What another node runs from now on, that node counts, from its first failure on.
    fn hand_over(
        &mut self,
        is_mine: impl Fn(TaskId) -> bool,
        now: DateTime<Utc>,
        signs: &mut Vec<Sign>,
    ) {
        for (task_key, habit) in &mut self.tasks {
            if habit.failures == 0 || habit.task_id.is_none_or(&is_mine) {
                continue;
            }
            if std::mem::take(&mut habit.failures) >= self.limits.failing {
                let text = "another node runs it now, and counts anew".to_owned();
                signs.push(Sign::right(Rule::Failing, task_key, now, text));
            }
        }
    }

    /// Each once.
    fn slow(&mut self, now: DateTime<Utc>) -> Vec<Sign> {
        let (tasks, times) = (&self.tasks, self.limits.slow);
        let mut signs = Vec::new();
        for (id, running) in self.running.iter_mut().filter(|(_, running)| !running.is_slow) {
            let takes = (now - running.began_at).to_std().unwrap_or_default();
            let slow = tasks.get(&running.task_key).and_then(|habit| habit.slow(times));
            if slow.is_some_and(|slow| takes > slow) {
                running.is_slow = true;
                let text = format!("execution {id} runs for {} already", show(takes));
                signs.push(Sign::wrong(Rule::Slow, &running.task_key, now, text));
            }
        }
        signs
    }
}

fn of_row(task_id: TaskId) -> Arc<str> {
    format!("task {task_id}").into()
}

fn show(span: Duration) -> String {
    // Milliseconds tell nobody anything here.
    let seconds = span.as_secs();
    duration::show(if seconds == 0 { span } else { Duration::from_secs(seconds) })
}

/// Of how many fires a row speaks, which its `extra` says if they are several.
fn fires(extra: &serde_json::Value, scheduled_at: DateTime<Utc>) -> String {
    let text = |key: &str| extra[key].as_str();
    match (extra["count"].as_u64(), text("first"), text("last")) {
        (Some(count @ 2..), Some(first), Some(last)) => {
            format!("{count} fires from {first} to {last}")
        }
        _ => format!("the fire of {}", instant(scheduled_at)),
    }
}

#[cfg(test)]
mod tests;
