//! One scheduler's brain: a closed [`Event`] in, [`Action`]s out, no IO.
//!
//! ```text
//!   Read ─▶ tasks.rs ──ReadCursors──▶ Cursors ─▶ cursors.rs ─▶ timetable
//!   Tick ─▶ dispatch.rs ─Claim──▶ Claimed, Settled ─▶ answers.rs ─Start─▶ Ended
//!  Ended ─▶ endings.rs ─Record─▶ Recorded ─▶ a retry waits in requests.rs, as manual runs do
//!  Renewed, Noted, Reaped, Wake ─▶ vitals.rs Stop ─▶ stop.rs       what time it is ─▶ clocks.rs
//! ```
//!
//! Production, the test harness and the simulation drive the same [`Node`]: they read the clock once, hand in
//! one event, perform the actions, and await the next event or [`Node::wake_in`], whichever comes first.
//!
//! Invariants: a job is started only by an [`Action::Start`] that answers a committed claim; at most one claim,
//! one record and one reading are in flight; a claim whose fate is unknown is settled before its task is
//! planned again; what runs is bounded by [`Settings::max_running`], what ended and waits to be recorded by that or a
//! thousand and ten of each task that cannot be recorded, what was asked for by [`MOST_REQUESTS`].

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Now,
    claim::{Claim, Origin},
    difference::Seen,
    execution::{ExecutionId, Outcome, TraceId},
    hash::fnv1a,
    lateness::Load,
    lease::{Lease, Trust},
    share::Share,
    task::{Policy, Reader, TaskId},
    timetable::Timetable,
};

mod answers;
mod chore;
mod clocks;
mod cursors;
mod dispatch;
mod endings;
mod event;
mod known;
mod lane;
mod notice;
mod requests;
mod stop;
mod survey;
mod tasks;
mod trouble;
mod vitals;

use chore::Chore;
use clocks::Clocks;
pub use event::{
    Action, Call, Cancel, Ended, Event, Failure, Lost, NodeRow, Reading, Reaped, Run, Settled,
};
use known::{Known, Live};
use lane::{Backoff, Lane, Wanted};
pub use notice::{Ending, Health, Notice};
use requests::Requests;
pub use requests::{MOST_MANUAL, MOST_OF_ONE_TASK, MOST_REQUESTS, are_all};
pub use survey::{Overdue, Rows, Survey};
use trouble::Asked;

/// The numbers that shape a node.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Time between two readings of `task`.
    pub sync_interval: Duration,
    /// How long a node counts as alive after its last renewal.
    pub lease: Duration,
    /// How far the machine's clock may be off the database's; beyond that nothing is claimed.
    pub clock_tolerance: Duration,
    /// How long running jobs get after a stop was asked for.
    pub shutdown_timeout: Duration,
    /// Most tasks in one claim, 1 or more.
    pub batch: usize,
    /// A table of no more rows is read in full each time.
    pub small_table: usize,
    /// Most runs at once on this node, 1 or more; what is due beyond waits.
    pub max_running: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sync_interval: Duration::from_secs(10),
            lease: Duration::from_secs(30),
            clock_tolerance: Duration::from_secs(2),
            shutdown_timeout: Duration::from_secs(10),
            batch: 1_000,
            small_table: 5_000,
            max_running: 10_000,
        }
    }
}

/// A run that is open on this node.
#[derive(Clone, Debug)]
struct Open {
    task_id: TaskId,
    task_key: Arc<str>,
    trace_id: TraceId,
    scheduled_at: DateTime<Utc>,
    attempt: u32,
    /// As it was when the run was claimed.
    policy: Policy,
    deadline: Option<Duration>,
    /// How far the machine's clock was ahead when it began.
    skew: TimeDelta,
    /// What asked for it.
    origin: Origin,
    /// With which arguments, if not with those of the row.
    args: Option<Arc<str>>,
    /// Its outcome was recorded without it.
    is_given_up: bool,
}

const NEVER: Now = Now { wall: DateTime::<Utc>::MIN_UTC, mono: Duration::ZERO };

/// One scheduler's brain. See the module.
pub struct Node {
    settings: Settings,
    reader: Reader,
    make_trace_id: Box<dyn FnMut() -> TraceId + Send>,

    known: BTreeMap<TaskId, Known>,
    keys: HashMap<Arc<str>, TaskId>,
    arriving: BTreeSet<TaskId>,
    /// Tasks of others whose fire is due, and not known to be accounted for.
    checking: BTreeSet<TaskId>,
    /// When the cursors in flight were asked for.
    cursors_asked: Option<DateTime<Utc>>,
    /// Not after a failure, until the next reading.
    cursors_may_be_asked: bool,
    share: Share,
    timetable: Timetable,
    requests: Requests,
    /// What the last reading could not read of them.
    unreadable: BTreeSet<String>,
    adopted_at: DateTime<Utc>,
    suspects: BTreeSet<TaskId>,
    last_suspect: TaskId,
    has_read: bool,
    /// How many are known.
    rows: Rows,

    loads: HashMap<TaskId, Load>,
    claims: Lane<Wanted>,
    /// The term of the lease in which the claim in flight was asked for.
    claims_term: u64,
    /// Claims of unknown fate, and from when on the database may be asked about them.
    unsettled: Vec<Claim>,
    settles_at: Duration,
    /// How long until the next settlement after one that failed.
    settle_waits: Backoff,
    open: HashMap<ExecutionId, Open>,
    deadlines: BTreeSet<(Duration, ExecutionId)>,
    outcomes: Vec<Outcome>,
    records: Lane<ExecutionId>,

    /// What the last reading showed, and what the next one is to show again.
    seen: Seen,
    reading: Chore,
    read_started: Now,
    last_good_read: DateTime<Utc>,
    /// The last one that showed all rows, and when that is done again (monotonic).
    last_whole_read: DateTime<Utc>,
    whole_again_at: Duration,
    /// When the last good one began (monotonic).
    last_read: Option<Duration>,
    /// When the last reading that failed began, since the last good one.
    failed_reading: Option<Duration>,
    /// The last reading was heard so late that it was asked for once more.
    read_was_old: bool,
    renewing: Chore,
    reaping: Chore,
    noting: Chore,
    clocks: Clocks,
    lease: Lease,
    /// For how long the machine may have slept since the last renewal began.
    slept_in_renewal: Duration,
    lease_is_lost: bool,
    reaping_fails: bool,
    /// What of the database fails, of what is asked whatever happens.
    trouble: BTreeSet<Asked>,
    stop: stop::Phase,
    /// When an event was last handled.
    handled_at: Now,
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
    /// A node that knows nothing yet: its first answer to [`Event::Tick`] renews the lease and reads. `id` is what it
    /// is called in the tables.
    #[must_use]
    pub fn new(
        id: &str,
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
            checking: BTreeSet::new(),
            cursors_asked: None,
            cursors_may_be_asked: true,
            share: Share::new(id),
            timetable: Timetable::default(),
            requests: Requests::default(),
            unreadable: BTreeSet::new(),
            adopted_at: DateTime::<Utc>::MAX_UTC,
            suspects: BTreeSet::new(),
            last_suspect: TaskId::MIN,
            has_read: false,
            rows: Rows::default(),
            loads: HashMap::new(),
            claims: Lane::new(settings.batch, fnv1a(id)),
            claims_term: 0,
            unsettled: Vec::new(),
            settles_at: Duration::ZERO,
            settle_waits: Backoff::new(fnv1a(id).rotate_left(32)),
            open: HashMap::new(),
            deadlines: BTreeSet::new(),
            outcomes: Vec::new(),
            records: Lane::new(settings.batch, !fnv1a(id)),
            seen: Seen::default(),
            reading: Chore::default(),
            read_started: NEVER,
            last_good_read: DateTime::<Utc>::MIN_UTC,
            last_whole_read: DateTime::<Utc>::MIN_UTC,
            whole_again_at: Duration::ZERO,
            last_read: None,
            failed_reading: None,
            read_was_old: false,
            renewing: Chore::default(),
            reaping: Chore::default(),
            noting: Chore::default(),
            clocks: Clocks::new(settings.clock_tolerance),
            lease: Lease::new(settings.lease),
            slept_in_renewal: Duration::ZERO,
            lease_is_lost: false,
            reaping_fails: false,
            trouble: BTreeSet::new(),
            stop: stop::Phase::Running,
            handled_at: NEVER,
        }
    }

    /// Decides what follows from `event`. The actions are performed in order; none awaits the next. `local` is what the
    /// machine's clocks say; instants are judged by the database's.
    pub fn handle(&mut self, event: Event, local: Now) -> Vec<Action> {
        let mut actions = Vec::new();
        self.look_for_a_step(local);
        if let Event::Renewed { result: Ok(sighting), .. } = &event {
            self.look_at_the_databases_clock(*sighting, local, &mut actions);
        }
        let now = self.clocks.read(local);
        self.handled_at = now;
        match event {
            Event::Tick => {}
            Event::Read(seen, result) => self.on_read(seen, result, now, &mut actions),
            Event::Cursors(asked, result) => self.on_cursors(&asked, result, now, &mut actions),
            Event::Claimed(claims, result) => self.on_claimed(claims, result, now, &mut actions),
            Event::Settled(claims, result) => self.on_settled(claims, result, now, &mut actions),
            Event::Ended(ended) => self.on_ended(ended, &mut actions),
            Event::Recorded(outcomes, result) => {
                self.on_recorded(outcomes, result, now, &mut actions)
            }
            Event::Renewed { started, result } => {
                self.on_renewed(started, result, now, &mut actions)
            }
            Event::Noted(result) => self.on_noted(result, now),
            Event::Reaped(result) => self.on_reaped(result, now, &mut actions),
            Event::Wake => self.on_wake(),
            Event::Stop => self.on_stop(now, &mut actions),
        }
        self.end_overdue_runs(now, &mut actions);
        self.do_chores(now, &mut actions);
        self.claim_what_is_due(now, &mut actions);
        self.ask_for_cursors(now, &mut actions);
        self.record_what_ended(now, &mut actions);
        self.exit_when_done(now, &mut actions);
        actions
    }

    /// When [`Event::Tick`] is wanted next, as a span from now; `None`: only another event can change anything. Never
    /// negative. Callers that sleep re-ask at least every few seconds, since a clock may be set.
    #[must_use]
    pub fn wake_in(&self, local: Now) -> Option<Duration> {
        let chores =
            self.active_chores().filter(|chore| !chore.in_flight).map(|chore| chore.due_at);
        let chores = chores.map(|at| at.saturating_sub(local.mono));
        chores.chain(self.work_in(local)).min()
    }

    /// The same without the chores that come round whatever happens: readings, renewals, looking after the dead. For
    /// whoever knows that nobody else touches the tables.
    #[must_use]
    pub fn work_in(&self, local: Now) -> Option<Duration> {
        let now = self.clocks.now(local);
        // What became due since the last event was handled was not looked at.
        let asked = self.requests.next_due(self.handled_at);
        let due = [self.timetable.first(), asked].into_iter().flatten().min();
        let due = due.filter(|_| self.can_claim(now)).map(|instant| {
            (instant - now.wall).max(TimeDelta::zero()).to_std().unwrap_or(Duration::MAX)
        });
        let lanes = self.claims.moments().chain(self.records.moments());
        let settles_at = (!self.unsettled.is_empty()).then_some(self.settles_at);
        let deadline = self.deadlines.first().map(|(deadline, _)| *deadline);
        lanes
            .chain(settles_at)
            .filter(|at| *at > self.handled_at.mono)
            .chain(deadline)
            .chain(self.stop.deadline())
            .map(|at| at.saturating_sub(now.mono))
            .chain(due)
            .min()
    }

    /// Under what a job may begin. Who starts jobs asks it of each at its first step.
    #[must_use]
    pub fn trust(&self) -> Trust {
        Trust::new(self.lease, self.clocks.machine())
    }

    /// Whether nothing runs, waits to be recorded or tried again, or is due.
    #[must_use]
    pub fn is_idle(&self, local: Now) -> bool {
        let now = self.clocks.now(local);
        let is_due = |instant: DateTime<Utc>| instant <= now.wall;
        self.open.is_empty()
            && self.outcomes.is_empty()
            && self.unsettled.is_empty()
            && self.claims.in_flight + self.records.in_flight == 0
            && self.requests.is_empty()
            && self.arriving.is_empty()
            && self.checking.is_empty()
            && !self.timetable.first().is_some_and(is_due)
    }

    fn live_mut(&mut self, task: TaskId) -> Option<&mut Live> {
        match self.known.get_mut(&task) {
            Some(Known::Live(live)) => Some(live),
            _ => None,
        }
    }

    /// What runs and waits of a task. Kept apart from what is known of its row: a task that is disabled and
    /// enabled again may still have runs open from before.
    fn load(&self, task: TaskId) -> Load {
        self.loads.get(&task).copied().unwrap_or_default()
    }

    fn load_mut(&mut self, task: TaskId) -> &mut Load {
        self.loads.entry(task).or_default()
    }
}
