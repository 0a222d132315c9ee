//! How it ends.

use std::{
    net::TcpListener,
    process::{Command, Stdio},
    time::Duration,
};

use crate::{
    process::{QUICK, Running},
    program,
    support::{Home, eventually, within},
};

const SOON: Duration = Duration::from_secs(2);

#[test]
fn the_first_start_needs_nothing_and_runs_the_demo_until_it_is_interrupted() {
    let home = Home::new(&format!("demo_rows = true\n{QUICK}"));
    let mut scheduler = Running::start(&home);
    for job in ["test_cron", "test_date", "test_interval"] {
        scheduler.says(&[
            "job linked",
            job,
            &format!("jobs::{}::", job.trim_start_matches("test_")),
        ]);
    }
    scheduler.says(&["three demo tasks are loaded"]);
    scheduler.says(&["scheduled", "test_interval", "\"next\""]);
    scheduler.says(&["\"disabled\":2", "\"rejected\":0", "\"scheduled\":1"]);
    let demo = home.json(&["task", "list"]);
    let column = |name: &str| -> Vec<&str> {
        demo.as_array().unwrap().iter().map(|task| task[name].as_str().unwrap()).collect()
    };
    assert_eq!(column("task_key"), ["test_interval", "test_date", "test_cron"]);
    assert_eq!(column("args"), ["1,2,3", "\"guess\",\"hello\"", "4,5,6"]);
    assert_eq!(column("desc"), ["测试interval任务", "测试date任务", "测试cron任务"]);
    assert_eq!(column("state"), ["enabled", "disabled", "disabled"]);
    scheduler.says(&["test_interval ran", r#""values":"[\"1\", \"2\", \"3\"]""#]);
    let row = eventually("a success on record", || {
        home.executions(1).into_iter().find(|row| row["status"] == "success")
    });
    assert!(row["duration_ms"].is_u64() && row["started_at"].is_string(), "{row}");
    scheduler.signal("INT");
    assert_eq!(scheduler.ends_within(SOON), 0);
    assert_eq!(scheduler.count(&["the scheduler stopped"]), 1);

    let mut again = Running::start(&home);
    again.says(&["the table is read"]);
    assert_eq!(again.count(&["demo"]), 0, "the demo is loaded once");
    again.signal("TERM");
    assert_eq!(again.ends_within(SOON), 0);
}

#[test]
fn a_running_job_is_told_and_its_success_is_recorded() {
    let home = Home::migrated("shutdown_timeout = \"1h\"\nsync_interval = \"100ms\"");
    let task = home.insert("patient", "patient", "date", "now");
    let mut scheduler = Running::spawn(&mut program::command(&home, &["run"]));
    scheduler.says(&["patient began"]);
    scheduler.signal("TERM");
    assert_eq!(scheduler.ends_within(SOON), 0);
    assert_eq!(home.executions(task)[0]["status"], "success");
}

/// Neither a worker nor a thread of the pool is waited for.
#[test]
fn a_job_that_blocks_its_thread_is_given_up_after_shutdown_timeout() {
    for job in ["stubborn", "stone"] {
        let home = Home::migrated(QUICK);
        let task = home.insert(job, job, "date", "now");
        let mut scheduler = Running::spawn(&mut program::command(&home, &["run"]));
        scheduler.says(&[&format!("{job} began"), "trace_id", &format!("\"task.key\":\"{job}\"")]);
        scheduler.signal("TERM");
        assert_eq!(scheduler.ends_within(SOON), 0);
        let row = &home.executions(task)[0];
        assert!(row["status"] == "cancelled" && row["started_at"].is_string(), "{row}");
        assert_eq!(home.json(&["task", "list"])[0]["status"], "ready");
    }
}

#[test]
fn a_log_that_nobody_reads_stops_neither_the_jobs_nor_the_way_out() {
    let home = Home::migrated(QUICK);
    let task = home.insert("chatty", "chatty", "interval", "100ms");
    let mut command = program::command(&home, &["run"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Each run logs more than a pipe holds.
    eventually("runs go on", || (home.executions(task).len() >= 5).then_some(()));
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", "TERM", &pid]).status().unwrap().success());
    let status = within(SOON * 2, "the end of the process", || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_second_signal_of_either_kind_ends_it_at_once_with_1() {
    for [first, second] in [["INT", "INT"], ["TERM", "INT"], ["INT", "TERM"], ["TERM", "TERM"]] {
        let home = Home::migrated("shutdown_timeout = \"1h\"\nsync_interval = \"100ms\"");
        home.insert("stubborn", "stubborn", "date", "now");
        let mut scheduler = Running::spawn(&mut program::command(&home, &["run"]));
        scheduler.says(&["stubborn began"]);
        scheduler.signal(first);
        scheduler.says(&["stopping", "\"running\":1"]);
        eventually("the end", || {
            scheduler.signal(second);
            scheduler.has_ended().then_some(())
        });
        assert_eq!(scheduler.ends_within(SOON), 1, "{first} {second}");
        assert_eq!(scheduler.count(&["a second signal came"]), 1);
    }
}

#[test]
fn two_signals_at_once_are_one() {
    let home = Home::migrated(QUICK);
    let mut scheduler = Running::start(&home);
    scheduler.says(&["the table is read"]);
    // One process sends both, so that nothing comes between them.
    let pid = scheduler.id().to_string();
    let sent = Command::new("kill").args(["-s", "TERM", &pid, &pid]).status().unwrap();
    assert!(sent.success());
    assert_eq!(scheduler.ends_within(SOON), 0);
    assert_eq!(scheduler.count(&["a second signal came"]), 0);
}

#[test]
fn a_closed_terminal_neither_ends_it_nor_counts_as_a_signal() {
    let home = Home::migrated(QUICK);
    let task = home.insert("often", "test_interval", "interval", "100ms");
    let mut scheduler = Running::start(&home);
    scheduler.says(&["the table is read"]);
    scheduler.signal("HUP");
    scheduler.says(&["SIGHUP is ignored"]);
    let before = home.executions(task).len();
    eventually("it runs on", || (home.executions(task).len() > before).then_some(()));
    scheduler.signal("TERM");
    assert_eq!(scheduler.ends_within(SOON), 0, "in order");
}

#[test]
fn a_signal_ends_it_while_the_database_keeps_it_waiting() {
    let home = Home::new("");
    // A server that takes the connection and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    home.write("common", "store = \"mysql\"");
    home.write(
        "mysql",
        &format!("[default]\nhost = \"127.0.0.1\"\nport = {port}\ndb = \"d\"\nuser = \"u\"\npassword = \"p\"\nconnect_timeout = \"5m\""),
    );
    let mut scheduler = Running::start(&home);
    let connection = silent.accept().unwrap();
    scheduler.signal("TERM");
    assert_eq!(scheduler.ends_within(SOON), 0);
    assert_eq!(scheduler.count(&["before the start was complete"]), 1);
    drop(connection);
}
