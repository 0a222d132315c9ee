//! Rows of `task`.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::SubsecRound as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::{
    Page, Problem, Site,
    answers::{BadBody, Conflict, Edited, Overtaken, Rejected},
    input::{Asked, At, Body, ChangedRow, Id, Limit, MaybeBody, NewRow, version},
};
use crate::{
    admin::{
        AskedTask, Coming, Cursor, InstantView, Judged, State as TaskState, TaskFilter, TaskView,
        WhyView, coming_of,
    },
    clock,
    plan::task::TaskId,
    store::{NewTask, Pause, TaskChange, Version},
    web::{
        access::Caller,
        boards::{Sort, board, from_text, to_text},
        frame::{Frame, spoken},
        seen::{self, check_key, pauses, pick, rows, seen},
    },
};

/// Which tasks, and where the list goes on.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Listed {
    /// Only with this text in `task_key` or `desc`, whatever its case.
    text: Option<String>,
    /// Only of this job.
    execute_func: Option<String>,
    /// Only in this state.
    #[param(inline)]
    state: Option<TaskState>,
    /// By what it is sorted; `-` in front: from the end on.
    #[serde(default)]
    #[param(inline)]
    sort: Sort,
    /// `next` of the page before.
    after: Option<String>,
    /// How many at most, 1 to 200.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
}

/// Lists tasks.
///
/// Which rows are on the page is some seconds old at most; what is said of them is as they stand.
#[utoipa::path(get, path = "/api/v1/tasks", tag = "tasks", params(Listed),
    responses((status = 200, description = "A page of tasks.", body = Page<TaskView>)))]
pub(super) async fn list(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    Asked(listed): Asked<Listed>,
) -> Result<Json<Page<TaskView>>, Problem> {
    let (order, is_descending) = listed.sort.order();
    let after =
        listed.after.as_deref().map(|text| from_text::<Cursor>("after", text)).transpose()?;
    if after.as_ref().is_some_and(|after| after.order() != order) {
        return Err(Problem::bad("after is a place in a list of another order").about("after"));
    }
    let filter = TaskFilter {
        text: listed.text,
        job: listed.execute_func,
        state: listed.state,
        among: None,
    };
    let board = board(&site).await?;
    let limit = listed.limit.as_usize();
    let (ids, last) = pick(&board, &caller, &filter, (order, is_descending), after.as_ref(), limit);
    let rows = rows(&site, &caller, &ids).await?;
    let pauses = pauses(&site, &rows).await?;
    let view = |judged: &Judged| TaskView::of(judged, pauses.get(&judged.row.id));
    Ok(Json(Page { items: rows.iter().map(view).collect(), next: last.as_ref().map(to_text) }))
}

/// The row, with its version as `ETag`.
async fn answer(site: &Site, status: StatusCode, judged: Judged) -> Result<Response, Problem> {
    let id = judged.row.id;
    let row = [judged];
    let pause = pauses(site, &row).await?.remove(&id);
    let view = TaskView::of(&row[0], pause.as_ref());
    let tag = format!("\"{}\"", view.version);
    Ok((status, [(header::ETAG, tag)], Json(view)).into_response())
}

/// Shows a task.
#[utoipa::path(get, path = "/api/v1/tasks/{id}", tag = "tasks",
    params(("id" = i64, Path, description = "`task.id`.")),
    responses((status = 200, description = "The task.", body = TaskView)))]
pub(super) async fn show(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    Id(id): Id<TaskId>,
) -> Result<Response, Problem> {
    let judged = seen(&site, &caller, id).await?;
    answer(&site, StatusCode::OK, judged).await
}

/// Creates a task.
///
/// The row is judged as the scheduler will judge it: one that it would reject is not written.
#[utoipa::path(post, path = "/api/v1/tasks", tag = "tasks", request_body = NewRow,
    responses((status = 201, description = "The task.", body = TaskView), Conflict, BadBody, Rejected))]
pub(super) async fn create(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    Body(row): Body<NewRow>,
) -> Result<Response, Problem> {
    check_key(&caller, row.task_key())?;
    let created = site.editor(&caller).await?.create(&NewTask::from(row)).await?;
    site.edited();
    answer(&site, StatusCode::CREATED, created).await
}

/// Changes a task.
///
/// `If-Match` takes the `version` that was read, in quotes, so that nobody's edit is lost; `*` changes whatever stands
/// there. A running scheduler takes a new `spec` and `is_valid` at once, the others when the task is switched off and on.
#[utoipa::path(patch, path = "/api/v1/tasks/{id}", tag = "tasks", request_body = ChangedRow,
    params(("id" = i64, Path, description = "`task.id`."),
        ("If-Match" = String, Header, description = "The version that was read, in double quotes, or `*`.")),
    responses((status = 200, description = "The task as it is then.", body = TaskView), Conflict, Edited, BadBody, Rejected))]
pub(super) async fn change(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    Id(id): Id<TaskId>,
    headers: HeaderMap,
    Body(row): Body<ChangedRow>,
) -> Result<Response, Problem> {
    let version = version(&headers)?;
    seen(&site, &caller, id).await?;
    row.task_key().map_or(Ok(()), |key| check_key(&caller, key))?;
    edit(&site, &caller, id, version, &TaskChange::from(row)).await
}

/// Deletes a task. Its executions stay.
#[utoipa::path(delete, path = "/api/v1/tasks/{id}", tag = "tasks",
    params(("id" = i64, Path, description = "`task.id`."),
        ("If-Match" = String, Header, description = "The version that was read, in double quotes, or `*`.")),
    responses((status = 204, description = "It is deleted."), Edited))]
pub(super) async fn delete(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    Id(id): Id<TaskId>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let version = version(&headers)?;
    seen(&site, &caller, id).await?;
    site.editor(&caller).await?.delete(id, version.as_ref()).await?;
    site.edited();
    Ok(StatusCode::NO_CONTENT)
}

/// Switches a task on.
#[utoipa::path(post, path = "/api/v1/tasks/{id}/enable", tag = "tasks",
    params(("id" = i64, Path, description = "`task.id`.")),
    responses((status = 200, description = "The task as it is then.", body = TaskView), Rejected, Overtaken))]
pub(super) async fn enable(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    Id(id): Id<TaskId>,
) -> Result<Response, Problem> {
    seen(&site, &caller, id).await?;
    edit(&site, &caller, id, None, &TaskChange::enabled(true)).await
}

/// Switches a task off: nothing of it starts any more; what runs goes on.
#[utoipa::path(post, path = "/api/v1/tasks/{id}/disable", tag = "tasks",
    params(("id" = i64, Path, description = "`task.id`.")),
    responses((status = 200, description = "The task as it is then.", body = TaskView), Overtaken))]
pub(super) async fn disable(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    Id(id): Id<TaskId>,
) -> Result<Response, Problem> {
    seen(&site, &caller, id).await?;
    edit(&site, &caller, id, None, &TaskChange::enabled(false)).await
}

/// For how long a task is to be off.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PauseAsked {
    /// RFC 3339; without it until somebody switches it on.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "date-time")]
    until: Option<At>,
    /// Why.
    #[serde(default)]
    #[schema(max_length = 255)]
    reason: String,
}

/// Switches a task off for a while: within 10 s after `until` it is on again. Whoever switches it on or off before ends the
/// pause.
#[utoipa::path(post, path = "/api/v1/tasks/{id}/pause", tag = "tasks", request_body = Option<PauseAsked>,
    params(("id" = i64, Path, description = "`task.id`.")),
    responses((status = 200, description = "The task as it is then.", body = TaskView), BadBody, Conflict, Rejected))]
pub(super) async fn pause(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    Id(id): Id<TaskId>,
    MaybeBody(asked): MaybeBody<PauseAsked>,
) -> Result<Response, Problem> {
    let asked = asked.unwrap_or_default();
    seen(&site, &caller, id).await?;
    let pause = Pause { until: asked.until.map(|At(at)| at), reason: asked.reason };
    let paused = site.editor(&caller).await?.pause(id, &pause).await?;
    site.edited();
    answer(&site, StatusCode::OK, paused).await
}

async fn edit(
    site: &Site,
    caller: &Caller,
    id: TaskId,
    version: Option<Version>,
    change: &TaskChange,
) -> Result<Response, Problem> {
    let editor = site.editor(caller).await?;
    let (_, after) = editor.change(id, version.as_ref(), change).await?;
    site.edited();
    answer(site, StatusCode::OK, after).await
}

/// A run that is asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Requested {
    /// The task.
    pub(super) task_id: TaskId,
    /// `scheduler_request.id`.
    pub(super) request_id: i64,
}

/// How a run is to be.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RunAsked {
    /// Arguments of the job in place of those of the row, for this run and its retries.
    args: Option<String>,
}

/// Asks for a run, once, as soon as may be. Without a body it has the arguments of the row.
#[utoipa::path(post, path = "/api/v1/tasks/{id}/run", tag = "tasks", request_body = Option<RunAsked>,
    params(("id" = i64, Path, description = "`task.id`.")),
    responses((status = 202, description = "It is asked for.", body = Requested), Conflict, BadBody, Rejected))]
pub(super) async fn run(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    Id(id): Id<TaskId>,
    MaybeBody(asked): MaybeBody<RunAsked>,
) -> Result<(StatusCode, Json<Requested>), Problem> {
    let args = asked.unwrap_or_default().args;
    let request_id = seen::run(&site, &caller, id, args.as_deref()).await?;
    Ok((StatusCode::ACCEPTED, Json(Requested { task_id: id, request_id })))
}

/// Of which instant.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WhyAsked {
    /// The instant, RFC 3339.
    #[param(value_type = String, format = "date-time")]
    at: At,
}

/// Says what became of an instant of a task, and why.
#[utoipa::path(get, path = "/api/v1/tasks/{id}/why", tag = "tasks",
    params(("id" = i64, Path, description = "`task.id`."), WhyAsked),
    responses((status = 200, description = "What became of it.", body = WhyView)))]
pub(super) async fn why(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    Id(id): Id<TaskId>,
    Asked(asked): Asked<WhyAsked>,
) -> Result<Json<WhyView>, Problem> {
    let store = site.store().await?;
    if !caller.access.covers_all() {
        // Of a task that is gone nobody knows whose it was.
        seen(&site, &caller, id).await?;
    }
    let task = AskedTask::of(store, &site.config, &site.registry, id).await?;
    let why = task.why(store, &site.config, asked.at.0).await?;
    why.map(Json).ok_or_else(|| Problem::no_such("task", id))
}

/// When something would fire.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Previewed {
    /// `cron`, `date` or `interval`.
    trigger: String,
    /// When, as the trigger reads it.
    spec: String,
    /// Of a row; its `timezone` counts here.
    #[serde(default)]
    extra: Map<String, Value>,
    /// The first moment that counts, RFC 3339; an interval counts from it. Default now.
    #[schema(value_type = Option<String>, format = "date-time")]
    from: Option<At>,
    /// How many instants, 1 to 200. Default 10.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<Limit>,
}

/// When it would fire.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Preview {
    /// The zone that its local times are in.
    zone: String,
    /// When that is, in words, in the language of `Accept-Language`: Chinese, else English.
    words: String,
    /// The instants, soonest first; none: it would never fire.
    instants: Vec<InstantView>,
}

/// Says when a trigger would fire, without a row.
#[utoipa::path(post, path = "/api/v1/preview", tag = "tasks", request_body = Previewed,
    responses((status = 200, description = "Its instants.", body = Preview), BadBody, Rejected))]
pub(super) async fn preview(
    State(site): State<Site>,
    frame: Frame,
    Body(asked): Body<Previewed>,
) -> Result<Json<Preview>, Problem> {
    // Rows are written on whole seconds, so an interval that counts from now looks like a row's.
    let from = asked.from.map_or_else(|| clock::wall().trunc_subsecs(0), |At(at)| at);
    let limit = asked.limit.map_or(10, Limit::as_usize);
    let extra = Value::Object(asked.extra).to_string();
    let row =
        NewTask { extra, ..NewTask::new("", "", &asked.trigger, &asked.spec) }.as_row(0, from);
    let coming = coming_of(&site.config, &site.registry, &row, from, limit);
    let refused = |fault| Problem::rejected(&fault).in_words_of(&frame);
    let Coming { trigger, zone, instants } = coming.map_err(refused)?;
    let words = spoken(frame.words, &trigger, &zone);
    Ok(Json(Preview { zone: zone.name().to_owned(), words, instants }))
}
