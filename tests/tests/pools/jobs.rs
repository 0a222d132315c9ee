//! Jobs of the schedulers here.

use scheduler_core::{Args, Context, JobResult, anyhow, job, redis::AsyncCommands as _, sqlx};

/// Does nothing.
#[job("tick")]
async fn tick(_task_key: &str, _args: Args, _ctx: Context) {}

/// Counts in the pool that also carries the word of edits.
#[job("visits")]
async fn visits(_task_key: &str, _args: Args, ctx: Context) -> JobResult {
    let mut redis = ctx.redis("default").await?;
    let () = redis.append("visits", "x".repeat(50_000)).await?;
    Ok(())
}

/// Holds a connection of the pool, and its thread, for ever.
#[job("clings", blocking)]
fn clings(_task_key: &str, _args: Args, ctx: Context) -> JobResult {
    let here = tokio::runtime::Handle::current();
    let _held = here.block_on(async { anyhow::Ok(ctx.mysql("shop").await?.acquire().await?) })?;
    loop {
        std::thread::park();
    }
}

/// Holds a connection of the pool, in the middle of a transaction, until it is ended.
#[job("waits")]
async fn waits(_task_key: &str, _args: Args, ctx: Context) -> JobResult {
    let mut held = ctx.mysql("shop").await?.acquire().await?;
    sqlx::raw_sql("START TRANSACTION").execute(&mut *held).await?;
    std::future::pending().await
}
