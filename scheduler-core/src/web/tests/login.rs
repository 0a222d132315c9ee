//! Who is let in, and for how long.

use std::{net::IpAddr, sync::LazyLock};

use chrono::TimeDelta;
use tokio::task::JoinSet;

use super::*;
use crate::{
    clock,
    config::hash_password,
    store::Store as _,
    web::{access::Peer, make_link},
};

const PASSWORD: &str = "correct horse";

/// Made once: it takes its time.
static HASH: LazyLock<String> = LazyLock::new(|| hash_password(PASSWORD));

pub(super) fn user(role: Role) -> User {
    let access = Access { role, tasks: vec!["*".to_owned()] };
    User { password_hash: HASH.as_str().into(), access }
}

fn users(names: &[&str]) -> BTreeMap<String, User> {
    names.iter().map(|name| ((*name).to_owned(), user(Role::Operator))).collect()
}

/// Tables in memory whose clock shows what ours does.
fn memory() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(clock::wall()))
}

fn asker(memory: &Arc<MemoryStore>, names: &[&str]) -> Asker {
    Asker::with(Arc::clone(memory) as SharedStore, users(names))
}

/// A form as a browser sends it, with these cookies, from this address.
fn sent(from: &str, path: &str, form: &str, cookies: &str) -> Request<Body> {
    let from: IpAddr = from.parse().unwrap();
    let request = Request::builder().method("POST").uri(path).extension(Peer(from));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let request = request.header("sec-fetch-site", "same-origin");
    request.header("cookie", cookies).body(Body::from(form.to_owned())).unwrap()
}

async fn send(asker: &Asker, from: &str, path: &str, form: &str, cookies: &str) -> HtmlAnswer {
    html(asker.router.clone().oneshot(sent(from, path, form, cookies)).await.unwrap()).await
}

/// Logs in, and gives the cookie; empty if none was given.
async fn enter(asker: &Asker, name: &str, password: &str) -> (StatusCode, String) {
    let form = format!("name={name}&password={}", password.replace(' ', "+"));
    let answer = send(asker, "192.0.2.1", "/login", &form, "").await;
    (answer.status, answer.cookie())
}

#[tokio::test]
async fn nothing_is_done_for_a_cookie_that_comes_from_no_page() {
    let asker = asker(&memory(), &["ann"]);
    let (_, cookie) = enter(&asker, "ann", PASSWORD).await;
    let ask = async |method, sent: Option<(&str, &str)>| {
        let request = Request::builder().method(method).uri("/api/v1/tasks/9/enable");
        let request = request.header("cookie", &cookie).header("host", "scheduler.example");
        let request =
            sent.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        asker.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
    };
    assert_eq!(ask("POST", None).await, StatusCode::FORBIDDEN);
    assert_eq!(ask("POST", Some(("sec-fetch-site", ""))).await, StatusCode::FORBIDDEN);
    for (name, value) in [("origin", "http://scheduler.example"), ("sec-fetch-site", "same-origin")]
    {
        assert_eq!(ask("POST", Some((name, value))).await, StatusCode::NOT_FOUND, "{name}");
    }
    assert_eq!(ask("GET", None).await, StatusCode::METHOD_NOT_ALLOWED);
}

/// Who asks, by this cookie.
async fn whoami(asker: &Asker, cookie: &str) -> Option<String> {
    let request = Request::builder().uri("/api/v1/whoami").header("cookie", cookie);
    let answer = asker.send(request.body(Body::empty()).unwrap()).await;
    answer.json["name"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn who_has_the_password_gets_a_session_until_he_logs_out() {
    let asker = asker(&memory(), &["ann"]);
    let form = "name=ann&password=correct+horse&next=%2Ftasks";
    let answer = send(&asker, "192.0.2.1", "/login", form, "").await;
    assert_eq!((answer.status, &*answer.location()), (StatusCode::SEE_OTHER, "/tasks"));
    let given = answer.headers["set-cookie"].to_str().unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(given.contains(part), "{given}");
    }
    let cookie = answer.cookie();
    assert!(cookie.len() >= "scheduler=".len() + 64, "{cookie}");
    assert_eq!(whoami(&asker, &cookie).await.as_deref(), Some("ann"));
    let left = send(&asker, "192.0.2.1", "/logout", "", &cookie).await;
    assert_eq!(&*left.location(), "/login");
    assert_eq!(whoami(&asker, &cookie).await, None, "it is shown again");
}

#[tokio::test]
async fn a_wrong_name_and_a_wrong_password_are_told_alike() {
    let asker = asker(&memory(), &["ann"]);
    let ask = async |form: &str| send(&asker, "192.0.2.1", "/login", form, "").await;
    let wrong = ask("name=ann&password=wrong").await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(!wrong.headers.contains_key("set-cookie"));
    let unknown = ask("name=bob&password=correct+horse").await;
    assert_eq!(unknown.status, StatusCode::UNAUTHORIZED);
    assert_eq!(wrong.text.replace("ann", "bob"), unknown.text);
    for form in
        ["", "name=ann", "password=correct+horse", "name=&password=", "name=admin&password=admin"]
    {
        assert_eq!(ask(form).await.cookie(), "", "{form}");
    }
}

#[tokio::test]
async fn who_fails_too_often_waits_and_nobody_else_does() {
    let asker = asker(&memory(), &["ann", "bob"]);
    let ask = async |from: &str, name: &str, password: &str| {
        let form = format!("name={name}&password={password}");
        send(&asker, from, "/login", &form, "").await.status
    };
    for _ in 0..5 {
        assert_eq!(ask("192.0.2.1", "ann", "wrong").await, StatusCode::UNAUTHORIZED);
    }
    let right = "correct+horse";
    assert_eq!(ask("192.0.2.1", "ann", right).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(ask("192.0.2.1", "bob", right).await, StatusCode::SEE_OTHER);
    assert_eq!(ask("192.0.2.2", "ann", right).await, StatusCode::SEE_OTHER);
    for name in 0..45 {
        let _ = ask("192.0.2.1", &format!("guess{name}"), "wrong").await;
    }
    assert_eq!(ask("192.0.2.1", "bob", right).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(ask("2001:db8::1", "bob", right).await, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn of_a_crowd_at_the_door_few_wait_and_the_others_are_told() {
    let asker = asker(&memory(), &["ann"]);
    let mut crowd = JoinSet::new();
    for number in 0..60 {
        let request = sent(&format!("192.0.2.{number}"), "/login", "name=ann&password=wrong", "");
        let router = asker.router.clone();
        crowd.spawn(async move { router.oneshot(request).await.unwrap().status() });
    }
    let answers = crowd.join_all().await;
    let count = |status| answers.iter().filter(|answer| **answer == status).count();
    let (tried, told) = (count(StatusCode::UNAUTHORIZED), count(StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(tried + told, 60, "{answers:?}");
    assert!(tried >= 8 && told >= 30, "{tried} were tried, {told} told to come again");
}

#[tokio::test]
async fn a_session_ends_when_nobody_comes_for_twelve_hours() {
    let memory = memory();
    let asker = asker(&memory, &["ann"]);
    let (_, cookie) = enter(&asker, "ann", PASSWORD).await;
    let now = memory.now().await.unwrap();
    memory.set_now(now + TimeDelta::hours(11));
    assert!(whoami(&asker, &cookie).await.is_some());
    memory.set_now(now + TimeDelta::hours(13));
    assert!(whoami(&asker, &cookie).await.is_none());
}

#[tokio::test]
async fn a_session_ends_with_its_user_and_with_his_password() {
    let memory = memory();
    let first = asker(&memory, &["ann"]);
    let (_, cookie) = enter(&first, "ann", PASSWORD).await;
    // Another node, which shares the tables.
    assert!(whoami(&asker(&memory, &["ann"]), &cookie).await.is_some());
    assert!(whoami(&asker(&memory, &["bob"]), &cookie).await.is_none());
    let other = User { password_hash: hash_password("another one").into(), ..user(Role::Admin) };
    let changed = BTreeMap::from([("ann".to_owned(), other)]);
    let changed = Asker::with(Arc::clone(&memory) as SharedStore, changed);
    assert!(whoami(&changed, &cookie).await.is_none());
}

#[tokio::test]
async fn a_login_gives_a_new_key_and_ends_the_session_before() {
    let asker = asker(&memory(), &["ann"]);
    let form = "name=ann&password=correct+horse";
    let planted = format!("scheduler={}", "0".repeat(64));
    let first = send(&asker, "192.0.2.1", "/login", form, &planted).await.cookie();
    assert_ne!(first, planted);
    assert!(whoami(&asker, &planted).await.is_none());
    let second = send(&asker, "192.0.2.1", "/login", form, &first).await.cookie();
    assert_ne!(first, second);
    assert!(whoami(&asker, &first).await.is_none());
    assert!(whoami(&asker, &second).await.is_some());
}

#[tokio::test]
async fn a_link_lets_in_once_and_not_for_long() {
    let memory = memory();
    let asker = asker(&memory, &[]);
    let follow =
        async |code: &str| send(&asker, "192.0.2.1", "/login", &format!("code={code}"), "").await;
    let code = make_link(&*memory, "root").await.unwrap();
    let cookie = follow(&code).await.cookie();
    assert_eq!(whoami(&asker, &cookie).await.as_deref(), Some("root"));
    assert_eq!(follow(&code).await.status, StatusCode::UNAUTHORIZED, "again");
    assert_eq!(follow("x").await.status, StatusCode::UNAUTHORIZED);
    // The key of a session is no code, and a code no key.
    let key = cookie.split('=').nth(1).unwrap();
    assert_eq!(follow(key).await.status, StatusCode::UNAUTHORIZED);
    let code = make_link(&*memory, "root").await.unwrap();
    assert_eq!(whoami(&asker, &format!("scheduler={code}")).await, None);
    let now = memory.now().await.unwrap();
    memory.set_now(now + TimeDelta::minutes(11));
    assert_eq!(follow(&code).await.status, StatusCode::UNAUTHORIZED, "late");
}

#[tokio::test]
async fn a_session_is_edited_in_its_own_name_and_within_its_role() {
    let memory = memory();
    let asker = asker(&memory, &["ann"]);
    let task = crate::store::NewTask {
        args: "1".to_owned(),
        ..crate::store::NewTask::new("a", "add", "interval", "5")
    };
    let id = crate::store::Desk::add(&*memory, &task).await.unwrap();
    let (_, cookie) = enter(&asker, "ann", PASSWORD).await;
    let ask = async |method: &str, path: String| {
        let request = Request::builder().method(method).uri(path).header("cookie", &cookie);
        let request = request.header("sec-fetch-site", "same-origin");
        asker.send(request.header("if-match", "*").body(Body::empty()).unwrap()).await
    };
    ask("POST", format!("/api/v1/tasks/{id}/disable")).await.expect(200);
    ask("DELETE", format!("/api/v1/tasks/{id}")).await.refused(403, (), "the role admin");
    let edits = ask("GET", "/api/v1/edits?limit=1".to_owned()).await.expect(200);
    let edit = &edits["items"][0];
    assert_eq!((&edit["author"], &edit["via"]), (&"ann".into(), &"page".into()));
    // A proxy may have a login of its own.
    let request = Request::builder().uri("/api/v1/whoami").header("cookie", &cookie);
    let request = request.header("authorization", "Basic YWRtaW46YWRtaW4=");
    asker.send(request.body(Body::empty()).unwrap()).await.expect(200);
    // A token that is shown counts, even a wrong one, and not the cookie beside it.
    let request = Request::builder().uri("/api/v1/whoami").header("cookie", &cookie);
    let request = request.header("authorization", "Bearer wrong");
    asker.send(request.body(Body::empty()).unwrap()).await.expect(401);
}

#[tokio::test]
async fn nobody_is_sent_to_another_site() {
    let asker = asker(&memory(), &["ann"]);
    for next in [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "",
        "/\t/evil",
    ] {
        let next: String = next.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let form = format!("name=ann&password=correct+horse&next={next}");
        let answer = send(&asker, "192.0.2.1", "/login", &form, "").await;
        assert_eq!(&*answer.location(), "/", "{next}");
        let form = format!("language=en&back={next}");
        assert_eq!(&*send(&asker, "192.0.2.1", "/language", &form, "").await.location(), "/");
    }
}

#[tokio::test]
async fn what_goes_by_https_only_has_a_cookie_that_says_so() {
    let memory = memory();
    let http = Http { users: users(&["ann"]), secure_cookies: true, ..Http::default() };
    let store = Arc::clone(&memory) as SharedStore;
    let site = Site::new(config(http), registry(), Watch::new("a", &store)).on(store);
    let asker = Asker { router: router(site), ..asker(&memory, &[]) };
    let answer = send(&asker, "192.0.2.1", "/login", "name=ann&password=correct+horse", "").await;
    let given = answer.headers["set-cookie"].to_str().unwrap();
    assert!(given.starts_with("__Host-scheduler=") && given.contains("; Secure"), "{given}");
    assert_eq!(whoami(&asker, &answer.cookie()).await.as_deref(), Some("ann"));
}
