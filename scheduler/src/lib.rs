//! The scheduler program as a function: reads the command line, does what a verb asks for, gives the exit code.
//!
//! [`main`] is all there is to call. A binary that calls it with what its jobs crate shares is a scheduler; ours is
//! `main.rs`.
//!
//! `cli` names the verbs and `commands` does them, one file each. `context` is what most of them begin with:
//! configuration, jobs, database. `instant` reads what people type for
//! one. Data leaves through
//! `output`, errors through `exit`.

mod cli;
mod commands;
mod context;
mod exit;
mod instant;
mod output;
mod view;

pub use commands::main;
