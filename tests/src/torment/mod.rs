//! Real programs on a real MariaDB, killed, frozen and stopped while people edit the rows; then every row is judged by
//! what the jobs themselves wrote into a file that the scheduler never sees.

mod judge;
mod nodes;
mod witness;

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;
use scheduler_core::clock;

use self::nodes::Nodes;
pub use self::{judge::Findings, nodes::node};
use crate::servers::MariaDb;

/// How long a torment is, and of whom.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Programs at once.
    pub nodes: usize,
    /// How long they are tormented.
    pub span: Duration,
    /// Draws what befalls whom.
    pub seed: u64,
}

/// `lease` of the programs: short, so that much happens in little time.
const LEASE: Duration = Duration::from_secs(6);

/// Runs programs of this binary and torments them; `None`: no MariaDB is installed.
///
/// `this` is a binary whose first argument `node` and second argument FOLDER lead to [`node`].
///
/// # Errors
/// When something of the torment itself fails.
pub fn torment(this: &Path, plan: Plan) -> Result<Option<Findings>> {
    let Some(server) = MariaDb::start()? else { return Ok(None) };
    let database = server.create_database();
    let folder = tempfile::tempdir()?;
    configure(folder.path(), &server.url(&database))?;
    let mut rng = Rng::with_seed(plan.seed);
    let mut nodes = Nodes::new(this, folder.path(), plan.nodes);
    nodes.start(0)?;
    // The first one makes the tables.
    crate::poll::until(Duration::from_secs(60), || {
        server.client(&database, "SELECT version FROM scheduler_migration WHERE version = 2").ok()
    })
    .context("the tables are not made within 60 s")?;
    server.client(&database, &rows())?;
    (1..plan.nodes).try_for_each(|index| nodes.start(index))?;
    let began = clock::mono();
    while clock::mono() - began < plan.span {
        pause(Duration::from_millis(rng.u64(100..1_500)));
        match rng.u8(0..10) {
            0..2 => nodes.kill(rng.usize(0..plan.nodes))?,
            2 => nodes
                .freeze(rng.usize(0..plan.nodes), Duration::from_millis(rng.u64(500..18_000)))?,
            3 => nodes.stop(rng.usize(0..plan.nodes))?,
            4 => drop(server.client(&database, &edit(&mut rng))?),
            _ => {}
        }
        nodes.go_on_and_restart(&mut rng)?;
    }
    nodes.mend()?;
    // All is well again: what the dead left is found, and what waits runs.
    pause(3 * LEASE + Duration::from_secs(15));
    let testimony = nodes.end()?;
    let findings = judge::judge(&server, &database, &testimony, &nodes)?;
    ensure!(findings.fires > 0, "nothing fired");
    Ok(Some(findings))
}

fn pause(span: Duration) {
    // Nothing can be awaited: it is time itself that must pass for the nodes.
    let _ = crate::poll::until(span, || None::<()>);
}

fn configure(folder: &Path, url: &str) -> Result<()> {
    let conf = folder.join("conf/local");
    std::fs::create_dir_all(&conf)?;
    let lease = LEASE.as_secs();
    let common = format!(
        "store = \"mysql\"\nlease = \"{lease}s\"\nsync_interval = \"1s\"\nshutdown_timeout = \"3s\"\n"
    );
    std::fs::write(conf.join("common.toml"), common)?;
    std::fs::write(conf.join("mysql.toml"), format!("[default]\nurl = \"{url}\"\n"))?;
    for empty in ["redis.toml", "logger.toml"] {
        std::fs::write(conf.join(empty), "")?;
    }
    Ok(())
}

/// Forty rows: quick and slow jobs, every second to every ten, that skip, wait, and are tried again when lost.
fn rows() -> String {
    let row = |number: i64| {
        let every = every_secs(number);
        let takes_ms = if number % 4 == 0 { 2_500 } else { 20 };
        let extra = match number % 3 {
            0 => "{}",
            1 => r#"{"overlap": "queue"}"#,
            _ => r#"{"on_lost": "retry", "retries": 5}"#,
        };
        format!(
            "INSERT INTO task (task_key, `desc`, execute_func, `trigger`, spec, args, is_valid, status, extra) \
             VALUES ('task {number}', '', 'witness', 'interval', '{every}', '{takes_ms}', 1, 'ready', '{extra}');"
        )
    };
    (1..=40).map(row).collect()
}

/// How often the row fires, as long as nobody edits it.
fn every_secs(task: i64) -> i64 {
    [1, 2, 3, 5, 10][usize::try_from(task % 5).unwrap_or(0)]
}

/// The rows from 31 on are edited; of the others every instant must be accounted for.
pub(crate) const UNEDITED: i64 = 30;

fn edit(rng: &mut Rng) -> String {
    let task = rng.i64(UNEDITED + 1..=40);
    match rng.u8(0..3) {
        0 => format!("UPDATE task SET is_valid = 1 - is_valid WHERE id = {task}"),
        1 => format!("UPDATE task SET spec = '{}' WHERE id = {task}", rng.u8(1..6)),
        _ => format!("UPDATE task SET status = 'doing' WHERE id = {task}"),
    }
}
