//! An example of a job for a cron task: it logs that it ran.

use scheduler_core::{Args, Context, JobResult, job};

#[job("test_cron")]
async fn test_cron(task_key: &str, args: Args, ctx: Context) -> JobResult {
    tracing::info!(task_key, %args, sub_task_id = ctx.sub_task_id(), "test_cron ran");
    Ok(())
}
