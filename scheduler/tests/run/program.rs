//! Jobs that the tests need beside those of the crate `jobs`; `command` starts the program that has them.

use std::time::Duration;

use jobs as _;
use scheduler_core::{Args, Context, JobResult, job};

pub(crate) use crate::support::program::command;

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
