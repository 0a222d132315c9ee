//! A collector that is slow, refuses, or is not there.

use std::{net::TcpListener, time::Duration};

use scheduler_core::clock;
use serde_json::Value;

use crate::{
    collector::{Collector, FINE, Manner, Request, attributes, hex, spans},
    process::{QUICK, Running},
    support::{Home, eventually, program},
};

fn late_ms(row: &Value) -> Option<i64> {
    let at = |column: &str| row[column].as_str()?.parse::<chrono::DateTime<chrono::Utc>>().ok();
    Some((at("started_at")? - at("scheduled_at")?).num_milliseconds())
}

/// Stops it in order; how long that took.
fn stop(scheduler: &mut Running) -> Duration {
    let asked = clock::mono();
    scheduler.signal("TERM");
    assert_eq!(scheduler.ends_within(Duration::from_secs(10)), 0);
    clock::mono() - asked
}

#[test]
fn a_collector_that_hangs_delays_no_run_and_a_stop_by_a_second() {
    let mut collector = Collector::start(&[Manner::Hangs]);
    let home = Home::migrated(&collector.configuration("interval = 1"));
    let quick = home.insert("quick", "test_interval", "interval", "1");
    let mut scheduler = Running::spawn(&mut program::command(&home, &["run"]));
    collector.hears();
    // After its 5 s.
    scheduler.says(&["do not arrive at the collector, retrying"]);
    // In the middle of the next one.
    collector.hears();
    let late: Vec<i64> = home.executions(quick).iter().filter_map(late_ms).collect();
    assert!(late.len() >= 5 && late.iter().all(|late| *late < 900), "{late:?}");
    let took = stop(&mut scheduler);
    assert!(took < Duration::from_millis(2_000), "{took:?}");
    scheduler.says(&["the last spans and figures may not have arrived"]);
    assert_eq!(scheduler.count(&["do not arrive at the collector"]), 1, "it is said once");
}

#[test]
fn a_collector_that_is_away_costs_a_stop_nothing() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let home = Home::migrated(&format!("{QUICK}\n[otlp]\nendpoint = \"http://{nobody}\"\n"));
    let quick = home.insert("quick", "test_interval", "interval", "1");
    let mut scheduler = Running::spawn(&mut program::command(&home, &["run"]));
    scheduler.says(&["spans of runs do not arrive", "Connection refused"]);
    eventually("more runs", || (home.executions(quick).len() >= 4).then_some(()));
    let took = stop(&mut scheduler);
    assert!(took < Duration::from_millis(1_000), "{took:?}");
    scheduler.says(&["the last spans of runs are lost"]);
    assert_eq!(scheduler.count(&["spans of runs do not arrive"]), 1, "it is said once");
}

#[test]
fn what_a_collector_did_not_take_is_sent_again_and_what_it_refuses_for_good_is_not() {
    const LATER: Manner = Manner::Answers("503 Service Unavailable\r\nRetry-After: 1", "");
    const NEVER: Manner = Manner::Answers("400 Bad Request", "");
    let mut collector = Collector::start(&[LATER, LATER, NEVER, FINE]);
    let home = Home::migrated(&collector.configuration("interval = \"never\""));
    let quick = home.insert("quick", "test_interval", "interval", "1");
    let mut scheduler = Running::spawn(&mut program::command(&home, &["run"]));
    scheduler.says(&["spans of runs do not arrive", "retrying: it answers 503"]);
    scheduler.says(&["spans of runs arrive at the collector again"]);
    home.ok(&["task", "disable", &quick.to_string()]);
    stop(&mut scheduler);
    collector.until("the last", |requests| (requests.len() >= 4).then_some(()));
    let ids = |at: usize| -> Vec<String> {
        let spans = spans(&collector.seen[at..=at]);
        spans.iter().map(|span| hex(&span.trace_id)).collect()
    };
    let first = ids(0);
    assert!(!first.is_empty());
    // What came meanwhile joins them.
    assert!(ids(1).starts_with(&first) && ids(2).starts_with(&first));
    let later = collector.seen[3..].iter().flat_map(Request::spans);
    assert!(later.map(|span| hex(&span.trace_id)).all(|id| !ids(2).contains(&id)));
    assert_eq!(scheduler.count(&["do not arrive"]), 1, "it is said once");
    let all = collector.seen.iter().flat_map(Request::spans);
    assert!(all.map(|span| attributes(&span.attributes)).all(|one| one["outcome"] == "success"));
    assert!(collector.seen.iter().all(|one| one.is_for("/v1/traces")), "figures: never");
}
