//! A server that answers, and refuses: rows that a stranger holds, no more connections, another password, read-only.

use std::{fmt::Write as _, time::Duration};

use scheduler_core::App;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection};
use tests::{
    dbproxy::{Action, Which},
    poll,
    servers::{MariaDb, mariadb},
    torment::witness::Line,
};

use crate::{
    log,
    trial::{PATIENCE, QUICK, SETTINGS, Trial, now_ms},
};

/// A server whose settings a test may change: no other test uses it.
fn own_server() -> Option<MariaDb> {
    // Skips, or fails, as the tests on the shared one do.
    mariadb()?;
    MariaDb::start().unwrap()
}

#[test]
fn f17_a_stranger_who_holds_the_fires_of_many_tasks_stops_no_other() {
    let Some(server) = mariadb() else { return };
    let settings = "lease = \"30s\"\nsync_interval = \"10s\"\ndatabase_timeout = \"5s\"\n";
    let mut rows = vec![(1, 10)];
    rows.extend([(5, 10); 29]);
    let trial = Trial::begin(server, settings, &rows);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut stranger =
        runtime.block_on(MySqlConnection::connect(&server.url(&trial.database))).unwrap();
    let held_from = now_ms();
    let mut lock = "START TRANSACTION;".to_owned();
    for task in 2..=30 {
        write!(
            lock,
            "SELECT * FROM execute_task FORCE INDEX (ux__execute_task__fire) \
             WHERE task_id = {task} AND scheduled_at > {} FOR UPDATE;",
            held_from + 1_000
        )
        .unwrap();
    }
    runtime.block_on(stranger.execute(sqlx::raw_sql(AssertSqlSafe(lock)))).unwrap();
    let of_the_first = |line: &&Line| line.task_key == "task 1" && !line.is_end;
    // Each claim of a held one waits for the lock for a second. In a first round, which takes a minute at most, it is found
    // out which those are, and the free one may be the last to be told apart; then every third claim is one of it.
    trial.await_lines_for(Duration::from_secs(120), "the one that nobody holds runs on", |lines| {
        let later = |line: &&Line| line.scheduled_ms > held_from + 20_000;
        lines.iter().filter(of_the_first).filter(later).count() >= 3
    });
    let lines = trial.lines();
    let begun: Vec<i64> = lines.iter().filter(of_the_first).map(|line| line.at_ms).collect();
    let gaps: Vec<i64> = begun.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().filter(|gap| **gap > 8_000).count() <= 1, "{gaps:?} ms");
    assert!(gaps.iter().all(|gap| *gap <= 60_000), "{gaps:?} ms");
    runtime.block_on(stranger.execute(sqlx::raw_sql("ROLLBACK"))).unwrap();
    trial.await_a_new_fire();
    trial.end().assert_right();
}

#[test]
fn f17_rows_that_a_stranger_holds_wait_and_no_transaction_of_ours_stays_open() {
    let Some(server) = mariadb() else { return };
    // The server ends a wait after 1 s, which must come before our own deadline.
    let settings = "lease = \"12s\"\nsync_interval = \"1s\"\ndatabase_timeout = \"3s\"\n";
    let trial = Trial::begin(server, settings, QUICK);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut stranger =
        runtime.block_on(MySqlConnection::connect(&server.url(&trial.database))).unwrap();
    // The gap behind the last fire of the second task: its next row waits for the stranger.
    let held_from = now_ms();
    let lock = format!(
        "START TRANSACTION; SELECT * FROM execute_task FORCE INDEX (ux__execute_task__fire) \
         WHERE task_id = 2 AND scheduled_at > {} FOR UPDATE",
        held_from + 2_000
    );
    runtime.block_on(stranger.execute(sqlx::raw_sql(AssertSqlSafe(lock)))).unwrap();
    log::await_line(&["task.id=2", "Lock wait timeout exceeded"]);
    let injected = trial.proxy.on("SET t.status", Which::Nth(1), LOCK_WAIT);
    let others_go_on = |lines: &[Line]| {
        let after = |key: &str| {
            lines.iter().any(|line| line.task_key == key && line.scheduled_ms > held_from + 5_000)
        };
        after("task 1") && after("task 3")
    };
    trial.await_lines("the others go on", others_go_on);
    let waited = trial
        .lines()
        .iter()
        .all(|line| line.task_key != "task 2" || line.scheduled_ms <= held_from + 1_000);
    assert!(waited, "the stranger holds the second task's rows");
    assert_eq!(injected.times(), 1);
    runtime.block_on(stranger.execute(sqlx::raw_sql("ROLLBACK"))).unwrap();
    let from = now_ms();
    trial.await_lines("the second task runs again", |lines| {
        lines.iter().any(|line| line.task_key == "task 2" && line.scheduled_ms > from)
    });
    assert_eq!(trial.transactions_older_than(10), "");
    trial.end().assert_right();
}

const LOCK_WAIT: Action =
    Action::ReplyError(1205, "HY000", "Lock wait timeout exceeded; try restarting");

#[test]
fn f18_a_server_without_room_is_asked_less_than_twice_a_second() {
    let Some(server) = own_server() else { return };
    server.client("", "SET GLOBAL max_connections = 10; CREATE USER sleeper@127.0.0.1").unwrap();
    // The times that say how often a database in trouble is asked are the default ones.
    let trial = Trial::begin_as("app:secret", &server, "", QUICK);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let address = server.url("").replace("root@", "sleeper@");
    let mut sleepers = Vec::new();
    let ours = "SELECT id FROM information_schema.processlist WHERE user = 'app'";
    let crowded_out = poll::until(PATIENCE, || {
        while let Ok(sleeper) = runtime.block_on(MySqlConnection::connect(&address)) {
            sleepers.push(sleeper);
        }
        // The one place that is left for us is free a moment after the client before has gone.
        let ids = server.client("", ours).ok()?;
        for id in ids.lines() {
            // It may have gone by itself.
            let _ = server.client("", &format!("KILL CONNECTION {id}"));
        }
        ids.is_empty().then_some(())
    });
    assert!(crowded_out.is_some() && sleepers.len() >= 10, "{}", sleepers.len());
    log::await_line(&["the database is in trouble", "Too many connections"]);
    const SPAN: Duration = Duration::from_secs(12);
    let before = trial.proxy.connections();
    poll::until(SPAN, || None::<()>);
    let asked = trial.proxy.connections() - before;
    assert!(
        asked > 0 && asked < 24,
        "{asked} connections in {SPAN:?}, expected less than 2 a second"
    );
    let ids = poll::until(PATIENCE, || server.client("", ours).ok());
    assert_eq!(ids.as_deref(), Some(""));
    drop(sleepers);
    trial.await_a_new_fire();
    trial.end().assert_right();
}

#[test]
fn f19_a_password_that_is_changed_is_said_and_never_shown_and_the_right_one_recovers() {
    const SECRET: &str = "hush-1b9e";
    let Some(server) = mariadb() else { return };
    let trial = Trial::begin_as(&format!("changed:{SECRET}"), server, SETTINGS, QUICK);
    server.client("", "ALTER USER changed@127.0.0.1 IDENTIFIED BY 'another'").unwrap();
    let mut kills = String::new();
    for id in
        trial.sql("SELECT id FROM information_schema.processlist WHERE user = 'changed'").lines()
    {
        writeln!(kills, "KILL CONNECTION {id};").unwrap();
    }
    server.client("", &kills).unwrap();
    log::await_line(&["the database is in trouble", "Access denied for user 'changed'"]);
    server.client("", &format!("ALTER USER changed@127.0.0.1 IDENTIFIED BY '{SECRET}'")).unwrap();
    trial.await_a_new_fire();
    trial.end().assert_right();
    assert_eq!(log::lines_with(&[SECRET]), [""; 0]);
}

#[test]
fn f19_a_start_that_is_refused_names_the_user_and_no_password() {
    let Some(server) = mariadb() else { return };
    log::listen();
    let address = server.url("nowhere").replace("root@", "nobody:hush-77c0@");
    let folder = tempfile::tempdir().unwrap();
    let config = crate::trial::configured(&folder, &address, "");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(App::new().start(&config)).unwrap_err();
    let said = format!("{:#}", anyhow::Error::new(error));
    assert!(said.contains("user \"nobody\" was refused") && !said.contains("hush"), "{said}");
    assert_eq!(log::lines_with(&["hush-77c0"]), [""; 0]);
}

#[test]
fn f21_a_server_that_is_gone_for_seconds_costs_no_fire() {
    let Some(server) = mariadb() else { return };
    let trial = Trial::begin(server, SETTINGS, QUICK);
    trial.proxy.refuse();
    nothing_is_claimed(&trial);
    let restored_at = now_ms();
    trial.proxy.restore();
    trial.await_lines("fires of the outage run", |lines| {
        lines.iter().any(|line| line.at_ms > restored_at && line.scheduled_ms < restored_at)
    });
    trial.await_a_new_fire();
    trial.end().assert_right();
}

#[test]
fn f20_on_a_server_that_is_read_only_nothing_is_claimed_until_it_is_not() {
    let Some(server) = own_server() else { return };
    let trial = Trial::begin_as("plain:secret", &server, SETTINGS, QUICK);
    server.client("", "SET GLOBAL read_only = 1").unwrap();
    log::await_line(&["the database is in trouble", "--read-only option"]);
    nothing_is_claimed(&trial);
    server.client("", "SET GLOBAL read_only = 0").unwrap();
    trial.await_a_new_fire();
    trial.end().assert_right();
}

/// Looks on for four seconds, in which three tasks would fire ten times.
#[track_caller]
fn nothing_is_claimed(trial: &Trial<'_>) {
    // What was under way when the fault came may still have been committed.
    poll::until(Duration::from_millis(500), || None::<()>);
    let rows = || trial.sql("SELECT MAX(id) FROM execute_task");
    let last = rows();
    poll::until(Duration::from_secs(4), || None::<()>);
    assert_eq!(rows(), last);
}
