//! One request on its way, and what its answer means, as OTLP/HTTP 1 has it.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::{
    metrics::v1::ExportMetricsServiceResponse, trace::v1::ExportTraceServiceResponse,
};
use prost::Message as _;
use reqwest::{
    StatusCode, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
};

use crate::{config, run::courier};

/// Characters of what a collector says.
const MOST_SAID: usize = 200;

/// What is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    Spans,
    Figures,
}

/// What a collector took.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// So many spans or figures it did not.
    pub(super) rejected: u64,
    /// Why, or a warning.
    pub(super) said: String,
}

/// Why a collector took nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The same may be sent again, after so long at least.
    Later { text: String, wait: Option<Duration> },
    /// The same would be refused again.
    Never { text: String },
}

/// Who sends.
pub(super) struct Sender {
    endpoint: Url,
    headers: HeaderMap,
}

impl Sender {
    pub(super) fn new(otlp: &config::Otlp) -> Self {
        let mut headers = otlp.header_map();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        Self { endpoint: otlp.endpoint.clone(), headers }
    }

    /// Sends a request for `signal`, encoded. The same span twice is one, and figures are what they are: what may have
    /// arrived is sent again.
    pub(super) async fn send(&self, signal: Signal, body: Vec<u8>) -> Result<Taken, Refused> {
        let url = address(&self.endpoint, signal);
        let answer = courier::post(url, self.headers.clone(), body).await;
        let answer = answer.map_err(|text| Refused::Later { text, wait: None })?;
        if answer.status.is_success() {
            return Ok(taken(signal, &answer.body));
        }
        Err(judge(answer.status, answer.wait))
    }
}

/// Below the endpoint, whose own path stays.
fn address(endpoint: &Url, signal: Signal) -> Url {
    let path = endpoint.path().trim_end_matches('/');
    let mut url = endpoint.clone();
    url.set_path(&match signal {
        Signal::Spans => format!("{path}/v1/traces"),
        Signal::Figures => format!("{path}/v1/metrics"),
    });
    url
}

fn judge(status: StatusCode, wait: Option<Duration>) -> Refused {
    let text = format!("it answers {status}");
    match status.as_u16() {
        429 | 502 | 503 | 504 => Refused::Later { text, wait },
        _ => Refused::Never { text },
    }
}

/// What is said beside a success. An answer that is none of OTLP's says nothing.
fn taken(signal: Signal, body: &[u8]) -> Taken {
    let (rejected, said) = match signal {
        Signal::Spans => ExportTraceServiceResponse::decode(body)
            .ok()
            .and_then(|answer| answer.partial_success)
            .map(|partly| (partly.rejected_spans, partly.error_message)),
        Signal::Figures => ExportMetricsServiceResponse::decode(body)
            .ok()
            .and_then(|answer| answer.partial_success)
            .map(|partly| (partly.rejected_data_points, partly.error_message)),
    }
    .unwrap_or_default();
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    Taken {
        rejected: rejected.try_into().unwrap_or_default(),
        said: said.chars().map(plain).take(MOST_SAID).collect(),
    }
}

#[cfg(test)]
mod tests;
