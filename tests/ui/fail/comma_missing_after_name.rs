use scheduler_core::{Args, Context, JobResult, job};

#[job("send_report" "send_invoice")]
async fn send_report_1(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report" retries = 3)]
async fn send_report_2(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

fn main() {}
