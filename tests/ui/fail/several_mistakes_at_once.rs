use scheduler_core::{Args, Context, JobResult, job};

#[job(" send_report", retry = 3, timeout = "soon", overlap = "wait", timeout = "30s")]
fn send_report(_task_key: u64, _args: Args, _ctx: &Context) -> bool {
    true
}

#[job]
async unsafe fn send_invoice(_task_key: &str) -> Result<u32, String> {
    Ok(1)
}

#[job("crunch", blocking, retries = "many")]
async fn crunch(_task_key: &'static str, _args: Args, _ctx: ()) -> JobResult {
    Ok(())
}

fn main() {}
