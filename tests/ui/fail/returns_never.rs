use scheduler_core::{Args, Context, job};

#[job("send_report", blocking)]
fn send_report(_task_key: &str, _args: Args, _ctx: Context) -> ! {
    loop {}
}

fn main() {}
