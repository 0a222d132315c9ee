//! Real programs on a real MariaDB, killed, frozen and stopped while people edit the rows and the database goes away;
//! then every row is judged by what the jobs themselves wrote into a file that the scheduler never sees, and by what
//! triggers wrote down in the database.

mod calm;
mod end;
mod judge;
mod nodes;
mod outages;
mod people;
mod starts;
mod steps;
mod stop;
mod strangers;
pub mod witness;

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;
use scheduler_core::clock;
use tempfile::TempDir;

pub use self::{
    judge::{Findings, Resumed},
    nodes::node,
    outages::Kind,
};
use self::{
    nodes::{Nodes, SHUTDOWN},
    outages::Outages,
    people::People,
    steps::Sweep,
    strangers::Strangers,
};
use crate::{poll, program, servers::MariaDb};

/// How long a torment is, and of whom.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Programs at once.
    pub nodes: usize,
    /// How long they are tormented.
    pub span: Duration,
    /// Draws what befalls whom.
    pub seed: u64,
    /// Kills at a step of theirs, beside those at any time.
    pub kills: u32,
    /// Orderly stops at a step of theirs, beside those at any time.
    pub stops: u32,
    /// The first statements of a start, at each of which it is killed and stopped.
    pub starts: u32,
    /// Edits by hand, spread over the span.
    pub edits: u32,
    /// How often another session locks rows, or the table of runs, and keeps them.
    pub holds: u32,
    /// For how long at most.
    pub hold: Duration,
    /// How often the database goes away.
    pub outages: u32,
    /// For how long.
    pub outage: Duration,
    /// How long one node is frozen once; 0: only for moments, as the others are.
    pub freeze: Duration,
}

/// `lease` of the programs: short, so that much happens in little time.
const LEASE: Duration = Duration::from_secs(6);

/// How long a turn takes at least.
const TICK: Duration = Duration::from_millis(10);

/// `sync_interval` of the programs.
const SYNC: Duration = Duration::from_secs(1);

/// Runs programs of this binary and torments them; `None`: no MariaDB is installed.
///
/// `this` is a binary whose first argument `node` and second argument FOLDER lead to [`node`].
///
/// # Errors
/// When something of the torment itself fails.
pub fn torment(this: &Path, plan: Plan) -> Result<Option<Findings>> {
    let Some(server) = MariaDb::start()? else { return Ok(None) };
    let mut world = World::new(this, server, plan)?;
    world.begin()?;
    let began = clock::mono();
    while clock::mono() - began < plan.span {
        world.turn(clock::mono() - began)?;
    }
    world.strangers.leave()?;
    world.nodes.mend()?;
    // All is well again: what the dead left is found, and what waits runs.
    pause(2 * LEASE + Duration::from_secs(10));
    let until_ms = outages::wall_ms();
    let testimony = world.nodes.end()?;
    let mut findings = judge::judge(&world, &testimony, until_ms)?;
    findings.violations.extend(starts::starts(this, &world.server, plan.starts)?);
    findings.starts = 2 * plan.starts;
    ensure!(findings.fires > 0, "nothing fired");
    if !findings.violations.is_empty() {
        world.keep();
    }
    Ok(Some(findings))
}

fn pause(span: Duration) {
    // Nothing can be awaited: it is time itself that must pass for the nodes.
    let _ = poll::until(span, || None::<()>);
}

/// Where the tables are.
struct Place {
    port: u16,
    database: String,
}

/// Everything there is.
struct World {
    server: MariaDb,
    database: String,
    folder: TempDir,
    plan: Plan,
    rng: Rng,
    nodes: Nodes,
    outages: Outages,
    people: People,
    strangers: Strangers,
    sweep: Sweep,
    /// When the next thing befalls a node, since the begin.
    next: Duration,
    was_frozen_long: bool,
}

/// The one that nothing befalls around an outage of the database, and which is never frozen: it shows when all goes on.
const SPARED: usize = 0;

impl World {
    fn new(this: &Path, server: MariaDb, plan: Plan) -> Result<Self> {
        let database = server.create_database();
        let folder = tempfile::Builder::new().prefix("torment-").tempdir()?;
        let mut rng = Rng::with_seed(plan.seed);
        let place = Place { port: server.port(), database: database.clone() };
        Ok(Self {
            nodes: Nodes::new(this, folder.path(), plan.nodes, &place)?,
            sweep: Sweep::new(&plan, &mut rng),
            outages: Outages::draw(&plan, &mut rng)?,
            people: People::default(),
            strangers: Strangers::new(plan.holds, plan.hold, plan.span),
            next: Duration::ZERO,
            was_frozen_long: plan.freeze.is_zero(),
            server,
            database,
            folder,
            plan,
            rng,
        })
    }

    /// The tables, the rows, the programs.
    fn begin(&mut self) -> Result<()> {
        let (server, database) = (&self.server, &*self.database);
        server.client("", &user(database))?;
        configure(self.folder.path())?;
        self.nodes.start(0)?;
        // The first one makes the tables.
        poll::until(Duration::from_secs(60), || is_made(server, database))
            .context("the tables are not made within 60 s")?;
        server.client(database, people::AUDIT)?;
        server.client(database, &people::rows())?;
        (1..self.plan.nodes).try_for_each(|index| self.nodes.start(index))
    }

    /// A moment of the torment.
    fn turn(&mut self, elapsed: Duration) -> Result<()> {
        pause(TICK);
        self.outages.go_on(elapsed, &self.server, &mut self.nodes)?;
        let is_felt = self.outages.is_felt(elapsed);
        self.nodes.look(is_felt)?;
        if !self.outages.is_on() {
            self.nodes.note_who_holds(&self.server)?;
            self.nodes.restart(&mut self.rng)?;
        }
        self.sweep.turn(elapsed, &mut self.nodes, |index| !(is_felt && index == SPARED))?;
        let place = (&self.server, &*self.database);
        self.strangers.turn(elapsed, place, &mut self.rng, !is_felt)?;
        if self.next <= elapsed {
            self.next = elapsed + Duration::from_millis(self.rng.u64(100..1_500));
            self.befall(elapsed)?;
        }
        let is_time = f64::from(self.plan.edits) * elapsed.as_secs_f64()
            > self.people.count() as f64 * self.plan.span.as_secs_f64();
        if is_time && self.outages.lets_people_in() {
            let (what, sql) = people::edit(&mut self.rng);
            let sql = format!("{} {sql}", people::IMPATIENT);
            let is_done = self.server.client(&self.database, &sql).is_ok();
            self.people.did(if is_done { what } else { people::REFUSED });
        }
        Ok(())
    }

    fn befall(&mut self, elapsed: Duration) -> Result<()> {
        let index = self.rng.usize(0..self.plan.nodes);
        if index == SPARED && self.outages.is_felt(elapsed) {
            return Ok(());
        }
        if !self.was_frozen_long && index != SPARED && elapsed > self.plan.span / 20 {
            self.was_frozen_long = self.nodes.freeze(index, self.plan.freeze)?;
            return Ok(());
        }
        match self.rng.u8(0..10) {
            0..2 if self.nodes.runs(index) => self.nodes.kill(index),
            2 if index != SPARED => {
                let span = Duration::from_millis(self.rng.u64(500..18_000));
                self.nodes.freeze(index, span).map(drop)
            }
            3 => self.nodes.stop(index),
            4 if index != SPARED && !self.outages.is_felt(elapsed) => {
                self.nodes.cut_off(index, Duration::from_millis(self.rng.u64(500..18_000)));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Leaves the logs and the testimony where they are, for whoever looks for what went wrong.
    #[expect(clippy::print_stderr, reason = "who runs the torment reads it")]
    fn keep(&mut self) {
        self.folder.disable_cleanup(true);
        let dump =
            "SELECT * FROM audit ORDER BY seq; SELECT * FROM execute_task; SELECT * FROM task";
        let rows = self.server.client(&self.database, dump).unwrap_or_default();
        let _ = std::fs::write(self.folder.path().join("rows"), rows);
        eprintln!("the logs, the testimony and the rows are in {}", self.folder.path().display());
    }
}

/// Whether the tables are made.
fn is_made(server: &MariaDb, database: &str) -> Option<()> {
    let version = "SELECT version FROM scheduler_migration WHERE version = 5 AND success";
    server.client(database, version).ok().filter(|found| !found.is_empty()).map(drop)
}

/// Whom the programs are for the database: who may do what the documentation says is needed, and no more.
fn user(database: &str) -> String {
    format!(
        "CREATE USER IF NOT EXISTS 'scheduler'@'127.0.0.1' IDENTIFIED BY ''; \
         GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX ON {database}.* TO 'scheduler'@'127.0.0.1'"
    )
}

fn configure(folder: &Path) -> std::io::Result<()> {
    let (lease, sync, shutdown) = (LEASE.as_secs(), SYNC.as_secs(), SHUTDOWN.as_secs());
    let common = format!(
        "lease = \"{lease}s\"\nsync_interval = \"{sync}s\"\nshutdown_timeout = \"{shutdown}s\""
    );
    program::configure(folder, None, &common)
}
