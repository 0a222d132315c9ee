//! The verbs that change rows.

use scheduler_core::store::Store as _;
use serde_json::{Value, json};

use crate::{
    support::{Home, Ran},
    with_rows,
};

#[test]
fn a_task_is_added_as_it_was_checked() {
    let home = Home::migrated("");
    let stdout = home.ok(&[
        "task",
        "add",
        "--key",
        "report",
        "--func",
        "test_cron",
        "--trigger",
        "cron",
        "--spec",
        "30 1 * * *",
        "--args",
        "-1,\"a b\"",
        "--desc",
        "每日报告",
        "--extra",
        r#"{"timezone": "Asia/Shanghai", "mine": 7}"#,
    ]);
    assert!(stdout.starts_with("task 1 \"report\" is added, next "), "{stdout}");
    assert!(
        stdout.trim_end().ends_with("T01:30:00+08:00; a running scheduler takes it within 10s"),
        "{stdout}"
    );
    let task = home.json(&["task", "show", "1"]);
    assert_eq!(task["args"], "-1,\"a b\"");
    assert_eq!(task["desc"], "每日报告");
    assert_eq!(task["extra"], json!({"timezone": "Asia/Shanghai", "mine": 7}));
    assert_eq!(task["upcoming"].as_array().unwrap().len(), 5);
    assert_eq!(task["upcoming"][0], task["next"]);
    assert_eq!(task["executions"], json!([]));
    let added = home.json(&[
        "task",
        "add",
        "--key",
        "other",
        "--func",
        "test_date",
        "--trigger",
        "date",
        "--spec",
        "now",
        "--disabled",
    ]);
    assert_eq!(
        (&added["id"], &added["state"], &added["is_valid"]),
        (&json!(2), &json!("disabled"), &json!(0))
    );
    let text = home.ok(&["task", "show", "1"]);
    for part in ["每日报告", "next instants", "+08:00", "last executions\nnone"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_key_of_extra_that_resembles_one_of_ours_is_kept_and_warned_of() {
    let home = Home::migrated("");
    let mut args = vec!["task", "add", "--key", "new", "--func", "test_cron", "--trigger", "cron"];
    args.extend(["--spec", "@daily", "--extra", r#"{"retires": 3, "owner": "ops"}"#]);
    let warning = "task 1 \"new\": extra has the key \"retires\", which the scheduler does not read: was \"retries\" meant?";
    let added = home.run(&args);
    assert_eq!((added.code, added.stderr), (0, format!("warning: {warning}\n")));
    let checked = home.run(&["check", "--json"]);
    assert_eq!((checked.code, checked.stderr), (0, format!("warning: {warning}\n")));
    let report: Value = serde_json::from_str(&checked.stdout).unwrap();
    assert_eq!(report["tasks"][0]["warnings"], json!([warning]));
    assert_eq!(home.json(&["task", "show", "1"])["extra"], json!({"retires": 3, "owner": "ops"}));
}

#[test]
fn a_task_that_would_be_rejected_is_not_added() {
    let home = Home::migrated("");
    home.insert("taken", "test_cron", "cron", "@daily");
    let add = |changed: (&str, &str), reason: &str| {
        let mut args = vec!["task", "add"];
        for (name, value) in
            [("--key", "new"), ("--func", "test_cron"), ("--trigger", "cron"), ("--spec", "@daily")]
        {
            args.extend([name, if changed.0 == name { changed.1 } else { value }]);
        }
        if changed.0 == "--extra" || changed.0 == "--desc" {
            args.extend([changed.0, changed.1]);
        }
        let key = if changed.0 == "--key" { changed.1 } else { "new" };
        home.fails(&args, 1, &format!("error: task {key:?}: {reason}"));
    };
    let taken = ["--key", "taken", "--func", "test_cron", "--trigger", "cron", "--spec", "@daily"];
    let text = "error: task_key \"taken\" is taken, expected a key that no other row has";
    home.fails(&[&["task", "add"], &taken[..]].concat(), 1, text);
    add(("--key", ""), "task_key \"\" is not valid, expected a name of 1 to 255 characters");
    add(
        ("--func", "test_corn"),
        "execute_func \"test_corn\" is not a known job, expected a job of this program such as \"test_cron\"",
    );
    add(
        ("--trigger", "Cron"),
        "trigger \"Cron\" is not known, expected cron, date or interval (nearest: cron)",
    );
    add(("--spec", "* *"), "spec \"* *\" has 2 fields, expected 5, or 6 with seconds first");
    add(
        ("--extra", r#"{"overlap": "maybe"}"#),
        "extra.overlap is \"maybe\", expected \"skip\", \"queue\" or \"allow\"",
    );
    let reason =
        format!("desc \"{}…\" is longer than 255 characters, expected at most 255", "x".repeat(80));
    add(("--desc", &"x".repeat(256)), &reason);
    assert_eq!(home.json(&["task", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn of_several_ids_all_are_tried_and_each_failure_is_a_line() {
    let home = with_rows();
    let ran = home.run(&["task", "disable", "1", "98", "2", "99"]);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.stderr, "error: task 98 does not exist\nerror: task 99 does not exist\n");
    assert_eq!(
        ran.stdout,
        "task 1 \"good\" is disabled: nothing of it starts any more\n\
         task 2 \"unknown\" is disabled: nothing of it starts any more\n"
    );
    let ran = home.run(&["task", "enable", "1", "2", "--json"]);
    assert_eq!(ran.code, 1);
    let edited: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&edited[0]["id"], &edited[0]["done"]), (&json!(1), &json!(true)));
    assert_eq!((&edited[1]["id"], &edited[1]["done"]), (&json!(2), &json!(false)));
    assert!(edited[1]["message"].as_str().unwrap().contains("is not a known job"), "{edited}");
    let valid = |id| home.json(&["task", "show", id])["is_valid"].clone();
    assert_eq!(
        (valid("1"), valid("2")),
        (json!(1), json!(0)),
        "a row that would be rejected stays off"
    );
    assert_eq!(home.ok(&["task", "enable", "1"]), "task 1 \"good\" is enabled already\n");
    assert_eq!(home.ok(&["task", "disable", "2"]), "task 2 \"unknown\" is disabled already\n");
    assert_eq!(
        home.ok(&["task", "delete", "1", "2"]),
        "task 1 \"good\" is deleted; its executions stay\ntask 2 \"unknown\" is deleted; its executions stay\n"
    );
    home.fails(&["task", "delete", "1"], 1, "error: task 1 does not exist");
}

#[test]
fn a_spec_that_does_not_parse_is_not_written() {
    let home = with_rows();
    home.fails(
        &["task", "spec", "1", "61 * * * *"],
        1,
        "error: task 1 \"good\": spec \"61 * * * *\": minute \"61\" is not valid, \
         expected 0-59, *, a list, a range or a step",
    );
    assert_eq!(home.json(&["task", "show", "1"])["spec"], "30 1 * * *");
    let stdout = home.ok(&["task", "spec", "1", "0 2 * * *"]);
    assert!(stdout.starts_with("task 1 \"good\" has the spec \"0 2 * * *\", next "), "{stdout}");
    assert_eq!(home.json(&["task", "show", "1"])["spec"], "0 2 * * *");
    home.ok(&["task", "spec", "3", "1 1 * * *"]);
    assert_eq!(
        home.json(&["task", "show", "3"])["state"],
        "enabled",
        "a bad spec is repaired by a good one"
    );
    assert_eq!(
        home.ok(&["task", "spec", "5", "now"]),
        "task 5 \"off_bad\" has the spec \"now\", and is disabled\n"
    );
    home.fails(&["task", "spec", "99", "1"], 1, "error: task 99 does not exist");
}

#[test]
fn only_a_task_that_can_run_is_triggered() {
    let home = with_rows();
    let stdout = home.ok(&["task", "trigger", "1"]);
    assert_eq!(
        stdout,
        "task 1 \"good\" is asked to run once; a running scheduler takes it within 10s\n"
    );
    home.fails(
        &["task", "trigger", "2"],
        1,
        "error: task 2 \"unknown\" is rejected: execute_func \"test_corn\" is not a known job, \
         expected a job of this program such as \"test_cron\"",
    );
    home.fails(
        &["task", "trigger", "4"],
        1,
        "error: task 4 \"off\" is disabled: enable it first with `scheduler task enable 4`",
    );
    home.fails(&["task", "trigger", "99"], 1, "error: task 99 does not exist");
    let requests = home.store(async |store| store.read().await.unwrap().requests.len());
    assert_eq!(requests, 1);
    let shown = home.json(&["task", "show", "1"]);
    assert_eq!(shown["waiting"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&shown["waiting"][0]["source"], &shown["waiting"][0]["attempt"]),
        (&json!("manual"), &json!(1))
    );
    assert_eq!(shown["waiting"][0]["due_at"], shown["waiting"][0]["scheduled_at"]);
    let text = home.ok(&["task", "show", "1"]);
    assert!(text.contains("waiting\nsource  attempt  scheduled_at"), "{text}");
    assert!(!home.ok(&["task", "show", "4"]).contains("waiting"));
}

#[test]
fn who_edited_what_is_kept_and_shown_newest_first() {
    let home = Home::migrated("");
    let as_ada = |args: &[&str]| {
        let mut command = home.command();
        let ran = command.env_remove("SUDO_USER").env("USER", "ada\u{1b}[31m").args(args).output();
        let ran = Ran::of(ran.unwrap());
        assert_eq!((ran.code, &*ran.stderr), (0, ""), "{args:?}");
        ran.stdout
    };
    assert_eq!(home.json(&["task", "history"]), json!([]));
    let new = ["task", "add", "--key", "new", "--func", "test_cron", "--trigger", "cron"];
    as_ada(&[&new, &["--spec", "@daily"][..]].concat());
    as_ada(&["task", "spec", "1", "0 5 * * *"]);
    as_ada(&["task", "spec", "1", "0 5 * * *"]);
    as_ada(&["task", "disable", "1"]);
    as_ada(&["task", "delete", "1"]);
    home.insert("other", "test_cron", "cron", "@daily");
    let rows = home.json(&["task", "history", "1"]);
    let rows = rows.as_array().unwrap();
    let column = |name: &str| rows.iter().map(|row| row[name].clone()).collect::<Vec<_>>();
    assert_eq!(column("action"), ["delete", "change", "change", "create"]);
    assert_eq!(column("changed")[1], json!([{"column": "is_valid", "from": "1", "to": "0"}]));
    assert_eq!(column("via"), ["cli"; 4]);
    assert_eq!(column("author"), ["ada\u{1b}[31m"; 4]);
    assert_eq!(column("after")[1], column("before")[0]);
    assert_eq!((&column("after")[0], &column("before")[3]), (&Value::Null, &Value::Null));
    assert!(column("edited_at")[0].as_str().unwrap().ends_with('Z'));
    let text = home.ok(&["task", "history", "1", "--limit", "2", "--before", "4"]);
    let line = text.lines().nth(1).unwrap();
    assert!(line.contains("ada\\u{1b}[31m  cli  change  is_valid \"1\" to \"0\""), "{text}");
    assert!(text.lines().nth(2).unwrap().contains("spec \"@daily\" to \"0 5 * * *\""), "{text}");
    assert_eq!(text.lines().count(), 3);
}

#[test]
fn a_run_may_be_asked_for_with_other_arguments() {
    let home = with_rows();
    assert_eq!(
        home.ok(&["task", "trigger", "1", "--args", "-5 \"x\""]),
        "task 1 \"good\" is asked to run once with args \"-5 \\\"x\\\"\"; a running scheduler takes it within 10s\n"
    );
    let waiting = &home.json(&["task", "show", "1"])["waiting"];
    assert_eq!(waiting[0]["args"], "-5 \"x\"");
}

#[test]
fn a_task_is_paused_and_says_until_when_by_whom_and_why() {
    let home = with_rows();
    let pause = |args: &[&str]| home.run(&[&["task", "pause", "1"], args].concat());
    let until = "2999-12-27 08:00:00";
    let ran = pause(&["--until", until, "--reason", "stocktaking"]);
    assert_eq!(ran.stdout, "task 1 \"good\" is paused until 2999-12-27T08:00:00+00:00\n");
    let text = home.ok(&["task", "show", "1"]);
    assert!(text.contains("2999-12-27T08:00:00+00:00") && text.contains("stocktaking"), "{text}");
    let list = home.json(&["task", "list"]);
    assert_eq!(list[0]["pause"]["until"], "2999-12-27T08:00:00Z");
    assert_eq!((&list[1]["pause"], &list[0]["state"]), (&json!(null), &json!("disabled")));
    let ran = pause(&["--until", "2h"]);
    assert!(ran.stdout.starts_with("task 1 \"good\" is paused until 2"), "{}", ran.stdout);
    let ran = pause(&["--until", "1999-01-01T00:00:00Z"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("until 1999-01-01T00:00:00Z has passed"), "{}", ran.stderr);
    let ran = pause(&["--until", "soon"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("--until \"soon\" is no instant"), "{}", ran.stderr);
    home.ok(&["task", "enable", "1"]);
    assert_eq!(home.json(&["task", "show", "1"])["pause"], json!(null));
}
