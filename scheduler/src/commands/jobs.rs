//! `jobs`: what is compiled into this program.

use scheduler_core::{admin::JobView, registry::Registry};
use serde_json::Value;

use crate::{cli::Globals, exit::Exit, output::Output};

/// `timeout=30s retries=3`, as a row's `extra` would say it.
fn options(job: &JobView) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let options = job.options.iter().map(|(key, value)| format!("{key}={}", text(value)));
    let blocking = job.is_blocking.then(|| "blocking".to_owned());
    options.chain(blocking).collect::<Vec<_>>().join(" ")
}

/// Lists the linked jobs by name.
///
/// # Errors
/// When there is none, or two share a name.
pub(crate) fn jobs(globals: &Globals) -> anyhow::Result<Exit> {
    let registry = Registry::linked()?;
    let jobs: Vec<JobView> = registry.iter().map(JobView::from).collect();
    let cells = |job: &JobView| {
        let place = format!("{}:{}", job.file, job.line);
        [job.name.to_owned(), job.args.to_owned(), options(job), place]
    };
    Output::new(globals.json).list(&jobs, ["name", "args", "options", "place"], cells, "no job")?;
    Ok(Exit::Done)
}
