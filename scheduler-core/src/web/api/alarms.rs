//! What nodes found to be wrong, and who is told.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Page, Problem, Site,
    input::{Asked, Limit},
};
use crate::{
    admin::{AlarmView, ChannelView},
    store::{AlarmFilter, AlarmId},
    web::{access::Caller, seen},
};

/// Which alarms, and where the list goes on.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Listed {
    /// Only those that go on.
    #[serde(default)]
    open: bool,
    /// `next` of the page before.
    after: Option<AlarmId>,
    /// How many at most, 1 to 200.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
}

/// Lists alarms of all nodes, newest first: those that go on, and of what is over that of the last 30 days.
///
/// A page may be shorter than `limit` although there are more: `next` says so.
#[utoipa::path(get, path = "/api/v1/alarms", tag = "alarms", params(Listed),
    responses((status = 200, description = "A page of alarms.", body = Page<AlarmView>)))]
pub(super) async fn list(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    Asked(listed): Asked<Listed>,
) -> Result<Json<Page<AlarmView>>, Problem> {
    let limit = listed.limit.get();
    let filter = AlarmFilter { is_open: listed.open, before: listed.after, limit };
    let (items, next) = seen::alarms(&site, &caller, filter).await?;
    Ok(Json(Page { items, next: next.map(|id| id.to_string()) }))
}

/// Lists the channels that are told, by name, as this node tells them.
#[utoipa::path(get, path = "/api/v1/alarms/channels", tag = "alarms",
    responses((status = 200, description = "The channels.", body = [ChannelView])))]
pub(super) async fn channels(State(site): State<Site>) -> Json<Vec<ChannelView>> {
    Json(seen::channels(&site))
}
