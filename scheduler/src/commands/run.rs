//! `run`: the scheduler itself, from the first contact with the database to an orderly stop.

use std::sync::Arc;

use anyhow::Context as _;
use scheduler_core::{
    config::{Config, StoreChoice},
    registry::Registry,
    run::{RunError, Scheduler, Signals, job_runtime},
    store::{NewTask, SharedStore},
    telemetry,
};
use tokio::runtime::Runtime;

use crate::{
    context::{Context, open_and_migrate},
    exit::Exit,
};

/// Runs until a signal ends it.
///
/// # Errors
/// When the start fails, or on a second signal.
pub(crate) async fn run(context: Context) -> anyhow::Result<Exit> {
    let Context { config, registry, .. } = context;
    let _writing = telemetry::init(&config.logger)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    say_jobs(&registry);
    let mut signals = Signals::listen().context("the system refuses to hand over signals")?;
    let config = Arc::new(config);
    // In a task of its own: a call to the database is never dropped half way.
    let starting = tokio::spawn(prepare(Arc::clone(&config)));
    let store = tokio::select! {
        _ = signals.next() => {
            tracing::info!("a signal came before the start was complete: the scheduler stopped");
            return Ok(Exit::Done);
        }
        store = starting => store.context("bug: the start panicked")??,
    };
    let jobs = JobRuntime::start(config.common.jobs.threads)?;
    let handle = jobs.0.as_ref().expect("taken on drop only").handle().clone();
    let ran = Box::pin(Scheduler::new(store, registry, &config).run(&mut signals, handle)).await;
    let lost = telemetry::lost_lines();
    if lost > 0 {
        tracing::warn!(lost, "lines of the log could not be written");
    }
    match ran {
        Ok(()) => Ok(Exit::Done),
        // Through the log, which waits for nobody: stderr may be what made somebody send a second signal.
        Err(error @ RunError::Interrupted) => {
            tracing::error!("{error}");
            Ok(Exit::Finding)
        }
        Err(error) => Err(error.into()),
    }
}

fn say_jobs(registry: &Registry) {
    for job in registry.iter() {
        let place = format!("{}:{}", job.file, job.line);
        tracing::info!(job = job.name, function = job.function, place, "job linked");
    }
}

async fn prepare(config: Arc<Config>) -> anyhow::Result<SharedStore> {
    let store = open_and_migrate(&config).await?;
    tracing::info!(database = store.database(), "the tables are ready");
    let is_sqlite = matches!(config.common.store, StoreChoice::Sqlite(_));
    if is_sqlite && config.common.demo_rows && store.load_demo(&demo_rows()).await? {
        tracing::info!("three demo tasks are loaded, see `scheduler task list`");
    }
    Ok(store)
}

/// The rows that came with the original.
fn demo_rows() -> [NewTask; 3] {
    let row = |id, name: &str, description: &str, trigger: &str, spec: &str, args: &str| NewTask {
        id: Some(id),
        task_key: name.to_owned(),
        description: description.to_owned(),
        execute_func: name.to_owned(),
        trigger: trigger.to_owned(),
        spec: spec.to_owned(),
        args: args.to_owned(),
        is_enabled: id == 1,
        extra: "{}".to_owned(),
    };
    [
        row(1, "test_interval", "测试interval任务", "interval", "5", "1,2,3"),
        row(2, "test_date", "测试date任务", "date", "2020-04-24 18:08:00", r#""guess","hello""#),
        row(3, "test_cron", "测试cron任务", "cron", "* * * * *", "4,5,6"),
    ]
}

/// The threads of the jobs. A job that blocks its thread cannot keep the process: nobody waits for it.
struct JobRuntime(Option<Runtime>);

impl JobRuntime {
    fn start(threads: usize) -> anyhow::Result<Self> {
        Ok(Self(Some(job_runtime(threads).context("the system gives no threads for jobs")?)))
    }
}

impl Drop for JobRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
