//! What is asked of a running scheduler by HTTP: whether it lives, whether it may claim, what it counted and measured.
//!
//! On a thread of its own: neither a flood of requests nor a client that never finishes its own costs the scheduler a
//! moment. An address that is taken is said once and tried again; nothing else depends on it.

mod listen;
mod probe;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

pub use self::{listen::Web, probe::probe};
use crate::run::Watch;

/// What the pages are made of.
#[derive(Clone)]
struct Site {
    watch: Watch,
    /// Who does not show it sees no figures; `None`: everybody may.
    token: Option<Arc<SecretString>>,
}

fn router(site: Site) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(site)
}

/// Whether the process should go on: 200, or 503 when its loop does not turn.
async fn healthz(State(site): State<Site>) -> Response {
    if site.watch.look().is_alive() {
        text(StatusCode::OK, "alive\n".to_owned())
    } else {
        text(StatusCode::SERVICE_UNAVAILABLE, "the loop does not turn\n".to_owned())
    }
}

/// Whether it may claim: 200, or 503 and what hinders it, one a line.
async fn readyz(State(site): State<Site>) -> Response {
    match site.watch.look().obstacles() {
        none if none.is_empty() => text(StatusCode::OK, "ready\n".to_owned()),
        obstacles => text(StatusCode::SERVICE_UNAVAILABLE, obstacles.join("\n") + "\n"),
    }
}

async fn metrics(State(site): State<Site>, headers: HeaderMap) -> Response {
    if site.token.is_some_and(|token| !shows(&headers, &token)) {
        let challenge = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))];
        let refused = text(
            StatusCode::UNAUTHORIZED,
            "expected the header `Authorization: Bearer TOKEN`, with the token of [http]\n"
                .to_owned(),
        );
        return (challenge, refused).into_response();
    }
    const OPEN_METRICS: HeaderValue =
        HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    let mut answer = text(StatusCode::OK, site.watch.metrics_text());
    answer.headers_mut().insert(header::CONTENT_TYPE, OPEN_METRICS);
    answer
}

fn shows(headers: &HeaderMap, token: &SecretString) -> bool {
    let given = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let given = given.and_then(|value| value.strip_prefix(b"Bearer "));
    given.is_some_and(|given| given.ct_eq(token.expose_secret().as_bytes()).into())
}

fn text(status: StatusCode, body: String) -> Response {
    const HEADERS: [(HeaderName, HeaderValue); 3] = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (status, HEADERS, body).into_response()
}
