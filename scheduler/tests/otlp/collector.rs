//! An OpenTelemetry collector, as far as a scheduler sees one.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, Receiver, Sender},
    time::Duration,
};

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

use crate::{process::QUICK, support::eventually};

/// What it does with a request.
#[derive(Clone, Copy)]
pub(crate) enum Manner {
    Answers(&'static str),
    /// Says nothing, and keeps the connection.
    Hangs,
}

pub(crate) const FINE: Manner = Manner::Answers("200 OK");

/// What it was sent.
pub(crate) struct Request {
    /// In lower case, the request line included.
    pub(crate) head: String,
    body: Vec<u8>,
}

/// Keeps all that it was sent.
pub(crate) struct Collector {
    pub(crate) address: String,
    requests: Receiver<Request>,
    pub(crate) seen: Vec<Request>,
}

impl Collector {
    /// Treats the first requests so, and all others as the last of them.
    pub(crate) fn start(manners: &'static [Manner]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, requests) = mpsc::channel();
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            for (index, connection) in listener.incoming().map_while(Result::ok).enumerate() {
                let manner = manners[index.min(manners.len() - 1)];
                kept.extend(answer(connection, manner, &sender));
            }
        });
        Self { address, requests, seen: Vec::new() }
    }

    /// What makes a scheduler tell it, with `more` in its table.
    pub(crate) fn configuration(&self, more: &str) -> String {
        format!("{QUICK}\n[otlp]\nendpoint = \"http://{}\"\n{more}\n", self.address)
    }

    /// Waits until `look` finds something in what was sent so far.
    #[track_caller]
    pub(crate) fn until<T>(&mut self, what: &str, look: impl Fn(&[Request]) -> Option<T>) -> T {
        eventually(what, || {
            self.seen.extend(self.requests.try_iter());
            look(&self.seen)
        })
    }

    /// Waits for the next request.
    #[track_caller]
    pub(crate) fn hears(&mut self) {
        self.seen.push(self.requests.recv_timeout(Duration::from_secs(20)).expect("a request"));
    }
}

/// The connection, if it is kept.
fn answer(
    mut connection: TcpStream,
    manner: Manner,
    sender: &Sender<Request>,
) -> Option<TcpStream> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let (head, body) = loop {
        let count = connection.read(&mut buffer).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        if let Some(body) = bytes.get(end + 4..end + 4 + length) {
            break (head, body.to_vec());
        }
    };
    sender.send(Request { head, body }).ok()?;
    match manner {
        Manner::Hangs => Some(connection),
        Manner::Answers(status) => {
            let rest = "Content-Length: 0\r\nConnection: close\r\n\r\n";
            write!(connection, "HTTP/1.1 {status}\r\n{rest}").ok()?;
            None
        }
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
