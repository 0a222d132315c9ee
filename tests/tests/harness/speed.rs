//! How fast time passes.

use std::time::Duration;

use scheduler_core::testing::{Harness, Row};

/// What this thread has had of a processor so far: other tests run beside this one, on the same cores.
fn processor_time() -> Duration {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("this is Linux");
    let nanos = schedstat.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.expect("the first field is nanoseconds"))
}

#[test]
fn a_month_of_five_minute_fires_takes_less_than_a_second() {
    let month = || {
        let mut scheduler = Harness::new("2026-01-01 00:00:00", "Europe/Berlin");
        scheduler.insert(Row::cron("often", "quick", "*/5 * * * *"));
        let before = processor_time();
        scheduler.advance(Duration::from_secs(30 * 86_400));
        let took = processor_time() - before;
        assert_eq!(scheduler.executions("often").len(), 30 * 288);
        took
    };
    // A processor that is shared is slow for some seconds now and then, by its caches alone: one that takes no more shows
    // what it takes.
    let mut least = Duration::MAX;
    for _ in 0..20 {
        least = least.min(month());
        if least < Duration::from_secs(1) {
            return println!("a month took {least:?} of a processor");
        }
    }
    panic!("a month took {least:?} of a processor");
}
