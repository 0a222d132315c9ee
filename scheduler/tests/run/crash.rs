//! `kill -9` and start again.

use std::collections::HashSet;

use scheduler_core::store::Desk as _;

use crate::{
    process::{QUICK, Running},
    program,
    support::{Home, eventually},
};

#[test]
fn a_panic_is_a_failure_of_its_run_and_one_line_with_its_trace_id() {
    let home = Home::migrated(QUICK);
    let clumsy = home.insert("clumsy", "clumsy", "date", "now");
    let mut scheduler = Running::spawn(&mut program::command(&home, &["run"]));
    scheduler.says(&["panicked: slipped", "\"place\":\"scheduler/tests/run/program.rs"]);
    let row = eventually("the failure is on record", || {
        home.executions(clumsy).into_iter().find(|row| row["status"] == "fail")
    });
    let shown = home.json(&["executions", "show", &row["id"].to_string()]);
    let error = shown["extra"]["err"].as_str().unwrap();
    assert!(error.starts_with("panicked: slipped"), "{error}");
    let trace_id = row["trace_id"].as_str().unwrap();
    assert_eq!(scheduler.count(&["panicked: slipped", "\"place\"", trace_id]), 1);
    scheduler.signal("TERM");
    assert_eq!(scheduler.ends_within(std::time::Duration::from_secs(2)), 0);
    for line in scheduler.seen.iter().filter(|line| line.contains("slipped")) {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
}

#[test]
fn an_instant_that_passed_while_no_scheduler_was_up_says_so() {
    let home = Home::migrated(QUICK);
    let often = home.insert("often", "test_interval", "interval", "100ms");
    let mut first = Running::start(&home);
    eventually("it runs", || (!home.executions(often).is_empty()).then_some(()));
    first.signal("TERM");
    assert_eq!(first.ends_within(std::time::Duration::from_secs(2)), 0);
    let left = home.store(async |store| store.nodes().await.unwrap().remove(0));
    let left_at = left.left_at.expect("it stopped in order");
    let passed = left_at + chrono::TimeDelta::milliseconds(100);
    let created = home.json(&["task", "show", "1"])["create_at"].as_str().unwrap().to_owned();
    let created: chrono::DateTime<chrono::Utc> = created.parse().unwrap();
    let instants = (passed - created).num_milliseconds() / 100;
    let instant = created + chrono::TimeDelta::milliseconds(100 * instants);
    // And another one after it: the newest that is found late would run.
    let later = passed + chrono::TimeDelta::milliseconds(200);
    eventually("it has passed", || (scheduler_core::clock::wall() > later).then_some(()));

    let mut second = Running::start(&home);
    let answer = eventually("it is accounted for", || {
        let answer = home.json(&["why", "often", &instant.to_rfc3339()]);
        (answer["answer"] == "missed").then_some(answer)
    });
    let said = answer["because"][1].as_str().unwrap();
    assert!(said.starts_with("no scheduler was up from "), "{said}");
    let stopped = format!("when node {} stopped, until ", left.id);
    assert!(said.contains(&stopped) && said.ends_with(" started"), "{said}");
    second.signal("TERM");
    assert_eq!(second.ends_within(std::time::Duration::from_secs(2)), 0);
}

#[test]
fn what_a_crash_interrupted_becomes_lost_and_no_fire_runs_twice() {
    let home = Home::migrated(QUICK);
    let once = home.insert("once", "patient", "date", "now");
    let often = home.insert("often", "test_interval", "interval", "100ms");
    let mut first = Running::spawn(&mut program::command(&home, &["run"]));
    first.says(&["patient began"]);
    eventually("both run", || (home.executions(often).len() >= 3).then_some(()));
    first.signal("KILL");
    assert_eq!(first.ends_within(std::time::Duration::from_secs(2)), -1);
    let before = home.executions(often).len();
    assert_eq!(home.executions(once)[0]["status"], "todo");
    assert_eq!(home.json(&["task", "show", "1"])["status"], "doing");

    let mut second = Running::spawn(&mut program::command(&home, &["run"]));
    let lost = eventually("the lost one is found", || {
        home.executions(once).into_iter().find(|row| row["status"] == "lost")
    });
    second.says(&[
        "lost: its node did not renew its lease",
        &format!("\"execution.id\":{}", lost["id"]),
    ]);
    eventually("the other task runs on", || {
        (home.executions(often).len() >= before + 5).then_some(())
    });
    assert_eq!(home.executions(once).len(), 1, "a date fires once, ever");
    assert_eq!(home.json(&["task", "show", "1"])["status"], "ready");
    assert_eq!(second.count(&["patient began"]), 0);
    second.signal("TERM");
    assert_eq!(second.ends_within(std::time::Duration::from_secs(2)), 0);

    let rows = home.executions(often);
    let fires: HashSet<&str> =
        rows.iter().map(|row| row["scheduled_at"].as_str().unwrap()).collect();
    assert_eq!(fires.len(), rows.len(), "each fire has one row");
    let open = rows.iter().filter(|row| row["status"] == "todo").count();
    assert_eq!(open, 0, "{rows:?}");
}
