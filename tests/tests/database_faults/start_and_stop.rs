//! The start and the stop of a program whose database does not answer.

use std::time::Duration;

use tests::{
    dbproxy::{Action, DbProxy, Which},
    poll,
    program::Program,
    servers::{MariaDb, mariadb},
    torment::witness,
};

use crate::trial::PATIENCE;

/// The binary that is a program when it is told so.
const THIS: &str = env!("CARGO_BIN_EXE_torment");

/// A stop ends within `shutdown_timeout` and this.
const GOOD_BYES: Duration = Duration::from_secs(2);

/// How much later a test may learn of it on a busy machine.
const SLACK: Duration = Duration::from_secs(1);

#[test]
fn f22_a_stop_cuts_what_runs_and_ends_in_time_while_the_database_is_frozen() {
    let Some(server) = frozen_soon() else { return };
    let mut program = start_with_a_job(&server, "shutdown_timeout = \"1s\"");
    server.freeze().unwrap();
    let (took, code) = program.ends_after("TERM");
    assert_eq!(code, Some(0), "{}", program.log());
    assert!(took >= Duration::from_secs(1), "the job gets its time: {took:?}");
    assert!(took <= Duration::from_secs(1) + GOOD_BYES + SLACK, "{took:?}");
    let log = program.log();
    assert!(log.contains("no good-bye to the database: no answer"), "{log}");
}

#[test]
fn f22_a_stop_with_nothing_running_ends_in_time_while_the_database_is_frozen() {
    let Some(server) = frozen_soon() else { return };
    let (mut program, _) = start(&server, "shutdown_timeout = \"0s\"");
    server.freeze().unwrap();
    let (took, code) = program.ends_after("TERM");
    assert_eq!(code, Some(0), "{}", program.log());
    assert!(took <= GOOD_BYES + SLACK, "{took:?}");
}

#[test]
fn f22_a_second_signal_ends_it_at_once_while_the_database_is_frozen() {
    let Some(server) = frozen_soon() else { return };
    let mut program = start_with_a_job(&server, "shutdown_timeout = \"1h\"");
    server.freeze().unwrap();
    program.signal("TERM");
    program.says("stopping");
    let (took, code) = program.ends_after_each("TERM");
    assert_eq!(code, Some(1), "{}", program.log());
    assert!(took <= SLACK, "{took:?}");
}

#[test]
fn f22_a_second_signal_is_heard_during_the_good_byes() {
    let is_heard = || {
        let Some(server) = frozen_soon() else { return true };
        let (mut program, _) = start(&server, "");
        server.freeze().unwrap();
        program.signal("TERM");
        program.says("stopping");
        program.ends_after_each("TERM").1 == Some(1)
    };
    // They last for a second: on a busy machine the signal may come after them.
    assert!((0..5).any(|_| is_heard()));
}

#[test]
fn f21_a_start_whose_database_goes_away_at_any_statement_ends_with_the_code_for_it() {
    let Some(server) = mariadb() else { return };
    let broken = [Action::DropBefore, Action::DropAfter].into_iter();
    let broken = broken.flat_map(|action| [1, 2, 3, 5, 8, 12, 20].map(|nth| (action, nth)));
    let shutdown = Action::ReplyError(1053, "08S01", "Server shutdown in progress");
    let others = [(Action::BlackHole, 1), (shutdown, 5)];
    for (action, nth) in broken.chain(others) {
        let link = DbProxy::start(server.port()).unwrap();
        let away = link.on("", Which::From(nth), action);
        let url = link.url(&server.create_database());
        // The pool knocks again until then.
        let settings = "database_timeout = \"1s\"";
        let mut program = Program::start(THIS.as_ref(), &url, settings, []).unwrap();
        let code = program.ends();
        assert!(away.times() > 0, "{action:?} at {nth}");
        assert_eq!(code, Some(69), "{action:?} at {nth}: {}", program.log());
    }
}

#[test]
fn a_start_whose_session_the_server_refuses_says_why() {
    let Some(server) = mariadb() else { return };
    let url = format!("{}?collation=utf8mb4_nosuch_ci", server.url(&server.create_database()));
    let mut program = Program::start(THIS.as_ref(), &url, "", []).unwrap();
    assert_eq!(program.ends(), Some(69), "{}", program.log());
    program.says("Unknown collation: 'utf8mb4_nosuch_ci'");
}

#[test]
fn f22_a_start_that_waits_in_a_migration_says_so_and_hears_a_signal() {
    let Some(server) = mariadb() else { return };
    let link = DbProxy::start(server.port()).unwrap();
    let silence = link.on("CREATE TABLE", Which::From(2), Action::BlackHole);
    let url = link.url(&server.create_database());
    let mut program = Program::start(THIS.as_ref(), &url, "", []).unwrap();
    program.says("still migrating the tables");
    assert!(silence.times() > 0);
    let (took, code) = program.ends_after("TERM");
    assert_eq!(code, Some(0), "{}", program.log());
    assert!(took <= GOOD_BYES + SLACK, "{took:?}");
}

/// A server that no other test needs; `None`: not installed.
fn frozen_soon() -> Option<MariaDb> {
    // Says that there is none, or fails where there must be one.
    mariadb()?;
    MariaDb::start().unwrap()
}

/// A program on a database of its own, which has read the table.
#[track_caller]
fn start(server: &MariaDb, common: &str) -> (Program, String) {
    let database = server.create_database();
    let settings = format!("sync_interval = \"100ms\"\nlease = \"30s\"\n{common}");
    let program = Program::start(THIS.as_ref(), &server.url(&database), &settings, []).unwrap();
    program.says("the table is read");
    (program, database)
}

/// The same, and a job runs, which will run for ten minutes.
#[track_caller]
fn start_with_a_job(server: &MariaDb, common: &str) -> Program {
    let (program, database) = start(server, common);
    let columns = "task_key, `desc`, execute_func, `trigger`, spec, args, is_valid, status";
    let values = "'long', '', 'witness', 'date', 'now', '600000', 1, 'ready'";
    let insert = format!("INSERT INTO task ({columns}) VALUES ({values})");
    server.client(&database, &insert).unwrap();
    let begins = || witness::read(&program.path("testimony")).ok()?.pop();
    assert!(poll::until(PATIENCE, begins).is_some(), "no job began: {}", program.log());
    program
}
