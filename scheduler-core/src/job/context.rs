//! What a job knows about the run it is in.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::{runtime::Handle, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};

use super::{NotShared, Notebook, Shared, http::Http};
use crate::{
    clock::Clock,
    config::Config,
    pools::{OwnRedisConnection, PoolError, Pools, RedisConnection},
};

/// Which execution a job runs as, and whether it has been asked to stop. Clones are cheap.
#[derive(Debug, Clone)]
pub struct Context {
    parts: ContextParts,
    /// `parts.deadline` by the monotonic clock, which no step moves.
    ends_at: Option<Duration>,
}

/// What a [`Context`] is made of. The runtime fills in every field.
///
/// The default is for tests of jobs: execution 1 of task 1, first attempt, scheduled at the epoch, no time-out,
/// and nothing shared.
///
/// ```
/// use scheduler_core::job::{Context, ContextParts};
///
/// let ctx = Context::new(ContextParts { execution_id: 7, ..ContextParts::default() });
/// assert_eq!(ctx.sub_task_id(), 7);
///
/// struct Greeting(&'static str);
/// let ctx = Context::new(ContextParts::default().with_state(Greeting("hello")));
/// assert_eq!(ctx.state::<Greeting>()?.0, "hello");
/// # Ok::<(), scheduler_core::job::NotShared>(())
/// ```
#[derive(Debug, Clone)]
pub struct ContextParts {
    /// `task.id`.
    pub task_id: i64,
    /// `execute_task.id`.
    pub execution_id: i64,
    /// `execute_task.trace_id`.
    pub trace_id: Arc<str>,
    /// The instant at which the task was due.
    pub scheduled_at: DateTime<Utc>,
    /// 1 for the first run of a fire.
    pub attempt: u32,
    /// The instant at which the run is ended by its `timeout`.
    pub deadline: Option<DateTime<Utc>>,
    /// Cancelled when the run shall stop.
    pub cancellation: CancellationToken,
    /// What the run notes.
    pub notes: Notebook,
    /// What the program shares with its jobs.
    pub shared: Arc<Shared>,
    /// What is logged inside carries the fields of the run.
    pub span: Span,
    /// By which the run measures time.
    pub clock: Clock,
    /// Where [`Context::spawn`] puts its tasks; `None`: on the runtime that calls it.
    pub runtime: Option<Handle>,
}

impl ContextParts {
    /// The same with `value` as the state of its type, in place of what there was.
    #[must_use]
    pub fn with_state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        Arc::make_mut(&mut self.shared).add_state(value);
        self
    }

    /// The same with `value` as the settings of its type, in place of what there was.
    #[must_use]
    pub fn with_config<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        Arc::make_mut(&mut self.shared).add_config(value);
        self
    }

    /// The same with the pools of `config`, in place of what there were.
    #[must_use]
    pub fn with_pools(mut self, config: &Config) -> Self {
        Arc::make_mut(&mut self.shared).set_pools(Pools::new(config));
        self
    }
}

impl Default for ContextParts {
    fn default() -> Self {
        Self {
            task_id: 1,
            execution_id: 1,
            trace_id: Arc::from("00000000000000000000000000000001"),
            scheduled_at: DateTime::UNIX_EPOCH,
            attempt: 1,
            deadline: None,
            cancellation: CancellationToken::new(),
            notes: Notebook::default(),
            shared: Arc::default(),
            span: Span::none(),
            clock: Clock::system(),
            runtime: None,
        }
    }
}

impl Context {
    /// A context of these parts.
    pub fn new(parts: ContextParts) -> Self {
        let left = parts.deadline.map(|at| (at - parts.clock.wall()).to_std().unwrap_or_default());
        let ends_at = left.map(|left| parts.clock.mono() + left);
        Self { parts, ends_at }
    }

    /// The id of this execution, `execute_task.id`.
    pub fn sub_task_id(&self) -> i64 {
        self.parts.execution_id
    }

    /// The id of the task that is due, `task.id`.
    pub fn task_id(&self) -> i64 {
        self.parts.task_id
    }

    /// The trace id of this execution, also in its row and in its log lines.
    pub fn trace_id(&self) -> &str {
        &self.parts.trace_id
    }

    /// The instant at which this run was due; for a manual run, when it was asked for.
    pub fn scheduled_at(&self) -> DateTime<Utc> {
        self.parts.scheduled_at
    }

    /// How often this fire has been started, this time included: 1 for the first run.
    pub fn attempt(&self) -> u32 {
        self.parts.attempt
    }

    /// `task_id:scheduled_at` with the instant in epoch milliseconds: the same for every attempt at
    /// one fire, different for every other fire.
    ///
    /// Give it to a service that accepts such a key, so that a repeated run has no second effect.
    pub fn idempotency_key(&self) -> String {
        let task_id = self.parts.task_id;
        let scheduled_at_ms = self.parts.scheduled_at.timestamp_millis();
        format!("{task_id}:{scheduled_at_ms}")
    }

    /// The instant at which this run is ended by its `timeout`, by the wall clock; `None` without one.
    ///
    /// The time-out itself is measured by the monotonic clock, so after a jump of the wall clock the two differ by
    /// that jump.
    pub fn deadline(&self) -> Option<DateTime<Utc>> {
        self.parts.deadline
    }

    /// How much is left until [`Self::deadline`], by the monotonic clock; `None` without one.
    pub(super) fn time_left(&self) -> Option<Duration> {
        self.ends_at.map(|ends_at| ends_at.saturating_sub(self.parts.clock.mono()))
    }

    pub(super) fn parts(&self) -> &ContextParts {
        &self.parts
    }

    /// The program's HTTP client, for this run: its calls end with the run's deadline and with a stop, carry its trace
    /// id, and are repeated where that is safe. See [`Http`].
    ///
    /// ```no_run
    /// use scheduler_core::{Args, Context, JobResult, job};
    ///
    /// #[job("look")]
    /// async fn look(_task_key: &str, _args: Args, ctx: Context) -> JobResult {
    ///     let names: Vec<String> = ctx.http().get("https://api.example.com/names").send().await?.json()?;
    ///     ctx.note("names", names.len());
    ///     Ok(())
    /// }
    /// ```
    #[must_use]
    pub fn http(&self) -> Http {
        Http::new(self.clone())
    }

    /// The state that the program has registered for this type with [`App::state`](crate::App::state).
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU64, Ordering};
    /// use scheduler_core::{Args, Context, JobResult, job};
    ///
    /// #[derive(Default)]
    /// pub struct Counter(AtomicU64);
    ///
    /// #[job("count")]
    /// async fn count(_task_key: &str, _args: Args, ctx: Context) -> JobResult {
    ///     ctx.state::<Counter>()?.0.fetch_add(1, Ordering::Relaxed);
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// When none is registered. The text names the type and the place for it.
    pub fn state<T: 'static>(&self) -> Result<&T, NotShared> {
        self.parts.shared.state()
    }

    /// The settings of this type: those of the section that the program declares with
    /// [`App::config`](crate::App::config), as they were read at its start, or those that it gives with
    /// [`App::config_value`](crate::App::config_value).
    ///
    /// # Errors
    /// When none are declared. The text names the type and the place for it.
    pub fn config<T: 'static>(&self) -> Result<&T, NotShared> {
        self.parts.shared.config()
    }

    /// Starts `task` beside this run, on the jobs' runtime; what it logs carries this run's fields, its trace id
    /// among them.
    ///
    /// Nobody waits for it: it outlives the run, whose outcome does not depend on it, no time-out ends it, and
    /// what still runs of it when the program stops is dropped. Await the handle if the run needs its result; to
    /// be told of a stop, give it a clone of this context.
    ///
    /// # Panics
    /// In a test of a job without a runtime.
    pub fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let task = task.instrument(self.parts.span.clone());
        match &self.parts.runtime {
            Some(runtime) => runtime.spawn(task),
            None => tokio::spawn(task),
        }
    }

    /// Notes `value` under `key`, in place of what stood there: it is shown with the execution, in its `extra`, while
    /// the run is under way (within 5 s) and after it has ended, however it ended.
    ///
    /// All notes of a run take [`MAX_NOTES_BYTES`](super::MAX_NOTES_BYTES) at most. What does not fit, cannot be
    /// written as JSON or stands under a key of the scheduler's (`err`, `reason`, …) is refused: said in the log and
    /// counted under `notes_refused`.
    pub fn note(&self, key: &str, value: impl Serialize) {
        self.parts.notes.note(key, value);
    }

    /// Notes how far the run has come: `done` of `total`, in whatever the job counts. Cheap enough for every step.
    pub fn progress(&self, done: u64, total: u64) {
        self.parts.notes.progress(done, total);
    }

    /// The pool `alias` of `mysql.toml`: made when a job first asks for it, and shared by all. A transaction that a job
    /// leaves open, also one that was ended in the middle of it, is rolled back before the connection is lent again.
    ///
    /// ```no_run
    /// use scheduler_core::{Args, Context, JobResult, job, sqlx};
    ///
    /// #[job("count_orders")]
    /// async fn count_orders(_task_key: &str, _args: Args, ctx: Context) -> JobResult {
    ///     let shop = ctx.mysql("shop").await?;
    ///     let orders: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM orders").fetch_one(&shop).await?;
    ///     ctx.note("orders", orders);
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`PoolError`]: there is no such pool, or the server cannot be reached within `connect_timeout`. The next call
    /// tries again.
    pub async fn mysql(&self, alias: &str) -> Result<sqlx::MySqlPool, PoolError> {
        self.parts.shared.pools().mysql(alias, &self.runtime()).await
    }

    /// The connection that all jobs share of the pool `alias` of `redis.toml`: made when a job first asks for it, and
    /// again when it broke.
    ///
    /// ```no_run
    /// use scheduler_core::{Args, Context, JobResult, job, redis::AsyncCommands as _};
    ///
    /// #[job("count_visits")]
    /// async fn count_visits(_task_key: &str, _args: Args, ctx: Context) -> JobResult {
    ///     let mut cache = ctx.redis("cache").await?;
    ///     let visits: u64 = cache.incr("visits", 1).await?;
    ///     ctx.note("visits", visits);
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`PoolError`]: there is no such pool, or the server does not answer within `connect_timeout`. The next call tries
    /// again.
    pub async fn redis(&self, alias: &str) -> Result<RedisConnection, PoolError> {
        self.parts.shared.pools().redis(alias, &self.runtime()).await
    }

    /// A connection of the pool `alias` of `redis.toml` that this job has to itself, for commands that wait in the server
    /// (`BLPOP`) or change the connection (`WATCH`). There are `maxsize` of them; one is free again when it is dropped.
    ///
    /// # Errors
    /// [`PoolError`], as [`Context::redis`]; also when none becomes free within `connect_timeout`.
    pub async fn redis_own(&self, alias: &str) -> Result<OwnRedisConnection, PoolError> {
        self.parts.shared.pools().redis_own(alias, &self.runtime()).await
    }

    /// That of the jobs.
    fn runtime(&self) -> Handle {
        self.parts.runtime.clone().unwrap_or_else(Handle::current)
    }

    /// Whether this run has been asked to stop. Once true, it stays true.
    pub fn is_cancelled(&self) -> bool {
        self.parts.cancellation.is_cancelled()
    }

    /// Returns once this run has been asked to stop, at once if it already has.
    ///
    /// May be dropped at any time, so it fits into `tokio::select!`.
    pub async fn cancelled(&self) {
        self.parts.cancellation.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(task_id: i64, scheduled_at_ms: i64, attempt: u32) -> ContextParts {
        ContextParts {
            task_id,
            attempt,
            scheduled_at: DateTime::from_timestamp_millis(scheduled_at_ms).unwrap(),
            ..ContextParts::default()
        }
    }

    #[test]
    fn a_context_answers_with_its_parts() {
        let context = Context::new(ContextParts {
            execution_id: 812,
            trace_id: Arc::from("0199"),
            ..parts(3, 1_587_722_880_000, 2)
        });
        assert_eq!(context.sub_task_id(), 812);
        assert_eq!(context.task_id(), 3);
        assert_eq!(context.trace_id(), "0199");
        assert_eq!(context.attempt(), 2);
        assert_eq!(context.scheduled_at().to_rfc3339(), "2020-04-24T10:08:00+00:00");
    }

    #[test]
    fn the_idempotency_key_is_one_per_fire_whatever_the_attempt() {
        let key = |parts| Context::new(parts).idempotency_key();
        assert_eq!(key(parts(3, 1_587_722_880_250, 1)), "3:1587722880250");
        assert_eq!(key(parts(3, 1_587_722_880_250, 2)), "3:1587722880250");
        assert_eq!(key(parts(4, 1_587_722_880_250, 1)), "4:1587722880250");
        assert_eq!(key(parts(3, 1_587_722_880_251, 1)), "3:1587722880251");
    }

    #[derive(Debug, PartialEq)]
    struct Greeting(&'static str);

    #[test]
    fn a_job_gets_what_is_shared_by_its_type_and_state_is_not_settings() {
        let parts = ContextParts::default().with_state(Greeting("hello")).with_state(5_u8);
        let context = Context::new(parts.with_config(Greeting("settings")));
        assert_eq!(context.state(), Ok(&Greeting("hello")));
        assert_eq!(context.state(), Ok(&5_u8));
        assert_eq!(context.config(), Ok(&Greeting("settings")));
        assert!(context.config::<u8>().is_err());
        assert!(context.state::<u16>().is_err());
    }

    #[test]
    fn what_is_not_shared_is_an_error_that_says_where_to_register_it() {
        let context = Context::new(ContextParts::default().with_state("text").with_state(5_u8));
        assert_eq!(
            context.state::<u16>().unwrap_err().to_string(),
            "no state of type u16 is registered, only &str, u8: \
             register it with App::state where the program is built"
        );
        assert_eq!(
            context.config::<u8>().unwrap_err().to_string(),
            "no settings of type u8 are declared: \
             declare them with App::config::<u8>(\"NAME\") where the program is built"
        );
    }

    #[test]
    fn what_is_shared_is_never_shown() {
        let context = Context::new(ContextParts::default().with_config(Greeting("hunter2")));
        let shown = format!("{context:?}");
        assert!(shown.contains("Greeting") && !shown.contains("hunter2"), "{shown}");
    }

    #[tokio::test]
    async fn a_spawned_task_outlives_the_context_and_can_be_awaited() {
        let context = Context::new(ContextParts::default());
        let told = context.clone();
        let task = context.spawn(async move {
            told.cancelled().await;
            5
        });
        context.parts.cancellation.cancel();
        drop(context);
        assert_eq!(task.await.unwrap(), 5);
    }

    #[tokio::test]
    async fn a_cancelled_run_sees_it_in_every_clone() {
        let parts = ContextParts::default();
        let stop = parts.cancellation.clone();
        let context = Context::new(parts);
        let clone = context.clone();
        assert!(!clone.is_cancelled());
        stop.cancel();
        assert!(context.is_cancelled());
        clone.cancelled().await;
    }
}
