//! Rows become executions.

pub mod config;
pub mod plan;
pub mod telemetry;
