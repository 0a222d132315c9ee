use scheduler_core::{Context, JobResult, job};

#[job("send_report")]
async fn send_report(_task_key: &str, _recipient: &str, _ctx: Context) -> JobResult {
    Ok(())
}

fn main() {}
