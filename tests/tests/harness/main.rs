//! The harness for job authors: what it shows, and that it shows what production does.

mod faults;
mod jobs_in_time;
mod rows;
mod speed;

use std::sync::Mutex;

use chrono::{DateTime, Utc};
use scheduler_core::{Args, Context, JobResult, job};

/// What the jobs of these tests saw, kept as shared state.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<Vec<String>>);

impl Seen {
    fn say(&self, text: impl Into<String>) {
        self.0.lock().expect("no job panics here").push(text.into());
    }
}

/// Notes its key, and succeeds.
#[job("quick")]
async fn quick(task_key: &str, _args: Args, ctx: Context) -> JobResult {
    ctx.note("key", task_key);
    Ok(())
}

/// Sleeps as many seconds as its argument says, in steps of one, and stops when it is asked to.
#[job("sleeper")]
async fn sleeper(_task_key: &str, args: Args, ctx: Context) -> JobResult {
    let secs: u64 = args.get(0).unwrap_or("0").parse()?;
    for done in 0..secs {
        ctx.progress(done, secs);
        tokio::select! {
            () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
            () = ctx.cancelled() => scheduler_core::anyhow::bail!("stopped after {done} s"),
        }
    }
    Ok(())
}

/// Fails until the attempt that its argument names.
#[job("flaky", retries = 3, backoff = "10s..1m")]
async fn flaky(_task_key: &str, args: Args, ctx: Context) -> JobResult {
    let good: u32 = args.get(0).unwrap_or("2").parse()?;
    scheduler_core::anyhow::ensure!(ctx.attempt() >= good, "attempt {} fails", ctx.attempt());
    Ok(())
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant in RFC 3339")
}
