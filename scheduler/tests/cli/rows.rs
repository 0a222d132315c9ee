//! What `check` and `task list` say of rows.

use scheduler_core::store::NewTask;
use serde_json::{Value, json};

use crate::{
    support::{Home, row},
    with_rows,
};

#[test]
fn check_judges_every_row_and_is_1_when_one_is_rejected() {
    let home = with_rows();
    let ran = home.run(&["check", "--json"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["ok"], false);
    assert_eq!(report["database"], "sqlite:data/scheduler.db");
    let lines: Vec<_> = report["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| {
            (task["id"].as_i64().unwrap(), task["state"].as_str().unwrap(), task["reason"].as_str())
        })
        .collect();
    let unknown = "execute_func \"test_corn\" is not a known job, expected a job of this program such as \"test_cron\"";
    let minute = "spec \"61 1 * * *\": minute \"61\" is not valid, expected 0-59, *, a list, a range or a step";
    let date = "spec \"tomorrow\" is not a date, expected YYYY-MM-DD HH:MM:SS, RFC 3339 or now";
    assert_eq!(
        lines,
        [
            (1, "accepted", None),
            (2, "rejected", Some(unknown)),
            (3, "rejected", Some(minute)),
            (4, "disabled", None),
            (5, "disabled", Some(date)),
        ]
    );
    assert!(report["tasks"][0]["next"].as_str().unwrap().ends_with("T01:30:00Z"));
    assert_eq!(report["tasks"][1]["next"], Value::Null);
    let text = home.run(&["check"]).stdout;
    assert!(text.contains("1 accepted, 2 disabled, 2 rejected"), "{text}");
    home.ok(&["task", "delete", "2", "3"]);
    assert_eq!(home.json(&["check"])["ok"], true, "a disabled row that is wrong does not count");
}

#[test]
fn task_list_has_the_columns_of_the_table_and_what_the_scheduler_makes_of_them() {
    let home = with_rows();
    let list = home.json(&["task", "list"]);
    let keys: Vec<&str> = list[0].as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = vec![
        "id",
        "task_key",
        "desc",
        "execute_func",
        "trigger",
        "spec",
        "args",
        "is_valid",
        "status",
        "extra",
        "create_at",
        "update_at",
        "state",
        "reason",
        "next",
        "version",
        "pause",
    ];
    expected.sort_unstable();
    let mut keys = keys;
    keys.sort_unstable();
    assert_eq!(keys, expected);
    assert_eq!(list[0]["is_valid"], 1);
    assert_eq!(list[0]["extra"], json!({}));
    let states: Vec<_> =
        list.as_array().unwrap().iter().map(|task| task["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["enabled", "rejected", "rejected", "disabled", "disabled"]);
    let ran = home.run(&["task", "list"]);
    assert_eq!(ran.code, 0);
    assert_eq!(ran.stdout.lines().count(), 6);
    assert_eq!(ran.stderr, "some rows are rejected: `scheduler check` says why\n");
}

#[test]
fn a_row_cannot_move_the_cursor_of_the_terminal() {
    let home = Home::migrated("");
    home.insert("red\u{1b}[31m\nline", "test\u{9b}2J", "cron", "\u{202e}* * * * *");
    for args in
        [&["task", "list"][..], &["task", "show", "1"], &["check"], &["task", "enable", "1"]]
    {
        let ran = home.run(args);
        for c in ['\u{1b}', '\u{9b}', '\u{202e}'] {
            assert!(!ran.stdout.contains(c) && !ran.stderr.contains(c), "{args:?}: {ran:?}");
        }
    }
    assert!(home.ok(&["task", "list"]).contains(r"red\u{1b}[31m\nline"));
    assert_eq!(home.json(&["task", "list"])[0]["task_key"], "red\u{1b}[31m\nline");
}

/// The rows of someone who comes from a program in which 0 is Monday.
fn with_weekdays() -> Home {
    let home = Home::migrated("");
    home.insert("workdays", "test_cron", "cron", "0 9 * * 0-4");
    home.insert("named", "test_cron", "cron", "0 9 * * mon-fri");
    home.insert_row(&NewTask {
        is_enabled: false,
        extra: r#"{"timezone": "Asia/Shanghai"}"#.to_owned(),
        ..row("not_moved_yet", "report", "cron", "30 8 * * 6")
    });
    home.insert("both_days", "test_cron", "cron", "0 0 13 * 4");
    home.insert("every_second", "test_cron", "cron", "* * * * * *");
    home.insert("often", "test_cron", "cron", "* * * * 5-6");
    home.insert("every_minute", "test_cron", "cron", "* * * * *");
    home.insert("interval", "test_cron", "interval", "60");
    home.insert_row(&NewTask {
        extra: r#"{"timezone": "Nowhere"}"#.to_owned(),
        ..row("nowhere", "test_cron", "cron", "0 9 * * 1-5")
    });
    home
}

#[test]
fn check_against_the_dialect_of_apscheduler_finds_the_rows_that_would_fire_otherwise() {
    let home = with_weekdays();
    let ran = home.run(&["check", "--against", "apscheduler", "--json"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["ok"], false);
    let compared = &report["compared"];
    assert_eq!(compared["dialect"], "standard");
    assert_eq!(compared["against"], "apscheduler");
    assert_eq!(compared["cron_rows"], 8);
    assert_eq!(compared["unread"], json!([9]));
    let found: Vec<_> = compared["differing"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap_or("").to_owned();
            (row["id"].as_i64().unwrap(), text("same_as_there"), text("reason"))
        })
        .collect();
    let fields = "there: spec \"* * * * * *\" has 6 fields, expected 5";
    let expected = [
        (1, "0 9 * * mon-fri", ""),
        (3, "30 8 * * sun", ""),
        (4, "", ""),
        (5, "", fields),
        (6, "* * * * sat,sun", ""),
    ];
    assert_eq!(found, expected.map(|(id, same, reason)| (id, same.to_owned(), reason.to_owned())));
    let zones: Vec<_> = [0, 1].map(|at| compared["differing"][at]["timezone"].clone()).into();
    assert_eq!(zones, ["UTC", "Asia/Shanghai"]);
    let text = home.run(&["check", "--against", "apscheduler"]).stdout;
    assert!(
        text.contains(
            "5 of 8 cron rows would fire otherwise under apscheduler; 1 cannot be compared"
        ),
        "{text}"
    );
}

#[test]
fn a_row_that_is_respelled_as_check_says_no_longer_differs() {
    let home = with_weekdays();
    home.ok(&["task", "spec", "1", "0 9 * * mon-fri"]);
    home.ok(&["task", "delete", "3", "4", "5", "6", "9"]);
    let report = home.json(&["check", "--against", "apscheduler"]);
    assert_eq!(report["ok"], true);
    assert_eq!(report["compared"]["differing"], json!([]));
    let text = home.ok(&["check", "--against", "apscheduler"]);
    assert!(
        text.ends_with("none of 3 cron rows would fire otherwise under apscheduler\n"),
        "{text}"
    );
}

#[test]
fn check_without_against_compares_nothing_and_an_unknown_dialect_is_refused() {
    let home = with_weekdays();
    home.ok(&["task", "disable", "9"]);
    let report = home.json(&["check"]);
    assert_eq!(report.get("compared"), None);
    let ran = home.run(&["check", "--against", "quartz"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("\"quartz\" is not known, expected standard or apscheduler"),
        "{ran:?}"
    );
}
