//! Judges a simulation by every row ever written, the jobs' own testimony and instants found by other means than
//! the scheduler's. The names of the rules are those of `docs/reliability.md`.

mod ends;
mod instants;
mod runs;

use std::collections::{BTreeMap, BTreeSet};

use scheduler_core::{
    plan::{execution::ExecutionId, task::TaskId},
    store::ExecutionRow,
};

use super::{
    database::STALE,
    faults::Faults,
    seen::Counts,
    time::{Ms, utc},
    world::{DEADLINE, World},
};

/// What was found wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// The invariant.
    pub rule: &'static str,
    /// What it was.
    pub text: String,
}

/// Every rule that is judged.
pub const RULES: [&str; 14] =
    ["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11", "I14", "I15", "I22"];

/// What a judge has found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// What is wrong.
    pub violations: Vec<Violation>,
    /// What became of the instants that the rows mean.
    pub fires: Counts,
    /// How late fires began that need not wait: by what was wrong then, how many for each number of milliseconds.
    pub lateness: BTreeMap<&'static str, BTreeMap<Ms, u64>>,
    /// The longest time after which a dead node's execution was closed, once all was mended.
    pub recovery: Option<Ms>,
}

/// The time between two readings of the rows, the scheduler's default.
const SYNC: Ms = 10_000;

/// How long a dead node's executions may stay open: a lease, a third of it between two lookings, one call.
pub fn recovery(lease: Ms) -> Ms {
    lease + lease / 3 + DEADLINE
}

/// Everything that is wrong.
pub(super) fn judge(world: &World, lease: Ms, faults: &Faults) -> Findings {
    let is_sound = faults.are_none();
    let rows = world.database.executions();
    let unseen = if faults.stale > 0 { STALE + 2 * SYNC } else { 0 };
    let mut judge = Judge { world, lease, is_sound, unseen, rows, found: Findings::default() };
    if faults.are_of_the_database() {
        judge.nobody_is_taken_for_dead();
    }
    judge.attempts();
    judge.runs_have_rows();
    judge.rows_never_change_once_closed();
    judge.nothing_overlaps();
    judge.nothing_is_claimed_while_it_is_off();
    judge.nothing_is_stuck();
    judge.the_dead_are_found_in_time();
    judge.stops_are_orderly();
    for row in &world.people.rows {
        judge.every_instant_is_accounted_for(row);
    }
    judge.found
}

struct Judge<'a> {
    world: &'a World,
    lease: Ms,
    is_sound: bool,
    /// How long after an edit a node may still be shown the row as it was, and then see the edit anew.
    unseen: Ms,
    rows: Vec<ExecutionRow>,
    found: Findings,
}

fn ms_of(row: &ExecutionRow) -> Ms {
    row.scheduled_at.map_or(0, |at| at.timestamp_millis())
}

fn name(row: &ExecutionRow) -> String {
    format!(
        "execution {} (task {}, {}, attempt {}, {})",
        row.id,
        row.task_id,
        utc(ms_of(row)),
        row.attempt,
        row.status
    )
}

impl Judge<'_> {
    fn wrong(&mut self, rule: &'static str, text: String) {
        if self.found.violations.len() < 50 {
            self.found.violations.push(Violation { rule, text });
        }
    }

    /// When a row was written, and when it was closed.
    fn course(&self) -> BTreeMap<ExecutionId, (Ms, Option<Ms>)> {
        let mut course = BTreeMap::new();
        for change in &self.world.database.changes {
            let entry = course.entry(change.row.id).or_insert((change.at, None));
            if change.row.status != "todo" {
                entry.1.get_or_insert(change.at);
            }
        }
        course
    }

    /// I1: attempts of a fire are 1, 2, 3, … and each begins after the one before it was closed.
    fn attempts(&mut self) {
        let course = self.course();
        let mut fires: BTreeMap<(TaskId, Ms), Vec<&ExecutionRow>> = BTreeMap::new();
        let rows = self.rows.clone();
        for row in &rows {
            fires.entry((row.task_id, ms_of(row))).or_default().push(row);
        }
        for ((task, at), mut rows) in fires {
            rows.sort_by_key(|row| row.attempt);
            let attempts: Vec<i64> = rows.iter().map(|row| row.attempt).collect();
            if !attempts.iter().copied().eq(1..=i64::try_from(rows.len()).unwrap_or(0)) {
                self.wrong("I1", format!("task {task}, {}: attempts {attempts:?}", utc(at)));
            }
            for pair in rows.windows(2) {
                let closed = course.get(&pair[0].id).and_then(|course| course.1);
                let written = course.get(&pair[1].id).map(|course| course.0);
                if closed.is_none() || closed > written {
                    self.wrong(
                        "I1",
                        format!("{} came before the end of the attempt before it", name(pair[1])),
                    );
                }
            }
        }
    }

    /// I10: a row goes from `todo` to its end, and stays there.
    fn rows_never_change_once_closed(&mut self) {
        let mut last: BTreeMap<ExecutionId, &ExecutionRow> = BTreeMap::new();
        let now: Vec<_> = self.rows.clone();
        let mut wrong = Vec::new();
        for row in self.world.database.changes.iter().map(|change| &change.row).chain(&now) {
            if let Some(before) = last.insert(row.id, row)
                && before.status != "todo"
                && (&before.status, &before.extra, before.finished_at)
                    != (&row.status, &row.extra, row.finished_at)
            {
                wrong.push(format!("{} was {} before", name(row), before.status));
            }
        }
        wrong.into_iter().for_each(|text| self.wrong("I10", text));
    }

    /// I11: no run is claimed after its row was switched off or deleted.
    fn nothing_is_claimed_while_it_is_off(&mut self) {
        let mut seen = BTreeSet::new();
        for change in &self.world.database.changes {
            if !seen.insert(change.row.id) || change.row.status != "todo" {
                continue;
            }
            let row = self.world.people.rows.iter().find(|row| row.id == change.row.task_id);
            let mut off = row.iter().flat_map(|row| &row.versions).filter(|version| !version.is_on);
            if off.any(|version| version.from < change.at && change.at < version.until) {
                let at = utc(change.at);
                self.wrong(
                    "I11",
                    format!("{} was claimed at {at}, switched off", name(&change.row)),
                );
            }
        }
    }

    /// I8: no more runs of a task at once than its row allows. A run counts until its row is closed: who is found dead
    /// may still be running, which nobody can prevent.
    fn nothing_overlaps(&mut self) {
        let course = self.course();
        for row in &self.world.people.rows {
            let Some(limit) = row.rules.limit else { continue };
            let mut edges: Vec<(Ms, i64)> = Vec::new();
            for run in self.world.truth.runs.iter().filter(|run| run.task == row.id) {
                let closed =
                    course.get(&run.execution).and_then(|course| course.1).unwrap_or(Ms::MAX);
                let end = run.ended.unwrap_or(Ms::MAX).min(closed);
                if run.started < end {
                    edges.extend([(run.started, 1), (end, -1)]);
                }
            }
            edges.sort_unstable();
            let mut open = 0;
            for (at, step) in edges {
                open += step;
                if open > i64::from(limit) {
                    self.wrong(
                        "I8",
                        format!("task {}: {open} runs at {}, at most {limit}", row.id, utc(at)),
                    );
                    break;
                }
            }
        }
    }
}
