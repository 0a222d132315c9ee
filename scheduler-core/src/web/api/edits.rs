//! The history of edits.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Page, Problem, Site,
    input::{Asked, Limit},
};
use crate::{
    admin::EditView,
    plan::task::TaskId,
    store::{EditFilter, EditId},
    web::{
        access::Caller,
        seen::{is_hidden, sees_edit},
    },
};

/// Which edits, and where the list goes on.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Listed {
    /// Only of this task.
    task_id: Option<TaskId>,
    /// `next` of the page before.
    after: Option<EditId>,
    /// How many at most, 1 to 200.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
}

/// Lists edits of rows, newest first.
///
/// A page may be shorter than `limit` although there are more: `next` says so.
#[utoipa::path(get, path = "/api/v1/edits", tag = "tasks", params(Listed),
    responses((status = 200, description = "A page of edits.", body = Page<EditView>)))]
pub(super) async fn list(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    Asked(listed): Asked<Listed>,
) -> Result<Json<Page<EditView>>, Problem> {
    if is_hidden(&site, &caller, listed.task_id).await? {
        return Ok(Json(Page { items: Vec::new(), next: None }));
    }
    let limit = listed.limit.get();
    let filter = EditFilter { task_id: listed.task_id, before: listed.after, limit };
    let rows = site.store().await?.edits(filter).await?;
    let is_more = rows.len() == listed.limit.as_usize();
    let next = rows.last().filter(|_| is_more).map(|row| row.id.to_string());
    let edits = rows.iter().map(EditView::from).filter(|edit| sees_edit(&caller, edit));
    Ok(Json(Page { items: edits.collect(), next }))
}
