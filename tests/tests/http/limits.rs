//! How long a call may take, and how long its answer may be.

use std::time::Duration;

use scheduler_core::{
    Context, Request, chrono::TimeDelta, clock, http::HttpError, job::ContextParts,
};
use wiremock::ResponseTemplate;

use crate::support::{answers, parts, real_run, received, run, silent, statuses};

const SOON: Duration = Duration::from_millis(100);

/// The error of `call`, which must come long before any other limit.
async fn soon<T>(call: impl Future<Output = Result<T, HttpError>>) -> HttpError {
    let began = clock::mono();
    let error = call.await.err().expect("it is not answered");
    let took = clock::mono() - began;
    assert!(took < Duration::from_secs(4), "it took {took:?}");
    error
}

#[tokio::test]
async fn a_server_that_hangs_costs_the_time_out_and_is_not_asked_again() {
    let (server, url) = silent();
    let error = soon(run().http().timeout(SOON).get(&url).send()).await;
    let HttpError::Timeout { after, .. } = error else { panic!("{error:?}") };
    assert_eq!(after, SOON);
    assert_eq!(error.to_string(), format!("GET {url}/: no answer within 100ms"));
    server.set_nonblocking(true).expect("it is a socket");
    let calls = std::iter::from_fn(|| server.accept().ok()).count();
    assert_eq!(calls, 1);
}

#[derive(Request)]
#[request(GET, "/slow", timeout = "100ms")]
struct Slow {}

#[tokio::test]
async fn a_declared_time_out_counts_unless_the_call_has_its_own() {
    let (_server, url) = silent();
    let error = soon(run().http().send_to(&url, &Slow {})).await;
    assert!(matches!(error, HttpError::Timeout { after: SOON, .. }), "{error:?}");
    let longer = Duration::from_millis(150);
    let error = soon(run().http().timeout(longer).send_to(&url, &Slow {})).await;
    assert!(matches!(error, HttpError::Timeout { after, .. } if after == longer), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_never_ends_is_late_as_well() {
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(60));
    let server = answers([slow]).await;
    let error = soon(run().http().timeout(SOON).get(&server.uri()).send()).await;
    assert!(matches!(error, HttpError::Timeout { .. }), "{error:?}");
}

/// A run that ends in `left`.
fn ending_in(left: TimeDelta) -> Context {
    Context::new(ContextParts { deadline: Some(clock::wall() + left), ..ContextParts::default() })
}

#[tokio::test]
async fn no_call_goes_on_beyond_the_deadline_of_the_run() {
    let (_server, url) = silent();
    let error = soon(ending_in(TimeDelta::milliseconds(100)).http().get(&url).send()).await;
    assert!(matches!(error, HttpError::Deadline { .. }), "{error:?}");
    assert!(error.to_string().ends_with("no answer before the deadline of the run"), "{error}");
}

#[tokio::test]
async fn after_the_deadline_nothing_is_sent() {
    let server = statuses(&[200]).await;
    let error = soon(ending_in(TimeDelta::seconds(-1)).http().get(&server.uri()).send()).await;
    assert!(matches!(error, HttpError::Deadline { .. }), "{error:?}");
    assert_eq!(received(&server).await.len(), 0);
}

#[tokio::test]
async fn a_wait_that_would_end_after_the_deadline_is_not_begun() {
    let busy = ResponseTemplate::new(503).insert_header("retry-after", "30");
    let server = answers([busy, ResponseTemplate::new(200)]).await;
    let error = soon(ending_in(TimeDelta::seconds(20)).http().get(&server.uri()).send()).await;
    assert_eq!(error.status().map(|status| status.as_u16()), Some(503), "the last error is told");
    assert_eq!(received(&server).await.len(), 1);
}

#[tokio::test]
async fn a_deadline_is_kept_by_the_monotonic_clock() {
    let parts = parts();
    let clock = parts.clock.clone();
    let deadline = Some(clock.wall() + TimeDelta::minutes(1));
    let ctx = Context::new(ContextParts { deadline, ..parts });
    clock.step(TimeDelta::hours(1));
    let server = statuses(&[200]).await;
    ctx.http().get(&server.uri()).send().await.expect("there is time left");
}

#[tokio::test]
async fn a_stop_ends_a_call_and_a_wait_at_once() {
    let (_server, url) = silent();
    let busy = ResponseTemplate::new(503).insert_header("retry-after", "60");
    let busy = answers([busy]).await;
    for url in [url, busy.uri()] {
        let (ctx, stop) = real_run();
        let (http, called) = (ctx.http(), url.clone());
        let call = tokio::spawn(async move { http.get(&called).send().await });
        // Of the busy server it is known when the call has come to its wait, or is about to.
        while url == busy.uri() && received(&busy).await.is_empty() {
            tokio::task::yield_now().await;
        }
        stop.cancel();
        let error = soon(async { call.await.expect("it does not panic") }).await;
        assert!(matches!(error, HttpError::Stopped { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn after_a_stop_only_what_tidies_up_is_sent() {
    let server = statuses(&[200]).await;
    let (ctx, stop) = real_run();
    stop.cancel();
    let error = soon(ctx.http().get(&server.uri()).send()).await;
    assert!(matches!(error, HttpError::Stopped { .. }), "{error:?}");
    ctx.http().despite_stop().get(&server.uri()).send().await.expect("it is answered");
    assert_eq!(received(&server).await.len(), 1);
}

#[tokio::test]
async fn an_answer_is_read_up_to_its_limit() {
    let server =
        answers(["12345", "123456"].map(|b| ResponseTemplate::new(200).set_body_string(b))).await;
    let http = run().http().max_body_bytes(5);
    let answer = http.get(&server.uri()).send().await.expect("five bytes are allowed");
    assert_eq!(answer.bytes(), b"12345");
    let error = http.get(&server.uri()).send().await.expect_err("six are not");
    assert!(error.to_string().ends_with("the answer is longer than 5 bytes"), "{error}");
}

#[tokio::test]
async fn an_answer_of_more_than_ten_mebibytes_needs_a_higher_limit() {
    let long = || ResponseTemplate::new(200).set_body_bytes(vec![b'x'; 10 * 1024 * 1024 + 1]);
    let server = answers([long(), long()]).await;
    let error = run().http().get(&server.uri()).send().await.expect_err("it is too long");
    assert!(matches!(error, HttpError::TooLong { max_bytes: 10_485_760, .. }), "{error:?}");
    let http = run().http().max_body_bytes(usize::MAX);
    let answer = http.get(&server.uri()).send().await.expect("it is allowed");
    assert_eq!(answer.into_bytes().len(), 10 * 1024 * 1024 + 1);
}

#[tokio::test]
async fn five_redirects_are_followed_and_the_sixth_is_not() {
    for (redirects, is_answered) in [(5, true), (6, false)] {
        let on = ResponseTemplate::new(302).insert_header("location", "/next");
        let server =
            answers(vec![on; redirects].into_iter().chain([ResponseTemplate::new(200)])).await;
        let answer = run().http().get(&server.uri()).send().await;
        match answer {
            Ok(answer) => assert!(is_answered && answer.status() == 200),
            Err(error) => {
                assert!(!is_answered && matches!(error, HttpError::Redirect { .. }), "{error:?}");
            }
        }
    }
}
