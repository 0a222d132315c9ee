use std::rc::Rc;

use scheduler_core::{Args, Context, JobResult, job};

#[job("send_report")]
async fn send_report(_task_key: &str, _args: Args, ctx: Context) -> JobResult {
    let counter = Rc::new(1);
    ctx.cancelled().await;
    drop(counter);
    Ok(())
}

fn main() {}
