//! Tasks by HTTP, as programs see and change them.

use serde_json::json;

use super::*;
use crate::store::{Desk as _, EditFilter, NewTask};

fn row(key: &str) -> Value {
    json!({"task_key": key, "execute_func": "add", "trigger": "interval", "spec": "5", "args": "1"})
}

async fn create(asker: &Asker, key: &str) -> i64 {
    let created = asker.post("admin", "/api/v1/tasks", row(key)).await.expect(201);
    created["id"].as_i64().unwrap()
}

async fn patch(asker: &Asker, id: i64, version: &str, change: Value) -> Answer {
    let request = Request::builder().method("PATCH").uri(format!("/api/v1/tasks/{id}"));
    let request = request.header("authorization", format!("Bearer {}", token_of("admin")));
    let request = request.header("content-type", "application/json").header("if-match", version);
    asker.send(request.body(Body::from(change.to_string())).unwrap()).await
}

#[tokio::test]
async fn a_task_is_created_shown_changed_and_deleted() {
    let asker = Asker::new();
    let answer = asker.post("admin", "/api/v1/tasks", row("daily")).await;
    let tag = answer.headers["etag"].to_str().unwrap().to_owned();
    let created = answer.expect(201);
    let id = created["id"].as_i64().unwrap();
    for (column, value) in [
        ("task_key", json!("daily")),
        ("is_valid", json!(1)),
        ("extra", json!({})),
        ("state", json!("enabled")),
        ("status", json!("ready")),
        ("reason", Value::Null),
    ] {
        assert_eq!(created[column], value, "{column}");
    }
    assert!(created["next"].is_string());
    assert_eq!(tag, format!("\"{}\"", created["version"].as_str().unwrap()));
    let shown = asker.get("viewer", &format!("/api/v1/tasks/{id}")).await;
    assert_eq!(shown.headers["etag"], tag);
    assert_eq!(shown.expect(200)["version"], created["version"]);

    let changed = patch(&asker, id, &tag, json!({"spec": "10", "extra": {"retries": 2}})).await;
    let changed = changed.expect(200);
    assert_eq!((&changed["spec"], &changed["args"]), (&json!("10"), &json!("1")));
    assert_eq!(changed["extra"], json!({"retries": 2}));

    asker.ask("admin", Method::DELETE, &format!("/api/v1/tasks/{id}"), None).await.expect(204);
    asker.get("admin", &format!("/api/v1/tasks/{id}")).await.refused(404, (), "does not exist");
    let filter = EditFilter { task_id: Some(id), before: None, limit: 10 };
    let edits = asker.store.edits(filter).await.unwrap();
    let said = edits.iter().map(|edit| (&*edit.action, &*edit.author, &*edit.via));
    let expected = ["delete", "change", "create"].map(|action| (action, "admin", "api"));
    assert_eq!(said.collect::<Vec<_>>(), expected);
    let history = asker.get("viewer", "/api/v1/edits").await.expect(200);
    assert_eq!(
        history["items"][1]["changed"][1],
        json!({"column": "spec", "from": "5", "to": "10"})
    );
}

#[tokio::test]
async fn an_edit_of_what_somebody_else_edited_meanwhile_is_refused() {
    let asker = Asker::new();
    let id = create(&asker, "a").await;
    let read = asker.get("viewer", &format!("/api/v1/tasks/{id}")).await;
    let tag = read.headers["etag"].to_str().unwrap().to_owned();
    patch(&asker, id, &tag, json!({"spec": "7"})).await.expect(200);
    patch(&asker, id, &tag, json!({"spec": "8"})).await.refused(412, (), "edited by somebody else");
    let stands = asker.get("viewer", &format!("/api/v1/tasks/{id}")).await.expect(200);
    assert_eq!(stands["spec"], "7");
    patch(&asker, id, "*", json!({"spec": "9"})).await.expect(200);
    for wrong in ["", "W/\"a\"", "a", "\"a\", \"b\""] {
        let answer = patch(&asker, id, wrong, json!({"spec": "8"})).await;
        assert!([400, 412].contains(&answer.status.as_u16()), "{wrong}: {}", answer.status);
    }
    let request = Request::builder().method("DELETE").uri(format!("/api/v1/tasks/{id}"));
    let request = request.header("authorization", format!("Bearer {}", token_of("admin")));
    asker.send(request.body(Body::empty()).unwrap()).await.refused(428, (), "If-Match is missing");
}

#[tokio::test]
async fn what_the_scheduler_would_reject_is_refused_with_its_column() {
    let asker = Asker::new();
    let id = create(&asker, "taken").await;
    let extra = |extra: Value| json!({ "extra": extra });
    for (change, status, field, detail) in [
        (json!({"spec": "soon"}), 422, "spec", "spec \"soon\""),
        (json!({"trigger": "daily"}), 422, "trigger", "trigger \"daily\""),
        (json!({"trigger": "date", "spec": "tomorrow"}), 422, "spec", "tomorrow"),
        (
            json!({"execute_func": "ad"}),
            422,
            "execute_func",
            "a job of this program such as \"add\"",
        ),
        (json!({"args": "one"}), 422, "args", "do not fit job \"add\""),
        (json!({"task_key": ""}), 422, "task_key", "expected a name"),
        (json!({"task_key": "k".repeat(256)}), 422, "task_key", "at most 255"),
        (json!({"task_key": "a\0b"}), 422, "task_key", "without control characters"),
        (json!({"desc": "d".repeat(256)}), 422, "desc", "at most 255"),
        (extra(json!({"retries": -1})), 422, "extra", "extra.retries"),
        (extra(json!({"timezone": "Mars"})), 422, "extra", "Mars"),
    ] {
        let mut new = row("other");
        let columns = change.as_object().unwrap().clone();
        new.as_object_mut().unwrap().extend(columns);
        asker.post("admin", "/api/v1/tasks", new).await.refused(status, field, detail);
        patch(&asker, id, "*", change).await.refused(status, field, detail);
    }
    asker.post("admin", "/api/v1/tasks", row("taken")).await.refused(409, "task_key", "is taken");
    let other = create(&asker, "other").await;
    let change = json!({"task_key": "taken"});
    let refused = patch(&asker, other, "*", change).await;
    assert!([409, 422].contains(&refused.status.as_u16()), "{}", refused.json);
    assert_eq!(refused.json["field"], "task_key");
    assert_eq!(asker.store.tasks(crate::store::TaskSelection::All).await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_no_row_is_refused() {
    let asker = Asker::new();
    let id = create(&asker, "a").await;
    for (change, field, detail) in [
        (json!({"status": "doing"}), "status", "unknown field `status`"),
        (json!({"id": 7}), "id", "unknown field `id`"),
        (json!({"update_at": "2026-01-01"}), "update_at", "unknown field `update_at`"),
        (json!({"run_token": "x"}), "run_token", "unknown field `run_token`"),
        (json!({"is_valid": 2}), "is_valid", "expected 0 or 1"),
        (json!({"is_valid": true}), "is_valid", "is_valid"),
        (json!({"spec": 5}), "spec", "spec"),
        (json!({"extra": "{}"}), "extra", "extra"),
    ] {
        patch(&asker, id, "*", change).await.refused(422, field, detail);
    }
    patch(&asker, id, "*", json!([])).await.refused(422, (), "struct ChangedRow");
    let post = |kind: &'static str, body: String| {
        let request = Request::builder().method("POST").uri("/api/v1/tasks");
        let request = request.header("authorization", format!("Bearer {}", token_of("admin")));
        let request = request.header("content-type", kind).body(Body::from(body)).unwrap();
        asker.send(request)
    };
    post("application/json", "{".to_owned()).await.refused(400, (), "");
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        post(kind, row("b").to_string()).await.refused(415, (), "application/json");
    }
    let long = json!({ "args": "1".repeat(1 << 20) }).to_string();
    post("application/json", long).await.refused(413, (), "");
    asker.get("viewer", "/api/v1/tasks/one").await.refused(400, (), "one");
    asker.get("viewer", "/api/v1/tasks/99999999999999999999").await.refused(400, (), "");
}

#[tokio::test]
async fn a_list_comes_in_pages_sorted_and_filtered() {
    let asker = Asker::new();
    let keys = ["delta", "alpha", "Charlie", "bravo", "echo"];
    let mut ids = Vec::new();
    for key in keys {
        ids.push(create(&asker, key).await);
    }
    asker
        .post("operator", &format!("/api/v1/tasks/{}/disable", ids[1]), Value::Null)
        .await
        .expect(200);
    let all = async |query: &str| {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/tasks?limit=2{query}{after}");
            let page = asker.get("viewer", &path).await.expect(200);
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= 2);
            found.extend(items.iter().map(|task| task["task_key"].as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return found,
            }
        }
    };
    assert_eq!(all("").await, keys);
    assert_eq!(all("&sort=-id").await, ["echo", "bravo", "Charlie", "alpha", "delta"]);
    assert_eq!(all("&sort=task_key").await, ["Charlie", "alpha", "bravo", "delta", "echo"]);
    assert_eq!(all("&sort=next").await.last().unwrap(), "alpha", "it does not fire");
    assert_eq!(all("&text=CH").await, ["Charlie", "echo"]);
    assert_eq!(all("&state=disabled").await, ["alpha"]);
    assert_eq!(all("&state=rejected").await, [""; 0]);
    assert_eq!(all("&execute_func=add").await, keys);
    assert_eq!(all("&execute_func=sub").await, [""; 0]);
    let next = asker.get("viewer", "/api/v1/tasks?limit=1").await.expect(200)["next"].clone();
    let other = format!("/api/v1/tasks?sort=next&after={}", next.as_str().unwrap());
    asker.get("viewer", &other).await.refused(400, "after", "of another order");
    for (query, detail) in [
        ("sort=password", "unknown variant `password`"),
        ("sort=id%3B%20DROP%20TABLE%20task", "unknown variant"),
        ("limit=0", "expected 1 to 200"),
        ("limit=201", "expected 1 to 200"),
        ("limit=-1", "invalid digit"),
        ("state=on", "unknown variant `on`"),
        ("after=x", "is no place in a list"),
        ("page=2", "unknown field `page`"),
    ] {
        let answer = asker.get("viewer", &format!("/api/v1/tasks?{query}")).await.expect(400);
        assert!(answer["detail"].as_str().unwrap().contains(detail), "{query}: {answer}");
    }
}

#[tokio::test]
async fn a_row_that_was_written_by_hand_is_listed_as_it_is() {
    let memory = Arc::new(MemoryStore::new(DateTime::<Utc>::UNIX_EPOCH));
    let asker = Asker::on(Arc::clone(&memory) as SharedStore);
    let bad = crate::store::NewTask::new("bad", "gone", "cron", "61 * * * *");
    memory.add(&bad).await.unwrap();
    let page = asker.get("viewer", "/api/v1/tasks?state=rejected").await.expect(200);
    let task = &page["items"][0];
    assert_eq!((&task["state"], &task["next"]), (&json!("rejected"), &Value::Null));
    assert!(task["reason"].as_str().unwrap().contains("execute_func \"gone\" is not a known job"));
    let id = task["id"].as_i64().unwrap();
    let run = asker.post("operator", &format!("/api/v1/tasks/{id}/run"), Value::Null).await;
    run.refused(409, "execute_func", "is rejected");
}

#[tokio::test]
async fn a_task_is_switched_on_and_off_and_run() {
    let asker = Asker::new();
    let id = create(&asker, "a").await;
    let act = async |act: &str| {
        asker.post("operator", &format!("/api/v1/tasks/{id}/{act}"), Value::Null).await
    };
    let run = act("run").await.expect(202);
    assert_eq!((&run["task_id"], run["request_id"].is_i64()), (&json!(id), true));
    assert_eq!(asker.store.read().await.unwrap().requests.len(), 1);
    assert_eq!(act("disable").await.expect(200)["state"], "disabled");
    act("run").await.refused(409, "is_valid", "is disabled");
    assert_eq!(act("enable").await.expect(200)["state"], "enabled");
    assert_eq!(act("enable").await.expect(200)["state"], "enabled", "again is harmless");
    asker.post("operator", "/api/v1/tasks/77/run", Value::Null).await.refused(404, (), "task 77");
}

#[tokio::test]
async fn a_run_may_have_arguments_of_its_own_that_its_job_takes() {
    let asker = Asker::new();
    let id = create(&asker, "a").await;
    let run = async |body| asker.post("operator", &format!("/api/v1/tasks/{id}/run"), body).await;
    let asked = async || {
        let requests = asker.store.read().await.unwrap().requests;
        requests.into_iter().map(|request| request.args).collect::<Vec<_>>()
    };
    run(json!({"args": "x"})).await.refused(422, "args", "");
    run(json!({"args": 5})).await.refused(422, "args", "args: invalid type");
    run(json!({"arg": "5"})).await.refused(422, "arg", "unknown field `arg`");
    assert_eq!(asked().await, []);
    run(json!({"args": "5"})).await.expect(202);
    run(json!({})).await.expect(202);
    run(Value::Null).await.expect(202);
    let empty = Request::post(format!("/api/v1/tasks/{id}/run"))
        .header("authorization", format!("Bearer {}", token_of("operator")))
        .header("content-type", "application/json");
    let answer = asker.router.clone().oneshot(empty.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED, "a client may name a type and send nothing");
    assert_eq!(asked().await, [Some("5".into()), None, None, None]);
}

#[tokio::test]
async fn of_tasks_that_are_not_his_a_caller_sees_and_changes_nothing() {
    let asker = Asker::new();
    let (own, other) = (create(&asker, "billing_a").await, create(&asker, "secret").await);
    let list = asker.get("biller", "/api/v1/tasks").await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert!(!list.to_string().contains("secret"));
    let edits = asker.get("biller", "/api/v1/edits").await.expect(200).to_string();
    assert!(edits.contains("billing_a") && !edits.contains("secret"), "{edits}");
    asker.post("operator", &format!("/api/v1/tasks/{other}/run"), Value::Null).await.expect(202);
    let edits = asker.get("biller", "/api/v1/edits").await.expect(200);
    assert_eq!(edits["items"].as_array().unwrap().len(), 1, "who let the other run is not told");
    for (method, rest, body) in [
        (Method::GET, "", None),
        (Method::GET, "/why?at=2026-01-01T00:00:00Z", None),
        (Method::PATCH, "", Some(json!({"spec": "9"}))),
        (Method::DELETE, "", None),
        (Method::POST, "/enable", None),
        (Method::POST, "/disable", None),
        (Method::POST, "/run", None),
    ] {
        let ask = async |id: i64| {
            let path = format!("/api/v1/tasks/{id}{rest}");
            asker.ask("biller", method.clone(), &path, body.clone()).await
        };
        let (hidden, absent) = (ask(other).await, ask(4_711).await);
        hidden.refused(404, (), "does not exist");
        absent.refused(404, (), "does not exist");
    }
    asker.post("biller", "/api/v1/tasks", row("mine")).await.refused(403, "task_key", "billing_*");
    let rename = json!({"task_key": "mine"});
    let path = format!("/api/v1/tasks/{own}");
    let renamed = asker.ask("biller", Method::PATCH, &path, Some(rename)).await;
    renamed.refused(403, "task_key", "billing_*");
    asker.post("biller", "/api/v1/tasks", row("billing_b")).await.expect(201);
    let stands = asker.get("admin", &format!("/api/v1/tasks/{other}")).await.expect(200);
    assert_eq!((&stands["spec"], &stands["is_valid"]), (&json!("5"), &json!(1)));
}

#[tokio::test]
async fn a_preview_tells_when_it_would_fire() {
    let asker = Asker::new();
    let preview = async |body: Value| asker.post("viewer", "/api/v1/preview", body).await;
    let london = json!({"trigger": "cron", "spec": "30 1 * * *", "from": "2026-03-28T12:00:00Z", "limit": 2,
        "extra": {"timezone": "Europe/London"}});
    let shown = preview(london).await.expect(200);
    assert_eq!(shown["words"], "every day at 01:30");
    assert_eq!(shown["zone"], "Europe/London");
    let moved = json!({"local": "2026-03-29T02:00:00+01:00", "utc": "2026-03-29T01:00:00Z", "moved_from": "01:30"});
    assert_eq!(shown["instants"][0], moved);
    assert_eq!(shown["instants"].as_array().unwrap().len(), 2);
    let past = json!({"trigger": "date", "spec": "2020-01-01 00:00:00"});
    assert_eq!(preview(past).await.expect(200)["instants"], json!([]));
    preview(json!({"trigger": "cron", "spec": "61 * * * *"})).await.refused(422, "spec", "minute");
    preview(json!({"trigger": "x", "spec": ""})).await.refused(422, "trigger", "x");
    preview(json!({"trigger": "cron", "spec": "* * * * *", "limit": 201}))
        .await
        .refused(422, "limit", "1 to 200");
    let odd = json!({"trigger": "cron", "spec": "* * * * *", "from": "now"});
    preview(odd).await.refused(422, "from", "is no instant");
}

#[tokio::test]
async fn rows_that_never_fire_hold_up_nobody() {
    let asker = Asker::new();
    for minute in 0..900 {
        let spec = format!("{} {} 31 4,6,9,11 *", minute % 60, minute / 60);
        let key = format!("never_{minute}");
        let row = NewTask { args: "1".to_owned(), ..NewTask::new(&key, "add", "cron", &spec) };
        asker.store.add(&row).await.unwrap();
    }
    let began = crate::clock::mono();
    let list = asker.get("viewer", "/api/v1/tasks?state=rejected&limit=200").await.expect(200);
    let reason = &list["items"][199]["reason"];
    assert!(reason.as_str().unwrap().contains("never fires"), "{reason}");
    let took = crate::clock::mono() - began;
    assert!(took < std::time::Duration::from_secs(15), "{took:?}");
}

#[tokio::test]
async fn what_became_of_an_instant_is_told() {
    let asker = Asker::new();
    let id = create(&asker, "a").await;
    let path = format!("/api/v1/tasks/{id}/why?at=");
    let why = asker.get("viewer", &format!("{path}2030-01-01T00:00:01Z")).await.expect(200);
    assert_eq!(why["task_id"], id);
    assert!(why["answer"].is_string() && !why["because"].as_array().unwrap().is_empty());
    asker.get("viewer", &format!("{path}noon")).await.refused(400, "at", "is no instant");
    asker.get("viewer", "/api/v1/tasks/9/why?at=2030-01-01T00:00:00Z").await.refused(404, (), "9");
}

#[tokio::test]
async fn jobs_and_nodes_are_listed() {
    let asker = Asker::new();
    asker.store.renew("a").await.unwrap();
    let jobs = asker.get("viewer", "/api/v1/jobs").await.expect(200);
    assert_eq!((&jobs[0]["name"], &jobs[0]["args"]), (&json!("add"), &json!("i64")));
    let nodes = asker.get("viewer", "/api/v1/nodes").await.expect(200);
    assert_eq!((&nodes[0]["node_id"], &nodes[0]["state"]), (&json!("a"), &json!("alive")));
}

#[tokio::test]
async fn without_a_database_it_says_so_and_tells_nothing_of_it() {
    let store: SharedStore = Arc::new(MemoryStore::new(DateTime::<Utc>::UNIX_EPOCH));
    let asker = Asker::new();
    let http = Http {
        tokens: BTreeMap::from([(
            "admin".to_owned(),
            Token { token: token_of("admin").into(), access: Access::full() },
        )]),
        ..Http::default()
    };
    let site = Site::new(config(http), registry(), Watch::new("a", &store));
    let asker = Asker { router: router(site), ..asker };
    let answer = asker.get("admin", "/api/v1/tasks").await;
    assert_eq!(answer.headers["retry-after"], "5");
    for path in ["/tasks", "/assassin/tasks"] {
        let request = Request::builder().uri(path);
        let request = request.header("authorization", format!("Bearer {}", token_of("admin")));
        let answer = asker.router.clone().oneshot(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.unwrap().headers()["retry-after"], "5", "{path}");
    }
    let json = answer.expect(503);
    assert!(!json.to_string().contains("nowhere"), "{json}");
}

#[tokio::test]
async fn a_task_is_paused_for_a_while_and_says_why() {
    let asker = Asker::new();
    let id = create(&asker, "a").await;
    let path = format!("/api/v1/tasks/{id}/pause");
    let pause = async |body| asker.post("operator", &path, body).await;
    let until = "2999-01-01T00:00:00Z";
    let paused = pause(json!({"until": until, "reason": "stock"})).await.expect(200);
    assert_eq!((&paused["state"], &paused["pause"]["until"]), (&json!("disabled"), &json!(until)));
    let listed = asker.get("viewer", "/api/v1/tasks").await.expect(200);
    let listed = &listed["items"][0]["pause"];
    assert_eq!((&listed["reason"], &listed["author"]), (&json!("stock"), &json!("operator")));
    let page = super::pages::page(&asker, "viewer", &format!("/tasks/{id}")).await;
    assert!(page.contains("stock") && page.contains("2999-01-01 00:00:00"), "{page}");
    pause(json!({"until": "1999-01-01T00:00:00Z"})).await.refused(422, "until", "has passed");
    pause(json!({"reason": "x".repeat(256)})).await.refused(422, "reason", "256 characters");
    let off = create(&asker, "off").await;
    asker.store.set_enabled(off, false).await.unwrap();
    let of_off = format!("/api/v1/tasks/{off}/pause");
    let switched_on_again = json!({"until": "2999-01-01T00:00:00Z"});
    asker.post("operator", &of_off, switched_on_again).await.refused(
        409,
        "is_valid",
        "is disabled",
    );
    assert_eq!(asker.store.pauses(&[off]).await.unwrap(), []);
    asker.post("biller", &path, json!({})).await.refused(404, (), "does not exist");
    let enabled = asker.post("operator", &format!("/api/v1/tasks/{id}/enable"), Value::Null).await;
    assert_eq!(enabled.expect(200)["pause"], Value::Null);
    pause(json!({})).await.expect(200);
    let shown = asker.get("viewer", &format!("/api/v1/tasks/{id}")).await.expect(200);
    assert_eq!(shown["pause"]["until"], Value::Null);
}

#[tokio::test]
async fn what_fires_in_each_minute_of_the_day_to_come_is_foretold() {
    let asker = Asker::new();
    for (key, trigger, spec) in [
        ("hourly", "cron", "0 * * * *"),
        ("billing_twice", "cron", "*/30 * * * * *"),
        ("also_twice", "cron", "*/30 * * * * *"),
        ("gone", "date", "2000-01-01 00:00:00"),
    ] {
        let task = crate::store::NewTask {
            args: "1".to_owned(),
            ..crate::store::NewTask::new(key, "add", trigger, spec)
        };
        asker.store.add(&task).await.unwrap();
    }
    let forecast = async |name| asker.get(name, "/api/v1/forecast").await.expect(200);
    let all = forecast("viewer").await;
    let minutes = all["minutes"].as_array().unwrap();
    assert_eq!((minutes.len(), &all["is_whole"]), (1_440, &json!(true)));
    let fires = |minute: &Value| minute["fires"].as_u64().unwrap();
    let total: u64 = minutes.iter().map(fires).sum();
    assert_eq!(total, 2 * 2 * 1_440 + 24);
    let full: Vec<_> = minutes.iter().filter(|minute| fires(minute) == 5).collect();
    assert_eq!(full.len(), 24);
    assert!(full.iter().all(|minute| minute["at"].as_str().unwrap().ends_with(":00:00Z")));
    assert_eq!(full[0]["task_ids"], json!([1, 2, 3]));
    let own = forecast("biller").await;
    assert!(own["minutes"].as_array().unwrap().iter().all(|minute| fires(minute) == 2));
    let page = super::pages::page(&asker, "viewer", "/forecast").await;
    assert!(page.contains(&format!("{total} fires")) && page.contains("billing_twice"), "{page}");
}
