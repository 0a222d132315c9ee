//! What every call carries.

use std::collections::HashSet;

use scheduler_core::{Request, http::HttpError, plan::execution::span_id};
use wiremock::ResponseTemplate;

use crate::support::{TRACE_ID, answers, received, run, statuses};

#[tokio::test]
async fn every_attempt_carries_the_trace_id_and_names_the_span_of_the_run() {
    let server = statuses(&[503, 503, 200]).await;
    run().http().get(&server.uri()).send().await.expect("it is answered");
    let calls = received(&server).await;
    assert_eq!(calls.len(), 3);
    let span_id = span_id(TRACE_ID).expect("it is a trace id");
    for call in &calls {
        assert_eq!(call.headers["x-trace-id"], TRACE_ID);
        assert_eq!(call.headers["traceparent"], format!("00-{TRACE_ID}-{span_id}-01"));
    }
}

#[tokio::test]
async fn a_header_of_the_request_itself_is_kept() {
    let server = statuses(&[200]).await;
    let request = run().http().post(&server.uri()).idempotent();
    let request = request.header("X-Trace-Id", "mine").header("Idempotency-Key", "mine, too");
    request.send().await.expect("it is answered");
    let call = &received(&server).await[0];
    assert_eq!(call.headers.get_all("x-trace-id").iter().collect::<Vec<_>>(), ["mine"]);
    assert_eq!(call.headers.get_all("idempotency-key").iter().collect::<Vec<_>>(), ["mine, too"]);
}

#[derive(Request)]
#[request(POST, "/payments/{id}", idempotent)]
struct Pay {
    #[request(path)]
    id: u8,
    #[request(json)]
    amount: u32,
}

#[tokio::test]
async fn an_idempotent_request_keeps_its_key_and_another_has_its_own() -> Result<(), HttpError> {
    let server = statuses(&[503, 200, 200, 200, 200]).await;
    let ctx = run();
    for request in [Pay { id: 1, amount: 5 }, Pay { id: 1, amount: 6 }, Pay { id: 2, amount: 5 }] {
        ctx.http().send_to(&server.uri(), &request).await?;
    }
    // The next attempt of the job at the same instant.
    run().http().send_to(&server.uri(), &Pay { id: 1, amount: 5 }).await?;
    let calls = received(&server).await;
    let keys: Vec<&str> = calls
        .iter()
        .map(|call| call.headers["idempotency-key"].to_str().expect("it is text"))
        .collect();
    assert_eq!(keys.len(), 5);
    assert_eq!((keys[0], keys[0]), (keys[1], keys[4]), "the same request");
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), 3, "another request");
    let of_the_run = format!("{}:", ctx.idempotency_key());
    assert!(keys.iter().all(|key| key.starts_with(&of_the_run)), "{keys:?}");
    Ok(())
}

#[tokio::test]
async fn a_request_that_is_not_called_idempotent_has_no_key() {
    let server = statuses(&[200, 200]).await;
    run().http().get(&server.uri()).send().await.expect("it is answered");
    run().http().post(&server.uri()).send().await.expect("it is answered");
    assert!(
        received(&server).await.iter().all(|call| !call.headers.contains_key("idempotency-key"))
    );
}

#[tokio::test]
async fn the_next_host_of_a_redirect_is_not_told_where_it_comes_from() {
    let second = statuses(&[200]).await;
    let to_second = ResponseTemplate::new(302).insert_header("location", second.uri());
    let first = answers([to_second]).await;
    let url = format!("{}/?key=hunter2", first.uri());
    let request = run().http().get(&url).with(|request| request.bearer_auth("token-1"));
    request.send().await.expect("it is answered");
    let call = &received(&second).await[0];
    assert!(!call.headers.contains_key("referer"), "{:?}", call.headers);
    assert!(!call.headers.contains_key("authorization"), "{:?}", call.headers);
    assert_eq!(call.headers["x-trace-id"], TRACE_ID);
}
