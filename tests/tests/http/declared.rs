//! What a declared request sends, and how its answer is read.

use std::collections::BTreeMap;

use scheduler_core::{
    Request,
    http::{HttpError, Method, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wiremock::{MockServer, ResponseTemplate};

use crate::support::{answers, received, run, told};

#[derive(Request)]
#[request(POST, "https://api.example.com/users/{id}/mails", answer = Sent)]
struct SendMail<'a> {
    #[request(path)]
    id: u64,
    #[request(query)]
    dry_run: Option<bool>,
    #[request(json)]
    subject: &'a str,
    #[request(json, name = "to")]
    recipients: Vec<String>,
    #[request(json)]
    reply_to: Option<&'a str>,
    #[request(json)]
    options: Options,
    #[request(header)]
    x_api_key: &'a str,
}

#[derive(Serialize, Default)]
struct Options {
    priority: u8,
}

#[derive(Deserialize, Debug, PartialEq)]
struct Sent {
    mail_id: u64,
}

fn mail() -> SendMail<'static> {
    SendMail {
        id: 7,
        dry_run: None,
        subject: "Hello",
        recipients: vec!["a@example.com".to_owned(), "b@example.com".to_owned()],
        reply_to: None,
        options: Options::default(),
        x_api_key: "key-1",
    }
}

async fn sent() -> MockServer {
    answers([ResponseTemplate::new(201).set_body_json(json!({ "mail_id": 5, "more": 1 }))]).await
}

#[tokio::test]
async fn every_value_goes_where_its_field_says_and_none_is_left_out() {
    let server = sent().await;
    let answer = run().http().send_to(&server.uri(), &mail()).await.expect("it is answered");
    assert_eq!(answer, Sent { mail_id: 5 });
    let call = &received(&server).await[0];
    assert_eq!(call.method.as_str(), "POST");
    assert_eq!((call.url.path(), call.url.query()), ("/users/7/mails", None));
    assert_eq!(call.headers["content-type"], "application/json");
    assert_eq!(call.headers["x-api-key"], "key-1");
    let body: Value = call.body_json().expect("the body is JSON");
    let to = ["a@example.com", "b@example.com"];
    assert_eq!(body, json!({ "subject": "Hello", "to": to, "options": { "priority": 0 } }));
}

#[tokio::test]
async fn what_an_option_holds_is_sent() {
    let server = sent().await;
    let request = SendMail { dry_run: Some(true), reply_to: Some("c@example.com"), ..mail() };
    run().http().send_to(&format!("{}/v2/", server.uri()), &request).await.expect("it is answered");
    let call = &received(&server).await[0];
    assert_eq!((call.url.path(), call.url.query()), ("/v2/users/7/mails", Some("dry_run=true")));
    let body: Value = call.body_json().expect("the body is JSON");
    assert_eq!(body["reply_to"], "c@example.com");
}

#[derive(Request)]
#[request(GET, "/a/{id}/b")]
struct Look<T> {
    #[request(path)]
    id: T,
    #[request(query)]
    page: Option<Vec<T>>,
    #[request(query)]
    r#type: Option<T>,
}

#[tokio::test]
async fn a_hostile_value_of_the_path_stays_one_segment() {
    for id in ["../admin", "a/b?x=1#y", "%2e%2e", "\r\nhost: evil", "日本 ;=", "a\\b", "{id}"] {
        let server = answers([ResponseTemplate::new(200)]).await;
        let request = Look { id, page: None, r#type: None };
        run().http().send_to(&server.uri(), &request).await.expect("it is answered");
        let call = &received(&server).await[0];
        let segments: Vec<&str> = call.url.path_segments().expect("it has a path").collect();
        let [a, value, b] = segments[..] else { panic!("{id:?} became {segments:?}") };
        assert_eq!((a, b, call.url.query()), ("a", "b", None), "{id:?}");
        let decoded: Vec<u8> = decode(value);
        assert_eq!(decoded, id.as_bytes(), "{id:?}");
    }
}

/// The bytes of a segment.
fn decode(segment: &str) -> Vec<u8> {
    let mut pieces = segment.split('%');
    let mut bytes = pieces.next().expect("a split has a first piece").as_bytes().to_vec();
    for piece in pieces {
        bytes.push(u8::from_str_radix(&piece[..2], 16).expect("two digits follow"));
        bytes.extend(piece[2..].bytes());
    }
    bytes
}

#[tokio::test]
async fn a_value_that_would_mean_another_path_is_refused_and_nothing_sent() {
    for (id, expected) in [
        ("", "path value `id` is empty, expected at least one character"),
        (".", "the path has a segment that is \".\", which means another path"),
        ("..", "the path has a segment that is \"..\", which means another path"),
    ] {
        let server = answers([]).await;
        let request = Look { id, page: None, r#type: None };
        let error = run().http().send_to(&server.uri(), &request).await.expect_err(id);
        assert!(matches!(error, HttpError::Invalid { .. }), "{error:?}");
        let call = format!("GET /a/{{id}}/b at {}", server.uri());
        assert_eq!(told(error), format!("{call}: the request cannot be sent: {expected}"));
        assert_eq!(received(&server).await.len(), 0);
    }
}

#[tokio::test]
async fn a_list_in_the_query_is_there_once_for_each_of_its_values() {
    let server = answers([ResponseTemplate::new(200)]).await;
    let request = Look { id: "1", page: Some(vec!["a b", "c&d"]), r#type: Some("ü") };
    run().http().send_to(&server.uri(), &request).await.expect("it is answered");
    let query = received(&server).await[0].url.query().map(str::to_owned);
    assert_eq!(query.as_deref(), Some("page=a+b&page=c%26d&type=%C3%BC"));
}

#[derive(Request)]
#[request(PATCH, "", answer = Option<u8>)]
struct Save<'a> {
    #[request(form)]
    name: &'a str,
    #[request(form, name = "tag")]
    tags: [i8; 2],
    #[request(form)]
    note: Option<String>,
}

#[tokio::test]
async fn a_form_goes_to_the_address_itself_and_an_empty_answer_is_none() {
    let server = answers([ResponseTemplate::new(204)]).await;
    let request = Save { name: "a&b", tags: [-1, 2], note: None };
    let url = format!("{}/hook/?key=1", server.uri());
    assert_eq!(run().http().send_to(&url, &request).await.expect("it is answered"), None);
    let call = &received(&server).await[0];
    assert_eq!((call.url.path(), call.url.query()), ("/hook/", Some("key=1")));
    assert_eq!(call.headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(String::from_utf8_lossy(&call.body), "name=a%26b&tag=-1&tag=2");
}

#[derive(Request)]
#[request(POST, "/x")]
struct Odd<T> {
    #[request(query)]
    value: Option<T>,
    #[request(json)]
    body: Option<T>,
}

#[tokio::test]
async fn a_body_whose_values_are_all_left_out_is_an_empty_object() {
    let server = answers([ResponseTemplate::new(200).set_body_string("ok")]).await;
    let request = Odd::<u8> { value: None, body: None };
    let answer: Response = run().http().send_to(&server.uri(), &request).await.expect("answered");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().expect("it is text"), "ok");
    assert_eq!(received(&server).await[0].body, b"{}");
}

#[tokio::test]
async fn a_value_that_has_no_form_in_its_place_is_named() {
    let request = Odd { value: Some(BTreeMap::from([("a", 1)])), body: None };
    let error = run().http().send_to("http://localhost", &request).await.expect_err("no text");
    let expected = "query value `value` holds an object, expected a text, a number or a bool";
    assert!(told(error).ends_with(expected));
}

#[tokio::test]
async fn an_answer_that_is_not_the_declared_one_is_an_error() {
    let server = answers([ResponseTemplate::new(200).set_body_string("<html>")]).await;
    let error = run().http().send_to(&server.uri(), &mail()).await.expect_err("no JSON");
    assert!(matches!(error, HttpError::Unreadable { .. }), "{error:?}");
    let told = told(error);
    assert!(
        told.contains("the answer is not what was expected: expected value at line 1"),
        "{told}"
    );
}

#[test]
fn a_request_is_what_its_struct_says() {
    use scheduler_core::http::Addressed;
    assert_eq!(SendMail::METHOD, Method::POST);
    assert_eq!(SendMail::HOST, "https://api.example.com");
    assert_eq!(SendMail::PATH, "/users/{id}/mails");
    assert_eq!((SendMail::TIMEOUT, SendMail::IS_IDEMPOTENT), (None, false));
}
