//! A folder of its own for each test: configuration, SQLite file, and the program run inside.
#![allow(dead_code, reason = "each test file uses its part")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use scheduler_core::{
    clock, sqlx,
    sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions},
    store::{Desk as _, NewTask, SqlStore, Store as _},
};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) mod program;
pub(crate) mod stub;

/// Longest wait for anything that is sure to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// The variable that says where a scheduler listens: of many at once none does, unless a test asks for it.
pub(crate) const LISTEN: &str = "SCHEDULER__COMMON__HTTP__LISTEN";

/// A working directory with `conf/local` and, once migrated, `data/scheduler.db`.
pub(crate) struct Home {
    folder: TempDir,
}

/// What a run of the program left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Home {
    /// With `common` in `common.toml` beside the store.
    pub(crate) fn new(common: &str) -> Self {
        let home = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(home.path().join("conf/local")).unwrap();
        home.write("common", &format!("store = \"sqlite:data/scheduler.db\"\n{common}\n"));
        home.write("logger", "[root]\nlevel = \"info\"\n[other]\nlevel = \"info\"\n");
        home.write("mysql", "");
        home.write("redis", "");
        home
    }

    /// The same with tables.
    pub(crate) fn migrated(common: &str) -> Self {
        let home = Self::new(common);
        home.ok(&["migrate"]);
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        fs::write(self.path().join(format!("conf/local/{file}.toml")), text).unwrap();
    }

    /// The program, ready to start in this folder and with no variable of the test's own environment.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("scheduler"));
        command.current_dir(self.path()).env_clear();
        command.env(LISTEN, "off");
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        Ran::of(self.command().args(args).output().unwrap())
    }

    /// Runs what must succeed; its stdout.
    #[track_caller]
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        ran.stdout
    }

    /// Runs with `--json` what must succeed.
    #[track_caller]
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let stdout = self.ok(&[args, &["--json"]].concat());
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{args:?}: {error}: {stdout}"))
    }

    /// Runs what must fail with `code` and say exactly `stderr`, on one line.
    #[track_caller]
    pub(crate) fn fails(&self, args: &[&str], code: i32, stderr: &str) {
        let ran = self.run(args);
        assert_eq!(
            (ran.code, ran.stderr.as_str()),
            (code, format!("{stderr}\n").as_str()),
            "{args:?}"
        );
        assert_eq!(ran.stdout, "", "{args:?}");
    }

    /// Does something with the tables, past the program.
    pub(crate) fn store<T>(&self, act: impl AsyncFnOnce(&SqlStore) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let path = self.path().join("data/scheduler.db");
            let store = SqlStore::sqlite(&path, Duration::from_secs(5)).await.unwrap();
            store.migrate().await.unwrap();
            let result = act(&store).await;
            store.close().await;
            result
        })
    }

    /// Changes the tables as a person does, behind our back.
    pub(crate) fn sql(&self, sql: &'static str) {
        let path = self.path().join("data/scheduler.db");
        let options =
            SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_secs(10));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = options.connect().await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        });
    }

    /// Inserts an enabled row without looking at it, as a person with SQL would.
    pub(crate) fn insert(&self, key: &str, func: &str, trigger: &str, spec: &str) -> i64 {
        self.insert_row(&row(key, func, trigger, spec))
    }

    pub(crate) fn insert_row(&self, row: &NewTask) -> i64 {
        self.store(async |store| store.add(row).await.unwrap())
    }

    /// Executions of a task, newest first.
    pub(crate) fn executions(&self, task: i64) -> Vec<Value> {
        let task = task.to_string();
        let list = self.json(&["executions", "list", "--limit", "1000", "--task", &task]);
        list.as_array().unwrap().clone()
    }
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// An enabled row.
pub(crate) fn row(key: &str, func: &str, trigger: &str, spec: &str) -> NewTask {
    NewTask::new(key, func, trigger, spec)
}

/// Polls until `look` finds something.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, what, look)
}

/// Polls until `look` finds something, for `span` at most.
#[track_caller]
pub(crate) fn within<T>(span: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = clock::mono() + span;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(clock::mono() < deadline, "not within {span:?}: {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}
