//! What only MariaDB can show: the original's tables and program, foreign locks, deadlocks, broken calls.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use scheduler_core::plan::claim::{Claim, Refusal, Verdict};
use scheduler_core::plan::execution::{Noted, Recorded, Status};
use scheduler_core::plan::node::{Lost, Settled};
use scheduler_core::store::StoreError;
use scheduler_core::store::conformance::{Fixture, alive::AT_ANY_TIME, at, outcome, run_of};
use sqlx::{Connection as _, Executor as _, MySqlConnection};
use tests::poll;
use tests::servers::{MariaDb, mariadb};

/// The original application's own start-up SQL.
const SEED: &str = include_str!("../fixtures/seed.sql");

const PATIENCE: Duration = Duration::from_secs(30);

/// Runs `test` on a database of its own, where a server is installed.
fn on_a_database<F: Future<Output = ()>>(test: impl FnOnce(&'static MariaDb, String) -> F) {
    let Some(server) = mariadb() else { return };
    let database = server.create_database();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime starts").block_on(test(server, database));
}

async fn migrated(server: &MariaDb, database: &str) -> Fixture {
    Fixture::mysql(&server.url(database)).await.migrated().await
}

/// What the client prints for `sql`, one line per row.
#[track_caller]
fn rows(server: &MariaDb, database: &str, sql: &str) -> Vec<String> {
    let printed = server.client(database, sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    printed.lines().map(str::to_owned).collect()
}

const COLUMNS: [&str; 12] = [
    "id",
    "task_key",
    "desc",
    "execute_func",
    "trigger",
    "spec",
    "args",
    "is_valid",
    "status",
    "extra",
    "create_at",
    "update_at",
];

async fn the_seed_is_there(server: &MariaDb, database: &str, fixture: &Fixture) {
    let read = fixture.store.read().await.unwrap().rows;
    let keys: Vec<_> = read.iter().map(|row| row.task_key.as_deref().unwrap()).collect();
    assert_eq!(keys, ["test_interval", "test_date", "test_cron"]);
    assert_eq!(read[0].description.as_deref(), Ok("测试interval任务"));
    assert_eq!(read[1].args.as_deref(), Ok("\"guess\",\"hello\""));
    assert_eq!(read[0].updated_at.unwrap().to_rfc3339(), "2020-04-24T19:13:59+00:00");
    let columns = rows(
        server,
        database,
        "SELECT column_name FROM information_schema.columns \
        WHERE table_schema = DATABASE() AND table_name = 'task' ORDER BY ordinal_position",
    );
    assert_eq!(columns, COLUMNS);
    let described = rows(server, database, "DESCRIBE task");
    assert_eq!(described.len(), COLUMNS.len());
    let claim = Claim { spec: "5".into(), ..run_of(1, at(10)) };
    let id = fixture.won(&claim).await;
    assert!(fixture.record(&outcome(id, &claim, Status::Success)).await);
    assert_eq!(fixture.row(1).await.updated_at, read[0].updated_at);
}

/// The seed's instants are read in the session's zone; the client speaks UTC here.
fn seed() -> String {
    format!("SET time_zone = '+00:00';\n{SEED}")
}

#[test]
fn the_originals_sql_loads_before_the_migrations() {
    on_a_database(async |server, database| {
        server.client(&database, &seed()).unwrap();
        let fixture = migrated(server, &database).await;
        the_seed_is_there(server, &database, &fixture).await;
    });
}

#[test]
fn the_originals_sql_loads_after_the_migrations() {
    on_a_database(async |server, database| {
        let fixture = migrated(server, &database).await;
        server.client(&database, &seed()).unwrap();
        the_seed_is_there(server, &database, &fixture).await;
        fixture.store.check_schema().await.unwrap();
    });
}

#[test]
fn the_originals_positional_insert_works_on_migrated_tables() {
    on_a_database(async |server, database| {
        let fixture = migrated(server, &database).await;
        let insert = "INSERT INTO task VALUES (42, 'k', 'd', 'f', 'interval', '5', '1', 1, 'ready', '{}', \
                      '2020-04-24 16:51:03', '2020-04-24 19:13:59')";
        server.client(&database, insert).unwrap();
        assert_eq!(fixture.row(42).await.task_key.as_deref(), Ok("k"));
    });
}

#[test]
fn what_the_original_filled_is_adopted_without_losing_a_row() {
    on_a_database(async |server, database| {
        server.client(&database, &seed()).unwrap();
        let filled = "UPDATE task SET status = 'doing', update_at = update_at WHERE id = 1; \
            INSERT INTO execute_task VALUES \
            (1, 1, 'success', '{}', 'trace 1', '2020-04-24 16:51:03', '2020-04-24 16:51:03'), \
            (2, 1, 'fail', '{\"err\":\"错误\"}', 'trace 2', '2020-04-24 16:51:08', '2020-04-24 16:51:08'), \
            (7, 1, 'todo', '{}', 'trace 7', '2020-04-24 16:51:13', '2020-04-24 16:51:13')";
        server.client(&database, filled).unwrap();
        let columns = "id, task_id, status, extra, trace_id, create_at, update_at";
        let everything = format!(
            "SELECT {columns} FROM execute_task ORDER BY id; SELECT * FROM task ORDER BY id"
        );
        let before = rows(server, &database, &everything);
        let fixture = migrated(server, &database).await;
        assert_eq!(rows(server, &database, &everything), before);
        assert_eq!(fixture.execution(2).await.extra, "{\"err\":\"错误\"}");
        // What was running is lost, since nobody renews for it, and its task is free again.
        let reaped = fixture
            .store
            .reap("the reaper", Duration::from_secs(30), AT_ANY_TIME, &[1])
            .await
            .unwrap();
        let lost = Lost { execution_id: 7, task_id: 1, node_id: None, is_retried: false };
        assert_eq!(reaped.lost, [lost]);
        fixture.won(&Claim { spec: "5".into(), ..run_of(1, at(10)) }).await;
        let by_the_original = "INSERT INTO execute_task (task_id, status, trace_id) VALUES (2, 'todo', 'late'), (2, 'todo', 'later')";
        server.client(&database, by_the_original).unwrap();
    });
}

#[test]
fn a_migration_killed_after_its_alter_is_finished() {
    on_a_database(async |server, database| {
        server.client(&database, &seed()).unwrap();
        let fixture = migrated(server, &database).await;
        for left in [
            "DROP TABLE scheduler_migration, scheduler_meta, scheduler_request, scheduler_node",
            "UPDATE scheduler_migration SET success = 0; DROP TABLE scheduler_meta",
            "DELETE FROM scheduler_migration; DROP TABLE scheduler_request",
        ] {
            server.client(&database, left).unwrap();
            fixture.store.check_schema().await.unwrap_err();
            fixture.store.migrate().await.unwrap();
            fixture.store.check_schema().await.unwrap();
            fixture.store.read().await.unwrap();
            fixture.store.renew("n1").await.unwrap();
        }
        assert_eq!(fixture.store.read().await.unwrap().rows.len(), 3);
    });
}

#[test]
fn a_user_who_may_not_change_tables_can_run_on_migrated_ones() {
    on_a_database(async |server, database| {
        let fixture = migrated(server, &database).await;
        let task = fixture.add("a").await;
        let user = format!("plain_{database}");
        let grant = format!(
            "CREATE USER '{user}'@'127.0.0.1'; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON {database}.* TO '{user}'@'127.0.0.1'"
        );
        server.client("", &grant).unwrap();
        let url = server.url(&database).replace("root@", &format!("{user}@"));
        let plain = Fixture::mysql(&url).await.migrated().await;
        let claim = run_of(task, at(10));
        let id = plain.won(&claim).await;
        assert!(plain.record(&outcome(id, &claim, Status::Success)).await);
        plain.store.renew("n1").await.unwrap();
        plain
            .store
            .reap("the reaper", Duration::from_secs(30), AT_ANY_TIME, &[task])
            .await
            .unwrap();
        plain.add("b").await;
        plain.store.request_run(task, at(20)).await.unwrap();
        plain.store.delete(task).await.unwrap();
    });
}

/// Open transactions of the clients of `database`.
///
/// InnoDB answers from a copy that it makes anew only when nobody has asked for 100 ms: those who ask more often,
/// and tests run side by side, would see the same moment for ever. So one asks at a time, after such a silence.
fn open_transactions(server: &MariaDb, database: &str) -> Vec<String> {
    static ASKING: Mutex<()> = Mutex::new(());
    let _asking = ASKING.lock().unwrap_or_else(PoisonError::into_inner);
    poll::until(Duration::from_millis(150), || None::<()>);
    let sql = format!(
        "SELECT x.trx_id, x.trx_state, p.info FROM information_schema.innodb_trx x \
         JOIN information_schema.processlist p ON p.id = x.trx_mysql_thread_id WHERE p.db = '{database}'"
    );
    rows(server, "", &sql)
}

async fn hostile(server: &MariaDb, database: &str, sql: &'static str) -> MySqlConnection {
    let mut session = MySqlConnection::connect(&server.url(database)).await.unwrap();
    session.execute(sqlx::raw_sql(sql)).await.unwrap();
    session
}

#[test]
fn a_row_locked_by_a_stranger_is_passed_over_and_delays_no_other() {
    on_a_database(async |server, database| {
        let fixture = migrated(server, &database).await;
        let tasks = [fixture.add("a").await, fixture.add("b").await];
        let claims = tasks.map(|task| run_of(task, at(10)));
        // By id: a lock by key would hold the neighbouring keys too, which every change of status moves.
        let lock = "START TRANSACTION; SELECT * FROM task WHERE id = 2 FOR UPDATE";
        let mut stranger = hostile(server, &database, lock).await;
        let verdicts = fixture.store.claim("n1", &claims).await.unwrap();
        let [Verdict::Won(Some(first)), Verdict::Refused(Refusal::Locked)] = verdicts[..] else {
            panic!("{verdicts:?}");
        };
        stranger.execute(sqlx::raw_sql("ROLLBACK")).await.unwrap();
        let verdicts = fixture.store.claim("n1", &claims[1..]).await.unwrap();
        let [Verdict::Won(Some(second))] = verdicts[..] else { panic!("{verdicts:?}") };
        // The same for what ended.
        stranger.execute(sqlx::raw_sql(lock)).await.unwrap();
        let outcomes = [
            outcome(first, &claims[0], Status::Success),
            outcome(second, &claims[1], Status::Success),
        ];
        let recorded = fixture.store.record(&outcomes).await.unwrap();
        assert_eq!(recorded, [Recorded::Stands, Recorded::Locked]);
        fixture.store.reap("n2", Duration::ZERO, AT_ANY_TIME, &tasks).await.unwrap();
        assert_eq!(fixture.execution(second).await.status, "todo", "passed over too");
    });
}

#[test]
fn a_row_locked_by_a_stranger_leaves_one_claim_open_and_settles_the_others() {
    on_a_database(async |server, database| {
        let fixture = migrated(server, &database).await;
        let claims = [fixture.add("a").await, fixture.add("b").await].map(|id| run_of(id, at(10)));
        let lock = "START TRANSACTION; SELECT * FROM task WHERE id = 2 FOR UPDATE";
        let mut stranger = hostile(server, &database, lock).await;
        let settled = fixture.store.settle(&claims).await.unwrap();
        assert_eq!(settled, [Settled::NotWritten, Settled::Locked]);
        stranger.execute(sqlx::raw_sql("ROLLBACK")).await.unwrap();
        let settled = fixture.store.settle(&claims).await.unwrap();
        assert_eq!(settled, [Settled::NotWritten, Settled::NotWritten]);
    });
}

#[test]
fn who_waits_for_a_strangers_lock_waits_no_longer_than_the_deadline() {
    on_a_database(async |server, database| {
        let deadline = Duration::from_secs(2);
        let fixture =
            Fixture::mysql_within(&server.url(&database), deadline).await.migrated().await;
        let task = fixture.add("a").await;
        let lock = "START TRANSACTION; SELECT * FROM task FOR UPDATE";
        let mut stranger = hostile(server, &database, lock).await;
        let started = scheduler_core::clock::mono();
        let error = fixture.store.request_run(task, at(10)).await.unwrap_err();
        let took = scheduler_core::clock::mono() - started;
        assert!(matches!(error, StoreError::Deadline { .. }), "{}", error.chain());
        assert!(!error.is_unknown());
        assert!(took >= deadline && took < deadline * 2, "{took:?}");
        // The pool is usable while the row is still locked.
        fixture.store.renew("n1").await.unwrap();
        assert_eq!(fixture.store.read().await.unwrap().rows.len(), 1);
        stranger.execute(sqlx::raw_sql("ROLLBACK")).await.unwrap();
        let none_open =
            poll::until(PATIENCE, || open_transactions(server, &database).is_empty().then_some(()));
        assert!(none_open.is_some(), "{:?}", open_transactions(server, &database));
        fixture.store.request_run(task, at(10)).await.unwrap();
    });
}

#[test]
fn a_claim_that_is_still_under_way_in_the_server_is_not_settled_yet() {
    on_a_database(async |server, database| {
        let fixture = migrated(server, &database).await;
        let task = fixture.add("a").await;
        let claims = [run_of(task, at(10))];
        // The claim as the server still has it in hand after its client gave up.
        let under_way = format!(
            "START TRANSACTION; SELECT * FROM task FOR UPDATE; \
             INSERT INTO execute_task (task_id, status, trace_id, scheduled_at) \
             VALUES ({task}, 'todo', '{}', {})",
            claims[0].entries[0].trace_id,
            at(10).timestamp_millis()
        );
        let mut late = MySqlConnection::connect(&server.url(&database)).await.unwrap();
        late.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(under_way))).await.unwrap();
        assert_eq!(fixture.store.settle(&claims).await.unwrap(), [Settled::Locked]);
        late.execute(sqlx::raw_sql("COMMIT")).await.unwrap();
        let settled = fixture.store.settle(&claims).await.unwrap();
        assert!(matches!(settled[..], [Settled::Written(Some(_))]), "{settled:?}");
    });
}

const ALL: scheduler_core::store::ExecutionFilter =
    scheduler_core::store::ExecutionFilter::newest(100_000);

#[test]
fn a_claim_passes_over_an_edit_in_flight_and_obeys_it_afterwards() {
    on_a_database(async |server, database| {
        let fixture = migrated(server, &database).await;
        let claim = run_of(fixture.add("a").await, at(10));
        let edit = "START TRANSACTION; UPDATE task SET is_valid = 0";
        let mut stranger = hostile(server, &database, edit).await;
        let claims = [claim];
        let verdicts = fixture.store.claim("n1", &claims).await.unwrap();
        assert_eq!(verdicts, [Verdict::Refused(Refusal::Locked)]);
        stranger.execute(sqlx::raw_sql("COMMIT")).await.unwrap();
        let verdicts = fixture.store.claim("n1", &claims).await.unwrap();
        assert_eq!(verdicts, [Verdict::Refused(Refusal::Disabled)]);
        assert_eq!(fixture.store.executions(ALL).await.unwrap(), []);
    });
}

#[test]
fn a_deadlock_is_rolled_back_and_tried_again() {
    on_a_database(async |server, database| {
        let fixture = migrated(server, &database).await;
        let task = fixture.add("a").await;
        // The stranger holds all that waits and has written most, so ours, which holds the task and waits to add to
        // that, is the victim.
        let mut stranger = hostile(
            server,
            &database,
            "START TRANSACTION; SELECT * FROM scheduler_request FOR UPDATE; \
             INSERT INTO scheduler_node (node_id, started_at, heartbeat_at) VALUES ('x', 1, 1), ('y', 1, 1)",
        )
        .await;
        let deadlocks = || {
            rows(
                server,
                "",
                "SELECT variable_value FROM information_schema.global_status \
            WHERE variable_name = 'Innodb_deadlocks'",
            )
        };
        let before = deadlocks();
        let store = std::sync::Arc::clone(&fixture.store);
        let asking = tokio::spawn(async move { store.request_run(task, at(10)).await });
        let waits = poll::until(PATIENCE, || {
            let open = open_transactions(server, &database);
            open.iter().any(|row| row.contains("LOCK WAIT")).then_some(())
        });
        assert!(waits.is_some(), "{:?}", open_transactions(server, &database));
        stranger
            .execute(sqlx::raw_sql("UPDATE task SET `desc` = 'x' WHERE task_key = 'a'; COMMIT"))
            .await
            .unwrap();
        asking.await.unwrap().unwrap();
        assert_eq!(fixture.store.read().await.unwrap().requests.len(), 1);
        assert_ne!(deadlocks(), before, "there was a deadlock");
    });
}

#[test]
fn dropped_calls_leave_no_transaction_open() {
    on_a_database(async |server, database| {
        let fixture = migrated(server, &database).await;
        let all = fixture.add_many("task", 2_000).await;
        for (round, tasks) in (0_u32..).zip(all.chunks(10)) {
            // Each round has tasks of its own: a row that the server still holds for the call dropped before would
            // rightly be passed over, and the claim would not be whole.
            let claims: Vec<_> =
                tasks.iter().map(|task| run_of(*task, at(i64::from(round) * 10))).collect();
            // Up to 6 ms, in an order without a pattern.
            let patience = Duration::from_micros(u64::from(round * 7_919 % 6_000));
            let _ = tokio::time::timeout(patience, fixture.store.claim("n1", &claims)).await;
            let _ = tokio::time::timeout(patience, fixture.store.renew("n1")).await;
            let _ = tokio::time::timeout(
                patience,
                fixture.store.reap("the reaper", Duration::ZERO, AT_ANY_TIME, tasks),
            )
            .await;
        }
        let none_open =
            poll::until(PATIENCE, || open_transactions(server, &database).is_empty().then_some(()));
        assert!(none_open.is_some(), "{:?}", open_transactions(server, &database));
        // No connection of the pool is left in the middle of an exchange.
        for _ in 0..40 {
            let (one, other) = tokio::join!(fixture.store.renew("n1"), fixture.store.read());
            one.unwrap();
            other.unwrap();
        }
        let half =
            "SELECT scheduled_at, COUNT(*) FROM execute_task GROUP BY 1 HAVING COUNT(*) <> 10";
        assert_eq!(rows(server, &database, half), [""; 0], "a claim is written as a whole");
    });
}

#[test]
fn a_lock_by_key_whose_gaps_hold_the_neighbours_delays_them_once_and_loses_nothing() {
    on_a_database(async |server, database| {
        let fixture = migrated(server, &database).await;
        let tasks = [fixture.add("a").await, fixture.add("b").await, fixture.add("c").await];
        // In the server's default isolation a lock by key holds the gaps beside it: no neighbour can change its
        // status.
        let lock = "START TRANSACTION; SELECT * FROM task WHERE task_key = 'b' FOR UPDATE";
        let mut stranger = hostile(server, &database, lock).await;
        let started = scheduler_core::clock::mono();
        for round in 1..=20 {
            let claims = tasks.map(|task| run_of(task, at(round * 10)));
            let verdicts = fixture.store.claim("n1", &claims).await.unwrap();
            let [Verdict::Won(Some(a)), Verdict::Refused(Refusal::Locked), Verdict::Won(Some(c))] =
                verdicts[..]
            else {
                panic!("{verdicts:?}");
            };
            let outcomes =
                [outcome(a, &claims[0], Status::Success), outcome(c, &claims[2], Status::Success)];
            let recorded = fixture.store.record(&outcomes).await.unwrap();
            assert_eq!(recorded, [Recorded::Stands, Recorded::Stands]);
        }
        let took = scheduler_core::clock::mono() - started;
        assert!(took < Duration::from_secs(10), "one wait of 1 s every 5 s at most: {took:?}");
        stranger.execute(sqlx::raw_sql("ROLLBACK")).await.unwrap();
    });
}

#[test]
fn a_locked_request_is_passed_over() {
    on_a_database(async |server, database| {
        let fixture = migrated(server, &database).await;
        let tasks = [fixture.add("a").await, fixture.add("b").await];
        let manual = fixture.request(tasks[0], at(5)).await;
        let lock = "START TRANSACTION; SELECT * FROM scheduler_request FOR UPDATE";
        let mut stranger = hostile(server, &database, lock).await;
        let claims = [manual, run_of(tasks[1], at(10))];
        let verdicts = fixture.store.claim("n1", &claims).await.unwrap();
        assert_eq!(verdicts[0], Verdict::Refused(Refusal::RequestGone));
        assert!(matches!(verdicts[1], Verdict::Won(Some(_))), "{verdicts:?}");
        stranger.execute(sqlx::raw_sql("ROLLBACK")).await.unwrap();
        let verdicts = fixture.store.claim("n1", &claims[..1]).await.unwrap();
        assert!(
            matches!(verdicts[0], Verdict::Won(Some(_))),
            "it waits in its table: {verdicts:?}"
        );
    });
}

#[test]
fn a_locked_execution_is_recorded_later_and_delays_no_other() {
    on_a_database(async |server, database| {
        let fixture = migrated(server, &database).await;
        let claims =
            [run_of(fixture.add("a").await, at(10)), run_of(fixture.add("b").await, at(10))];
        let ids = [fixture.won(&claims[0]).await, fixture.won(&claims[1]).await];
        let lock = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION; \
                    SELECT * FROM execute_task WHERE id = 1 FOR UPDATE";
        let mut stranger = hostile(server, &database, lock).await;
        assert_eq!(ids[0], 1);
        let outcomes = [
            outcome(ids[0], &claims[0], Status::Success),
            outcome(ids[1], &claims[1], Status::Success),
        ];
        let recorded = fixture.store.record(&outcomes).await.unwrap();
        assert_eq!(recorded, [Recorded::Locked, Recorded::Stands]);
        stranger.execute(sqlx::raw_sql("ROLLBACK")).await.unwrap();
        let recorded = fixture.store.record(&outcomes).await.unwrap();
        assert_eq!(recorded, [Recorded::Stands, Recorded::Stands]);
    });
}

#[test]
fn one_row_that_cannot_be_written_keeps_no_other_from_being_reaped() {
    on_a_database(async |server, database| {
        let fixture = migrated(server, &database).await;
        let tasks = [fixture.add("a").await, fixture.add("b").await];
        let claims = tasks.map(|task| run_of(task, at(10)));
        let ids = [fixture.won(&claims[0]).await, fixture.won(&claims[1]).await];
        let trigger = "CREATE TRIGGER refuse BEFORE UPDATE ON execute_task FOR EACH ROW \
                       IF NEW.task_id = 1 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'; END IF";
        let mut owner = hostile(server, &database, "DO 0").await;
        owner.execute(sqlx::raw_sql(trigger)).await.unwrap();
        assert_eq!(tasks[0], 1);
        let reaped = poll::until(PATIENCE, || {
            let store = std::sync::Arc::clone(&fixture.store);
            let reaped = tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(store.reap(
                    "n2",
                    Duration::from_millis(10),
                    AT_ANY_TIME,
                    &[],
                ))
            });
            Some(reaped.unwrap().lost).filter(|lost| !lost.is_empty())
        });
        assert_eq!(reaped.map(|lost| lost[0].execution_id), Some(ids[1]));
        assert_eq!(fixture.execution(ids[0]).await.status, "todo");
    });
}

#[test]
fn notes_beyond_the_tables_character_set_are_kept_in_ascii_and_harm_no_others() {
    on_a_database(async |server, database| {
        let fixture = migrated(server, &database).await;
        rows(
            server,
            &database,
            "ALTER TABLE execute_task MODIFY extra TEXT CHARACTER SET latin1 NOT NULL DEFAULT '{}'",
        );
        let mut notes = Vec::new();
        for (key, extra) in [("plain", r#"{"sent":1}"#), ("beyond", r#"{"已发":"💥"}"#)] {
            let task = fixture.add(key).await;
            let claim = run_of(task, at(10));
            let execution_id = fixture.won(&claim).await;
            let trace_id = claim.entries[0].trace_id.clone();
            notes.push(Noted { execution_id, trace_id, extra: extra.to_owned() });
        }
        fixture.store.note(&notes).await.unwrap();
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        for noted in notes {
            let row = fixture.execution(noted.execution_id).await;
            assert_eq!(value(&row.extra), value(&noted.extra));
        }
    });
}
