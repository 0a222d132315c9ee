use scheduler_core::{Args, Context, job};

#[derive(Debug)]
struct NoRecipient;

#[job("send_report")]
async fn send_report(_task_key: &str, _args: Args, _ctx: Context) -> Result<(), NoRecipient> {
    Err(NoRecipient)
}

#[job("send_invoice", blocking)]
fn send_invoice(_task_key: &str, _args: Args, _ctx: Context) -> Result<(), Box<NoRecipient>> {
    Err(Box::new(NoRecipient))
}

fn main() {}
