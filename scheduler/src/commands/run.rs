//! `run`: the scheduler itself, from the first contact with the database to an orderly stop.

use anyhow::Context as _;
use scheduler_core::{
    app::{AppError, Prepared},
    config::StoreChoice,
    registry::Registry,
    run::{RunError, Signals, StopSource as _},
    store::{NewTask, SharedStore},
    telemetry,
};

use crate::{
    context::{Context, at_start},
    exit::Exit,
};

/// Runs until a signal ends it.
///
/// # Errors
/// When the start fails, or on a second signal.
pub(crate) async fn run(context: Context) -> anyhow::Result<Exit> {
    let Context { prepared, .. } = context;
    let config = prepared.config();
    let _writing = telemetry::init(&config.logger)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    say_jobs(prepared.registry());
    let mut signals = Signals::listen().context("the system refuses to hand over signals")?;
    // In a task of its own: a call to the database is never dropped half way.
    let starting = tokio::spawn(open(prepared.clone()));
    let store = tokio::select! {
        _ = signals.next() => {
            tracing::info!("a signal came before the start was complete: the scheduler stopped");
            return Ok(Exit::Done);
        }
        store = starting => store.context("bug: the start panicked")??,
    };
    let ran = prepared.run(store, &mut signals).await;
    let lost = telemetry::lost_lines();
    if lost > 0 {
        tracing::warn!(lost, "lines of the log could not be written");
    }
    match ran {
        Ok(()) => Ok(Exit::Done),
        // Through the log, which waits for nobody: stderr may be what made somebody send a second signal.
        Err(AppError::Run(error @ RunError::Interrupted)) => {
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

async fn open(prepared: Prepared) -> anyhow::Result<SharedStore> {
    let store = prepared.open().await.map_err(at_start)?;
    let config = prepared.config();
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
        description: description.to_owned(),
        args: args.to_owned(),
        is_enabled: id == 1,
        ..NewTask::new(name, name, trigger, spec)
    };
    [
        row(1, "test_interval", "测试interval任务", "interval", "5", "1,2,3"),
        row(2, "test_date", "测试date任务", "date", "2020-04-24 18:08:00", r#""guess","hello""#),
        row(3, "test_cron", "测试cron任务", "cron", "* * * * *", "4,5,6"),
    ]
}
