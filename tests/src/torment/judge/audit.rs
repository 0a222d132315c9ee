//! What the triggers wrote down, in the order in which it was committed: I10, I11, I12.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use super::Row;
use crate::servers::MariaDb;

/// A line of the table `audit`.
enum Entry {
    /// The row as it stands from here on.
    Row(Version),
    Gone,
    Claim {
        execution: i64,
        status: String,
    },
    End {
        execution: i64,
        was: String,
        status: String,
    },
}

struct Version {
    is_valid: bool,
    /// `None`: no whole number of seconds.
    every_ms: Option<i64>,
    anchor_ms: i64,
    at_ms: i64,
}

/// What a task's row was and is.
#[derive(Default)]
struct Versions {
    now: Option<Version>,
    /// Until when the row had these periods.
    before: Vec<(i64, i64)>,
}

impl Versions {
    fn become_now(&mut self, version: Option<Version>) {
        let until_ms = version.as_ref().map_or(i64::MAX, |version| version.at_ms);
        let every_ms = version.as_ref().and_then(|version| version.every_ms);
        let was = std::mem::replace(&mut self.now, version).and_then(|was| was.every_ms);
        if let Some(was) = was.filter(|was| Some(*was) != every_ms) {
            self.before.push((was, until_ms));
        }
    }

    /// Whether the row as it stands has this instant, or had it before the edit that took it away.
    fn has(&self, instant_ms: i64) -> bool {
        let Some(now) = &self.now else { return false };
        let is_on_grid = |every_ms: i64| (instant_ms - now.anchor_ms) % every_ms == 0;
        now.every_ms.is_some_and(is_on_grid)
            || self
                .before
                .iter()
                .any(|(every_ms, until_ms)| instant_ms <= *until_ms && is_on_grid(*every_ms))
    }
}

/// When each row was created, in epoch milliseconds.
pub(super) fn anchors(server: &MariaDb, database: &str) -> Result<BTreeMap<i64, i64>> {
    let text = server.client(database, "SELECT id, UNIX_TIMESTAMP(create_at) * 1000 FROM task")?;
    let anchor = |line: &str| {
        let (id, at) = line.split_once('\t')?;
        Some((id.parse().ok()?, at.parse().ok()?))
    };
    text.lines().map(|line| anchor(line).with_context(|| format!("no anchor: {line}"))).collect()
}

/// How many claims were judged.
pub(super) fn audit(
    server: &MariaDb,
    database: &str,
    rows: &[Row],
    wrong: &mut Vec<String>,
) -> Result<usize> {
    let rows: BTreeMap<i64, &Row> = rows.iter().map(|row| (row.id, row)).collect();
    let mut tasks: BTreeMap<i64, Versions> = BTreeMap::new();
    let mut judged = 0;
    for (task, entry) in read(server, database)? {
        let versions = tasks.entry(task).or_default();
        match entry {
            Entry::Row(version) => versions.become_now(Some(version)),
            Entry::Gone => versions.become_now(None),
            Entry::End { execution, was, status } if was != "todo" => {
                wrong.push(format!("I10: execution {execution} went from {was} to {status}"));
            }
            Entry::End { .. } => {}
            Entry::Claim { execution, status } => {
                let row = rows.get(&execution).with_context(|| format!("no row {execution}"))?;
                judged += 1;
                let is_scheduled = row.source == "schedule";
                let is_on = versions.now.as_ref().is_some_and(|version| version.is_valid);
                if !is_on && (is_scheduled || status == "todo") {
                    wrong.push(format!("I11: {row:?} was claimed of a row that was off"));
                } else if is_scheduled && !versions.has(row.scheduled_ms) {
                    wrong.push(format!("I12: {row:?} is no instant of its row"));
                }
            }
        }
    }
    Ok(judged)
}

fn read(server: &MariaDb, database: &str) -> Result<Vec<(i64, Entry)>> {
    let columns = "what, task, is_valid, anchor_ms, at_ms, execution, was, status, spec";
    let text = server.client(database, &format!("SELECT {columns} FROM audit ORDER BY seq"))?;
    let entry = |line: &str| {
        let cells: Vec<&str> = line.splitn(9, '\t').collect();
        let [what, task, is_valid, anchor, at, execution, was, status, spec] = cells[..] else {
            return None;
        };
        let entry = match what {
            "row" => Entry::Row(Version {
                is_valid: is_valid == "1",
                every_ms: spec
                    .parse()
                    .ok()
                    .filter(|every| *every > 0)
                    .map(|secs: i64| secs * 1_000),
                anchor_ms: anchor.parse().ok()?,
                at_ms: at.parse().ok()?,
            }),
            "gone" => Entry::Gone,
            "claim" => {
                Entry::Claim { execution: execution.parse().ok()?, status: status.to_owned() }
            }
            _ => Entry::End {
                execution: execution.parse().ok()?,
                was: was.to_owned(),
                status: status.to_owned(),
            },
        };
        Some((task.parse().ok()?, entry))
    };
    text.lines().map(|line| entry(line).with_context(|| format!("no entry: {line}"))).collect()
}
