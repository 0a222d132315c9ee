//! Makes the result of a run of what a job returned, keeping as much of its error as there is.
//!
//! [`IntoJobResult`](super::IntoJobResult) decides which types a job may return. Here one conversion
//! is chosen for each, the highest rank that fits:
//!
//! | rank | returned | becomes |
//! |---|---|---|
//! | 5 | `()`, or an `E: Into<anyhow::Error>`: any `std::error::Error`, `anyhow::Error` | the error itself |
//! | 4 | `Box<dyn Error + Send + Sync>` | the error itself |
//! | 3 | an `E: Error` that may not change threads | the texts of it and its causes |
//! | 2 | an `E` that points to an `Error`: `Box<dyn Error>`, `Box<dyn MyError>` | the texts of it and its causes |
//! | 1 | an `E: Display`: `String`, `&str` | its text |
//! | 0 | anything else | never runs |
//!
//! One type may fit several ranks, and the compiler has no specialisation for traits. The choice is
//! made by how it resolves a method instead: it takes the receiver's type as it stands, and while
//! that does not fit removes one reference. Rank `n` is implemented for `n` references to
//! [`Returned`], and `#[job]` begins with one more than the highest rank, of which the last is the
//! method's own `&self`. anyhow's `anyhow!` does the same with two ranks (`src/kind.rs`).
//!
//! Rank 0 is there for the message: a wrong type has failed at [`IntoJobResult`](super::IntoJobResult)
//! already, and shall not fail a second time here.

use std::error::Error;
use std::fmt;
use std::iter;
use std::marker::PhantomData;
use std::ops::Deref;

use super::JobResult;

/// The type of what a job returned, and nothing of its value.
pub struct Returned<T>(PhantomData<fn() -> T>);

impl<T> Returned<T> {
    /// The type of `returned`.
    pub fn of(_returned: &T) -> Self {
        Self(PhantomData)
    }
}

/// The conversion of one rank.
pub trait IntoJobResultByRank<T> {
    /// Success, or the error.
    ///
    /// # Errors
    ///
    /// The job's own error.
    fn into_job_result(&self, returned: T) -> JobResult;
}

impl IntoJobResultByRank<()> for &&&&&Returned<()> {
    fn into_job_result(&self, (): ()) -> JobResult {
        Ok(())
    }
}

impl<E: Into<anyhow::Error>> IntoJobResultByRank<Result<(), E>> for &&&&&Returned<Result<(), E>> {
    fn into_job_result(&self, returned: Result<(), E>) -> JobResult {
        returned.map_err(Into::into)
    }
}

type Boxed = Box<dyn Error + Send + Sync>;

impl IntoJobResultByRank<Result<(), Boxed>> for &&&&Returned<Result<(), Boxed>> {
    fn into_job_result(&self, returned: Result<(), Boxed>) -> JobResult {
        returned.map_err(anyhow::Error::from_boxed)
    }
}

impl<E: Error> IntoJobResultByRank<Result<(), E>> for &&&Returned<Result<(), E>> {
    fn into_job_result(&self, returned: Result<(), E>) -> JobResult {
        returned.map_err(|error| texts(&error))
    }
}

impl<E> IntoJobResultByRank<Result<(), E>> for &&Returned<Result<(), E>>
where
    E: Deref,
    E::Target: Error,
{
    fn into_job_result(&self, returned: Result<(), E>) -> JobResult {
        returned.map_err(|error| texts(&*error))
    }
}

impl<E: fmt::Display> IntoJobResultByRank<Result<(), E>> for &Returned<Result<(), E>> {
    fn into_job_result(&self, returned: Result<(), E>) -> JobResult {
        returned.map_err(|error| anyhow::Error::msg(error.to_string()))
    }
}

impl<T> IntoJobResultByRank<T> for Returned<T> {
    fn into_job_result(&self, _: T) -> JobResult {
        Err(anyhow::Error::msg("bug: a job returned what `IntoJobResult` refuses"))
    }
}

/// A chain of causes that is longer leads in a circle.
const MOST_CAUSES: usize = 64;

/// An error with the texts of this one and its causes.
fn texts<E: Error + ?Sized>(error: &E) -> anyhow::Error {
    let causes = iter::successors(error.source(), |cause| (*cause).source());
    let mut texts = vec![error.to_string()];
    texts.extend(causes.take(MOST_CAUSES).map(ToString::to_string));
    let innermost_first = texts.into_iter().rev().map(anyhow::Error::msg);
    innermost_first.reduce(|cause, error| cause.context(error)).expect("the error itself is one")
}
