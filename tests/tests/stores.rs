//! The conformance suite on every store, one test per case: `sqlite::an_instant_is_claimed_once`.

use std::collections::BTreeSet;

use scheduler_core::store::conformance::{self, Fixture};
use scheduler_core::{fresh_cases, sql_cases, store_cases};

/// Threads of their own, so that two nodes really run at once.
fn block_on(test: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime starts").block_on(test);
}

/// A test of each case on migrated tables at the module's `place`.
macro_rules! on_migrated {
    ($($module:ident: $case:ident,)*) => {$(
        #[test]
        fn $case() {
            block_on(async {
                let Some((fixture, _place)) = place().await else { return };
                conformance::$module::$case(&fixture.migrated().await).await;
            });
        }
    )*};
}

/// A test of each case where no tables are yet.
macro_rules! on_fresh {
    ($($module:ident: $case:ident,)*) => {$(
        #[test]
        fn $case() {
            block_on(async {
                let Some((fixture, _place)) = place().await else { return };
                conformance::$module::$case(&fixture).await;
            });
        }
    )*};
}

mod memory {
    use super::*;

    async fn place() -> Option<(Fixture, ())> {
        Some((Fixture::memory(), ()))
    }

    store_cases!(on_migrated);
    fresh_cases!(on_fresh);
}

mod sqlite {
    use tempfile::TempDir;

    use super::*;

    async fn place() -> Option<(Fixture, TempDir)> {
        let folder = tempfile::tempdir().expect("a folder can be made");
        Some((Fixture::sqlite(folder.path()).await, folder))
    }

    store_cases!(on_migrated);
    fresh_cases!(on_fresh);
    sql_cases!(on_migrated);
}

mod mysql {
    use tests::servers::mariadb;

    use super::*;

    async fn place() -> Option<(Fixture, ())> {
        let server = mariadb()?;
        let database = server.create_database();
        Some((Fixture::mysql(&server.url(&database)).await, ()))
    }

    store_cases!(on_migrated);
    fresh_cases!(on_fresh);
    sql_cases!(on_migrated);
}

/// The same on a server with settings that old installations have.
mod mysql_with_odd_settings {
    use std::sync::OnceLock;

    use tests::servers::{MariaDb, mariadb};

    use super::*;

    const SETTINGS: [&str; 7] = [
        "--sql-mode=",
        "--default-time-zone=+08:00",
        "--character-set-server=latin1",
        "--collation-server=latin1_swedish_ci",
        "--transaction-isolation=REPEATABLE-READ",
        "--autocommit=0",
        "--completion-type=CHAIN",
    ];

    async fn place() -> Option<(Fixture, ())> {
        static SERVER: OnceLock<Option<MariaDb>> = OnceLock::new();
        mariadb()?;
        let start = || MariaDb::start_with(&SETTINGS).expect("the server starts");
        let server = SERVER.get_or_init(start).as_ref()?;
        let database = server.create_database();
        Some((Fixture::mysql(&server.url(&database)).await, ()))
    }

    store_cases!(on_migrated);
    fresh_cases!(on_fresh);
    sql_cases!(on_migrated);
}

macro_rules! names {
    ($($module:ident: $case:ident,)*) => { [$((stringify!($module), stringify!($case))),*] };
}

#[test]
fn every_case_of_the_suite_is_on_a_list() {
    let listed: BTreeSet<(String, String)> = store_cases!(names)
        .into_iter()
        .chain(fresh_cases!(names))
        .chain(sql_cases!(names))
        .map(|(module, case)| (module.to_owned(), case.to_owned()))
        .collect();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../scheduler-core/src/store/conformance");
    let mut written = BTreeSet::new();
    for file in std::fs::read_dir(folder).expect("the suite has a folder") {
        let path = file.expect("its files can be listed").path();
        let module = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("its files can be read");
        let names = text.lines().filter_map(|line| line.strip_prefix("pub async fn "));
        let cases = names.filter_map(|rest| rest.split_once("(fixture: &Fixture)"));
        written.extend(cases.map(|(case, _)| (module.clone(), case.to_owned())));
    }
    assert_eq!(listed, written);
}

/// One seed from the environment (`STORE_SEED=17`), or a series that is the same on every machine, `most` long or as
/// many as `STORE_SEQUENCES` says.
fn seeds(most: u64) -> Vec<u64> {
    let asked = |name: &str| std::env::var(name).ok().and_then(|number| number.parse().ok());
    asked("STORE_SEED")
        .map_or_else(|| (1..=asked("STORE_SEQUENCES").unwrap_or(most)).collect(), |seed| vec![seed])
}

#[test]
fn the_stores_answer_alike_to_random_steps_of_three_nodes() {
    block_on(async {
        for seed in seeds(25) {
            let turns = conformance::turns::turns(seed);
            assert!(turns.len() <= 60, "{}", turns.len());
            let memory =
                conformance::random::play(&Fixture::memory().migrated().await, &turns).await;
            let folder = tempfile::tempdir().expect("a folder can be made");
            let sqlite = Fixture::sqlite(folder.path()).await.migrated().await;
            check_alike(seed, "sqlite", &memory, &conformance::random::play(&sqlite, &turns).await);
            let Some(server) = tests::servers::mariadb() else {
                continue;
            };
            let mysql =
                Fixture::mysql(&server.url(&server.create_database())).await.migrated().await;
            check_alike(seed, "mysql", &memory, &conformance::random::play(&mysql, &turns).await);
        }
    });
}

#[track_caller]
fn check_alike(seed: u64, name: &str, memory: &[String], other: &[String]) {
    let differs = memory.iter().zip(other).position(|(one, other)| one != other);
    let Some(at) = differs else { return };
    let before = memory[..at].join("\n");
    panic!(
        "STORE_SEED={seed}: {name} differs\nafter\n{before}\nmemory {}\n{name} {}",
        memory[at], other[at]
    );
}

#[test]
fn three_nodes_and_a_person_at_once_are_told_what_stands_in_the_rows() {
    block_on(async {
        // What comes first is not in the seed: each is another rush on the same plans.
        for seed in seeds(5) {
            check_rush(seed, "memory", &Fixture::memory().migrated().await).await;
            let folder = tempfile::tempdir().expect("a folder can be made");
            check_rush(seed, "sqlite", &Fixture::sqlite(folder.path()).await.migrated().await)
                .await;
            let Some(server) = tests::servers::mariadb() else { continue };
            let mysql = Fixture::mysql(&server.url(&server.create_database())).await;
            check_rush(seed, "mysql", &mysql.migrated().await).await;
        }
    });
}

async fn check_rush(seed: u64, name: &str, fixture: &Fixture) {
    let wrong = conformance::rush::play(fixture, seed).await;
    assert!(wrong.is_empty(), "STORE_SEED={seed}, {name}: {wrong:#?}");
}

/// A file that another program made in UTF-16, which SQLite otherwise hides from whoever asks.
#[test]
fn a_file_in_utf_16_is_read_like_any_other() {
    use sqlx::{Connection as _, Executor as _};
    let folder = tempfile::tempdir().expect("a folder can be made");
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("scheduler.db").display());
    block_on(async {
        let mut maker = sqlx::SqliteConnection::connect(&url).await.expect("it opens");
        let made = "PRAGMA encoding = 'UTF-16le'; CREATE TABLE other (id INTEGER);";
        maker.execute(sqlx::raw_sql(made)).await.expect("it is made");
        maker.close().await.expect("it closes");
        let fixture = Fixture::sqlite(folder.path()).await.migrated().await;
        let row = scheduler_core::store::NewTask::new("key", "job", "interval", "60");
        fixture.store.add(&row).await.expect("it is added");
        let read = fixture.store.read().await.expect("it is read").rows;
        assert_eq!(read[0].task_key.as_deref(), Ok("key"));
        assert_eq!(read[0].spec.as_deref(), Ok("60"));
    });
}

/// Rows that cannot be read stay for ever, and those that can be come after them.
#[test]
fn rows_that_cannot_be_read_hide_none_that_can() {
    use sqlx::{Connection as _, Executor as _};
    let folder = tempfile::tempdir().expect("a folder can be made");
    let url = format!("sqlite://{}", folder.path().join("scheduler.db").display());
    block_on(async {
        let fixture = Fixture::sqlite(folder.path()).await.migrated().await;
        let row = scheduler_core::store::NewTask::new("key", "job", "interval", "60");
        let id = fixture.store.add(&row).await.expect("it is added");
        let mut person = sqlx::SqliteConnection::connect(&url).await.expect("it opens");
        // Nanoseconds in the place of milliseconds.
        let made = "WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < 1000) \
            INSERT INTO scheduler_request (task_id, requested_at) SELECT 1, 1700000000000000000 + k FROM n; \
            WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < 100) \
            INSERT INTO scheduler_retry (task_id, scheduled_at, attempt, due_at) \
            SELECT 1, 1700000000000000000 + k, 2, 5 FROM n; \
            INSERT INTO scheduler_retry (task_id, scheduled_at, attempt, due_at) VALUES (1, 1000, 2, 2000)";
        person.execute(sqlx::raw_sql(made)).await.expect("they are made");
        fixture.store.request_run(id, conformance::at(10)).await.expect("it is asked for");
        let reading = fixture.store.read().await.expect("it is read");
        assert_eq!(reading.requests.len(), 2, "{:?}", reading.requests);
    });
}
