//! Everything that a job may return. Those that fail have no recipient, and where an error can have
//! a cause, the cause is that the list of recipients is empty.

use std::error::Error;
use std::rc::Rc;
use std::sync::Arc;
use std::{fmt, io};

use scheduler_core::anyhow::{self, anyhow};
use scheduler_core::{Args, Context, JobResult, job};

#[job("returns nothing")]
async fn returns_nothing(_task_key: &str, _args: Args, _ctx: Context) {}

#[job("returns success")]
async fn returns_success(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("returns anyhow")]
async fn returns_anyhow(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Err(anyhow!(EmptyList).context("no recipient"))
}

#[job("returns anyhow spelt out")]
async fn returns_anyhow_spelt_out(_: &str, _: Args, _: Context) -> anyhow::Result<()> {
    Err(anyhow!(EmptyList).context("no recipient"))
}

/// The cause of the others.
#[derive(Debug, PartialEq)]
pub(crate) struct EmptyList;

impl fmt::Display for EmptyList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("empty list")
    }
}

impl Error for EmptyList {}

#[derive(Debug, PartialEq)]
pub(crate) struct NoRecipient(EmptyList);

impl fmt::Display for NoRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no recipient")
    }
}

impl Error for NoRecipient {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

pub(crate) const NO_RECIPIENT: NoRecipient = NoRecipient(EmptyList);

#[job("returns its own error")]
pub(crate) async fn returns_its_own_error(
    _task_key: &str,
    _args: Args,
    _ctx: Context,
) -> Result<(), NoRecipient> {
    Err(NO_RECIPIENT)
}

#[job("returns an error of std")]
async fn returns_an_error_of_std(_: &str, _: Args, _: Context) -> io::Result<()> {
    Err(io::Error::other("no recipient"))
}

#[job("returns a shared error")]
async fn returns_a_shared_error(_: &str, _: Args, _: Context) -> Result<(), Arc<dyn SharedError>> {
    Err(Arc::new(NO_RECIPIENT))
}

pub(crate) trait SharedError: Error + Send + Sync {}

impl SharedError for NoRecipient {}

#[job("returns a boxed error")]
async fn returns_a_boxed_error(_: &str, _: Args, _: Context) -> Result<(), Box<dyn Error>> {
    Err(Box::new(NO_RECIPIENT))
}

#[job("returns a boxed error that is send")]
async fn returns_a_boxed_error_that_is_send(
    _: &str,
    _: Args,
    _: Context,
) -> Result<(), Box<dyn Error + Send>> {
    Err(Box::new(NO_RECIPIENT))
}

#[job("returns a boxed error that is send and sync")]
async fn returns_a_boxed_error_that_is_send_and_sync(
    _: &str,
    _: Args,
    _: Context,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    Err(Box::new(NO_RECIPIENT))
}

#[derive(Debug)]
pub(crate) struct StaysOnItsThread(Rc<NoRecipient>);

impl fmt::Display for StaysOnItsThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for StaysOnItsThread {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

#[job("returns an error that is not send")]
async fn returns_an_error_that_is_not_send(
    _: &str,
    _: Args,
    _: Context,
) -> Result<(), StaysOnItsThread> {
    Err(StaysOnItsThread(Rc::new(NO_RECIPIENT)))
}

#[job("returns a string")]
async fn returns_a_string(_: &str, _: Args, _: Context) -> JobResult<String> {
    Err("no recipient".to_owned())
}

#[job("returns a static text")]
async fn returns_a_static_text(_: &str, _: Args, _: Context) -> Result<(), &'static str> {
    Err("no recipient")
}

#[job("returns a borrowed text")]
async fn returns_a_borrowed_text(task_key: &str, _: Args, _: Context) -> Result<(), &str> {
    Err(task_key)
}

/// Neither an error nor `Debug`.
pub(crate) struct Displayed;

impl fmt::Display for Displayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no recipient")
    }
}

#[job("returns what only displays")]
async fn returns_what_only_displays(_: &str, _: Args, _: Context) -> Result<(), Displayed> {
    Err(Displayed)
}
