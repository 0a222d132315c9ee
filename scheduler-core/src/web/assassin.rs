//! The routes of the Python application, for programs that were written for it: `{"code": 200, "msg": "success", "data": …}`,
//! pages by number, forms in, times without a zone. What is behind them is that of `/api/v1`.

use std::sync::Arc;

use axum::{
    Extension, Form, Json, Router,
    body::to_bytes,
    extract::{FromRequestParts, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    access::Caller,
    boards::board,
    frame::local,
    problem::Problem,
    routes::guarded,
    seen::{check_key, rows, seen},
    site::Site,
};
use crate::{
    admin::{self, ExecutionView, Judged, Order, TaskFilter, TaskView},
    config::Role,
    plan::{execution::ExecutionRow, task::TaskId},
    store::{Desk, ExecutionFilter, NewTask, TaskChange},
};

/// The most that one page has, and how far pages go.
const MOST: u64 = 200;
const FARTHEST: u64 = 10_000;

pub(super) fn routes() -> Router<Site> {
    let of_one =
        guarded(Role::Viewer, get(task)).merge(guarded(Role::Admin, post(create).put(change)));
    Router::new()
        .route("/assassin/tasks", guarded(Role::Viewer, get(tasks)))
        .route("/assassin/task", of_one)
        .route("/assassin/sub_tasks", guarded(Role::Viewer, get(sub_tasks)))
}

/// What is wrong, in the words of the Python application, which knew no status but 400 for what was asked wrongly.
pub(super) async fn as_expected(answer: Response) -> Response {
    let is_wrong = answer.status().is_client_error() || answer.status().is_server_error();
    if !is_wrong {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let said = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let msg = Problem::detail_of(&said).unwrap_or_else(|| String::from_utf8_lossy(&said).into());
    if matches!(parts.status.as_u16(), 404 | 409 | 412 | 415 | 422) {
        parts.status = StatusCode::BAD_REQUEST;
    }
    (parts.status, Json(json!({ "code": parts.status.as_u16(), "msg": msg }))).into_response()
}

fn success(data: Value) -> Json<Value> {
    Json(json!({ "code": 200, "msg": "success", "data": data }))
}

/// The parameters behind `?`.
#[derive(FromRequestParts)]
#[from_request(via(Query), rejection(Problem))]
struct Asked<T>(T);

/// Which page, as text, since it is given back so.
#[derive(Deserialize)]
struct Paged {
    task_id: Option<TaskId>,
    #[serde(default = "first")]
    page: String,
    #[serde(default = "twenty")]
    size: String,
}

fn first() -> String {
    "1".to_owned()
}

fn twenty() -> String {
    "20".to_owned()
}

impl Paged {
    /// How many to pass over, and how many are on the page.
    fn place(&self) -> Result<(usize, usize), Problem> {
        let number = |text: &str| text.parse::<u64>().ok().filter(|number| *number >= 1);
        let place = number(&self.page).zip(number(&self.size).filter(|size| *size <= MOST));
        let place = place.and_then(|(page, size)| {
            let skipped = (page - 1).checked_mul(size).filter(|skipped| *skipped <= FARTHEST)?;
            Some((usize::try_from(skipped).ok()?, usize::try_from(size).ok()?))
        });
        place.ok_or_else(|| {
            Problem::bad(format!(
                "page and size should be int, expected page 1 or more, size 1 to {MOST}, and at most {FARTHEST} before"
            ))
        })
    }

    fn answer(&self, total: u64, data: Vec<Value>) -> Json<Value> {
        let Self { page, size, .. } = self;
        success(json!({ "page": page, "size": size, "total": total, "data": data }))
    }
}

/// `2026-11-28 09:00:00` in the configured zone.
fn time(site: &Site, at: Option<DateTime<Utc>>) -> Value {
    at.map_or(Value::Null, |at| local(&admin::zone(&site.config), at).into())
}

fn shown(site: &Site, judged: &Judged) -> Value {
    let TaskView {
        id,
        task_key,
        desc,
        execute_func,
        trigger,
        spec,
        args,
        is_valid,
        status,
        extra,
        ..
    } = TaskView::of(judged, None);
    json!({
        "id": id, "task_key": task_key, "desc": desc, "execute_func": execute_func, "trigger": trigger, "spec": spec,
        "args": args, "is_valid": is_valid, "status": status, "extra": extra,
        "create_at": time(site, judged.row.created_at), "update_at": time(site, judged.row.updated_at),
    })
}

async fn tasks(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    Asked(asked): Asked<Paged>,
) -> Result<Json<Value>, Problem> {
    let (skipped, size) = asked.place()?;
    let board = board(&site).await?;
    let all = TaskFilter::default();
    let seen = board.find(&all, Order::Id, true, None).filter(|row| caller.sees(Some(&row.key)));
    let ids: Vec<TaskId> = seen.map(|row| row.id).collect();
    let page: Vec<TaskId> = ids.iter().copied().skip(skipped).take(size).collect();
    let rows = rows(&site, &caller, &page).await?;
    let data = rows.iter().map(|judged| shown(&site, judged)).collect();
    Ok(asked.answer(ids.len() as u64, data))
}

#[derive(Deserialize)]
struct One {
    task_id: TaskId,
}

async fn task(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    Asked(One { task_id }): Asked<One>,
) -> Result<Json<Value>, Problem> {
    let judged = seen(&site, &caller, task_id).await?;
    Ok(success(shown(&site, &judged)))
}

/// The fields of a form. `status` is the scheduler's: what is sent is passed over.
#[derive(Deserialize)]
struct Fields {
    task_id: Option<TaskId>,
    task_key: Option<String>,
    #[serde(default)]
    desc: String,
    execute_func: Option<String>,
    trigger: String,
    #[serde(default)]
    spec: String,
    #[serde(default)]
    args: String,
    is_valid: u8,
    #[serde(default = "no_settings")]
    extra: String,
}

fn no_settings() -> String {
    "{}".to_owned()
}

impl Fields {
    fn is_enabled(&self) -> Result<bool, Problem> {
        match self.is_valid {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(Problem::bad(format!("is_valid is {other}, expected 0 or 1"))),
        }
    }
}

/// What is missing of a form.
fn missing(field: &str) -> Problem {
    Problem::bad(format!("Missing argument {field}"))
}

async fn create(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    Form(fields): Form<Fields>,
) -> Result<Json<Value>, Problem> {
    let is_enabled = fields.is_enabled()?;
    let task = NewTask {
        id: None,
        task_key: fields.task_key.ok_or_else(|| missing("task_key"))?,
        description: fields.desc,
        execute_func: fields.execute_func.ok_or_else(|| missing("execute_func"))?,
        trigger: fields.trigger,
        spec: fields.spec,
        args: fields.args,
        is_enabled,
        extra: fields.extra,
    };
    check_key(&caller, &task.task_key)?;
    let created = site.editor(&caller).await?.create(&task).await?;
    site.edited();
    Ok(success(created.row.id.into()))
}

async fn change(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    Form(fields): Form<Fields>,
) -> Result<Json<Value>, Problem> {
    let id = fields.task_id.ok_or_else(|| missing("task_id"))?;
    seen(&site, &caller, id).await?;
    let change = TaskChange {
        is_enabled: Some(fields.is_enabled()?),
        description: Some(fields.desc),
        trigger: Some(fields.trigger),
        spec: Some(fields.spec),
        args: Some(fields.args),
        extra: Some(fields.extra),
        ..TaskChange::default()
    };
    site.editor(&caller).await?.change(id, None, &change).await?;
    site.edited();
    Ok(success(Value::Null))
}

/// So many executions are read at once on the way to a page.
const AT_ONCE: usize = 500;

/// `size` executions of a task, newest first, after `skipped` ones, of which few are held at a time.
async fn newest_after(
    store: &dyn Desk,
    task: TaskId,
    mut skipped: usize,
    size: usize,
) -> Result<Vec<ExecutionRow>, Problem> {
    let mut filter = ExecutionFilter { task_id: Some(task), ..ExecutionFilter::newest(0) };
    loop {
        let wanted = if skipped > 0 { skipped.min(AT_ONCE) } else { size };
        filter.limit = u32::try_from(wanted).unwrap_or(u32::MAX);
        let rows = store.executions(filter).await?;
        if skipped == 0 {
            return Ok(rows);
        }
        let Some(last) = rows.last().filter(|_| rows.len() == wanted) else {
            return Ok(Vec::new());
        };
        filter.before = Some(last.id);
        skipped -= wanted;
    }
}

fn too_many() -> Problem {
    let said = "two others look at pages far behind just now: try it again";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, said)
}

async fn sub_tasks(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    Asked(asked): Asked<Paged>,
) -> Result<Json<Value>, Problem> {
    let id = asked.task_id.ok_or_else(|| missing("task_id"))?;
    let (skipped, size) = asked.place()?;
    if !caller.access.covers_all() {
        // Of a task that is gone nobody knows whose it was.
        seen(&site, &caller, id).await?;
    }
    let store = site.store().await?;
    let place = (skipped > AT_ONCE).then(|| site.far_behind.try_acquire()).transpose();
    let _place = place.map_err(|_| too_many())?;
    let rows = newest_after(&**store, id, skipped, size).await?;
    let view = |row: &ExecutionRow| {
        let ExecutionView { id, task_id, status, extra, trace_id, .. } = row.into();
        let updated = row.finished_at.or(row.started_at).or(row.created_at);
        json!({
            "id": id, "task_id": task_id, "status": status, "extra": extra, "trace_id": trace_id,
            "create_at": time(&site, row.created_at), "update_at": time(&site, updated),
        })
    };
    let data = rows.iter().map(view).collect();
    Ok(asked.answer(store.count_executions(id).await?, data))
}
