//! `healthcheck`: does the scheduler that runs with this configuration live? For whoever starts containers.

use anyhow::Context as _;
use scheduler_core::web::probe;

use crate::{
    context::Context,
    exit::Exit,
    output::{message, print},
};

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
    let text = text.trim_end();
    if status == 200 {
        print(text)?;
        return Ok(Exit::Done);
    }
    message(text);
    Ok(Exit::Finding)
}
