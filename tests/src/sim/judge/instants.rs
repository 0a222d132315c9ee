//! Every instant that a row means is accounted for once, and no other is: I4 and I5.

use std::collections::{BTreeMap, BTreeSet};

use scheduler_core::store::ExecutionRow;

use super::{Judge, ms_of, name, recovery};
use crate::sim::{
    grid::Grid,
    people::Row,
    time::{Ms, utc},
};

impl Judge<'_> {
    /// I4, I5: every instant of a row has exactly one row of its own or stands in one range, and nothing else does.
    pub(super) fn every_instant_is_accounted_for(&mut self, row: &Row) {
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
            let opens =
                if matches!(grid, Grid::Date(_)) { opens - row.rules.grace - 1 } else { opens };
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
