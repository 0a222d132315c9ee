//! An example of a job for a date task: it logs that it ran.

use scheduler_core::{Args, Context, JobResult, job};

#[job("test_date")]
async fn test_date(task_key: &str, args: Args, ctx: Context) -> JobResult {
    tracing::info!(task_key, %args, sub_task_id = ctx.sub_task_id(), "test_date ran");
    Ok(())
}
