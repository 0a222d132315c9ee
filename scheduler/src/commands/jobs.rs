//! `jobs`: what is compiled into this program.

use scheduler_core::{job::Body, registry::Registry};
use serde::Serialize;

use crate::{cli::Globals, exit::Exit, output::Output};

#[derive(Serialize)]
struct JobView {
    name: &'static str,
    function: &'static str,
    file: &'static str,
    line: u32,
    args: &'static str,
    options: serde_json::Map<String, serde_json::Value>,
    is_blocking: bool,
}

impl JobView {
    /// `timeout=30s retries=3`, as a row's `extra` would say it.
    fn options(&self) -> String {
        let text = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let options = self.options.iter().map(|(key, value)| format!("{key}={}", text(value)));
        let blocking = self.is_blocking.then(|| "blocking".to_owned());
        options.chain(blocking).collect::<Vec<_>>().join(" ")
    }
}

/// Lists the linked jobs by name.
///
/// # Errors
/// When there is none, or two share a name.
pub(crate) fn jobs(globals: &Globals) -> anyhow::Result<Exit> {
    let registry = Registry::linked()?;
    let jobs: Vec<JobView> = registry
        .iter()
        .map(|job| JobView {
            name: job.name,
            function: job.function,
            file: job.file,
            line: job.line,
            args: job.args,
            options: job.options.as_extra(),
            is_blocking: matches!(job.body, Body::Blocking(_)),
        })
        .collect();
    let cells = |job: &JobView| {
        let place = format!("{}:{}", job.file, job.line);
        [job.name.to_owned(), job.args.to_owned(), job.options(), place]
    };
    Output::new(globals.json).list(&jobs, ["name", "args", "options", "place"], cells, "no job")?;
    Ok(Exit::Done)
}
