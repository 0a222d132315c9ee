//! What a stop and an outage of the database leave behind: I14, I15.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Line, Row};
use crate::torment::{
    LEASE, SYNC,
    nodes::{Nodes, SHUTDOWN},
    outages::{Kind, Outage, RECOVERY},
    stop::Stop,
    strangers::Hold,
};

/// An outage, and how soon the next run began after it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Resumed {
    /// How the database was away.
    pub kind: Kind,
    /// For how long.
    pub away_ms: i64,
    /// From its end to the next run; `None`: never.
    pub resumed_ms: Option<i64>,
    /// Runs that ended while it was away, on nodes that nothing befell.
    pub ended: usize,
}

/// What a busy machine adds.
pub(super) const SLACK_MS: i64 = 1_000;

pub(super) fn ms(span: std::time::Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// I14: who is asked to stop leaves in time, with nothing of its own open. How many were asked while the database was
/// there, and the longest of these stops in milliseconds.
pub(super) fn stops(
    nodes: &Nodes,
    outages: &[Outage],
    holds: &[Hold],
    rows: &[Row],
    wrong: &mut Vec<String>,
) -> (usize, i64) {
    let is_calm = |stop: &&Stop| {
        stop.has_link
            && !outages.iter().any(|outage| {
                stop.asked_ms < outage.until_ms + ms(LEASE)
                    && outage.from_ms < stop.left_ms + SLACK_MS
            })
    };
    let calm: BTreeMap<u32, &Stop> =
        nodes.stops.iter().filter(is_calm).map(|stop| (stop.pid, stop)).collect();
    let longest = calm.values().map(|stop| stop.took_ms()).max().unwrap_or_default();
    for stop in calm.values() {
        if stop.took_ms() > ms(SHUTDOWN) + 2_000 + SLACK_MS {
            wrong.push(format!("I14: {stop:?} took {} ms", stop.took_ms()));
        }
    }
    for row in rows.iter().filter(|row| row.status == "lost") {
        let left = calm.get(&row.pid).filter(|stop| row.finished_ms > Some(stop.left_ms));
        // The transaction of another session may hold the rows: of a stranger, or of a program that is frozen or cut off.
        let is_held = |stop: &Stop| {
            let of_strangers = |hold: &Hold| hold.touches(row.task, stop.asked_ms, stop.left_ms);
            stop.met_locks || holds.iter().any(of_strangers)
        };
        if let Some(stop) = left.filter(|stop| !is_held(stop)) {
            wrong.push(format!("I14: {row:?} was left open by {stop:?}"));
        }
    }
    (calm.len(), longest)
}

/// I15: nothing begins without a database; after it all goes on, and what ended meanwhile is recorded.
pub(super) fn outages(
    outages: &[Outage],
    troubles: &[(u32, i64)],
    rows: &[Row],
    testimony: &[Line],
    wrong: &mut Vec<String>,
) -> Vec<Resumed> {
    let rows: BTreeMap<i64, &Row> = rows.iter().map(|row| (row.id, row)).collect();
    let resumed = outages.iter().map(|outage| {
        let starts = || testimony.iter().filter(|line| !line.is_end);
        // What was claimed before may begin for as long as the lease lasts.
        let trusted_ms = outage.from_ms + ms(LEASE) + SLACK_MS;
        for line in starts().filter(|line| (trusted_ms..outage.until_ms).contains(&line.at_ms)) {
            wrong.push(format!("I15: {line:?} began while the database was {:?}", outage.kind));
        }
        let next = starts().map(|line| line.at_ms).filter(|at_ms| *at_ms >= outage.until_ms).min();
        let resumed_ms = next.map(|next| next - outage.until_ms);
        if resumed_ms.is_none_or(|resumed_ms| resumed_ms > ms(SYNC) + 5_000) {
            wrong.push(format!("I15: after {outage:?} the next run began {resumed_ms:?} ms later"));
        }
        // Whom something befell shortly before, or befalls until its records are written, may lose them.
        let window = outage.from_ms - ms(RECOVERY)..outage.until_ms + ms(RECOVERY);
        let is_spared =
            |pid: u32| !troubles.iter().any(|(of, at_ms)| *of == pid && window.contains(at_ms));
        let during = outage.from_ms..outage.until_ms;
        let ended = testimony
            .iter()
            .filter(|line| line.is_end && during.contains(&line.at_ms) && is_spared(line.pid));
        let mut count = 0;
        for row in ended.filter_map(|line| rows.get(&line.execution)) {
            count += 1;
            if row.status != "success" {
                wrong.push(format!("I15: {row:?} ended while the database was {:?}", outage.kind));
            }
        }
        Resumed {
            kind: outage.kind,
            away_ms: outage.until_ms - outage.from_ms,
            resumed_ms,
            ended: count,
        }
    });
    resumed.collect()
}
