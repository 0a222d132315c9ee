//! Every option, and what a function under `blocking` may look like.

use std::error::Error;

use scheduler_core::anyhow::ensure;
use scheduler_core::{Args, Context, JobResult, job};

#[job(
    "every option",
    timeout = "30s",
    retries = 3,
    backoff = "1s..1m",
    max_instances = 2,
    overlap = "queue",
    misfire_grace_time = "5m",
    on_lost = "retry",
    blocking
)]
fn every_option(_: &str, _: Args, _: Context) {}

#[job(
    "lowest options",
    on_lost = "leave",
    misfire_grace_time = 1,
    overlap = "skip",
    max_instances = 1,
    backoff = "1ms",
    retries = 0,
    timeout = "1ms"
)]
async fn lowest_options(_: &str, _: Args, _: Context) {}

#[job(
    "highest options",
    timeout = "366days",
    misfire_grace_time = "366d",
    backoff = "366d..366d",
    retries = 1_000,
    max_instances = 10_000,
    overlap = "allow"
)]
async fn highest_options(_: &str, _: Args, _: Context) {}

#[job("one wait", backoff = 10)]
async fn one_wait(_: &str, _: Args, _: Context) {}

#[job("blocks", blocking)]
fn blocks(task_key: &str, args: Args, ctx: Context) -> JobResult {
    ensure!(task_key == "the key", "task_key is {task_key:?}");
    ensure!(args.iter().eq(["1", "two"]), "args are {args:?}");
    ensure!(ctx.sub_task_id() == 812, "ctx is {ctx:?}");
    Ok(())
}

#[job("blocks and fails", blocking)]
fn blocks_and_fails(_: &str, _: Args, _: Context) -> Result<(), Box<dyn Error>> {
    Err("no recipient".into())
}

/// The types of [`JobOptions`](scheduler_core::job::JobOptions) need not be in scope, and a macro
/// may write the values.
macro_rules! job_of_a_macro {
    ($name:literal, $timeout:literal, $retries:expr) => {
        #[job($name, timeout = $timeout, retries = $retries)]
        async fn of_a_macro(_: &str, _: Args, _: Context) {}
    };
}

job_of_a_macro!("written by a macro", "1h30m", 3);
