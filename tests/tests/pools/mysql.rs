//! Pools of MariaDB.

use std::time::Duration;

use scheduler_core::{
    App, Context, anyhow, clock,
    config::{Config, MysqlPool},
    job::ContextParts,
    run::open_and_migrate,
    sqlx,
    store::NewTask,
};
use tests::{
    poll,
    servers::{MariaDb, mariadb},
};
use tokio::task::JoinSet;

use crate::{PATIENCE, on_threads};

fn with_mysql(pool: MysqlPool) -> Context {
    let mut config = Config::sqlite("unused");
    config.mysql.insert("shop".to_owned(), pool);
    Context::new(ContextParts::default().with_pools(&config))
}

fn quick(url: &str) -> MysqlPool {
    MysqlPool { connect_timeout: Duration::from_secs(1), maxsize: 2, ..MysqlPool::at(url) }
}

/// A query has no deadline of its own; that of a job is its `timeout`.
async fn one(shop: &sqlx::MySqlPool) -> anyhow::Result<i64> {
    let one = sqlx::query_scalar("SELECT 1").fetch_one(shop);
    Ok(tokio::time::timeout(Duration::from_secs(2), one).await??)
}

fn connections(server: &MariaDb, database: &str) -> String {
    let asked = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = ";
    server.client("", &format!("{asked}'{database}'")).unwrap().trim().to_owned()
}

#[test]
fn jobs_share_one_pool_of_maxsize_connections_made_when_the_first_asks() {
    let Some(server) = mariadb() else { return };
    let database = server.create_database();
    on_threads(async {
        let context = with_mysql(quick(&server.url(&database)));
        assert_eq!(connections(server, &database), "0");
        let asking: JoinSet<i64> = (0..20)
            .map(|_| {
                let context = context.clone();
                async move {
                    let pool = context.mysql("shop").await.unwrap();
                    let asked =
                        sqlx::query_scalar("SELECT CAST(CONNECTION_ID() + SLEEP(0.02) AS SIGNED)");
                    asked.fetch_one(&pool).await.unwrap()
                }
            })
            .collect();
        let mut used = asking.join_all().await;
        used.sort_unstable();
        used.dedup();
        assert_eq!(used.len(), 2, "{used:?}");
        let pool = context.mysql("shop").await.unwrap();
        let set: String =
            sqlx::query_scalar("SELECT @@character_set_client").fetch_one(&pool).await.unwrap();
        assert_eq!(set, "utf8mb4");
        // The server's own mode, whatever the driver would like.
        let or: i64 = sqlx::query_scalar("SELECT '1' || '0'").fetch_one(&pool).await.unwrap();
        assert_eq!(or, 1);
    });
}

#[test]
fn a_transaction_that_an_ended_job_left_open_takes_nothing_of_the_next_one_along() {
    let Some(server) = mariadb() else { return };
    let database = server.create_database();
    server.client(&database, "CREATE TABLE t (n INT) ENGINE = InnoDB").unwrap();
    on_threads(async {
        let pool = MysqlPool { maxsize: 1, ..quick(&server.url(&database)) };
        let shop = with_mysql(pool).mysql("shop").await.unwrap();
        // As a job that is ended right after its BEGIN was sent.
        let mut left = shop.acquire().await.unwrap();
        sqlx::raw_sql("START TRANSACTION; INSERT INTO t VALUES (1)")
            .execute(&mut *left)
            .await
            .unwrap();
        drop(left);
        sqlx::query("INSERT INTO t VALUES (2)").execute(&shop).await.unwrap();
        assert_eq!(server.client(&database, "SELECT n FROM t").unwrap(), "2\n");
    });
}

#[test]
fn a_pool_that_a_job_has_closed_is_made_anew_for_the_next() {
    let Some(server) = mariadb() else { return };
    let database = server.create_database();
    on_threads(async {
        let context = with_mysql(quick(&server.url(&database)));
        context.mysql("shop").await.unwrap().close().await;
        assert_eq!(one(&context.mysql("shop").await.unwrap()).await.unwrap(), 1);
    });
}

#[test]
fn a_server_that_goes_away_is_an_error_of_the_job_that_asks_and_is_there_again_for_the_next() {
    let (Some(_), Some(server)) = (mariadb(), MariaDb::start().unwrap()) else { return };
    let database = server.create_database();
    on_threads(async {
        let context = with_mysql(quick(&server.url(&database)));
        let shop = context.mysql("shop").await.unwrap();
        assert_eq!(one(&shop).await.unwrap(), 1);
        let began = clock::mono();
        // The signal takes a moment.
        server.freeze().unwrap();
        while one(&shop).await.is_ok() {}
        server.kill().unwrap();
        one(&shop).await.unwrap_err();
        let error = context.mysql("shop").await.unwrap_err();
        let took = clock::mono() - began;
        assert!(took < Duration::from_secs(6), "{took:?}");
        let said = format!("{:#}", anyhow::Error::from(error));
        assert!(said.starts_with("mysql.toml [shop]: no connection to mysql://root@"), "{said}");
        server.start_again().unwrap();
        assert_eq!(one(&context.mysql("shop").await.unwrap()).await.unwrap(), 1);
    });
}

/// Starts a scheduler, waits until these jobs hold a connection each, and stops it: how many are left.
async fn left_after_a_stop(server: &MariaDb, jobs: &[&str]) -> String {
    let database = server.create_database();
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::sqlite(folder.path().join("scheduler.db"));
    config.common.shutdown_timeout = Duration::from_millis(100);
    config.mysql.insert("shop".to_owned(), quick(&server.url(&database)));
    let store = open_and_migrate(&config).await.unwrap();
    for job in jobs {
        store.add(&NewTask::new(job, job, "interval", "1")).await.unwrap();
    }
    store.close().await;
    let running = App::new().start(&config).await.unwrap();
    let all = jobs.len().to_string();
    let held = || (connections(server, &database) == all).then_some(());
    assert!(poll::until(PATIENCE, held).is_some(), "{}", connections(server, &database));
    let began = clock::mono();
    running.stop().await.unwrap();
    let took = clock::mono() - began;
    assert!(took < Duration::from_millis(1_500), "{took:?}");
    connections(server, &database)
}

#[test]
fn a_stop_closes_connections_and_waits_for_none_that_a_job_holds() {
    let Some(server) = mariadb() else { return };
    on_threads(async {
        assert_eq!(left_after_a_stop(server, &["waits"]).await, "0");
        // A thread that blocks is left behind, and the pool with it.
        assert_eq!(left_after_a_stop(server, &["waits", "clings"]).await, "2");
    });
}

#[test]
fn a_refused_password_or_certificate_is_said_and_not_shown() {
    let Some(server) = mariadb() else { return };
    let database = server.create_database();
    server.client("", "CREATE USER shop@127.0.0.1 IDENTIFIED BY 'right'").unwrap();
    let grant = format!("GRANT ALL ON {database}.* TO shop@127.0.0.1");
    server.client("", &grant).unwrap();
    on_threads(async {
        let url = |password: &str, end: &str| {
            format!("mysql://shop:{password}@127.0.0.1:{}/{database}{end}", server.port())
        };
        let said = async |url: String| {
            let error = with_mysql(quick(&url)).mysql("shop").await.unwrap_err();
            format!("{:#}", anyhow::Error::from(error))
        };
        let wrong = said(url("hunter2", "")).await;
        assert!(wrong.contains("Access denied") && !wrong.contains("hunter2"), "{wrong}");
        let checked = said(url("right", "?ssl-mode=VERIFY_IDENTITY")).await;
        assert!(checked.contains("TLS") || checked.contains("certificate"), "{checked}");
        with_mysql(quick(&url("right", ""))).mysql("shop").await.unwrap();
    });
}
