use scheduler_core::{Args, Context, JobResult, job};

#[job("send_report", overlap = "skipped")]
async fn send_report_1(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", overlap = "Queue")]
async fn send_report_2(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", overlap = "wait")]
async fn send_report_3(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", on_lost = "retries")]
async fn send_report_4(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", on_lost = "")]
async fn send_report_5(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

fn main() {}
