//! How fast time passes.

use std::{collections::HashMap, time::Duration};

use scheduler_core::testing::{Harness, Row};

/// What this thread has had of a processor so far: other tests run beside this one, on the same cores.
fn processor_time() -> Duration {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("this is Linux");
    let nanos = schedstat.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.expect("the first field is nanoseconds"))
}

/// Work that is like that of a scheduler: texts, hashes, room for them.
fn yardstick() -> Duration {
    let before = processor_time();
    let texts: HashMap<String, u64> = (0..100_000).map(|n| (format!("text {n}"), n)).collect();
    assert_eq!(texts.len(), 100_000);
    processor_time() - before
}

/// What is a second in yardsticks: on a machine where a month takes 0.82 s it is 13 of them, least of twenty.
const A_SECOND: f64 = 16.0;

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
    // A processor that is shared is slow now and then, by its caches alone, and some are slow: a yardstick of the same kind
    // of work beside it says how slow.
    let (mut least, mut ratio) = (Duration::MAX, f64::MAX);
    for _ in 0..20 {
        let (yardstick, took) = (yardstick(), month());
        least = least.min(took);
        ratio = ratio.min(took.as_secs_f64() / yardstick.as_secs_f64());
        println!("a month took {took:?} of a processor, the yardstick {yardstick:?}");
        if least < Duration::from_secs(1) || ratio < A_SECOND {
            return;
        }
    }
    panic!(
        "a month took {least:?} of a processor, and {ratio:.1} times the yardstick, expected {A_SECOND}"
    );
}
