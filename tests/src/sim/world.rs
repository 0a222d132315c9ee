//! The world of a simulation: what happens next, and what follows from it.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, VecDeque},
    time::Duration,
};

use fastrand::Rng;
use scheduler_core::{
    plan::{
        execution::ExecutionId,
        node::{Action, Call, Ended, Event, Failure, Run},
        notes::Notes,
    },
    store::Store as _,
};

use super::{
    database::{Database, State, done, failed},
    faults::Faults,
    machine::{Job, Machine},
    people::People,
    seen::{self, Counts},
    time::{Ms, ms},
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
    CutOff(usize, bool),
    ClockSteps(usize),
    Database(State),
    Edit,
    /// From now on nothing fails, and everything that is broken is mended.
    Heals,
}

/// Who waits for an answer.
#[derive(Clone, Copy, Debug)]
struct Caller {
    machine: usize,
    incarnation: u32,
}

/// What becomes of a call that reaches a database that works.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Answered,
    Refused,
    AnswerLost,
    Hangs,
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
    /// A digest of everything that happened, in order.
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
    timeline: Option<Vec<String>>,
}

impl World {
    /// A world that begins at `now` with `nodes` machines and `tasks` rows, and heals at `heals`.
    pub(super) fn new(mut rng: Rng, faults: Faults, shape: Shape, keeps_timeline: bool) -> Self {
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
            digest: 0xcbf2_9ce4_8422_2325,
            machines,
            faults,
            lease,
            rng,
            queue: BinaryHeap::new(),
            happenings: BTreeMap::new(),
            number: 0,
            is_healed: false,
            timeline: keeps_timeline.then(Vec::new),
        };
        for machine in 0..nodes {
            let start = world.rng.i64(0..5_000);
            world.happens_in(start, Happening::Starts(machine));
            world.plan_faults(machine);
            if world.faults.clock > 0 {
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

    fn plan_faults(&mut self, machine: usize) {
        let Faults { crash, pause, stop, cut_off, .. } = self.faults;
        let faults = [
            (crash, Happening::Crashes(machine)),
            (pause, Happening::Pauses(machine)),
            (stop, Happening::Stops(machine)),
            (cut_off, Happening::CutOff(machine, true)),
        ];
        for (mean, what) in faults {
            if let Some(mean) = mean {
                let wait = self.around(mean);
                self.happens_in(wait, what);
            }
        }
    }

    /// A span around `mean`.
    fn around(&mut self, mean: Ms) -> Ms {
        self.rng.i64(0..=2 * mean)
    }

    fn draw_trouble(&mut self) -> State {
        *self
            .rng
            .choice(&[State::Refuses, State::Frozen, State::ReadOnly])
            .unwrap_or(&State::Frozen)
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

    fn say(&mut self, text: impl FnOnce() -> String) {
        if let Some(timeline) = &mut self.timeline {
            let at = super::time::utc(self.now).format("%H:%M:%S%.3f");
            let text = text();
            timeline.push(format!("{at} {}", text.chars().take(1_000).collect::<String>()));
        }
    }

    /// What happened, a line each; empty unless it was kept.
    pub(super) fn timeline(&self) -> &[String] {
        self.timeline.as_deref().unwrap_or_default()
    }

    fn digests(&mut self, value: u64) {
        // FNV-1a over the words of the log.
        self.digest = (self.digest ^ value).wrapping_mul(0x0100_0000_01b3);
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
                if self.database.state == State::Up {
                    self.count("applied late");
                    self.answer(from, call, started);
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
                }
                self.again(self.faults.edit, Happening::Edit);
            }
            Happening::Database(state) => self.database_turns(state),
            Happening::Heals => self.heal(),
            what => self.befalls(what),
        }
    }

    /// What befalls a machine.
    fn befalls(&mut self, what: Happening) {
        match what {
            Happening::Starts(machine) => self.starts(machine),
            Happening::Crashes(machine) => {
                if !self.is_healed {
                    self.crashes(machine);
                    let wait = self.rng.i64(0..120_000);
                    self.happens_in(wait, Happening::Starts(machine));
                }
                self.again(self.faults.crash, Happening::Crashes(machine));
            }
            Happening::Pauses(machine) => {
                if !self.is_healed && self.machines[machine].brain.is_some() {
                    self.count("pauses");
                    self.machines[machine].is_paused = true;
                    if self.rng.bool() {
                        self.count("sleeps");
                        self.machines[machine].asleep_since = Some(self.now);
                    }
                    let wait = self.rng.i64(1_000..3 * self.lease);
                    self.happens_in(wait, Happening::GoesOn(machine));
                }
                self.again(self.faults.pause, Happening::Pauses(machine));
            }
            Happening::GoesOn(machine) => self.goes_on(machine),
            Happening::Stops(machine) => {
                if !self.is_healed && self.machines[machine].brain.is_some() {
                    self.stops(machine);
                }
                self.again(self.faults.stop, Happening::Stops(machine));
            }
            Happening::CutOff(machine, is_cut_off) => {
                self.machines[machine].is_cut_off = is_cut_off && !self.is_healed;
                if is_cut_off {
                    self.count("cut off");
                    let wait = self.rng.i64(1_000..120_000);
                    self.happens_in(wait, Happening::CutOff(machine, false));
                } else {
                    self.again(self.faults.cut_off, Happening::CutOff(machine, true));
                }
            }
            Happening::ClockSteps(machine) => {
                if self.is_healed {
                    return;
                }
                let most = self.faults.clock;
                self.count("clock steps");
                self.machines[machine].ahead = self.rng.i64(-most..=most);
                self.again(Some(600_000), Happening::ClockSteps(machine));
            }
            _ => {}
        }
    }

    fn again(&mut self, mean: Option<Ms>, what: Happening) {
        if let Some(mean) = mean.filter(|_| !self.is_healed) {
            let wait = self.around(mean);
            self.happens_in(wait, what);
        }
    }

    fn database_turns(&mut self, state: State) {
        if self.is_healed {
            return;
        }
        self.database.state = state;
        if state == State::Up {
            let next = self.draw_trouble();
            self.again(self.faults.database, Happening::Database(next));
        } else {
            self.count("database troubles");
            let wait = self.rng.i64(1_000..180_000);
            self.happens_in(wait, Happening::Database(State::Up));
        }
    }

    fn heal(&mut self) {
        self.is_healed = true;
        self.database.state = State::Up;
        let edit = self.faults.edit;
        self.faults = Faults { edit, clock: self.faults.clock, ..Faults::default() };
        for machine in 0..self.machines.len() {
            self.machines[machine].is_cut_off = false;
            self.machines[machine].ahead = 0;
            self.goes_on(machine);
            self.happens_in(1_000, Happening::Starts(machine));
        }
    }

    fn starts(&mut self, machine: usize) {
        if self.machines[machine].brain.is_none() {
            self.count("starts");
            self.machines[machine].start(self.lease);
            self.hear(machine, Event::Tick);
        }
    }

    fn crashes(&mut self, machine: usize) {
        if self.machines[machine].brain.is_some() {
            self.count("crashes");
            self.truth.dies(&self.machines[machine].node_id(), self.now);
            self.machines[machine].wakes(self.now);
            self.machines[machine].end();
        }
    }

    fn stops(&mut self, machine: usize) {
        if self.machines[machine].stopped_at.replace(self.now).is_none() {
            self.count("stops");
            self.stops.push((self.machines[machine].node_id(), self.now, None));
            self.hear(machine, Event::Stop);
        }
    }

    fn goes_on(&mut self, machine: usize) {
        if !std::mem::take(&mut self.machines[machine].is_paused) {
            return;
        }
        let now = self.now;
        self.machines[machine].wakes(now);
        for execution in std::mem::take(&mut self.machines[machine].over) {
            self.job_ends(machine, execution);
        }
        for event in std::mem::take(&mut self.machines[machine].inbox) {
            self.hear(machine, event);
        }
        self.hear(machine, Event::Tick);
    }

    fn hear(&mut self, machine: usize, event: Event) {
        if self.machines[machine].is_paused {
            self.machines[machine].inbox.push_back(event);
            return;
        }
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let now = self.machines[machine].now(self.now);
            seen::in_event(&event, &mut self.counts);
            let Some(brain) = self.machines[machine].brain.as_mut() else { return };
            let actions = brain.handle(event, now);
            let words = [self.now.unsigned_abs(), machine as u64, actions.len() as u64];
            words.into_iter().for_each(|word| self.digests(word));
            for action in actions {
                self.perform(machine, action, &mut events);
            }
        }
        let subject = &mut self.machines[machine];
        let now = subject.now(self.now);
        if let Some(brain) = &subject.brain {
            // As in production: nobody sleeps longer than 5 s, since the wall clock may step.
            let wait = brain.wake_in(now).map_or(DEADLINE, ms).clamp(1, 5_000);
            subject.wake_up += 1;
            let wake_up = subject.wake_up;
            self.happens_in(wait, Happening::Wake { machine, wake_up });
        }
    }

    fn perform(&mut self, machine: usize, action: Action, events: &mut VecDeque<Event>) {
        self.say(|| format!("m{machine}: {action:?}"));
        match action {
            Action::Call(call) => self.calls(machine, call),
            Action::Start(runs) => runs.into_iter().for_each(|run| self.job_begins(machine, run)),
            Action::CancelJobs => {
                let incarnation = self.machines[machine].incarnation;
                let polite: Vec<_> = self.machines[machine]
                    .jobs
                    .iter()
                    .filter(|(_, job)| &*job.run.args == "seconds")
                    .map(|(id, _)| *id)
                    .collect();
                for execution in polite {
                    self.happens_in(100, Happening::JobEnds { machine, incarnation, execution });
                }
            }
            Action::Abort(executions) => {
                let ended = executions.into_iter().filter_map(|id| {
                    let ended = self.take_job(machine, id, false)?;
                    Some(Ended { result: Err("ended by the scheduler".to_owned()), ..ended })
                });
                let ended: Vec<_> = ended.collect();
                events.push_back(Event::Ended(ended));
            }
            Action::Report(notice) => seen::in_notice(&notice, &mut self.counts),
            Action::Exit => {
                let node = self.machines[machine].node_id();
                if self.database.state == State::Up && !self.machines[machine].is_cut_off {
                    let _ = done(self.database.store.leave(&node));
                }
                self.truth.dies(&node, self.now);
                self.machines[machine].end();
                let now = self.now;
                let stop = self.stops.iter_mut().rev().find(|(of, ..)| *of == node);
                if let Some((_, _, left)) = stop {
                    *left = Some(now);
                }
                let wait = self.rng.i64(0..60_000);
                self.happens_in(wait, Happening::Starts(machine));
            }
        }
    }

    fn job_begins(&mut self, machine: usize, run: Run) {
        let (takes, result) = self.draw_job(&run.args);
        let incarnation = self.machines[machine].incarnation;
        let node = self.machines[machine].node_id();
        self.truth.begins(&node, &run, self.now);
        self.count("runs");
        let execution = run.execution_id;
        let started_at = self.machines[machine].now(self.now).wall;
        self.machines[machine].jobs.insert(execution, Job { run, started_at, result });
        self.happens_in(takes, Happening::JobEnds { machine, incarnation, execution });
    }

    fn draw_job(&mut self, args: &str) -> (Ms, Result<(), String>) {
        match args {
            "seconds" => (self.rng.i64(1_000..30_000), Ok(())),
            "long" => (self.rng.i64(self.lease..3 * self.lease), Ok(())),
            "fails" if self.rng.bool() => (5, Err("it failed".to_owned())),
            "never" => (Ms::MAX / 4, Ok(())),
            _ => (self.rng.i64(1..10), Ok(())),
        }
    }

    fn job_ends(&mut self, machine: usize, execution: ExecutionId) {
        if self.machines[machine].is_paused {
            self.machines[machine].over.push(execution);
        } else if let Some(ended) = self.take_job(machine, execution, true) {
            self.hear(machine, Event::Ended(vec![ended]));
        }
    }

    fn take_job(
        &mut self,
        machine: usize,
        execution: ExecutionId,
        is_whole: bool,
    ) -> Option<Ended> {
        let node = self.machines[machine].node_id();
        let job = self.machines[machine].jobs.remove(&execution)?;
        self.truth.ends(&node, execution, is_whole, self.now);
        let finished_at = self.machines[machine].now(self.now).wall;
        let started_at = Some(job.started_at);
        Some(Ended {
            execution_id: execution,
            started_at,
            finished_at,
            result: job.result,
            notes: Notes::new(),
        })
    }

    fn node_of(&self, from: Caller) -> String {
        let name = self.machines[from.machine].node_id();
        let stem = name.split('.').next().unwrap_or_default();
        format!("{stem}.{}", from.incarnation)
    }

    fn answer(&mut self, from: Caller, call: Call, started: Duration) -> Event {
        let node = self.node_of(from);
        let seen = self.machines[from.machine].mono(self.now);
        self.database.answer(&node, call, [started, seen], self.now)
    }

    fn calls(&mut self, machine: usize, call: Call) {
        let from = Caller { machine, incarnation: self.machines[machine].incarnation };
        let started = self.machines[machine].mono(self.now);
        let asked = self.now;
        let fate = match self.rng.u32(0..1_000) {
            draw if draw < self.faults.refused => Fate::Refused,
            draw if draw < self.faults.refused + self.faults.answers_lost => Fate::AnswerLost,
            draw if draw < self.faults.refused + self.faults.answers_lost + self.faults.hang => {
                Fate::Hangs
            }
            _ => Fate::Answered,
        };
        let latency = self.latency();
        self.happens_in(latency, Happening::Arrives { call, from, asked, started, fate });
    }

    fn latency(&mut self) -> Ms {
        if self.rng.u32(0..1_000) < self.faults.slow {
            self.rng.i64(5..2_000)
        } else {
            self.rng.i64(1..5)
        }
    }

    fn arrives(&mut self, call: Call, from: Caller, asked: Ms, started: Duration, fate: Fate) {
        let writes = !matches!(call, Call::Read | Call::ReadCursors(_) | Call::Settle(_));
        let is_silent =
            self.machines[from.machine].is_cut_off || self.database.state == State::Frozen;
        if is_silent || fate == Fate::Hangs {
            return self.hangs(call, from, asked, started);
        }
        let refused = || Failure::NotApplied("refused".to_owned());
        let is_refused = self.database.state == State::Refuses
            || fate == Fate::Refused
            || (self.database.state == State::ReadOnly && writes);
        let event = if is_refused {
            self.count("refused");
            failed(call, refused(), started)
        } else if fate == Fate::AnswerLost && writes {
            self.count("answers lost");
            let unheard = call.clone();
            self.answer(from, call, started);
            let unknown = Failure::Unknown("the answer to COMMIT was lost".to_owned());
            failed(unheard, unknown, started)
        } else {
            self.answer(from, call, started)
        };
        let latency = self.latency();
        self.happens_in(latency, Happening::Hears { from, event });
    }

    /// Nothing comes back within the deadline. A third of the transactions are in their COMMIT: they hold their rows,
    /// and are committed when the packet arrives after all.
    fn hangs(&mut self, call: Call, from: Caller, asked: Ms, started: Duration) {
        self.count("hung");
        let is_transaction = matches!(call, Call::Claim(_) | Call::Record(_));
        let failure = if is_transaction && self.rng.u8(0..3) == 0 {
            let late = call.clone();
            self.database.hold(&late);
            let wait = self.rng.i64(0..60_000);
            self.happens_in(wait, Happening::AppliesLate { call: late, from, started });
            Failure::Unknown("no answer to COMMIT within 5 s".to_owned())
        } else {
            Failure::NotApplied("no answer within 5 s".to_owned())
        };
        let event = failed(call, failure, started);
        let wait = DEADLINE - (self.now - asked);
        self.happens_in(wait, Happening::Hears { from, event });
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
