use scheduler_core::{Context, JobResult, job};

#[job("send_report")]
async fn send_report(_task_key: &str, _args: std::time::Instant, _ctx: Context) -> JobResult {
    Ok(())
}

fn main() {}
