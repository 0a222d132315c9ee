//! A server that does not answer, or answers late.

use std::time::Duration;

use scheduler_core::{
    clock,
    plan::{execution::Status, task::TaskId},
    store::conformance::{Fixture, at, outcome, run_of},
};
use tests::{
    dbproxy::{Action, DbProxy, Which},
    poll,
    servers::{MariaDb, mariadb},
    torment::witness::Line,
};

use crate::trial::{PATIENCE, QUICK, Row, SETTINGS, Trial, now_ms};

/// Two stores on a database with one task.
struct Stores {
    server: &'static MariaDb,
    database: String,
    proxy: DbProxy,
    /// Behind the proxy; its calls end at a deadline.
    behind: Fixture,
    beside: Fixture,
    task: TaskId,
}

/// Runs `test` where a server is installed; the calls behind the proxy end at `deadline`.
fn with_two_stores<F: Future<Output = ()>>(deadline: Duration, test: impl FnOnce(Stores) -> F) {
    let Some(server) = mariadb() else { return };
    let database = server.create_database();
    let proxy = DbProxy::start(server.port()).unwrap();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap().block_on(async {
        let beside = Fixture::mysql(&server.url(&database)).await.migrated().await;
        let task = beside.add("a").await;
        let behind = Fixture::mysql_within(&proxy.url(&database), deadline).await;
        test(Stores { server, database, proxy, behind, beside, task }).await;
    });
}

#[test]
fn f22_every_call_ends_at_its_deadline_while_nothing_passes() {
    const DEADLINE: Duration = Duration::from_millis(500);
    with_two_stores(DEADLINE, async |Stores { proxy, behind, beside, task, .. }| {
        let (store, claim) = (&behind.store, run_of(task, at(10)));
        let id = beside.won(&claim).await;
        let (claims, outcomes) = ([run_of(task, at(20))], [outcome(id, &claim, Status::Success)]);
        let claimed_tasks = [task];
        proxy.cut_off();
        for _ in 0..2 {
            let started = clock::mono();
            let (claimed, recorded, renewed, read, reaped) = tokio::join!(
                store.claim("n1", &claims),
                store.record(&outcomes),
                store.renew("n1"),
                store.read(),
                store.reap(
                    "n1",
                    PATIENCE,
                    chrono::DateTime::<chrono::Utc>::MAX_UTC,
                    &claimed_tasks
                ),
            );
            let took = clock::mono() - started;
            let failed = [
                claimed.is_err(),
                recorded.is_err(),
                renewed.is_err(),
                read.is_err(),
                reaped.is_err(),
            ];
            assert_eq!(failed, [true; 5]);
            assert!(took >= DEADLINE && took < 3 * DEADLINE, "{took:?}");
        }
        proxy.restore();
        assert!(behind.record(&outcomes[0]).await);
        assert_eq!(proxy.pongs_in_transaction(), 0);
    });
}

/// One quick task, and one whose run outlasts what befalls the database.
const LONG: &[Row] = &[(1, 10), (5, 3_500)];

#[test]
fn f22_and_f24_what_runs_while_the_database_is_silent_goes_on_and_is_recorded_afterwards() {
    let Some(server) = mariadb() else { return };
    let trial = Trial::begin(server, SETTINGS, LONG);
    // Every task has begun, the long one last.
    let has_ended =
        |lines: &[Line]| lines.iter().any(|line| line.task_key == "task 2" && line.is_end);
    trial.proxy.cut_off();
    assert!(!has_ended(&trial.lines()), "the long job runs");
    let cut_at = now_ms();
    // Long after the calls that were under way have come to their deadline.
    trial.await_lines("the long job ends", has_ended);
    // A claim that was under way may still have been answered.
    let begun = |line: &&Line| !line.is_end && line.at_ms > cut_at + 500;
    assert_eq!(trial.lines().iter().filter(begun).count(), 0, "nothing begins");
    trial.proxy.restore();
    let (restored_at, restored) = (now_ms(), clock::mono());
    trial.await_lines("a fire runs", |lines| {
        lines.iter().any(|line| !line.is_end && line.at_ms > restored_at)
    });
    let took = clock::mono() - restored;
    // sync_interval and database_timeout are a second each, and a claim that failed alone is put off by five.
    assert!(took < Duration::from_secs(7), "{took:?}");
    trial.await_a_new_fire();
    trial.end().assert_right();
}

#[test]
fn f24_a_connection_swallowed_in_the_middle_of_a_claim_holds_its_tasks_for_seconds_only() {
    let Some(server) = mariadb() else { return };
    let trial = Trial::begin(server, SETTINGS, QUICK);
    let hole = trial.proxy.on("INSERT IGNORE INTO execute_task", Which::Nth(1), Action::BlackHole);
    assert!(hole.has_fired(1, PATIENCE));
    let from = now_ms();
    let all_again = |lines: &[Line]| {
        let again = |key: &str| {
            lines.iter().any(|line| line.task_key == key && line.scheduled_ms > from + 1_000)
        };
        again("task 1") && again("task 2") && again("task 3")
    };
    trial.await_lines("all run again", all_again);
    assert_eq!(trial.transactions_older_than(12), "");
    trial.end().assert_right();
}

#[test]
fn f23_calls_given_up_at_their_deadline_poison_no_connection() {
    const DEADLINE: Duration = Duration::from_millis(100);
    with_two_stores(DEADLINE, async |stores| {
        let Stores { server, database, proxy, behind, beside, task } = stores;
        let texts = [
            "START TRANSACTION",
            "FOR UPDATE SKIP LOCKED",
            "INSERT IGNORE INTO execute_task",
            "COMMIT",
        ];
        let mut fired = 0;
        for (round, text) in (1..=40).zip(texts.iter().cycle()) {
            let fault = proxy.on(text, Which::Nth(1), Action::DelayReply(3 * DEADLINE));
            let claims = [run_of(task, at(round * 10))];
            // What was given up before may still hold the task; and a new connection may take all the time.
            let answer = behind.store.claim("n1", &claims).await;
            assert!(fault.times() == 0 || answer.is_err(), "{text}: {answer:?}");
            fired += fault.times();
            fault.lift();
        }
        assert!(fired >= 30, "{fired}");
        let open = format!(
            "SELECT x.trx_id FROM information_schema.innodb_trx x JOIN information_schema.processlist p \
             ON p.id = x.trx_mysql_thread_id WHERE p.db = '{database}'"
        );
        let none_open = poll::until(PATIENCE, || {
            // The answer is made anew only when nobody has asked for a while.
            poll::until(Duration::from_millis(150), || None::<()>);
            server.client("", &open).unwrap().is_empty().then_some(())
        });
        assert!(none_open.is_some());
        assert_eq!(proxy.pongs_in_transaction(), 0);
        for secs in 41..=50 {
            let claim = run_of(task, at(secs * 10));
            let id = beside.won(&claim).await;
            assert!(beside.record(&outcome(id, &claim, Status::Success)).await);
        }
    });
}

/// A fifth of the default times, and of the 2 s that each statement takes.
const FIFTH: &str = "lease = \"6s\"\nsync_interval = \"2s\"\ndatabase_timeout = \"1s\"\n";

#[test]
fn f25_a_database_that_takes_2_s_for_each_statement_costs_no_lease_and_no_fire() {
    let Some(server) = mariadb() else { return };
    let trial = Trial::begin(server, FIFTH, QUICK);
    let mild = trial.proxy.on("", Which::Every, Action::Delay(Duration::from_millis(50)));
    trial.await_a_new_fire();
    mild.lift();
    let slow = trial.proxy.on("", Which::Every, Action::Delay(Duration::from_millis(400)));
    let mut longest_silence = 0_i64;
    poll::until(Duration::from_secs(10), || {
        let silence = trial.sql(
            "SELECT MIN(UNIX_TIMESTAMP(NOW(3)) * 1000 - heartbeat_at) DIV 1 FROM scheduler_node",
        );
        longest_silence = longest_silence.max(silence.trim().parse().unwrap());
        None::<()>
    });
    assert!(slow.times() > 20, "{}", slow.times());
    slow.lift();
    assert!(longest_silence < 5_000, "no renewal for {longest_silence} ms of a lease of 6 s");
    trial.await_a_new_fire();
    trial.end().assert_right();
}
