//! What an error tells, and what it never tells.

use scheduler_core::{Request, http::HttpError};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use crate::support::{answers, closing, nowhere, run, silent, told};

const SECRET: &str = "hunter2-secret";

/// `http://user:SECRET@host`.
fn with_user(url: &str) -> String {
    url.replacen("http://", &format!("http://user:{SECRET}@"), 1)
}

#[derive(Request, Default)]
#[request(GET, "/keys/{token}", timeout = "100ms")]
struct Keyed<'a> {
    #[request(path)]
    token: &'a str,
    #[request(query)]
    key: &'a str,
    #[request(header)]
    x_api_key: &'a str,
}

/// The error of a free and of a declared call that hold the secret wherever a secret may stand.
async fn errors(url: &str) -> [HttpError; 2] {
    let http = run().http().timeout(std::time::Duration::from_millis(300)).max_body_bytes(5);
    let (free, url) = (format!("{}/path?key={SECRET}#{SECRET}", with_user(url)), with_user(url));
    let request = Keyed { token: SECRET, key: SECRET, x_api_key: SECRET };
    let free = http.get(&free).header("x-api-key", SECRET).send().await;
    let declared = http.send_to(&url, &request).await;
    [free.expect_err("it fails"), declared.expect_err("it fails")]
}

/// A server whose every answer is this one.
async fn always(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

#[tokio::test]
async fn a_secret_stands_in_no_text_of_an_error() {
    let (_silent, silent) = silent();
    let echoes = format!("no such page: /path?key={SECRET}");
    let refusing = always(ResponseTemplate::new(404).set_body_string(echoes)).await;
    let long = always(ResponseTemplate::new(200).set_body_string("123456")).await;
    let to = |to: &str| ResponseTemplate::new(302).insert_header("location", to);
    let circle = always(to(&format!("/path?key={SECRET}"))).await;
    let odd = always(to(&format!("ftp://user:{SECRET}@host/{SECRET}"))).await;
    let broken = always(to(&format!("http://[{SECRET}"))).await;
    let away = always(to(&format!("{}/?key={SECRET}", nowhere()))).await;
    let odd_scheme = "http://".to_owned();
    for url in [
        silent,
        nowhere(),
        closing().0,
        refusing.uri(),
        long.uri(),
        circle.uri(),
        odd.uri(),
        broken.uri(),
        away.uri(),
        odd_scheme,
        "http://host:port".to_owned(),
    ] {
        for error in errors(&url).await {
            let texts = [format!("{error:?}"), told(error)];
            assert!(texts.iter().all(|text| !text.contains(SECRET)), "{url}: {texts:#?}");
        }
    }
    let error = run().http().get(&format!("ftp://user:{SECRET}@host/")).send().await;
    assert!(!told(error.expect_err("no such scheme")).contains(SECRET));
}

#[tokio::test]
async fn a_refusal_tells_method_address_status_and_how_the_answer_begins() {
    let refusal = || ResponseTemplate::new(422).set_body_string("{\"error\":\r\n\"no such user\"}");
    let server = answers([refusal(), refusal()]).await;
    let uri = server.uri();
    let [free, declared] = errors(&uri).await.map(told);
    let answer = "answered 422 Unprocessable Entity: {\"error\":\\r\\n\"no such user\"}";
    assert_eq!(free, format!("GET {uri}/path: {answer}"));
    assert_eq!(declared, format!("GET /keys/{{token}} at {uri}: {answer}"));
}

#[tokio::test]
async fn a_long_refusal_is_cut_and_an_empty_one_leaves_no_trace() {
    let long = ResponseTemplate::new(400).set_body_string("x".repeat(100_000));
    let server = answers([long, ResponseTemplate::new(400)]).await;
    let [long, empty] = errors(&server.uri()).await.map(told);
    assert!(long.ends_with(&format!(": {}…", "x".repeat(512))), "{long}");
    assert!(empty.ends_with("answered 400 Bad Request"), "{empty}");
}

#[tokio::test]
async fn what_cannot_be_sent_is_told_without_sending_it() {
    #[track_caller]
    fn check(error: Result<scheduler_core::http::Response, HttpError>, expected: &str) {
        let error = told(error.expect_err("it cannot be sent"));
        assert!(error.contains(expected), "{error}");
    }
    let http = run().http();
    check(
        http.get("/users").send().await,
        "GET: the request cannot be sent: its address cannot be read (relative URL without a base)",
    );
    check(
        http.send_to("", &Keyed { token: "1", ..Keyed::default() }).await,
        "GET /keys/{token}: the request cannot be sent: its address cannot be read",
    );
    check(
        http.post("http://localhost/").header("x-key", "a\nb").send().await,
        "POST http://localhost/: the request cannot be sent: builder error",
    );
    let key = Keyed { token: "1", x_api_key: "a\nb", ..Keyed::default() };
    check(
        http.send_to("http://localhost", &key).await,
        "header value `x-api-key` holds control characters, expected printable text",
    );
}
