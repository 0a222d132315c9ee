//! The job, which testifies: a line when it begins and one when it ends, in a file of its own.

use std::{fs::OpenOptions, io::Write as _, path::Path, time::Duration};

use anyhow::Result;
use scheduler_core::{Context, JobResult, clock, job};
use serde::{Deserialize, Serialize};

/// Where the lines go.
#[derive(Clone, Debug)]
pub struct Notebook(pub std::path::PathBuf);

/// A line.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Line {
    /// Whether the run ended; else it began.
    pub is_end: bool,
    /// By the machine's clock, in milliseconds since 1970.
    pub at_ms: i64,
    /// The row that it was told.
    pub execution: i64,
    /// Its task.
    pub task_key: String,
    /// The instant that it was told, in milliseconds since 1970.
    pub scheduled_ms: i64,
    /// From 1.
    pub attempt: u32,
    /// As in its row.
    pub trace_id: String,
    /// Of its program.
    pub pid: u32,
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
///
/// # Errors
/// When there is no such file, or something else in it.
pub fn read(path: &Path) -> Result<Vec<Line>> {
    let text = std::fs::read_to_string(path)?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}
