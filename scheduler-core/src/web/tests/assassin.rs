//! The routes of the Python application.

use chrono::TimeDelta;
use serde_json::json;

use super::*;
use crate::plan::execution::ExecutionRow;

async fn ask(asker: &Asker, name: &str, method: &str, path: &str, form: &str) -> (u16, Value) {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("authorization", format!("Bearer {}", token_of(name)));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let request = request.body(Body::from(form.to_owned())).unwrap();
    let answer = html(asker.router.clone().oneshot(request).await.unwrap()).await;
    let json = serde_json::from_str(&answer.text).unwrap_or_else(|_| panic!("{}", answer.text));
    (answer.status.as_u16(), json)
}

const NEW: &str = "task_key=a&desc=d&status=doing&execute_func=add&trigger=interval&spec=5&args=1&is_valid=1&extra=%7B%7D";

#[tokio::test]
async fn tasks_are_created_listed_shown_and_changed_as_its_clients_expect() {
    let asker = Asker::new();
    let (status, created) = ask(&asker, "admin", "POST", "/assassin/task", NEW).await;
    assert_eq!((status, created), (200, json!({"code": 200, "msg": "success", "data": 1})));
    let (_, list) = ask(&asker, "viewer", "GET", "/assassin/tasks?page=1&size=10", "").await;
    let page = &list["data"];
    assert_eq!(
        (&page["page"], &page["size"], &page["total"]),
        (&json!("1"), &json!("10"), &json!(1))
    );
    let task = &page["data"][0];
    assert_eq!((&task["task_key"], &task["is_valid"]), (&json!("a"), &json!(1)));
    assert_eq!((&task["status"], &task["extra"]), (&json!("ready"), &json!({})), "status is ours");
    assert_eq!(task["create_at"].as_str().unwrap().len(), "2026-11-28 09:00:00".len());
    let (_, one) = ask(&asker, "viewer", "GET", "/assassin/task?task_id=1", "").await;
    assert_eq!(&one["data"], task);
    let changed =
        "task_id=1&desc=e&status=ready&trigger=interval&spec=7&args=2&is_valid=0&extra=%7B%7D";
    let (status, done) = ask(&asker, "admin", "PUT", "/assassin/task", changed).await;
    assert_eq!((status, done), (200, json!({"code": 200, "msg": "success", "data": null})));
    let (_, one) = ask(&asker, "viewer", "GET", "/assassin/task?task_id=1", "").await;
    assert_eq!((&one["data"]["spec"], &one["data"]["is_valid"]), (&json!("7"), &json!(0)));
    let (_, runs) = ask(&asker, "viewer", "GET", "/assassin/sub_tasks?task_id=1", "").await;
    assert_eq!(runs["data"], json!({"page": "1", "size": "20", "total": 0, "data": []}));
}

/// The `number`th execution of task 1.
fn execution(number: i64) -> ExecutionRow {
    let at = DateTime::UNIX_EPOCH + TimeDelta::seconds(number);
    ExecutionRow {
        id: number,
        task_id: 1,
        task_key: None,
        status: "success".to_owned(),
        extra: "{}".to_owned(),
        trace_id: number.to_string(),
        created_at: Some(at),
        scheduled_at: Some(at),
        attempt: 1,
        source: "schedule".to_owned(),
        node_id: None,
        started_at: Some(at),
        finished_at: Some(at),
    }
}

#[tokio::test]
async fn pages_of_runs_are_found_however_far_behind_they_are() {
    let memory = Arc::new(MemoryStore::new(DateTime::<Utc>::UNIX_EPOCH));
    (1..=1_234).for_each(|number| memory.insert_execution(execution(number)));
    let asker = Asker::on(memory);
    for (page, size, first, count) in [
        (1, 100, 1_234, 100),
        (6, 200, 234, 200),
        (7, 200, 34, 34),
        (8, 200, 0, 0),
        (50, 200, 0, 0),
    ] {
        let path = format!("/assassin/sub_tasks?task_id=1&page={page}&size={size}");
        let (_, runs) = ask(&asker, "viewer", "GET", &path, "").await;
        let ids = runs["data"]["data"].as_array().unwrap().iter().map(|run| run["id"].as_i64());
        let expected: Vec<_> = (0..count).map(|behind| Some(first - behind)).collect();
        assert_eq!(ids.collect::<Vec<_>>(), expected, "{path}");
        assert_eq!(runs["data"]["total"], 1_234);
    }
}

#[tokio::test]
async fn two_look_far_behind_at_once_and_others_are_told() {
    let memory = Arc::new(MemoryStore::new(DateTime::<Utc>::UNIX_EPOCH));
    memory.insert_execution(execution(1));
    let asker = Asker::on(memory);
    let page = async |page| {
        let path = format!("/assassin/sub_tasks?task_id=1&page={page}&size=200");
        ask(&asker, "viewer", "GET", &path, "").await.0
    };
    let first = asker.site.far_behind.try_acquire().unwrap();
    assert_eq!(page(4).await, 200);
    let second = asker.site.far_behind.try_acquire().unwrap();
    assert_eq!(page(4).await, 503);
    assert_eq!(page(3).await, 200, "one part is not far");
    drop((first, second));
    assert_eq!(page(4).await, 200);
}

#[tokio::test]
async fn what_is_wrong_is_said_in_code_and_msg() {
    let asker = Asker::new();
    ask(&asker, "admin", "POST", "/assassin/task", NEW).await;
    let wrong = NEW.replace("spec=5", "spec=-5").replace("task_key=a", "task_key=b");
    for (name, method, path, form, status, msg) in [
        ("nobody", "GET", "/assassin/tasks", "", 401, "token"),
        ("operator", "POST", "/assassin/task", NEW, 403, "admin"),
        ("admin", "POST", "/assassin/task", NEW, 400, "key"),
        ("admin", "POST", "/assassin/task", wrong.as_str(), 400, "spec"),
        ("admin", "POST", "/assassin/task", "trigger=cron", 400, "is_valid"),
        ("viewer", "GET", "/assassin/task?task_id=77", "", 400, "77 does not exist"),
        ("viewer", "GET", "/assassin/tasks?page=x", "", 400, "page and size should be int"),
        ("viewer", "GET", "/assassin/tasks?page=0", "", 400, "page and size should be int"),
        ("viewer", "GET", "/assassin/tasks?size=100000", "", 400, "size 1 to 200"),
        ("biller", "GET", "/assassin/sub_tasks?task_id=1", "", 400, "does not exist"),
        ("biller", "GET", "/assassin/task?task_id=1", "", 400, "does not exist"),
        ("viewer", "GET", "/assassin/sub_tasks", "", 400, "Missing argument task_id"),
        ("viewer", "DELETE", "/assassin/task", "", 405, "method"),
    ] {
        let (found, said) = ask(&asker, name, method, path, form).await;
        assert_eq!((found, &said["code"]), (status, &json!(status)), "{method} {path}: {said}");
        assert!(said["msg"].as_str().unwrap().contains(msg), "{method} {path}: {said}");
    }
    let (_, own) = ask(&asker, "biller", "GET", "/assassin/tasks", "").await;
    assert_eq!(own["data"]["total"], 0, "what is not his does not exist");
}
