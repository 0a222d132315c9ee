use scheduler_core::{Args, Context, JobResult, job};

#[job("send_report")]
fn send_report(task_key: &str, args: Args, ctx: Context) -> JobResult {
    ctx.cancelled().await;
    send_invoice(task_key, args, ctx).await
}

#[job("send_invoice")]
pub(crate) fn send_invoice(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

fn main() {}
