use scheduler_core::{Args, Context, JobResult, job};

#[job("send_report")]
fn send_report(task_key: &str, args: Args, ctx: Context) -> JobResult {
    let _ = (task_key, args, ctx);
    Ok(())
}

fn main() {}
