use scheduler_core::{Args, Context, JobResult, job};

#[job("send_report")]
struct SendReport;

fn uses_what_is_imported(_: Args, _: Context) -> JobResult {
    Ok(())
}

fn main() {}
