//! The arguments of the command line, and nothing else. `docs/cli.md` shows each verb at work.

use std::path::PathBuf;

use clap::{
    Args, Parser, Subcommand, builder::PossibleValuesParser, builder::TypedValueParser,
    value_parser,
};
use clap_complete::Shell;
use scheduler_core::plan::execution::{ExecutionId, Status};
use scheduler_core::plan::task::TaskId;
use scheduler_core::plan::trigger::CronDialect;
use scheduler_core::store::EditId;

const AFTER_HELP: &str = "\
APP_ENV chooses the environment, a folder in DIR (default: local).

Exit codes: 0 done; 1 a finding, or a failure while running; 2 usage;
            69 database unreachable at start; 78 configuration.";

/// Runs annotated Rust functions on the schedules in the table `task`.
#[derive(Debug, Parser)]
#[command(name = "scheduler", version, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    /// What to do; without one: `run`.
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Globals {
    /// The folder of the configuration.
    #[arg(long, global = true, value_name = "DIR", default_value = "conf")]
    pub(crate) conf: PathBuf,
    /// Print JSON: an array for lists, else an object.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run the scheduler until SIGTERM or SIGINT. The default.
    Run,
    /// Check configuration, database and every row of `task`.
    Check {
        /// Find the cron rows that would fire at other instants under this dialect, too: `apscheduler` when coming from the
        /// Python application.
        #[arg(long, value_name = "DIALECT")]
        against: Option<CronDialect>,
    },
    /// List the jobs compiled into this program.
    Jobs,
    /// Show when a trigger would fire. Needs no database.
    Next(Next),
    /// Bring the tables to the newest version.
    Migrate,
    /// See the configuration.
    #[command(subcommand)]
    Config(Config),
    /// See and change the rows of `task`.
    #[command(subcommand)]
    Task(Task),
    /// See what ran.
    #[command(subcommand)]
    Executions(Executions),
    /// Say why an instant of a task ran, or did not.
    Why(Why),
    /// See who is told of what goes wrong.
    #[command(subcommand)]
    Alarm(Alarm),
    /// Ask the scheduler that runs with this configuration whether it is alive.
    Healthcheck {
        /// Whether it may claim, instead.
        #[arg(long)]
        ready: bool,
    },
    /// Print a link with which a browser logs in to the admin page, once, within 10 minutes, as an admin.
    Login,
    /// Print the hash of a password, for `[http.users.NAME] password_hash`. Needs no configuration.
    ///
    /// The password is asked for, or is the first line of standard input.
    Password,
    /// Print what makes a shell complete the command line. Needs no configuration.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page, in roff. Needs no configuration.
    Man {
        /// Write a page for each verb into this folder, and print nothing.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Show each key, what is in force and where it came from. Secrets are not shown.
    Show,
}

#[derive(Debug, Args)]
pub(crate) struct Next {
    /// cron, date or interval.
    pub(crate) trigger: String,
    /// Such as '30 1 * * *', '2026-12-24 18:00:00' or 90s.
    pub(crate) spec: String,
    /// How many instants, 1 to 1000.
    #[arg(short, value_name = "N", default_value_t = 5, value_parser = value_parser!(u16).range(1..=1000))]
    pub(crate) n: u16,
    /// The zone, such as Europe/London. Default: the configured one, else UTC.
    #[arg(long, value_name = "ZONE")]
    pub(crate) tz: Option<String>,
    /// The first moment that counts: RFC 3339, or 'YYYY-MM-DD HH:MM:SS' in the zone. Default: now.
    /// An interval counts from here.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) from: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// List all rows.
    List,
    /// Show one row, its next instants and last executions.
    Show {
        /// `id` of the row.
        id: TaskId,
    },
    /// Insert a row, after checking it as the scheduler would.
    Add(Add),
    /// Switch rows on.
    Enable {
        /// `id` of the rows.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<TaskId>,
    },
    /// Switch rows off.
    Disable {
        /// `id` of the rows.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<TaskId>,
    },
    /// Switch a task off for a while; it is switched on again by itself.
    Pause {
        /// `id` of the row.
        id: TaskId,
        /// Until when: RFC 3339, 'YYYY-MM-DD HH:MM:SS' in the zone of the configuration, or how long, such as 2h.
        /// Default: until somebody enables it.
        #[arg(long, value_name = "INSTANT")]
        until: Option<String>,
        /// Why, at most 255 characters.
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
    },
    /// Change when a task fires.
    Spec {
        /// `id` of the row.
        id: TaskId,
        /// The new spec, of the trigger that the row has.
        spec: String,
    },
    /// Run a task once, now.
    Trigger {
        /// `id` of the row.
        id: TaskId,
        /// Arguments of the job in place of those of the row, for this run and its retries.
        #[arg(long, allow_hyphen_values = true)]
        args: Option<String>,
    },
    /// Show who edited what, newest first.
    History {
        /// Only of the row with this `id`, which may be gone.
        id: Option<TaskId>,
        /// At most so many.
        #[arg(long, default_value_t = 20, value_parser = value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// The next page: only edits before the one with this id.
        #[arg(long, value_name = "ID")]
        before: Option<EditId>,
    },
    /// Delete rows; their executions stay.
    Delete {
        /// `id` of the rows.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<TaskId>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Its own name, 1 to 255 characters.
    #[arg(long)]
    pub(crate) key: String,
    /// The job to run, see `scheduler jobs`.
    #[arg(long, value_name = "JOB")]
    pub(crate) func: String,
    /// cron, date or interval.
    #[arg(long)]
    pub(crate) trigger: String,
    /// Such as '30 1 * * *', '2026-12-24 18:00:00' or 90s.
    #[arg(long)]
    pub(crate) spec: String,
    /// The arguments of the job, such as '1,2,3'.
    #[arg(long, default_value = "", allow_hyphen_values = true, hide_default_value = true)]
    pub(crate) args: String,
    /// What it is for.
    #[arg(long, default_value = "", allow_hyphen_values = true, hide_default_value = true)]
    pub(crate) desc: String,
    /// A JSON object, such as '{"timeout": "30s"}'.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub(crate) extra: String,
    /// Leave it switched off.
    #[arg(long)]
    pub(crate) disabled: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Executions {
    /// List executions, newest first.
    List(ExecutionList),
    /// Show one execution.
    Show {
        /// `id` of the execution.
        id: ExecutionId,
    },
    /// End one that runs.
    Cancel {
        /// `id` of the execution.
        id: ExecutionId,
    },
    /// Show what one execution has logged.
    Log {
        /// `id` of the execution.
        id: ExecutionId,
        /// Go on until it has ended. With --json: one object a line.
        #[arg(long, short)]
        follow: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Alarm {
    /// Send a message to each channel of `[alarms.channels]`, or to one.
    Test {
        /// Its name.
        channel: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Why {
    /// `id` or `task_key` of the row.
    pub(crate) task: String,
    /// RFC 3339, or 'YYYY-MM-DD HH:MM:SS' in the task's zone.
    pub(crate) instant: String,
}

#[derive(Debug, Args)]
pub(crate) struct ExecutionList {
    /// Only those of this task.
    #[arg(long, value_name = "ID")]
    pub(crate) task: Option<TaskId>,
    /// Only those in this status.
    #[arg(long, value_parser = status_parser())]
    pub(crate) status: Option<Status>,
    /// At most so many, 1 to 1000.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
    /// Only those with an id below this: the last one of the page before.
    #[arg(long, value_name = "ID")]
    pub(crate) before: Option<ExecutionId>,
    /// Only those created from then on: RFC 3339, or YYYY-MM-DD HH:MM:SS in the configured zone.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) since: Option<String>,
    /// Only those created before then: RFC 3339, or YYYY-MM-DD HH:MM:SS in the configured zone.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) until: Option<String>,
}

fn status_parser() -> impl TypedValueParser<Value = Status> {
    PossibleValuesParser::new(Status::names()).try_map(|name| name.parse::<Status>())
}
