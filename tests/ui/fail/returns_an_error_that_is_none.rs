use scheduler_core::{Args, Context, JobResult, job};

#[job("send_report")]
async fn send_report(_task_key: &str, _args: Args, _ctx: Context) -> JobResult<String> {
    Err("no recipient".to_owned())
}

fn main() {}
