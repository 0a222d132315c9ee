use scheduler_core::{Args, Context, JobResult, job};

#[job(" send_report", retry = 3)]
fn send_report(_task_key: u64, _args: Args, _ctx: &Context) -> JobResult {
    Ok(())
}

#[job]
async unsafe fn send_invoice(_task_key: &str) -> JobResult {
    Ok(())
}

fn main() {}
