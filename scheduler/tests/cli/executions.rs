//! `executions`.

use chrono::{DateTime, Utc};
use scheduler_core::{
    plan::{
        claim::{Claim, Entry, Origin},
        execution::Status,
    },
    store::Store as _,
};
use serde_json::{Value, json};

use crate::support::Home;

/// Three executions of task 1, on the hours after 2026-01-01.
fn with_executions() -> Home {
    let home = Home::migrated("");
    let task_id = home.insert("good", "test_cron", "cron", "0 * * * *");
    let statuses = [Status::Missed, Status::Skipped, Status::Todo];
    home.store(async |store| {
        for (hour, status) in statuses.into_iter().enumerate() {
            let scheduled_at: DateTime<Utc> =
                format!("2026-01-01T0{hour}:00:00.5Z").parse().unwrap();
            let trace_id = format!("trace-{hour}").into();
            let extra = r#"{"reason": "a test"}"#.to_owned();
            let entry = Entry { scheduled_at, trace_id, status, attempt: 1, extra };
            let claim = Claim {
                task_id,
                spec: "0 * * * *".into(),
                first: scheduled_at,
                limit: None,
                origin: Origin::Schedule,
                entries: vec![entry],
            };
            store.claim("node-a", &[claim]).await.unwrap();
        }
    });
    home
}

#[test]
fn executions_are_listed_newest_first_filtered_and_in_pages() {
    let home = with_executions();
    let ids = |args: &[&str]| -> Vec<i64> {
        let list = home.json(&[&["executions", "list"], args].concat());
        list.as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
    };
    assert_eq!(ids(&[]), [3, 2, 1]);
    assert_eq!(ids(&["--limit", "2"]), [3, 2]);
    assert_eq!(ids(&["--limit", "2", "--before", "2"]), [1]);
    assert_eq!(ids(&["--status", "skipped"]), [2]);
    assert_eq!(ids(&["--task", "1", "--status", "missed"]), [1]);
    assert_eq!(ids(&["--task", "2"]), [0; 0]);
    let text = home.ok(&["executions", "list", "--limit", "1"]);
    let mut lines = text.lines();
    assert_eq!(
        lines
            .next()
            .unwrap()
            .split("  ")
            .filter(|part| !part.is_empty())
            .map(str::trim)
            .collect::<Vec<_>>(),
        [
            "id",
            "task",
            "status",
            "attempt",
            "scheduled_at",
            "started_at",
            "ms",
            "trace_id",
            "reason"
        ]
    );
    assert_eq!(
        lines.next().unwrap().split_whitespace().collect::<Vec<_>>(),
        [
            "3",
            "good",
            "todo",
            "1",
            "2026-01-01T02:00:00.500+00:00",
            "-",
            "-",
            "trace-2",
            "a",
            "test"
        ]
    );
}

#[test]
fn an_execution_is_shown_whole_and_outlives_its_task() {
    let home = with_executions();
    home.ok(&["task", "delete", "1"]);
    let row = home.json(&["executions", "show", "3"]);
    assert_eq!(row["task_key"], Value::Null);
    assert_eq!(row["task_id"], 1);
    assert_eq!(row["scheduled_at"], "2026-01-01T02:00:00.500Z");
    assert_eq!(row["extra"], json!({"reason": "a test"}));
    assert_eq!(row["duration_ms"], Value::Null);
    let text = home.ok(&["executions", "show", "3"]);
    assert!(text.contains("task_key       (deleted)\n"), "{text}");
    assert!(text.contains("extra          {\"reason\": \"a test\"}\n"), "{text}");
    home.fails(&["executions", "show", "9"], 1, "error: execution 9 does not exist");
}

#[test]
fn a_run_is_asked_to_end_and_what_has_ended_is_not() {
    let home = with_executions();
    let asked = home.ok(&["executions", "cancel", "3"]);
    assert_eq!(asked, "execution 3 is to end; the node that has it obeys within 10s\n");
    let wishes = home.store(async |store| store.read().await.unwrap().cancels);
    assert_eq!(wishes[0].execution_id, 3);
    let ended = "error: execution 1 has ended (missed), expected one that runs";
    home.fails(&["executions", "cancel", "1"], 1, ended);
    home.fails(&["executions", "cancel", "9"], 1, "error: execution 9 does not exist");
}
