//! Rows as programs see them, by command line as by HTTP: fields named as the columns, instants in RFC 3339 in UTC.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::verdict::{Judged, Scheduled, State};
use crate::{
    config::Config,
    plan::{
        node::NodeRow,
        task::{Field, LONGEST_EXTRA},
        trigger::Zone,
        words::instant,
    },
    store::{EditRow, ExecutionRow, NodeCard, PauseRow, Version},
};

/// A row of `task`, with what the scheduler makes of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaskView {
    /// `id`.
    pub id: i64,
    /// `task_key`.
    pub task_key: Option<String>,
    /// `desc`.
    pub desc: Option<String>,
    /// `execute_func`.
    pub execute_func: Option<String>,
    /// `trigger`.
    pub trigger: Option<String>,
    /// `spec`.
    pub spec: Option<String>,
    /// `args`.
    pub args: Option<String>,
    /// `is_valid`.
    pub is_valid: Value,
    /// `status`.
    pub status: Option<String>,
    /// `extra`.
    pub extra: Value,
    /// `create_at`.
    pub create_at: Option<String>,
    /// `update_at`.
    pub update_at: Option<String>,
    /// What the scheduler makes of it.
    pub state: State,
    /// Why it is, or would be, rejected.
    pub reason: Option<String>,
    /// Its next instant.
    pub next: Option<String>,
    /// Differs for rows that differ in what people write there.
    pub version: String,
    /// Until when it is off, and why, if it is off for a while.
    pub pause: Option<PauseView>,
}

/// A task that is off for a while.
#[derive(Debug, Serialize, ToSchema)]
pub struct PauseView {
    /// Since when.
    pub since: String,
    /// Until when; `null`: until somebody switches it on.
    pub until: Option<String>,
    /// Why.
    pub reason: String,
    /// Who wanted it; empty: the program.
    pub author: String,
}

impl From<&PauseRow> for PauseView {
    fn from(row: &PauseRow) -> Self {
        Self {
            since: instant(row.paused_at),
            until: row.pause.until.map(instant),
            reason: row.pause.reason.clone(),
            author: row.author.clone(),
        }
    }
}

impl TaskView {
    /// `judged`, as it is shown, and `pause`, if it is off for a while.
    #[must_use]
    pub fn of(judged: &Judged, pause: Option<&PauseRow>) -> Self {
        let row = &judged.row;
        let text = |field: &Field| field.as_ref().ok().cloned();
        let is_valid = row
            .is_valid
            .as_deref()
            .ok()
            .map(|text| text.parse::<i64>().map_or(text.into(), Value::from));
        let next = judged.scheduled().and_then(Scheduled::next);
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
            create_at: row.created_at.map(instant),
            update_at: row.updated_at.map(instant),
            state: judged.state(),
            reason: judged.reason().map(ToString::to_string),
            next: next.map(instant),
            version: Version::of(row).as_str().to_owned(),
            pause: pause.map(PauseView::from),
        }
    }
}

/// A row of `execute_task`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExecutionView {
    /// `id`.
    pub id: i64,
    /// `task_id`.
    pub task_id: i64,
    /// `task_key`.
    pub task_key: Option<String>,
    /// `status`.
    pub status: String,
    /// `extra`.
    pub extra: Value,
    /// `trace_id`.
    pub trace_id: String,
    /// `create_at`.
    pub create_at: Option<String>,
    /// `scheduled_at`.
    pub scheduled_at: Option<String>,
    /// `attempt`.
    pub attempt: i64,
    /// `source`.
    pub source: String,
    /// `node_id`.
    pub node_id: Option<String>,
    /// `started_at`.
    pub started_at: Option<String>,
    /// `finished_at`.
    pub finished_at: Option<String>,
    /// From start to end.
    pub duration_ms: Option<i64>,
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
            create_at: row.created_at.map(instant),
            scheduled_at: row.scheduled_at.map(instant),
            attempt: row.attempt,
            source: row.source.clone(),
            node_id: row.node_id.clone(),
            started_at: row.started_at.map(instant),
            finished_at: row.finished_at.map(instant),
            duration_ms: row
                .finished_at
                .zip(row.started_at)
                .map(|(end, start)| (end - start).num_milliseconds()),
        }
    }
}

/// A row of the history of edits.
#[derive(Debug, Serialize, ToSchema)]
pub struct EditView {
    /// `id`.
    pub id: i64,
    /// `task_id`.
    pub task_id: i64,
    /// `edited_at`.
    pub edited_at: Option<String>,
    /// The same.
    #[serde(skip)]
    pub at: Option<DateTime<Utc>>,
    /// `author`; empty: the program itself.
    pub author: String,
    /// `via`.
    pub via: String,
    /// `action`: `create`, `change`, `pause`, `resume` when a pause ended, `delete`, `run`, or `found`: it had no history.
    pub action: String,
    /// Where there is a row before and afterwards: the columns that differ.
    pub changed: Vec<Changed>,
    /// The row before, by column; `None`: there was none.
    pub before: Option<Value>,
    /// The row afterwards.
    pub after: Option<Value>,
    /// Of the action `pause`: until when, and why.
    pub pause: Option<EditPause>,
}

/// How a task was paused.
#[derive(Debug, Serialize, ToSchema)]
pub struct EditPause {
    /// Until when; `null`: until somebody switches it on.
    pub until: Option<String>,
    /// Why.
    pub reason: String,
}

/// A column that an edit changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Changed {
    /// Its name.
    pub column: String,
    /// What stood there; `null`: nothing that can be read.
    pub from: Value,
    /// What stands there then.
    pub to: Value,
}

impl From<&EditRow> for EditView {
    fn from(row: &EditRow) -> Self {
        let [before, after] = [&row.before, &row.after].map(|text| text.as_deref().map(json));
        Self {
            id: row.id,
            task_id: row.task_id,
            edited_at: row.edited_at.map(instant),
            at: row.edited_at,
            author: row.author.clone(),
            via: row.via.clone(),
            action: row.action.clone(),
            changed: before.as_ref().zip(after.as_ref()).map(changed).unwrap_or_default(),
            before,
            after,
            pause: row.pause.as_ref().map(|pause| EditPause {
                until: pause.until.map(instant),
                reason: pause.reason.clone(),
            }),
        }
    }
}

fn changed((before, after): (&Value, &Value)) -> Vec<Changed> {
    let columns = after.as_object().into_iter().flatten();
    let differing = columns.filter(|(column, to)| before[*column] != **to);
    let changed = |(column, to): (&String, &Value)| Changed {
        column: column.clone(),
        from: before[column].clone(),
        to: to.clone(),
    };
    differing.map(changed).collect()
}

/// A node, as the table of nodes knows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct NodeView {
    /// `node_id`.
    pub node_id: String,
    /// `started_at`.
    pub started_at: String,
    /// `heartbeat_at`: its last renewal.
    pub heartbeat_at: String,
    /// `left_at`: when it stopped in order.
    pub left_at: Option<String>,
    /// For so long it did not renew, by the database's clock.
    pub silent_ms: u64,
    /// What that means.
    pub state: NodeState,
    /// What it said of itself within the last seconds of its life; `null`: nothing.
    pub card: Option<NodeCard>,
}

/// How a node fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum NodeState {
    /// It renews its lease.
    Alive,
    /// It stopped in order.
    Left,
    /// It did not renew within its lease: what it ran is lost.
    Lost,
}

impl NodeView {
    /// `node`, of which everybody here keeps the same `lease`.
    #[must_use]
    pub fn of(node: &NodeRow, lease: Duration) -> Self {
        let state = match node.left_at {
            Some(_) => NodeState::Left,
            None if node.silent_for > lease => NodeState::Lost,
            None => NodeState::Alive,
        };
        Self {
            node_id: node.id.clone(),
            started_at: instant(node.started_at),
            heartbeat_at: instant(node.heartbeat_at),
            left_at: node.left_at.map(instant),
            silent_ms: node.silent_for.as_millis().try_into().unwrap_or(u64::MAX),
            state,
            card: node.card.as_ref().and_then(|card| serde_json::from_str(card).ok()),
        }
    }
}

/// The zone of instants where a task has none of its own.
#[must_use]
pub fn zone(config: &Config) -> Zone {
    Zone::named(&config.common.timezone).unwrap_or_default()
}

/// The value of a JSON text, or else the text, as of one that is longer than a row of `task` may have it: lists show many.
fn json(text: &str) -> Value {
    let value = (text.len() <= LONGEST_EXTRA).then(|| serde_json::from_str(text).ok()).flatten();
    value.unwrap_or_else(|| text.into())
}
