use scheduler_core::{Args, Context, JobResult, job};

#[job("send_report")]
async fn send_report<T: Default>(_task_key: &str, _args: T, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_invoice")]
async fn send_invoice(_task_key: impl AsRef<str>, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("crunch", blocking)]
fn crunch<'a>(_task_key: &'a str, _args: Args, _ctx: Context) -> Result<(), &'a str> {
    Ok(())
}

fn main() {}
