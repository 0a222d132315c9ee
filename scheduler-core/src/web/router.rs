//! All routes together, and what every request passes on its way to them.

use std::{error::Error, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{HttpBody as _, to_bytes},
    extract::{FromRequestParts as _, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use http_body_util::LengthLimitError;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    task::JoinError,
};
use tower_http::{csrf::CsrfLayer, set_header::SetResponseHeaderLayer};

use super::{
    access::{Caller, caller, identify},
    api, assassin,
    frame::{Frame, referer},
    health, pages,
    problem::Problem,
    site::Site,
};

/// As long as a request may be.
const LONGEST_BODY: usize = 1 << 20;

/// Bodies that are received at once, if they may be larger than that, and how long one may take.
const SMALL_BODY: u64 = 64 << 10;
const MOST_BODIES: usize = 64;
const SENDING: Duration = Duration::from_secs(10);

/// Requests that are answered at once; those beyond wait.
const MOST_AT_ONCE: usize = 32;

/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// All that is answered.
pub(super) fn router(site: Site) -> Router {
    let (api, document) = api::routes().into_parts();
    let at_once = Arc::new(Semaphore::new(MOST_AT_ONCE));
    let bodies = Arc::new(Semaphore::new(MOST_BODIES));
    let api = api
        .method_not_allowed_fallback(no_such_method)
        .route_layer(middleware::from_fn(known))
        .merge(api::described(&document))
        .layer(header_of(header::CONTENT_SECURITY_POLICY, POLICY_OF_DATA));
    let pages = pages::routes(&site)
        .into_router()
        .method_not_allowed_fallback(no_such_method)
        .route_layer(middleware::from_fn(visitor))
        .merge(pages::open())
        .method_not_allowed_fallback(no_such_method)
        .layer(header_of(header::CONTENT_SECURITY_POLICY, POLICY_OF_PAGES));
    let assassin = assassin::routes()
        .method_not_allowed_fallback(no_such_method)
        .layer(middleware::map_response(assassin::as_expected))
        .layer(header_of(header::CONTENT_SECURITY_POLICY, POLICY_OF_DATA));
    let asked = api
        .merge(assassin)
        .merge(pages)
        .fallback(nothing_here)
        // What is wrong is told to whoever is logged in with his menu, and once more outside, where nobody is known.
        .layer(middleware::from_fn_with_state(site.clone(), as_page))
        .layer(middleware::from_fn_with_state(site.clone(), identify))
        .layer(middleware::from_fn(move |request, next| {
            in_a_task(Arc::clone(&at_once), request, next)
        }))
        .layer(middleware::from_fn_with_state(site.clone(), move |State(site), request, next| {
            whole(site, Arc::clone(&bodies), request, next)
        }))
        .layer(CsrfLayer::new().with_rejection_response(|_| another_site()));
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .method_not_allowed_fallback(no_such_method)
        .merge(asked)
        .merge(pages::files())
        .layer(middleware::from_fn_with_state(site.clone(), as_page))
        .layer(middleware::map_response(retry_later))
        .layer(header_of(header::CACHE_CONTROL, "no-store"))
        .layer(header_of(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header_of(header::X_FRAME_OPTIONS, "DENY"))
        .layer(header_of(header::REFERRER_POLICY, "same-origin"))
        .layer(header_of(header::CONTENT_SECURITY_POLICY, POLICY_OF_DATA))
        .with_state(site)
}

/// Of what is data nothing is shown or run.
const POLICY_OF_DATA: &str =
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Pages are made of our own files, and of nothing that stands in them.
const POLICY_OF_PAGES: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; style-src 'self'; \
     script-src 'self'; img-src 'self'; connect-src 'self'";

fn header_of(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

/// Says after how many seconds it may be tried again what could not be answered now.
async fn retry_later(mut answer: Response) -> Response {
    if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    answer
}

fn another_site() -> Response {
    Problem::new(StatusCode::FORBIDDEN, "a page of another site asks: this is not done")
        .into_response()
}

/// Lets those pass who are known: nobody else hears what there is.
async fn known(request: Request, next: Next) -> Response {
    match request.extensions().get::<Arc<Caller>>() {
        None => Problem::nobody().into_response(),
        Some(_) => next.run(request).await,
    }
}

/// Leads those who are not known to where they log in.
async fn visitor(request: Request, next: Next) -> Response {
    if request.extensions().get::<Arc<Caller>>().is_some() {
        return next.run(request).await;
    }
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    // What was sent is lost, but not the place from which.
    let path = match *request.method() {
        Method::GET => path,
        _ => referer(request.headers()).unwrap_or_else(|| "/".to_owned()),
    };
    let path = utf8_percent_encode(&path, NON_ALPHANUMERIC);
    Redirect::to(&format!("/login?next={path}")).into_response()
}

/// Receives what is sent before it is anybody's turn: a client that sends slowly holds up no other.
async fn whole(site: Site, bodies: Arc<Semaphore>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    // Of small ones there may be as many as connections.
    let is_small = request.body().size_hint().upper().is_some_and(|size| size <= SMALL_BODY);
    let place = match is_small {
        true => None,
        false => match place_of_known(site, &bodies, request.headers().clone()).await {
            Ok(place) => Some(place),
            Err(problem) => return problem.into_response(),
        },
    };
    let (parts, body) = request.into_parts();
    let received = tokio::time::timeout(SENDING, to_bytes(body, LONGEST_BODY)).await;
    drop(place);
    let problem = match received {
        Ok(Ok(body)) => return next.run(Request::from_parts(parts, body.into())).await,
        Ok(Err(error)) if is_too_long(&error) => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is longer than 1 MiB")
        }
        Ok(Err(_)) => Problem::bad("the body broke off"),
        Err(_) => Problem::new(StatusCode::REQUEST_TIMEOUT, "the body was not sent within 10 s"),
    };
    problem.into_response()
}

/// A place for a large body: nobody who is not known holds one.
async fn place_of_known(
    site: Site,
    bodies: &Semaphore,
    headers: HeaderMap,
) -> Result<SemaphorePermit<'_>, Problem> {
    // In a task, so that a client that goes away does not break off what the database is asked.
    let caller = tokio::spawn(async move { caller(&site, &headers).await });
    let caller = caller.await.map_err(|error| bug(&error))??;
    caller.ok_or_else(Problem::nobody)?;
    let too_much = |_| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too much is sent at once");
    bodies.try_acquire().map_err(too_much)
}

fn bug(error: &JoinError) -> Problem {
    tracing::error!("bug: an answer panicked: {error}");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "a bug, see the log")
}

fn is_too_long(error: &axum::Error) -> bool {
    error.source().is_some_and(<dyn Error>::is::<LengthLimitError>)
}

/// What is wrong as a page, for a browser that is not at the API.
async fn as_page(State(site): State<Site>, request: Request, next: Next) -> Response {
    let accepted = request.headers().get(header::ACCEPT).map(HeaderValue::as_bytes);
    let is_for_people = accepted.is_some_and(|kinds| kinds.starts_with(b"text/html"))
        && !request.uri().path().starts_with("/api/");
    if !is_for_people {
        return next.run(request).await;
    }
    let (mut asked, body) = request.into_parts();
    let Ok(frame) = Frame::from_request_parts(&mut asked, &site).await;
    let answer = next.run(Request::from_parts(asked, body)).await;
    if answer.status() == StatusCode::METHOD_NOT_ALLOWED && frame.is_read {
        return to_what_it_is_of(&frame.path);
    }
    let kind = answer.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_page = kind.is_some_and(|kind| kind.starts_with(b"text/html"));
    let is_wrong = answer.status().is_client_error() || answer.status().is_server_error();
    if !is_wrong || is_page {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let said = to_bytes(body, LONGEST_BODY).await.unwrap_or_default();
    let detail = Problem::detail_of(&said).unwrap_or_else(|| String::from_utf8_lossy(&said).into());
    let page = frame.problem(&Problem::new(parts.status, detail));
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.extend(page.headers().clone());
    parts
        .headers
        .insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY_OF_PAGES));
    Response::from_parts(parts, page.into_body())
}

/// What is only done and not shown, as by a page that was asked for again, leads to what it is done with.
fn to_what_it_is_of(path: &str) -> Response {
    let path = path.split('?').next().unwrap_or_default();
    let (of, _) = path.rsplit_once('/').unwrap_or_default();
    Redirect::to(if of.is_empty() { "/" } else { of }).into_response()
}

/// Answers whether the client waits or not: a call to the database must not be dropped half way.
async fn in_a_task(at_once: Arc<Semaphore>, request: Request, next: Next) -> Response {
    let Ok(Ok(turn)) = tokio::time::timeout(PATIENCE, at_once.acquire_owned()).await else {
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too much is asked at once")
            .into_response();
    };
    let answered = tokio::spawn(async move {
        let answer = next.run(request).await;
        drop(turn);
        answer
    });
    answered.await.unwrap_or_else(|error| bug(&error).into_response())
}

async fn nothing_here(uri: Uri) -> Problem {
    let is_of_programs = ["/api/", "/assassin/"].iter().any(|of| uri.path().starts_with(of));
    let said = if is_of_programs { "nothing is answered here, see /openapi.json" } else { NO_PAGE };
    Problem::new(StatusCode::NOT_FOUND, said)
}

const NO_PAGE: &str = "there is no such page; it may have been of a task that is deleted";

async fn no_such_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "the route has no such method, see /openapi.json")
}
