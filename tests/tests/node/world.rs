//! One node, its tables and its clock, which a test steps.

pub(crate) use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

pub(crate) use chrono::{DateTime, TimeDelta, Utc};
pub(crate) use scheduler_core::{
    plan::{
        Now,
        claim::{Claim, Entry, Origin, Refusal, Verdict},
        database_clock::Sighting,
        difference::Seen,
        execution::{ExecutionId, Outcome, Recorded, Status},
        lease,
        node::{
            Action, Call, Ended, Ending, Event, Failure, Health, Node, Notice, Reading, Run,
            Settings, Settled,
        },
        notes::Notes,
        task::{Catalog, JobOptions, JobRefusal, Policy, Reader, TaskId, TaskRow},
        trigger::{CronDialect, Zone},
    },
    store::{
        Author, Desk as _, ExecutionFilter, ExecutionRow, NewTask, Store as _, StoreError,
        memory::MemoryStore,
    },
};

pub(crate) struct AnyJob;

impl Catalog for AnyJob {
    fn accepts(&self, job: &str, _args: &str) -> Result<JobOptions, JobRefusal> {
        if job == "job" {
            Ok(JobOptions::NONE)
        } else {
            Err(JobRefusal::Unknown(vec!["job".to_owned()]))
        }
    }
}

/// How the database behaves.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Database {
    Answers,
    /// Nothing arrives.
    Unreachable,
    /// Everything arrives, no answer comes back.
    LosesAnswers,
}

/// One node, its tables and its clock.
pub(crate) struct World {
    pub(crate) node: Node,
    pub(crate) node_id: &'static str,
    pub(crate) store: MemoryStore,
    /// What the database's clock says, and the monotonic one.
    pub(crate) now: Now,
    /// How far the machine's wall clock is ahead.
    pub(crate) ahead: TimeDelta,
    pub(crate) database: Database,
    /// How long a job takes; `None`: until the test ends it.
    pub(crate) takes: Option<TimeDelta>,
    pub(crate) running: BTreeMap<ExecutionId, (DateTime<Utc>, Run)>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) has_left: bool,
    /// Jobs hold their threads: they cannot be ended from outside.
    pub(crate) jobs_block: bool,
    /// The running jobs were told that the scheduler stops.
    pub(crate) jobs_were_told: bool,
    /// How many calls were made.
    pub(crate) calls: usize,
    /// How many of them in this moment.
    calls_now: (DateTime<Utc>, usize),
    /// How many claims were asked for.
    pub(crate) claims: usize,
    /// When the tables were read.
    pub(crate) readings: Vec<DateTime<Utc>>,
    /// What the last reading showed.
    seen: Seen,
    /// How many records were refused for [`Self::unrecordables`].
    pub(crate) refused_records: usize,
    /// When the notes of running jobs were asked for.
    pub(crate) notings: Vec<DateTime<Utc>>,
    /// Of these calls the answers are under way until the test lets them arrive.
    pub(crate) holds: fn(&Call) -> bool,
    pub(crate) held: Option<Event>,
    /// Only the heartbeat fails.
    pub(crate) refuses_renewals: bool,
    /// The tables cannot be read.
    pub(crate) refuses_readings: bool,
    /// What became of a claim cannot be asked.
    pub(crate) refuses_settling: bool,
    /// What is accounted for cannot be read.
    pub(crate) refuses_cursors: bool,
    /// Each claim is told that the spec is another, whatever a reading shows.
    pub(crate) finds_other_specs: bool,
    /// Tasks of which every claim fails.
    pub(crate) poisons: Vec<TaskId>,
    /// Of these only claims of what was asked for fail, not those of fires.
    pub(crate) spares_fires: bool,
    /// Tasks whose jobs fail.
    pub(crate) failing_jobs: Vec<TaskId>,
    /// Tasks of which it cannot be read what is accounted for.
    pub(crate) poison_cursors: Vec<TaskId>,
    /// How long a reading takes that succeeds.
    pub(crate) reading_takes: TimeDelta,
    /// Manual runs whose claims fail.
    pub(crate) poison_requests: Vec<i64>,
    /// Tasks whose claims end without an answer, and write nothing.
    pub(crate) unanswered: Vec<TaskId>,
    /// How long a call that fails takes.
    pub(crate) failure_takes: TimeDelta,
    /// Answers under way, and when they arrive.
    under_way: Vec<(DateTime<Utc>, Event)>,
    /// Tasks of which no outcome can be written.
    pub(crate) unrecordables: Vec<TaskId>,
    /// Executions of which the outcome cannot be written.
    pub(crate) unrecordable_runs: Vec<ExecutionId>,
    /// A task whose row a stranger holds while claims are settled and outcomes recorded.
    pub(crate) locked: Option<TaskId>,
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// A row of the job `job`.
pub(crate) fn row(key: &str, trigger: &str, spec: &str) -> NewTask {
    NewTask::new(key, "job", trigger, spec)
}

pub(crate) fn with_extra(row: NewTask, extra: &str) -> NewTask {
    NewTask { extra: extra.to_owned(), ..row }
}

impl World {
    /// A world at 13:00, where a claim of 13:00 is committed and its answer not heard yet.
    pub(crate) fn with_a_claim_unheard() -> (Self, Event) {
        let mut world = Self::new("2026-01-01T12:00:00Z");
        world.add(&row("hour", "interval", "3600"));
        world.advance_to("2026-01-01T12:59:59Z");
        world.holds = |call| matches!(call, Call::Claim(_));
        world.advance_to("2026-01-01T13:00:00Z");
        world.holds = |_| false;
        let claimed = world.held.take().expect("the claim is committed");
        (world, claimed)
    }

    /// A world that begins at `start`, in which jobs end at once.
    pub(crate) fn new(start: &str) -> Self {
        let store = MemoryStore::new(at(start));
        wait(store.migrate()).unwrap();
        Self {
            node: node("a"),
            node_id: "a",
            store,
            now: Now { wall: at(start), mono: Duration::from_secs(1_000) },
            ahead: TimeDelta::zero(),
            database: Database::Answers,
            takes: Some(TimeDelta::zero()),
            running: BTreeMap::new(),
            notices: Vec::new(),
            has_left: false,
            jobs_block: false,
            jobs_were_told: false,
            calls: 0,
            calls_now: (at(start), 0),
            claims: 0,
            readings: Vec::new(),
            seen: Seen::default(),
            refused_records: 0,
            notings: Vec::new(),
            holds: |_| false,
            held: None,
            refuses_renewals: false,
            refuses_readings: false,
            refuses_settling: false,
            refuses_cursors: false,
            finds_other_specs: false,
            poisons: Vec::new(),
            spares_fires: false,
            failing_jobs: Vec::new(),
            poison_cursors: Vec::new(),
            reading_takes: TimeDelta::zero(),
            poison_requests: Vec::new(),
            unanswered: Vec::new(),
            failure_takes: TimeDelta::zero(),
            under_way: Vec::new(),
            unrecordables: Vec::new(),
            unrecordable_runs: Vec::new(),
            locked: None,
        }
    }

    /// What the machine's clocks say.
    pub(crate) fn local(&self) -> Now {
        Now { wall: self.now.wall + self.ahead, ..self.now }
    }

    pub(crate) fn add(&mut self, row: &NewTask) -> TaskId {
        wait(self.store.add(row)).unwrap()
    }

    /// The process is gone without a word; a new one starts.
    pub(crate) fn crash_and_restart(&mut self) {
        self.crash_and_restart_as("b");
    }

    pub(crate) fn crash_and_restart_as(&mut self, node_id: &'static str) {
        self.node_id = node_id;
        self.node = node(node_id);
        self.running.clear();
        self.has_left = false;
    }

    pub(crate) fn send(&mut self, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front().filter(|_| !self.has_left) {
            for action in self.node.handle(event, self.local()) {
                events.extend(self.perform(action));
            }
        }
    }

    pub(crate) fn call<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, Failure> {
        match self.database {
            Database::Answers => Ok(wait(call).unwrap()),
            Database::Unreachable => Err(Failure::NotApplied("unreachable".to_owned())),
            Database::LosesAnswers => {
                let _ = wait(call);
                Err(Failure::Unknown("the answer was lost".to_owned()))
            }
        }
    }

    pub(crate) fn perform(&mut self, action: Action) -> Option<Event> {
        match action {
            Action::Call(call) => {
                let is_held = (self.holds)(&call);
                let (answer, takes) = self.answer(call);
                if takes > TimeDelta::zero() {
                    self.under_way.push((self.now.wall + takes, answer));
                } else if is_held {
                    self.held = Some(answer);
                } else {
                    return Some(answer);
                }
                None
            }
            Action::Start(runs) => {
                for run in runs {
                    self.running.insert(run.execution_id, (self.local().wall, run));
                }
                self.end_what_is_over()
            }
            Action::CancelJobs => {
                self.jobs_were_told = true;
                None
            }
            Action::Abort(executions) => {
                let now = self.local().wall;
                let result = || Err("ended by the scheduler".to_owned());
                let ended = executions.iter().filter(|_| !self.jobs_block).filter_map(|id| {
                    let (started, _) = self.running.remove(id)?;
                    Some(ended(*id, started, now, result()))
                });
                Some(Event::Ended(ended.collect()))
            }
            Action::Report(notice) => {
                self.notices.push(notice);
                None
            }
            Action::Exit { .. } => {
                self.has_left = true;
                None
            }
        }
    }

    /// A reading that nobody asked for arrives.
    pub(crate) fn reads(&mut self) {
        let mut seen = self.seen.clone();
        let reading = wait(self.store.read()).unwrap().news_to(&mut seen);
        self.send(Event::Read(seen, Ok(reading)));
    }

    /// What the tables answer, or what befalls the call, and how long that takes.
    fn answer(&mut self, call: Call) -> (Event, TimeDelta) {
        self.calls += 1;
        if self.calls_now.0 != self.now.wall {
            self.calls_now = (self.now.wall, 0);
        }
        self.calls_now.1 += 1;
        assert!(self.calls_now.1 < 10_000, "{call:?} follows upon {call:?} without a pause");
        match self.befall(call) {
            Ok(failed) => (failed, self.failure_takes),
            Err(call @ Call::Read(_)) => (self.ask(call), self.reading_takes),
            Err(call) => (self.ask(call), TimeDelta::zero()),
        }
    }

    /// The answer to a call that the test refuses; any other call comes back.
    fn befall(&mut self, call: Call) -> Result<Event, Call> {
        let refused = |text: &str| Failure::NotApplied(text.to_owned());
        Ok(match call {
            Call::Read(seen) if self.refuses_readings => Event::Read(seen, Err(refused("refused"))),
            Call::ReadCursors(tasks) if self.refuses_cursors => {
                Event::Cursors(tasks, Err(refused("refused")))
            }
            Call::ReadCursors(tasks)
                if tasks.iter().any(|task| self.poison_cursors.contains(task)) =>
            {
                Event::Cursors(tasks, Err(refused("refused")))
            }
            Call::Claim(claims) if claims.iter().any(|claim| self.is_poison(claim)) => {
                self.claims += 1;
                Event::Claimed(claims, Err(refused("poison")))
            }
            Call::Claim(claims)
                if claims.iter().any(|claim| self.unanswered.contains(&claim.task_id)) =>
            {
                self.claims += 1;
                Event::Claimed(claims, Err(Failure::Unknown("no answer".to_owned())))
            }
            Call::Claim(claims) if self.finds_other_specs => {
                self.claims += 1;
                let refused = claims.iter().map(|_| Verdict::Refused(Refusal::SpecChanged));
                let verdicts = refused.collect();
                Event::Claimed(claims, Ok(verdicts))
            }
            Call::Record(outcomes) if outcomes.iter().any(|outcome| !outcome.extra.is_ascii()) => {
                Event::Recorded(outcomes, Err(refused("latin1")))
            }
            Call::Record(outcomes)
                if outcomes.iter().any(|outcome| self.is_unrecordable(outcome)) =>
            {
                self.refused_records += 1;
                Event::Recorded(outcomes, Err(refused("a trigger of the table refuses it")))
            }
            Call::Settle(claims) if self.refuses_settling => {
                Event::Settled(claims, Err(refused("refused")))
            }
            Call::Record(outcomes)
                if outcomes.iter().any(|outcome| Some(outcome.task_id) == self.locked) =>
            {
                self.record_beside_a_stranger(outcomes)
            }
            Call::Renew if self.refuses_renewals => {
                Event::Renewed { started: self.now.mono, result: Err(refused("refused")) }
            }
            call => return Err(call),
        })
    }

    /// What the stranger holds is passed over.
    fn record_beside_a_stranger(&mut self, outcomes: Vec<Outcome>) -> Event {
        let recorded = outcomes.iter().map(|outcome| {
            if Some(outcome.task_id) == self.locked {
                return Recorded::Locked;
            }
            wait(self.store.record(std::slice::from_ref(outcome))).unwrap().remove(0)
        });
        let recorded = recorded.collect();
        Event::Recorded(outcomes, Ok(recorded))
    }

    fn is_poison(&self, claim: &Claim) -> bool {
        let is_spared = self.spares_fires && claim.origin == Origin::Schedule;
        let is_request =
            matches!(claim.origin, Origin::Request(id) if self.poison_requests.contains(&id));
        is_request || self.poisons.contains(&claim.task_id) && !is_spared
    }

    fn is_unrecordable(&self, outcome: &Outcome) -> bool {
        self.unrecordables.contains(&outcome.task_id)
            || self.unrecordable_runs.contains(&outcome.execution_id)
    }

    /// Asks the tables.
    fn ask(&mut self, call: Call) -> Event {
        match call {
            Call::Read(mut seen) => {
                self.readings.push(self.now.wall);
                let reading = self.call(self.store.read_of(&seen.scope()));
                let reading = reading.map(|reading| reading.news_to(&mut seen));
                self.seen = seen.clone();
                Event::Read(seen, reading)
            }
            Call::ReadCursors(tasks) => {
                let result = self.call(self.store.cursors(&tasks));
                Event::Cursors(tasks, result)
            }
            Call::Claim(claims) => {
                self.claims += 1;
                let result = self.call(self.store.claim(self.node_id, &claims));
                Event::Claimed(claims, result)
            }
            Call::Settle(claims) => {
                let mut result = self.call(self.store.settle(&claims));
                for (claim, settled) in claims.iter().zip(result.iter_mut().flatten()) {
                    if Some(claim.task_id) == self.locked {
                        *settled = Settled::Locked;
                    }
                }
                Event::Settled(claims, result)
            }
            Call::Record(outcomes) => {
                let result = self.call(self.store.record(&outcomes));
                Event::Recorded(outcomes, result)
            }
            Call::Note(_) => {
                self.notings.push(self.now.wall);
                Event::Noted(Ok(()))
            }
            Call::Renew => {
                let result = self.call(self.store.renew(self.node_id));
                let (at, seen) = (self.now.wall, self.now.mono);
                let sighting = Sighting { at, seen, error: Duration::ZERO };
                Event::Renewed { started: seen, result: result.map(|()| sighting) }
            }
            Call::Reap { suspects, until } => Event::Reaped(self.call(self.store.reap(
                self.node_id,
                Duration::from_secs(30),
                until,
                &suspects,
            ))),
        }
    }

    pub(crate) fn end_what_is_over(&mut self) -> Option<Event> {
        let takes = self.takes?;
        let now = self.local().wall;
        let over = self.running.extract_if(.., |_, (started, _)| *started + takes <= now);
        let result = |run: &Run| match self.failing_jobs.contains(&run.task_id) {
            true => Err("failed".to_owned()),
            false => Ok(()),
        };
        let ended: Vec<Ended> =
            over.map(|(id, (started, run))| ended(id, started, now, result(&run))).collect();
        (!ended.is_empty()).then_some(Event::Ended(ended))
    }

    /// With which arguments the run goes on.
    pub(crate) fn args(&self, id: ExecutionId) -> &str {
        &self.running[&id].1.args
    }

    /// Another node runs `task` at `instant`, since somebody asked for it.
    pub(crate) fn run_elsewhere(&mut self, task: TaskId, instant: &str) {
        let request = wait(self.store.request_run(task, at(instant))).unwrap();
        wait(self.store.renew("elsewhere")).unwrap();
        self.claim_elsewhere(task, instant, Origin::Request(request));
    }

    /// Another node claims `task` at `instant`.
    pub(crate) fn claim_elsewhere(
        &self,
        task: TaskId,
        instant: &str,
        origin: Origin,
    ) -> ExecutionId {
        match self.account_elsewhere(task, at(instant), origin, Status::Todo) {
            Verdict::Won(Some(id)) => id,
            other => panic!("{other:?}"),
        }
    }

    /// Another node finds that an earlier run of `task` is still open at `instant`.
    pub(crate) fn skip_elsewhere(&self, task: TaskId, instant: DateTime<Utc>) {
        let verdict = self.account_elsewhere(task, instant, Origin::Schedule, Status::Skipped);
        assert!(matches!(verdict, Verdict::Won(None)), "{verdict:?}");
    }

    fn account_elsewhere(
        &self,
        task: TaskId,
        scheduled_at: DateTime<Utc>,
        origin: Origin,
        status: Status,
    ) -> Verdict {
        let rows = wait(self.store.read()).unwrap().rows;
        let spec = rows.into_iter().find(|row| row.id == task).unwrap().spec.unwrap();
        let trace_id = match status {
            Status::Todo => "elsewhere".into(),
            _ => format!("elsewhere at {scheduled_at}").into(),
        };
        let entry = Entry { scheduled_at, trace_id, status, attempt: 1, extra: "{}".to_owned() };
        let claim = Claim {
            task_id: task,
            spec: spec.into(),
            first: scheduled_at,
            limit: Some(1),
            origin,
            entries: vec![entry],
        };
        wait(self.store.claim("elsewhere", &[claim])).unwrap().remove(0)
    }

    /// The other node records a success.
    pub(crate) fn end_elsewhere(&mut self) {
        let row = self.rows().into_iter().find(|row| row.trace_id == "elsewhere").unwrap();
        let outcome = Outcome {
            execution_id: row.id,
            task_id: row.task_id,
            trace_id: "elsewhere".into(),
            status: Status::Success,
            extra: "{}".to_owned(),
            started_at: None,
            finished_at: self.now.wall,
            retry: None,
        };
        assert_eq!(wait(self.store.record(&[outcome])).unwrap(), [Recorded::Stands]);
    }

    /// Ends the run of an execution.
    pub(crate) fn end(&mut self, execution: ExecutionId, result: Result<(), String>) {
        self.end_with_notes(execution, result, Notes::new());
    }

    /// The execution comes back from its first step, which found the lease over.
    pub(crate) fn never_begins(&mut self, execution: ExecutionId) {
        let (started, _) = self.running.remove(&execution).expect("it was started");
        let over = Err(lease::OVER.to_owned());
        let ended = ended(execution, started, self.local().wall, over);
        self.send(Event::Ended(vec![Ended { started_at: None, ..ended }]));
    }

    pub(crate) fn end_with_notes(
        &mut self,
        execution: ExecutionId,
        result: Result<(), String>,
        notes: Notes,
    ) {
        let (started, _) = self.running.remove(&execution).expect("it runs");
        let ended = ended(execution, started, self.local().wall, result);
        self.send(Event::Ended(vec![Ended { notes, ..ended }]));
    }

    pub(crate) fn set_clock(&mut self, wall: DateTime<Utc>) {
        self.now.wall = wall;
        self.store.set_now(wall);
    }

    /// Steps from wake-up to wake-up until `until`.
    pub(crate) fn advance_to(&mut self, until: &str) {
        let until = at(until);
        self.send(Event::Tick);
        while self.now.wall < until {
            let wake = self
                .node
                .wake_in(self.local())
                .map_or(TimeDelta::MAX, |wait| TimeDelta::from_std(wait).unwrap());
            let next_end = self.takes.and_then(|takes| {
                self.running.values().map(|(started, _)| *started + takes - self.local().wall).min()
            });
            let arrives = self.under_way.iter().map(|(at, _)| *at - self.now.wall).min();
            let next = [next_end, arrives].into_iter().flatten().fold(wake, TimeDelta::min);
            let step = next.max(TimeDelta::milliseconds(1));
            let step = step.min(until - self.now.wall);
            self.now.mono += step.to_std().unwrap();
            self.set_clock(self.now.wall + step);
            if let Some(event) = self.end_what_is_over() {
                self.send(event);
            }
            let now = self.now.wall;
            let arrived: Vec<_> = self.under_way.extract_if(.., |(at, _)| *at <= now).collect();
            arrived.into_iter().for_each(|(_, event)| self.send(event));
            self.send(Event::Tick);
        }
    }

    /// `HH:MM:SS status` of every execution, oldest first.
    pub(crate) fn history(&self) -> Vec<String> {
        self.rows().iter().map(in_short).collect()
    }

    /// The same of one task.
    pub(crate) fn history_of(&self, task: TaskId) -> Vec<String> {
        self.rows().iter().filter(|row| row.task_id == task).map(in_short).collect()
    }

    /// By how many milliseconds each fire of a task that began was late.
    pub(crate) fn lateness_of(&self, task: TaskId) -> Vec<i64> {
        let rows = self.rows();
        let fires = rows.iter().filter(|row| row.task_id == task && row.source == "schedule");
        fires
            .filter_map(|row| Some((row.started_at? - row.scheduled_at?).num_milliseconds()))
            .collect()
    }

    pub(crate) fn rows(&self) -> Vec<ExecutionRow> {
        let filter = ExecutionFilter::newest(10_000);
        let mut rows = wait(self.store.executions(filter)).unwrap();
        rows.reverse();
        rows
    }

    pub(crate) fn extra(&self, status: Status) -> serde_json::Value {
        let row = self
            .rows()
            .into_iter()
            .find(|row| row.status == status.as_str())
            .expect("a row in this status");
        serde_json::from_str(&row.extra).unwrap()
    }

    pub(crate) fn rejections(&self) -> Vec<String> {
        let rejected = self.notices.iter().filter_map(|notice| match notice {
            Notice::Rejected(error) => Some(error.to_string()),
            _ => None,
        });
        rejected.collect()
    }

    #[track_caller]
    pub(crate) fn check_history(&self, expected: &[&str]) {
        assert_eq!(self.history(), expected, "notices: {:#?}", self.notices);
    }
}

fn in_short(row: &ExecutionRow) -> String {
    format!("{} {}", row.scheduled_at.unwrap().format("%T"), row.status)
}

pub(crate) fn node(name: &str) -> Node {
    node_with(name, Settings::default())
}

pub(crate) fn node_with(name: &str, settings: Settings) -> Node {
    let reader =
        Reader::new(CronDialect::Standard, Zone::utc(), Policy::default(), Box::new(AnyJob));
    let (prefix, mut count) = (name.to_owned(), 0);
    Node::new(name, settings, reader, move || {
        count += 1;
        format!("{prefix}{count}").into()
    })
}

pub(crate) fn ended(
    id: ExecutionId,
    started: DateTime<Utc>,
    now: DateTime<Utc>,
    result: Result<(), String>,
) -> Ended {
    let notes = Notes::new();
    Ended { execution_id: id, started_at: Some(started), finished_at: now, result, notes }
}

/// How often something was said.
pub(crate) fn said(world: &World, is_it: fn(&Notice) -> bool) -> usize {
    world.notices.iter().filter(|notice| is_it(notice)).count()
}

pub(crate) fn is_claim_that_fails(notice: &Notice) -> bool {
    matches!(notice, Notice::ClaimFails { .. })
}

pub(crate) fn is_record_that_fails(notice: &Notice) -> bool {
    matches!(notice, Notice::RecordFails { .. })
}
