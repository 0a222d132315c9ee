//! How fast time passes.

use std::time::Duration;

use scheduler_core::{
    clock,
    testing::{Harness, Row},
};

#[test]
fn a_month_of_five_minute_fires_takes_less_than_a_second() {
    let mut scheduler = Harness::new("2026-01-01 00:00:00", "Europe/Berlin");
    scheduler.insert(Row::cron("often", "quick", "*/5 * * * *"));
    let before = clock::mono();
    scheduler.advance(Duration::from_secs(30 * 86_400));
    let took = clock::mono() - before;
    assert_eq!(scheduler.executions("often").len(), 30 * 288);
    // Other tests run beside this one on the same cores.
    assert!(took < Duration::from_secs(3), "{took:?}");
    println!("a month took {took:?}");
}
