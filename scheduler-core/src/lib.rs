//! Rows become executions.

pub mod clock;
pub mod config;
pub mod job;
pub mod plan;
pub mod registry;
pub mod run;
pub mod store;
pub mod telemetry;

pub use anyhow;
pub use scheduler_macros::job;

pub use self::job::private as __private;
pub use self::job::{Args, Context, JobResult};
