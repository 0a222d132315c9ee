use scheduler_core::{Args, Context, JobResult, job};

struct Mailer;

impl Mailer {
    #[job("send_report")]
    async fn send_report(&self, _task_key: &str, _args: Args, _ctx: Context) -> JobResult {
        Ok(())
    }
}

fn main() {}
