//! The scheduler as a part of another program: it is given what the jobs need, runs them, and stops when told.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use scheduler_core::{
    App, Args, Context, JobResult, anyhow,
    app::AppError,
    config::Config,
    job,
    store::{ExecutionFilter, NewTask, SharedStore, StoreError},
};
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Longest wait for anything that is sure to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the jobs of this file tell.
#[derive(Clone)]
struct Told(UnboundedSender<&'static str>);

impl Told {
    fn tell(&self, text: &'static str) -> anyhow::Result<()> {
        Ok(self.0.send(text)?)
    }
}

/// Says that it began, and that it was told to stop.
#[job("waits")]
async fn waits(_task_key: &str, _args: Args, ctx: Context) -> JobResult {
    ctx.state::<Told>()?.tell("began")?;
    ctx.cancelled().await;
    ctx.state::<Told>()?.tell("was told")
}

/// Leaves a task behind, from a thread that belongs to no runtime.
#[job("spawns")]
async fn spawns(_task_key: &str, _args: Args, ctx: Context) {
    std::thread::spawn(move || {
        let inner = ctx.clone();
        ctx.spawn(async move {
            let thread = std::thread::current();
            let is_ours = thread.name() == Some("job");
            let place = if is_ours { "on the jobs' runtime" } else { "elsewhere" };
            inner.state::<Told>()?.tell(place)?;
            inner.cancelled().await;
            anyhow::Ok(())
        });
    });
}

/// Asks for what nobody has registered.
#[job("asks")]
async fn asks(_task_key: &str, _args: Args, ctx: Context) -> JobResult {
    ctx.state::<Told>()?.tell("asked")?;
    ctx.state::<AtomicU32>()?.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

/// Settings of the program, which has no files.
struct Wording(&'static str);

/// Says what the settings say.
#[job("says")]
async fn says(_task_key: &str, _args: Args, ctx: Context) -> JobResult {
    ctx.state::<Told>()?.tell(ctx.config::<Wording>()?.0)
}

struct Bench {
    folder: TempDir,
    told: UnboundedReceiver<&'static str>,
}

impl Bench {
    fn new() -> (Self, App) {
        let (sender, told) = unbounded_channel();
        (Self { folder: tempfile::tempdir().unwrap(), told }, App::new().state(Told(sender)))
    }

    /// Reads the table often.
    fn config(&self) -> Config {
        let mut config = Config::sqlite(self.path());
        config.common.sync_interval = Duration::from_millis(100);
        config
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("app.db")
    }

    async fn hears(&mut self, text: &str) {
        let told = tokio::time::timeout(PATIENCE, self.told.recv()).await;
        assert_eq!(told.expect("somebody says something"), Some(text));
    }

    /// The statuses of all executions, read by another connection.
    async fn statuses(&self) -> Vec<(String, String)> {
        let store = reopened(&self.path()).await;
        let all = ExecutionFilter::newest(100);
        let rows = store.executions(all).await.unwrap();
        store.close().await;
        rows.into_iter().map(|row| (row.status, row.extra)).collect()
    }
}

async fn reopened(path: &Path) -> SharedStore {
    scheduler_core::run::open_store(&Config::sqlite(path)).await.unwrap()
}

fn once(job: &str) -> NewTask {
    NewTask::new(job, job, "date", "now")
}

#[tokio::test]
async fn a_job_runs_with_the_state_of_the_program_and_a_stop_waits_for_it() {
    let (mut bench, app) = Bench::new();
    let running = app.start(&bench.config()).await.unwrap();
    running.store().add(&once("waits")).await.unwrap();
    bench.hears("began").await;
    running.stop().await.unwrap();
    bench.hears("was told").await;
    assert_eq!(bench.statuses().await.len(), 1);
    assert_eq!(bench.statuses().await[0].0, "success");
}

#[tokio::test]
async fn a_job_finds_the_settings_that_a_program_without_files_gives() {
    let (mut bench, app) = Bench::new();
    let running = app.config_value(Wording("hello")).start(&bench.config()).await.unwrap();
    running.store().add(&once("says")).await.unwrap();
    bench.hears("hello").await;
    running.stop().await.unwrap();
    assert_eq!(bench.statuses().await[0].0, "success");
}

#[tokio::test]
async fn what_is_dropped_stops_in_order_by_itself() {
    let (mut bench, app) = Bench::new();
    let running = app.start(&bench.config()).await.unwrap();
    running.store().add(&once("waits")).await.unwrap();
    bench.hears("began").await;
    drop(running);
    bench.hears("was told").await;
}

#[tokio::test]
async fn it_runs_until_a_future_of_the_program_is_ready() {
    let (mut bench, app) = Bench::new();
    let config = bench.config();
    let store = scheduler_core::run::open_and_migrate(&config).await.unwrap();
    store.add(&once("waits")).await.unwrap();
    store.close().await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let scheduler =
        tokio::spawn(async move { app.run_until(&config, async { drop(stopped.await) }).await });
    bench.hears("began").await;
    drop(stop);
    scheduler.await.unwrap().unwrap();
    assert_eq!(bench.statuses().await[0].0, "success");
}

#[tokio::test]
async fn a_spawned_task_outlives_its_run_and_no_stop_waits_for_it() {
    let (mut bench, app) = Bench::new();
    let running = app.start(&bench.config()).await.unwrap();
    running.store().add(&once("spawns")).await.unwrap();
    bench.hears("on the jobs' runtime").await;
    running.stop().await.unwrap();
    assert_eq!(bench.statuses().await[0].0, "success");
}

#[tokio::test]
async fn a_job_that_asks_for_what_is_not_registered_fails_with_the_way_out() {
    let (mut bench, app) = Bench::new();
    let running = app.start(&bench.config()).await.unwrap();
    running.store().add(&once("asks")).await.unwrap();
    bench.hears("asked").await;
    running.stop().await.unwrap();
    let (status, extra) = bench.statuses().await.remove(0);
    assert_eq!(status, "fail");
    assert!(extra.contains("AtomicU32") && extra.contains("App::state"), "{extra}");
}

#[tokio::test]
async fn a_start_that_is_refused_touches_nothing() {
    let (bench, app) = Bench::new();
    let error = app.state(1_u8).state(2_u8).start(&bench.config()).await.unwrap_err();
    assert!(matches!(error, AppError::Twice(_)), "{error}");
    assert!(!bench.path().exists());
    let mut config = bench.config();
    config.common.timezone = "Mars/Olympus".to_owned();
    let error = App::new().start(&config).await.unwrap_err();
    assert!(matches!(error, AppError::Config(_)), "{error}");
    assert!(!bench.path().exists());
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_is_an_error_of_the_start() {
    let (bench, app) = Bench::new();
    let error = app.start(&Config::sqlite(bench.folder.path())).await.unwrap_err();
    assert!(matches!(error, AppError::Store(StoreError::Unreachable { .. })), "{error}");
}
