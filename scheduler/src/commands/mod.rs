//! The verbs, one file each: reads what it needs, asks the core, prints through [`crate::output`].

use std::ffi::OsString;

use anyhow::Context as _;
use clap::Parser as _;
use tokio::runtime::{Builder, Runtime};

use crate::{
    cli::{Cli, Verb},
    context::Context,
    exit::{self, Exit},
};

mod check;
mod executions;
mod jobs;
mod migrate;
mod next;
mod run;
mod task;

/// Does what `args` ask for, the first of which is the program's name; the code to leave with.
pub fn main(args: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to stdout with 0, a mistake to stderr with 2; a closed pipe is nobody's fault.
            let _ = error.print();
            return if error.use_stderr() { exit::USAGE } else { exit::DONE };
        }
    };
    exit::report(perform(cli))
}

fn perform(cli: Cli) -> anyhow::Result<Exit> {
    let globals = cli.globals;
    let verb = cli.verb.unwrap_or(Verb::Run);
    match verb {
        Verb::Jobs => return jobs::jobs(&globals),
        Verb::Next(next) => return next::next(&globals, &next),
        _ => {}
    }
    let context = Context::load(&globals)?;
    let runtime = control_runtime()?;
    let result = runtime.block_on(async {
        match verb {
            Verb::Run => Box::pin(run::run(context)).await,
            Verb::Check => Box::pin(check::check(&context)).await,
            Verb::Migrate => Box::pin(migrate::migrate(&context)).await,
            Verb::Task(verb) => Box::pin(task::task(&context, verb)).await,
            Verb::Executions(verb) => Box::pin(executions::executions(&context, verb)).await,
            Verb::Jobs | Verb::Next(_) => unreachable!("bug: these need no database"),
        }
    });
    // Whatever still hangs in a call to the system must not keep the process.
    runtime.shutdown_background();
    result
}

/// Claims, renewals and readings; jobs have a runtime of their own.
fn control_runtime() -> anyhow::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    let builder = builder.worker_threads(2).thread_name("scheduler").enable_all();
    builder.build().context("the system gives no threads")
}
