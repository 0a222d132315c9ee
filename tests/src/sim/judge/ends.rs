//! How rows and processes come to their end: I9, I14 and I15.

use std::collections::BTreeSet;

use scheduler_core::plan::execution::ExecutionId;

use super::{Judge, name, recovery};
use crate::sim::{
    database::Change,
    machine::Plight,
    time::{Ms, utc},
    truth::Testimony,
    world::{DEADLINE, SHUTDOWN},
};

impl Judge<'_> {
    /// I9: at the end, when all is mended, nothing is open that nobody runs.
    pub(super) fn nothing_is_stuck(&mut self) {
        // What was claimed or ended just now is on its way to be heard of, which takes longer where packets pass now and then.
        let flaps = |node: &str| self.world.plight(node) == Some(Plight::Flaps);
        let is_under_way = |run: &&Testimony| {
            let most = if flaps(&run.node) { 2 * recovery(self.lease) } else { 2 * DEADLINE };
            run.ended.is_none_or(|ended| ended > self.world.now - most)
        };
        let is_heard_of = |run: &&Testimony| !self.world.silent_since.contains_key(&run.node);
        let runs = self.world.truth.runs.iter().filter(is_under_way).filter(is_heard_of);
        let running: BTreeSet<ExecutionId> = runs.map(|run| run.execution).collect();
        let course = self.course();
        for row in self.world.database.open() {
            let times = if row.node_id.as_deref().is_some_and(flaps) { 2 } else { 1 };
            let settled = self.world.now - times * recovery(self.lease);
            let is_old = course.get(&row.id).is_none_or(|course| course.0 < settled);
            if !running.contains(&row.id) && is_old {
                self.wrong("I9", format!("{} is open, and nobody runs it", name(&row)));
            }
        }
    }

    /// I9: what a node left open that is gone is lost within the bound, counted from when all was mended; nothing is
    /// lost later.
    pub(super) fn the_dead_are_found_in_time(&mut self) {
        let bound = recovery(self.lease);
        let mended_at = self.world.mended_at;
        let lost: Vec<_> = self.rows.iter().filter(|row| row.status == "lost").cloned().collect();
        let course = self.course();
        for row in lost {
            let node = row.node_id.as_deref().unwrap_or_default();
            let closed = course.get(&row.id).and_then(|course| course.1).unwrap_or(Ms::MAX);
            if closed <= mended_at || self.world.plight(node) == Some(Plight::Flaps) {
                continue;
            }
            let gone = self.world.silent_since.get(node).copied().unwrap_or(mended_at);
            let after = closed - gone.max(mended_at);
            self.found.recovery = self.found.recovery.max(Some(after));
            if after > bound {
                let text = format!("{} was found lost after {after} ms", name(&row));
                self.wrong("I9", format!("{text}, at most {bound}"));
            }
        }
    }

    /// I15: after an outage the living come first: nobody reaps what they ran meanwhile.
    pub(super) fn nobody_is_taken_for_dead(&mut self) {
        let lost: Vec<_> = self.rows.iter().filter(|row| row.status == "lost").map(name).collect();
        lost.into_iter().for_each(|row| self.wrong("I15", format!("{row}, and no node died")));
    }

    /// I14: who was asked to stop claims nothing more and leaves in time; what it had is closed, if the database was
    /// there.
    pub(super) fn stops_are_orderly(&mut self) {
        for (node, asked, left) in self.world.stops.clone() {
            let late = |change: &&Change| {
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
}
