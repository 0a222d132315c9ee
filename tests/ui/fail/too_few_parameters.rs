use scheduler_core::{JobResult, job};

#[job("send_report")]
async fn send_report(_task_key: &str) -> JobResult {
    Ok(())
}

fn main() {}
