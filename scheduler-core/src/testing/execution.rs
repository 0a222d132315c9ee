//! What became of a fire, as a test sees it.

use chrono::{DateTime, Utc};

use crate::{
    plan::execution::{ExecutionId, Status, why_of},
    store::ExecutionRow,
};

/// A row of `execute_task`.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    /// `id`, `ctx.sub_task_id()` for the job.
    pub id: ExecutionId,
    /// `status`; [`Status::Todo`] while the run is under way.
    pub status: Status,
    /// The instant it is for.
    pub scheduled_at: DateTime<Utc>,
    /// 1 for the first run of the fire.
    pub attempt: u32,
    /// `schedule`, `manual` or `retry`.
    pub source: String,
    /// When the function began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended, or was given up.
    pub finished_at: Option<DateTime<Utc>>,
    /// Why it did not run or did not succeed: `err` or `reason` of `extra`.
    pub reason: Option<String>,
    /// `extra`, with what the job noted.
    pub extra: serde_json::Value,
}

impl Execution {
    /// `None` for a row that no scheduler of ours wrote.
    pub(super) fn of(row: ExecutionRow) -> Option<Self> {
        let extra: serde_json::Value = serde_json::from_str(&row.extra).unwrap_or_default();
        Some(Self {
            id: row.id,
            status: row.status.parse().ok()?,
            scheduled_at: row.scheduled_at?,
            attempt: u32::try_from(row.attempt).ok()?,
            source: row.source,
            started_at: row.started_at,
            finished_at: row.finished_at,
            reason: why_of(&extra).map(str::to_owned),
            extra,
        })
    }
}
