//! What a scheduler sends to a collector of the test's own. Needs the feature `otlp`, without which there is nothing to
//! see.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests may fail as tests do"
)]

#[path = "../run/process.rs"]
#[allow(dead_code, reason = "each test file uses its part")]
mod process;
#[path = "../support/mod.rs"]
mod support;

mod collector;
mod figures;
mod spans;
mod trouble;

use scheduler_core::{App, Args, Context, JobResult, job};

/// Panics.
#[job("clumsy")]
async fn clumsy(_task_key: &str, _args: Args, _ctx: Context) {
    panic!("slipped");
}

/// Calls the address that it is given.
#[job("caller")]
async fn caller(_task_key: &str, address: String, ctx: Context) -> JobResult {
    ctx.http().get(&address).send().await?;
    Ok(())
}

fn app() -> App {
    jobs::app()
}
