use scheduler_core::{Args, Context, JobResult, job};

#[job(retries = 3, "send_report")]
async fn send_report(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

fn main() {}
