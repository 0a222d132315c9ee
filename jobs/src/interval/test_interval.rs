//! An example of a job for an interval task: it logs its arguments, and its test calls it.

use scheduler_core::{Args, Context, JobResult, job};

#[job("test_interval")]
async fn test_interval(task_key: &str, args: Args, ctx: Context) -> JobResult {
    let values: Vec<&str> = args.iter().collect();
    tracing::info!(task_key, sub_task_id = ctx.sub_task_id(), ?values, "test_interval ran");
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
