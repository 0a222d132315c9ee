//! Runs to call from, and servers to call.

use std::{
    io::Read as _,
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use scheduler_core::{
    Context,
    chrono::DateTime,
    clock::Clock,
    job::{CancellationToken, ContextParts},
};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

pub(crate) const TRACE_ID: &str = "01a209a0c972778a9348f175f51b7e95";

/// A run whose waits take no time.
pub(crate) fn run() -> Context {
    Context::new(parts())
}

pub(crate) fn parts() -> ContextParts {
    let clock = Clock::stepped(DateTime::UNIX_EPOCH);
    clock.stand_still(true);
    ContextParts { trace_id: TRACE_ID.into(), clock, ..ContextParts::default() }
}

/// A run by the machine's clock, and what stops it.
pub(crate) fn real_run() -> (Context, CancellationToken) {
    let parts = ContextParts::default();
    let stop = parts.cancellation.clone();
    (Context::new(parts), stop)
}

/// A server that gives these answers, one after the other, and after the last one 404.
pub(crate) async fn answers(answers: impl IntoIterator<Item = ResponseTemplate>) -> MockServer {
    let server = MockServer::start().await;
    for answer in answers {
        Mock::given(any()).respond_with(answer).up_to_n_times(1).mount(&server).await;
    }
    server
}

/// The same of statuses alone.
pub(crate) async fn statuses(statuses: &[u16]) -> MockServer {
    answers(statuses.iter().map(|status| ResponseTemplate::new(*status))).await
}

pub(crate) async fn received(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.expect("wiremock records requests")
}

/// A server that takes calls and never answers. It ends with the listener.
pub(crate) fn silent() -> (TcpListener, String) {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!("http://{}", server.local_addr().expect("it is bound"));
    (server, url)
}

/// A server that reads the beginning of each request and closes, and how many it has had.
pub(crate) fn closing() -> (String, Arc<AtomicUsize>) {
    let (server, url) = silent();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    thread::spawn(move || {
        for stream in server.incoming() {
            let Ok(mut stream) = stream else { return };
            // Nothing comes of a connection that the client itself gives up.
            if stream.read(&mut [0; 16]).is_ok_and(|bytes| bytes > 0) {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    (url, calls)
}

/// Where nobody listens.
pub(crate) fn nowhere() -> String {
    silent().1
}

/// The error with its causes.
pub(crate) fn told(error: impl Into<scheduler_core::anyhow::Error>) -> String {
    format!("{:#}", error.into())
}
