//! Rows become executions.

pub mod plan;
