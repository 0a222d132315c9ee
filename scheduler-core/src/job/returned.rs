//! Makes the result of a run of what a job returned, keeping as much of its error as there is.
//!
//! [`JobReturn`](super::JobReturn) decides which types a job may return. Here one conversion
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
//! Rank 0 is there for the message: a wrong type has failed at [`JobReturn`](super::JobReturn)
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
pub trait JobResultByRank<T> {
    /// Success, or the error.
    ///
    /// # Errors
    ///
    /// The job's own error.
    fn job_result(&self, returned: T) -> JobResult;
}

impl JobResultByRank<()> for &&&&&Returned<()> {
    fn job_result(&self, (): ()) -> JobResult {
        Ok(())
    }
}

impl<E: Into<anyhow::Error>> JobResultByRank<Result<(), E>> for &&&&&Returned<Result<(), E>> {
    fn job_result(&self, returned: Result<(), E>) -> JobResult {
        returned.map_err(Into::into)
    }
}

type Boxed = Box<dyn Error + Send + Sync>;

impl JobResultByRank<Result<(), Boxed>> for &&&&Returned<Result<(), Boxed>> {
    fn job_result(&self, returned: Result<(), Boxed>) -> JobResult {
        returned.map_err(anyhow::Error::from_boxed)
    }
}

impl<E: Error> JobResultByRank<Result<(), E>> for &&&Returned<Result<(), E>> {
    fn job_result(&self, returned: Result<(), E>) -> JobResult {
        returned.map_err(|error| texts(&error))
    }
}

impl<E> JobResultByRank<Result<(), E>> for &&Returned<Result<(), E>>
where
    E: Deref,
    E::Target: Error,
{
    fn job_result(&self, returned: Result<(), E>) -> JobResult {
        returned.map_err(|error| texts(&*error))
    }
}

impl<E: fmt::Display> JobResultByRank<Result<(), E>> for &Returned<Result<(), E>> {
    fn job_result(&self, returned: Result<(), E>) -> JobResult {
        returned.map_err(|error| anyhow::Error::msg(error.to_string()))
    }
}

impl<T> JobResultByRank<T> for Returned<T> {
    fn job_result(&self, _: T) -> JobResult {
        Err(anyhow::Error::msg("bug: a job returned what `JobReturn` refuses"))
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
    innermost_first.reduce(anyhow::Error::context).expect("the error itself is one")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Circle;

    impl fmt::Display for Circle {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("round")
        }
    }

    impl Error for Circle {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(self)
        }
    }

    #[test]
    fn a_circle_of_causes_comes_to_an_end() {
        assert_eq!(texts(&Circle).chain().count(), 1 + MOST_CAUSES);
    }

    #[test]
    fn each_type_is_taken_by_the_highest_rank_that_fits() {
        #[track_caller]
        fn check(result: JobResult, expected: &str) {
            assert_eq!(format!("{:#}", result.expect_err("it fails")), expected);
        }
        // One line for each rank, from the highest; the method's own `&self` is one reference more.
        macro_rules! of {
            ($returned:expr) => {{
                let returned = $returned;
                (&&&&&&Returned::of(&returned)).job_result(returned)
            }};
        }
        let failure = || std::io::Error::other("offline");
        let boxed: Box<dyn Error + Send + Sync> = Box::new(failure());
        let stays: Box<dyn Error> = Box::new(failure());
        assert!(of!(()).is_ok());
        check(of!(Err::<(), _>(failure())), "offline");
        check(of!(Err::<(), _>(boxed)), "offline");
        check(of!(Err::<(), _>(stays)), "offline");
        check(of!(Err::<(), _>("offline")), "offline");
        check(of!(3), "bug: a job returned what `JobReturn` refuses");
    }
}
