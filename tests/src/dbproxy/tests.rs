//! Each action, as a plain client sees it.

use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, Row as _,
    mysql::MySqlDatabaseError,
};
use tokio::time::timeout;

use super::*;
use crate::servers::{MariaDb, mariadb};

const PATIENCE: Duration = Duration::from_secs(10);

/// Long enough for an answer that comes, short enough to wait for one that does not.
const SILENCE: Duration = Duration::from_millis(300);

/// Runs `test` on a database of its own with an empty table `t`, where a server is installed.
fn through_a_proxy<F: Future<Output = ()>>(
    test: impl FnOnce(DbProxy, &'static MariaDb, String) -> F,
) {
    let Some(server) = mariadb() else { return };
    let database = server.create_database();
    server.client(&database, "CREATE TABLE t (n INT)").unwrap();
    let proxy = DbProxy::start(server.port()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(test(proxy, server, database));
}

async fn client(proxy: &DbProxy, database: &str) -> MySqlConnection {
    MySqlConnection::connect(&proxy.url(database)).await.unwrap()
}

/// Inserts `number` with a prepared statement.
async fn insert(client: &mut MySqlConnection, number: i32) -> Result<(), sqlx::Error> {
    let query = sqlx::query("INSERT INTO t VALUES (?)").bind(number);
    query.execute(client).await.map(drop)
}

/// What `t` holds, asked past the proxy.
fn numbers(server: &MariaDb, database: &str) -> Vec<i32> {
    let printed = server.client(database, "SELECT n FROM t ORDER BY n").unwrap();
    printed.lines().map(|line| line.parse().unwrap()).collect()
}

#[test]
fn a_timed_statement_takes_from_its_coming_to_the_answer_of_the_server() {
    through_a_proxy(async |proxy, _, database| {
        let mut client = client(&proxy, &database).await;
        client.execute("SELECT SLEEP(0.1)").await.unwrap();
        proxy.time("SLEEP");
        client.execute("SELECT SLEEP(0.2)").await.unwrap();
        client.execute("SELECT 1").await.unwrap();
        let took: Vec<i64> =
            proxy.times().iter().map(|time| time.until_ms - time.from_ms).collect();
        assert!(matches!(took[..], [took] if took >= 200), "{took:?}");
    });
}

#[test]
fn without_a_rule_everything_passes_and_is_remembered() {
    through_a_proxy(async |proxy, server, database| {
        let mut client = client(&proxy, &database).await;
        insert(&mut client, 1).await.unwrap();
        insert(&mut client, 2).await.unwrap();
        let long = format!("SELECT REPEAT('x', 100000), '{}'", "y".repeat(100_000));
        let row = client.fetch_one(sqlx::raw_sql(AssertSqlSafe(long))).await.unwrap();
        assert_eq!(row.get::<String, _>(0).len() + row.get::<String, _>(1).len(), 200_000);
        assert_eq!(numbers(server, &database), [1, 2]);
        let inserts = proxy.statements().iter().filter(|sql| sql.contains("INTO t")).count();
        assert_eq!((inserts, proxy.connections()), (2, 1));
    });
}

#[test]
fn what_is_dropped_before_is_not_executed_and_what_is_dropped_after_is() {
    through_a_proxy(async |proxy, server, database| {
        for (which, action) in [(1, Action::DropBefore), (2, Action::DropAfter), (3, Action::Reset)]
        {
            let fault = proxy.on("INTO t", Which::Nth(1), action);
            let mut client = client(&proxy, &database).await;
            let error = insert(&mut client, which).await.unwrap_err();
            let sqlx::Error::Io(error) = error else { panic!("{action:?}: {error}") };
            let is_reset = error.kind() == io::ErrorKind::ConnectionReset;
            assert_eq!(is_reset, matches!(action, Action::Reset), "{error}");
            assert_eq!(fault.times(), 1);
            insert(&mut client, 9).await.unwrap_err();
        }
        assert_eq!(numbers(server, &database), [2]);
    });
}

#[test]
fn only_the_run_that_is_meant_is_answered_with_the_error() {
    through_a_proxy(async |proxy, server, database| {
        let error = Action::ReplyError(1213, "40001", "Deadlock found");
        let fault = proxy.on("INTO t", Which::Nth(2), error);
        let mut client = client(&proxy, &database).await;
        insert(&mut client, 1).await.unwrap();
        let error = insert(&mut client, 2).await.unwrap_err();
        let error = error.into_database_error().unwrap();
        assert_eq!(error.downcast_ref::<MySqlDatabaseError>().number(), 1213);
        assert_eq!((error.code().as_deref(), error.message()), (Some("40001"), "Deadlock found"));
        insert(&mut client, 3).await.unwrap();
        assert_eq!(numbers(server, &database), [1, 3]);
        assert_eq!(fault.times(), 1);
        let every =
            proxy.on("INTO t", Which::Every, Action::ReplyError(1290, "HY000", "read-only"));
        insert(&mut client, 4).await.unwrap_err();
        insert(&mut client, 5).await.unwrap_err();
        every.lift();
        insert(&mut client, 6).await.unwrap();
        assert_eq!(every.times(), 2);
    });
}

#[test]
fn a_delay_is_before_the_server_and_a_delayed_reply_after_it() {
    through_a_proxy(async |proxy, server, database| {
        let _late = proxy.on("INTO t", Which::Nth(1), Action::Delay(2 * SILENCE));
        let mut first = client(&proxy, &database).await;
        timeout(SILENCE, insert(&mut first, 1)).await.unwrap_err();
        assert_eq!(numbers(server, &database), [0; 0]);
        drop(first);
        let arrives = || (numbers(server, &database) == [1]).then_some(());
        assert!(crate::poll::until(PATIENCE, arrives).is_some(), "it comes though nobody waits");
        let _told_late = proxy.on("INTO t", Which::Nth(1), Action::DelayReply(2 * SILENCE));
        let mut second = client(&proxy, &database).await;
        timeout(SILENCE, insert(&mut second, 2)).await.unwrap_err();
        assert_eq!(numbers(server, &database), [1, 2]);
    });
}

#[test]
fn a_black_hole_swallows_one_connection_only() {
    through_a_proxy(async |proxy, server, database| {
        let fault = proxy.on("INTO t", Which::Nth(1), Action::BlackHole);
        let mut swallowed = client(&proxy, &database).await;
        timeout(SILENCE, insert(&mut swallowed, 1)).await.unwrap_err();
        let mut other = client(&proxy, &database).await;
        insert(&mut other, 2).await.unwrap();
        assert_eq!(numbers(server, &database), [2]);
        assert!(fault.has_fired(1, Duration::ZERO) && !fault.has_fired(2, SILENCE));
    });
}

#[test]
fn what_is_held_is_never_executed_and_ends_with_its_client() {
    through_a_proxy(async |proxy, server, database| {
        let _held = proxy.on("INTO t", Which::Nth(2), Action::Hold);
        let mut client = client(&proxy, &database).await;
        client.execute(sqlx::raw_sql("START TRANSACTION")).await.unwrap();
        insert(&mut client, 1).await.unwrap();
        timeout(SILENCE, insert(&mut client, 2)).await.unwrap_err();
        drop(client);
        let here = format!("SELECT id FROM information_schema.processlist WHERE db = '{database}'");
        let gone = || server.client("", &here).unwrap().is_empty().then_some(());
        assert!(crate::poll::until(PATIENCE, gone).is_some());
        assert!(numbers(server, &database).is_empty(), "the server rolled back");
    });
}

#[test]
fn what_was_under_way_when_the_way_was_cut_passes_when_it_is_open_again() {
    through_a_proxy(async |proxy, server, database| {
        let mut client = client(&proxy, &database).await;
        insert(&mut client, 1).await.unwrap();
        proxy.cut_off();
        timeout(SILENCE, insert(&mut client, 2)).await.unwrap_err();
        timeout(SILENCE, MySqlConnection::connect(&proxy.url(&database))).await.unwrap_err();
        assert_eq!(numbers(server, &database), [1]);
        proxy.restore();
        let arrives = || (numbers(server, &database) == [1, 2]).then_some(());
        assert!(crate::poll::until(PATIENCE, arrives).is_some());
    });
}

#[test]
fn a_proxy_that_refuses_has_no_connection_and_gets_none_until_it_is_restored() {
    through_a_proxy(async |proxy, server, database| {
        let mut first = client(&proxy, &database).await;
        proxy.refuse();
        insert(&mut first, 1).await.unwrap_err();
        let refused = MySqlConnection::connect(&proxy.url(&database)).await.unwrap_err();
        let sqlx::Error::Io(error) = refused else { panic!("{refused}") };
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        proxy.restore();
        insert(&mut client(&proxy, &database).await, 2).await.unwrap();
        assert_eq!(numbers(server, &database), [2]);
    });
}

#[test]
fn a_commit_is_known_by_what_it_commits() {
    through_a_proxy(async |proxy, server, database| {
        let fault = proxy.on_commit_of("INTO t", Which::Nth(1), Action::DropAfter);
        let mut client = client(&proxy, &database).await;
        for sql in ["START TRANSACTION", "SELECT 1", "COMMIT", "INSERT INTO t VALUES (7)"] {
            client.execute(sqlx::raw_sql(sql)).await.unwrap();
        }
        for sql in ["START TRANSACTION", "INSERT INTO t VALUES (8)", "ROLLBACK"] {
            client.execute(sqlx::raw_sql(sql)).await.unwrap();
        }
        client.execute(sqlx::raw_sql("START TRANSACTION")).await.unwrap();
        assert_eq!(fault.times(), 0);
        insert(&mut client, 9).await.unwrap();
        client.execute(sqlx::raw_sql("COMMIT")).await.unwrap_err();
        assert_eq!((fault.times(), numbers(server, &database)), (1, vec![7, 9]));
    });
}

#[test]
fn a_ping_within_a_transaction_is_seen() {
    through_a_proxy(async |proxy, _, database| {
        let mut client = client(&proxy, &database).await;
        client.ping().await.unwrap();
        assert_eq!(proxy.pongs_in_transaction(), 0);
        client.execute(sqlx::raw_sql("START TRANSACTION")).await.unwrap();
        client.ping().await.unwrap();
        assert_eq!(proxy.pongs_in_transaction(), 1);
    });
}

#[test]
fn everything_ends_with_the_proxy() {
    through_a_proxy(async |proxy, server, database| {
        let _hole = proxy.on("INTO t", Which::Nth(1), Action::BlackHole);
        let mut swallowed = client(&proxy, &database).await;
        let mut other = client(&proxy, &database).await;
        timeout(SILENCE, insert(&mut swallowed, 1)).await.unwrap_err();
        drop(proxy);
        insert(&mut other, 2).await.unwrap_err();
        let here = format!("SELECT id FROM information_schema.processlist WHERE db = '{database}'");
        let gone = || server.client("", &here).unwrap().is_empty().then_some(());
        assert!(crate::poll::until(PATIENCE, gone).is_some());
    });
}
