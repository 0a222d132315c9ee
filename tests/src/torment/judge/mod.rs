//! Judges the rows by the testimony and by what the database wrote down. The names of the rules are those of
//! `docs/reliability.md`.

mod audit;
mod instants;
mod recoveries;
mod runs;
mod trouble;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use serde::Serialize;

pub use self::trouble::Resumed;
use super::{World, witness::Line};
use crate::servers::MariaDb;

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Findings {
    /// Instants that are accounted for.
    pub fires: usize,
    /// Runs that testified.
    pub runs: usize,
    /// Executions by status.
    pub executions: BTreeMap<String, usize>,
    /// What befell the nodes.
    pub befell: BTreeMap<String, u64>,
    /// Kills by step.
    pub killed: BTreeMap<String, u64>,
    /// Orderly stops by step.
    pub stopped: BTreeMap<String, u64>,
    /// Of stops while the database was there, how many and the longest in milliseconds.
    pub stops: (usize, i64),
    /// Executions of killed nodes whose loss was to be found in time; the longest in milliseconds from the kill, where a node
    /// had been there for long enough and nobody held rows; and of how many somebody may have held them.
    pub recoveries: (usize, i64, usize),
    /// Renewals that the database answered, those that took over 700 ms, and the longest in milliseconds; those that were
    /// held, cut off or came in an outage are among them.
    pub renewals: (usize, usize, i64),
    /// Kills and stops at the steps of a start.
    pub starts: u32,
    /// The outages of the database.
    pub outages: Vec<Resumed>,
    /// What people did.
    pub edits: BTreeMap<String, u64>,
    /// What other sessions held how often.
    pub held: BTreeMap<String, u64>,
    /// Claims and edits of edited rows whose order was judged.
    pub audited: usize,
    /// Milliseconds from the instant to the start of runs of the schedule: the median, of a hundred the 99th, the last.
    pub late_ms: [i64; 3],
    /// What is wrong.
    pub violations: Vec<String>,
}

/// A row of `execute_task`.
#[derive(Clone, Debug)]
struct Row {
    id: i64,
    task: i64,
    status: String,
    trace_id: String,
    scheduled_ms: i64,
    attempt: u32,
    source: String,
    /// The process that claimed it.
    pid: u32,
    finished_ms: Option<i64>,
    extra: serde_json::Value,
}

pub(super) fn judge(world: &World, testimony: &[Line], until_ms: i64) -> Result<Findings> {
    let rows = read(&world.server, &world.database)?;
    let mut wrong = world.nodes.wrong.clone();
    runs::attempts(&rows, &mut wrong);
    runs::runs(&rows, testimony, &mut wrong);
    runs::overlaps(&rows, testimony, &mut wrong);
    let anchors = audit::anchors(&world.server, &world.database)?;
    let fires = instants::instants(&rows, &anchors, until_ms, &mut wrong);
    let audited = audit::audit(&world.server, &world.database, &rows, &mut wrong)?;
    let (nodes, away, holds) = (&world.nodes, &world.outages.past, &world.strangers.past);
    let stops = trouble::stops(nodes, away, holds, &rows, &mut wrong);
    let recoveries = recoveries::recoveries(nodes, away, holds, &rows, &mut wrong);
    let outages = trouble::outages(away, &nodes.troubles, &rows, testimony, &mut wrong);
    for row in rows.iter().filter(|row| row.status == "todo") {
        wrong.push(format!("I9: {row:?} is open, and nobody runs it"));
    }
    Ok(Findings {
        fires,
        runs: testimony.iter().filter(|line| !line.is_end).count(),
        executions: count(&rows),
        befell: named(&world.nodes.counts),
        killed: world.sweep.killed.clone(),
        stopped: world.sweep.stopped.clone(),
        stops,
        recoveries,
        renewals: recoveries::renewals(nodes),
        starts: 0,
        outages,
        edits: named(&world.people.edits),
        held: named(&world.strangers.counts),
        audited,
        late_ms: lateness(&rows, testimony),
        violations: wrong,
    })
}

fn named(counts: &BTreeMap<&'static str, u64>) -> BTreeMap<String, u64> {
    counts.iter().map(|(what, count)| ((*what).to_owned(), *count)).collect()
}

fn count(rows: &[Row]) -> BTreeMap<String, usize> {
    let mut executions: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows {
        *executions.entry(row.status.clone()).or_default() += 1;
    }
    executions
}

fn lateness(rows: &[Row], testimony: &[Line]) -> [i64; 3] {
    let scheduled: BTreeSet<i64> =
        rows.iter().filter(|row| row.source == "schedule").map(|row| row.id).collect();
    let starts =
        testimony.iter().filter(|line| !line.is_end && scheduled.contains(&line.execution));
    let mut late: Vec<i64> = starts.map(|line| line.at_ms - line.scheduled_ms).collect();
    late.sort_unstable();
    let at = |per_cent: usize| late.get(late.len() * per_cent / 100).copied().unwrap_or_default();
    [at(50), at(99), late.last().copied().unwrap_or_default()]
}

fn read(server: &MariaDb, database: &str) -> Result<Vec<Row>> {
    let columns = "id, task_id, status, trace_id, scheduled_at, attempt, source, node_id, finished_at, \
                   REPLACE(extra, '\\\\', '/')";
    let text =
        server.client(database, &format!("SELECT {columns} FROM execute_task ORDER BY id"))?;
    let row = |line: &str| {
        let cells: Vec<&str> = line.splitn(10, '\t').collect();
        let [id, task, status, trace_id, scheduled, attempt, source, node, finished, extra] =
            cells[..]
        else {
            return None;
        };
        Some(Row {
            id: id.parse().ok()?,
            task: task.parse().ok()?,
            status: status.to_owned(),
            trace_id: trace_id.to_owned(),
            scheduled_ms: scheduled.parse().ok()?,
            attempt: attempt.parse().ok()?,
            source: source.to_owned(),
            pid: node.rsplit(':').nth(1)?.parse().ok()?,
            finished_ms: finished.parse().ok(),
            extra: serde_json::from_str(extra).unwrap_or_default(),
        })
    };
    text.lines().map(|line| row(line).with_context(|| format!("no row: {line}"))).collect()
}
