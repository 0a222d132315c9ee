//! `/api/v1`: rows, executions and nodes as JSON, described in OpenAPI by the handlers themselves.

mod alarms;
mod answers;
mod edits;
mod executions;
mod input;
mod others;
mod stream;
mod tasks;

use axum::{Router, body::Bytes, http::header, routing::get};
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::{
        ComponentsBuilder, Info, OpenApi, OpenApiBuilder,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::routes;

use super::{problem::Problem, routes::Routes, site::Site};
use crate::config::Role;

/// The most that one answer lists.
const MOST: u32 = 200;

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
struct Page<T> {
    /// In the order of the list.
    items: Vec<T>,
    /// What to give as `after` to go on; `null`: this was all.
    next: Option<String>,
}

/// The routes, each with the role that it takes.
pub(super) fn routes() -> Routes {
    let viewer = Role::Viewer;
    Routes::new(about())
        .add(viewer, routes!(tasks::list))
        .add(viewer, routes!(tasks::show))
        .add(viewer, routes!(tasks::why))
        .add(viewer, routes!(tasks::preview))
        .add(viewer, routes!(executions::list))
        .add(viewer, routes!(executions::show))
        .add(viewer, routes!(executions::log))
        .add(viewer, routes!(stream::follow))
        .add(viewer, routes!(edits::list))
        .add(viewer, routes!(alarms::list))
        .add(viewer, routes!(alarms::channels))
        .add(viewer, routes!(others::nodes))
        .add(viewer, routes!(others::jobs))
        .add(viewer, routes!(others::statistics))
        .add(viewer, routes!(others::forecast))
        .add(viewer, routes!(others::whoami))
        .add(Role::Operator, routes!(tasks::enable))
        .add(Role::Operator, routes!(tasks::disable))
        .add(Role::Operator, routes!(tasks::pause))
        .add(Role::Operator, routes!(tasks::run))
        .add(Role::Operator, routes!(executions::run))
        .add(Role::Operator, routes!(executions::cancel))
        .add(Role::Admin, routes!(tasks::create))
        .add(Role::Admin, routes!(tasks::change))
        .add(Role::Admin, routes!(tasks::delete))
}

fn about() -> OpenApi {
    let mut info = Info::new("scheduler", env!("CARGO_PKG_VERSION"));
    info.description = Some(ABOUT.to_owned());
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let scheme = scheme.description(Some("A token of `[http.tokens]` in `common.toml`."));
    let components = ComponentsBuilder::new()
        .schema_from::<Problem>()
        .security_scheme("token", SecurityScheme::Http(scheme.build()))
        .build();
    OpenApiBuilder::new().info(info).components(Some(components)).build()
}

const ABOUT: &str = "Rows of `task` and `execute_task`, as the scheduler understands them. Fields are named as the columns, \
                     instants are RFC 3339 in UTC. What is refused is answered with a problem of RFC 9457, which names \
                     the field that is wrong. A task whose key does not fit the patterns of the caller does not exist \
                     for him.";

/// The description itself, for everybody: it says nothing of this installation.
pub(super) fn described(document: &OpenApi) -> Router<Site> {
    let json: Bytes = serde_json::to_vec(document).unwrap_or_default().into();
    let answer = async move || ([(header::CONTENT_TYPE, "application/json")], json.clone());
    Router::new().route("/openapi.json", get(answer))
}
