//! Runs and their rows: each run has one that says the same, none has two, and none of a task overlap.

use std::collections::{BTreeMap, BTreeSet};

use super::{Line, Row};

/// I1: the attempts of a fire are 1, 2, 3, …
pub(super) fn attempts(rows: &[Row], wrong: &mut Vec<String>) {
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

/// How far the jobs' and the database's looks at the machine's clock may differ.
const SAME_MOMENT_MS: i64 = 5;

/// I2, I3, I6, I22: what a job was told is what its row says.
pub(super) fn runs(rows: &[Row], testimony: &[Line], wrong: &mut Vec<String>) {
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
        if let Some(closed) = by_id.get(&line.execution).filter(|row| {
            row.finished_ms.is_some_and(|closed_ms| closed_ms < line.at_ms - SAME_MOMENT_MS)
        }) {
            wrong.push(format!("I2: {line:?} began after its row was closed: {closed:?}"));
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

/// I8: of every task one run at a time; one that is `lost` may go on beside the next.
pub(super) fn overlaps(rows: &[Row], testimony: &[Line], wrong: &mut Vec<String>) {
    // By the row's id: a row that was created again under its key is another task.
    let tasks: BTreeMap<i64, i64> =
        rows.iter().filter(|row| row.status != "lost").map(|row| (row.id, row.task)).collect();
    let ends: BTreeMap<i64, i64> = testimony
        .iter()
        .filter(|line| line.is_end)
        .map(|line| (line.execution, line.at_ms))
        .collect();
    let mut of_task: BTreeMap<i64, Vec<(i64, i64, i64)>> = BTreeMap::new();
    for line in testimony.iter().filter(|line| !line.is_end) {
        let Some(task) = tasks.get(&line.execution) else { continue };
        // A run without an end was cut: when, only its node knew.
        let end = ends.get(&line.execution).copied().unwrap_or(line.at_ms);
        of_task.entry(*task).or_default().push((line.at_ms, end, line.execution));
    }
    for (task, mut runs) in of_task {
        runs.sort_unstable();
        for pair in runs.windows(2) {
            if pair[1].0 < pair[0].1 {
                wrong.push(format!(
                    "I8: task {task}: execution {} began before {} ended",
                    pair[1].2, pair[0].2
                ));
            }
        }
    }
}
