//! Programs on one database, and clocks that a test sets.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use scheduler_core::clock::mono;
use tests::{poll, program::Program, servers::MariaDb};

const PATIENCE: Duration = Duration::from_secs(30);

/// How long nothing may be claimed before a clock counts as noticed. A task fires every second.
const SILENCE: Duration = Duration::from_secs(4);

/// A wall clock that a test sets. It is seen by what is started in its environment.
pub(crate) struct WallClock {
    library: PathBuf,
    folder: tempfile::TempDir,
}

impl WallClock {
    /// One that is right; `None`: libfaketime is not installed.
    pub(crate) fn right() -> Option<Self> {
        let clock = Self { library: libfaketime()?, folder: tempfile::tempdir().unwrap() };
        clock.set(0.0);
        Some(clock)
    }

    pub(crate) fn environment(&self) -> [(&'static str, String); 4] {
        let path = |path: &Path| path.display().to_string();
        [
            ("LD_PRELOAD", path(&self.library)),
            ("FAKETIME_TIMESTAMP_FILE", path(&self.folder.path().join("offset"))),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }

    /// Sets it: seconds ahead of the right one.
    pub(crate) fn set(&self, seconds: f64) {
        // Renamed into place: nobody reads half of it.
        let path = self.folder.path();
        fs::write(path.join("next"), format!("{seconds:+}s")).unwrap();
        fs::rename(path.join("next"), path.join("offset")).unwrap();
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

/// Programs on a database of their own.
pub(crate) struct Cluster<'a> {
    server: &'a MariaDb,
    database: String,
    /// What `common.toml` says beside the store and short times.
    common: &'static str,
    programs: Vec<Program>,
}

impl<'a> Cluster<'a> {
    pub(crate) fn new(server: &'a MariaDb, common: &'static str) -> Self {
        Self { server, database: server.create_database(), common, programs: Vec::new() }
    }

    /// Starts one more program, and waits until it is there. Without a `clock` it has that of the machine.
    pub(crate) fn start(&mut self, clock: Option<&WallClock>) {
        let url = self.server.url(&self.database);
        let settings = format!("sync_interval = \"500ms\"\nlease = \"6s\"\n{}", self.common);
        let environment = clock.map(WallClock::environment).into_iter().flatten();
        let this = env!("CARGO_BIN_EXE_torment").as_ref();
        self.programs.push(Program::start(this, &url, &settings, environment).unwrap());
        let count = self.programs.len();
        poll::until(PATIENCE, || {
            let nodes = self.client("SELECT COUNT(*) FROM scheduler_node").ok()?;
            (nodes.trim() == count.to_string()).then_some(())
        })
        .expect("the program says that it lives");
    }

    /// A task that fires every second from now on.
    pub(crate) fn fires_each_second(&self) {
        self.add("'second', '', 'witness', 'interval', '1', '1', 1, 'ready', NOW()");
    }

    /// A task whose only run begins in two seconds and lasts for ten minutes.
    pub(crate) fn runs_for_long(&self) {
        let day_ago = "NOW() - INTERVAL 86398 SECOND";
        self.add(&format!(
            "'long', '', 'witness', 'interval', '86400', '600000', 1, 'ready', {day_ago}"
        ));
    }

    fn add(&self, values: &str) {
        let columns =
            "task_key, `desc`, execute_func, `trigger`, spec, args, is_valid, status, create_at";
        self.client(&format!("INSERT INTO task ({columns}) VALUES ({values})")).unwrap();
    }

    fn client(&self, sql: &str) -> anyhow::Result<String> {
        self.server.client(&self.database, sql)
    }

    /// What `sql` says, which asks for one whole number.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        let printed = self.client(sql).unwrap();
        printed.trim().parse().unwrap_or_else(|_| panic!("{sql}: {printed}"))
    }

    #[track_caller]
    pub(crate) fn goes_on(&self) {
        let successes = "SELECT COUNT(*) FROM execute_task WHERE status = 'success'";
        self.comes_to(self.number(successes) + 2, successes);
    }

    /// Waits until what is counted is as many.
    #[track_caller]
    pub(crate) fn comes_to(&self, number: i64, counted: &str) {
        let more = poll::until(PATIENCE, || (self.number(counted) >= number).then_some(()));
        assert!(more.is_some(), "not {number} within {PATIENCE:?}: {counted}");
    }

    #[track_caller]
    pub(crate) fn falls_silent(&self) {
        let claims = || self.number("SELECT COUNT(*) FROM execute_task");
        let (mut count, mut since) = (claims(), mono());
        let silent = poll::until(PATIENCE, || {
            let newer = claims();
            if newer != std::mem::replace(&mut count, newer) {
                since = mono();
            }
            (mono() - since >= SILENCE).then_some(())
        });
        assert!(silent.is_some(), "claims go on");
    }

    /// Each second from the first to the last stands in one row, of its own or of those that were missed.
    #[track_caller]
    pub(crate) fn has_each_second_once(&self) {
        let first = "UNIX_TIMESTAMP(CONVERT_TZ(SUBSTR(JSON_VALUE(extra, '$.first'), 1, 19), '+00:00', \
                     @@session.time_zone)) * 1000";
        let off = self.number(&format!(
            "SELECT MAX(scheduled_at) DIV 1000 - MIN(IF(status = 'missed', {first}, scheduled_at)) DIV 1000 + 1 \
             - SUM(IF(status = 'missed', JSON_VALUE(extra, '$.count'), 1)) \
             FROM execute_task WHERE task_id = (SELECT id FROM task WHERE task_key = 'second')"
        ));
        assert_eq!(off, 0, "seconds that stand in no row, or in two");
    }
}
