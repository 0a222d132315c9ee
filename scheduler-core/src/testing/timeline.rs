//! What happened when, in words, for whoever looks for the reason of a failed assertion.

use std::{collections::VecDeque, fmt::Write as _};

use chrono::{DateTime, Utc};

use crate::plan::{
    execution::ExecutionId,
    node::{Ended, Ending, Health, Notice, Run},
    trigger::Zone,
};

/// The last lines are kept: the reason of a failure is rarely further back.
const LINES: usize = 400;

/// Lines with their instants, oldest first.
#[derive(Debug)]
pub(super) struct Timeline {
    zone: Zone,
    lines: VecDeque<(DateTime<Utc>, Line)>,
    left_out: usize,
}

/// What most lines say is put into words only when they are printed: few ever are.
#[derive(Debug)]
enum Line {
    Text(String),
    Begins(Box<Run>),
    Ended(ExecutionId, Result<(), String>),
}

impl Timeline {
    pub(super) fn new(zone: Zone) -> Self {
        Self { zone, lines: VecDeque::new(), left_out: 0 }
    }

    pub(super) fn say(&mut self, at: DateTime<Utc>, text: impl Into<String>) {
        self.add(at, Line::Text(text.into()));
    }

    fn add(&mut self, at: DateTime<Utc>, line: Line) {
        if self.lines.len() == LINES {
            self.lines.pop_front();
            self.left_out += 1;
        }
        self.lines.push_back((at, line));
    }

    pub(super) fn start(&mut self, at: DateTime<Utc>, run: &Run) {
        self.add(at, Line::Begins(Box::new(run.clone())));
    }

    pub(super) fn end(&mut self, at: DateTime<Utc>, ended: &Ended) {
        self.add(at, Line::Ended(ended.execution_id, ended.result.clone()));
    }

    pub(super) fn notice(&mut self, at: DateTime<Utc>, notice: &Notice) {
        if let Some(text) = self.words(notice) {
            self.say(at, text);
        }
    }

    /// `None` for what other lines say already.
    fn words(&self, notice: &Notice) -> Option<String> {
        let instant = |at: &Option<DateTime<Utc>>| {
            at.map_or_else(|| "never".to_owned(), |at| civil(&self.zone, at))
        };
        Some(match notice {
            Notice::Scheduled { task_key, next, .. } => {
                format!("{task_key:?}: scheduled, next {}", instant(next))
            }
            Notice::Rejected(error) => format!("REJECTED {error}"),
            Notice::Doubtful { task_key, doubt, .. } => format!("{task_key:?}: {doubt}"),
            Notice::Disabled(_, key) => format!("{key:?}: the scheduler sees that it is disabled"),
            Notice::Deleted(_, key) => format!("{key:?}: the scheduler sees that it is deleted"),
            Notice::SpecChanged { task_key, old, new, .. } => {
                format!("{task_key:?}: the scheduler sees the new spec {new:?}, was {old:?}")
            }
            Notice::EditIgnored { task_key, columns, .. } => format!(
                "{task_key:?}: the edit of {} takes effect when it is disabled and enabled again",
                columns.join(", ")
            ),
            Notice::ClaimFails { task_id, error } => {
                format!("task {task_id}: a claim fails: {error}")
            }
            Notice::RecordFails { execution_id, error, .. } => {
                format!("execution {execution_id}: its outcome cannot be recorded: {error}")
            }
            Notice::Health(Health::ReapingFails(error)) => {
                format!("dead runs cannot be closed: {error}")
            }
            Notice::Health(Health::LeftUnrecorded(count)) => {
                format!("left with {count} outcomes unrecorded")
            }
            Notice::Unreadable(row) => format!("passed over: {row}"),
            Notice::Healed(task_id) => format!("task {task_id}: set ready again"),
            Notice::RequestRefused { task_id, attempt, extra } => {
                format!("task {task_id}: what waited is cancelled (attempt {attempt}): {extra}")
            }
            Notice::Health(Health::DatabaseTrouble(error)) => {
                format!("the database is in trouble: {error}")
            }
            Notice::Health(Health::DatabaseBack) => "the database answers again".to_owned(),
            Notice::Health(Health::ClockIsOff(skew)) => {
                format!("the clock is off by {} ms: nothing is claimed", skew.num_milliseconds())
            }
            Notice::Health(Health::ClockIsRight) => "the clock is right again".to_owned(),
            Notice::Health(Health::LeaseLost) => "the lease is lost: nothing is claimed".to_owned(),
            Notice::Stopping(running) => format!("stopping, {running} running"),
            Notice::Ending(ending) => self.ending(ending)?,
            Notice::FirstReading { .. } => return None,
        })
    }

    fn ending(&self, ending: &Ending) -> Option<String> {
        Some(match ending {
            Ending::NotRun { task_key, status, scheduled_at, extra } => {
                format!("{task_key:?}: {status} {}: {extra}", civil(&self.zone, *scheduled_at))
            }
            Ending::RunFailed { execution_id, status, reason, retry_at, .. } => {
                let retry = retry_at
                    .map(|at| format!(", tried again at {}", civil(&self.zone, at)))
                    .unwrap_or_default();
                format!("run {execution_id} is recorded {status}: {reason}{retry}")
            }
            Ending::OutcomeDiscarded { execution_id, status } => {
                format!("run {execution_id}: its {status} is discarded, the row was closed before")
            }
            Ending::Lost { execution_id, is_retried, .. } => {
                let retry = if *is_retried { ", tried again" } else { "" };
                format!("run {execution_id} is lost: its node is gone{retry}")
            }
        })
    }

    pub(super) fn print(&self) -> String {
        let mut text = format!("what happened (times in {}):\n", self.zone.name());
        if self.left_out > 0 {
            let _ = writeln!(text, "  … {} lines before", self.left_out);
        }
        for (at, line) in &self.lines {
            let _ = writeln!(text, "  {}  {}", civil(&self.zone, *at), self.line(line));
        }
        text
    }

    fn line(&self, line: &Line) -> String {
        match line {
            Line::Text(text) => text.clone(),
            Line::Begins(run) => {
                let Run { execution_id, task_key, attempt, .. } = &**run;
                let fire = civil(&self.zone, run.scheduled_at);
                let which =
                    if *attempt == 1 { String::new() } else { format!(", attempt {attempt}") };
                format!("{task_key:?}: run {execution_id} begins, for {fire}{which}")
            }
            Line::Ended(id, Ok(())) => format!("run {id} succeeded"),
            Line::Ended(id, Err(error)) => format!("run {id} came back: {error}"),
        }
    }
}

/// `2026-03-29 02:00:00`, with milliseconds where there are any.
pub(super) fn civil(zone: &Zone, at: DateTime<Utc>) -> String {
    let local = zone.to_local(at);
    let offset = local.rfind(['+', '-', 'Z']).unwrap_or(local.len());
    local[..offset].replacen('T', " ", 1)
}
