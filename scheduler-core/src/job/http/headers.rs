//! What every call of a run carries.

use reqwest::{
    Request,
    header::{HeaderMap, HeaderName, HeaderValue},
};

use crate::{job::Context, plan::hash::fnv1a};

/// The run's trace id. Not `trace_id`, as the log calls it: servers drop names with an underscore.
const TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

/// The same for tracers, see <https://www.w3.org/TR/trace-context/#traceparent-header>.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The headers of one attempt, where the request does not bring them.
pub(super) fn add_trace(headers: &mut HeaderMap, trace_id: &str) {
    add(headers, TRACE_ID, trace_id);
    if let Some(traceparent) = traceparent(trace_id, fastrand::u64(1..)) {
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

/// `None` for a trace id that is not 32 lower-case hexadecimal digits with one that is not 0. The flag says that the
/// run is recorded.
fn traceparent(trace_id: &str, span_id: u64) -> Option<String> {
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_valid =
        trace_id.len() == 32 && trace_id.bytes().all(is_hex) && trace_id.bytes().any(|b| b != b'0');
    is_valid.then(|| format!("00-{trace_id}-{span_id:016x}-01"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_made_of_what_is_a_trace_id_for_w3c_and_of_nothing_else() {
        #[track_caller]
        fn check(trace_id: &str, expected: Option<&str>) {
            assert_eq!(traceparent(trace_id, 10).as_deref(), expected, "{trace_id}");
        }
        check(
            "01a209a0c972778a9348f175f51b7e95",
            Some("00-01a209a0c972778a9348f175f51b7e95-000000000000000a-01"),
        );
        check("01A209A0C972778A9348F175F51B7E95", None);
        check("01a209a0c972778a9348f175f51b7e9", None);
        check("01a209a0c972778a9348f175f51b7e95a", None);
        check("01a209a0-972-778a-348f-75f51b7e95", None);
        check(&"0".repeat(32), None);
        check(
            &format!("{}1", "0".repeat(31)),
            Some(&format!("00-{}1-000000000000000a-01", "0".repeat(31))),
        );
    }
}
