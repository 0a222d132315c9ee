//! The admin page: HTML that the server makes, which works without a script; ours adds what must be live.

mod acts;
mod alarms;
mod edit;
mod executions;
mod forecast;
mod login;
mod others;
mod overview;
mod reference;
mod strip;
mod task;
mod tasks;

use axum::{
    Router,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};

use super::{frame::choose_language, routes::Pages, site::Site};
use crate::config::Role;

/// The pages, each with the role that it takes.
pub(super) fn routes(site: &Site) -> Pages {
    let (viewer, operator, admin) = (Role::Viewer, Role::Operator, Role::Admin);
    Pages::new(site)
        .add(viewer, "/", get(overview::show))
        .add(viewer, "/tasks", get(tasks::list))
        .add(operator, "/tasks/act", post(acts::act))
        .add(admin, "/tasks/new", get(edit::new))
        .add(viewer, "/tasks/{id}", get(task::show))
        .add(operator, "/tasks/{id}/run", post(task::run))
        .add(operator, "/tasks/{id}/pause", post(task::pause))
        .add(viewer, "/tasks/{id}/why", get(task::why))
        .add(admin, "/tasks/{id}/edit", get(edit::edit))
        .add(admin, "/tasks/review", post(edit::review))
        .add(admin, "/tasks/save", post(edit::save))
        .add(viewer, "/executions", get(executions::list))
        .add(viewer, "/executions/{id}", get(executions::show))
        .add(viewer, "/executions/{id}/log", get(executions::log))
        .add(operator, "/executions/{id}/cancel", post(executions::cancel))
        .add(operator, "/executions/{id}/run", post(executions::run))
        .add(viewer, "/forecast", get(forecast::show))
        .add(viewer, "/alarms", get(alarms::list))
        .add(viewer, "/nodes", get(others::nodes))
        .add(viewer, "/history", get(others::history))
        .add(viewer, "/docs", get(reference::show))
}

/// What everybody may ask for: to log in and out, and the language.
pub(super) fn open() -> Router<Site> {
    Router::new()
        .route("/login", get(login::show).post(login::enter))
        .route("/logout", post(login::leave))
        .route("/language", post(choose_language))
}

/// What pages are made of.
pub(super) fn files() -> Router<Site> {
    Router::new()
        .route("/icon.svg", get(|| file("image/svg+xml", include_str!("../../static/icon.svg"))))
        .route("/style.css", get(|| file("text/css", include_str!("../../static/style.css"))))
        .route("/app.js", get(|| file("text/javascript", include_str!("../../static/app.js"))))
}

async fn file(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response()
}
