//! What the jobs testify, compared with their rows: I2, I3, I6, I7 and I22.

use std::collections::{BTreeMap, BTreeSet};

use scheduler_core::plan::task::TaskId;

use super::{Judge, ms_of, name, recovery};
use crate::sim::{time::Ms, truth::Testimony};

/// No fire starts later while all is well.
const LATEST: Ms = 2_000;

impl Judge<'_> {
    /// I2, I3, I6: a run has its row, committed before; no row runs twice; none runs early.
    pub(super) fn runs_have_rows(&mut self) {
        let course = self.course();
        let settled = self.world.mended_at + recovery(self.lease);
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
            if row.source == "schedule" && !self.may_wait(run) {
                self.is_in_time(run, settled);
            }
        }
        let ran: BTreeMap<_, _> =
            self.world.truth.runs.iter().map(|run| (run.execution, run.is_whole)).collect();
        for row in by_id.values() {
            let is_whole = ran.get(&row.id);
            let is_given_up = self.world.truth.given_up.contains(&row.id);
            if row.status == "success" && is_whole != Some(&true)
                || row.status == "fail" && is_whole.is_none()
                || row.status == "timeout" && is_whole.is_none() && !is_given_up
            {
                self.wrong("I22", format!("{}, but the job says otherwise", name(row)));
            }
        }
    }

    /// I7: while all is well a fire starts in time; so it does again, on a healthy node, a while after all is mended.
    fn is_in_time(&mut self, run: &Testimony, settled: Ms) {
        let late = run.started - run.scheduled_at;
        let is_mended = run.scheduled_at > settled && self.world.plight(&run.node).is_none();
        let when = match (self.is_sound, is_mended) {
            (true, _) => "without faults",
            (false, true) => "after all was mended",
            (false, false) => "with faults",
        };
        *self.found.lateness.entry(when).or_default().entry(late).or_default() += 1;
        if late > LATEST && when != "with faults" {
            let text = format!("the run of execution {} began {late} ms late", run.execution);
            self.wrong("I7", format!("{text}, {when}"));
        }
    }

    /// Whether the task's rules let a fire of it wait, or an edit made it late.
    fn may_wait(&self, run: &Testimony) -> bool {
        let row = self.world.people.rows.iter().find(|row| row.id == run.task);
        row.is_some_and(|row| row.rules.is_queue || row.is_fresh(run.scheduled_at))
    }
}
