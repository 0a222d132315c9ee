//! Logging in and out.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Query, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use axum_extra::extract::cookie::CookieJar;
use serde::Deserialize;

use crate::web::{
    access::{Caller, Peer},
    frame::{Frame, inside, page},
    login::Refused,
    session,
    site::Site,
};

/// Where to go afterwards.
#[derive(Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    frame: &'a Frame,
    next: &'a str,
    name: &'a str,
    error: Option<&'static str>,
    has_users: bool,
    is_in: bool,
}

/// The form.
pub(super) async fn show(
    State(site): State<Site>,
    caller: Option<Extension<Arc<Caller>>>,
    frame: Frame,
    Query(next): Query<Next>,
) -> Response {
    // Also who is in may follow a link, which only his browser sees: the script leads him on if there is none.
    let has_users = !site.config.http.users.is_empty();
    let (next, is_in) = (inside(&next.next), caller.is_some());
    page(&LoginPage { frame: &frame, next, name: "", error: None, has_users, is_in })
}

fn form(
    site: &Site,
    frame: &Frame,
    next: &str,
    name: &str,
    error: Option<&'static str>,
) -> Response {
    let has_users = !site.config.http.users.is_empty();
    page(&LoginPage { frame, next: inside(next), name, error, has_users, is_in: false })
}

/// What is shown: a name with a password, or the code of a link.
#[derive(Deserialize)]
pub(super) struct Shown {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

/// Lets somebody in, or says why not.
pub(super) async fn enter(
    State(site): State<Site>,
    peer: Option<Extension<Peer>>,
    frame: Frame,
    cookies: CookieJar,
    Form(shown): Form<Shown>,
) -> Response {
    let from = peer.map_or(NOBODY, |Extension(Peer(from))| from);
    let refused = |status: StatusCode, error| {
        let mut answer = form(&site, &frame, &shown.next, &shown.name, Some(error));
        *answer.status_mut() = status;
        answer
    };
    let entered = if shown.code.is_empty() {
        match site.door.enter(from, &shown.name, shown.password.clone()).await {
            Ok(()) => session::begin(&site, cookies, &shown.name).await.map(Some),
            Err(Refused::Wrong) => {
                tracing::warn!(%from, "somebody fails to log in");
                return refused(StatusCode::UNAUTHORIZED, frame.t().wrong_login);
            }
            Err(Refused::Crowd) => {
                return refused(StatusCode::SERVICE_UNAVAILABLE, frame.t().crowd);
            }
            Err(Refused::TooOften) => {
                let mut answer = refused(StatusCode::TOO_MANY_REQUESTS, frame.t().too_often);
                let minute = HeaderValue::from_static("60");
                answer.headers_mut().insert(header::RETRY_AFTER, minute);
                return answer;
            }
        }
    } else {
        session::follow(&site, cookies, &shown.code).await
    };
    match entered {
        Ok(Some(cookies)) => (cookies, Redirect::to(inside(&shown.next))).into_response(),
        Ok(None) => refused(StatusCode::UNAUTHORIZED, frame.t().link_is_gone),
        Err(error) => frame.problem(&error.into()),
    }
}

/// Ends the session.
pub(super) async fn leave(State(site): State<Site>, frame: Frame, cookies: CookieJar) -> Response {
    match session::end(&site, cookies).await {
        Ok(cookies) => (cookies, Redirect::to("/login")).into_response(),
        Err(error) => frame.problem(&error.into()),
    }
}

/// The address of whoever comes by no connection, as in tests of the routes.
const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
