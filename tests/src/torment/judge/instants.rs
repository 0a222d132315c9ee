//! I4, I5: every instant of a row that nobody edits has a row of its own or stands in one `missed` row, and nothing else
//! has.

use std::collections::BTreeMap;

use super::Row;
use crate::torment::people::{UNEDITED, every_secs, takes_ms};

/// How long the last instant before the end may still be on its way: a reading, a claim, a busy machine.
const UNDER_WAY_MS: i64 = 5_000;

/// How many instants are accounted for, from the creation of the rows (`anchors`, in epoch milliseconds) to the end.
pub(super) fn instants(
    rows: &[Row],
    anchors: &BTreeMap<i64, i64>,
    until_ms: i64,
    wrong: &mut Vec<String>,
) -> usize {
    let mut accounted: BTreeMap<i64, BTreeMap<i64, u32>> =
        (1..=UNEDITED).map(|task| (task, BTreeMap::new())).collect();
    for row in rows.iter().filter(|row| row.source == "schedule" && row.task <= UNEDITED) {
        let instants = accounted.entry(row.task).or_default();
        let every = every_secs(row.task) * 1_000;
        let count = row.extra["count"].as_i64().filter(|_| row.status == "missed").unwrap_or(1);
        for back in 0..count {
            *instants.entry(row.scheduled_ms - back * every).or_default() += 1;
        }
    }
    for (&task, instants) in &accounted {
        let every = every_secs(task) * 1_000;
        let anchor = anchors.get(&task).copied().unwrap_or_default();
        // A fire may wait for the run before it.
        let until = until_ms - UNDER_WAY_MS - takes_ms(task);
        let mut wanted = anchor + every;
        while wanted <= until {
            if !instants.contains_key(&wanted) {
                wrong.push(format!("I4: task {task}: {wanted} is not accounted for"));
            }
            wanted += every;
        }
        for (at, times) in instants {
            if *times > 1 {
                wrong.push(format!("I4: task {task}: {at} stands in {times} rows"));
            }
            if *at <= anchor || (at - anchor) % every != 0 {
                wrong.push(format!("I5: task {task}: {at} is no instant of it"));
            }
        }
    }
    accounted.values().map(BTreeMap::len).sum()
}
