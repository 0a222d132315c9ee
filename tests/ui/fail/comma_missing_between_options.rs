use scheduler_core::{Args, Context, JobResult, job};

#[job("send_report", timeout = "30s" retries = 3)]
async fn send_report(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

fn main() {}
