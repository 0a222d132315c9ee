//! The program with two more jobs that the tests need, started from this test binary as a process of its own.

use std::time::Duration;

use scheduler_core::{
    __private::inventory,
    Args, Context, JobResult, job,
    job::{Body, Invocation, JobDescriptor, JobOptions},
};

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

/// The same as a plain function, on the pool for such work.
fn stone(_invocation: Invocation) -> JobResult {
    tracing::info!("stone began");
    loop {
        std::thread::park_timeout(Duration::from_secs(60));
    }
}

inventory::submit! {
    JobDescriptor {
        name: "stone",
        function: "program::stone",
        file: file!(),
        line: line!(),
        args: "Args",
        options: JobOptions::NONE,
        body: Body::Blocking(stone),
        check_args: |_| Ok(()),
    }
}

/// Logs more than a pipe holds.
#[job("chatty")]
async fn chatty(_task_key: &str, _args: Args, _ctx: Context) {
    for line in 0..2_000 {
        tracing::info!(line, "{}", "blah ".repeat(20));
    }
}

/// Panics.
#[job("clumsy")]
async fn clumsy(_task_key: &str, _args: Args, _ctx: Context) {
    panic!("slipped\non a \u{1b}[31mpeel");
}

/// A command that starts the program; the function below is the other end.
pub(crate) fn command(home: &Home, args: &[&str]) -> std::process::Command {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.current_dir(home.path()).env_clear().env(ARGS, args.join("\n"));
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
    std::process::exit(scheduler::main(args, jobs::app()).into());
}
