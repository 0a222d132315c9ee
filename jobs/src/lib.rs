//! Your jobs. Each is a file with one annotated function; a new one needs a `mod` line beside it.
//!
//! The folders only sort them: a row of `task` may run any job on any trigger. See `docs/jobs.md`.

mod cron;
mod date;
mod interval;
