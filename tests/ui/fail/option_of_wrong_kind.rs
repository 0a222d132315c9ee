use scheduler_core::{Args, Context, JobResult, job};

#[job("send_report", retries = "3")]
async fn send_report_1(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", max_instances = 2.0)]
async fn send_report_2(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", timeout = true)]
async fn send_report_3(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", overlap = queue)]
async fn send_report_4(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", on_lost = 3)]
async fn send_report_5(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", retries = limits::RETRIES)]
async fn send_report_6(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

fn main() {}
