//! The attribute `#[job("name")]` of `scheduler-core`, which re-exports it; use it from there.
//!
//! `expand` puts an expansion together: `name` reads what stands in the brackets,
//! `signature` the function below. Each of them reports every mistake it finds, and the function
//! is emitted as written in any case, so that one mistake yields one message and nothing after it.
//! What only the compiler knows, whether a type fits its parameter, is left to the traits of
//! `scheduler_core::job`, asked at the place where the type stands.

mod expand;
mod mistakes;
mod name;
mod signature;

/// Registers an async function as a job, under the name that rows of `task` give in `execute_func`.
///
/// ```ignore
/// use scheduler_core::{Args, Context, JobResult, job};
///
/// #[job("send_report")]
/// async fn send_report(task_key: &str, args: Args, ctx: Context) -> JobResult {
///     Ok(())
/// }
/// ```
///
/// - The name has 1 to 255 characters, no control characters and no surrounding blanks. Two jobs of
///   one program may not share a name; the program then refuses to start.
/// - `task_key` is `&str` or `String`, `args` is `Args`, `ctx` is `Context`, by value.
/// - The function returns `()` or `Result<(), E>` with any `E: Into<anyhow::Error>`; `JobResult` is
///   such a result.
/// - It is a free function without type parameters, and its future is `Send`.
///
/// The function itself stays as written, so that other code and its tests can call it.
#[proc_macro_attribute]
pub fn job(
    attribute: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    expand::expand(attribute.into(), &item.into()).into()
}
