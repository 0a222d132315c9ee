//! The harness of job authors gives a job the same pools.

use scheduler_core::{
    config::Config,
    testing::{Harness, Row},
};
use tests::servers::Redis;

use crate::{no_redis, quick};

fn reason_of_a_visit(harness: Harness) -> String {
    let mut scheduler = harness;
    scheduler.insert(Row::cron("visit", "visits", "1 12 * * *"));
    scheduler.advance_to("2026-01-01 12:01:00");
    scheduler.run_until_idle();
    scheduler.executions("visit").remove(0).reason.unwrap_or_default()
}

#[test]
fn a_job_under_test_reaches_the_pools_that_the_test_gives_it() {
    let Some(server) = Redis::start().unwrap() else { return no_redis() };
    let mut config = Config::sqlite("unused");
    config.redis.insert("default".to_owned(), quick(&server.url()));
    let harness = || Harness::new("2026-01-01 12:00:00", "UTC");
    assert_eq!(reason_of_a_visit(harness().pools(&config).with_real_io()), "");
    assert_eq!(server.client(&["strlen", "visits"]).unwrap().trim(), "50000");
    let none = reason_of_a_visit(harness());
    assert_eq!(none, "redis.toml has no pool \"default\", and no other");
    server.kill().unwrap();
    let gone = reason_of_a_visit(harness().pools(&config).with_real_io());
    assert!(gone.starts_with("redis.toml [default]: no connection to redis://"), "{gone}");
}
