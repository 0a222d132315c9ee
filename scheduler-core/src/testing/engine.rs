//! One node, its tables, its jobs and its clock; what [`Harness`](super::Harness) moves.
//!
//! The loop is that of [`run`](crate::run), with the calls answered at once. Where nobody touches the tables and
//! nothing is open, it goes straight to the next instant that matters and does on arrival, once, what production does
//! every 10 s on the way: the readings in between would have found what the last one found.

use std::{
    collections::VecDeque,
    sync::{Arc, mpsc},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::runtime::{Builder, Handle, Runtime};

use super::{
    acts::{Acts, with_acts},
    database::{Database, done},
    timeline::Timeline,
};
use crate::{
    clock::Clock,
    config::Config,
    job::Shared,
    plan::{
        Now,
        database_clock::Sighting,
        node::{Action, Call, Ended, Event, Node},
        task::Reader,
        trigger::Zone,
    },
    registry::Registry,
    run::{jobs::Jobs, reader, rules::settings},
    store::{Store as _, memory::MemoryStore},
};

/// How often what is ready may run before a moment counts as over: each message between two tasks takes one turn.
const TURNS: usize = 100;

/// How long a run may take by the real clock while the clock of the test stands still.
const REAL_PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Engine {
    runtime: Runtime,
    pub(super) clock: Clock,
    pub(super) store: Arc<MemoryStore>,
    pub(super) config: Config,
    pub(super) shared: Shared,
    linked: Arc<Registry>,
    alive: Option<Alive>,
    incarnations: u32,
    pub(super) acts: Acts,
    pub(super) database: Database,
    pub(super) timeline: Timeline,
    /// Somebody edited the tables, or they did not answer, and no reading has been since.
    pub(super) is_touched: bool,
    pub(super) has_real_io: bool,
}

/// A node that runs.
struct Alive {
    id: String,
    node: Node,
    jobs: Jobs,
}

impl Engine {
    pub(super) fn new(start: DateTime<Utc>, zone: Zone, linked: Registry) -> Self {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build();
        let runtime = runtime.expect("the system gives a runtime");
        let clock = {
            let _entered = runtime.enter();
            Clock::stepped(start)
        };
        let store = Arc::new(MemoryStore::new(start));
        done(store.migrate());
        let mut config = Config::sqlite("memory");
        zone.name().clone_into(&mut config.common.timezone);
        Self {
            runtime,
            clock,
            store,
            config,
            shared: Shared::default(),
            linked: Arc::new(linked),
            alive: None,
            incarnations: 0,
            acts: Acts::default(),
            database: Database::default(),
            timeline: Timeline::new(zone),
            is_touched: true,
            has_real_io: false,
        }
    }

    pub(super) fn handle(&self) -> Handle {
        self.runtime.handle().clone()
    }

    pub(super) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    pub(super) fn now(&self) -> Now {
        let _entered = self.runtime.enter();
        self.clock.now()
    }

    /// Reads rows as the scheduler does.
    pub(super) fn reader(&self) -> Reader {
        reader(&self.config, &self.linked)
    }

    pub(super) fn is_running(&self) -> bool {
        self.alive.is_some()
    }

    pub(super) fn has_started(&self) -> bool {
        self.incarnations > 0
    }

    /// A new incarnation, which knows nothing yet.
    pub(super) fn start(&mut self) {
        self.incarnations += 1;
        let id = format!("node-{}", self.incarnations);
        let (incarnation, mut count) = (self.incarnations, 0_u64);
        // 32 hexadecimal digits, as in production.
        let trace_id = move || {
            count += 1;
            format!("{incarnation:016x}{count:016x}").into()
        };
        let jobs = Jobs::new(
            with_acts(&self.linked),
            self.handle(),
            self.clock.clone(),
            Arc::new(self.shared.clone()),
            Arc::default(),
        );
        let node = Node::new(&id, settings(&self.config), self.reader(), trace_id);
        self.alive = Some(Alive { id, node, jobs });
        self.is_touched = true;
    }

    /// The node is gone without a word, and its jobs with it.
    pub(super) fn crash(&mut self) {
        self.alive = None;
        // What was cut is dropped by the runtime.
        self.block_on(tokio::task::yield_now());
    }

    /// Lets one thing happen, and all that follows from it at the same instant.
    pub(super) fn pump(&mut self, event: Event) {
        let mut events = VecDeque::from([event]);
        let now = self.now();
        self.store.set_now(now.wall);
        while let Some(event) = events.pop_front() {
            if let Event::Ended(ended) = &event {
                ended.iter().for_each(|ended| self.timeline.end(now.wall, ended));
            }
            let Some(alive) = &mut self.alive else { return };
            if matches!(event, Event::Noted(Err(_))) {
                alive.jobs.note_again();
            }
            let actions = alive.node.handle(event, now);
            alive.jobs.begin_under(alive.node.trust());
            for action in actions {
                events.extend(self.perform(action, now));
            }
        }
    }

    fn perform(&mut self, action: Action, now: Now) -> Option<Event> {
        let alive = self.alive.as_mut()?;
        match action {
            Action::Call(call) => return Some(self.call(call, now)),
            Action::Start(runs) => {
                runs.iter().for_each(|run| self.timeline.start(now.wall, run));
                let runs = runs.into_iter().map(|run| self.acts.apply(run)).collect();
                // The deadline of a run is read from the clock.
                let _entered = self.runtime.enter();
                alive.jobs.start(runs);
            }
            Action::CancelJobs => alive.jobs.cancel(),
            Action::Abort(executions) => alive.jobs.abort(&executions),
            Action::Report(notice) => self.timeline.notice(now.wall, &notice),
            Action::Exit { .. } => {
                let _ = self.database.call(None, self.store.leave(&alive.id));
                self.timeline.say(now.wall, "the scheduler has stopped");
                self.alive = None;
            }
        }
        None
    }

    fn call(&mut self, call: Call, now: Now) -> Event {
        let (store, database) = (Arc::clone(&self.store), &mut self.database);
        let Some(alive) = &mut self.alive else { return Event::Tick };
        self.is_touched |= database.is_down;
        match call {
            Call::Read(mut seen) => {
                let scope = seen.scope();
                let result = database.call(None, store.read_of(&scope));
                self.is_touched &= result.is_err();
                let result = result.map(|reading| reading.news_to(&mut seen));
                Event::Read(seen, result)
            }
            Call::ReadCursors(tasks) => {
                let result = database.call(None, store.cursors(&tasks));
                Event::Cursors(tasks, result)
            }
            Call::Claim(claims) => {
                let fault = database.next_claim.take();
                let result = database.call(fault, store.claim(&alive.id, &claims));
                Event::Claimed(claims, result)
            }
            Call::Settle(claims) => {
                let result = database.call(None, store.settle(&claims));
                Event::Settled(claims, result)
            }
            Call::Record(mut outcomes) => {
                alive.jobs.complete(&mut outcomes);
                let fault = database.next_record.take();
                let result = database.call(fault, store.record(&outcomes));
                Event::Recorded(outcomes, result)
            }
            Call::Note(_) => Event::Noted(database.call(None, store.note(&alive.jobs.noted()))),
            Call::Renew => {
                let result = database.call(None, store.renew(&alive.id));
                let sighting = Sighting { at: now.wall, seen: now.mono, error: Duration::ZERO };
                Event::Renewed { started: now.mono, result: result.map(|()| sighting) }
            }
            Call::Reap { suspects, until } => {
                let lease = self.config.common.lease;
                Event::Reaped(database.call(None, store.reap(&alive.id, lease, until, &suspects)))
            }
        }
    }

    /// Goes on until `until` by the wall clock; returns at once if that is past.
    pub(super) fn advance_to(&mut self, until: DateTime<Utc>) {
        self.pump(Event::Tick);
        loop {
            let now = self.now();
            let left = (until - now.wall).to_std().unwrap_or_default();
            if left.is_zero() {
                return self.settle();
            }
            self.wait(left.min(self.quiet_for(now)));
        }
    }

    /// Lets everything happen that needs no time.
    pub(super) fn settle(&mut self) {
        while let Some(ended) = self.ended_by_now() {
            self.pump(Event::Ended(ended));
        }
    }

    fn ended_by_now(&mut self) -> Option<Vec<Ended>> {
        if self.needs_real_time() {
            return self.ended_by_the_real_clock();
        }
        // What jobs left behind has its moment too, also when none runs any more.
        let moment = async {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
        };
        let alive = &mut self.alive;
        self.runtime.block_on(async {
            let ended = async {
                match alive {
                    Some(alive) if !alive.jobs.is_empty() => alive.jobs.ended().await,
                    _ => std::future::pending().await,
                }
            };
            tokio::select! { biased; ended = ended => ended, () = moment => None }
        })
    }

    /// Whether the clock stands still: a thread that blocks knows nothing of it.
    fn needs_real_time(&self) -> bool {
        let needs = |alive: &Alive| {
            alive.jobs.has_blocking() || (self.has_real_io && !alive.jobs.is_empty())
        };
        self.alive.as_ref().is_some_and(needs)
    }

    /// Waits by the real clock while that of the test stands still: tokio never moves a paused clock while a blocking
    /// task is under way, so one is held.
    fn ended_by_the_real_clock(&mut self) -> Option<Vec<Ended>> {
        let alive = self.alive.as_mut().filter(|alive| !alive.jobs.is_empty())?;
        self.clock.stand_still(true);
        let ended = self.runtime.block_on(async {
            let (hold, held) = mpsc::channel::<()>();
            let patience = tokio::task::spawn_blocking(move || {
                let _ = held.recv_timeout(REAL_PATIENCE);
            });
            let ended =
                tokio::select! { biased; ended = alive.jobs.ended() => ended, _ = patience => None };
            drop(hold);
            ended
        });
        self.clock.stand_still(false);
        assert!(
            ended.is_some(),
            "a run has not ended within {} s of real time, while the clock stood still for a blocking job or for \
             `with_real_io`: it waits for time to pass, or for something that never comes",
            REAL_PATIENCE.as_secs()
        );
        ended
    }

    /// Lets `span` pass, or less if a run ends before.
    fn wait(&mut self, span: Duration) {
        if self.needs_real_time() {
            return self.settle();
        }
        let event = match &mut self.alive {
            None => {
                self.runtime.block_on(async { tokio::time::sleep(span).await });
                Event::Tick
            }
            Some(alive) => self.runtime.block_on(async {
                tokio::select! {
                    biased;
                    Some(ended) = alive.jobs.ended() => Event::Ended(ended),
                    () = tokio::time::sleep(span) => Event::Tick,
                }
            }),
        };
        self.pump(event);
    }

    /// Lets time pass until something happens, and all that follows from it at the same instant.
    pub(super) fn step(&mut self) {
        let quiet = self.quiet_for(self.now());
        self.wait(quiet);
        self.settle();
    }

    /// For how long nothing happens unless a run ends.
    fn quiet_for(&self, now: Now) -> Duration {
        let Some(alive) = &self.alive else { return Duration::MAX };
        // Without a lease nothing is due, and only a renewal, which is no work, brings it back.
        let is_quiet = !self.is_touched
            && alive.node.can_claim(now)
            && alive.jobs.is_empty()
            && self.store.is_quiet();
        let quiet = if is_quiet { alive.node.work_in(now) } else { alive.node.wake_in(now) };
        // A wake-up that is due already has just had its turn.
        quiet.unwrap_or(Duration::MAX).max(Duration::from_millis(1))
    }

    /// Whether nothing runs, waits or is due, and nothing is left open by one that crashed.
    pub(super) fn is_idle(&self) -> bool {
        self.alive.as_ref().is_none_or(|alive| {
            !self.is_touched
                && alive.jobs.is_empty()
                && alive.node.is_idle(self.now())
                && self.store.is_quiet()
        })
    }

    pub(super) fn step_clock(&mut self, by: TimeDelta) {
        self.clock.step(by);
        self.store.set_now(self.now().wall);
    }
}
