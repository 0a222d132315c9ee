//! The program with the jobs of this test binary, started from it as a process of its own.

use std::process::Command;

use super::{Home, LISTEN};

/// Holds the arguments of the program, one a line, in the process that shall be it.
const ARGS: &str = "PROGRAM_ARGS";

/// A command that starts the program; the function below is the other end.
///
/// Before the program's own output, stdout has the lines with which a test binary begins.
pub(crate) fn command(home: &Home, args: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.current_dir(home.path()).env_clear().env(ARGS, args.join("\n"));
    command.env(LISTEN, "off");
    let other_end = "support::program::is_the_scheduler_where_a_test_started_it";
    command.args(["--exact", other_end, "--nocapture"]);
    command
}

/// Not a test but the other end of [`command`]: in an ordinary run of the tests there is nothing to do.
#[test]
fn is_the_scheduler_where_a_test_started_it() {
    let Ok(args) = std::env::var(ARGS) else {
        return;
    };
    let args = std::iter::once("scheduler").chain(args.lines()).map(Into::into);
    std::process::exit(scheduler::main(args, crate::app()).into());
}
