use scheduler_core::{Args, Context, JobResult, job};

#[job("send_report", retries = 3, timeout = "30s", retries = 4)]
async fn send_report(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

fn main() {}
