//! What a job is: the function a user writes, and what it is given and gives back.
//!
//! A job is an async function, or under `blocking` a plain one, below [`#[job("name")]`](macro@crate::job):
//!
//! ```
//! use scheduler_core::{Args, Context, JobResult, job};
//!
//! #[job("send_report")]
//! async fn send_report(task_key: &str, args: Args, ctx: Context) -> JobResult {
//!     let recipient = args.get(0).unwrap_or("everyone");
//!     println!("run {} of {task_key} sends to {recipient}", ctx.sub_task_id());
//!     Ok(())
//! }
//! ```
//!
//! The attribute turns it into a [`JobDescriptor`], which the [registry](crate::registry) finds.
//! The runtime calls its [`Body`] with an [`Invocation`], on threads
//! of its own, and turns an error or a panic into text with [`error_chain`] and [`panic_text`].
//! Nothing here starts, times or records anything.

mod args;
mod context;
mod failure;
pub mod http;
mod notes;
mod returned;
mod shared;
mod signature;

use std::pin::Pin;
use std::sync::Arc;

pub use tokio_util::sync::CancellationToken;

pub use crate::plan::task::{Backoff, JobOptions, OnLost, Overlap};

pub use self::args::{Args, ArgsError};
pub use self::context::{Context, ContextParts};
pub use self::failure::{MAX_FAILURE_BYTES, error_chain, panic_text};
pub use self::notes::{MAX_NOTES_BYTES, Notebook};
pub use self::shared::{NotShared, Shared, SharedValue};
pub use self::signature::{FromArgs, FromContext, FromTaskKey, JobReturn};

/// What a job returns: nothing, or the error that makes its execution a `fail`.
pub type JobResult<E = anyhow::Error> = Result<(), E>;

/// A run of a job that has been called and not yet been awaited.
pub type JobFuture = Pin<Box<dyn Future<Output = JobResult> + Send>>;

/// All that one run of a job is given.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// `task.task_key` of the row that is due.
    pub task_key: Arc<str>,
    /// `task.args` of that row.
    pub args: Args,
    /// Which execution this is, and whether it was asked to stop.
    pub context: Context,
}

/// A function under `#[job]`, as the scheduler sees it. The attribute writes it.
#[derive(Debug, Clone, Copy)]
pub struct JobDescriptor {
    /// The name that a row gives in `execute_func`, 1 to 255 characters.
    pub name: &'static str,
    /// Module path and name of the function, `jobs::cron::test_cron::test_cron`.
    pub function: &'static str,
    /// The source file of the function, as the compiler was given it.
    pub file: &'static str,
    /// The line of the function's name in that file, counted from 1.
    pub line: u32,
    /// The type of the second parameter, as it is written in the source.
    pub args: &'static str,
    /// What the attribute says beside the name.
    pub options: JobOptions,
    /// The function itself.
    pub body: Body,
    /// Tells whether the function could read these arguments, without calling it.
    pub check_args: fn(&Args) -> Result<(), ArgsError>,
}

/// The two ways in which a job runs.
#[derive(Debug, Clone, Copy)]
pub enum Body {
    /// An `async fn`. Nothing of it runs until the future is polled.
    Async(fn(Invocation) -> JobFuture),
    /// A plain `fn` under `blocking`: it holds its thread, one of the pool for such jobs, until it returns.
    Blocking(fn(Invocation) -> JobResult),
}

inventory::collect!(JobDescriptor);

impl JobDescriptor {
    /// What `args` look like that fit, as JSON Schema of what they may be as JSON: as far as it can be found out, anything
    /// beyond that. `propertyOrder` has the fields of a struct in the order in which values without names fill them.
    #[must_use]
    pub fn args_schema(&self) -> serde_json::Value {
        args::schema_of(self.check_args)
    }
}

/// What the expansion of `#[job]` names, and nobody else should.
#[doc(hidden)]
pub mod private {
    pub use inventory;
    pub use serde;

    pub use super::returned::{JobResultByRank, Returned};
}
