//! The pages, as a browser without a script has them.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::*;
use crate::{
    store::{NewTask, TaskSelection},
    web::pages,
};

async fn ask(
    asker: &Asker,
    name: &str,
    method: &str,
    path: &str,
    form: &[(&str, &str)],
) -> HtmlAnswer {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let form: Vec<_> =
        form.iter().map(|(key, value)| format!("{key}={}", encoded(value))).collect();
    let request = Request::builder().method(method).uri(path);
    let request = request.header("authorization", format!("Bearer {}", token_of(name)));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let request =
        request.header("accept-language", if name == "operator" { "zh-CN" } else { "en" });
    html(
        asker
            .router
            .clone()
            .oneshot(request.body(Body::from(form.join("&"))).unwrap())
            .await
            .unwrap(),
    )
    .await
}

pub(super) async fn page(asker: &Asker, name: &str, path: &str) -> String {
    let answer = ask(asker, name, "GET", path, &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    answer.text
}

fn task(key: &str) -> NewTask {
    NewTask { args: "1".to_owned(), ..NewTask::new(key, "add", "interval", "5") }
}

#[tokio::test]
async fn every_page_leads_visitors_to_the_login_and_others_are_told_what_it_takes() {
    let asker = Asker::new();
    let id = asker.store.add(&task("a")).await.unwrap();
    let store: SharedStore = Arc::clone(&asker.store);
    let site = Site::new(config(Http::default()), registry(), Watch::new("a", &store)).on(store);
    let table = pages::routes(&site).table;
    assert!(table.len() > 10);
    for (path, role) in table {
        let path = path.replace("{id}", &id.to_string());
        for method in ["GET", "POST"] {
            let visitor = ask(&asker, "nobody", method, &path, &[]).await;
            assert_eq!(visitor.status, StatusCode::SEE_OTHER, "{method} {path}");
            assert!(visitor.location().starts_with("/login?next=%2F"), "{}", visitor.location());
            for (name, asks) in Role::NAMES {
                let answer = ask(&asker, name, method, &path, &[]).await;
                let is_refused = answer.status == StatusCode::FORBIDDEN;
                if answer.status != StatusCode::METHOD_NOT_ALLOWED {
                    assert_eq!(is_refused, asks < role, "{name} {method} {path} {}", answer.status);
                }
            }
        }
    }
}

#[tokio::test]
async fn pages_run_nothing_that_is_not_their_own() {
    let asker = Asker::new();
    for path in ["/", "/tasks", "/login", "/style.css", "/app.js"] {
        let answer =
            ask(&asker, if path == "/login" { "nobody" } else { "admin" }, "GET", path, &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(answer.headers["x-frame-options"], "DENY");
        assert_eq!(answer.headers["cache-control"], "no-store");
        for wrong in ["style=", "<style", "onclick", "javascript:", "http://", "<script>"] {
            assert!(!answer.text.contains(wrong) || path.contains('.'), "{path}: {wrong}");
        }
    }
}

#[tokio::test]
async fn whatever_stands_in_a_row_is_text_on_every_page() {
    let hostile = "\"><img src=x onerror=alert(1)><script>alert(2)</script>{{7*191}}'`</textarea></title>\u{202e}";
    let asker = Asker::new();
    let all = NewTask {
        description: hostile.to_owned(),
        args: hostile.to_owned(),
        extra: hostile.to_owned(),
        ..NewTask::new(hostile, hostile, hostile, hostile)
    };
    let id = asker.store.add(&all).await.unwrap();
    let fires = NewTask { description: hostile.to_owned(), ..task(&format!("b{hostile}")) };
    let other = asker.store.add(&fires).await.unwrap();
    let query = utf8_percent_encode(hostile, NON_ALPHANUMERIC);
    for path in [
        "/".to_owned(),
        "/tasks".to_owned(),
        format!("/tasks?q={query}&state={query}&job={query}"),
        format!("/tasks/{id}"),
        format!("/tasks/{id}/edit"),
        format!("/tasks/{other}"),
        format!("/tasks/{other}/edit"),
        format!("/tasks/{other}/why?at=2030-01-01T00:00:00Z"),
        format!("/executions?status={query}"),
        "/history".to_owned(),
        "/nodes".to_owned(),
    ] {
        for name in ["admin", "operator"] {
            let answer = ask(&asker, name, "GET", &path, &[]).await;
            assert_ne!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
            for wrong in ["<img", "<script>", "1337", "</textarea></title>"] {
                assert!(!answer.text.contains(wrong), "{path}: {wrong}: {}", answer.text);
            }
        }
    }
    let form = [("task_key", hostile), ("spec", hostile), ("args", hostile), ("extra", hostile)];
    for path in ["/tasks/review", "/tasks/save"] {
        let answer = ask(&asker, "admin", "POST", path, &form).await;
        assert!(answer.text.contains("&#60;img") && !answer.text.contains("<img"), "{path}");
    }
}

#[tokio::test]
async fn each_language_is_its_own() {
    let asker = Asker::new();
    let english = page(&asker, "admin", "/tasks").await;
    assert!(english.contains("<html lang=\"en\">") && english.contains("No task matches."));
    let chinese = page(&asker, "operator", "/tasks").await;
    assert!(chinese.contains("<html lang=\"zh-CN\">") && chinese.contains("没有符合条件的任务。"));
    let chosen =
        ask(&asker, "admin", "POST", "/language", &[("language", "zh-CN"), ("back", "/tasks?q=a")])
            .await;
    assert_eq!(&*chosen.location(), "/tasks?q=a");
    assert_eq!(chosen.cookie(), "language=zh-CN");
}

#[tokio::test]
async fn the_language_is_chosen_only_where_one_can_be_led_back_to() {
    let asker = Asker::new();
    let form = [("task_key", "a"), ("execute_func", "add"), ("trigger", "interval"), ("spec", "5")];
    let form = [&form[..], &[("args", "1"), ("is_valid", "1")]].concat();
    let switch = "action=\"/language\"";
    assert!(page(&asker, "admin", "/tasks/new").await.contains(switch));
    let review = ask(&asker, "admin", "POST", "/tasks/review", &form).await;
    assert_eq!(review.status, StatusCode::OK);
    assert!(!review.text.contains(switch), "{}", review.text);
}

#[tokio::test]
async fn many_are_switched_off_at_once_and_those_that_are_paused_stay_so() {
    let asker = Asker::new();
    let mut ids = Vec::new();
    for key in ["a", "b"] {
        ids.push(asker.store.add(&task(key)).await.unwrap().to_string());
    }
    let form = [("until", "2999-01-01T18:00"), ("reason", "stock")];
    ask(&asker, "operator", "POST", &format!("/tasks/{}/pause", ids[0]), &form).await.location();
    let form = [("id", &*ids[0]), ("id", &*ids[1]), ("act", "disable")];
    let done = ask(&asker, "operator", "POST", "/tasks/act", &form).await.location();
    let states = asker.store.tasks(TaskSelection::All).await.unwrap();
    let states: Vec<_> = states.iter().map(|task| task.row.is_valid.as_deref().unwrap()).collect();
    assert_eq!(states, ["0", "0"]);
    assert!(page(&asker, "viewer", &done).await.contains("Disabled. (1 task, 1 was so before)"));
    let list = page(&asker, "viewer", "/tasks?state=paused").await;
    assert!(keys(&list) == ["a"] && list.contains("until 2999-01-01 18:00:00"), "{list}");
}

#[tokio::test]
async fn a_task_is_written_in_a_form_and_reviewed_before() {
    let asker = Asker::new();
    assert!(page(&asker, "admin", "/tasks/new").await.contains("name=\"execute_func\""));
    let form = [
        ("task_key", "daily"),
        ("execute_func", "add"),
        ("trigger", "interval"),
        ("spec", "5"),
        ("args", "1"),
        ("extra", ""),
        ("is_valid", "1"),
    ];
    let mut misspelt = form;
    misspelt[5].1 = r#"{"retires": 3}"#;
    let doubtful = ask(&asker, "admin", "POST", "/tasks/review", &misspelt).await.text;
    assert!(doubtful.contains("retires") && doubtful.contains("data-kind=\"warn\""), "{doubtful}");
    let review = ask(&asker, "admin", "POST", "/tasks/review", &form).await.text;
    assert!(review.contains("<ins>daily</ins>") && review.contains("<ins>yes</ins>"), "{review}");
    assert_eq!(review.matches("<time").count(), 10 + 1, "ten instants and that of the page");
    assert!(asker.store.tasks(TaskSelection::All).await.unwrap().is_empty());
    let saved = ask(&asker, "admin", "POST", "/tasks/save", &form).await;
    let task = asker.store.tasks(TaskSelection::All).await.unwrap().remove(0).row;
    assert_eq!(saved.location(), format!("/tasks/{}?done=save", task.id));
    assert_eq!((task.task_key.as_deref(), task.extra.as_deref()), (Ok("daily"), Ok("{}")));
    let shown = page(&asker, "viewer", &saved.location()).await;
    assert!(shown.contains("daily") && !shown.contains("/edit\""), "a viewer has no button for it");
    assert!(shown.contains(r#"role="status" tabindex="-1">Saved."#), "{shown}");
    let wrong = [
        ("task_key", "other"),
        ("execute_func", "ad"),
        ("trigger", "interval"),
        ("spec", "5"),
        ("args", "1"),
    ];
    let refused = ask(&asker, "admin", "POST", "/tasks/save", &wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused.text.contains("id=\"e-execute_func\"") && refused.text.contains("value=\"other\"")
    );
}

#[tokio::test]
async fn what_is_due_for_long_and_not_accounted_for_is_late() {
    for (since, is_late) in [(DateTime::UNIX_EPOCH, true), (crate::clock::wall(), false)] {
        let asker = Asker::on(Arc::new(MemoryStore::new(since)));
        let id = asker.store.add(&task("a")).await.unwrap();
        for path in ["/".to_owned(), format!("/tasks/{id}")] {
            let shown = page(&asker, "viewer", &path).await;
            assert_eq!(shown.contains("was due"), is_late, "{path} since {since}: {shown}");
        }
    }
}

#[tokio::test]
async fn a_key_that_is_taken_is_refused_in_the_review() {
    let asker = Asker::new();
    let id = asker.store.add(&task("a")).await.unwrap();
    let form = [("task_key", "a"), ("execute_func", "add"), ("trigger", "interval"), ("spec", "5")];
    let form = [&form[..], &[("args", "1"), ("is_valid", "1")]].concat();
    let review = async || ask(&asker, "admin", "POST", "/tasks/review", &form).await;
    let refused = review().await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("id=\"e-task_key\""), "{}", refused.text);
    // It is free at once, however old the list of tasks is that is kept.
    asker.store.delete(id).await.unwrap();
    assert_eq!(review().await.status, StatusCode::OK);
}

#[tokio::test]
async fn of_two_who_edit_one_task_the_second_sees_what_the_first_wrote() {
    let asker = Asker::new();
    let id = asker.store.add(&task("a")).await.unwrap();
    let form = page(&asker, "admin", &format!("/tasks/{id}/edit")).await;
    let version = form
        .split("name=\"version\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    asker.store.set_spec(id, "7").await.unwrap();
    let id_text = id.to_string();
    let fields = [
        ("id", &*id_text),
        ("version", &version),
        ("task_key", "a"),
        ("execute_func", "add"),
        ("trigger", "interval"),
        ("spec", "9"),
        ("args", "1"),
        ("extra", "{}"),
        ("is_valid", "1"),
    ];
    let refused = ask(&asker, "admin", "POST", "/tasks/save", &fields).await;
    assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED);
    assert!(
        refused.text.contains("Somebody else has edited") && refused.text.contains("value=\"7\"")
    );
    assert!(refused.text.contains("<dt>Spec</dt><dd><pre class=\"code-block\">9</pre>"));
    let stands = asker.store.tasks(TaskSelection::Id(id)).await.unwrap().remove(0).row;
    assert_eq!(stands.spec.as_deref(), Ok("7"));
}

#[tokio::test]
async fn what_is_picked_is_done_with_each_and_deleted_only_when_confirmed() {
    let asker = Asker::new();
    let mut ids = Vec::new();
    for key in ["a", "b", "c"] {
        ids.push(asker.store.add(&task(key)).await.unwrap().to_string());
    }
    let picked = |act| [("id", &*ids[0]), ("id", &*ids[1]), ("act", act)];
    let states = async || {
        let tasks = asker.store.tasks(TaskSelection::All).await.unwrap();
        tasks.into_iter().map(|task| task.row.is_valid.unwrap()).collect::<Vec<_>>()
    };
    let done = ask(&asker, "operator", "POST", "/tasks/act", &picked("disable")).await.location();
    assert!(page(&asker, "viewer", &done).await.contains("Disabled. (2 tasks)"), "{done}");
    assert_eq!(states().await, ["0", "0", "1"]);
    let asked = ask(&asker, "operator", "POST", "/tasks/act", &picked("run")).await;
    assert!(asked.text.contains("确定运行 2 个任务？"), "{}", asked.text);
    let sure = [&picked("run")[..], &[("confirmed", "1")]].concat();
    let failed = ask(&asker, "operator", "POST", "/tasks/act", &sure).await;
    assert!(failed.text.contains("&#34;a&#34; 已停用"), "{}", failed.text);
    ask(&asker, "operator", "POST", "/tasks/act", &[("enable", &ids[0])]).await.location();
    assert_eq!(states().await, ["1", "0", "1"]);
    let refused = ask(&asker, "operator", "POST", "/tasks/act", &picked("delete")).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let asked = ask(&asker, "admin", "POST", "/tasks/act", &picked("delete")).await;
    assert!(asked.text.contains("Delete 2 tasks?") && states().await.len() == 3);
    let confirmed = [("id", &*ids[0]), ("id", &*ids[1]), ("act", "delete"), ("confirmed", "1")];
    ask(&asker, "admin", "POST", "/tasks/act", &confirmed).await.location();
    assert_eq!(states().await, ["1"]);
    let nothing = ask(&asker, "operator", "POST", "/tasks/act", &[("id", &*ids[2])]).await;
    assert_eq!(nothing.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn pages_of_tasks_that_are_not_his_do_not_exist_for_a_caller() {
    let asker = Asker::new();
    let id = asker.store.add(&task("secret")).await.unwrap();
    asker.store.set_spec(id, "6").await.unwrap();
    for path in ["/", "/tasks", "/history", "/executions"] {
        assert!(!page(&asker, "biller", path).await.contains("secret"), "{path}");
    }
    for rest in ["", "/edit", "/why?at=2030-01-01T00:00:00Z"] {
        let answer = ask(&asker, "biller", "GET", &format!("/tasks/{id}{rest}"), &[]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{rest}");
    }
    let id = id.to_string();
    let acted = ask(&asker, "biller", "POST", "/tasks/act", &[("delete", &id)]).await;
    assert!(acted.text.contains("does not exist"));
    assert_eq!(asker.store.tasks(TaskSelection::All).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_wrong_is_a_page_for_a_browser_and_a_problem_for_a_program() {
    let asker = Asker::new();
    for (method, path, status) in [
        ("GET", "/nowhere", 404),
        ("GET", "/tasks/abc", 400),
        ("GET", "/executions?task=x", 404),
        ("GET", "/history?task=x", 404),
        ("GET", "/executions?until=soon", 400),
        ("GET", "/executions?since=soon", 400),
        ("GET", "/executions/99", 404),
        ("PUT", "/tasks", 405),
        ("POST", "/tasks/act", 400),
    ] {
        let ask = async |accept: &str| {
            let request = Request::builder().method(method).uri(path).header("accept", accept);
            let request = request.header("authorization", format!("Bearer {}", token_of("admin")));
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            let answer = asker.router.clone().oneshot(request.body(Body::empty()).unwrap()).await;
            html(answer.unwrap()).await
        };
        let page = ask("text/html,application/xhtml+xml").await;
        assert_eq!(page.status.as_u16(), status, "{path}");
        assert!(page.text.contains("<h1>") && page.text.contains("role=\"alert\""), "{path}");
        assert!(page.text.contains("action=\"/logout\""), "{path}: with the menu of who asks");
        assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
        assert_eq!(ask("application/json").await.status.as_u16(), status, "{path}");
    }
}

#[tokio::test]
async fn what_is_only_done_leads_a_reader_to_what_it_is_of() {
    let asker = Asker::new();
    for (path, of) in [
        ("/tasks/7/run", "/tasks/7"),
        ("/tasks/7/pause?x=/y/z", "/tasks/7"),
        ("/tasks/act", "/tasks"),
        ("/executions/9/cancel", "/executions/9"),
    ] {
        let request = Request::builder().uri(path).header("accept", "text/html");
        let request = request.header("authorization", format!("Bearer {}", token_of("admin")));
        let request = request.body(Body::empty()).unwrap();
        let answer = html(asker.router.clone().oneshot(request).await.unwrap()).await;
        assert_eq!(answer.location(), of, "{path}");
    }
}

#[tokio::test]
async fn the_page_of_a_renamed_task_does_not_tell_what_it_was() {
    let asker = Asker::new();
    let id = asker
        .store
        .add(&NewTask { description: "hush".to_owned(), ..task("secret") })
        .await
        .unwrap();
    let path = format!("/api/v1/tasks/{id}");
    let change = serde_json::json!({"task_key": "billing_a", "desc": ""});
    asker.ask("admin", Method::PATCH, &path, Some(change)).await.expect(200);
    let shown = page(&asker, "biller", &format!("/tasks/{id}")).await;
    assert!(shown.contains("billing_a") && !shown.contains("secret") && !shown.contains("hush"));
}

#[tokio::test]
async fn too_many_tasks_are_not_half_done() {
    let asker = Asker::new();
    let first = asker.store.add(&task("a")).await.unwrap();
    let ids: Vec<String> = (first..).take(1_001).map(|id| id.to_string()).collect();
    let mut many: Vec<_> = ids.iter().map(|id| ("id", &**id)).collect();
    many.push(("act", "disable"));
    let refused = ask(&asker, "operator", "POST", "/tasks/act", &many).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let stands = asker.store.tasks(TaskSelection::All).await.unwrap().remove(0).row;
    assert_eq!(stands.is_valid.as_deref(), Ok("1"));
}

#[tokio::test]
async fn a_run_is_asked_for_with_other_arguments_only_where_they_are_touched() {
    let asker = Asker::new();
    let two_lines = NewTask { args: "1\r\n".to_owned(), ..task("a") };
    let id = asker.store.add(&two_lines).await.unwrap();
    let path = format!("/tasks/{id}/run");
    for args in ["1\r\n", "7"] {
        let asked = ask(&asker, "operator", "POST", &path, &[("args", args)]).await;
        assert_eq!(asked.location(), format!("/tasks/{id}?done=run"));
    }
    let refused = ask(&asker, "operator", "POST", &path, &[("args", "x")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
    let shown = page(&asker, "viewer", &format!("/tasks/{id}")).await;
    assert!(shown.contains("Waits to run") && shown.contains("(Arguments: 7)"), "{shown}");
    assert!(shown.contains("data-refreshes"), "{shown}");
    let requests = asker.store.read().await.unwrap().requests;
    let args: Vec<_> = requests.iter().map(|request| request.args.as_deref()).collect();
    assert_eq!(args, [None, Some("7")]);
}

#[tokio::test]
async fn a_task_is_paused_until_a_time_in_the_configured_zone() {
    let asker = Asker::new();
    let id = asker.store.add(&task("a")).await.unwrap();
    let path = format!("/tasks/{id}/pause");
    let pause = async |until| {
        ask(&asker, "operator", "POST", &path, &[("until", until), ("reason", "年度 <stock>")])
            .await
    };
    assert_eq!(pause("soon").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(pause("2999-01-01T18:00").await.location(), format!("/tasks/{id}?done=pause"));
    let row = asker.store.pauses(&[id]).await.unwrap().remove(0);
    assert_eq!(row.pause.until.unwrap().to_rfc3339(), "2999-01-01T18:00:00+00:00");
    let shown = page(&asker, "viewer", &format!("/tasks/{id}")).await;
    assert!(
        shown.contains("until 2999-01-01 18:00:00") && shown.contains("年度 &#60;stock&#62;"),
        "{shown}"
    );
    assert!(page(&asker, "operator", &format!("/tasks/{id}")).await.contains("id=\"dlg-pause\""));
    let list = page(&asker, "viewer", "/tasks").await;
    assert!(list.contains("Paused</span>") && list.contains("until 2999-01-01 18:00:00"), "{list}");
    pause("").await.location();
    assert_eq!(asker.store.pauses(&[id]).await.unwrap()[0].pause.until, None);
    let history = page(&asker, "viewer", "/history").await;
    for said in ["2999-01-01 18:00:00", "until somebody enables it"] {
        let at = history.find(said).unwrap_or_else(|| panic!("{said}: {history}"));
        assert!(history[at..].starts_with(&format!("{said}: 年度 &#60;stock&#62;")), "{history}");
    }
}

#[tokio::test]
async fn a_task_is_paused_for_some_hours_that_are_offered() {
    let asker = Asker::new();
    let id = asker.store.add(&task("a")).await.unwrap();
    let path = format!("/tasks/{id}/pause");
    let pause = async |hours| {
        let form = [("for", hours), ("until", ""), ("reason", "")];
        ask(&asker, "operator", "POST", &path, &form).await
    };
    let before = crate::clock::wall();
    pause("8").await.location();
    let until = asker.store.pauses(&[id]).await.unwrap()[0].pause.until.unwrap();
    let hours = (until - before).as_seconds_f64() / 3_600.0;
    assert!((7.99..8.01).contains(&hours), "{hours}");
    assert_eq!(pause("-1").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn lists_are_asked_for_one_task_by_its_key_or_its_id() {
    let asker = Asker::new();
    let id = asker.store.add(&task("a key")).await.unwrap();
    asker.store.add(&task("other")).await.unwrap();
    for asked in ["a%20key".to_owned(), id.to_string()] {
        let history = page(&asker, "viewer", &format!("/history?task={asked}")).await;
        assert!(history.contains(">a key</a>") && !history.contains(">other</a>"), "{history}");
        let list = page(&asker, "viewer", &format!("/executions?task={asked}&status=fail")).await;
        assert!(list.contains(&format!("href=\"/tasks/{id}\">a key</a>")), "{list}");
    }
    let part = ask(&asker, "viewer", "GET", "/executions?task=KEY", &[]).await;
    assert!(part.text.contains("its key or id, such as &#34;a key&#34;<"), "{}", part.text);
    let hidden = ask(&asker, "biller", "GET", "/executions?task=a%20key", &[]).await;
    assert!(!hidden.text.contains("such as"), "{}", hidden.text);
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_tabs_count_what_the_search_finds() {
    let asker = Asker::new();
    asker.store.add(&task("report_a")).await.unwrap();
    let off = asker.store.add(&task("report_b")).await.unwrap();
    asker.store.add(&task("other")).await.unwrap();
    asker.store.set_enabled(off, false).await.unwrap();
    let list = page(&asker, "viewer", "/tasks?q=report&state=disabled").await;
    let counts: Vec<_> = list
        .split("<span class=\"num\"")
        .skip(1)
        .filter_map(|rest| rest.split(['>', '<']).nth(1))
        .collect();
    assert_eq!(
        counts,
        ["2", "1", "1", "0", "0", "0"],
        "all, enabled, disabled, rejected, paused, failing"
    );
    assert!(list.contains("report_b") && !list.contains("report_a"), "{list}");
}

/// The keys of a list of tasks, as they stand in it.
pub(super) fn keys(list: &str) -> Vec<&str> {
    let keys = list.split("<a class=\"key\" href=\"/tasks/").skip(1);
    keys.filter_map(|rest| rest.split(['>', '<']).nth(1)).collect()
}

#[tokio::test]
async fn paused_tasks_have_a_list_of_their_own() {
    let memory = Arc::new(MemoryStore::new(DateTime::<Utc>::UNIX_EPOCH));
    let asker = Asker::on(Arc::clone(&memory) as SharedStore);
    for key in ["a", "b", "c"] {
        asker.store.add(&task(key)).await.unwrap();
    }
    asker.store.set_enabled(2, false).await.unwrap();
    ask(&asker, "operator", "POST", "/tasks/3/pause", &[("until", ""), ("reason", "")])
        .await
        .location();
    let list = page(&asker, "viewer", "/tasks?state=paused").await;
    assert_eq!(keys(&list), ["c"]);
    assert!(list.contains("Paused <span class=\"num\">1</span>"), "{list}");
    // By SQL, of which the pause hears nothing.
    memory.edit(3, |row| row.is_valid = Ok("1".to_owned()));
    let asker = Asker::on(memory);
    assert_eq!(keys(&page(&asker, "viewer", "/tasks?state=paused").await), [""; 0]);
}

#[tokio::test]
async fn a_list_of_tasks_is_sorted_by_its_columns() {
    let asker = Asker::new();
    for (key, spec) in [("b", "2095-01-01"), ("a", "2097-01-01"), ("c", "2096-01-01")] {
        let (trigger, spec) = ("date".to_owned(), format!("{spec} 00:00:00"));
        asker.store.add(&NewTask { trigger, spec, ..task(key) }).await.unwrap();
    }
    for (sort, expected) in [
        ("", ["a", "b", "c"]),
        ("-task_key", ["c", "b", "a"]),
        ("next", ["b", "c", "a"]),
        ("-next", ["a", "c", "b"]),
        ("odd", ["a", "b", "c"]),
    ] {
        let list = page(&asker, "viewer", &format!("/tasks?sort={sort}")).await;
        assert_eq!(keys(&list), expected, "{sort}");
    }
    let list = page(&asker, "viewer", "/tasks?sort=next&q=a").await;
    assert!(
        list.contains(
            "aria-sort=\"ascending\"><a href=\"?q=a&#38;job=&#38;state=&#38;sort=-next\">"
        ),
        "{list}"
    );
}

#[tokio::test]
async fn what_a_whole_list_has_is_done_with_all_of_it_when_it_was_asked() {
    let asker = Asker::new();
    for number in 0..30 {
        asker.store.add(&task(&format!("report_{number}"))).await.unwrap();
    }
    let other = asker.store.add(&task("other")).await.unwrap();
    let list = page(&asker, "operator", "/tasks?q=report").await;
    assert!(list.contains("name=\"all\" value=\"1\"> 全部符合条件的： 30"), "{list}");
    let form = [("q", "report"), ("state", ""), ("job", ""), ("all", "1"), ("act", "disable")];
    let asked = ask(&asker, "operator", "POST", "/tasks/act", &form).await;
    assert!(asked.text.contains("确定停用 30 个任务？"), "{}", asked.text);
    assert_eq!(asked.text.matches("name=\"id\"").count(), 30);
    let is_on = async || {
        let rows = asker.store.tasks(TaskSelection::All).await.unwrap();
        rows.into_iter()
            .filter(|task| task.row.is_valid.as_deref() == Ok("1"))
            .map(|task| task.row.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(is_on().await.len(), 31, "it was only asked");
    let ids: Vec<String> = (1..=30).map(|id: i64| id.to_string()).collect();
    let ids = ids.iter().map(|id| ("id", &**id));
    let form: Vec<_> = ids.chain([("act", "disable"), ("confirmed", "1")]).collect();
    ask(&asker, "operator", "POST", "/tasks/act", &form).await.location();
    assert_eq!(is_on().await, [other]);
}

#[tokio::test]
async fn what_was_typed_into_a_dialog_and_refused_stands_in_it_again() {
    let asker = Asker::new();
    let id = asker.store.add(&task("a")).await.unwrap();
    let run = ask(&asker, "admin", "POST", &format!("/tasks/{id}/run"), &[("args", "x&y")]).await;
    assert_eq!(run.status, StatusCode::UNPROCESSABLE_ENTITY);
    let (dialog, error) =
        ("<dialog id=\"dlg-run\" aria-labelledby=\"dlg-run-t\" open>", "do not fit job");
    assert!(run.text.contains(dialog) && run.text.contains(error), "{}", run.text);
    assert!(
        run.text.contains("\nx&#38;y</textarea>") && !run.text.contains("data-refreshes"),
        "{}",
        run.text
    );
    let typed = [("for", "8"), ("until", "1999-01-01T18:00"), ("reason", "年度")];
    let pause = ask(&asker, "admin", "POST", &format!("/tasks/{id}/pause"), &typed).await;
    for text in [
        "has passed",
        "value=\"8\" selected",
        "value=\"1999-01-01T18:00\"",
        "value=\"年度\"",
        "dlg-pause-t\" open",
    ] {
        assert!(pause.text.contains(text), "{text} is not in {}", pause.text);
    }
    let gone = ask(&asker, "admin", "POST", "/tasks/99/run", &[("args", "1")]).await;
    assert!(
        gone.status == StatusCode::NOT_FOUND && !gone.text.contains("<dialog"),
        "{}",
        gone.text
    );
}

#[tokio::test]
async fn an_earlier_version_is_put_into_the_form_and_saved_like_any_other() {
    let asker = Asker::new();
    let id = asker.store.add(&task("a")).await.unwrap();
    asker.store.set_spec(id, "77").await.unwrap();
    asker.store.delete(asker.store.add(&task("was_here")).await.unwrap()).await.unwrap();
    let history = page(&asker, "admin", "/history").await;
    assert!(!page(&asker, "operator", "/history").await.contains("?from="), "it takes an admin");
    let links: Vec<&str> = history
        .split("href=\"")
        .filter_map(|rest| rest.split('"').next())
        .filter(|link| link.contains("?from="))
        .collect();
    assert_eq!(links.len(), 2, "what was created has no version before: {links:?}");
    let gone = page(&asker, "admin", links[0]).await;
    assert!(gone.contains("value=\"was_here\""), "{gone}");
    let earlier = page(&asker, "admin", links[1]).await;
    assert!(earlier.contains("name=\"spec\" value=\"5\""), "{earlier}");
    assert!(earlier.contains("Nothing is saved yet"), "{earlier}");
    let row = &asker.store.tasks(TaskSelection::Id(id)).await.unwrap()[0].row;
    assert_eq!(row.spec.as_deref(), Ok("77"));
    let none = ask(&asker, "admin", "GET", &format!("/tasks/{id}/edit?from=4711"), &[]).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_api_is_described_for_people() {
    let asker = Asker::new();
    let shown = page(&asker, "viewer", "/docs").await;
    for text in [
        "<code>PATCH /api/v1/tasks/{id}</code>",
        "<code>POST /api/v1/preview</code>",
        "<code>If-Match</code>",
        "<code>execute_func</code> *",
        "<span class=\"tag\">operator</span>",
        "Arguments of the job in place of those of the row",
        "<a href=\"#op-1\"><code>",
    ] {
        assert!(shown.contains(text), "{text} is not in {shown}");
    }
}

#[tokio::test]
async fn what_was_done_is_told_once_and_nothing_else_is() {
    let asker = Asker::new();
    let id = asker.store.add(&task("a")).await.unwrap().to_string();
    let form = [("disable", &*id), ("back", "/tasks?q=a&done=run")];
    let done = ask(&asker, "operator", "POST", "/tasks/act", &form).await;
    let text = page(&asker, "viewer", &done.location().replace("done=run&", "")).await;
    assert!(text.contains(r#"role="status" tabindex="-1">Disabled."#), "{text}");
    assert!(text.contains(r#"name="back" value="/tasks?q=a""#) || !text.contains("bulk-form"));
    for forged in ["/tasks?done=%3Cb%3E", "/tasks?done=", "/tasks?undone=run"] {
        assert!(!page(&asker, "viewer", forged).await.contains(r#"role="status""#), "{forged}");
    }
}

#[tokio::test]
async fn what_the_scheduler_says_is_chinese_for_who_reads_chinese() {
    let asker = Asker::new();
    let (trigger, spec) = ("cron".to_owned(), "0 25 * * *".to_owned());
    let row = NewTask { trigger, spec, ..task("a") };
    let id = asker.store.add(&row).await.unwrap();
    let refused = "小时字段 \"25\" 无效，应为";
    let refused = refused.replace('"', "&#34;");
    for path in ["/", "/tasks", &format!("/tasks/{id}")] {
        let shown = page(&asker, "operator", path).await;
        assert!(shown.contains(&refused), "{path}: {shown}");
    }
    let why = page(&asker, "operator", &format!("/tasks/{id}/why?at=2030-01-01T00:00:00Z")).await;
    assert!(why.contains("该行被拒绝") && why.contains(&refused), "{why}");
    let run = ask(&asker, "operator", "POST", &format!("/tasks/{id}/run"), &[("args", "1")]).await;
    assert!(run.text.contains(&format!("任务 {id} &#34;a&#34; 被拒绝：")), "{}", run.text);
    let gone = ask(&asker, "operator", "GET", "/tasks/999", &[]).await;
    assert!(gone.text.contains("任务 999 不存在"), "{}", gone.text);
    let request = Request::builder().uri("/nowhere").header("accept", "text/html");
    let request = request.header("accept-language", "zh-CN");
    let request = request.header("authorization", format!("Bearer {}", token_of("operator")));
    let answer = asker.router.clone().oneshot(request.body(Body::empty()).unwrap()).await;
    let nowhere = html(answer.unwrap()).await;
    assert!(nowhere.text.contains("没有此页面"), "{}", nowhere.text);
    let english = page(&asker, "viewer", &format!("/tasks/{id}")).await;
    assert!(english.contains("is not valid, expected"), "{english}");
}

#[tokio::test]
async fn the_history_says_which_settings_differ_and_states_by_their_names() {
    let asker = Asker::new();
    let extra = r#"{"timeout": "30s", "retries": 3}"#.to_owned();
    let id = asker.store.add(&NewTask { extra, ..task("a") }).await.unwrap();
    let path = format!("/api/v1/tasks/{id}");
    let change =
        serde_json::json!({"extra": {"timeout": "60s", "retries": 3, "owner": 1}, "is_valid": 0});
    asker.ask("admin", Method::PATCH, &path, Some(change)).await.expect(200);
    let shown = page(&asker, "viewer", "/history").await;
    for text in [
        "<span>extra.owner</span> <del></del> → <ins>1</ins>",
        "<span>extra.timeout</span> <del>&#34;30s&#34;</del> → <ins>&#34;60s&#34;</ins>",
        "<span>State</span> <del>Enabled</del> → <ins>Disabled</ins>",
    ] {
        assert!(shown.contains(text), "{text} is not in {shown}");
    }
    assert!(!shown.contains("retries"), "{shown}");
}
