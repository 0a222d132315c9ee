//! Which calls are made again, and when.

use std::{sync::atomic::Ordering, time::Duration};

use scheduler_core::{
    clock,
    http::{Http, HttpError, Method, Outgoing},
};
use wiremock::ResponseTemplate;

use crate::support::{answers, closing, nowhere, real_run, received, run, statuses};

/// How often `call` reaches a server that is always busy.
async fn reaches(call: impl FnOnce(&Http, &str) -> Outgoing) -> usize {
    let server = statuses(&[503; 9]).await;
    let error = call(&run().http(), &server.uri()).send().await.expect_err("it is busy");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(503));
    received(&server).await.len()
}

#[tokio::test]
async fn a_busy_server_is_asked_four_times_where_that_is_safe() {
    assert_eq!(reaches(Http::get).await, 4);
    assert_eq!(reaches(Http::put).await, 4);
    assert_eq!(reaches(Http::delete).await, 4);
    assert_eq!(reaches(|http, url| http.request(Method::HEAD, url)).await, 4);
    assert_eq!(reaches(|http, url| http.request(Method::OPTIONS, url)).await, 4);
    assert_eq!(reaches(|http, url| http.post(url).idempotent()).await, 4);
    assert_eq!(reaches(Http::post).await, 1);
    assert_eq!(reaches(Http::patch).await, 1);
    assert_eq!(reaches(|http, url| http.clone().retries(1).get(url)).await, 2);
    assert_eq!(reaches(|http, url| http.clone().retries(0).get(url)).await, 1);
}

#[tokio::test]
async fn an_idempotent_call_is_made_again_until_it_is_answered() {
    for status in [429, 502, 503, 504] {
        let server = statuses(&[status, status, status, 200]).await;
        let answer = run().http().get(&server.uri()).send().await;
        assert_eq!(answer.expect("it is answered").status(), 200);
        assert_eq!(received(&server).await.len(), 4, "{status}");
    }
}

#[tokio::test]
async fn an_answer_that_another_attempt_would_not_change_is_final() {
    for status in [400, 401, 404, 409, 500, 501] {
        let server = statuses(&[status, 200]).await;
        let error = run().http().get(&server.uri()).send().await.expect_err("it is refused");
        assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
        assert_eq!(received(&server).await.len(), 1);
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_made_again_unless_the_request_may_have_had_its_effect() {
    let (url, calls) = closing();
    let error = run().http().get(&url).send().await.expect_err("it closes");
    assert!(matches!(error, HttpError::Broken { .. }), "{error:?}");
    assert_eq!(calls.load(Ordering::SeqCst), 4);
    let (url, calls) = closing();
    let error = run().http().post(&url).send().await.expect_err("it closes");
    assert!(matches!(error, HttpError::Broken { .. }), "{error:?}");
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn where_nobody_listens_a_post_is_tried_again_after_a_wait() {
    let (ctx, _) = real_run();
    let began = clock::mono();
    let call = ctx.http().retries(1).post(&nowhere()).json("body").send();
    let error = call.await.expect_err("nobody listens");
    assert!(matches!(error, HttpError::Connect { .. }), "{error:?}");
    let took = clock::mono() - began;
    assert!(took >= Duration::from_millis(200), "it waited {took:?}");
}

#[tokio::test]
async fn a_post_that_was_redirected_to_where_nobody_listens_has_been_received() {
    let elsewhere = ResponseTemplate::new(303).insert_header("location", nowhere());
    let server = answers([elsewhere.clone(), elsewhere.clone(), elsewhere]).await;
    let error = run().http().post(&server.uri()).send().await.expect_err("nobody listens");
    assert!(matches!(error, HttpError::Broken { .. }), "{error:?}");
    assert_eq!(received(&server).await.len(), 1);
}

#[tokio::test]
async fn a_server_that_says_when_is_asked_then() {
    let busy = ResponseTemplate::new(429).insert_header("retry-after", "1");
    let server = answers([busy, ResponseTemplate::new(200)]).await;
    let (ctx, _) = real_run();
    let began = clock::mono();
    ctx.http().get(&server.uri()).send().await.expect("it is answered");
    let took = clock::mono() - began;
    assert!(took >= Duration::from_secs(1), "it waited {took:?}");
}

#[tokio::test]
async fn a_server_that_wants_more_than_a_minute_is_not_asked_again() {
    let busy = ResponseTemplate::new(429).insert_header("retry-after", "61");
    let server = answers([busy]).await;
    let error = run().http().get(&server.uri()).send().await.expect_err("it is busy");
    let HttpError::Status { retry_after, .. } = error else { panic!("{error:?}") };
    assert_eq!(retry_after, Some(Duration::from_secs(61)));
    assert_eq!(received(&server).await.len(), 1);
}
