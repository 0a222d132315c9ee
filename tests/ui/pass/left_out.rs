//! A condition above or below the attribute leaves function and registration out.

use scheduler_core::{Args, Context, JobResult, job};

#[cfg(any())]
#[job("left out above")]
async fn above(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("left out below")]
#[cfg(any())]
async fn below(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("left in")]
#[cfg(test)]
async fn left_in(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}
