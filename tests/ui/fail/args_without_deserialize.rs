use scheduler_core::{Context, JobResult, job};

struct Report {
    _copies: u8,
}

#[job("send_report")]
async fn send_report(_task_key: &str, _report: Report, _ctx: Context) -> JobResult {
    Ok(())
}

fn main() {}
