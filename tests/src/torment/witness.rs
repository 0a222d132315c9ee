//! The job, which testifies: a line when it begins and one when it ends, in a file of its own.

use std::{fs::OpenOptions, io::Write as _, path::Path, time::Duration};

use anyhow::Result;
use scheduler_core::{Context, JobResult, clock, job};
use serde::{Deserialize, Serialize};

/// Where the lines go.
#[derive(Clone, Debug)]
pub(super) struct Notebook(pub(super) std::path::PathBuf);

/// A line.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Line {
    pub(super) is_end: bool,
    pub(super) at_ms: i64,
    pub(super) execution: i64,
    pub(super) task_key: String,
    pub(super) scheduled_ms: i64,
    pub(super) attempt: u32,
    pub(super) trace_id: String,
    pub(super) pid: u32,
}

#[job("witness")]
async fn witness(task_key: &str, (takes_ms,): (u64,), ctx: Context) -> JobResult {
    let notebook = ctx.state::<Notebook>()?;
    let line = |is_end| Line {
        is_end,
        at_ms: clock::wall().timestamp_millis(),
        execution: ctx.sub_task_id(),
        task_key: task_key.to_owned(),
        scheduled_ms: ctx.scheduled_at().timestamp_millis(),
        attempt: ctx.attempt(),
        trace_id: ctx.trace_id().to_owned(),
        pid: std::process::id(),
    };
    notebook.write(&line(false))?;
    tokio::time::sleep(Duration::from_millis(takes_ms)).await;
    notebook.write(&line(true))?;
    Ok(())
}

impl Notebook {
    /// One write of one line at the end of the file, which the system does not mix with others.
    fn write(&self, line: &Line) -> Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.0)?;
        Ok(file.write_all(format!("{}\n", serde_json::to_string(line)?).as_bytes())?)
    }
}

/// All lines.
pub(super) fn read(path: &Path) -> Result<Vec<Line>> {
    let text = std::fs::read_to_string(path)?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}
