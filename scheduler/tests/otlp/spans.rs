//! A span for each run.

use std::{collections::BTreeMap, time::Duration};

use scheduler_core::testing::opentelemetry_proto::tonic::trace::v1::{Span, status::StatusCode};
use serde_json::Value;

use crate::{
    collector::{Collector, FINE, attributes, hex, spans},
    process::Running,
    support::{Home, program, row},
};

const MARKER: &str = "hunter2-marker";

fn nanos(row: &Value, column: &str) -> u64 {
    let at: chrono::DateTime<chrono::Utc> = row[column].as_str().unwrap().parse().unwrap();
    at.timestamp_nanos_opt().unwrap().try_into().unwrap()
}

/// That `span` says what the row of its run says.
#[track_caller]
fn is_of(span: &Span, row: &Value, key: &str) {
    let said = attributes(&span.attributes);
    let expected = BTreeMap::from([
        ("task.key".to_owned(), key.to_owned()),
        ("task.id".to_owned(), row["task_id"].to_string()),
        ("execution.id".to_owned(), row["id"].to_string()),
        ("attempt".to_owned(), row["attempt"].to_string()),
        ("source".to_owned(), row["source"].as_str().unwrap().to_owned()),
        ("outcome".to_owned(), row["status"].as_str().unwrap().to_owned()),
    ]);
    for (name, value) in &expected {
        assert_eq!(said.get(name), Some(value), "{name}: {said:?}");
    }
    assert!(said.values().all(|value| !value.contains(MARKER)), "{said:?}");
    let times = [span.start_time_unix_nano, span.end_time_unix_nano];
    assert_eq!(times, ["started_at", "finished_at"].map(|column| nanos(row, column)));
    let is_success = row["status"] == "success";
    let status = span.status.as_ref().unwrap();
    assert_eq!(status.code() == StatusCode::Ok, is_success, "{status:?}");
    let delay = (nanos(row, "started_at") - nanos(row, "scheduled_at")) / 1_000_000;
    let delay = (row["source"] == "schedule").then(|| delay.to_string());
    assert_eq!(said.get("start_delay_ms"), delay.as_ref(), "{said:?}");
}

#[test]
fn each_run_has_a_span_that_says_what_its_row_says_and_is_the_parent_of_its_calls() {
    let mut collector = Collector::start(&[FINE]);
    let more = format!("headers = \"Authorization=Bearer%20{MARKER},x-tenant=7\"");
    let home = Home::migrated(&collector.configuration(&more));
    let quick = home.insert("quick", "test_interval", "interval", "1");
    let clumsy = home.insert("clumsy", "clumsy", "interval", "1");
    let url = format!("http://{}/called?{MARKER}", collector.address());
    let mut calls = row("calls", "caller", "interval", "1");
    calls.args = url;
    let calls = home.insert_row(&calls);
    let manual = home.insert("manual", "test_interval", "date", "2020-04-24 18:08:00");
    home.ok(&["task", "trigger", &manual.to_string()]);
    let mut scheduler = Running::spawn(&mut program::command(&home, &["run"]));
    let keys = ["quick", "clumsy", "calls", "manual"];
    collector.until("spans of each", |requests| {
        let spans = spans(requests);
        let is_of =
            |key: &str| spans.iter().any(|span| attributes(&span.attributes)["task.key"] == key);
        keys.into_iter().all(is_of).then_some(())
    });
    scheduler.signal("TERM");
    assert_eq!(scheduler.ends_within(Duration::from_secs(10)), 0);
    let tasks = [quick, clumsy, calls, manual];
    let rows: Vec<(&str, Value)> = keys
        .into_iter()
        .zip(tasks)
        .flat_map(|(key, task)| home.executions(task).into_iter().map(move |row| (key, row)))
        .filter(|(_, row)| !row["started_at"].is_null())
        .collect();
    // Those of the last second came at the stop.
    let spans = collector.until("a span of each run", |requests| {
        let spans = spans(requests);
        (spans.len() >= rows.len()).then_some(spans)
    });
    assert_eq!(spans.len(), rows.len(), "one of each");
    for (key, row) in &rows {
        let trace_id = row["trace_id"].as_str().unwrap();
        let span = spans.iter().find(|span| hex(&span.trace_id) == trace_id);
        is_of(span.unwrap_or_else(|| panic!("no span {trace_id}")), row, key);
    }
    let failed = spans.iter().find(|span| span.name == "clumsy").unwrap();
    assert_eq!(attributes(&failed.attributes)["reason"], "panicked: slipped");
    let called: Vec<_> = collector.seen.iter().filter(|one| one.head.contains("/called")).collect();
    for request in &called {
        let parent = request.head.lines().find_map(|line| line.strip_prefix("traceparent: "));
        let is_parent = |span: &Span| {
            let named = format!("00-{}-{}-01", hex(&span.trace_id), hex(&span.span_id));
            parent == Some(&named)
        };
        assert!(spans.iter().any(is_parent), "{}", request.head);
    }
    assert!(!called.is_empty());
    let first = collector.seen.iter().find(|one| one.is_for("/v1/traces")).unwrap();
    for header in [
        &*format!("authorization: bearer {MARKER}"),
        "x-tenant: 7",
        "content-type: application/x-protobuf",
    ] {
        assert!(first.head.contains(header), "{}", first.head);
    }
    assert_eq!(first.resource()["service.name"], "scheduler");
    let node = rows[0].1["node_id"].as_str().unwrap();
    assert_eq!(first.resource()["service.instance.id"], node);
    assert!(!scheduler.seen.iter().any(|line| line.contains(MARKER)), "{:?}", scheduler.seen);
}
