//! A machine of a simulation: a clock of its own, and the process that runs on it.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use scheduler_core::plan::{
    Now,
    execution::ExecutionId,
    node::{Event, Node, Run, Settings},
    task::{Catalog, JobOptions, JobRefusal, Policy, Reader},
    trigger::{CronDialect, Zone},
};

use super::time::{Ms, span, utc};

/// A run that is under way.
#[derive(Debug)]
pub(super) struct Job {
    /// What was started.
    pub(super) run: Run,
    /// When, by the machine's wall clock.
    pub(super) started_at: chrono::DateTime<chrono::Utc>,
    /// How it will end.
    pub(super) result: Result<(), String>,
}

/// What is never mended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Plight {
    /// No process runs any more.
    Dead,
    /// The process does not move any more.
    Paused,
    /// No packet passes any more.
    CutOff,
    /// Packets pass for some seconds, then none for some seconds, and so on.
    Flaps,
    /// The wall clock is hours off.
    ClockOff,
}

/// A machine.
#[derive(Debug)]
pub(super) struct Machine {
    name: String,
    /// Goes up with every process; what was meant for an earlier one is not heard.
    pub(super) incarnation: u32,
    /// The process; `None`: none runs.
    pub(super) brain: Option<Node>,
    /// Its jobs.
    pub(super) jobs: BTreeMap<ExecutionId, Job>,
    /// Stopped by a signal: neither the process nor its jobs move.
    pub(super) is_paused: bool,
    /// Its monotonic clock stands still since then: the machine sleeps, not only the process.
    pub(super) asleep_since: Option<Ms>,
    slept: Ms,
    /// What it will hear when it goes on.
    pub(super) inbox: VecDeque<Event>,
    /// Runs that were started and wait for their thread.
    pub(super) starting: BTreeMap<ExecutionId, Run>,
    /// Its jobs that end when it goes on.
    pub(super) over: Vec<ExecutionId>,
    /// No packet passes between it and the database.
    pub(super) is_cut_off: bool,
    /// What it suffers for good.
    pub(super) plight: Option<Plight>,
    clock: WallClock,
    /// Whether a claim of its process is under way.
    pub(super) is_claiming: bool,
    /// The wake-up that counts; earlier ones are forgotten.
    pub(super) wake_up: u64,
    /// When its process was asked to stop.
    pub(super) stopped_at: Option<Ms>,
}

impl Machine {
    /// A machine without a process.
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            incarnation: 0,
            brain: None,
            jobs: BTreeMap::new(),
            is_paused: false,
            asleep_since: None,
            slept: 0,
            inbox: VecDeque::new(),
            starting: BTreeMap::new(),
            over: Vec::new(),
            is_cut_off: false,
            plight: None,
            clock: WallClock::default(),
            is_claiming: false,
            wake_up: 0,
            stopped_at: None,
        }
    }

    /// The node's id, one for every process.
    pub(super) fn node_id(&self) -> String {
        format!("{}.{}", self.name, self.incarnation)
    }

    /// Whether `node` is, or was, a process of this machine.
    pub(super) fn is_of(&self, node: &str) -> bool {
        node.split_once('.').is_some_and(|(machine, _)| machine == self.name)
    }

    /// What its clocks say.
    pub(super) fn now(&self, now: Ms) -> Now {
        Now { wall: utc(self.clock.at(now)), mono: self.mono(now) }
    }

    /// Its monotonic clock, which stands still while it sleeps.
    pub(super) fn mono(&self, now: Ms) -> Duration {
        span(self.asleep_since.unwrap_or(now) - self.slept)
    }

    /// Its wall clock is set, and runs faster or slower from now on.
    pub(super) fn sets_clock(&mut self, ahead: Ms, drift: i64, now: Ms) {
        self.clock = WallClock { ahead, drift, since: now };
    }

    /// The machine wakes up.
    pub(super) fn wakes(&mut self, now: Ms) {
        if let Some(since) = self.asleep_since.take() {
            self.slept += now - since;
        }
    }

    /// Starts a process.
    pub(super) fn start(&mut self, lease: Ms) {
        self.incarnation += 1;
        self.stopped_at = None;
        let settings = Settings { lease: span(lease), small_table: 0, ..Settings::default() };
        let reader =
            Reader::new(CronDialect::Standard, Zone::utc(), Policy::default(), Box::new(AnyJob));
        let (id, mut count) = (self.node_id(), 0_u64);
        self.brain = Some(Node::new(&self.node_id(), settings, reader, move || {
            count += 1;
            format!("{id}-{count}").into()
        }));
    }

    /// The process is gone, and its jobs with it.
    pub(super) fn end(&mut self) {
        self.brain = None;
        self.jobs.clear();
        self.inbox.clear();
        self.starting.clear();
        self.over.clear();
        self.is_paused = false;
        self.is_claiming = false;
    }
}

/// A wall clock that is wrong.
#[derive(Clone, Copy, Debug, Default)]
struct WallClock {
    /// How far it was ahead of the true time at `since`.
    ahead: Ms,
    /// How much it has gained in a million since then.
    drift: i64,
    since: Ms,
}

impl WallClock {
    fn at(self, now: Ms) -> Ms {
        now + self.ahead + (now - self.since) * self.drift / 1_000_000
    }
}

/// The one job there is; its `args` say what it does.
struct AnyJob;

impl Catalog for AnyJob {
    fn accepts(&self, job: &str, _args: &str) -> Result<JobOptions, JobRefusal> {
        if job == "job" { Ok(JobOptions::NONE) } else { Err(JobRefusal::Unknown(Vec::new())) }
    }
}
