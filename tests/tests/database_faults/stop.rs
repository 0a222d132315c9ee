//! A program that is asked to stop while its database does not answer.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use scheduler_core::clock;
use tempfile::TempDir;
use tests::{
    poll,
    servers::{MariaDb, mariadb},
    torment::witness,
};

use crate::trial::PATIENCE;

/// A stop ends within `shutdown_timeout` and this.
const GOOD_BYES: Duration = Duration::from_secs(2);

/// How much later a test may learn of it on a busy machine.
const SLACK: Duration = Duration::from_secs(1);

#[test]
fn f22_a_stop_cuts_what_runs_and_ends_in_time_while_the_database_is_frozen() {
    let Some(server) = frozen_soon() else { return };
    let mut program = Program::start(&server, "shutdown_timeout = \"1s\"");
    program.runs_a_job(&server);
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
    let mut program = Program::start(&server, "shutdown_timeout = \"0s\"");
    server.freeze().unwrap();
    let (took, code) = program.ends_after("TERM");
    assert_eq!(code, Some(0), "{}", program.log());
    assert!(took <= GOOD_BYES + SLACK, "{took:?}");
}

#[test]
fn f22_a_second_signal_ends_it_at_once_while_the_database_is_frozen() {
    let Some(server) = frozen_soon() else { return };
    let mut program = Program::start(&server, "shutdown_timeout = \"1h\"");
    program.runs_a_job(&server);
    server.freeze().unwrap();
    program.signal("TERM");
    program.says("stopping");
    let (took, code) = program.ends_after("TERM");
    assert_eq!(code, Some(1), "{}", program.log());
    assert!(took <= SLACK, "{took:?}");
}

#[test]
fn f22_a_second_signal_is_heard_during_the_good_byes() {
    let is_heard = || {
        let Some(server) = frozen_soon() else { return true };
        let mut program = Program::start(&server, "");
        server.freeze().unwrap();
        program.signal("TERM");
        program.says("stopping");
        program.ends_after("TERM").1 == Some(1)
    };
    // They last for a second: on a busy machine the signal may come after them.
    assert!((0..5).any(|_| is_heard()));
}

/// A server that no other test needs; `None`: not installed.
fn frozen_soon() -> Option<MariaDb> {
    // Says that there is none, or fails where there must be one.
    mariadb()?;
    MariaDb::start().unwrap()
}

/// The program, in a folder and on a database of its own. Killed when the test ends.
struct Program {
    child: Child,
    database: String,
    folder: TempDir,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    /// Starts it, and waits until it has read the table.
    #[track_caller]
    fn start(server: &MariaDb, common: &str) -> Self {
        let (folder, database) = (tempfile::tempdir().unwrap(), server.create_database());
        let settings = format!("sync_interval = \"100ms\"\nlease = \"30s\"\n{common}\n");
        drop(crate::trial::configure(&folder, &server.url(&database), &settings));
        let child = Command::new(env!("CARGO_BIN_EXE_torment"))
            .arg("node")
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stderr(fs::File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let program = Self { child, database, folder };
        program.says("the table is read");
        program
    }

    /// Waits until a job runs, which will run for ten minutes.
    #[track_caller]
    fn runs_a_job(&self, server: &MariaDb) {
        let columns = "task_key, `desc`, execute_func, `trigger`, spec, args, is_valid, status";
        let values = "'long', '', 'witness', 'date', 'now', '600000', 1, 'ready'";
        let insert = format!("INSERT INTO task ({columns}) VALUES ({values})");
        server.client(&self.database, &insert).unwrap();
        let begins = || witness::read(&self.path("testimony")).ok()?.pop();
        assert!(poll::until(PATIENCE, begins).is_some(), "no job began: {}", self.log());
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap()
    }

    #[track_caller]
    fn says(&self, text: &str) {
        let said = poll::until(PATIENCE, || self.log().contains(text).then_some(()));
        assert!(said.is_some(), "{text:?} is not in {}", self.log());
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Sends the signal; how long it takes until the program ends, and with which code.
    #[track_caller]
    fn ends_after(&mut self, signal: &str) -> (Duration, Option<i32>) {
        let asked = clock::mono();
        self.signal(signal);
        let status = poll::until(PATIENCE, || self.child.try_wait().unwrap());
        let took = clock::mono() - asked;
        let status = status.unwrap_or_else(|| panic!("it goes on: {}", self.log()));
        (took, status.code())
    }
}
