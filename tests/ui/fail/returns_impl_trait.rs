use std::fmt::Display;

use scheduler_core::{Args, Context, job};

#[job("send_report")]
async fn send_report(_task_key: &str, _args: Args, _ctx: Context) -> Result<(), impl Display> {
    Err("no recipient")
}

fn main() {}
