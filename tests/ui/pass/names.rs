//! Names up to the width of the column, and where a function stands.

use scheduler_core::{Args, Context, JobResult, job};

/// 255 characters, as the name of the job below.
pub(crate) const LONGEST: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

#[job(
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
)]
async fn longest(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("发送报告")]
async fn not_ascii(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("first name")]
#[job("second name")]
async fn two_names(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("two lines below")]
/// A comment in between.
async fn below_its_attribute(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}
