//! `healthcheck`: does the scheduler that runs with this configuration live? For whoever starts containers.

use anyhow::Context as _;
use scheduler_core::web::probe;
use serde::Serialize;

use crate::{context::Context, exit::Exit, output::message};

#[derive(Serialize)]
struct Health<'a> {
    is_well: bool,
    answer: &'a str,
}

/// Asks the scheduler at `[http] listen` whether it is alive, or `ready`.
///
/// # Errors
/// When nothing listens there. One that is not well is a finding.
pub(crate) async fn healthcheck(context: &Context, ready: bool) -> anyhow::Result<Exit> {
    let Some(listen) = context.config().http.listen else {
        message("[http] listen is \"off\", expected an address: nobody can be asked");
        return Ok(Exit::Finding);
    };
    let path = if ready { "/readyz" } else { "/healthz" };
    let (status, text) =
        probe(listen, path).await.with_context(|| format!("no scheduler answers at {listen}"))?;
    let (is_well, answer) = (status == 200, text.trim_end());
    if is_well || context.output.is_json() {
        context.output.object(&Health { is_well, answer }, || answer.to_owned())?;
    } else {
        message(answer);
    }
    Ok(if is_well { Exit::Done } else { Exit::Finding })
}
