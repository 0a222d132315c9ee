//! A scheduler behind a proxy, on a database of its own; judged at the end by what its jobs testified.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use scheduler_core::{App, app::Running, clock, config::Config, run::open_and_migrate};
use tempfile::TempDir;
use tests::{
    dbproxy::DbProxy,
    poll,
    program::configure,
    servers::MariaDb,
    torment::witness::{self, Line, Notebook},
};
use tokio::runtime::Runtime;

use crate::log;

/// How long anything may take that must happen: a busy machine is no failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A row of `task`: fires every so many seconds, and a run takes so many milliseconds.
pub(crate) type Row = (i64, u64);

/// Three quick tasks.
pub(crate) const QUICK: &[Row] = &[(1, 10), (1, 10), (2, 10)];

/// Short, so that much happens in little time; and what is late runs all the same, so that lateness shows.
pub(crate) const SETTINGS: &str =
    "lease = \"6s\"\nsync_interval = \"1s\"\ndatabase_timeout = \"1s\"\ncoalesce = false\n";

pub(crate) struct Trial<'a> {
    pub(crate) server: &'a MariaDb,
    pub(crate) database: String,
    pub(crate) proxy: DbProxy,
    rows: &'a [Row],
    folder: TempDir,
    runtime: Runtime,
    running: Running,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Findings {
    /// Executions by status.
    pub(crate) statuses: BTreeMap<String, usize>,
    /// From the instant to the start, at most.
    pub(crate) latest: Duration,
    wrong: Vec<String>,
}

/// A row of `execute_task`.
struct Execution {
    id: i64,
    task: i64,
    status: String,
    trace_id: String,
    scheduled_ms: i64,
    attempt: u32,
    /// Instants that it stands for.
    count: i64,
}

impl<'a> Trial<'a> {
    /// Starts a scheduler as `root` and waits until a run of every task has begun.
    pub(crate) fn begin(server: &'a MariaDb, settings: &str, rows: &'a [Row]) -> Self {
        Self::begin_as("root", server, settings, rows)
    }

    /// The same as `user` (`name:password`), who gets every right in the database.
    pub(crate) fn begin_as(
        user: &str,
        server: &'a MariaDb,
        settings: &str,
        rows: &'a [Row],
    ) -> Self {
        log::listen();
        let database = server.create_database();
        if let Some((name, password)) = user.split_once(':') {
            let made = format!(
                "CREATE USER {name}@127.0.0.1 IDENTIFIED BY '{password}'; \
                 GRANT ALL ON {database}.* TO {name}@127.0.0.1"
            );
            server.client("", &made).unwrap();
        }
        let proxy = DbProxy::start(server.port()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = configured(&folder, &proxy.url_for(user, &database), settings);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        // The tables first, so that the scheduler's first reading finds the rows.
        runtime.block_on(async { open_and_migrate(&config).await.unwrap().close().await });
        let inserts: String =
            rows.iter().zip(1..).map(|(row, number)| insert(number, *row)).collect();
        server.client(&database, &inserts).unwrap();
        let app = App::new().state(Notebook(testimony(&folder)));
        let running = runtime.block_on(app.start(&config)).unwrap();
        let trial = Self { server, database, proxy, rows, folder, runtime, running };
        trial.await_lines("every task runs", |lines| {
            let ran: BTreeSet<&str> = lines.iter().map(|line| &*line.task_key).collect();
            ran.len() == rows.len()
        });
        trial
    }

    /// What the client prints for `sql`, past the proxy.
    #[track_caller]
    pub(crate) fn sql(&self, sql: &str) -> String {
        self.server.client(&self.database, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// What the jobs testified so far.
    pub(crate) fn lines(&self) -> Vec<Line> {
        // The last line may be half written.
        witness::read(&testimony(&self.folder)).unwrap_or_default()
    }

    /// Waits until the testimony is as `wanted`.
    #[track_caller]
    pub(crate) fn await_lines(&self, what: &str, wanted: impl Fn(&[Line]) -> bool) {
        self.await_lines_for(PATIENCE, what, wanted);
    }

    /// The same, for so long.
    #[track_caller]
    pub(crate) fn await_lines_for(
        &self,
        patience: Duration,
        what: &str,
        wanted: impl Fn(&[Line]) -> bool,
    ) {
        let seen = poll::until(patience, || wanted(&self.lines()).then_some(()));
        if seen.is_none() {
            let lines = self.lines();
            panic!(
                "not within {patience:?}: {what}; {:#?}",
                &lines[lines.len().saturating_sub(6)..]
            );
        }
    }

    /// Waits until a run began whose instant is later than now, and yields how long that took.
    #[track_caller]
    pub(crate) fn await_a_new_fire(&self) -> Duration {
        let (now_ms, since) = (now_ms(), clock::mono());
        self.await_lines("a new fire runs", |lines| {
            lines.iter().any(|line| !line.is_end && line.scheduled_ms > now_ms)
        });
        clock::mono() - since
    }

    /// Transactions of this database that are open and began at least `secs` ago.
    pub(crate) fn transactions_older_than(&self, secs: u32) -> String {
        self.sql(&format!(
            "SELECT x.trx_id, x.trx_state, x.trx_started FROM information_schema.innodb_trx x \
             JOIN information_schema.processlist p ON p.id = x.trx_mysql_thread_id \
             WHERE p.db = DATABASE() AND x.trx_started <= NOW() - INTERVAL {secs} SECOND"
        ))
    }

    /// Stops the scheduler in order and judges. Whatever befell it, no connection may be left in a transaction.
    pub(crate) fn end(self) -> Findings {
        self.runtime.block_on(self.running.stop()).unwrap();
        let poisoned = self.proxy.pongs_in_transaction();
        drop(self.proxy);
        let lines = witness::read(&testimony(&self.folder)).unwrap();
        let mut findings = judge(&executions(self.server, &self.database), &lines, self.rows);
        if poisoned > 0 {
            findings.wrong.push(format!("{poisoned} connections lent with a transaction open"));
        }
        findings
    }
}

impl Findings {
    /// Nothing is wrong, every execution succeeded, and no run began later than `latest` after its instant.
    #[track_caller]
    pub(crate) fn assert_all_ran_within(&self, latest: Duration) {
        self.assert_right();
        let has_run = |status: &String| status == "success" || status == "cancelled";
        assert!(self.statuses.keys().all(has_run), "{self:#?}");
        assert!(self.latest <= latest, "{self:#?}");
    }

    /// Every instant stands in exactly one row, and every run is what its row says.
    #[track_caller]
    pub(crate) fn assert_right(&self) {
        assert!(self.wrong.is_empty(), "{self:#?}");
        assert!(self.statuses.get("success").is_some_and(|count| *count > 0), "{self:#?}");
    }
}

pub(crate) fn now_ms() -> i64 {
    clock::wall().timestamp_millis()
}

fn testimony(folder: &TempDir) -> PathBuf {
    folder.path().join("testimony")
}

pub(crate) fn configured(folder: &TempDir, url: &str, settings: &str) -> Config {
    configure(folder.path(), Some(url), settings).unwrap();
    Config::load(&folder.path().join("conf"), "local", []).unwrap()
}

fn insert(number: i64, (every_secs, takes_ms): Row) -> String {
    format!(
        "INSERT INTO task (task_key, `desc`, execute_func, `trigger`, spec, args, is_valid, status, extra) \
         VALUES ('task {number}', '', 'witness', 'interval', '{every_secs}', '{takes_ms}', 1, 'ready', '{{}}');"
    )
}

fn executions(server: &MariaDb, database: &str) -> Vec<Execution> {
    let sql = "SELECT id, task_id, status, trace_id, scheduled_at, attempt, \
               IF(status = 'missed', COALESCE(JSON_VALUE(extra, '$.count'), 1), 1) FROM execute_task ORDER BY id";
    let printed = server.client(database, sql).unwrap();
    let execution = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        let [id, task, status, trace_id, scheduled_ms, attempt, count] = cells[..] else {
            panic!("{line}");
        };
        Execution {
            id: id.parse().unwrap(),
            task: task.parse().unwrap(),
            status: status.to_owned(),
            trace_id: trace_id.to_owned(),
            scheduled_ms: scheduled_ms.parse().unwrap(),
            attempt: attempt.parse().unwrap(),
            count: count.parse().unwrap(),
        }
    };
    printed.lines().map(execution).collect()
}

fn judge(executions: &[Execution], lines: &[Line], rows: &[Row]) -> Findings {
    let mut wrong = Vec::new();
    let mut statuses = BTreeMap::new();
    for execution in executions {
        *statuses.entry(execution.status.clone()).or_default() += 1;
        let began = runs(lines, execution.id, false);
        let ended = runs(lines, execution.id, true);
        let is_right = match &*execution.status {
            "success" => (began.len(), ended.len()) == (1, 1),
            // What is cancelled was claimed as the stop came.
            "missed" | "skipped" | "cancelled" => began.is_empty(),
            // Nothing in these trials fails, is lost, or may stay open.
            _ => false,
        };
        if !is_right {
            let Execution { id, task, status, .. } = execution;
            let counts = (began.len(), ended.len());
            wrong.push(format!(
                "execution {id} of task {task} is {status}, began and ended {counts:?}"
            ));
        }
    }
    for line in lines {
        let is_told = executions.iter().any(|row| {
            row.id == line.execution
                && (row.scheduled_ms, row.attempt, &row.trace_id)
                    == (line.scheduled_ms, line.attempt, &line.trace_id)
        });
        if !is_told || line.at_ms < line.scheduled_ms {
            wrong.push(format!("early, or without a row that says the same: {line:?}"));
        }
    }
    wrong
        .extend(rows.iter().zip(1..).flat_map(|((every, _), task)| gaps(executions, task, *every)));
    let late = lines.iter().filter(|line| !line.is_end).map(|line| line.at_ms - line.scheduled_ms);
    let latest = late.max().and_then(|late| u64::try_from(late).ok()).unwrap_or_default();
    Findings { statuses, latest: Duration::from_millis(latest), wrong }
}

fn runs(lines: &[Line], execution: i64, is_end: bool) -> Vec<&Line> {
    let wanted = |line: &&Line| line.execution == execution && line.is_end == is_end;
    lines.iter().filter(wanted).collect()
}

/// Instants of the task, from its first to its last, that stand in no row or in several.
fn gaps(executions: &[Execution], task: i64, every_secs: i64) -> Vec<String> {
    let every = every_secs * 1_000;
    let mut instants: Vec<i64> = executions
        .iter()
        .filter(|execution| execution.task == task)
        .flat_map(|execution| {
            (0..execution.count).map(|back| execution.scheduled_ms - back * every)
        })
        .collect();
    instants.sort_unstable();
    let pairs = instants.windows(2).filter(|pair| pair[1] - pair[0] != every);
    pairs.map(|pair| format!("task {task}: {} is followed by {}", pair[0], pair[1])).collect()
}
