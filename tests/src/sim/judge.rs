//! Judges a simulation by every row ever written, the jobs' own testimony and instants found by other means than
//! the scheduler's. The names of the rules are those of `docs/reliability.md`.

use std::collections::{BTreeMap, BTreeSet};

use scheduler_core::{
    plan::{execution::ExecutionId, task::TaskId},
    store::ExecutionRow,
};

use super::{
    faults::Faults,
    people::Row,
    time::{Ms, utc},
    truth::Testimony,
    world::{DEADLINE, SHUTDOWN, World},
};

/// What was found wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// The invariant.
    pub rule: &'static str,
    /// What it was.
    pub text: String,
}

/// How long a dead node's executions may stay open.
fn recovery(lease: Ms) -> Ms {
    lease + lease / 3 + 2 * DEADLINE
}

/// Everything that is wrong.
pub(super) fn judge(world: &World, lease: Ms, faults: &Faults) -> Vec<Violation> {
    let is_sound = faults.are_none();
    let rows = world.database.executions();
    let mut judge = Judge { world, lease, is_sound, rows, found: Vec::new() };
    if faults.are_of_the_database() {
        judge.nobody_is_taken_for_dead();
    }
    judge.attempts();
    judge.runs_have_rows();
    judge.rows_never_change_once_closed();
    judge.nothing_overlaps();
    judge.nothing_is_stuck();
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
    rows: Vec<ExecutionRow>,
    found: Vec<Violation>,
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
        if self.found.len() < 50 {
            self.found.push(Violation { rule, text });
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

    /// I2, I3, I6: a run has its row, committed before; no row runs twice; none runs early.
    fn runs_have_rows(&mut self) {
        let course = self.course();
        let by_id: BTreeMap<_, _> = self.rows.iter().map(|row| (row.id, row.clone())).collect();
        let mut seen: BTreeSet<(TaskId, Ms, u32)> = BTreeSet::new();
        for run in &self.world.truth.runs {
            let what = format!("the run of execution {} on {}", run.execution, run.node);
            if !seen.insert((run.task, run.scheduled_at, run.attempt)) {
                self.wrong("I3", format!("{what} is the second of its fire and attempt"));
            }
            let Some(row) = by_id.get(&run.execution) else {
                self.wrong("I2", format!("{what} has no row"));
                continue;
            };
            let is_its_own = row.trace_id == run.trace_id
                && row.attempt == i64::from(run.attempt)
                && ms_of(row) == run.scheduled_at
                && row.task_id == run.task;
            if !is_its_own || course.get(&run.execution).is_none_or(|course| course.0 > run.started)
            {
                self.wrong("I2", format!("{what} was told what its row does not say"));
            }
            let (_, closed) = course.get(&run.execution).copied().unwrap_or_default();
            if closed.is_some_and(|closed| closed < run.started) {
                self.wrong("I2", format!("{what} began after its row was closed"));
            }
            if row.source == "schedule" && run.started < run.scheduled_at {
                self.wrong(
                    "I6",
                    format!("{what} began {} ms early", run.scheduled_at - run.started),
                );
            }
            let late = run.started - run.scheduled_at;
            if self.is_sound && row.source == "schedule" && late > 2_000 && !self.may_wait(run) {
                self.wrong("I7", format!("{what} began {late} ms late"));
            }
        }
        let ran: BTreeMap<_, _> =
            self.world.truth.runs.iter().map(|run| (run.execution, run.is_whole)).collect();
        for row in by_id.values() {
            let is_whole = ran.get(&row.id);
            if row.status == "success" && is_whole != Some(&true)
                || matches!(&*row.status, "fail" | "timeout") && is_whole.is_none()
            {
                self.wrong("I22", format!("{}, but the job says otherwise", name(row)));
            }
        }
    }

    /// Whether the task's rules let a fire of it wait, or an edit made it late.
    fn may_wait(&self, run: &Testimony) -> bool {
        let row = self.world.people.rows.iter().find(|row| row.id == run.task);
        row.is_some_and(|row| {
            row.rules.is_queue || row.versions.len() > 1 || run.scheduled_at < row.created + 15_000
        })
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

    /// I15: after an outage the living come first: nobody reaps what they ran meanwhile.
    fn nobody_is_taken_for_dead(&mut self) {
        let lost: Vec<_> = self.rows.iter().filter(|row| row.status == "lost").map(name).collect();
        lost.into_iter().for_each(|row| self.wrong("I15", format!("{row}, and no node died")));
    }

    /// I9: at the end, when all is mended, nothing is open that nobody runs.
    fn nothing_is_stuck(&mut self) {
        // What ended just now is on its way to its row.
        let is_under_way =
            |run: &&Testimony| run.ended.is_none_or(|ended| ended > self.world.now - 2 * DEADLINE);
        let runs = self.world.truth.runs.iter().filter(is_under_way);
        let running: BTreeSet<ExecutionId> = runs.map(|run| run.execution).collect();
        let course = self.course();
        let settled = self.world.now - recovery(self.lease);
        for row in self.world.database.open() {
            let is_old = course.get(&row.id).is_none_or(|course| course.0 < settled);
            if !running.contains(&row.id) && is_old {
                self.wrong("I9", format!("{} is open, and nobody runs it", name(&row)));
            }
        }
    }

    /// I14: who was asked to stop claims nothing more and leaves in time; what it had is closed, if the database was
    /// there.
    fn stops_are_orderly(&mut self) {
        for (node, asked, left) in self.world.stops.clone() {
            let late = |change: &&super::database::Change| {
                change.row.node_id.as_deref() == Some(&node)
                    && change.at > asked + 2 * DEADLINE
                    && change.row.status == "todo"
            };
            if self.is_sound && self.world.database.changes.iter().any(|change| late(&change)) {
                self.wrong(
                    "I14",
                    format!("{node} claimed after it was asked to stop at {}", utc(asked)),
                );
            }
            let Some(left) = left else { continue };
            if self.is_sound && left - asked > SHUTDOWN + 2_000 {
                self.wrong("I14", format!("{node} left {} ms after it was asked to", left - asked));
            }
        }
    }

    /// I4, I5: every instant of a row has exactly one row of its own or stands in one range, and nothing else does.
    fn every_instant_is_accounted_for(&mut self, row: &Row) {
        let mut accounted: BTreeMap<Ms, u32> = BTreeMap::new();
        let rows: Vec<ExecutionRow> = self
            .rows
            .iter()
            .filter(|execution| {
                execution.task_id == row.id
                    && execution.source == "schedule"
                    && execution.attempt == 1
            })
            .cloned()
            .collect();
        for execution in &rows {
            for at in self.instants_of(row, execution) {
                *accounted.entry(at).or_default() += 1;
            }
        }
        for (at, times) in &accounted {
            if *times > 1 {
                self.wrong("I4", format!("task {}: {} stands in {times} rows", row.id, utc(*at)));
            }
        }
        let mut done = self.world.now - row.rules.grace - recovery(self.lease);
        if row.rules.is_queue && self.world.database.is_busy(row.id) {
            // Its fires wait; that they wait for ever is told by what is stuck.
            done = accounted.last_key_value().map_or(0, |(at, _)| *at);
        }
        for version in
            row.versions.iter().filter_map(|version| Some((version, version.grid.as_ref()?)))
        {
            let (version, grid) = version;
            let opens = version.from.div_euclid(1_000) * 1_000;
            let until = version.until.min(done);
            let wanted = grid.instants(row.created, &row.zone, opens, until);
            // What was due before an edit and not claimed yet is the new row's affair.
            let last = if version.until == Ms::MAX {
                until
            } else {
                accounted.range(opens + 1..=version.until).next_back().map_or(opens, |(at, _)| *at)
            };
            for at in wanted.range(..=last) {
                if !accounted.contains_key(at) {
                    self.wrong("I4", format!("task {}: {} is not accounted for", row.id, utc(*at)));
                }
            }
        }
    }

    /// The instants an execution stands for; a wrong one is said.
    fn instants_of(&mut self, row: &Row, execution: &ExecutionRow) -> Vec<Ms> {
        let at = ms_of(execution);
        let extra: serde_json::Value = serde_json::from_str(&execution.extra).unwrap_or_default();
        let first = extra["first"].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
        let first = first.map_or(at, jiff::Timestamp::as_millisecond);
        let count = extra["count"].as_u64().unwrap_or(1);
        let mut instants = BTreeSet::new();
        for version in &row.versions {
            let Some(grid) = &version.grid else { continue };
            let opens = version.from.div_euclid(1_000) * 1_000;
            let opens = if matches!(grid, super::grid::Grid::Date(_)) {
                opens - row.rules.grace - 1
            } else {
                opens
            };
            let until = version.until.min(at);
            instants.extend(grid.instants(row.created, &row.zone, opens.max(first - 1), until));
        }
        if !instants.contains(&at) {
            self.wrong("I5", format!("{} is no instant of its row", name(execution)));
        }
        if execution.status == "missed" && u64::try_from(instants.len()).ok() != Some(count) {
            let found = instants.len();
            self.wrong(
                "I4",
                format!(
                    "{} counts {count} instants since {}, expected {found}",
                    name(execution),
                    utc(first)
                ),
            );
        }
        if execution.status == "missed" { instants.into_iter().collect() } else { vec![at] }
    }
}
