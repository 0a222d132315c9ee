//! `jobs`: what is compiled into this program.

use scheduler_core::registry::Registry;
use serde::Serialize;

use crate::{cli::Globals, exit::Exit, output::Output};

#[derive(Serialize)]
struct JobView {
    name: &'static str,
    function: &'static str,
    file: &'static str,
    line: u32,
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
        })
        .collect();
    let cells = |job: &JobView| {
        [job.name.to_owned(), job.function.to_owned(), format!("{}:{}", job.file, job.line)]
    };
    Output::new(globals.json).list(&jobs, ["name", "function", "place"], cells, "no job")?;
    Ok(Exit::Done)
}
