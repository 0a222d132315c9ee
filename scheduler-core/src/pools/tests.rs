use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::task::JoinSet;

use super::*;
use crate::config::{Config, MysqlPool, RedisPool};

const QUICK: Duration = Duration::from_millis(200);

/// The pool `a` of both files at `port`, and its sister `b`, asked on the runtime of the test.
fn asked(port: u16) -> Asked {
    let mut config = Config::sqlite("unused");
    for alias in ["a", "b"] {
        let redis = RedisPool::at(format!("redis://me:hunter2@127.0.0.1:{port}/3"));
        let redis = RedisPool { connect_timeout: QUICK, maxsize: 1, ..redis };
        config.redis.insert(alias.to_owned(), redis);
        let mysql = MysqlPool::at(format!("mysql://me:hunter2@127.0.0.1:{port}/shop"));
        config.mysql.insert(alias.to_owned(), MysqlPool { connect_timeout: QUICK, ..mysql });
    }
    Asked(Pools::new(&config))
}

#[derive(Clone, Debug)]
struct Asked(Pools);

impl Asked {
    async fn mysql(&self, alias: &str) -> Result<MySqlPool, PoolError> {
        self.0.mysql(alias, &Handle::current()).await
    }

    async fn redis(&self, alias: &str) -> Result<RedisConnection, PoolError> {
        self.0.redis(alias, &Handle::current()).await
    }

    async fn redis_own(&self, alias: &str) -> Result<OwnRedisConnection, PoolError> {
        self.0.redis_own(alias, &Handle::current()).await
    }
}

/// What a job that passes the error on is recorded with.
fn said<T: std::fmt::Debug>(result: Result<T, PoolError>) -> String {
    format!("{:#}", anyhow::Error::from(result.expect_err("there is no server")))
}

/// A port on which nobody listens.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A server that takes connections, never says a word, and counts them.
async fn silent_server() -> (u16, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, count) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        let mut connections = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            connections.push(connection);
        }
    });
    (port, count)
}

#[tokio::test]
async fn a_pool_that_nobody_wrote_down_is_an_error_that_names_those_there_are() {
    let pools = asked(1);
    let two = "expected one of \"a\", \"b\"";
    assert_eq!(said(pools.mysql("c").await), format!("mysql.toml has no pool \"c\", {two}"));
    assert_eq!(said(pools.redis("c").await), format!("redis.toml has no pool \"c\", {two}"));
    assert_eq!(said(pools.redis_own("").await), format!("redis.toml has no pool \"\", {two}"));
    let none = Asked(Pools::default());
    assert_eq!(said(none.redis("c").await), "redis.toml has no pool \"c\", and no other");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_that_names_it_and_no_secret() {
    let port = closed_port();
    let pools = asked(port);
    let refused = "Connection refused (os error 111)";
    let mysql = said(pools.mysql("a").await);
    let server = format!("mysql://me@127.0.0.1:{port}/shop");
    assert!(mysql.starts_with(&format!("mysql.toml [a]: no connection to {server}: ")), "{mysql}");
    let redis = said(pools.redis("a").await);
    let server = format!("redis://127.0.0.1:{port}/3");
    assert!(redis.starts_with(&format!("redis.toml [a]: no connection to {server}: ")), "{redis}");
    for said in [mysql, redis, said(pools.redis_own("a").await)] {
        assert!(said.contains(refused) && !said.contains("hunter2"), "{said}");
    }
    assert!(!format!("{pools:?}").contains("hunter2"));
}

#[tokio::test]
async fn all_who_ask_at_once_wait_for_one_attempt_and_the_next_makes_another() {
    let (port, connections) = silent_server().await;
    let pools = asked(port);
    for attempts in 1..=2 {
        let asking: JoinSet<String> = (0..20)
            .map(|_| {
                let pools = pools.clone();
                async move { said(pools.redis("a").await) }
            })
            .collect();
        let expected =
            format!("redis.toml [a]: no answer from redis://127.0.0.1:{port}/3 within 200ms");
        assert_eq!(asking.join_all().await, vec![expected; 20]);
        assert_eq!(connections.load(Ordering::Relaxed), attempts);
    }
    let mysql = said(pools.mysql("a").await);
    let server = format!("mysql://me@127.0.0.1:{port}/shop");
    assert_eq!(mysql, format!("mysql.toml [a]: no answer from {server} within 200ms"));
}

#[tokio::test]
async fn an_attempt_goes_on_for_the_others_when_the_job_that_began_it_is_ended() {
    let (port, connections) = silent_server().await;
    let pools = asked(port);
    let first = pools.clone();
    let first = tokio::spawn(async move { drop(first.redis("a").await) });
    while connections.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert!(said(pools.redis("a").await).contains("no answer"));
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[test]
fn a_runtime_that_is_gone_takes_its_attempt_along_and_the_next_one_tries_anew() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().unwrap()
    };
    let (servers, here) = (runtime(), runtime());
    let (port, connections) = servers.block_on(silent_server());
    let pools = Pools::new(&{
        let mut config = Config::sqlite("unused");
        config.redis.insert("a".to_owned(), RedisPool::at(format!("redis://127.0.0.1:{port}")));
        config
    });
    let jobs = runtime();
    let (asking, handle) = (pools.clone(), jobs.handle().clone());
    let asking = here.spawn(async move { asking.redis("a", &handle).await.map(drop) });
    while connections.load(Ordering::Relaxed) == 0 {
        std::thread::yield_now();
    }
    jobs.shutdown_background();
    let given_up = here.block_on(asking).unwrap().unwrap_err();
    assert!(matches!(given_up, PoolError::GivenUp), "{given_up}");
    let other = runtime();
    here.block_on(async {
        let asking = tokio::time::timeout(QUICK, pools.redis("a", other.handle())).await;
        assert!(asking.is_err(), "it waits for an answer");
    });
    assert_eq!(connections.load(Ordering::Relaxed), 2);
}
