use scheduler_core::{Args, Context, JobResult, job};

#[job(timeout = "30s")]
async fn send_report_1(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job(blocking, retry = 3, timeout = "x")]
async fn send_report_2(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

fn main() {}
