//! Rows become executions.

pub mod clock;
pub mod config;
pub mod plan;
pub mod store;
pub mod telemetry;
