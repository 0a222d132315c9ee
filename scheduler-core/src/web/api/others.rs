//! Nodes, jobs, and the caller himself.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Problem, Site};
use crate::{
    admin::{ForecastView, JobView, NodeView, OutcomesView},
    web::{access::Caller, seen},
};

/// Lists the nodes of the last 30 days, last heard of first, at most 1,000.
#[utoipa::path(get, path = "/api/v1/nodes", tag = "others",
    responses((status = 200, description = "The nodes.", body = [NodeView])))]
pub(super) async fn nodes(State(site): State<Site>) -> Result<Json<Vec<NodeView>>, Problem> {
    let nodes = site.store().await?.nodes().await?;
    let lease = site.config.common.lease;
    Ok(Json(nodes.iter().map(|node| NodeView::of(node, lease)).collect()))
}

/// Lists the jobs of this program by name.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "others",
    responses((status = 200, description = "The jobs.", body = [JobView])))]
pub(super) async fn jobs(State(site): State<Site>) -> Json<Vec<JobView>> {
    Json(site.registry.iter().map(JobView::from).collect())
}

/// Counts the executions of the last 24 hours, by the hour of their instants and by status.
///
/// Of very many the newest million is counted, 20,000 for a caller who does not see all tasks: `since` says from when on.
#[utoipa::path(get, path = "/api/v1/statistics", tag = "others",
    responses((status = 200, description = "The counts.", body = OutcomesView)))]
pub(super) async fn statistics(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
) -> Result<Json<OutcomesView>, Problem> {
    seen::outcomes(&site, &caller).await.map(Json)
}

/// Says how many tasks fire in each minute of the next 24 hours, by their triggers alone.
#[utoipa::path(get, path = "/api/v1/forecast", tag = "others",
    responses((status = 200, description = "The minutes.", body = ForecastView)))]
pub(super) async fn forecast(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
) -> Result<Json<ForecastView>, Problem> {
    Ok(Json(seen::forecast(&site, &caller).await?.view()))
}

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Whoami {
    /// His name, by which his edits are known.
    name: String,
    /// `viewer`, `operator` or `admin`.
    role: &'static str,
    /// The patterns of `task_key` whose tasks exist for him.
    tasks: Vec<String>,
}

/// Says who asks, and what he may do.
#[utoipa::path(get, path = "/api/v1/whoami", tag = "others",
    responses((status = 200, description = "The caller.", body = Whoami)))]
pub(super) async fn whoami(Extension(caller): Extension<Arc<Caller>>) -> Json<Whoami> {
    let Caller { name, access, .. } = &*caller;
    Json(Whoami { name: name.clone(), role: access.role.as_str(), tasks: access.tasks.clone() })
}
