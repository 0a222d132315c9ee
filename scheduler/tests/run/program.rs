//! Jobs that the tests need beside those of the crate `jobs`; `command` starts the program that has them.

use std::time::Duration;

use scheduler_core::{
    __private::inventory,
    App, Args, Context, JobResult, clock, job,
    job::{Body, Invocation, JobDescriptor, JobOptions},
};

use serde::Deserialize;

pub(crate) use crate::support::program::command;

/// Set where the program shall register something twice.
pub(crate) const TWICE: &str = "PROGRAM_TWICE";

/// Runs until it is asked to stop.
#[job("patient")]
async fn patient(_task_key: &str, _args: Args, ctx: Context) -> JobResult {
    tracing::info!("patient began");
    ctx.cancelled().await;
    Ok(())
}

/// Holds its thread for ever.
#[job("stubborn")]
async fn stubborn(_task_key: &str, _args: Args, _ctx: Context) {
    tracing::info!("stubborn began");
    loop {
        std::thread::park_timeout(Duration::from_secs(60));
    }
}

/// The same as a plain function, on the pool for such work.
fn stone(_invocation: Invocation) -> JobResult {
    tracing::info!("stone began");
    loop {
        std::thread::park_timeout(Duration::from_secs(60));
    }
}

inventory::submit! {
    JobDescriptor {
        name: "stone",
        function: "program::stone",
        file: file!(),
        line: line!(),
        args: "Args",
        options: JobOptions::NONE,
        body: Body::Blocking(stone),
        check_args: |_| Ok(()),
    }
}

/// Says what it was given, and leaves a task behind that goes on after it.
#[job("shares")]
async fn shares(_task_key: &str, _args: Args, ctx: Context) -> JobResult {
    let (greeting, limits) = (ctx.state::<Greeting>()?, ctx.config::<Limits>()?);
    let left = ctx.deadline().map(|deadline| deadline - clock::wall());
    let has_an_hour = left.is_some_and(|left| (3590..=3600).contains(&left.num_seconds()));
    tracing::info!(limits.per_hour, limits.name, has_an_hour, "{}", greeting.0);
    // Dropped when this function returns.
    let (_runs, is_over) = tokio::sync::oneshot::channel::<()>();
    ctx.spawn(async move {
        let _ = is_over.await;
        tracing::info!("left behind");
    });
    Ok(())
}

/// State of the jobs here.
struct Greeting(&'static str);

/// `[app.limits]`, which may be absent.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Limits {
    per_hour: u32,
    name: String,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_hour: 100, name: "default".to_owned() }
    }
}

pub(crate) fn app() -> App {
    let app = jobs::app().state(Greeting("hello")).config::<Limits>("limits");
    // For the test of what is refused at the start.
    if std::env::var_os(TWICE).is_some() { app.state(Greeting("again")) } else { app }
}

/// Logs more than a pipe holds.
#[job("chatty")]
async fn chatty(_task_key: &str, _args: Args, _ctx: Context) {
    for line in 0..2_000 {
        tracing::info!(line, "{}", "blah ".repeat(20));
    }
}

/// Panics.
#[job("clumsy")]
async fn clumsy(_task_key: &str, _args: Args, _ctx: Context) {
    panic!("slipped\non a \u{1b}[31mpeel");
}
