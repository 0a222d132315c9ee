//! The scheduler with the jobs of the crate `jobs`.

use std::process::ExitCode;

fn main() -> ExitCode {
    scheduler::main(std::env::args_os(), jobs::app()).into()
}
