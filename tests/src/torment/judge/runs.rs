//! Judges the rows by the testimony. The names of the rules are those of `docs/reliability.md`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::{UNEDITED, every_secs, nodes::Nodes, witness::Line};
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
    /// Milliseconds from the instant to the start of runs of the schedule: the median, of a hundred the 99th, the last.
    pub late_ms: [i64; 3],
    /// What is wrong.
    pub violations: Vec<String>,
}

/// A row of `execute_task`.
#[derive(Clone)]
struct Row {
    id: i64,
    task: i64,
    status: String,
    trace_id: String,
    scheduled_ms: i64,
    attempt: u32,
    source: String,
    extra: serde_json::Value,
}

pub(super) fn judge(
    server: &MariaDb,
    database: &str,
    testimony: &[Line],
    nodes: &Nodes,
) -> Result<Findings> {
    let rows = read(server, database)?;
    let mut wrong = nodes.wrong.clone();
    attempts(&rows, &mut wrong);
    runs(&rows, testimony, &mut wrong);
    overlaps(&rows, testimony, &mut wrong);
    let fires = instants(&rows, &mut wrong);
    let mut executions: BTreeMap<String, usize> = BTreeMap::new();
    for row in &rows {
        *executions.entry(row.status.clone()).or_default() += 1;
        if row.status == "todo" {
            wrong.push(format!("I9: execution {} is open, and nobody runs it", row.id));
        }
    }
    let scheduled: BTreeSet<i64> =
        rows.iter().filter(|row| row.source == "schedule").map(|row| row.id).collect();
    let starts =
        testimony.iter().filter(|line| !line.is_end && scheduled.contains(&line.execution));
    let mut late: Vec<i64> = starts.map(|line| line.at_ms - line.scheduled_ms).collect();
    late.sort_unstable();
    let at = |per_cent: usize| late.get(late.len() * per_cent / 100).copied().unwrap_or_default();
    Ok(Findings {
        fires,
        runs: testimony.iter().filter(|line| !line.is_end).count(),
        executions,
        befell: nodes.counts.iter().map(|(what, count)| ((*what).to_owned(), *count)).collect(),
        late_ms: [at(50), at(99), late.last().copied().unwrap_or_default()],
        violations: wrong,
    })
}

fn read(server: &MariaDb, database: &str) -> Result<Vec<Row>> {
    let columns =
        "id, task_id, status, trace_id, scheduled_at, attempt, source, REPLACE(extra, '\\\\', '/')";
    let text =
        server.client(database, &format!("SELECT {columns} FROM execute_task ORDER BY id"))?;
    let row = |line: &str| {
        let cells: Vec<&str> = line.splitn(8, '\t').collect();
        let [id, task, status, trace_id, scheduled, attempt, source, extra] = cells[..] else {
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
            extra: serde_json::from_str(extra).unwrap_or_default(),
        })
    };
    text.lines().map(|line| row(line).with_context(|| format!("no row: {line}"))).collect()
}

fn attempts(rows: &[Row], wrong: &mut Vec<String>) {
    let mut fires: BTreeMap<(i64, i64), Vec<u32>> = BTreeMap::new();
    for row in rows {
        fires.entry((row.task, row.scheduled_ms)).or_default().push(row.attempt);
    }
    for ((task, at), mut attempts) in fires {
        attempts.sort_unstable();
        if !is_counting(&attempts) {
            wrong.push(format!("I1: task {task} at {at} has the attempts {attempts:?}"));
        }
    }
}

fn is_counting(attempts: &[u32]) -> bool {
    attempts.iter().zip(1..).all(|(found, wanted)| *found == wanted)
}

fn runs(rows: &[Row], testimony: &[Line], wrong: &mut Vec<String>) {
    let by_id: BTreeMap<i64, &Row> = rows.iter().map(|row| (row.id, row)).collect();
    let mut seen = BTreeSet::new();
    let mut ended = BTreeSet::new();
    for line in testimony {
        if line.is_end {
            ended.insert(line.execution);
            continue;
        }
        if !seen.insert((line.task_key.clone(), line.scheduled_ms, line.attempt)) {
            wrong.push(format!("I3: {line:?} is the second run of its fire and attempt"));
        }
        let is_told = by_id.get(&line.execution).is_some_and(|row| {
            (&row.trace_id, row.scheduled_ms, row.attempt)
                == (&line.trace_id, line.scheduled_ms, line.attempt)
        });
        if !is_told {
            wrong.push(format!("I2: {line:?} has no row that says so"));
        }
        if line.at_ms < line.scheduled_ms {
            wrong.push(format!("I6: {line:?} is early"));
        }
    }
    for row in rows.iter().filter(|row| row.status == "success" && !ended.contains(&row.id)) {
        wrong.push(format!("I22: execution {} is a success, and its job never ended", row.id));
    }
}

/// Of every task one run at a time; one that is `lost` may go on beside the next.
fn overlaps(rows: &[Row], testimony: &[Line], wrong: &mut Vec<String>) {
    let lost: BTreeSet<i64> =
        rows.iter().filter(|row| row.status == "lost").map(|row| row.id).collect();
    let ends: BTreeMap<i64, i64> = testimony
        .iter()
        .filter(|line| line.is_end)
        .map(|line| (line.execution, line.at_ms))
        .collect();
    let mut of_task: BTreeMap<&str, Vec<(i64, i64, i64)>> = BTreeMap::new();
    for line in testimony.iter().filter(|line| !line.is_end && !lost.contains(&line.execution)) {
        // A run without an end was cut: when, only its node knew.
        let end = ends.get(&line.execution).copied().unwrap_or(line.at_ms);
        of_task.entry(&line.task_key).or_default().push((line.at_ms, end, line.execution));
    }
    for (task, mut runs) in of_task {
        runs.sort_unstable();
        for pair in runs.windows(2) {
            if pair[1].0 < pair[0].1 {
                wrong.push(format!(
                    "I8: {task}: execution {} began before {} ended",
                    pair[1].2, pair[0].2
                ));
            }
        }
    }
}

/// Every instant of the rows that nobody edited, from the first to the last; how many there are.
fn instants(rows: &[Row], wrong: &mut Vec<String>) -> usize {
    let mut accounted: BTreeMap<i64, BTreeMap<i64, u32>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.source == "schedule" && row.task <= UNEDITED) {
        let instants = accounted.entry(row.task).or_default();
        let every = every_secs(row.task) * 1_000;
        let count = row.extra["count"].as_i64().filter(|_| row.status == "missed").unwrap_or(1);
        for back in 0..count {
            *instants.entry(row.scheduled_ms - back * every).or_default() += 1;
        }
    }
    for (task, instants) in &accounted {
        let every = every_secs(*task) * 1_000;
        let found: Vec<i64> = instants.keys().copied().collect();
        for pair in found.windows(2).filter(|pair| pair[1] - pair[0] != every) {
            wrong.push(format!("I4: task {task}: nothing between {} and {}", pair[0], pair[1]));
        }
        for (at, times) in instants.iter().filter(|(_, times)| **times > 1) {
            wrong.push(format!("I4: task {task}: {at} stands in {times} rows"));
        }
    }
    accounted.values().map(BTreeMap::len).sum()
}
