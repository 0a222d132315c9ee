//! Rows of `execute_task`, and what runs logged.

use std::sync::Arc;

use axum::{Extension, Json, extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Page, Problem, Site,
    answers::{Conflict, Rejected},
    input::{Asked, At, Id, Limit},
    tasks::Requested,
};
use crate::{
    admin::{ExecutionView, LogView},
    plan::execution::{ExecutionId, Status},
    plan::task::TaskId,
    store::ExecutionFilter,
    web::{
        access::Caller,
        seen::{cancel_run, find_executions, run_again, seen_execution, seen_log},
    },
};

/// Which executions, and where the list goes on.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Listed {
    /// Only of this task.
    task_id: Option<TaskId>,
    /// Only in this status.
    #[param(value_type = Option<String>)]
    status: Option<InStatus>,
    /// Only those that were created from this instant on, RFC 3339.
    #[param(value_type = Option<String>, format = "date-time")]
    since: Option<At>,
    /// Only those that were created before this instant, RFC 3339.
    #[param(value_type = Option<String>, format = "date-time")]
    until: Option<At>,
    /// `next` of the page before.
    after: Option<ExecutionId>,
    /// How many at most, 1 to 200.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
}

/// A status by its name.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct InStatus(Status);

impl TryFrom<String> for InStatus {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
            .map(Self)
            .map_err(|error: crate::plan::execution::UnknownStatus| error.to_string())
    }
}

/// Lists executions, newest first.
///
/// A page may be shorter than `limit` although there are more: `next` says so.
#[utoipa::path(get, path = "/api/v1/executions", tag = "executions", params(Listed),
    responses((status = 200, description = "A page of executions.", body = Page<ExecutionView>)))]
pub(super) async fn list(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    Asked(listed): Asked<Listed>,
) -> Result<Json<Page<ExecutionView>>, Problem> {
    let filter = ExecutionFilter {
        task_id: listed.task_id,
        status: listed.status.map(|InStatus(status)| status),
        before: listed.after,
        since: listed.since.map(|At(since)| since),
        until: listed.until.map(|At(until)| until),
        limit: listed.limit.get(),
    };
    let (rows, next) = find_executions(&site, &caller, filter).await?;
    let items = rows.iter().map(ExecutionView::from).collect();
    Ok(Json(Page { items, next: next.map(|id| id.to_string()) }))
}

/// Shows an execution.
#[utoipa::path(get, path = "/api/v1/executions/{id}", tag = "executions",
    params(("id" = i64, Path, description = "`execute_task.id`.")),
    responses((status = 200, description = "The execution.", body = ExecutionView)))]
pub(super) async fn show(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    Id(id): Id<ExecutionId>,
) -> Result<Json<ExecutionView>, Problem> {
    Ok(Json(ExecutionView::from(&seen_execution(site.store().await?, &caller, id).await?)))
}

/// From where on.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LogAsked {
    /// `next` of the answer before: only what was logged after it.
    #[serde(default)]
    #[param(value_type = i64, minimum = 0, maximum = 4_294_967_295_i64, default = 0)]
    pub(super) after: u32,
}

/// Shows what a run logged.
#[utoipa::path(get, path = "/api/v1/executions/{id}/log", tag = "executions",
    params(("id" = i64, Path, description = "`execute_task.id`."), LogAsked),
    responses((status = 200, description = "What it logged.", body = LogView)))]
pub(super) async fn log(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    Id(id): Id<ExecutionId>,
    Asked(asked): Asked<LogAsked>,
) -> Result<Json<LogView>, Problem> {
    Ok(Json(seen_log(&site, &caller, id, asked.after).await?))
}

/// Runs its task again, once, as soon as may be, with the arguments that this run was asked for with; if it was asked for
/// with none, with those of the row.
#[utoipa::path(post, path = "/api/v1/executions/{id}/run", tag = "executions",
    params(("id" = i64, Path, description = "`execute_task.id`.")),
    responses((status = 202, description = "It is asked for.", body = Requested), Conflict, Rejected))]
pub(super) async fn run(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    Id(id): Id<ExecutionId>,
) -> Result<(StatusCode, Json<Requested>), Problem> {
    let (task_id, request_id) = run_again(&site, &caller, id).await?;
    Ok((StatusCode::ACCEPTED, Json(Requested { task_id, request_id })))
}

/// Ends a run.
///
/// The node that has it obeys at its next reading: at once if it is this one, else within `sync_interval`. A job that holds
/// a thread cannot be ended; its execution is closed, and the thread is free when it is done.
#[utoipa::path(post, path = "/api/v1/executions/{id}/cancel", tag = "executions",
    params(("id" = i64, Path, description = "`execute_task.id`.")),
    responses((status = 202, description = "It is asked for."), Conflict))]
pub(super) async fn cancel(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    Id(id): Id<ExecutionId>,
) -> Result<StatusCode, Problem> {
    cancel_run(&site, &caller, id).await?;
    Ok(StatusCode::ACCEPTED)
}
