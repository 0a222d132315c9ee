//! A scheduler for `cargo test`: fake rows, a clock that the test moves, no database and no waiting.
//!
//! ```standalone_crate
//! use scheduler_core::testing::{Harness, Row};
//! # use scheduler_core::{Args, Context, job};
//! # #[job("send_report")]
//! # async fn send_report(_task_key: &str, _args: Args, _ctx: Context) {}
//!
//! // The night in which London's clocks go from 01:00 to 02:00.
//! let mut night = Harness::new("2026-03-28 12:00:00", "Europe/London");
//! night.insert(Row::cron("report", "send_report", "30 1 * * *"));
//! night.advance_to("2026-03-29 12:00:00");
//! night.check("report", &["2026-03-29 02:00:00 success"]);
//! ```
//!
//! # What it is
//!
//! ```text
//!  the test ──▶ Harness ──▶ Engine ─ Event ─▶ plan::node::Node       the brain of production
//!                              ▲ ◀── Action ──┘    │
//!                              │                   ├─▶ store::memory  the tables; the conformance suite holds them
//!                   a stepped clock                └─▶ run::jobs      the functions themselves, as production runs them
//! ```
//!
//! So what it shows is what production does with the same rows at the same instants. A [`Harness`] is one node on
//! tables of its own. Time moves only when the test says so ([`Harness::advance`], [`Harness::advance_to`],
//! [`Harness::run_until_idle`]), and then at once to the next instant at which anything happens: a fire, the end of a
//! run, a timer in a job. A month of `*/5 * * * *` takes less than a second.
//!
//! Jobs run on a tokio runtime of the harness whose clock is paused: `tokio::time::sleep`, `timeout` and `interval`
//! inside them follow the clock of the test. For jobs that talk to something real, a test server for example, see
//! [`Harness::with_real_io`].
//!
//! Where an assertion fails, the harness prints what happened when.

mod acts;
mod database;
mod engine;
mod execution;
mod faults;
mod harness;
mod look;
mod row;
mod timeline;

pub use self::{acts::Act, database::StoreFault, execution::Execution, harness::Harness, row::Row};

/// In which the tests of the program read what it sends.
#[cfg(feature = "otlp")]
#[doc(hidden)]
pub use {opentelemetry_proto, prost};
