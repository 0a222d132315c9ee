//! `kill -9` and start again.

use std::collections::HashSet;

use crate::{
    process::{QUICK, Running},
    program,
    support::{Home, eventually},
};

#[test]
fn what_a_crash_interrupted_becomes_lost_and_no_fire_runs_twice() {
    let home = Home::migrated(QUICK);
    let once = home.insert("once", "patient", "date", "now");
    let often = home.insert("often", "test_interval", "interval", "100ms");
    let mut first = Running::spawn(&mut program::command(&home, &["run"]));
    first.says(&["patient began"]);
    eventually("both run", || {
        (home.executions(often).len() >= 3).then_some(())
    });
    first.signal("KILL");
    assert_eq!(first.ends_within(std::time::Duration::from_secs(2)), -1);
    let before = home.executions(often).len();
    assert_eq!(home.executions(once)[0]["status"], "todo");
    assert_eq!(home.json(&["task", "show", "1"])["status"], "doing");

    let mut second = Running::spawn(&mut program::command(&home, &["run"]));
    let lost = eventually("the lost one is found", || {
        home.executions(once)
            .into_iter()
            .find(|row| row["status"] == "lost")
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
    let fires: HashSet<&str> = rows
        .iter()
        .map(|row| row["scheduled_at"].as_str().unwrap())
        .collect();
    assert_eq!(fires.len(), rows.len(), "each fire has one row");
    let open = rows.iter().filter(|row| row["status"] == "todo").count();
    assert_eq!(open, 0, "{rows:?}");
}
