//! What killed nodes leave behind is found in time: I9.

use super::{
    Row,
    trouble::{SLACK_MS, ms},
};
use crate::{
    dbproxy::{DbProxy, Time},
    torment::{LEASE, nodes::Nodes, outages::Outage, strangers::Hold},
};

/// From the start of a program, or the end of what befell it, to its first renewal, if the machine is not very busy.
const START_MS: i64 = 2_000;

/// The same if it is.
const SLOW_START_MS: i64 = 15_000;

/// A renewal that takes a sixth of the lease, 1 s, begins contact anew. Seen from the database's side it takes less.
const SLOW_RENEWAL_MS: i64 = 700;

/// When a node that was left in peace from then on will have had a lease of contact with the database, as its renewals tell,
/// and how many of those were slow. Where there is none it should have begun at once.
fn has_contact_ms(renewals: &[Time], from_ms: i64, died_ms: i64) -> (i64, usize) {
    let own = || renewals.iter().filter(|renewal| renewal.from_ms >= from_ms);
    let first_ms = own().map(|renewal| renewal.from_ms).min().unwrap_or(from_ms);
    let mut since_ms = first_ms.clamp(from_ms + START_MS, from_ms + SLOW_START_MS);
    let mut slow = 0;
    for renewal in own() {
        let reaps_ms = died_ms.max(since_ms) + ms(LEASE) + ms(LEASE) / 3;
        if renewal.until_ms - renewal.from_ms > SLOW_RENEWAL_MS && renewal.from_ms < reaps_ms {
            slow += 1;
            since_ms = since_ms.max(renewal.until_ms);
        }
    }
    (since_ms + ms(LEASE), slow)
}

/// For how long a program that is frozen or cut off in a transaction keeps rows from the others: MariaDB's
/// `idle_transaction_timeout`, which the store sets to 10 s, and a moment.
const HELD_MS: i64 = 11_000;

/// I9: what a killed node left open is `lost` one lease later and a third, if another node was left in peace for so long; and
/// so much later if a session held rows and did nothing with them. How many were judged, the longest time from the kill where
/// that node had its lease of contact already, and how many of them may have been held.
pub(super) fn recoveries(
    nodes: &Nodes,
    outages: &[Outage],
    holds: &[Hold],
    rows: &[Row],
    wrong: &mut Vec<String>,
) -> (usize, i64, usize) {
    let (mut count, mut longest_ms, mut held) = (0, 0, 0);
    let renewals: Vec<Vec<Time>> = nodes.links.iter().map(DbProxy::times).collect();
    for row in rows.iter().filter(|row| row.status == "lost") {
        let (Some(&died_ms), Some(lost_ms)) = (nodes.deaths.get(&row.pid), row.finished_ms) else {
            continue;
        };
        let found = nodes.calm.spans.iter().filter_map(|(index, span)| {
            let (contact_ms, slow) = has_contact_ms(&renewals[*index], span.from_ms, died_ms);
            let mut due_ms = contact_ms.max(died_ms + ms(LEASE)) + ms(LEASE) / 3 + SLACK_MS;
            let mut idle = nodes.holds_ms.iter();
            let is_held = idle.any(|at_ms| (died_ms..=due_ms).contains(at_ms));
            due_ms += if is_held { HELD_MS } else { 0 };
            let is_away =
                outages.iter().any(|away| away.from_ms < due_ms && span.from_ms < away.until_ms);
            let is_locked = holds.iter().any(|hold| hold.touches(row.task, died_ms, due_ms));
            let is_judged = span.until_ms >= due_ms && !is_away && !is_locked;
            is_judged.then_some((due_ms, contact_ms, is_held, index, slow))
        });
        let Some((due_ms, contact_ms, is_held, index, slow)) = found.min() else { continue };
        count += 1;
        held += usize::from(is_held);
        if contact_ms <= died_ms && !is_held {
            longest_ms = longest_ms.max(lost_ms - died_ms);
        }
        if lost_ms > due_ms {
            let late_ms = lost_ms - due_ms;
            wrong.push(format!(
                "I9: {row:?}, killed at {died_ms}, is lost {late_ms} ms late; node {index} had {slow} slow renewals, \
                 and rows were held: {is_held}"
            ));
        }
    }
    (count, longest_ms, held)
}

/// How many renewals were answered, how many of them were slow, and the longest in milliseconds.
pub(super) fn renewals(nodes: &Nodes) -> (usize, usize, i64) {
    let took = nodes.links.iter().flat_map(DbProxy::times);
    let took: Vec<i64> = took.map(|time| time.until_ms - time.from_ms).collect();
    let slow = took.iter().filter(|took| **took > SLOW_RENEWAL_MS).count();
    (took.len(), slow, took.into_iter().max().unwrap_or_default())
}
