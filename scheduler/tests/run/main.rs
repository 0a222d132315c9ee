//! The program at work, as a process of its own: jobs run, edits take effect, signals end it, and a
//! crash loses nothing.
//!
//! Nothing here waits for a time to pass; each step waits for what the program says or writes.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests may fail as tests do"
)]

#[path = "../support/mod.rs"]
mod support;

// The program itself, for `program`.
#[path = "../../src/cli.rs"]
mod cli;
#[path = "../../src/commands/mod.rs"]
mod commands;
#[path = "../../src/context.rs"]
mod context;
#[path = "../../src/exit.rs"]
mod exit;
#[path = "../../src/output.rs"]
mod output;
#[path = "../../src/verdict.rs"]
mod verdict;
#[path = "../../src/view.rs"]
mod view;

mod crash;
mod edits;
mod process;
mod program;
mod stop;
