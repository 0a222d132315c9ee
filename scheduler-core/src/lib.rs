//! Rows become executions: a row of the table `task` names a function, a trigger and a spec; this library runs
//! the function on time and writes every run into `execute_task`.
//!
//! # A job
//!
//! ```
//! use scheduler_core::{Context, JobResult, job};
//!
//! #[job("send_report", timeout = "30s", retries = 3)]
//! async fn send_report(task_key: &str, (to, copies): (String, u8), ctx: Context) -> JobResult {
//!     tracing::info!(task_key, to, copies, run = ctx.sub_task_id(), "sending");
//!     Ok(())
//! }
//! ```
//!
//! The attribute registers the function when the program starts; [`registry::Registry::linked`] finds it.
//! `docs/jobs.md` says more, `docs/tasks.md` what a row means.
//!
//! | in the function | see |
//! |---|---|
//! | the name and its options: `timeout`, `retries`, `backoff`, `overlap`, `blocking`, … | [`job`](macro@job) |
//! | the second parameter: a tuple, a struct, [`Args`], … | [`job::FromArgs`] |
//! | `ctx`: ids, deadline, cancellation, notes, state, settings, pools | [`Context`] |
//! | what it returns | [`job::JobReturn`] |
//! | calls over HTTP: `ctx.http()`, `#[derive(Request)]` | [`http`] |
//!
//! With the feature `testing`, `testing::Harness` runs jobs and their schedules under `cargo test`, with a clock that the
//! test moves. [`App::start`] runs a scheduler inside another program, as `examples/embedded.rs` does.
//!
//! # A tour
//!
//! | look here | for |
//! |---|---|
//! | [`plan`] | every decision, as values in and values out: what a row means ([`plan::task`]), when it is due ([`plan::trigger`]), what becomes of a late or overlapping fire ([`plan::lateness`]), and one scheduler's brain ([`plan::node`]) |
//! | [`store`] | the tables behind one contract, batch first: SQLite, MySQL and MariaDB |
//! | [`run`] | the loop that awaits one event, asks the plan, and performs the answer; the jobs on a runtime of their own |
//! | [`app`] | what a program shares with its jobs, and the one way in which a scheduler is put together, in our program and in [another](App::start) |
//! | [`admin`] | what people see and change, by command line as by HTTP: rows as the scheduler would judge them |
//! | [`mod@job`], [`registry`] | what a job sees; which jobs are compiled in |
//! | [`web`] | what is asked of a running scheduler by HTTP: health and metrics |
//! | `testing` | the harness for job authors, a loop around the same [`plan::node`] |
//! | [`pools`] | the connections to MySQL and Redis that jobs ask for by name |
//! | [`config`], [`telemetry`], [`clock`] | what the operator decides; the log; the only door to time |
//!
//! # The promise
//!
//! A fire is a pair of a task and an instant. It is claimed in a transaction before its job starts, under a
//! unique key and the lock of the task's row, so that no fire runs twice. What cannot run is recorded with the
//! reason, so that every instant is accounted for. What did not succeed is tried again if its job asks for it
//! ([`plan::retry`]), as an execution of its own.

pub mod admin;
pub mod app;
pub mod clock;
pub mod config;
pub mod job;
pub mod plan;
pub mod pools;
pub mod registry;
pub mod run;
pub mod store;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
pub mod web;

pub use anyhow;
pub use chrono;
pub use redis;
pub use scheduler_macros::{Request, job};
pub use sqlx;

pub use self::app::App;
pub use self::job::http::{self, Request};
pub use self::job::private as __private;
pub use self::job::{Args, Context, JobResult};
