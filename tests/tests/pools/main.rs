//! The servers of `mysql.toml` and `redis.toml`: what jobs get of them, and the word of edits that Redis carries. Against
//! real servers, which are killed, frozen, filled and emptied.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

mod harness;
mod jobs;
mod mysql;
mod places;
mod redis;
mod trouble;
mod wake;

use std::time::Duration;

use scheduler_core::{
    Context,
    config::{Config, RedisPool},
    job::ContextParts,
    run::job_runtime,
};

/// How long anything may take that must happen: a busy machine is no failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// Says that the test is skipped, or fails it if it may not be.
fn no_redis() {
    let _ = tests::servers::redis();
}

/// A job's context with the pool `a` of `redis.toml`.
fn with_redis(pool: RedisPool) -> Context {
    let mut config = Config::sqlite("unused");
    config.redis.insert("a".to_owned(), pool);
    Context::new(ContextParts::default().with_pools(&config))
}

/// The pool at `url`, with short deadlines.
fn quick(url: &str) -> RedisPool {
    let connect_timeout = Duration::from_secs(1);
    RedisPool { connect_timeout, response_timeout: connect_timeout, ..RedisPool::at(url) }
}

/// Runs `test` on several threads, as jobs do.
fn on_threads(test: impl Future<Output = ()>) {
    job_runtime(2).unwrap().block_on(test);
}
