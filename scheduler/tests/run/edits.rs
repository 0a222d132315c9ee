//! What is changed while it runs.

use std::time::Duration;

use serde_json::json;

use crate::{
    process::{QUICK, Running},
    support::{Home, eventually},
};

/// Waits until another task has run `more` times, which proves that the scheduler was at work.
#[track_caller]
fn let_pass(home: &Home, sentinel: i64, more: usize) {
    let before = home.executions(sentinel).len();
    eventually("the other task runs on", || {
        (home.executions(sentinel).len() >= before + more).then_some(())
    });
}

#[test]
fn a_bad_row_harms_only_itself() {
    let home = Home::migrated(QUICK);
    let ghost = home.insert("ghost", "no_such_job", "interval", "100ms");
    let healthy = home.insert("healthy", "test_interval", "interval", "100ms");
    let mut scheduler = Running::start(&home);
    scheduler.says(&["rejected: task 1", "ghost", "no_such_job"]);
    let_pass(&home, healthy, 5);
    assert!(home.executions(healthy).iter().any(|row| row["status"] == "success"));
    assert!(home.executions(ghost).is_empty());
    scheduler.signal("TERM");
    scheduler.ends_within(std::time::Duration::from_secs(5));
    assert_eq!(scheduler.count(&["rejected: task 1"]), 1, "said once, not once per reading");
}

#[test]
fn a_new_spec_and_a_switch_off_take_effect_while_it_runs() {
    let home = Home::migrated(QUICK);
    let edited = home.insert("edited", "test_interval", "interval", "1h");
    let sentinel = home.insert("sentinel", "test_cron", "interval", "100ms");
    let mut scheduler = Running::start(&home);
    let_pass(&home, sentinel, 3);
    assert!(home.executions(edited).is_empty());

    home.ok(&["task", "spec", "1", "100ms"]);
    scheduler.says(&["new spec", "\"old\":\"1h\"", "\"new\":\"100ms\""]);
    let_pass(&home, edited, 2);

    home.ok(&["task", "disable", "1"]);
    let ran = home.executions(edited).len();
    let_pass(&home, sentinel, 5);
    assert_eq!(home.executions(edited).len(), ran, "nothing is claimed once the row says 0");

    home.ok(&["task", "enable", "1"]);
    let_pass(&home, edited, 2);

    home.ok(&["task", "delete", "1"]);
    let ran = home.executions(edited).len();
    let_pass(&home, sentinel, 5);
    assert_eq!(home.executions(edited).len(), ran);
}

#[test]
fn a_row_added_while_it_runs_is_found_and_one_triggered_runs_once() {
    let home = Home::migrated(QUICK);
    let sentinel = home.insert("sentinel", "test_cron", "interval", "100ms");
    let mut scheduler = Running::start(&home);
    scheduler.says(&["the table is read"]);
    let add = ["task", "add", "--key", "rare", "--func", "test_date", "--trigger", "cron"];
    home.ok(&[&add[..], &["--spec", "0 0 1 1 *", "--args", "7"]].concat());
    scheduler.says(&["scheduled", "rare"]);
    home.ok(&["task", "trigger", "2"]);
    let row = eventually("the manual run", || {
        home.executions(2).into_iter().find(|row| row["status"] == "success")
    });
    assert_eq!(row["source"], "manual");
    scheduler.says(&["test_date ran", "\"args\":\"7\"", row["trace_id"].as_str().unwrap()]);
    let_pass(&home, sentinel, 5);
    assert_eq!(home.executions(2).len(), 1);
}

#[test]
fn what_is_edited_by_sql_is_in_the_history() {
    let home = Home::migrated(QUICK);
    let task = home.insert("edited", "test_cron", "cron", "@daily");
    let mut scheduler = Running::start(&home);
    scheduler.says(&["edited", "scheduled"]);
    home.sql("UPDATE task SET spec = '@hourly' WHERE id = 1");
    let edits = || home.json(&["task", "history", &task.to_string()]);
    let edit = eventually("the edit is noticed", || {
        let edits = edits();
        (edits[0]["via"] == "external").then(|| edits[0].clone())
    });
    assert_eq!((&edit["action"], &edit["author"]), (&json!("change"), &json!("")));
    let changed = json!([{"column": "spec", "from": "@daily", "to": "@hourly"}]);
    assert_eq!(edit["changed"], changed);
    scheduler.signal("TERM");
    scheduler.ends_within(Duration::from_secs(5));
    // While nobody runs.
    home.sql("DELETE FROM task WHERE id = 1");
    home.sql(
        "INSERT INTO task (task_key, \"desc\", execute_func, \"trigger\", spec, is_valid, status) \
         VALUES ('by_hand', '', 'test_cron', 'cron', '@daily', 1, 'ready')",
    );
    let _scheduler = Running::start(&home);
    eventually("both are noticed", || {
        let all = home.json(&["task", "history"]);
        let actions: Vec<_> = all.as_array().unwrap().iter().map(|edit| &edit["action"]).collect();
        (actions == ["found", "change", "create"]).then_some(())
    });
}
