//! Whether it lives, whether it may claim, what it counted and measured: for those who watch many programs.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

use super::{access::bearer, site::Site};

/// Whether the process should go on: 200, or 503 when its loop does not turn.
pub(super) async fn healthz(State(site): State<Site>) -> Response {
    if site.watch.look().is_alive() {
        text(StatusCode::OK, "alive\n".to_owned())
    } else {
        text(StatusCode::SERVICE_UNAVAILABLE, "the loop does not turn\n".to_owned())
    }
}

/// Whether it may claim: 200, or 503 and what hinders it, one a line.
pub(super) async fn readyz(State(site): State<Site>) -> Response {
    match site.watch.look().obstacles() {
        none if none.is_empty() => text(StatusCode::OK, "ready\n".to_owned()),
        obstacles => text(StatusCode::SERVICE_UNAVAILABLE, obstacles.join("\n") + "\n"),
    }
}

/// Figures: for whoever shows the token of `[http]` or is known; for everybody where only this machine may ask and there is
/// no such token.
pub(super) async fn metrics(State(site): State<Site>, headers: HeaderMap) -> Response {
    let is_allowed = match &site.config.http.token {
        Some(token) => shows(&headers, token),
        None => site.config.http.listen.is_some_and(|address| address.ip().is_loopback()),
    };
    let is_known = || bearer(&headers).and_then(|token| site.known.program(token)).is_some();
    if !is_allowed && !is_known() {
        let challenge = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))];
        let refused = text(
            StatusCode::UNAUTHORIZED,
            "expected the header `Authorization: Bearer TOKEN`, with the token of [http]\n"
                .to_owned(),
        );
        return (challenge, refused).into_response();
    }
    const OPEN_METRICS: &str = "application/openmetrics-text";
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let (kind, body) = if accepted.into_iter().any(|kinds| kinds.contains(OPEN_METRICS)) {
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", site.watch.metrics_text())
    } else {
        ("text/plain; version=0.0.4; charset=utf-8", classic(&site.watch.metrics_text()))
    };
    let mut answer = text(StatusCode::OK, body);
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

/// OpenMetrics in the text format that was before it: a type names its samples, and there are no others than these.
fn classic(openmetrics: &str) -> String {
    let mut text = String::with_capacity(openmetrics.len());
    // What stands before the type of a family, which says how its samples are called.
    let mut help = None;
    for line in openmetrics.lines() {
        let about = |kind: &str| line.strip_prefix(kind)?.split_once(' ');
        if let Some((name, said)) = about("# HELP ") {
            help = Some((name, said));
        } else if let Some((name, kind)) = about("# TYPE ") {
            let (name, kind) = match kind {
                "counter" => (format!("{name}_total"), kind),
                "info" => (format!("{name}_info"), "gauge"),
                _ => (name.to_owned(), kind),
            };
            if let Some((_, said)) = help.take() {
                text += &format!("# HELP {name} {said}\n");
            }
            text += &format!("# TYPE {name} {kind}\n");
        } else if !line.starts_with('#') {
            text += line;
            text.push('\n');
        }
    }
    text
}

fn shows(headers: &HeaderMap, token: &SecretString) -> bool {
    bearer(headers).is_some_and(|given| given.ct_eq(token.expose_secret().as_bytes()).into())
}

fn text(status: StatusCode, body: String) -> Response {
    const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
    (status, [(header::CONTENT_TYPE, TEXT)], body).into_response()
}
