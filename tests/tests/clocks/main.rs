//! Real programs and a real MariaDB, whose wall clocks are set while they run (libfaketime).
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

mod cluster;
mod database;
mod machine;
