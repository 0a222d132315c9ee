//! Every verb of the command line, on an SQLite file of its own.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use scheduler_core::store::NewTask;

#[path = "../support/mod.rs"]
mod support;

mod args;
mod config;
mod edits;
mod executions;
mod login;
mod next;
mod rows;
mod start;
mod why;

use support::{Home, row};

/// What the program of `support::program` has: the jobs alone.
fn app() -> scheduler_core::App {
    jobs::app()
}

/// Rows of every kind; ids count from 1.
fn with_rows() -> Home {
    let home = Home::migrated("");
    home.insert("good", "test_cron", "cron", "30 1 * * *");
    home.insert("unknown", "test_corn", "cron", "30 1 * * *");
    home.insert("bad_spec", "test_cron", "cron", "61 1 * * *");
    home.insert_row(&NewTask {
        is_enabled: false,
        ..row("off", "test_date", "date", "2020-04-24 18:08:00")
    });
    home.insert_row(&NewTask {
        is_enabled: false,
        ..row("off_bad", "test_date", "date", "tomorrow")
    });
    home
}
