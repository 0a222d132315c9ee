//! The program again, with two more jobs that the tests need: built from its own sources, started
//! from this test binary as a process of its own.

use std::time::Duration;

use jobs as _;
use scheduler_core::{Args, Context, JobResult, job};

use crate::support::Home;

/// Holds the arguments of the program, one a line, in the process that shall be it.
const ARGS: &str = "PROGRAM_ARGS";

/// Runs until it is asked to stop.
#[job("patient")]
async fn patient(_task_key: &str, _args: Args, ctx: Context) -> JobResult {
    tracing::info!("patient began");
    ctx.cancelled().await;
    Ok(())
}

/// Holds its thread for ever.
#[job("stubborn")]
async fn stubborn(_task_key: &str, _args: Args, _ctx: Context) {
    tracing::info!("stubborn began");
    loop {
        std::thread::park_timeout(Duration::from_secs(60));
    }
}

/// A command that starts the program; the test below is the other end.
pub(crate) fn command(home: &Home, args: &[&str]) -> std::process::Command {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command
        .current_dir(home.path())
        .env_clear()
        .env(ARGS, args.join("\n"));
    command.args([
        "--exact",
        "program::the_program",
        "--ignored",
        "--nocapture",
    ]);
    command
}

#[test]
#[ignore = "is the program, started by other tests"]
fn the_program() {
    let Ok(args) = std::env::var(ARGS) else {
        return;
    };
    let args = std::iter::once("scheduler")
        .chain(args.lines())
        .map(Into::into);
    std::process::exit(crate::commands::main(args).into());
}
