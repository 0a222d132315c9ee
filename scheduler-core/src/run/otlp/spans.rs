//! From a run that is over to its span, in the words of OTLP.
//!
//! The span is the root of the run's own trace: its trace id is that of the run, and its id the one that calls of the
//! run name as their parent. What a run was given (`args`) and what it noted stays out.

use chrono::{DateTime, SecondsFormat, Utc};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span::SpanKind, status::StatusCode},
};

use super::runs::{Began, Ended};
use crate::plan::execution::{self, Source, span_id, why_of};

/// Characters of a reason.
const MOST_OF_REASON: usize = 1_000;

/// `sampled`, as the flag in `traceparent` says.
const SAMPLED: u32 = 1;

/// Who tells.
pub(super) fn resource(node: &str) -> Resource {
    let attributes = vec![
        text("service.name", "scheduler"),
        text("service.instance.id", node),
        text("service.version", env!("CARGO_PKG_VERSION")),
    ];
    Resource { attributes, ..Resource::default() }
}

/// What of it.
pub(super) fn scope() -> Option<InstrumentationScope> {
    let (name, version) = ("scheduler".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    Some(InstrumentationScope { name, version, ..InstrumentationScope::default() })
}

/// The request that tells of `ended`.
pub(super) fn request(resource: &Resource, ended: &[Ended]) -> ExportTraceServiceRequest {
    let spans = ended.iter().filter_map(span).collect();
    let scope_spans = vec![ScopeSpans { scope: scope(), spans, ..ScopeSpans::default() }];
    let resource = Some(resource.clone());
    let resource_spans = vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }
}

/// `None`: its trace id is none for W3C, which no run of ours has.
fn span(ended: &Ended) -> Option<Span> {
    let Ended { began, started_at, outcome, is_discarded } = ended;
    let (outcome_word, reason) = if *is_discarded {
        let reason = format!("ended {}, but somebody else had closed the row", outcome.status);
        ("discarded", Some(reason))
    } else {
        (outcome.status.as_str(), reason(&outcome.extra))
    };
    let mut attributes = of_run(began, *started_at, outcome.execution_id);
    attributes.push(text("outcome", outcome_word));
    attributes.extend(reason.as_deref().map(|reason| text("reason", reason)));
    let is_success = outcome.status == execution::Status::Success && !is_discarded;
    let code = if is_success { StatusCode::Ok } else { StatusCode::Error };
    // A message is for errors only.
    let message = if is_success { String::new() } else { reason.unwrap_or_default() };
    Some(Span {
        trace_id: bytes(&outcome.trace_id),
        span_id: bytes(span_id(&outcome.trace_id)?),
        flags: SAMPLED,
        name: began.job.to_string(),
        kind: SpanKind::Internal.into(),
        start_time_unix_nano: nanos(*started_at),
        // The clock may have been set back meanwhile.
        end_time_unix_nano: nanos(outcome.finished_at.max(*started_at)),
        attributes,
        status: Some(Status { message, code: code.into() }),
        ..Span::default()
    })
}

fn of_run(began: &Began, started_at: DateTime<Utc>, execution_id: i64) -> Vec<KeyValue> {
    let scheduled_at = began.scheduled_at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let mut attributes = vec![
        text("task.key", &began.task_key),
        number("task.id", began.task_id),
        number("execution.id", execution_id),
        number("attempt", began.attempt.into()),
        text("source", began.source.as_str()),
        text("scheduled_at", &scheduled_at),
    ];
    // A retry and a manual run wait for other things than to be found.
    if began.source == Source::Schedule {
        let delay = (started_at - began.scheduled_at).num_milliseconds().max(0);
        attributes.push(number("start_delay_ms", delay));
    }
    attributes
}

fn reason(extra: &str) -> Option<String> {
    let extra: serde_json::Value = serde_json::from_str(extra).ok()?;
    Some(why_of(&extra)?.chars().take(MOST_OF_REASON).collect())
}

/// One attribute.
pub(super) fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

fn number(key: &str, value: i64) -> KeyValue {
    attribute(key, Value::IntValue(value))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    let value = Some(AnyValue { value: Some(value) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

/// Since 1970.
pub(super) fn nanos(at: DateTime<Utc>) -> u64 {
    at.timestamp_nanos_opt().and_then(|nanos| u64::try_from(nanos).ok()).unwrap_or_default()
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = (0..hex.len()).step_by(2).filter_map(|at| hex.get(at..at + 2));
    pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
}

#[cfg(test)]
mod tests;
