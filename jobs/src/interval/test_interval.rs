//! An example of a job for an interval task: it logs each of its arguments, and its test calls it.

use scheduler_core::{Args, Context, JobResult, job};

#[job("test_interval")]
async fn test_interval(task_key: &str, args: Args, ctx: Context) -> JobResult {
    let sub_task_id = ctx.sub_task_id();
    tracing::info!(task.key = task_key, %args, sub_task_id, "test_interval ran");
    for (position, value) in args.iter().enumerate() {
        tracing::info!(task.key = task_key, position, value, "argument");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use scheduler_core::job::ContextParts;

    use super::*;

    #[tokio::test]
    async fn it_succeeds_with_any_number_of_arguments() {
        for args in ["", "1", "1,2,3"] {
            let ctx = Context::new(ContextParts::default());
            let result = test_interval("test_interval", Args::parse(args), ctx).await;
            assert!(result.is_ok(), "args {args:?}: {result:?}");
        }
    }
}
