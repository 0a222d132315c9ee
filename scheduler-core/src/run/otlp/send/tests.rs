use opentelemetry_proto::tonic::collector::{
    metrics::v1::ExportMetricsPartialSuccess, trace::v1::ExportTracePartialSuccess,
};

use super::*;

#[test]
fn each_signal_has_its_place_below_the_endpoint() {
    #[track_caller]
    fn check(endpoint: &str, expected: [&str; 2]) {
        let endpoint = Url::parse(endpoint).unwrap();
        let found = [Signal::Spans, Signal::Figures].map(|signal| address(&endpoint, signal));
        assert_eq!(found.each_ref().map(Url::as_str), expected);
    }
    check("http://h:4318", ["http://h:4318/v1/traces", "http://h:4318/v1/metrics"]);
    check("https://h/otlp/", ["https://h/otlp/v1/traces", "https://h/otlp/v1/metrics"]);
}

#[test]
fn only_what_may_pass_is_sent_again() {
    let wait = Some(Duration::from_secs(7));
    for status in [429, 502, 503, 504] {
        let refused = judge(StatusCode::from_u16(status).unwrap(), wait);
        assert!(matches!(refused, Refused::Later { wait: found, .. } if found == wait), "{status}");
    }
    for status in [301, 400, 401, 403, 404, 413, 500, 501] {
        let refused = judge(StatusCode::from_u16(status).unwrap(), wait);
        assert!(matches!(refused, Refused::Never { .. }), "{status}");
    }
}

#[test]
fn what_is_rejected_within_a_success_is_heard() {
    let error_message = "too\nold".to_owned();
    let spans = ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess {
            rejected_spans: 3,
            error_message: error_message.clone(),
        }),
    };
    let figures = ExportMetricsServiceResponse {
        partial_success: Some(ExportMetricsPartialSuccess {
            rejected_data_points: 3,
            error_message,
        }),
    };
    let rejected = Taken { rejected: 3, said: "too old".to_owned() };
    assert_eq!(taken(Signal::Spans, &spans.encode_to_vec()), rejected);
    assert_eq!(taken(Signal::Figures, &figures.encode_to_vec()), rejected);
    for nothing in [&b""[..], b"ok", b"{}"] {
        assert_eq!(taken(Signal::Spans, nothing), Taken::default());
    }
}
