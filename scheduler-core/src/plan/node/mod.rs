//! One scheduler's brain: a closed [`Event`] in, [`Action`]s out, no IO.
//!
//! ```text
//!            Read ─▶ tasks.rs ──ReadCursors──▶ Cursors ─▶ timetable
//!            Tick ─▶ dispatch.rs ─Claim──▶ Claimed (or Settled) ─Start─▶ Ended
//!           Ended ─▶ endings.rs ─Record─▶ Recorded
//!   Renewed, Reaped ─▶ vitals.rs          Stop ─▶ stop.rs
//! ```
//!
//! Production, the test harness and the simulation drive the same [`Node`]: they read the clock once, hand in
//! one event, perform the actions, and await the next event or [`Node::wake_in`], whichever comes first.
//!
//! Invariants: a job is started only by an [`Action::Start`] that answers a committed claim; at most one claim,
//! one record and one reading are in flight; a claim whose fate is unknown is settled before its task is
//! planned again; every queue is bounded by [`Settings::max_running`].

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Now,
    claim::{Claim, Request, Verdict},
    execution::{ExecutionId, Outcome, TraceId},
    lease::Lease,
    task::{Reader, TaskId, TaskRow},
    timetable::Timetable,
};

mod dispatch;
mod endings;
mod notice;
mod requests;
mod stop;
mod tasks;
mod vitals;

pub use notice::Notice;
use tasks::{Known, Live};

/// The numbers that shape a node.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Time between two readings of `task`.
    pub sync_interval: Duration,
    /// How long a node counts as alive after its last renewal.
    pub lease: Duration,
    /// How long running jobs get after a stop was asked for.
    pub shutdown_timeout: Duration,
    /// Most tasks in one claim, 1 or more.
    pub batch: usize,
    /// Most runs open at once on this node, 1 or more; what is due beyond waits.
    pub max_running: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sync_interval: Duration::from_secs(10),
            lease: Duration::from_secs(30),
            shutdown_timeout: Duration::from_secs(10),
            batch: 1_000,
            max_running: 10_000,
        }
    }
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// The moment of [`Node::wake_in`] has come.
    Tick,
    /// The tables were read.
    Read(Result<Reading, Failure>),
    /// The last accounted fires that [`Action::ReadCursors`] asked for; a task without one is absent.
    Cursors(Result<HashMap<TaskId, DateTime<Utc>>, Failure>),
    /// A claim was answered, one verdict per claim in the same order.
    Claimed(Vec<Claim>, Result<Vec<Verdict>, Failure>),
    /// What a claim of unknown fate has written: per claim the execution that carries its trace id, as far as
    /// the claim had a run.
    Settled(Vec<Claim>, Result<Vec<Settled>, Failure>),
    /// Jobs ended.
    Ended(Vec<Ended>),
    /// Outcomes were written: per outcome whether it was ours to write.
    Recorded(Vec<Outcome>, Result<Vec<bool>, Failure>),
    /// A renewal that began at `started` (monotonic) was answered.
    Renewed {
        /// Start of the call, monotonic.
        started: Duration,
        /// Its end.
        result: Result<(), Failure>,
    },
    /// Dead nodes' executions were looked for.
    Reaped(Result<Reaped, Failure>),
    /// A signal asked to stop.
    Stop,
}

/// What the plan wants done.
#[derive(Debug, PartialEq)]
pub enum Action {
    /// Read the tables.
    Read,
    /// Read the last accounted fire of these tasks.
    ReadCursors(Vec<TaskId>),
    /// Claim, in one transaction.
    Claim(Vec<Claim>),
    /// Find out what a claim of unknown fate has written.
    Settle(Vec<Claim>),
    /// Start these jobs: their claims are committed.
    Start(Vec<Run>),
    /// Tell the running jobs that the scheduler is stopping.
    CancelJobs,
    /// End these jobs; their outcome is recorded without them.
    Abort(Vec<ExecutionId>),
    /// Record, in one transaction.
    Record(Vec<Outcome>),
    /// Renew the lease.
    Renew,
    /// Mark what dead nodes left open `lost`, and set `doing` tasks without an open execution `ready`.
    Reap {
        /// Tasks that stand at `doing` although this node runs nothing of them.
        suspects: Vec<TaskId>,
    },
    /// Say it.
    Report(Notice),
    /// Everything is recorded: leave.
    Exit,
}

/// One reading of the tables.
#[derive(Debug, Default)]
pub struct Reading {
    /// All rows of `task`, in id order.
    pub rows: Vec<TaskRow>,
    /// Manual runs that wait.
    pub requests: Vec<Request>,
    /// When this database was first migrated.
    pub adopted_at: DateTime<Utc>,
}

/// Why a call to the database gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing was written.
    NotApplied(String),
    /// It may or may not have been written.
    Unknown(String),
}

impl Failure {
    /// What the database said.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Failure::NotApplied(text) | Failure::Unknown(text) => text,
        }
    }
}

/// What a claim of unknown fate turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It was never committed.
    NotWritten,
    /// It was committed; the execution of its run, when it had one that is still `todo`.
    Written(Option<ExecutionId>),
}

/// A job to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// `execute_task.id`, `sub_task_id` for the job.
    pub execution_id: ExecutionId,
    /// The row's task.
    pub task_id: TaskId,
    /// Its key.
    pub task_key: Arc<str>,
    /// The compiled job.
    pub job: Arc<str>,
    /// The row's `args`.
    pub args: Arc<str>,
    /// The trace id.
    pub trace_id: TraceId,
    /// The instant it is for.
    pub scheduled_at: DateTime<Utc>,
    /// 1 for the first.
    pub attempt: u32,
}

/// A job that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Which.
    pub execution_id: ExecutionId,
    /// When it began; `None` when it was ended before it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: DateTime<Utc>,
    /// How; an error or panic with its text.
    pub result: Result<(), String>,
}

/// What reaping did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reaped {
    /// Executions marked `lost`: id, task, node.
    pub lost: Vec<(ExecutionId, TaskId, Option<String>)>,
    /// Tasks set `ready` again.
    pub healed: Vec<TaskId>,
}

/// A kind of transaction of which one is in flight at most.
///
/// After a failure the batch is halved, so that a row that makes every transaction fail is soon alone in its
/// own; when even that fails it backs off (200 ms, doubled up to 5 s). After a success the batch doubles again.
#[derive(Clone, Copy, Debug)]
struct Lane {
    in_flight: bool,
    failures: u32,
    resumes_at: Option<Duration>,
    batch: usize,
    most: usize,
}

impl Lane {
    fn new(most: usize) -> Self {
        Self { in_flight: false, failures: 0, resumes_at: None, batch: most, most }
    }

    fn is_open(&self, now: Now) -> bool {
        !self.in_flight && self.resumes_at.is_none_or(|at| at <= now.mono)
    }

    fn begin(&mut self) {
        self.in_flight = true;
    }

    fn succeeded(&mut self) {
        *self = Self { batch: (self.batch * 2).min(self.most), ..Self::new(self.most) };
    }

    /// A transaction of `size` rows failed.
    fn failed(&mut self, size: usize, now: Now) {
        let wait = if size > 1 {
            Duration::from_millis(50)
        } else {
            self.failures += 1;
            Duration::from_millis(100 << self.failures.min(6)).min(Duration::from_secs(5))
        };
        self.in_flight = false;
        self.resumes_at = Some(now.mono + wait);
        self.batch = (size / 2).max(1);
    }
}

/// Something that is done again and again, at most once at a time.
#[derive(Clone, Copy, Debug, Default)]
struct Chore {
    in_flight: bool,
    due_at: Duration,
}

impl Chore {
    fn is_due(&self, now: Now) -> bool {
        !self.in_flight && self.due_at <= now.mono
    }

    fn begin(&mut self) {
        self.in_flight = true;
    }

    fn end(&mut self, next: Duration) {
        self.in_flight = false;
        self.due_at = next;
    }
}

/// A run that is open on this node.
#[derive(Clone, Debug)]
struct Open {
    task_id: TaskId,
    task_key: Arc<str>,
    trace_id: TraceId,
    started_at: DateTime<Utc>,
    deadline: Option<Duration>,
}

/// One scheduler's brain. See the module.
pub struct Node {
    settings: Settings,
    reader: Reader,
    make_trace_id: Box<dyn FnMut() -> TraceId + Send>,

    known: BTreeMap<TaskId, Known>,
    keys: HashMap<Arc<str>, TaskId>,
    arriving: BTreeSet<TaskId>,
    cursors_in_flight: bool,
    timetable: Timetable,
    requests: BTreeMap<i64, Request>,
    adopted_at: DateTime<Utc>,
    suspects: HashSet<TaskId>,
    has_read: bool,

    claims: Lane,
    unsettled: Option<Vec<Claim>>,
    open: HashMap<ExecutionId, Open>,
    deadlines: BTreeSet<(Duration, ExecutionId)>,
    outcomes: Vec<Outcome>,
    records: Lane,

    reading: Chore,
    read_started: DateTime<Utc>,
    previous_read: DateTime<Utc>,
    renewing: Chore,
    reaping: Chore,
    lease: Lease,
    lease_is_lost: bool,
    trouble: bool,
    stop: stop::Phase,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node")
            .field("known", &self.known.len())
            .field("timetable", &self.timetable.len())
            .field("open", &self.open.len())
            .field("outcomes", &self.outcomes.len())
            .finish_non_exhaustive()
    }
}

impl Node {
    /// A node that knows nothing yet: its first answer to [`Event::Tick`] renews the lease and reads.
    #[must_use]
    pub fn new(
        settings: Settings,
        reader: Reader,
        make_trace_id: impl FnMut() -> TraceId + Send + 'static,
    ) -> Self {
        Self {
            settings,
            reader,
            make_trace_id: Box::new(make_trace_id),
            known: BTreeMap::new(),
            keys: HashMap::new(),
            arriving: BTreeSet::new(),
            cursors_in_flight: false,
            timetable: Timetable::default(),
            requests: BTreeMap::new(),
            adopted_at: DateTime::<Utc>::MAX_UTC,
            suspects: HashSet::new(),
            has_read: false,
            claims: Lane::new(settings.batch),
            unsettled: None,
            open: HashMap::new(),
            deadlines: BTreeSet::new(),
            outcomes: Vec::new(),
            records: Lane::new(settings.batch),
            reading: Chore::default(),
            read_started: DateTime::<Utc>::MIN_UTC,
            previous_read: DateTime::<Utc>::MIN_UTC,
            renewing: Chore::default(),
            reaping: Chore::default(),
            lease: Lease::new(settings.lease),
            lease_is_lost: false,
            trouble: false,
            stop: stop::Phase::Running,
        }
    }

    /// Decides what follows from `event`. The actions are performed in order; none awaits the next.
    pub fn handle(&mut self, event: Event, now: Now) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Tick => {}
            Event::Read(result) => self.on_read(result, now, &mut actions),
            Event::Cursors(result) => self.on_cursors(result, now, &mut actions),
            Event::Claimed(claims, result) => self.on_claimed(claims, result, now, &mut actions),
            Event::Settled(claims, result) => self.on_settled(claims, result, now, &mut actions),
            Event::Ended(ended) => self.on_ended(ended, &mut actions),
            Event::Recorded(outcomes, result) => {
                self.on_recorded(outcomes, result, now, &mut actions)
            }
            Event::Renewed { started, result } => {
                self.on_renewed(started, result, now, &mut actions)
            }
            Event::Reaped(result) => self.on_reaped(result, now, &mut actions),
            Event::Stop => self.on_stop(now, &mut actions),
        }
        self.end_overdue_runs(now, &mut actions);
        self.do_chores(now, &mut actions);
        self.claim_what_is_due(now, &mut actions);
        self.record_what_ended(now, &mut actions);
        self.exit_when_done(now, &mut actions);
        actions
    }

    /// When [`Event::Tick`] is wanted next, as a span from `now`; `None`: only another event can change
    /// anything. Never negative. Callers that sleep re-ask at least every few seconds, since the wall clock may
    /// step.
    #[must_use]
    pub fn wake_in(&self, now: Now) -> Option<Duration> {
        let due = self.can_claim(now).then(|| self.timetable.first()).flatten();
        let due = due.map(|instant| {
            (instant - now.wall).max(TimeDelta::zero()).to_std().unwrap_or(Duration::MAX)
        });
        let chores =
            self.active_chores().filter(|chore| !chore.in_flight).map(|chore| chore.due_at);
        let lanes = [self.claims, self.records].into_iter().filter_map(|lane| lane.resumes_at);
        let deadline = self.deadlines.first().map(|(deadline, _)| *deadline);
        chores
            .chain(lanes.filter(|at| *at > now.mono))
            .chain(deadline)
            .chain(self.stop.deadline())
            .map(|at| at.saturating_sub(now.mono))
            .chain(due)
            .min()
    }

    /// The tasks that are scheduled, with their next instants.
    pub fn scheduled(&self) -> impl Iterator<Item = (&super::task::Task, Option<DateTime<Utc>>)> {
        self.known.values().filter_map(|known| match known {
            Known::Live(live) => Some((&live.task, self.timetable.get(live.task.id))),
            _ => None,
        })
    }

    fn live_mut(&mut self, task: TaskId) -> Option<&mut Live> {
        match self.known.get_mut(&task) {
            Some(Known::Live(live)) => Some(live),
            _ => None,
        }
    }

    /// Says once that the database is in trouble, and once that it is back.
    fn note_trouble(&mut self, failure: Option<&Failure>, actions: &mut Vec<Action>) {
        match failure {
            Some(failure) => {
                self.lease.contact_lost();
                if !self.trouble {
                    actions
                        .push(Action::Report(Notice::DatabaseTrouble(failure.text().to_owned())));
                }
            }
            None if self.trouble => actions.push(Action::Report(Notice::DatabaseBack)),
            None => {}
        }
        self.trouble = failure.is_some();
    }
}
