//! Everything that a job may return.

use std::fmt;

use scheduler_core::anyhow::anyhow;
use scheduler_core::{Args, Context, JobResult, job};

#[job("returns nothing")]
async fn returns_nothing(_task_key: &str, _args: Args, _ctx: Context) {}

#[job("returns success")]
async fn returns_success(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("returns anyhow")]
async fn returns_anyhow(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Err(anyhow!("no recipient"))
}

#[derive(Debug, PartialEq)]
pub(crate) struct NoRecipient;

impl fmt::Display for NoRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no recipient")
    }
}

impl std::error::Error for NoRecipient {}

#[job("returns its own error")]
pub(crate) async fn returns_its_own_error(
    _task_key: &str,
    _args: Args,
    _ctx: Context,
) -> Result<(), NoRecipient> {
    Err(NoRecipient)
}
