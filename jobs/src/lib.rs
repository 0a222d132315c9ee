//! Your jobs. Each is a file with one annotated function; a new one needs a `mod` line beside it.
//!
//! The folders only sort them: a row of `task` may run any job on any trigger. See `docs/jobs.md`.

mod cron;
mod date;
mod interval;

use scheduler_core::App;

/// What the jobs of this crate need beside their arguments: nothing so far.
///
/// ```
/// # use scheduler_core::App;
/// # #[derive(serde::Deserialize)]
/// # struct Mail {}
/// # struct Counter(u64);
/// pub fn app() -> App {
///     App::new()
///         .config::<Mail>("mail") // `[app.mail]` in common.toml; a job gets it by `ctx.config::<Mail>()?`
///         .state(Counter(0)) // a job gets it by `ctx.state::<Counter>()?`
/// }
/// ```
pub fn app() -> App {
    App::new()
}
