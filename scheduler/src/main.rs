//! The scheduler with the jobs of the crate `jobs`.

use std::process::ExitCode;

// Named, so that the linker keeps it: its jobs register themselves.
use jobs as _;

fn main() -> ExitCode {
    scheduler::main(std::env::args_os()).into()
}
