//! The world of a simulation: what happens next, and in which order.
//!
//! | file | what follows from it |
//! |---|---|
//! | `process` | a process starts, hears, acts, runs jobs and ends |
//! | `calls` | what it asks of the database arrives or not, and is answered or not |
//! | `troubles` | faults come, and are mended |

mod calls;
mod process;
mod troubles;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    time::Duration,
};

use fastrand::Rng;
use scheduler_core::plan::{
    execution::ExecutionId,
    node::{Call, Event},
};

use self::calls::{Caller, Fate};
use super::{
    database::{Database, State},
    faults::Faults,
    machine::{Machine, Plight},
    people::People,
    seen::{self, Counts},
    time::Ms,
    truth::Truth,
};

/// No call to the database takes longer.
pub(super) const DEADLINE: Ms = 5_000;

/// How long running jobs get after a stop, the scheduler's default.
pub(super) const SHUTDOWN: Ms = 10_000;

/// Something that will happen.
#[derive(Debug)]
enum Happening {
    Wake {
        machine: usize,
        wake_up: u64,
    },
    /// A call reaches the database.
    Arrives {
        call: Call,
        from: Caller,
        asked: Ms,
        started: Duration,
        fate: Fate,
    },
    /// An answer reaches the process that asked.
    Hears {
        from: Caller,
        event: Event,
    },
    /// A transaction that nobody waits for any more is committed.
    AppliesLate {
        call: Call,
        from: Caller,
        started: Duration,
    },
    /// The job's thread comes to its first step.
    JobBegins {
        machine: usize,
        incarnation: u32,
        execution: ExecutionId,
    },
    JobEnds {
        machine: usize,
        incarnation: u32,
        execution: ExecutionId,
    },
    Starts(usize),
    Crashes(usize),
    Pauses(usize),
    GoesOn(usize),
    Stops(usize),
    /// The process of this incarnation is asked once more, and leaves at once.
    StopsAgain(usize, u32),
    CutOff(usize, bool),
    ClockSteps(usize),
    Database(State),
    Edit,
    /// Somebody tells the process of an edit, which may have been or not.
    Told(usize),
    /// From now on nothing fails, and everything that is broken is mended.
    Heals,
}

/// See the module.
pub(super) struct World {
    /// True time.
    pub(super) now: Ms,
    /// The tables.
    pub(super) database: Database,
    /// The rows.
    pub(super) people: People,
    /// What the jobs say.
    pub(super) truth: Truth,
    /// What happened how often.
    pub(super) counts: Counts,
    /// When each node was asked to stop, and when it left.
    pub(super) stops: Vec<(String, Ms, Option<Ms>)>,
    /// Since when a node cannot renew any more, of those that never will again.
    pub(super) silent_since: BTreeMap<String, Ms>,
    /// When the last thing was mended that ever was.
    pub(super) mended_at: Ms,
    /// Who found something lost last, and when.
    last_loss: Option<(usize, Ms)>,
    /// FNV-1a over every action of every node and its time, in order, if it was asked for.
    pub(super) digest: u64,
    /// Machines, and what runs on them.
    pub(super) machines: Vec<Machine>,
    faults: Faults,
    lease: Ms,
    rng: Rng,
    queue: BinaryHeap<Reverse<(Ms, u64)>>,
    happenings: BTreeMap<u64, Happening>,
    number: u64,
    is_healed: bool,
    log: Log,
    timeline: Vec<String>,
}

/// What is kept of what happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Log {
    /// Nothing.
    None,
    /// A digest.
    Digest,
    /// A line each, and a digest.
    Lines,
}

impl World {
    /// A world that begins at `now` with `nodes` machines and `tasks` rows, and heals at `heals`.
    pub(super) fn new(mut rng: Rng, faults: Faults, shape: Shape, log: Log) -> Self {
        let Shape { now, heals, until, nodes, tasks, lease } = shape;
        let mut database = Database::new(lease, now);
        let mut people = People::new(until);
        (0..tasks).for_each(|_| people.add(&mut database, &mut rng, now));
        let machines = (0..nodes).map(|index| Machine::new(format!("m{index}"))).collect();
        let mut world = Self {
            now,
            database,
            people,
            truth: Truth::default(),
            counts: Counts::new(),
            stops: Vec::new(),
            silent_since: BTreeMap::new(),
            mended_at: heals,
            last_loss: None,
            digest: 0xcbf2_9ce4_8422_2325,
            machines,
            faults,
            lease,
            rng,
            queue: BinaryHeap::new(),
            happenings: BTreeMap::new(),
            number: 0,
            is_healed: false,
            log,
            timeline: Vec::new(),
        };
        // Machines that start together also renew, read and reap together.
        let apart = if world.rng.bool() { 1 } else { 5_000 };
        for machine in 0..nodes {
            let start = world.rng.i64(0..apart);
            world.happens_in(start, Happening::Starts(machine));
            world.plan_faults(machine);
            if world.faults.clock > 0 || world.faults.drift > 0 {
                world.happens_in(0, Happening::ClockSteps(machine));
            }
        }
        if let Some(mean) = world.faults.database {
            let wait = world.around(mean);
            let state = world.draw_trouble();
            world.happens_in(wait, Happening::Database(state));
        }
        if let Some(mean) = world.faults.edit {
            let wait = world.around(mean);
            world.happens_in(wait, Happening::Edit);
        }
        world.happens_in(heals - now, Happening::Heals);
        world
    }

    /// A span around `mean`.
    fn around(&mut self, mean: Ms) -> Ms {
        self.rng.i64(0..=2 * mean)
    }

    /// What the machine of `node` suffers for good.
    pub(super) fn plight(&self, node: &str) -> Option<Plight> {
        let is_its = |machine: &&Machine| machine.is_of(node);
        self.machines.iter().find(is_its).and_then(|machine| machine.plight)
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn happens_in(&mut self, wait: Ms, what: Happening) {
        self.number += 1;
        self.queue.push(Reverse((self.now + wait.max(0), self.number)));
        self.happenings.insert(self.number, what);
    }

    /// Lets everything happen until `until`.
    pub(super) fn run_until(&mut self, until: Ms) {
        while let Some(Reverse((at, number))) = self.queue.pop() {
            if at > until {
                self.queue.push(Reverse((at, number)));
                break;
            }
            self.now = at;
            if let Some(what) = self.happenings.remove(&number) {
                self.say(|| format!("{what:?}"));
                self.happen(what);
            }
        }
        self.now = until;
    }

    /// Writes a line, if lines are kept.
    fn say(&mut self, text: impl FnOnce() -> String) {
        if self.log == Log::Lines {
            let at = super::time::utc(self.now).format("%H:%M:%S%.3f");
            let text = text();
            self.timeline.push(format!("{at} {}", text.chars().take(1_000).collect::<String>()));
        }
    }

    /// What happened, a line each; empty unless it was kept.
    pub(super) fn timeline(&self) -> &[String] {
        &self.timeline
    }

    /// Lets the digest depend on `text`, if there is one.
    pub(super) fn digests(&mut self, text: impl FnOnce() -> String) {
        if self.log != Log::None {
            let step =
                |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            self.digest = text().bytes().fold(self.digest, step);
        }
    }

    fn happen(&mut self, what: Happening) {
        match what {
            Happening::Wake { machine, wake_up } => {
                if self.machines[machine].wake_up == wake_up {
                    self.hear(machine, Event::Tick);
                }
            }
            Happening::Arrives { call, from, asked, started, fate } => {
                self.arrives(call, from, asked, started, fate)
            }
            Happening::Hears { from, event } => {
                if self.machines[from.machine].incarnation == from.incarnation {
                    self.hear(from.machine, event);
                }
            }
            Happening::AppliesLate { call, from, started } => {
                if self.database.state == State::Frozen {
                    return self.happens_in(1_000, Happening::AppliesLate { call, from, started });
                }
                self.database.let_go(&call);
                self.mended_at = self.mended_at.max(self.now);
                if self.database.state == State::Up {
                    self.count(seen::applied_late(&call));
                    self.answer(from, call, started);
                }
            }
            Happening::JobBegins { machine, incarnation, execution } => {
                let subject = &self.machines[machine];
                if subject.incarnation == incarnation && !subject.is_paused {
                    self.job_begins(machine, execution);
                }
            }
            Happening::JobEnds { machine, incarnation, execution } => {
                if self.machines[machine].incarnation == incarnation {
                    self.job_ends(machine, execution);
                }
            }
            Happening::Edit => {
                if self.database.state == State::Up && !self.is_healed {
                    self.people.edit(&mut self.database, &mut self.rng, self.now);
                    self.tells_of_an_edit();
                }
                self.again(self.faults.edit, Happening::Edit);
            }
            Happening::Database(state) => self.database_turns(state),
            Happening::Heals => self.heal(),
            what => self.befalls(what),
        }
    }
}

/// How large a simulation is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// When it begins.
    pub(super) now: Ms,
    /// When the faults end.
    pub(super) heals: Ms,
    /// When it ends.
    pub(super) until: Ms,
    /// Machines.
    pub(super) nodes: usize,
    /// Rows at the beginning.
    pub(super) tasks: usize,
    /// How long a node counts as alive after its last renewal.
    pub(super) lease: Ms,
}
