//! The program, with a job that panics while it holds what it was given; started from this test binary as a process of
//! its own.

use std::{path::Path, process::Command};

use scheduler_core::{App, Args, Context, JobResult, job};
use serde::Deserialize;

/// Holds the arguments of the program, one a line, in the process that shall be it.
const ARGS: &str = "PROGRAM_ARGS";

/// `[app.sealed]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    token: String,
}

#[job("panics")]
async fn panics(_task_key: &str, _args: Args, ctx: Context) -> JobResult {
    let sealed = ctx.config::<Sealed>()?;
    panic!("slipped with {} letters in {ctx:?}", sealed.token.len());
}

fn app() -> App {
    jobs::app().config::<Sealed>("sealed")
}

/// A command that starts the program in `folder`; the function below is the other end.
pub(crate) fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.current_dir(folder).env_clear().env(ARGS, args.join("\n")).env("RUST_BACKTRACE", "1");
    command.args(["--exact", "program::is_the_scheduler_where_a_test_started_it", "--nocapture"]);
    command
}

/// Not a test but the other end of [`command`]: in an ordinary run of the tests there is nothing to do.
#[test]
fn is_the_scheduler_where_a_test_started_it() {
    let Ok(args) = std::env::var(ARGS) else {
        return;
    };
    let args = std::iter::once("scheduler").chain(args.lines()).map(Into::into);
    std::process::exit(scheduler::main(args, app()).into());
}
