use scheduler_core::{Args, Context, JobResult, job};

#[job("send_report", backoff = "1m..1s")]
async fn send_report(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

fn main() {}
