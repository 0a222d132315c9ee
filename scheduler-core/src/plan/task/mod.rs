//! A row of `task`, read once and trusted afterwards: [`TaskRow`] is what a store found, [`Task`] what it
//! means.
//!
//! A row that does not parse is rejected with a [`TaskError`] that names the row, the column, the value and
//! what was expected. Nothing from a row is ever code, a path or SQL: `execute_func` is looked up in the
//! [`Catalog`] of compiled jobs, and that is all.

use std::sync::Arc;

use super::trigger::{Anchor, Trigger, Zone};

mod extra;
mod fault;
mod policy;
mod reader;
mod row;

pub use extra::{DoubtfulKey, doubtful_keys};
pub use fault::{TaskError, TaskFault};
pub use policy::{Backoff, JobOptions, OnLost, Overlap, Policy};
pub use reader::{Reader, Validity};
pub use row::{Field, FieldFault, LONGEST_ARGS, LONGEST_EXTRA, LONGEST_NAME, TaskId, TaskRow};

/// A row that parsed: safe to schedule.
#[derive(Clone, Debug)]
pub struct Task {
    /// `id`.
    pub id: TaskId,
    /// `task_key`.
    pub key: Arc<str>,
    /// `execute_func`, known to the catalog.
    pub job: Arc<str>,
    /// `args` as written.
    pub args: Arc<str>,
    /// `spec` as written.
    pub spec: Arc<str>,
    /// What `trigger` and `spec` mean.
    pub trigger: Trigger,
    /// The zone that `spec` is read in.
    pub zone: Zone,
    /// What interval and `now` hang on.
    pub anchor: Anchor,
    /// How late, overlapping and long runs are treated.
    pub policy: Policy,
}

/// Which jobs this program has, seen from the deciding half.
pub trait Catalog: Send {
    /// What the job of this name says of its tasks, when it is compiled in and takes `args`. The error is the
    /// reason in words.
    ///
    /// # Errors
    /// [`JobRefusal::Unknown`] with the nearest known names, or [`JobRefusal::Args`].
    fn accepts(&self, job: &str, args: &str) -> Result<JobOptions, JobRefusal>;
}

/// Why a row's job cannot run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobRefusal {
    /// No such job; the nearest known names, best first.
    Unknown(Vec<String>),
    /// The job does not take these arguments, for this reason in words.
    Args(String),
}
