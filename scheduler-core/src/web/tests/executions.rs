//! Executions by HTTP.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;

use super::*;
use crate::{
    plan::{
        claim::{Claim, Entry, Origin, Verdict},
        execution::{ExecutionId, ExecutionRow, LogPart, Outcome, Status},
    },
    store::{Desk as _, NewTask, Store as _},
};

const TRACE: &str = "0123456789abcdef0123456789abcdef";

/// A task of this key, and an execution of it that runs.
async fn running(asker: &Asker, key: &str) -> (i64, ExecutionId) {
    let task = NewTask { args: "1".to_owned(), ..NewTask::new(key, "add", "interval", "5") };
    let task_id = asker.store.add(&task).await.unwrap();
    let scheduled_at = DateTime::UNIX_EPOCH + TimeDelta::seconds(5);
    let (trace_id, status, extra) = (TRACE.into(), Status::Todo, "{}".to_owned());
    let entry = Entry { scheduled_at, trace_id, status, attempt: 1, extra };
    let (spec, origin) = ("5".into(), Origin::Schedule);
    let claim =
        Claim { task_id, spec, first: scheduled_at, limit: None, origin, entries: vec![entry] };
    match asker.store.claim("node", &[claim]).await.unwrap().remove(0) {
        Verdict::Won(Some(id)) => (task_id, id),
        other => panic!("{other:?}"),
    }
}

async fn end(asker: &Asker, task_id: i64, execution_id: ExecutionId, status: Status) {
    let started_at = Some(DateTime::UNIX_EPOCH + TimeDelta::seconds(5));
    let finished_at = DateTime::UNIX_EPOCH + TimeDelta::seconds(7);
    let (trace_id, extra) = (TRACE.into(), r#"{"err": "the <cause>"}"#.to_owned());
    let outcome = Outcome {
        execution_id,
        task_id,
        trace_id,
        status,
        extra,
        started_at,
        finished_at,
        retry: None,
    };
    asker.store.record(&[outcome]).await.unwrap();
}

#[tokio::test]
async fn executions_are_listed_newest_first_by_task_and_status_in_pages() {
    let asker = Asker::new();
    let (a, first) = running(&asker, "a").await;
    let (_, second) = running(&asker, "billing_b").await;
    end(&asker, a, first, Status::Fail).await;
    let ids = async |name: &str, query: &str| {
        let page = asker.get(name, &format!("/api/v1/executions{query}")).await.expect(200);
        page["items"].as_array().unwrap().iter().map(|run| run["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids("viewer", "").await, [second, first]);
    assert_eq!(ids("viewer", "?limit=1").await, [second]);
    assert_eq!(ids("viewer", &format!("?after={second}")).await, [first]);
    assert_eq!(ids("viewer", "?status=fail").await, [first]);
    assert_eq!(ids("viewer", &format!("?task_id={a}")).await, [first]);
    assert_eq!(ids("biller", "").await, [second], "the other is not his");
    assert_eq!(ids("viewer", "?until=1969-12-31T23:59:59Z").await, [0; 0]);
    assert_eq!(ids("viewer", "?since=1969-12-31T23:59:59Z").await, [second, first]);
    assert_eq!(ids("viewer", "?since=2999-01-01T00:00:00Z").await, [0; 0]);
    assert_eq!(ids("viewer", "?until=2999-01-01T00:00:00Z").await, [second, first]);
    let shown = asker.get("viewer", &format!("/api/v1/executions/{first}")).await.expect(200);
    assert_eq!((&shown["status"], &shown["duration_ms"]), (&json!("fail"), &json!(2_000)));
    assert_eq!(shown["extra"]["err"], "the <cause>");
    for rest in ["", "/log"] {
        let hidden = asker.get("biller", &format!("/api/v1/executions/{first}{rest}")).await;
        hidden.refused(404, (), "does not exist");
    }
}

#[tokio::test]
async fn a_run_is_ended_once_and_by_those_for_whom_it_exists() {
    let asker = Asker::new();
    let (task, id) = running(&asker, "a").await;
    let path = format!("/api/v1/executions/{id}/cancel");
    asker.post("biller", &path, Value::Null).await.refused(404, (), "does not exist");
    assert!(asker.store.read().await.unwrap().cancels.is_empty());
    asker.post("operator", &path, Value::Null).await.expect(202);
    let wishes = asker.store.read().await.unwrap().cancels;
    assert_eq!((wishes[0].execution_id, &*wishes[0].author), (id, "operator"));
    let page = async || super::pages::page(&asker, "viewer", &format!("/executions/{id}")).await;
    assert!(page().await.contains("Asked to end by <b>operator</b>"));
    end(&asker, task, id, Status::Success).await;
    assert!(!page().await.contains("Asked to end"));
    asker.post("operator", &path, Value::Null).await.refused(409, (), "has ended (success)");
    asker.post("operator", "/api/v1/executions/99/cancel", Value::Null).await.expect(404);
}

#[tokio::test]
async fn a_run_is_asked_for_again_as_it_was() {
    let asker = Asker::new();
    let (task, scheduled) = running(&asker, "a").await;
    let memory = &asker.store;
    let asked = async |path: &str, body| asker.post("operator", path, body).await.expect(202);
    asked(&format!("/api/v1/executions/{scheduled}/run"), Value::Null).await;
    asked(&format!("/api/v1/tasks/{task}/run"), json!({"args": "7"})).await;
    let request = memory.read().await.unwrap().requests.pop().unwrap();
    let entry = Entry {
        scheduled_at: request.scheduled_at,
        trace_id: "fedcba9876543210fedcba9876543210".into(),
        status: Status::Todo,
        attempt: 1,
        extra: crate::plan::execution::extra_with_args("{}", request.args.as_deref()),
    };
    let claim = Claim {
        task_id: task,
        spec: "5".into(),
        first: request.scheduled_at,
        limit: None,
        origin: request.origin,
        entries: vec![entry],
    };
    let won = memory.claim("node", &[claim]).await.unwrap().remove(0);
    let Verdict::Won(Some(id)) = won else { panic!("{won:?}") };
    let again = format!("/api/v1/executions/{id}/run");
    asker.post("biller", &again, Value::Null).await.refused(404, (), "does not exist");
    assert_eq!(asked(&again, Value::Null).await["task_id"], task);
    let args = memory.read().await.unwrap().requests.into_iter().map(|request| request.args);
    assert_eq!(args.collect::<Vec<_>>(), [None, Some("7".into())]);
}

#[tokio::test]
async fn a_log_is_read_on_until_the_last_lines_had_time_to_come() {
    let memory = Arc::new(MemoryStore::new(DateTime::<Utc>::UNIX_EPOCH));
    let asker = Asker::on(Arc::clone(&memory) as SharedStore);
    let (task, id) = running(&asker, "a").await;
    let line = r#"{"levelname":"INFO","name":"jobs","msg":"begun","timestamp":5.0,"n":1}"#;
    let part = |part, line: &str| LogPart { execution_id: id, part, content: format!("{line}\n") };
    memory.append_log(&[part(1, line)]).await.unwrap();
    let log = async |after: u32| {
        asker.get("viewer", &format!("/api/v1/executions/{id}/log?after={after}")).await.expect(200)
    };
    let first = log(0).await;
    assert_eq!(first["lines"], json!([serde_json::from_str::<Value>(line).unwrap()]));
    assert_eq!(first["text"], "1970-01-01T00:00:05+00:00 INFO    jobs: begun n=1\n");
    assert_eq!((&first["next"], &first["is_over"]), (&json!(1), &json!(false)));
    end(&asker, task, id, Status::Success).await;
    let ended_at = DateTime::UNIX_EPOCH + Duration::from_secs(7);
    memory.set_now(ended_at + TimeDelta::seconds(5));
    assert_eq!(log(1).await["is_over"], false, "the last lines may be under way");
    memory.append_log(&[part(2, "no json")]).await.unwrap();
    memory.set_now(ended_at + TimeDelta::seconds(6));
    let last = log(1).await;
    assert_eq!((&last["text"], &last["is_over"]), (&json!("no json\n"), &json!(true)));
    let file = super::pages::page(&asker, "viewer", &format!("/executions/{id}/log")).await;
    assert_eq!(file, "1970-01-01T00:00:05+00:00 INFO    jobs: begun n=1\nno json\n");
}

#[tokio::test]
async fn a_stream_goes_on_only_where_it_is_told_to() {
    let asker = Asker::new();
    let (_, id) = running(&asker, "a").await;
    for last in ["x", "-1", "4294967296"] {
        let request = Request::builder()
            .uri(format!("/api/v1/executions/{id}/log/stream"))
            .header("authorization", format!("Bearer {}", token_of("viewer")))
            .header("last-event-id", last);
        let request = request.body(Body::empty()).unwrap();
        let answer = asker.router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{last}");
    }
}

#[tokio::test]
async fn a_log_is_followed_until_nothing_comes_any_more() {
    let memory = Arc::new(MemoryStore::new(DateTime::<Utc>::UNIX_EPOCH));
    let asker = Asker::on(Arc::clone(&memory) as SharedStore);
    let (task, id) = running(&asker, "a").await;
    let part = |part| LogPart { execution_id: id, part, content: format!("line {part}\n") };
    memory.append_log(&[part(1), part(2)]).await.unwrap();
    let request = Request::builder()
        .uri(format!("/api/v1/executions/{id}/log/stream"))
        .header("authorization", format!("Bearer {}", token_of("viewer")))
        // Sent by a client that has the first part already.
        .header("last-event-id", "1");
    let request = request.body(Body::empty()).unwrap();
    let answer = asker.router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let mut body = answer.into_body();
    let mut event = async || {
        let frame = http_body_util::BodyExt::frame(&mut body).await?.unwrap();
        Some(String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap())
    };
    let first = event().await.unwrap();
    assert!(first.contains("event: log") && first.contains("id: 2"), "{first}");
    assert!(first.contains(r#""text":"line 2\n""#), "{first}");
    memory.append_log(&[part(3)]).await.unwrap();
    end(&asker, task, id, Status::Success).await;
    memory.set_now(DateTime::UNIX_EPOCH + Duration::from_secs(60));
    let last = event().await.unwrap();
    assert!(last.contains("event: end") && last.contains("line 3"), "{last}");
    assert_eq!(event().await, None);
}

#[tokio::test]
async fn an_execution_that_is_not_there_is_said_so() {
    let asker = Asker::new();
    for rest in ["", "/log", "/log/stream"] {
        let answer = asker.get("viewer", &format!("/api/v1/executions/5{rest}")).await;
        answer.refused(404, (), "execution 5 does not exist");
    }
    let none = asker.get("viewer", "/api/v1/executions").await.expect(200);
    assert_eq!(none.to_string(), r#"{"items":[],"next":null}"#);
    let wrong = asker.get("viewer", "/api/v1/executions?status=done").await;
    wrong.refused(400, "status", "status \"done\" is not known");
}

#[tokio::test]
async fn the_executions_of_a_day_are_counted_by_hour_for_those_for_whom_they_exist() {
    let memory = Arc::new(MemoryStore::new(crate::clock::wall()));
    let asker = Asker::on(Arc::clone(&memory) as SharedStore);
    let now = memory.now().await.unwrap();
    for (key, status) in [("a", Status::Fail), ("billing_b", Status::Success)] {
        let task = NewTask { args: "1".to_owned(), ..NewTask::new(key, "add", "interval", "5") };
        let task_id = memory.add(&task).await.unwrap();
        let trace_id: crate::plan::execution::TraceId = format!("{TRACE}{key}").into();
        let (extra, attempt) = ("{}".to_owned(), 1);
        let entry = Entry { scheduled_at: now, trace_id, status: Status::Todo, attempt, extra };
        let claim = Claim {
            task_id,
            spec: "5".into(),
            first: now,
            limit: None,
            origin: Origin::Schedule,
            entries: vec![entry.clone()],
        };
        let won = memory.claim("node", &[claim]).await.unwrap().remove(0);
        let Verdict::Won(Some(execution_id)) = won else { panic!("{won:?}") };
        let outcome = Outcome {
            execution_id,
            task_id,
            trace_id: entry.trace_id,
            status,
            extra: "{}".to_owned(),
            started_at: None,
            finished_at: now,
            retry: None,
        };
        memory.record(&[outcome]).await.unwrap();
    }
    let counts = async |name| {
        let day = asker.get(name, "/api/v1/statistics").await.expect(200);
        let hours = day["hours"].as_array().unwrap().clone();
        assert!(hours.len() >= 24, "{day}");
        let sum =
            |status: &str| -> u64 { hours.iter().map(|hour| hour[status].as_u64().unwrap()).sum() };
        [sum("fail"), sum("success"), sum("missed")]
    };
    assert_eq!(counts("viewer").await, [1, 1, 0]);
    assert_eq!(counts("biller").await, [0, 1, 0]);
    let page = super::pages::page(&asker, "viewer", "/").await;
    assert!(page.contains("The last 24 hours") && page.contains("1 Failed"), "{page}");
}

#[tokio::test]
async fn tasks_that_failed_and_did_not_succeed_since_have_a_list_of_their_own() {
    let store = Arc::new(MemoryStore::new(crate::clock::wall()));
    let asker = Asker::on(Arc::clone(&store) as SharedStore);
    for (key, statuses) in [
        ("well", &[Status::Success][..]),
        ("recovered", &[Status::Fail, Status::Success]),
        ("failing", &[Status::Success, Status::Fail]),
        ("billing_a", &[Status::Lost]),
    ] {
        let (task_id, first) = running(&asker, key).await;
        end(&asker, task_id, first, statuses[0]).await;
        let template = store.execution(first).await.unwrap();
        for (place, status) in (1..).zip(&statuses[1..]) {
            let scheduled_at = template.scheduled_at.map(|at| at + TimeDelta::seconds(place));
            let id = first + 100 + place;
            let status = status.as_str().to_owned();
            store.insert_execution(ExecutionRow { id, status, scheduled_at, ..template.clone() });
        }
    }
    let keys = async |name| {
        let list = super::pages::page(&asker, name, "/tasks?state=failing").await;
        super::pages::keys(&list).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(keys("viewer").await, ["billing_a", "failing"]);
    assert_eq!(keys("biller").await, ["billing_a"]);
}

#[tokio::test]
async fn nothing_tells_how_much_there_is_of_a_task_that_is_not_his() {
    let asker = Asker::new();
    let (hidden, _) = running(&asker, "secret").await;
    let (own, _) = running(&asker, "billing_a").await;
    for task in [hidden, own] {
        asker.store.set_spec(task, "6").await.unwrap();
    }
    let next = async |name: &str, list: &str, task: i64| {
        let path = format!("/api/v1/{list}?task_id={task}&limit=1");
        let page = asker.get(name, &path).await.expect(200);
        (page["items"].as_array().unwrap().len(), page["next"].clone())
    };
    for list in ["edits", "executions"] {
        assert_eq!(next("biller", list, hidden).await, (0, Value::Null), "{list}");
        assert_eq!(next("biller", list, 4_711).await, (0, Value::Null), "{list}");
        assert_eq!(next("biller", list, own).await.0, 1, "{list}");
        let (count, more) = next("admin", list, hidden).await;
        assert!(count == 1 && more.is_string(), "{list}: {more}");
    }
}

#[tokio::test]
async fn an_attempt_leads_to_the_others_of_its_instant() {
    let store = Arc::new(MemoryStore::new(DateTime::<Utc>::UNIX_EPOCH));
    let asker = Asker::on(Arc::clone(&store) as SharedStore);
    let (task_id, first) = running(&asker, "a").await;
    end(&asker, task_id, first, Status::Fail).await;
    let alone = super::pages::page(&asker, "viewer", &format!("/executions/{first}")).await;
    assert!(!alone.contains("Other attempts"), "{alone}");
    let row = store.execution(first).await.unwrap();
    let second = first + 1;
    let status = Status::Success.as_str().to_owned();
    store.insert_execution(ExecutionRow { id: second, attempt: 2, status, ..row });
    for (shown, other, status) in [(first, second, "Success"), (second, first, "Failed")] {
        let page = super::pages::page(&asker, "viewer", &format!("/executions/{shown}")).await;
        let number = if other == second { 2 } else { 1 };
        let link = format!("<li><a href=\"/executions/{other}\">{number}</a>");
        let rest = page.split(&link).nth(1).unwrap_or_else(|| panic!("no {link} in {page}"));
        assert!(rest.lines().next().unwrap().contains(status), "{rest}");
    }
}
