//! The scheduler program: links the jobs, reads the command line, leaves with an exit code.
//!
//! [`cli`] names the verbs and [`commands`] does them, one file each. [`context`] is what most of
//! them begin with: configuration, jobs, database. [`verdict`] says what the scheduler would make of
//! a row. Data leaves through [`output`], errors through [`exit`].

use std::process::ExitCode;

use jobs as _;

mod cli;
mod commands;
mod context;
mod exit;
mod output;
mod verdict;
mod view;

fn main() -> ExitCode {
    commands::main(std::env::args_os()).into()
}
