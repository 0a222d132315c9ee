//! A real program whose wall clock is set while it runs (libfaketime), on a MariaDB whose clock is right.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tests::{
    poll,
    servers::{MariaDb, mariadb},
};

const PATIENCE: Duration = Duration::from_secs(30);

/// How long nothing may be claimed before a clock counts as noticed, in seconds. The task fires every second.
const SILENCE: i64 = 4;

/// A program with one task, which fires every second from its first claim on.
struct Program<'a> {
    server: &'a MariaDb,
    database: String,
    folder: tempfile::TempDir,
    child: Child,
}

impl Drop for Program<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl<'a> Program<'a> {
    fn start(server: &'a MariaDb, library: &Path) -> Self {
        let database = server.create_database();
        let folder = tempfile::tempdir().unwrap();
        let conf = folder.path().join("conf/local");
        fs::create_dir_all(&conf).unwrap();
        let url = server.url(&database);
        for (file, text) in [
            ("common", "store = \"mysql\"\nsync_interval = \"500ms\"\nlease = \"6s\"\n".to_owned()),
            ("mysql", format!("[default]\nurl = \"{url}\"\n")),
            ("redis", String::new()),
            ("logger", String::new()),
        ] {
            fs::write(conf.join(format!("{file}.toml")), text).unwrap();
        }
        fs::write(folder.path().join("offset"), "+0s").unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_torment"))
            .arg("node")
            .arg(folder.path())
            .env("LD_PRELOAD", library)
            .env("FAKETIME_TIMESTAMP_FILE", folder.path().join("offset"))
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .stdin(Stdio::piped())
            .stderr(fs::File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let program = Self { server, database, folder, child };
        poll::until(PATIENCE, || {
            program.server.client(&program.database, "SELECT 1 FROM scheduler_node").ok()
        })
        .expect("the program makes the tables");
        program.query(
            "INSERT INTO task (task_key, `desc`, execute_func, `trigger`, spec, args, is_valid, status) \
             VALUES ('second', '', 'witness', 'interval', '1', '1', 1, 'ready')",
        );
        program
    }

    /// Sets the program's wall clock: seconds ahead of the right one.
    fn set_clock(&self, seconds: f64) {
        // Renamed into place: the program never reads half of it.
        let path = self.folder.path();
        fs::write(path.join("next"), format!("{seconds:+}s")).unwrap();
        fs::rename(path.join("next"), path.join("offset")).unwrap();
    }

    fn query(&self, sql: &str) -> Vec<i64> {
        let printed = self.server.client(&self.database, sql).unwrap();
        printed.split_whitespace().map(|cell| cell.parse().unwrap_or(-1)).collect()
    }

    /// Seconds since the newest execution was claimed, by the database's clock.
    fn silence(&self) -> Option<i64> {
        self.query("SELECT TIMESTAMPDIFF(SECOND, MAX(create_at), NOW()) FROM execute_task")
            .first()
            .copied()
    }

    fn successes(&self) -> i64 {
        self.query("SELECT COUNT(*) FROM execute_task WHERE status = 'success'")[0]
    }

    #[track_caller]
    fn goes_on(&self) {
        let before = self.successes();
        let more = poll::until(PATIENCE, || (self.successes() >= before + 2).then_some(()));
        assert!(more.is_some(), "no fire within {PATIENCE:?}");
    }

    #[track_caller]
    fn falls_silent(&self) {
        let silent = poll::until(PATIENCE, || self.silence().filter(|silence| *silence >= SILENCE));
        assert!(silent.is_some(), "claims go on");
    }
}

/// The library that fakes a program's clock; `None`: not installed.
fn libfaketime() -> Option<PathBuf> {
    let folders = ["/usr/lib", "/usr/lib64", "/usr/local/lib"];
    let inner =
        folders.iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten());
    let all = folders.iter().map(PathBuf::from).chain(inner.map(|entry| entry.path()));
    let library =
        all.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).find(|path| path.is_file());
    let is_required = std::env::var_os("REQUIRE_SERVERS").is_some_and(|value| value == "1");
    assert!(
        library.is_some() || !is_required,
        "libfaketime is not installed, expected it, since REQUIRE_SERVERS=1"
    );
    library
}

#[test]
fn a_wall_clock_that_is_set_moves_no_fire_and_one_that_is_off_claims_nothing() {
    let (Some(server), Some(library)) = (mariadb(), libfaketime()) else { return };
    let program = Program::start(server, &library);
    program.goes_on();
    for hours in [1.0, -1.0, 24.0, -24.0] {
        program.set_clock(hours * 3_600.0);
        program.falls_silent();
        program.set_clock(0.0);
        program.goes_on();
    }
    // Within the tolerance of 2 s nothing is to be seen.
    for seconds in [1.5, -1.5] {
        program.set_clock(seconds);
        program.goes_on();
        assert!(program.silence().is_some_and(|silence| silence <= 2), "{:?}", program.silence());
    }
    let early = "SELECT COUNT(*) FROM execute_task WHERE started_at < scheduled_at \
                 OR UNIX_TIMESTAMP(create_at) < FLOOR(scheduled_at / 1000)";
    assert_eq!(program.query(early), [0], "fires by another clock than the database's");
    // Each second from the first to the last stands in one row, of its own or of those that were missed.
    let accounted = "SELECT MAX(scheduled_at) DIV 1000 - MIN(IF(status = 'missed', \
                     UNIX_TIMESTAMP(CONVERT_TZ(SUBSTR(JSON_VALUE(extra, '$.first'), 1, 19), '+00:00', @@session.time_zone)) \
                     * 1000, scheduled_at)) DIV 1000 + 1 \
                     - SUM(IF(status = 'missed', JSON_VALUE(extra, '$.count'), 1)) FROM execute_task";
    assert_eq!(program.query(accounted), [0], "seconds that stand in no row, or in two");
}
