//! Kills and stops at every step of a start, the making of the tables included: each time on a new database, on which a
//! second start must find its way.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result};

use super::{Place, configure, is_made, nodes::Nodes, outages::wall_ms, user};
use crate::{
    dbproxy::{Action, Which},
    poll,
    servers::MariaDb,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// How long an orderly stop may take while nothing runs, on a busy machine.
const PROMPT_MS: i64 = 3_000;

/// Strikes at each of the first `steps` statements, by a kill and by a stop; what was wrong.
pub(super) fn starts(this: &Path, server: &MariaDb, steps: u32) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for nth in 1..=steps as usize {
        for is_kill in [true, false] {
            let found = strike(this, server, nth, is_kill);
            let found = found.with_context(|| format!("statement {nth} of a start"))?;
            wrong.extend(
                found.into_iter().map(|text| format!("statement {nth} of a start: {text}")),
            );
        }
    }
    Ok(wrong)
}

fn strike(this: &Path, server: &MariaDb, nth: usize, is_kill: bool) -> Result<Vec<String>> {
    let folder = tempfile::tempdir()?;
    configure(folder.path())?;
    let database = server.create_database();
    server.client("", &user(&database))?;
    let place = Place { port: server.port(), database: database.clone() };
    let mut nodes = Nodes::new(this, folder.path(), 1, &place)?;
    let action = if is_kill { Action::Hold } else { Action::Delay(Duration::from_millis(100)) };
    let fault = nodes.links[0].on("", Which::Nth(nth), action);
    nodes.start(0)?;
    let has_fired = fault.has_fired(1, PATIENCE);
    anyhow::ensure!(has_fired, "it was not sent within {} s", PATIENCE.as_secs());
    if is_kill {
        nodes.kill(0)?;
    } else {
        let asked_ms = wall_ms();
        nodes.stop_all()?;
        let took_ms = wall_ms() - asked_ms;
        if took_ms > PROMPT_MS {
            nodes.wrong.push(format!("I14: the stop took {took_ms} ms"));
        }
    }
    fault.lift();
    nodes.start(0)?;
    let is_there = poll::until(PATIENCE, || {
        let alive = "SELECT 1 FROM scheduler_node";
        is_made(server, &database)?;
        server.client(&database, alive).ok().filter(|found| !found.is_empty())
    });
    is_there.context("the second start does not get through within 60 s")?;
    nodes.stop_all()?;
    server.client("", &format!("DROP DATABASE {database}"))?;
    Ok(std::mem::take(&mut nodes.wrong))
}
