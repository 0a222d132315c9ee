//! `executions log`: what a run has logged, also while it runs, and on whatever node.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::{
    admin, clock,
    plan::{
        execution::{ExecutionId, LogPart, Status},
        trigger::Zone,
    },
    store::SharedStore,
};
use serde_json::{Map, Value};

use crate::{
    context::Context,
    exit::Exit,
    output::{message, visible},
    view,
};

/// Between two looks for more.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// How long after its outcome the last lines of a run are waited for: they are written apart from it, and tried again after
/// 5 s.
const LAST_LINES: TimeDelta = TimeDelta::seconds(6);

/// Fields that every line shows in places of their own.
const OWN: [&str; 5] = ["time_fmt", "timestamp", "levelname", "name", "msg"];

/// Prints it, and with `follow` goes on until the run has ended.
///
/// # Errors
/// When the database does not answer, or there is no such execution.
pub(super) async fn log(
    context: &Context,
    store: &SharedStore,
    id: ExecutionId,
    follow: bool,
) -> anyhow::Result<Exit> {
    let zone = admin::zone(context.config());
    let text = |line: &Value| Some(shown(&zone, line));
    if !follow {
        store.execution(id).await?;
        let lines: Vec<Value> = lines(&store.log(id, 0).await?).collect();
        context.output.lines(&lines, text)?;
        if lines.is_empty() {
            message("no line of it is kept");
        }
        return Ok(Exit::Done);
    }
    let mut newest = 0;
    loop {
        let row = store.execution(id).await?;
        let is_over = row.status != Status::Todo.as_str();
        let ended_at = is_over.then(|| row.finished_at.unwrap_or_default());
        let parts = store.log(id, newest).await?;
        for line in lines(&parts) {
            context.output.line(&line, || shown(&zone, &line))?;
        }
        newest = parts.last().map_or(newest, |part| part.part);
        if let Some(ended_at) = ended_at
            && store.now().await? >= ended_at + LAST_LINES
        {
            return Ok(Exit::Done);
        }
        clock::sleep_at_most_5s(LOOK_AGAIN).await;
    }
}

fn lines(parts: &[LogPart]) -> impl Iterator<Item = Value> {
    let lines = parts.iter().flat_map(|part| part.content.lines());
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|_| line.into()))
}

fn shown(zone: &Zone, line: &Value) -> String {
    let Value::Object(fields) = line else { return visible(&text(line)) };
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
    visible(&(own + &others.collect::<String>()))
}

fn when(zone: &Zone, fields: &Map<String, Value>) -> String {
    let seconds = fields.get("timestamp").and_then(Value::as_f64);
    #[expect(clippy::cast_possible_truncation, reason = "whole milliseconds of this age")]
    let at = seconds.and_then(|seconds| {
        DateTime::<Utc>::from_timestamp_millis((seconds * 1_000.0).round() as i64)
    });
    view::local(zone, at)
}

/// As people read it.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}
