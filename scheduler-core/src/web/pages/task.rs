//! One task.

use std::sync::Arc;

use askama::Template;
use axum::{
    Extension,
    extract::{Path, Query, State},
    response::Response,
};
use chrono::DateTime;
use serde::Deserialize;

use super::{
    executions::Ran,
    others::Edited,
    strip::{Chart, RUNS, Strip},
    tasks::Row,
};
use crate::{
    admin::{AskedTask, EditView, InstantView, WhyView, coming},
    plan::task::TaskId,
    store::{EditFilter, ExecutionFilter},
    web::{
        access::Caller,
        frame::{Frame, page},
        problem::Problem,
        seen::{seen, sees_edit},
        site::Site,
    },
};

/// How many instants, executions and edits are shown.
const INSTANTS: usize = 10;
const RUNS_SHOWN: u32 = 15;
const EDITS_SHOWN: u32 = 8;

#[derive(Template)]
#[template(path = "task.html")]
struct TaskPage<'a> {
    frame: &'a Frame,
    task: Row,
    job: &'a str,
    args: &'a str,
    extra: &'a str,
    instants: Vec<InstantView>,
    chart: Option<Chart>,
    runs: Vec<Ran>,
    edits: Vec<Edited>,
}

/// The page of a task.
pub(super) async fn show(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    frame: Frame,
    Path(id): Path<TaskId>,
) -> Response {
    frame.answer(shown(&site, &caller, &frame, id).await)
}

async fn shown(
    site: &Site,
    caller: &Caller,
    frame: &Frame,
    id: TaskId,
) -> Result<Response, Problem> {
    let judged = seen(site, caller, id).await?;
    let store = site.store().await?;
    let recent = store.recent(&[id], RUNS).await?;
    let filter =
        ExecutionFilter { task_id: Some(id), status: None, before: None, limit: RUNS_SHOWN };
    let runs = store.executions(filter).await?;
    let edits = EditFilter { task_id: Some(id), before: None, limit: EDITS_SHOWN };
    let edits = store.edits(edits).await?;
    let text = |field| Result::unwrap_or(field, "?");
    Ok(page(&TaskPage {
        frame,
        job: text(judged.row.execute_func.as_deref()),
        args: text(judged.row.args.as_deref()),
        extra: text(judged.row.extra.as_deref()),
        instants: coming(&site.config, &site.registry, &judged, INSTANTS),
        chart: Chart::of(frame, &recent),
        runs: runs.iter().map(|row| Ran::of(frame, row)).collect(),
        edits: edits
            .iter()
            .filter(|row| sees_edit(caller, &EditView::from(*row)))
            .map(|row| Edited::of(frame, row))
            .collect(),
        task: Row::of(frame, &judged, Strip::default()),
    }))
}

/// Of which instant.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    at: String,
}

#[derive(Template)]
#[template(path = "why.html")]
struct WhyPage<'a> {
    frame: &'a Frame,
    id: TaskId,
    key: String,
    why: WhyView,
}

/// The page that says what became of an instant.
pub(super) async fn why(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    frame: Frame,
    Path(id): Path<TaskId>,
    Query(asked): Query<Asked>,
) -> Response {
    frame.answer(told(&site, &caller, &frame, id, &asked.at).await)
}

async fn told(
    site: &Site,
    caller: &Caller,
    frame: &Frame,
    id: TaskId,
    at: &str,
) -> Result<Response, Problem> {
    let judged = seen(site, caller, id).await?;
    let at = DateTime::parse_from_rfc3339(at).map_err(|_| {
        Problem::bad(format!("at {at:?} is no instant, expected RFC 3339")).about("at")
    })?;
    let store = site.store().await?;
    let task = AskedTask::of(store, &site.config, &site.registry, id).await?;
    let why = task.why(store, &site.config, at.to_utc()).await?;
    let why = why.ok_or_else(|| Problem::no_such("task", id))?;
    let key = judged.row.task_key.unwrap_or_default();
    Ok(page(&WhyPage { frame, id, key, why }))
}
