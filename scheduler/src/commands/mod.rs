//! The verbs, one file each: reads what it needs, asks the core, prints through [`crate::output`].

use std::ffi::OsString;

use anyhow::Context as _;
use clap::Parser as _;
use scheduler_core::App;
use tokio::runtime::{Builder, Runtime};

use crate::{
    cli::{Cli, Config, Verb},
    context::Context,
    exit::{self, Exit},
};

mod alarm;
mod check;
mod config;
mod executions;
mod healthcheck;
mod jobs;
mod login;
mod manual;
mod migrate;
mod next;
mod password;
mod run;
mod task;
mod why;

/// Does what `args` ask for, the first of which is the program's name; the code to leave with.
///
/// `app` is what the program shares with its jobs. Whoever calls a function of the crate that holds the jobs to
/// make it, `jobs::app()`, has thereby linked them.
pub fn main(args: impl IntoIterator<Item = OsString>, app: App) -> u8 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to stdout with 0, a mistake to stderr with 2; a closed pipe is nobody's fault.
            let _ = error.print();
            return if error.use_stderr() { exit::USAGE } else { exit::DONE };
        }
    };
    exit::report(perform(cli, app))
}

fn perform(cli: Cli, app: App) -> anyhow::Result<Exit> {
    let globals = cli.globals;
    let verb = cli.verb.unwrap_or(Verb::Run);
    match verb {
        Verb::Jobs => return jobs::jobs(&globals),
        Verb::Next(next) => return next::next(&globals, &next, &app),
        Verb::Password => return password::password(&globals),
        Verb::Completions { shell } => return manual::completions(shell),
        Verb::Man { dir } => return manual::man(dir.as_deref()),
        _ => {}
    }
    let context = Context::load(&globals, app)?;
    let runtime = control_runtime()?;
    let result = runtime.block_on(async {
        match verb {
            Verb::Run => Box::pin(run::run(context)).await,
            Verb::Check { against } => Box::pin(check::check(&context, against)).await,
            Verb::Migrate => Box::pin(migrate::migrate(&context)).await,
            Verb::Task(verb) => Box::pin(task::task(&context, verb)).await,
            Verb::Executions(verb) => Box::pin(executions::executions(&context, verb)).await,
            Verb::Alarm(verb) => Box::pin(alarm::alarm(&context, verb)).await,
            Verb::Login => Box::pin(login::login(&context)).await,
            Verb::Healthcheck { ready } => {
                Box::pin(healthcheck::healthcheck(&context, ready)).await
            }
            Verb::Why(asked) => Box::pin(why::why(&context, &asked)).await,
            Verb::Config(Config::Show) => config::show(&context),
            Verb::Jobs
            | Verb::Next(_)
            | Verb::Password
            | Verb::Completions { .. }
            | Verb::Man { .. } => unreachable!("bug: these need no configuration"),
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
