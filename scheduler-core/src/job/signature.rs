//! Which types may stand in the signature of a job, and what to say of one that may not.
//!
//! `#[job]` asks these traits at the place of each type, so the message of `on_unimplemented`
//! appears under the type that is wrong.

use std::fmt;

use serde::de::DeserializeOwned;

use super::{Args, ArgsError, Context};

/// A type that the first parameter of a job may have: `&str` or `String`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the `task_key` of a job",
    label = "expected `&str` or `String`",
    note = "a job reads `async fn name(task_key: &str, args: Args, ctx: Context) -> JobResult`"
)]
pub trait FromTaskKey<'a>: Sized {
    /// The key of the row that is due, in this type.
    fn from_task_key(task_key: &'a str) -> Self;
}

impl<'a> FromTaskKey<'a> for &'a str {
    fn from_task_key(task_key: &'a str) -> Self {
        task_key
    }
}

impl FromTaskKey<'_> for String {
    fn from_task_key(task_key: &str) -> Self {
        task_key.to_owned()
    }
}

/// A type that the second parameter of a job may have: [`Args`], or any type that implements
/// `serde::Deserialize` and borrows nothing.
///
/// | type | takes |
/// |---|---|
/// | [`Args`] | any text |
/// | `()` | no value |
/// | `String`, `i64`, `bool`, an enum of names, … | exactly one value |
/// | `Option<T>` | no text, or what `T` takes |
/// | `(A, B, Option<C>)` | one value for each; `Option`s at the end may be left out |
/// | `Vec<T>` | any number of values |
/// | a struct | one value for each field in their order, or a JSON object |
/// | `serde_json::Value` | anything; of text, a list of its values |
///
/// Text that begins with `[` or `{` is JSON and must fit as it is written. Other text is split at its
/// commas as [`Args`] says, and each value is taken as it is meant: a number also fits in quotes, a bool is
/// `true`, `false`, `1` or `0`, and an empty value without quotes is `None`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the `args` of a job",
    label = "expected `Args`, or a type that implements `serde::Deserialize`",
    note = "such a type is a tuple, `Vec<String>` or a struct with `#[derive(serde::Deserialize)]`",
    note = "a job reads `async fn name(task_key: &str, args: Args, ctx: Context) -> JobResult`"
)]
pub trait FromArgs: Sized {
    /// Reads the row's `args` as this type.
    ///
    /// # Errors
    ///
    /// The values do not fit the type. The row is then rejected when it is read.
    fn from_args(args: &Args) -> Result<Self, ArgsError>;
}

impl FromArgs for Args {
    fn from_args(args: &Args) -> Result<Self, ArgsError> {
        Ok(args.clone())
    }
}

// Without this the compiler would speak of `DeserializeOwned`, which no author has written.
#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> FromArgs for T {
    fn from_args(args: &Args) -> Result<Self, ArgsError> {
        args.deserialize()
    }
}

/// A type that the third parameter of a job may have: [`Context`], by value.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the `ctx` of a job",
    label = "expected `Context`, by value",
    note = "a job reads `async fn name(task_key: &str, args: Args, ctx: Context) -> JobResult`"
)]
pub trait FromContext: Sized {
    /// The context of this run, in this type.
    fn from_context(context: Context) -> Self;
}

impl FromContext for Context {
    fn from_context(context: Context) -> Self {
        context
    }
}

/// A type that a job may return: `()`, or `Result<(), E>` with any `E: Display`.
///
/// It only answers whether; what the scheduler makes of the error is told in `job/returned.rs`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be what a job returns",
    label = "expected `()`, `JobResult` or another `Result<(), E>` whose `E` is `Display`",
    note = "a job reads `async fn name(task_key: &str, args: Args, ctx: Context) -> JobResult`"
)]
pub trait JobReturn {
    /// What the expansion of `#[job]` names in order to ask.
    #[doc(hidden)]
    const ASKED: () = ();
}

// Else the message would recommend to return nothing.
#[diagnostic::do_not_recommend]
impl JobReturn for () {}

// Else the message would be about `E: Display`, without a word of what a job may return.
#[diagnostic::do_not_recommend]
impl<E: fmt::Display> JobReturn for Result<(), E> {}
