//! What every call of a run carries.

use reqwest::{
    Request,
    header::{HeaderMap, HeaderName, HeaderValue},
};

use crate::{
    job::Context,
    plan::{execution::span_id, hash::fnv1a},
};

/// The run's trace id. Not `trace_id`, as the log calls it: servers drop names with an underscore.
const TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

/// The same for tracers, see <https://www.w3.org/TR/trace-context/#traceparent-header>.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The headers of one attempt, where the request does not bring them.
pub(super) fn add_trace(headers: &mut HeaderMap, trace_id: &str) {
    add(headers, TRACE_ID, trace_id);
    if let Some(traceparent) = traceparent(trace_id) {
        add(headers, TRACEPARENT, &traceparent);
    }
}

/// The key of this request in this run, where the request does not bring one.
pub(super) fn add_idempotency_key(request: &mut Request, ctx: &Context) {
    let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default();
    let whole = [request.method().as_str().as_bytes(), request.url().as_str().as_bytes(), body];
    let key = format!("{}:{:016x}", ctx.idempotency_key(), fnv1a(whole.join(&b'\n')));
    add(request.headers_mut(), IDEMPOTENCY_KEY, &key);
}

fn add(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // A trace id that is no header value can only come from a test.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.entry(name).or_insert(value);
    }
}

/// Its parent is the span of the run; the flag says that it is recorded. `None` for a trace id that is none for W3C.
fn traceparent(trace_id: &str) -> Option<String> {
    span_id(trace_id).map(|span_id| format!("00-{trace_id}-{span_id}-01"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_made_of_what_is_a_trace_id_for_w3c_and_of_nothing_else() {
        #[track_caller]
        fn check(trace_id: &str, expected: Option<&str>) {
            assert_eq!(traceparent(trace_id).as_deref(), expected, "{trace_id}");
        }
        check(
            "01a209a0c972778a9348f175f51b7e95",
            Some("00-01a209a0c972778a9348f175f51b7e95-9348f175f51b7e95-01"),
        );
        check("01A209A0C972778A9348F175F51B7E95", None);
        check("01a209a0c972778a9348f175f51b7e9", None);
        check("01a209a0c972778a9348f175f51b7e95a", None);
        check("01a209a0-972-778a-348f-75f51b7e95", None);
        check(&"0".repeat(32), None);
        check(&format!("1{}", "0".repeat(31)), None);
        check(
            &format!("{}1", "0".repeat(31)),
            Some(&format!("00-{}1-0000000000000001-01", "0".repeat(31))),
        );
    }
}
