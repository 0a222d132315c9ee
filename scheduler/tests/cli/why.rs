//! `why`.

use chrono::{DateTime, Utc};
use scheduler_core::{
    plan::{
        claim::{Claim, Entry, Origin, Verdict},
        execution::{Outcome, Status},
    },
    store::{NewTask, Store as _},
};
use serde_json::json;

use crate::support::{Home, row};

/// A row in London's time, of which 2026-03-29, the day without 01:30, ran.
fn with_a_run_on_the_day_of_the_gap() -> Home {
    let home = Home::migrated("");
    let extra = r#"{"timezone": "Europe/London"}"#.to_owned();
    let task_id =
        home.insert_row(&NewTask { extra, ..row("report", "test_cron", "cron", "30 1 * * *") });
    home.store(async |store| {
        let scheduled_at: DateTime<Utc> = "2026-03-29T01:00:00Z".parse().unwrap();
        let extra = "{}".to_owned();
        let trace_id = std::sync::Arc::from("trace");
        let status = Status::Todo;
        let claim = Claim {
            task_id,
            spec: "30 1 * * *".into(),
            first: scheduled_at,
            limit: None,
            origin: Origin::Schedule,
            entries: vec![Entry {
                scheduled_at,
                trace_id: std::sync::Arc::clone(&trace_id),
                status,
                attempt: 1,
                extra: extra.clone(),
            }],
        };
        let Verdict::Won(Some(execution_id)) = store.claim("node-a", &[claim]).await.unwrap()[0]
        else {
            panic!("it is claimed");
        };
        let outcome = Outcome {
            execution_id,
            task_id,
            trace_id,
            status: Status::Success,
            extra,
            started_at: Some(scheduled_at),
            finished_at: scheduled_at + chrono::TimeDelta::milliseconds(412),
            retry: None,
        };
        store.record(&[outcome]).await.unwrap();
    });
    home
}

#[test]
fn an_instant_that_ran_is_answered_by_id_and_by_key_in_utc_and_in_the_tasks_zone() {
    let home = with_a_run_on_the_day_of_the_gap();
    let ran =
        "  execution 1 ran on node node-a from 2026-03-29T02:00:00+01:00 for 412ms: success\n";
    let first = "task 1 \"report\", 2026-03-29T02:00:00+01:00: success\n";
    for (task, instant) in [("1", "2026-03-29T01:00:00Z"), ("report", "2026-03-29 02:00:00")] {
        assert_eq!(home.ok(&["why", task, instant]), format!("{first}{ran}"));
    }
    let moved = "  2026-03-29 01:30:00 does not exist in Europe/London, and stands for 2026-03-29T02:00:00+01:00\n";
    assert_eq!(home.ok(&["why", "1", "2026-03-29 01:30:00"]), format!("{first}{moved}{ran}"));
}

#[test]
fn programs_get_one_word_the_sentences_and_the_executions() {
    let home = with_a_run_on_the_day_of_the_gap();
    let answer = home.json(&["why", "1", "2026-03-29T01:00:00Z"]);
    assert_eq!(answer["answer"], "success");
    assert_eq!(answer["scheduled_at"], "2026-03-29T01:00:00Z");
    assert_eq!(answer["task_key"], "report");
    assert_eq!(answer["because"].as_array().unwrap().len(), 1);
    assert_eq!(answer["executions"][0]["id"], 1);
    let answer = home.json(&["why", "1", "2026-03-28T01:30:00Z"]);
    assert_eq!((&answer["answer"], &answer["executions"]), (&json!("younger"), &json!([])));
    let answer = home.json(&["why", "1", "2099-03-28T12:00:00Z"]);
    assert_eq!(answer["answer"], "not_due");
}

#[test]
fn rows_that_are_off_refused_deleted_or_were_never_there_are_told_apart() {
    let home = crate::with_rows();
    let answer = |task: &str| home.json(&["why", task, "2099-01-02T01:30:00Z"])["answer"].clone();
    assert_eq!(answer("good"), "not_yet");
    assert_eq!(answer("unknown"), "rejected");
    assert_eq!(answer("bad_spec"), "rejected");
    assert_eq!(answer("off_bad"), "disabled");
    assert_eq!(answer("off"), "not_due", "a date that is past");
    let gone = with_a_run_on_the_day_of_the_gap();
    gone.ok(&["task", "delete", "1"]);
    assert_eq!(gone.json(&["why", "1", "2026-03-29T01:00:00Z"])["answer"], "success");
    assert_eq!(gone.json(&["why", "1", "2026-03-30T00:30:00Z"])["answer"], "gone");
}

#[test]
fn what_is_not_understood_is_named() {
    let home = Home::migrated("");
    home.insert("good", "test_cron", "cron", "30 1 * * *");
    for task in ["99", "nobody"] {
        let error = format!(
            "error: task \"{task}\" does not exist, expected the id or the task_key of a row"
        );
        home.fails(&["why", task, "2026-03-29T01:00:00Z"], 1, &error);
    }
    let error = "error: INSTANT \"noon\" is no instant, expected RFC 3339 or YYYY-MM-DD HH:MM:SS";
    home.fails(&["why", "good", "noon"], 2, error);
}
