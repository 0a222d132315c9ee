//! The attribute `#[job("name")]` and `#[derive(Request)]` of `scheduler-core`, which re-exports them; use them from
//! there.
//!
//! `expand` puts an expansion together: `brackets` reads what stands in the brackets with the help
//! of `name`, `options` and `value`, `signature` the function below. Each of them reports every
//! mistake it finds, and the function is emitted in any case, so that one mistake yields one message
//! and nothing after it.
//! What only the compiler knows, whether a type fits its parameter, is left to the traits of
//! `scheduler_core::job`, asked at the place where the type stands.
//!
//! `request` does the same for `#[derive(Request)]`.

mod brackets;
mod duration;
mod expand;
mod known;
mod mistakes;
mod name;
mod nearest;
mod options;
mod request;
mod signature;
mod value;

/// Registers a function as a job, under the name that rows of `task` give in `execute_func`.
///
/// ```ignore
/// use scheduler_core::{Args, Context, JobResult, job};
///
/// #[job("send_report", timeout = "30s", retries = 3)]
/// async fn send_report(task_key: &str, args: Args, ctx: Context) -> JobResult {
///     Ok(())
/// }
///
/// #[job("crunch", blocking)]
/// fn crunch(task_key: &str, args: Args, ctx: Context) -> JobResult {
///     Ok(())
/// }
/// ```
///
/// - The name has 1 to 255 characters, no control characters and no surrounding blanks. Two jobs of
///   one program may not share a name; the program then refuses to start.
/// - `task_key` is `&str` or `String`; `args` is `Args`, or any owned type that implements
///   `serde::Deserialize`: a tuple, a `Vec`, a struct; `ctx` is `Context`, by value.
/// - The function returns `()` or `Result<(), E>` with any `E: Display`: `JobResult`, which is one
///   with `anyhow::Error`, an error of your own, `Box<dyn Error>`, `String`. Where the error has
///   causes, they are recorded with it.
/// - It is a free function without type parameters. An `async fn` holds only what is `Send` across
///   an `.await`.
///
/// The function itself stays as written, so that other code and its tests can call it.
///
/// # Options
///
/// They follow the name in any order, each at most once. They hold for every task of the job; a row
/// overrides each of them by the key of the same name in `extra`, except `blocking`. Where neither
/// says anything, the default of the configuration holds, which is the one below if that is silent
/// too.
///
/// | option | value | range | default | meaning |
/// |---|---|---|---|---|
/// | `timeout = "30s"` | duration | 1 ms to 366 days | none | a run is ended and recorded `timeout` after this |
/// | `retries = 3` | whole number | 0 to 1000 | none | how often a run that failed or timed out is tried again; 0 is never, whatever the default |
/// | `backoff = "1s..1m"` | duration, or two with `..` between | each 1 ms to 366 days, the first not above the second | `"10s..10m"` | how long a retry waits: the first, doubled with each further retry up to the second; one value is both |
/// | `max_instances = 2` | whole number | 1 to 10000 | 1 | how many runs of a task may be open at once |
/// | `overlap = "queue"` | `"skip"`, `"queue"` or `"allow"` | | `"skip"` | a fire beyond `max_instances` is recorded `skipped`, waits until the task is free, or runs at once whatever `max_instances` says |
/// | `misfire_grace_time = "5m"` | duration | 1 s to 366 days | 1 min | a fire found later than this is recorded `missed` |
/// | `on_lost = "retry"` | `"leave"` or `"retry"` | | `"leave"` | a run whose node died or was stopped stays as it is (at most once), or is tried again (at least once) |
/// | `blocking` | no value | | async | the function is a plain `fn` that holds its thread until it returns, and runs in a pool for such jobs |
///
/// A duration is a string as people write it, `"250ms"`, `"90s"`, `"1h30m"`, or an integer, which is
/// whole seconds, as a string of bare digits is.
#[proc_macro_attribute]
pub fn job(
    attribute: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    expand::expand(attribute.into(), &item.into()).into()
}

/// Declares a request: a struct whose fields say where their values go. `scheduler_core::http::Request` tells all of it.
///
/// ```ignore
/// use scheduler_core::Request;
///
/// #[derive(Request)]
/// #[request(POST, "https://api.example.com/users/{id}/mails", answer = Sent)]
/// struct SendMail<'a> {
///     #[request(path)]
///     id: u64,
///     #[request(query)]
///     dry_run: Option<bool>,
///     #[request(json)]
///     subject: &'a str,
///     #[request(json, name = "to")]
///     recipients: Vec<String>,
/// }
/// ```
#[proc_macro_derive(Request, attributes(request))]
pub fn request(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    request::expand(item.into()).into()
}
