use scheduler_core::{Context, JobResult, job};

#[derive(serde::Deserialize)]
struct Report<'a> {
    _to: &'a str,
}

#[job("send_report")]
async fn send_report(_task_key: &str, _report: Report<'_>, _ctx: Context) -> JobResult {
    Ok(())
}

fn main() {}
