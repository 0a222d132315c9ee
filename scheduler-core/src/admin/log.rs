//! What a run logged, for programs as it is kept, for people as lines.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    plan::{
        execution::{ExecutionRow, LogPart, Status},
        trigger::Zone,
    },
    store::{SharedStore, StoreError},
};

/// How long after its outcome the last lines of a run are waited for: they are written apart from it, and tried again after
/// 5 s.
const LAST_LINES: TimeDelta = TimeDelta::seconds(6);

/// Fields that every line shows in places of their own.
const OWN: [&str; 5] = ["time_fmt", "timestamp", "levelname", "name", "msg"];

/// What a run logged.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogView {
    /// Its lines as they are kept: objects with the fields `levelname`, `name`, `msg`, `timestamp` and those of the job; of
    /// lines that were dropped one with `dropped`, their number.
    pub lines: Vec<Value>,
    /// The same for people, in the configured zone, each with its end.
    pub text: String,
    /// What to give as `after` to read on.
    #[schema(value_type = i64, minimum = 0)]
    pub next: u32,
    /// Nothing follows any more.
    pub is_over: bool,
}

impl LogView {
    /// What `row` has logged after the part `after`; 0: from the beginning.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn of(
        store: &SharedStore,
        row: &ExecutionRow,
        after: u32,
        zone: &Zone,
    ) -> Result<Self, StoreError> {
        // The clock first: what is written until then is read.
        let now = store.now().await?;
        let parts = store.log(row.id, after).await?;
        let lines: Vec<Value> = lines(&parts).collect();
        let is_over = row.status != Status::Todo.as_str()
            && now >= row.finished_at.unwrap_or_default() + LAST_LINES;
        Ok(Self {
            text: lines.iter().map(|line| log_line(zone, line) + "\n").collect(),
            lines,
            next: parts.last().map_or(after, |part| part.part),
            is_over,
        })
    }
}

fn lines(parts: &[LogPart]) -> impl Iterator<Item = Value> {
    let lines = parts.iter().flat_map(|part| part.content.lines());
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|_| line.into()))
}

/// A line for people.
#[must_use]
pub fn log_line(zone: &Zone, line: &Value) -> String {
    let Value::Object(fields) = line else { return text(line) };
    if let Some(dropped) = fields.get("dropped").filter(|_| fields.len() == 1) {
        return format!(
            "… {dropped} lines were dropped: a run keeps its first 192 KiB and its last 64 KiB …"
        );
    }
    let of = |name: &str| fields.get(name).map(text).unwrap_or_default();
    let own =
        format!("{} {:<7} {}: {}", when(zone, fields), of("levelname"), of("name"), of("msg"));
    let others = fields.iter().filter(|(name, _)| !OWN.contains(&name.as_str()));
    let others = others.map(|(name, value)| format!(" {name}={value}"));
    own + &others.collect::<String>()
}

fn when(zone: &Zone, fields: &Map<String, Value>) -> String {
    let seconds = fields.get("timestamp").and_then(Value::as_f64);
    #[expect(clippy::cast_possible_truncation, reason = "whole milliseconds of this age")]
    let at = seconds.and_then(|seconds| {
        DateTime::<Utc>::from_timestamp_millis((seconds * 1_000.0).round() as i64)
    });
    at.map_or_else(|| "-".to_owned(), |at| zone.to_local(at))
}

/// As people read it.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}
