use chrono::TimeDelta;

use super::*;
use crate::plan::execution::{Outcome, extra_of_error};

const TRACE_ID: &str = "01a209a0c972778a9348f175f51b7e95";

fn ended(source: Source, status: execution::Status, extra: &str) -> Ended {
    let scheduled_at = DateTime::UNIX_EPOCH + TimeDelta::seconds(10);
    Ended {
        began: Began {
            task_id: 3,
            task_key: "nightly".into(),
            job: "send_report".into(),
            scheduled_at,
            attempt: 2,
            source,
        },
        started_at: scheduled_at + TimeDelta::milliseconds(1_500),
        outcome: Outcome {
            execution_id: 812,
            task_id: 3,
            trace_id: TRACE_ID.into(),
            status,
            extra: extra.to_owned(),
            started_at: None,
            finished_at: scheduled_at + TimeDelta::seconds(5),
            retry: None,
        },
        is_discarded: false,
    }
}

/// `key=value` of each attribute.
fn shown(attributes: &[KeyValue]) -> Vec<String> {
    let value = |attribute: &KeyValue| match &attribute.value.as_ref().unwrap().value {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{other:?}"),
    };
    attributes.iter().map(|attribute| format!("{}={}", attribute.key, value(attribute))).collect()
}

#[test]
fn a_span_is_the_run_its_trace_id_and_what_became_of_it() {
    let extra = r#"{"orders": "hunter2"}"#;
    let request = request(
        &resource("web-1:4711:8c1f6a90"),
        &[ended(Source::Schedule, execution::Status::Success, extra)],
    );
    let of_us = &request.resource_spans[0];
    let version = format!("service.version={}", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        shown(&of_us.resource.as_ref().unwrap().attributes),
        ["service.name=scheduler", "service.instance.id=web-1:4711:8c1f6a90", &version]
    );
    let span = &of_us.scope_spans[0].spans[0];
    assert_eq!(span.trace_id, 0x01a2_09a0_c972_778a_9348_f175_f51b_7e95_u128.to_be_bytes());
    assert_eq!(span.span_id, 0x9348_f175_f51b_7e95_u64.to_be_bytes());
    assert!(span.parent_span_id.is_empty());
    assert_eq!((span.name.as_str(), span.flags), ("send_report", 1));
    assert_eq!(
        (span.start_time_unix_nano, span.end_time_unix_nano),
        (11_500_000_000, 15_000_000_000)
    );
    assert_eq!(span.status, Some(Status { code: StatusCode::Ok.into(), message: String::new() }));
    assert_eq!(
        shown(&span.attributes),
        [
            "task.key=nightly",
            "task.id=3",
            "execution.id=812",
            "attempt=2",
            "source=schedule",
            "scheduled_at=1970-01-01T00:00:10.000Z",
            "start_delay_ms=1500",
            "outcome=success",
        ]
    );
}

#[test]
fn what_failed_says_why_and_what_is_discarded_is_no_success() {
    #[track_caller]
    fn check(ended: &Ended, outcome: &str, reason: &str) {
        let span = span(ended).unwrap();
        let attributes = shown(&span.attributes);
        assert!(attributes.contains(&format!("outcome={outcome}")), "{attributes:?}");
        assert!(attributes.contains(&format!("reason={reason}")), "{attributes:?}");
        let (code, message) = (StatusCode::Error.into(), reason.to_owned());
        assert_eq!(span.status, Some(Status { message, code }));
    }
    let failed = extra_of_error("no route", None);
    check(&ended(Source::Retry, execution::Status::Fail, &failed), "fail", "no route");
    let reason = r#"{"reason": "had not ended"}"#;
    check(&ended(Source::Manual, execution::Status::Timeout, reason), "timeout", "had not ended");
    let discarded = ended(Source::Schedule, execution::Status::Success, "{}");
    check(
        &Ended { is_discarded: true, ..discarded },
        "discarded",
        "ended success, but somebody else had closed the row",
    );
    let long = extra_of_error(&"é".repeat(1_001), None);
    check(&ended(Source::Retry, execution::Status::Fail, &long), "fail", &"é".repeat(1_000));
}

#[test]
fn only_a_fire_of_the_schedule_has_a_delay() {
    for (source, is_told) in
        [(Source::Schedule, true), (Source::Manual, false), (Source::Retry, false)]
    {
        let span = span(&ended(source, execution::Status::Success, "{}")).unwrap();
        let has_delay = span.attributes.iter().any(|one| one.key == "start_delay_ms");
        assert_eq!(has_delay, is_told, "{source:?}");
    }
}

#[test]
fn a_clock_that_was_set_back_makes_no_span_that_ends_before_it_begins() {
    let mut back = ended(Source::Schedule, execution::Status::Success, "{}");
    back.outcome.finished_at = back.started_at - TimeDelta::hours(1);
    let span = span(&back).unwrap();
    assert_eq!(span.start_time_unix_nano, span.end_time_unix_nano);
}

#[test]
fn a_trace_id_that_is_none_for_w3c_has_no_span() {
    let mut odd = ended(Source::Schedule, execution::Status::Success, "{}");
    odd.outcome.trace_id = "t".into();
    assert!(span(&odd).is_none());
}
