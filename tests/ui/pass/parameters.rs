//! Every way to write the parameters.

use scheduler_core::anyhow::ensure;
use scheduler_core::{Args, Context, JobResult, job};

#[job("borrowed key")]
async fn borrowed_key(task_key: &str, args: Args, ctx: Context) -> JobResult {
    ensure!(task_key == "the key", "task_key is {task_key:?}");
    ensure!(args.iter().eq(["1", "two"]), "args are {args:?}");
    ensure!(ctx.sub_task_id() == 812, "ctx is {ctx:?}");
    Ok(())
}

#[job("owned key")]
async fn owned_key(mut task_key: String, _: Args, _: Context) -> JobResult {
    task_key.push('!');
    ensure!(task_key == "the key!", "task_key is {task_key:?}");
    Ok(())
}

type Values = scheduler_core::Args;

mod renamed {
    pub(super) use scheduler_core::Context as Run;
}

#[job("renamed types")]
async fn renamed_types(task_key: &'_ str, args: Values, ctx: renamed::Run) -> JobResult {
    borrowed_key(task_key, args, ctx).await
}

/// Bears the name of a variable in the expansion.
#[job("args")]
async fn args(task_key: &str, args: Args, context: Context) -> JobResult {
    borrowed_key(task_key, args, context).await
}
