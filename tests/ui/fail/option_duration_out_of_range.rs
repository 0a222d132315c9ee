use scheduler_core::{Args, Context, JobResult, job};

#[job("send_report", timeout = 0)]
async fn send_report_1(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", timeout = "999us")]
async fn send_report_2(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", timeout = "366days 1s")]
async fn send_report_3(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", misfire_grace_time = "999ms")]
async fn send_report_4(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", misfire_grace_time = 31622401)]
async fn send_report_5(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", backoff = 0)]
async fn send_report_6(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", backoff = "1s..400d")]
async fn send_report_7(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

fn main() {}
