//! One server: what a job's connection outlives, and what it does not.

use std::time::Duration;

use scheduler_core::{
    clock,
    redis::{AsyncCommands as _, RedisResult, cmd, pipe},
};
use tests::servers::Redis;
use tokio::task::JoinSet;

use crate::{no_redis, on_threads, quick, with_redis};

#[test]
fn jobs_share_one_connection_made_when_the_first_asks() {
    let Some(server) = Redis::start().unwrap() else { return no_redis() };
    let clients = || server.client(&["client", "list", "type", "normal"]).unwrap();
    on_threads(async {
        let context = with_redis(quick(&server.url()));
        // One is the client that asks.
        assert_eq!(clients().lines().count(), 1, "nothing is connected before somebody asks");
        let asking: JoinSet<u64> = (0..20)
            .map(|_| {
                let context = context.clone();
                async move { context.redis("a").await.unwrap().incr("n", 1).await.unwrap() }
            })
            .collect();
        let mut numbers = asking.join_all().await;
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=20).collect::<Vec<u64>>());
        assert_eq!(clients().lines().count(), 2, "{}", clients());
        let mut connection = context.redis("a").await.unwrap();
        let both: (u64, String) =
            pipe().atomic().incr("n", 1).ping().query_async(&mut connection).await.unwrap();
        assert_eq!(both, (21, "PONG".to_owned()));
    });
}

#[test]
fn a_server_that_was_away_is_there_for_the_next_who_asks() {
    let Some(server) = Redis::start().unwrap() else { return no_redis() };
    on_threads(async {
        let context = with_redis(quick(&server.url()));
        let mut held = context.redis("a").await.unwrap();
        server.kill().unwrap();
        let lost: RedisResult<()> = held.set("k", 1).await;
        assert!(lost.is_err());
        let error = context.redis("a").await.unwrap_err();
        assert!(error.to_string().starts_with("redis.toml [a]: no connection to redis://127."));
        server.start_again().unwrap();
        context.redis("a").await.unwrap();
        let () = held.set("k", 1).await.unwrap();
        // Closed by the server while nobody used it.
        server.client(&["client", "kill", "type", "normal"]).unwrap();
        let () = context.redis("a").await.unwrap().set("k", 2).await.unwrap();
        assert_eq!(held.get::<_, u8>("k").await.unwrap(), 2);
    });
}

#[test]
fn a_frozen_server_costs_a_job_its_deadlines_and_no_more() {
    let Some(server) = Redis::start().unwrap() else { return no_redis() };
    on_threads(async {
        let context = with_redis(quick(&server.url()));
        let mut held = context.redis("a").await.unwrap();
        server.freeze().unwrap();
        let began = clock::mono();
        let (command, asked) = tokio::join!(held.set::<_, _, ()>("k", 1), context.redis("a"));
        let error = command.unwrap_err();
        assert!(error.is_timeout(), "{error}");
        assert!(asked.unwrap_err().to_string().ends_with("within 1s"));
        // What comes now finds no connection, and cannot make one.
        let error = held.get::<_, u8>("k").await.unwrap_err();
        assert!(error.is_io_error(), "{error}");
        let took = clock::mono() - began;
        assert!(took < Duration::from_secs(4), "{took:?}");
        server.thaw().unwrap();
        let mut connection = context.redis("a").await.unwrap();
        let () = connection.set("k", 3).await.unwrap();
    });
}

#[test]
fn what_waits_in_the_server_has_a_connection_of_its_own_and_no_deadline() {
    let Some(server) = Redis::start().unwrap() else { return no_redis() };
    on_threads(async {
        let mut pool = quick(&server.url());
        pool.maxsize = 1;
        let context = with_redis(pool);
        let mut shared = context.redis("a").await.unwrap();
        let mut own = context.redis_own("a").await.unwrap();
        let waiting = tokio::spawn(async move {
            let popped: Option<(String, String)> =
                cmd("BLPOP").arg("list").arg(0).query_async(&mut own).await.unwrap();
            (popped, own)
        });
        let began = clock::mono();
        // Longer than an answer may take on the shared one, while all places are taken.
        let late = context.redis_own("a").await.unwrap_err().to_string();
        let again = context.redis_own("a").await.unwrap_err().to_string();
        assert!(clock::mono() - began >= Duration::from_secs(2));
        assert_eq!(late, "redis.toml [a]: none of 1 connections became free within 1s");
        assert_eq!(again, late);
        let () = shared.lpush("list", "x").await.unwrap();
        let (popped, own) = waiting.await.unwrap();
        assert_eq!(popped, Some(("list".to_owned(), "x".to_owned())));
        drop(own);
        context.redis_own("a").await.unwrap();
    });
}

#[test]
fn a_password_that_is_wrong_is_said_and_not_shown() {
    let Some(server) = Redis::start_with(&["--requirepass", "right"]).unwrap() else {
        return no_redis();
    };
    on_threads(async {
        let url = |password| format!("redis://:{password}@127.0.0.1:{}", server.port());
        let error = with_redis(quick(&url("hunter2"))).redis("a").await.unwrap_err();
        let said = format!("{:#}", scheduler_core::anyhow::Error::from(error));
        assert!(said.contains("authentication failed") && !said.contains("hunter2"), "{said}");
        let () = with_redis(quick(&url("right"))).redis("a").await.unwrap().del("k").await.unwrap();
    });
}
