//! Nodes, and the history of edits.

use std::{collections::BTreeSet, sync::Arc};

use askama::Template;
use axum::{
    Extension,
    extract::{Query, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    admin::{Changed, EditView, NodeState, NodeView},
    plan::{node::NodeRow, task::TaskId},
    store::{EditFilter, EditId, EditRow, NodeCard, Pause},
    web::{
        access::Caller,
        boards::board,
        frame::{Frame, in_query, page},
        problem::Problem,
        seen::{is_hidden, sees_edit, task_asked},
        site::Site,
    },
};

/// A node as the list has it.
pub(super) struct Node {
    pub(super) id: String,
    pub(super) state: &'static str,
    pub(super) heartbeat: String,
    pub(super) since: String,
    pub(super) for_so_long: String,
    pub(super) card: Option<NodeCard>,
}

impl Node {
    pub(super) fn of(frame: &Frame, site: &Site, row: &NodeRow) -> Self {
        let view = NodeView::of(row, site.config.common.lease);
        let state = match view.state {
            NodeState::Alive => "alive",
            NodeState::Left => "left",
            NodeState::Lost => "silent",
        };
        let silent = i64::try_from(row.silent_for.as_secs()).unwrap_or(i64::MAX);
        Self {
            id: row.id.clone(),
            state,
            heartbeat: frame.words.distance(-silent.max(1)),
            since: frame.time(&row.started_at),
            for_so_long: frame.words.span((frame.now - row.started_at).num_seconds().max(0)),
            card: view.card,
        }
    }
}

#[derive(Template)]
#[template(path = "nodes.html")]
struct NodesPage<'a> {
    frame: &'a Frame,
    nodes: Vec<Node>,
}

/// The nodes.
pub(super) async fn nodes(State(site): State<Site>, frame: Frame) -> Response {
    let rows = match site.store().await {
        Ok(store) => store.nodes().await,
        Err(error) => Err(error),
    };
    match rows {
        Ok(rows) => {
            let nodes = rows.iter().map(|row| Node::of(&frame, &site, row)).collect();
            page(&NodesPage { frame: &frame, nodes })
        }
        Err(error) => frame.problem(&error.into()),
    }
}

/// An edit as the lists have it.
pub(super) struct Edited {
    pub(super) task_id: TaskId,
    /// Empty: not known.
    pub(super) key: String,
    pub(super) time: String,
    pub(super) author: String,
    pub(super) via: String,
    /// What was done, where it is more than columns that differ.
    pub(super) action: String,
    /// Where the version before is put into the form; `None`: there was none.
    pub(super) restore: Option<String>,
    /// Column, what stood there, and what stands there then.
    pub(super) changed: Vec<(String, String, String)>,
}

impl Edited {
    pub(super) fn of(frame: &Frame, row: &EditRow) -> Self {
        let view = EditView::from(row);
        let t = frame.t();
        let key = view.after.as_ref().or(view.before.as_ref()).map(|row| text(&row["task_key"]));
        Self {
            task_id: row.task_id,
            key: key.unwrap_or_default(),
            time: row.edited_at.map(|at| frame.time(&at)).unwrap_or_default(),
            author: row.author.clone(),
            via: row.via.clone(),
            action: match (row.action.as_str(), &row.pause) {
                ("pause", Some(pause)) => paused(frame, pause),
                ("create", _) => t.created.to_owned(),
                ("delete", _) => t.deleted.to_owned(),
                ("found", _) => t.found.to_owned(),
                ("run", _) => t.asked_to_run.to_owned(),
                ("resume", _) => t.pause_over.to_owned(),
                _ => String::new(),
            },
            restore: view.before.as_ref().map(|_| match row.action.as_str() {
                "delete" => format!("/tasks/new?from={}", row.id),
                _ => format!("/tasks/{}/edit?from={}", row.task_id, row.id),
            }),
            changed: view.changed.iter().flat_map(|changed| differing(frame, changed)).collect(),
        }
    }
}

/// Until when, and why.
fn paused(frame: &Frame, pause: &Pause) -> String {
    let t = frame.t();
    let until = match pause.until {
        Some(until) => format!("{} {}", t.until, frame.time(&until)),
        None => t.until_enabled.to_owned(),
    };
    let why = if pause.reason.is_empty() {
        String::new()
    } else {
        format!("{}{}", t.colon, pause.reason)
    };
    format!("{} {until}{why}", t.paused)
}

/// What differs of a column: name, and what stood and stands there.
fn differing(frame: &Frame, changed: &Changed) -> Vec<(String, String, String)> {
    let Changed { column, from, to } = changed;
    match (column.as_str(), settings(from).zip(settings(to))) {
        ("extra", Some((from, to))) => {
            let keys: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
            let differs = |key: &&String| from.get(*key) != to.get(*key);
            let shown = |value: Option<&Value>| value.map(Value::to_string).unwrap_or_default();
            let differing = keys.into_iter().filter(differs);
            differing
                .map(|key| (format!("extra.{key}"), shown(from.get(key)), shown(to.get(key))))
                .collect()
        }
        ("is_valid", _) => {
            let state = |value: &Value| match text(value).as_str() {
                "1" => frame.t().enabled.to_owned(),
                "0" => frame.t().disabled.to_owned(),
                other => other.to_owned(),
            };
            vec![(frame.t().state.to_owned(), state(from), state(to))]
        }
        _ => vec![(column.clone(), text(from), text(to))],
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The keys and values of `extra`, if it is such.
fn settings(extra: &Value) -> Option<Map<String, Value>> {
    serde_json::from_str(extra.as_str()?).ok()
}

/// Which edits.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    /// An id or a key.
    #[serde(default)]
    task: String,
    after: Option<EditId>,
}

#[derive(Template)]
#[template(path = "history.html")]
struct HistoryPage<'a> {
    frame: &'a Frame,
    asked: &'a Asked,
    edits: Vec<Edited>,
    next: Option<String>,
}

/// How many are on a page.
const SHOWN: u32 = 50;

/// The history of edits.
pub(super) async fn history(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    frame: Frame,
    Query(asked): Query<Asked>,
) -> Response {
    frame.answer(listed(&site, &caller, &frame, &asked).await)
}

async fn listed(
    site: &Site,
    caller: &Caller,
    frame: &Frame,
    asked: &Asked,
) -> Result<Response, Problem> {
    let task_id = task_asked(site, caller, &asked.task).await?.map(|(id, _)| id);
    if is_hidden(site, caller, task_id).await? {
        return Ok(page(&HistoryPage { frame, asked, edits: Vec::new(), next: None }));
    }
    let filter = EditFilter { task_id, before: asked.after, limit: SHOWN };
    let rows = site.store().await?.edits(filter).await?;
    let last = rows.last().filter(|_| rows.len() == SHOWN as usize);
    let next = last.map(|row| format!("?after={}&task={}", row.id, in_query(&asked.task)));
    let seen = rows.iter().filter(|row| sees_edit(caller, &EditView::from(*row)));
    let mut edits: Vec<_> = seen.map(|row| Edited::of(frame, row)).collect();
    // An edit that keeps no row is of a task that stands, or is named by its id.
    let board = board(site).await?;
    for edit in edits.iter_mut().filter(|edit| edit.key.is_empty()) {
        let key = board.row(edit.task_id).map(|row| row.key.to_string());
        edit.key = key.unwrap_or_else(|| edit.task_id.to_string());
    }
    Ok(page(&HistoryPage { frame, asked, edits, next }))
}
