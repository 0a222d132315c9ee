use scheduler_core::{Args, Context, JobResult, job};

#[job("send_report")]
async fn send_report(_task_key: u64, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

fn main() {}
