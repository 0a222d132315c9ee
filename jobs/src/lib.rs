//! Your jobs. Each is a file with one annotated function; a new one needs a `mod` line beside it.
//!
//! The folders only sort them: a row of `task` may run any job on any trigger. See `docs/jobs.md`.

mod cron;
mod date;
mod interval;

use scheduler_core::App;

use self::cron::post_notice::Webhooks;

/// What the jobs of this crate need beside their arguments.
///
/// A job gets settings by `ctx.config::<Webhooks>()?`, and by `ctx.state::<T>()?` what is shared here with `.state(value)`.
pub fn app() -> App {
    App::new().config::<Webhooks>("webhooks") // `[app.webhooks]` in common.toml
}
