//! Rows as they are printed: fields named as the columns, instants in UTC for programs and in a zone
//! for people.

use chrono::{DateTime, Utc};
use scheduler_core::{
    config::Config,
    plan::{task::Field, trigger::Zone},
    store::ExecutionRow,
};
use serde::Serialize;
use serde_json::Value;

use crate::{output::utc, verdict::Judged};

/// What a table shows where there is nothing.
pub(crate) const NOTHING: &str = "-";

/// A row of `task`, with what the scheduler makes of it.
#[derive(Debug, Serialize)]
pub(crate) struct TaskView {
    pub(crate) id: i64,
    pub(crate) task_key: Option<String>,
    pub(crate) desc: Option<String>,
    pub(crate) execute_func: Option<String>,
    pub(crate) trigger: Option<String>,
    pub(crate) spec: Option<String>,
    pub(crate) args: Option<String>,
    pub(crate) is_valid: Value,
    pub(crate) status: Option<String>,
    pub(crate) extra: Value,
    pub(crate) create_at: Option<String>,
    pub(crate) update_at: Option<String>,
    pub(crate) state: &'static str,
    pub(crate) reason: Option<String>,
    pub(crate) next: Option<String>,
    /// `next` in the task's zone.
    #[serde(skip)]
    pub(crate) next_local: String,
}

impl TaskView {
    pub(crate) fn of(judged: &Judged) -> Self {
        let row = &judged.row;
        let text = |field: &Field| field.as_ref().ok().cloned();
        let is_valid = row
            .is_valid
            .as_deref()
            .ok()
            .map(|text| text.parse::<i64>().map_or(text.into(), Value::from));
        let next = judged.scheduled().and_then(|scheduled| Some((scheduled, scheduled.next()?)));
        Self {
            id: row.id,
            task_key: text(&row.task_key),
            desc: text(&row.description),
            execute_func: text(&row.execute_func),
            trigger: text(&row.trigger),
            spec: text(&row.spec),
            args: text(&row.args),
            is_valid: is_valid.unwrap_or(Value::Null),
            status: text(&row.status),
            extra: row.extra.as_deref().map_or(Value::Null, json),
            create_at: row.created_at.map(utc),
            update_at: row.updated_at.map(utc),
            state: judged.state(),
            reason: judged.reason().map(str::to_owned),
            next: next.map(|(_, at)| utc(at)),
            next_local: match (judged.scheduled(), next) {
                (_, Some((scheduled, at))) => scheduled.task.zone.to_local(at),
                (Some(_), None) => "never".to_owned(),
                (None, None) => NOTHING.to_owned(),
            },
        }
    }
}

/// A row of `execute_task`.
#[derive(Debug, Serialize)]
pub(crate) struct ExecutionView {
    pub(crate) id: i64,
    pub(crate) task_id: i64,
    pub(crate) task_key: Option<String>,
    pub(crate) status: String,
    pub(crate) extra: Value,
    pub(crate) trace_id: String,
    pub(crate) create_at: Option<String>,
    pub(crate) scheduled_at: Option<String>,
    pub(crate) attempt: i64,
    pub(crate) source: String,
    pub(crate) node_id: Option<String>,
    pub(crate) started_at: Option<String>,
    pub(crate) finished_at: Option<String>,
    /// From start to end.
    pub(crate) duration_ms: Option<i64>,
}

impl From<&ExecutionRow> for ExecutionView {
    fn from(row: &ExecutionRow) -> Self {
        Self {
            id: row.id,
            task_id: row.task_id,
            task_key: row.task_key.clone(),
            status: row.status.clone(),
            extra: json(&row.extra),
            trace_id: row.trace_id.clone(),
            create_at: row.created_at.map(utc),
            scheduled_at: row.scheduled_at.map(utc),
            attempt: row.attempt,
            source: row.source.clone(),
            node_id: row.node_id.clone(),
            started_at: row.started_at.map(utc),
            finished_at: row.finished_at.map(utc),
            duration_ms: row
                .finished_at
                .zip(row.started_at)
                .map(|(end, start)| (end - start).num_milliseconds()),
        }
    }
}

/// The zone that people see where a task has none of its own.
pub(crate) fn zone(config: &Config) -> Zone {
    Zone::named(&config.common.timezone).unwrap_or_default()
}

/// An instant as people see it.
pub(crate) fn local(zone: &Zone, at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(|| NOTHING.to_owned(), |at| zone.to_local(at))
}

/// A column as people see it, however wrong.
pub(crate) fn shown(field: &Field) -> String {
    field.clone().unwrap_or_else(|fault| format!("({fault})"))
}

/// The value of a JSON text, or else the text.
fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}
