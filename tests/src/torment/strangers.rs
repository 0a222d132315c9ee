//! Other sessions of the database, which lock rows of the scheduler's tables and keep them for a while: reports,
//! backups, somebody's forgotten transaction.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result};
use fastrand::Rng;

use super::{
    calm::Span,
    outages::wall_ms,
    people::{IMPATIENT, UNEDITED},
};
use crate::servers::MariaDb;

/// What is held.
#[derive(Clone, Copy, Debug)]
enum What {
    /// The rows of tasks.
    Tasks,
    /// The open runs of tasks.
    Runs,
    /// All runs of tasks by their key, and the gaps between them: no fire of theirs can be inserted.
    Fires,
    /// The whole table of runs, which can be read and not written.
    Table,
}

impl What {
    const ALL: [What; 4] = [What::Tasks, What::Runs, What::Fires, What::Table];

    fn name(self) -> &'static str {
        match self {
            What::Tasks => "tasks",
            What::Runs => "open runs",
            What::Fires => "fires",
            What::Table => "table",
        }
    }

    fn sql(self, tasks: &[i64]) -> String {
        let tasks: Vec<String> = tasks.iter().map(i64::to_string).collect();
        let tasks = tasks.join(",");
        let lock = match self {
            What::Tasks => format!("SELECT COUNT(id) FROM task WHERE id IN ({tasks}) FOR UPDATE"),
            What::Runs => format!(
                "SELECT COUNT(id) FROM execute_task FORCE INDEX (ix__execute_task__status) \
                 WHERE task_id IN ({tasks}) AND status = 'todo' FOR UPDATE"
            ),
            What::Fires => {
                format!(
                    "SELECT COUNT(id) FROM execute_task FORCE INDEX (ux__execute_task__fire) \
                 WHERE task_id IN ({tasks}) FOR UPDATE"
                )
            }
            What::Table => {
                return format!("{IMPATIENT} LOCK TABLES execute_task READ; {SAYS_SO}\n");
            }
        };
        format!("{IMPATIENT} START TRANSACTION; {lock}; {SAYS_SO}\n")
    }
}

/// What the client prints once it holds what it wanted; it ends at the first error.
const HELD: &str = "it is held";
const SAYS_SO: &str = "SELECT 'it is held';";

/// A session that holds something, or tries to.
struct Stranger {
    what: What,
    client: Child,
    until: Duration,
    hold: Hold,
}

/// Somebody may have held what belongs to these tasks, from then until then by the wall clock, and what came of it.
#[derive(Clone, Debug)]
pub(super) struct Hold {
    /// `None`: of all.
    tasks: Option<Vec<i64>>,
    span: Span,
}

impl Hold {
    /// Whether something of the task may have been held at a moment of this span.
    pub(super) fn touches(&self, task: i64, from_ms: i64, until_ms: i64) -> bool {
        self.tasks.as_ref().is_none_or(|tasks| tasks.contains(&task))
            && self.span.from_ms < until_ms
            && from_ms < self.span.until_ms
    }
}

/// How long what was held still shows: a wait for the lock, and the pause before what failed alone is tried again.
const SHOWS: Duration = Duration::from_secs(6);

/// Strangers, who come and go.
pub(super) struct Strangers {
    left: u32,
    every: Duration,
    next: Duration,
    most: Duration,
    there: Vec<Stranger>,
    /// Who held what, once they are gone.
    pub(super) past: Vec<Hold>,
    /// How often what was held.
    pub(super) counts: BTreeMap<&'static str, u64>,
}

impl Strangers {
    /// As many as `count`, spread over the span; each holds what it locked for `most` or less.
    pub(super) fn new(count: u32, most: Duration, span: Duration) -> Self {
        let every = span / (count + 1);
        Self {
            left: count,
            every,
            next: every,
            most,
            there: Vec::new(),
            past: Vec::new(),
            counts: BTreeMap::new(),
        }
    }

    /// Who has been there for long enough goes, and the next one comes; none is there unless it `may`.
    pub(super) fn turn(
        &mut self,
        elapsed: Duration,
        (server, database): (&MariaDb, &str),
        rng: &mut Rng,
        may: bool,
    ) -> Result<()> {
        for mut gone in self.there.extract_if(.., |stranger| stranger.until <= elapsed || !may) {
            gone.leave(&mut self.past, &mut self.counts)?;
        }
        if self.left > 0 && self.next <= elapsed && may {
            self.left -= 1;
            self.next += self.every;
            let what = What::ALL[rng.usize(0..What::ALL.len())];
            let until = elapsed + self.most.mul_f64(rng.f64());
            let client = server.client_command(database)?;
            self.there.push(Stranger::come(what, until, client, rng)?);
        }
        Ok(())
    }

    /// All go.
    pub(super) fn leave(&mut self) -> Result<()> {
        for mut stranger in self.there.drain(..) {
            stranger.leave(&mut self.past, &mut self.counts)?;
        }
        Ok(())
    }
}

impl Stranger {
    fn come(what: What, until: Duration, mut client: Command, rng: &mut Rng) -> Result<Self> {
        let mut tasks: Vec<i64> = (1..=UNEDITED).collect();
        rng.shuffle(&mut tasks);
        tasks.truncate(rng.usize(1..=10));
        let span = Span { from_ms: wall_ms(), until_ms: i64::MAX };
        let mut client = client.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        // Its input stays open, and with it the session and what it holds.
        let input = client.stdin.as_mut().context("bug: the client has no stdin")?;
        input.write_all(what.sql(&tasks).as_bytes())?;
        let tasks = if matches!(what, What::Table) { None } else { Some(tasks) };
        Ok(Self { what, client, until, hold: Hold { tasks, span } })
    }

    fn leave(
        &mut self,
        past: &mut Vec<Hold>,
        counts: &mut BTreeMap<&'static str, u64>,
    ) -> Result<()> {
        // The server rolls back what a session that ends has in hand.
        self.client.kill()?;
        self.client.wait()?;
        let mut said = String::new();
        self.client.stdout.take().context("bug: no stdout")?.read_to_string(&mut said)?;
        if said.contains(HELD) {
            *counts.entry(self.what.name()).or_default() += 1;
            let until_ms = wall_ms() + i64::try_from(SHOWS.as_millis()).unwrap_or_default();
            let span = Span { until_ms, ..self.hold.span };
            past.push(Hold { tasks: self.hold.tasks.take(), span });
        }
        Ok(())
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.client.kill();
        let _ = self.client.wait();
    }
}
