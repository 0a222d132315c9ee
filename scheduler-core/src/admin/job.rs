//! A compiled job as programs see it.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::job::{Body, JobDescriptor};

/// A function that rows may name.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobView {
    /// By which rows name it in `execute_func`.
    pub name: &'static str,
    /// Its path.
    pub function: &'static str,
    /// The file that it stands in.
    pub file: &'static str,
    /// The line there.
    pub line: u32,
    /// The type that `args` must fit.
    pub args: &'static str,
    /// What `#[job]` says, as a row's `extra` would.
    pub options: Map<String, Value>,
    /// Whether it blocks a thread of its own.
    pub is_blocking: bool,
}

impl From<&JobDescriptor> for JobView {
    fn from(job: &JobDescriptor) -> Self {
        Self {
            name: job.name,
            function: job.function,
            file: job.file,
            line: job.line,
            args: job.args,
            options: job.options.as_extra(),
            is_blocking: matches!(job.body, Body::Blocking(_)),
        }
    }
}
