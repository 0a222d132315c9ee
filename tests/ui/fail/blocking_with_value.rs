use scheduler_core::{Args, Context, JobResult, job};

#[job("send_report", blocking = true)]
fn send_report(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

fn main() {}
