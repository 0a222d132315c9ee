//! Kills and stops at the steps of a program: between it and the database stands a [`DbProxy`], which tells when a
//! statement passes.
//!
//! ```text
//!   before   the server never sees the statement: the program is killed first
//!   after    the server ran it, and the program is killed before it hears so
//!   then     the program has heard so, and is killed in what follows: of a claim's COMMIT, in the job
//! ```

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use anyhow::Result;
use fastrand::Rng;

use super::{Plan, nodes::Nodes};
use crate::dbproxy::{Action, DbProxy, Fault, Which};

/// A statement, by a text that no other has.
struct Statement {
    name: &'static str,
    text: &'static str,
    /// Meant is the COMMIT of the transaction that ran it.
    is_commit: bool,
}

const fn run(name: &'static str, text: &'static str) -> Statement {
    Statement { name, text, is_commit: false }
}

const fn commit(name: &'static str, text: &'static str) -> Statement {
    Statement { name, text, is_commit: true }
}

/// What a program sends, in the order of a fire, and what it does beside.
const STATEMENTS: [Statement; 29] = [
    run("connect", "SET SESSION TRANSACTION ISOLATION"),
    run("read requests", "FROM scheduler_request r) v"),
    run("read retries", "FROM scheduler_retry r) v"),
    run("read nodes", "FROM scheduler_node WHERE heartbeat_at >="),
    run("read tasks", "FROM task WHERE id > ?"),
    run("read cursors", "AND e.source = 'schedule' ORDER BY"),
    run("begin", "START TRANSACTION"),
    run("lock tasks", "FORCE INDEX (PRIMARY) ON t.id = v.id FOR UPDATE SKIP LOCKED"),
    run("count open", "SELECT e.task_id, COUNT(*)"),
    run("lock requests", "SELECT r.id FROM"),
    run("lock retries", "SELECT r.task_id, r.scheduled_at, r.attempt FROM"),
    run("insert executions", "INSERT IGNORE INTO execute_task"),
    run("read back", "ux__execute_task__fire"),
    run("set doing", "SET t.status = 'doing'"),
    run("delete requests", "DELETE r FROM JSON_TABLE(?, '$[*]' COLUMNS (id"),
    run("delete retries", "DELETE r FROM JSON_TABLE(?, '$[*]' COLUMNS (task_id"),
    commit("commit a claim", "INSERT IGNORE INTO execute_task"),
    run(
        "lock executions",
        "SELECT e.id, e.trace_id, e.status FROM JSON_TABLE(?, '$[*]' COLUMNS (id",
    ),
    run("write outcomes", "SET e.status = v.status"),
    run("release tasks", "SET t.status = 'ready'"),
    commit("commit outcomes", "SET e.status = v.status"),
    run("renew", "INSERT INTO scheduler_node"),
    commit("commit a renewal", "INSERT INTO scheduler_node"),
    run("read the clock", "NOW(6)"),
    run("find the dead", "NOT e.node_id <=> ?"),
    run("retry the lost", "e.attempt + 1"),
    run("mark the lost", "SET e.status = 'lost'"),
    commit("commit the lost", "SET e.status = 'lost'"),
    run("forget nodes", "DELETE FROM scheduler_node WHERE heartbeat_at <"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Before,
    After,
    Then,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Kill,
    Stop,
}

/// Something that is to befall a program at a step.
#[derive(Clone, Copy)]
struct Blow {
    statement: &'static Statement,
    side: Side,
    deed: Deed,
    /// How often it was waited for in vain.
    tries: u8,
}

/// Long enough to be noticed in time, short beside what a stop may take.
const HOLD: Duration = Duration::from_millis(300);

impl Blow {
    fn name(&self) -> String {
        format!("{:?} {}", self.side, self.statement.name).to_lowercase()
    }

    fn wait_at(&self, link: &DbProxy) -> Fault {
        let Statement { text, is_commit, .. } = self.statement;
        let (first, action) = (Which::Nth(1), self.action());
        if *is_commit {
            link.on_commit_of(text, first, action)
        } else {
            link.on(text, first, action)
        }
    }

    fn action(&self) -> Action {
        match (self.side, self.deed) {
            (Side::Before, Deed::Kill) => Action::Hold,
            (Side::Before, Deed::Stop) => Action::Delay(HOLD),
            (Side::After, _) => Action::DelayReply(HOLD),
            (Side::Then, _) => Action::DelayReply(Duration::ZERO),
        }
    }
}

/// A blow that waits for its statement, at most until then.
struct Armed {
    blow: Blow,
    fault: Fault,
    until: Duration,
}

/// How long a statement is waited for, and how often.
const PATIENCE: Duration = Duration::from_secs(8);
const TRIES: u8 = 4;

/// All blows, dealt in a drawn order and as often as it takes.
pub(super) struct Sweep {
    round: Vec<Blow>,
    waiting: VecDeque<Blow>,
    armed: Vec<Option<Armed>>,
    /// How many kills and stops are still to be dealt.
    kills: u32,
    stops: u32,
    /// Kills by step.
    pub(super) killed: BTreeMap<String, u64>,
    /// Stops by step.
    pub(super) stopped: BTreeMap<String, u64>,
}

impl Sweep {
    pub(super) fn new(plan: &Plan, rng: &mut Rng) -> Self {
        let blow = |statement, side, deed| Blow { statement, side, deed, tries: 0 };
        let sides = |statement| [Side::Before, Side::After].map(|side| (statement, side));
        let of_jobs = STATEMENTS.iter().filter(|statement| statement.name == "commit a claim");
        let steps = STATEMENTS.iter().flat_map(sides).chain(of_jobs.map(|of| (of, Side::Then)));
        let mut round: Vec<Blow> = steps
            .flat_map(|(of, side)| [Deed::Kill, Deed::Stop].map(|deed| blow(of, side, deed)))
            .collect();
        rng.shuffle(&mut round);
        Self {
            round,
            waiting: VecDeque::new(),
            armed: (0..plan.nodes).map(|_| None).collect(),
            kills: plan.kills,
            stops: plan.stops,
            killed: BTreeMap::new(),
            stopped: BTreeMap::new(),
        }
    }

    /// Deals what is due, and lets what `may` befall a node wait for its statement.
    pub(super) fn turn(
        &mut self,
        elapsed: Duration,
        nodes: &mut Nodes,
        may: impl Fn(usize) -> bool,
    ) -> Result<()> {
        for index in 0..self.armed.len() {
            match self.armed[index].take() {
                Some(armed) => {
                    let is_wanted = elapsed < armed.until && may(index) && nodes.runs(index);
                    self.armed[index] = self.look(armed, is_wanted, nodes, index)?;
                }
                None if may(index) && nodes.runs(index) => {
                    self.armed[index] = self.next().map(|blow| Armed {
                        fault: blow.wait_at(&nodes.links[index]),
                        blow,
                        until: elapsed + PATIENCE,
                    });
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Deals a blow whose statement came; goes on waiting for it while it `is_wanted`.
    fn look(
        &mut self,
        armed: Armed,
        is_wanted: bool,
        nodes: &mut Nodes,
        index: usize,
    ) -> Result<Option<Armed>> {
        if !is_wanted {
            armed.fault.lift();
        }
        // Asked after it was lifted: what came before is held, and whoever it belongs to waits for the blow.
        if armed.fault.times() > 0 {
            armed.fault.lift();
            self.strike(armed.blow, nodes, index)?;
            return Ok(None);
        }
        if is_wanted {
            return Ok(Some(armed));
        }
        let tries = armed.blow.tries + 1;
        if tries < TRIES {
            self.waiting.push_back(Blow { tries, ..armed.blow });
        }
        Ok(None)
    }

    fn next(&mut self) -> Option<Blow> {
        if self.kills + self.stops > 0 && self.waiting.is_empty() {
            self.waiting.extend(&self.round);
        }
        let (kills, stops) = (self.kills, self.stops);
        self.waiting.retain(|blow| 0 < if blow.deed == Deed::Kill { kills } else { stops });
        self.waiting.pop_front()
    }

    /// A kill is dealt also when enough were dealt, and whatever befell the program meanwhile: one of its connections
    /// is silent for good.
    fn strike(&mut self, blow: Blow, nodes: &mut Nodes, index: usize) -> Result<()> {
        let (left, dealt) = match blow.deed {
            Deed::Kill => (&mut self.kills, &mut self.killed),
            Deed::Stop => (&mut self.stops, &mut self.stopped),
        };
        if blow.deed == Deed::Stop && (*left == 0 || !nodes.runs(index)) {
            return Ok(());
        }
        *left = left.saturating_sub(1);
        *dealt.entry(blow.name()).or_default() += 1;
        match blow.deed {
            Deed::Kill => nodes.kill(index),
            Deed::Stop => nodes.stop(index),
        }
    }
}
