use scheduler_core::{Args, Context, JobResult, job};

#[job("send_report")]
async fn send_report(_task_key: &str, _ctx: Context, _args: Args) -> JobResult {
    Ok(())
}

fn main() {}
