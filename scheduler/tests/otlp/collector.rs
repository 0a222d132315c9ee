//! An OpenTelemetry collector, as far as a scheduler sees one.

use std::{collections::BTreeMap, time::Duration};

use scheduler_core::testing::{
    opentelemetry_proto::tonic::{
        collector::{
            metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest,
        },
        common::v1::{KeyValue, any_value::Value},
        metrics::v1::Metric,
        trace::v1::Span,
    },
    prost::Message,
};

pub(crate) use crate::support::stub::Manner;
use crate::{
    process::QUICK,
    support::{
        eventually,
        stub::{self, Stub},
    },
};

pub(crate) const FINE: Manner = Manner::Answers("200 OK", "");

/// What it was sent.
pub(crate) struct Request {
    /// In lower case, the request line included.
    pub(crate) head: String,
    body: Vec<u8>,
}

impl From<stub::Request> for Request {
    fn from(stub::Request { head, body }: stub::Request) -> Self {
        Self { head: head.to_lowercase(), body }
    }
}

/// Keeps all that it was sent.
pub(crate) struct Collector {
    stub: Stub,
    pub(crate) seen: Vec<Request>,
}

impl Collector {
    /// Treats the first requests so, and all others as the last of them.
    pub(crate) fn start(manners: &'static [Manner]) -> Self {
        Self { stub: Stub::start(manners), seen: Vec::new() }
    }

    pub(crate) fn address(&self) -> &str {
        &self.stub.address
    }

    /// What makes a scheduler tell it, with `more` in its table.
    pub(crate) fn configuration(&self, more: &str) -> String {
        format!("{QUICK}\n[otlp]\nendpoint = \"http://{}\"\n{more}\n", self.address())
    }

    /// Waits until `look` finds something in what was sent so far.
    #[track_caller]
    pub(crate) fn until<T>(&mut self, what: &str, look: impl Fn(&[Request]) -> Option<T>) -> T {
        eventually(what, || {
            self.seen.extend(self.stub.requests.try_iter().map(Request::from));
            look(&self.seen)
        })
    }

    /// Waits for the next request.
    #[track_caller]
    pub(crate) fn hears(&mut self) {
        let request = self.stub.requests.recv_timeout(Duration::from_secs(20)).expect("a request");
        self.seen.push(request.into());
    }
}

impl Request {
    pub(crate) fn is_for(&self, path: &str) -> bool {
        self.head.split(' ').nth(1) == Some(path)
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        if !self.is_for("/v1/traces") {
            return Vec::new();
        }
        let request = ExportTraceServiceRequest::decode(&*self.body).expect("it is OTLP");
        let scopes = request.resource_spans.into_iter().flat_map(|of_one| of_one.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        if !self.is_for("/v1/metrics") {
            return Vec::new();
        }
        let request = ExportMetricsServiceRequest::decode(&*self.body).expect("it is OTLP");
        let scopes = request.resource_metrics.into_iter().flat_map(|of_one| of_one.scope_metrics);
        scopes.flat_map(|scope| scope.metrics).collect()
    }

    pub(crate) fn resource(&self) -> BTreeMap<String, String> {
        let request = ExportTraceServiceRequest::decode(&*self.body).expect("it is OTLP");
        attributes(&request.resource_spans[0].resource.as_ref().unwrap().attributes)
    }
}

pub(crate) fn spans(requests: &[Request]) -> Vec<Span> {
    requests.iter().flat_map(Request::spans).collect()
}

pub(crate) fn attributes(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &KeyValue| match value.value.as_ref().unwrap().value.as_ref().unwrap() {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        other => panic!("{other:?}"),
    };
    attributes.iter().map(|attribute| (attribute.key.clone(), text(attribute))).collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
