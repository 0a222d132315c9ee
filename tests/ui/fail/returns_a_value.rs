use scheduler_core::{Args, Context, job};

#[job("send_report")]
async fn send_report(_task_key: &str, _args: Args, _ctx: Context) -> Result<u32, std::fmt::Error> {
    Ok(1)
}

#[job("send_invoice", blocking)]
fn send_invoice(_task_key: &str, _args: Args, _ctx: Context) -> bool {
    true
}

fn main() {}
