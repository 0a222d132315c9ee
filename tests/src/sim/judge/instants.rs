//! Every instant that a row means is accounted for once, and no other is: I4 and I5.

use std::collections::{BTreeMap, BTreeSet};

use scheduler_core::{
    plan::execution::{ExecutionId, Status},
    store::ExecutionRow,
};

use super::{Judge, SYNC, ms_of, name, recovery};
use crate::sim::{
    grid::Grid,
    people::Row,
    time::{Ms, utc},
    world::DEADLINE,
};

impl Judge<'_> {
    /// I4, I5: every instant of a row has exactly one row of its own or stands in one range, and nothing else does.
    pub(super) fn every_instant_is_accounted_for(&mut self, row: &Row) {
        let accounted = self.accounted(row);
        let mut done = self.world.now - row.rules.grace - recovery(self.lease);
        if row.rules.is_queue && self.world.database.is_busy(row.id) {
            // Its fires wait; that they wait for ever is told by what is stuck.
            done = accounted.last_key_value().map_or(0, |(at, _)| *at);
        }
        let mut due = BTreeMap::new();
        for version in &row.versions {
            let Some(grid) = &version.grid else { continue };
            let opens = second(version.from);
            let from = opens - leeway(row, grid);
            let until = version.until.min(self.world.now);
            let instants = grid.instants(row.created, &row.zone, from, until);
            // What was due before an edit and not claimed yet is the new row's affair.
            let last = if version.until == Ms::MAX {
                done
            } else {
                let newest = accounted.range(opens + 1..=version.until).next_back();
                newest.map_or(opens, |(at, _)| *at).min(done)
            };
            for at in instants {
                let fate = accounted.get(&at).copied().unwrap_or(match at {
                    at if opens + self.unseen < at && at <= last => "unaccounted",
                    at if at > done => "not yet",
                    _ => "left by an edit",
                });
                due.insert(at, fate);
            }
        }
        self.add_up(row, &due, &accounted);
    }

    /// The instants that stand in rows, and what became of each.
    fn accounted(&mut self, row: &Row) -> BTreeMap<Ms, &'static str> {
        let is_first = |execution: &&ExecutionRow| {
            execution.task_id == row.id && execution.source == "schedule" && execution.attempt == 1
        };
        let rows: Vec<ExecutionRow> = self.rows.iter().filter(is_first).cloned().collect();
        let runs = self.world.truth.runs.iter().filter(|run| run.task == row.id);
        let ran: BTreeSet<ExecutionId> = runs.map(|run| run.execution).collect();
        let mut accounted = BTreeMap::new();
        for execution in &rows {
            let fate = match execution.status.parse::<Status>() {
                _ if ran.contains(&execution.id) => "executed",
                Ok(Status::Todo) => "open",
                Ok(status) => status.as_str(),
                Err(_) => "unknown",
            };
            for at in self.instants_of(row, execution) {
                if accounted.insert(at, fate).is_some() {
                    self.wrong("I4", format!("task {}: {} stands in two rows", row.id, utc(at)));
                }
            }
        }
        accounted
    }

    /// I4, I22: each instant that is due has one fate, and nothing has one that is not.
    fn add_up(
        &mut self,
        row: &Row,
        due: &BTreeMap<Ms, &'static str>,
        accounted: &BTreeMap<Ms, &'static str>,
    ) {
        for (at, fate) in due {
            *self.found.fires.entry("due").or_default() += 1;
            *self.found.fires.entry(fate).or_default() += 1;
            if *fate == "unaccounted" {
                self.wrong("I4", format!("task {}: {} is not accounted for", row.id, utc(*at)));
            }
        }
        let blinks = blinks(row);
        for at in accounted.keys().filter(|at| !due.contains_key(at) && !blinks.contains(at)) {
            self.wrong("I22", format!("task {}: {} was never due", row.id, utc(*at)));
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
            let opens = second(version.from) - leeway(row, grid);
            let until = version.until.min(at);
            instants.extend(grid.instants(row.created, &row.zone, opens.max(first - 1), until));
        }
        let blinks = blinks(row);
        if !instants.contains(&at) && !blinks.contains(&at) {
            self.wrong("I5", format!("{} is no instant of its row", name(execution)));
        }
        let found = instants.len();
        let most = found + blinks.range(first..=at).count();
        let is_right = usize::try_from(count).is_ok_and(|count| (found..=most).contains(&count));
        if execution.status == "missed" && !is_right {
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

/// Instants at which the row was off, or had another spec and then the same again, for so short a time that a reading need
/// not have shown it: they may be counted.
fn blinks(row: &Row) -> BTreeSet<Ms> {
    const SHORT: Ms = SYNC + DEADLINE;
    let mut blinks = BTreeSet::new();
    for (index, before) in row.versions.iter().enumerate() {
        let Some(grid) = &before.grid else { continue };
        let after = &row.versions[index + 1..];
        let off = after.first().filter(|next| next.grid.is_none()).map(|off| off.until);
        let soon = after.iter().take_while(|later| later.from - before.until <= SHORT);
        let again = soon.filter(|later| later.grid.as_ref() == Some(grid)).map(|again| again.from);
        for until in again.chain(off).filter(|until| *until - before.until <= SHORT) {
            blinks.extend(grid.instants(row.created, &row.zone, before.until, until));
        }
    }
    blinks
}

/// The whole second of `at`, as rows carry it.
fn second(at: Ms) -> Ms {
    at.div_euclid(1_000) * 1_000
}

/// How long before a row was written an instant of it may lie: a date may just have passed.
fn leeway(row: &Row, grid: &Grid) -> Ms {
    if matches!(grid, Grid::Date(_)) { row.rules.grace + 1 } else { 0 }
}
