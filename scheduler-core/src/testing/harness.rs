//! What a test holds in its hands.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Row, database::done, engine::Engine, timeline::civil};
use crate::{
    config::{Common, Config},
    job::Shared,
    plan::{
        task::{TaskId, TaskRow},
        trigger::{Anchor, CronDialect, Parser, TriggerKind, Zone},
    },
    pools::Pools,
    registry::Registry,
    store::{Author, Desk as _, ExecutionRow, Store as _},
};

/// For how long by the test's clock [`Harness::run_until_idle`] follows one run.
const LONGEST_RUN: TimeDelta = TimeDelta::hours(6);

/// How many things it lets happen. Six hours of one run take a third of them.
const MOST_STEPS: usize = 20_000;

/// One scheduler with tables and a clock of its own, and the jobs that are linked into the test.
///
/// See [the module](super) for an example. Every method panics where the test itself makes a mistake, such as a
/// `task_key` that no row has; where an assertion fails, the harness prints what happened when.
///
/// Instants are text: `YYYY-MM-DD HH:MM:SS` in the zone of the harness, or RFC 3339.
///
/// It has a tokio runtime of its own, so the test is a plain `#[test]`; see [`Harness::block_on`] for what else must
/// be awaited.
pub struct Harness {
    pub(super) engine: Engine,
    pub(super) zone: Zone,
    /// The newest row under each key that was ever inserted.
    ids: HashMap<String, TaskId>,
}

impl std::fmt::Debug for Harness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.engine.timeline.print())
    }
}

impl Harness {
    /// A scheduler without rows whose clock stands at `start`. `zone` is an IANA name, `UTC` or `Europe/London`: the
    /// zone of `start` and of every other instant here, and that of the rows, as `timezone` in `common.toml`.
    ///
    /// # Panics
    /// When `start` is no instant, the zone is unknown, no job is linked, or two share a name; within
    /// `#[tokio::test]`, since the harness has a runtime of its own.
    #[must_use]
    #[track_caller]
    pub fn new(start: &str, zone: &str) -> Self {
        assert!(
            tokio::runtime::Handle::try_current().is_err(),
            "the harness has a tokio runtime of its own: write #[test] in place of #[tokio::test]"
        );
        let zone = or_panic(Zone::named(zone));
        let start = instant(start, &zone);
        let linked = or_panic(Registry::linked());
        Self { engine: Engine::new(start, zone.clone(), linked), zone, ids: HashMap::new() }
    }

    /// The same with `value` as shared state: what [`App::state`](crate::App::state) registers in the program.
    #[must_use]
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.shared().add_state(value);
        self
    }

    /// The same with `value` as the settings of its type: what [`App::config`](crate::App::config) reads in the
    /// program.
    #[must_use]
    pub fn config<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.shared().add_config(value);
        self
    }

    /// The same with the pools of `config`: what `ctx.mysql` and `ctx.redis` find in the program. Needs
    /// [real time](Self::with_real_io), since the servers are real.
    ///
    /// ```standalone_crate
    /// # use scheduler_core::{Args, Context, config::{Config, RedisPool}, job, testing::Harness};
    /// # #[job("any")]
    /// # async fn any(_task_key: &str, _args: Args, _ctx: Context) {}
    /// let mut config = Config::sqlite("unused");
    /// config.redis.insert("cache".to_owned(), RedisPool::at("redis://127.0.0.1:6379/5"));
    /// let harness = Harness::new("2026-01-01 12:00:00", "UTC").pools(&config).with_real_io();
    /// ```
    #[must_use]
    pub fn pools(mut self, config: &Config) -> Self {
        self.shared().set_pools(Pools::new(config));
        self
    }

    /// The same with other settings of the scheduler, as `common.toml` has them.
    ///
    /// ```standalone_crate
    /// # use scheduler_core::{Args, Context, job, testing::Harness};
    /// # #[job("any")]
    /// # async fn any(_task_key: &str, _args: Args, _ctx: Context) {}
    /// let harness = Harness::new("2026-01-01 12:00:00", "UTC").common(|common| common.coalesce = false);
    /// ```
    #[must_use]
    pub fn common(mut self, change: impl FnOnce(&mut Common)) -> Self {
        self.must_not_have_started();
        change(&mut self.engine.config.common);
        self
    }

    /// The same for jobs that talk to something real: a test server, a file, a thread.
    ///
    /// The clock stands still while a job runs, and the job gets real time, 10 s at most, to end. A timer inside it
    /// never fires then: to see its time-out against a server that does not answer, leave this out.
    #[must_use]
    pub fn with_real_io(mut self) -> Self {
        self.engine.has_real_io = true;
        self
    }

    // Rows.

    /// Inserts a row, as an `INSERT` would: nothing is checked before the scheduler reads it.
    ///
    /// # Panics
    /// When a row has its `task_key` already.
    #[track_caller]
    pub fn insert(&mut self, row: Row) -> TaskId {
        self.start();
        let id = done(self.engine.store.add(&row.0));
        let text = format!("{:?}: inserted, {:?} {:?}", row.0.task_key, row.0.trigger, row.0.spec);
        self.say(text);
        self.ids.insert(row.0.task_key, id);
        id
    }

    /// Sets `spec`.
    #[track_caller]
    pub fn set_spec(&mut self, task_key: &str, spec: &str) {
        let id = self.id(task_key);
        self.say(format!("{task_key:?}: spec set to {spec:?}"));
        done(self.engine.store.set_spec(id, spec));
    }

    /// Sets `args`.
    #[track_caller]
    pub fn set_args(&mut self, task_key: &str, args: &str) {
        self.edit(task_key, |row| row.args = Ok(args.to_owned()));
    }

    /// Sets `extra`.
    #[track_caller]
    pub fn set_extra(&mut self, task_key: &str, extra: &str) {
        self.edit(task_key, |row| row.extra = Ok(extra.to_owned()));
    }

    /// Sets `is_valid` to 1.
    #[track_caller]
    pub fn enable(&mut self, task_key: &str) {
        self.set_enabled(task_key, true);
    }

    /// Sets `is_valid` to 0.
    #[track_caller]
    pub fn disable(&mut self, task_key: &str) {
        self.set_enabled(task_key, false);
    }

    /// Changes any column, as an `UPDATE` by hand would.
    #[track_caller]
    pub fn edit(&mut self, task_key: &str, edit: impl FnOnce(&mut TaskRow)) {
        let id = self.id(task_key);
        self.say(format!("{task_key:?}: edited by hand"));
        self.engine.store.edit(id, edit);
    }

    /// Deletes the row.
    #[track_caller]
    pub fn delete(&mut self, task_key: &str) {
        let id = self.id(task_key);
        self.say(format!("{task_key:?}: deleted"));
        done(self.engine.store.delete(id));
    }

    /// Asks for a manual run, as `scheduler task trigger` does.
    #[track_caller]
    pub fn trigger(&mut self, task_key: &str) {
        self.ask_for_run(task_key, None);
    }

    /// Asks for a manual run with `args` in place of those of the row, as `scheduler task trigger --args` does.
    #[track_caller]
    pub fn trigger_with(&mut self, task_key: &str, args: &str) {
        self.ask_for_run(task_key, Some(args));
    }

    #[track_caller]
    fn ask_for_run(&mut self, task_key: &str, args: Option<&str>) {
        let id = self.id(task_key);
        let with = args.map_or_else(String::new, |args| format!(" with args {args:?}"));
        self.say(format!("{task_key:?}: a manual run is asked for{with}"));
        let (wall, author) = (self.engine.now().wall, Author::program());
        done(self.engine.store.request_run_as(id, wall, args, &author));
    }

    // Time.

    /// The instant at which the clock stands.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.engine.now().wall
    }

    /// Lets `span` pass.
    pub fn advance(&mut self, span: Duration) {
        self.start();
        let span = TimeDelta::from_std(span).expect("a span that a clock can show");
        self.engine.advance_to(self.now() + span);
    }

    /// Lets time pass until `until`. What is due then has begun when this returns, and has ended if it needs no time.
    ///
    /// # Panics
    /// When `until` is no instant, or in the past.
    #[track_caller]
    pub fn advance_to(&mut self, until: &str) {
        self.start();
        let (until, now) = (instant(until, &self.zone), self.now());
        let show = |at| civil(&self.zone, at);
        assert!(until >= now, "{} has passed, it is {}", show(until), show(now));
        self.engine.advance_to(until);
    }

    /// Lets time pass until nothing runs, no retry waits and nothing is due. Fires that lie ahead are not waited for.
    ///
    /// # Panics
    /// When it never comes to that: a run has not ended after 6 h by the clock of the test, or something always runs or
    /// waits. While the database is down.
    #[track_caller]
    pub fn run_until_idle(&mut self) {
        self.start();
        assert!(!self.engine.database.is_down, "nothing becomes idle while the database is down");
        self.engine.advance_to(self.now());
        let began = self.now();
        for step in 0.. {
            if self.engine.is_idle() {
                return;
            }
            assert!(step < MOST_STEPS, "always something runs or waits: see what happened");
            if self.now() - began > LONGEST_RUN {
                self.must_not_run_too_long();
            }
            self.engine.step();
        }
    }

    /// Sets the wall clock forward by `by`, or back if it is negative, as an operator or a time server does. The
    /// monotonic clock, and with it every timer of a job, stays.
    pub fn jump_clock(&mut self, by: TimeDelta) {
        self.start();
        self.engine.step_clock(by);
        self.say(format!("the clock jumps by {} ms, now it is this", by.num_milliseconds()));
        self.engine.advance_to(self.now());
    }

    /// Runs a future to its end on the runtime of the harness, whose clock stands still unless the future waits for
    /// time to pass: to prepare or to ask what a job uses.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.engine.block_on(future)
    }

    #[track_caller]
    pub(super) fn start(&mut self) {
        if !self.engine.has_started() {
            // What a test may have set is held to the ranges of the files.
            or_panic(self.engine.config.check());
            self.engine.start();
        }
    }

    fn shared(&mut self) -> &mut Shared {
        self.must_not_have_started();
        &mut self.engine.shared
    }

    fn must_not_have_started(&self) {
        assert!(!self.engine.has_started(), "settings and state come before the first row");
    }

    #[track_caller]
    fn must_not_run_too_long(&self) {
        let now = self.now();
        let is_too_long = |row: &ExecutionRow| {
            row.created_at.is_some_and(|claimed_at| now - claimed_at > LONGEST_RUN)
        };
        if let Some(row) = self.open_rows().into_iter().find(is_too_long) {
            let (id, key) = (row.id, row.task_key.unwrap_or_default());
            panic!("run {id} of {key:?} has not ended after 6 h: it waits for what never comes");
        }
    }

    #[track_caller]
    fn set_enabled(&mut self, task_key: &str, is_enabled: bool) {
        let id = self.id(task_key);
        let what = if is_enabled { "enabled" } else { "disabled" };
        self.say(format!("{task_key:?}: {what}"));
        done(self.engine.store.set_enabled(id, is_enabled));
    }

    /// What the test did, in the timeline; the scheduler has to look at the tables again.
    pub(super) fn say(&mut self, text: impl Into<String>) {
        let at = self.now();
        self.engine.timeline.say(at, text);
        self.engine.is_touched = true;
    }

    /// Of a row that may be deleted.
    #[track_caller]
    pub(super) fn id_ever(&self, task_key: &str) -> TaskId {
        match self.ids.get(task_key) {
            Some(id) => *id,
            None => self.id(task_key),
        }
    }

    #[track_caller]
    pub(super) fn id(&self, task_key: &str) -> TaskId {
        let reading = done(self.engine.store.read());
        let is_asked = |row: &&TaskRow| row.task_key.as_deref() == Ok(task_key);
        match reading.rows.iter().find(is_asked) {
            Some(row) => row.id,
            None => panic!("no row has the task_key {task_key:?}"),
        }
    }
}

impl Drop for Harness {
    fn drop(&mut self) {
        if std::thread::panicking() {
            #[expect(clippy::print_stderr, reason = "it belongs to the report of the failed test")]
            {
                eprintln!("{}", self.engine.timeline.print());
            }
        }
    }
}

#[track_caller]
fn instant(text: &str, zone: &Zone) -> DateTime<Utc> {
    let anchor = Anchor { created_at: DateTime::UNIX_EPOCH, updated_at: DateTime::UNIX_EPOCH };
    let date = Parser::new(CronDialect::Standard).parse(TriggerKind::Date, text, zone, anchor);
    let at = date.ok().and_then(|date| date.next_after(DateTime::<Utc>::MIN_UTC));
    match at.filter(|_| text != "now") {
        Some(at) => at,
        None => panic!(
            "{text:?} is no instant in {}, expected YYYY-MM-DD HH:MM:SS or RFC 3339, such as 2026-03-29T02:00:00+01:00",
            zone.name()
        ),
    }
}

/// A mistake of the test is shown where the test made it, which a closure would hide.
#[track_caller]
fn or_panic<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}
