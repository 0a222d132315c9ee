use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};

use super::{Web, config, registry};
use crate::{
    config::Http,
    plan::node::Survey,
    run::Watch,
    store::{SharedStore, memory::MemoryStore},
};

const TOKEN: &str = "0123456789abcdef";

fn watch() -> Watch {
    let store: SharedStore = Arc::new(MemoryStore::new(DateTime::<Utc>::UNIX_EPOCH));
    Watch::new("a", &store)
}

fn well() -> Survey {
    Survey {
        has_read: true,
        is_trusted: true,
        is_clock_right: true,
        is_database_well: true,
        ..Survey::default()
    }
}

fn start(address: SocketAddr, token: Option<&str>, watch: &Watch) -> Web {
    let http = Http { listen: Some(address), token: token.map(Into::into), ..Http::default() };
    Web::start(&config(http), &registry(), watch.clone()).unwrap().unwrap()
}

fn anywhere(watch: &Watch) -> (Web, SocketAddr) {
    let web = start("127.0.0.1:0".parse().unwrap(), None, watch);
    let address = web.address().unwrap();
    (web, address)
}

fn get(address: SocketAddr, path: &str, header: &str) -> String {
    try_get(address, path, header).unwrap()
}

/// The whole answer.
fn try_get(address: SocketAddr, path: &str, header: &str) -> io::Result<String> {
    let mut connection = TcpStream::connect(address)?;
    write!(connection, "GET {path} HTTP/1.1\r\nHost: here\r\n{header}Connection: close\r\n\r\n")?;
    io::read_to_string(connection)
}

/// The whole answer to a form.
fn post(address: SocketAddr, path: &str, form: &str) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    write!(
        connection,
        "POST {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    )
    .unwrap();
    io::read_to_string(connection).unwrap()
}

#[track_caller]
fn answers(address: SocketAddr, path: &str, status: u16, body: &str) {
    let answer = get(address, path, "");
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
    assert!(answer.ends_with(&format!("\r\n\r\n{body}")), "{path}: {answer}");
}

#[test]
fn one_that_did_not_turn_yet_is_neither_alive_nor_ready_and_says_what_hinders_it() {
    let watch = watch();
    let (_web, address) = anywhere(&watch);
    answers(address, "/healthz", 503, "the loop does not turn\n");
    watch.turned(Survey { is_database_well: false, ..well() });
    answers(address, "/healthz", 200, "alive\n");
    answers(address, "/readyz", 503, "the database is in trouble\n");
    watch.turned(well());
    answers(address, "/readyz", 200, "ready\n");
    let answer = get(address, "/elsewhere", "");
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}

#[test]
fn figures_are_in_open_metrics() {
    let watch = watch();
    watch.turned(Survey { open: 3, unrecorded: 1, ..well() });
    let (_web, address) = anywhere(&watch);
    let answer = get(
        address,
        "/metrics",
        "Accept: application/openmetrics-text;version=1.0.0,*/*;q=0.1\r\n",
    );
    assert!(answer.contains("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    assert!(answer.contains("cache-control: no-store"));
    assert!(answer.ends_with("# EOF\n"), "{answer}");
    for line in [
        "scheduler_executions_total{status=\"success\"} 0",
        "scheduler_waiting{for=\"running\"} 2",
        "scheduler_waiting{for=\"recording\"} 1",
        "scheduler_heartbeat_age_seconds -1.0",
        "scheduler_ready 1",
        "# UNIT scheduler_start_delay_seconds seconds",
    ] {
        assert!(answer.lines().any(|found| found == line), "{line} is not in {answer}");
    }
}

#[test]
fn who_does_not_ask_for_open_metrics_gets_the_text_format_before_it() {
    let watch = watch();
    watch.turned(well());
    let (_web, address) = anywhere(&watch);
    let answer = get(address, "/metrics", "Accept: */*\r\n");
    assert!(answer.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{answer}");
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    for line in [
        "# TYPE scheduler_executions_total counter",
        "scheduler_executions_total{status=\"success\"} 0",
        "# TYPE scheduler_lost_log_lines_total counter",
        "# TYPE scheduler_build_info gauge",
        "# TYPE scheduler_start_delay_seconds histogram",
        "# HELP scheduler_ready 1 if this node may claim, else 0.",
    ] {
        assert!(body.lines().any(|found| found == line), "{line} is not in {body}");
    }
    // Each sample is of the family above it, by the names that this format knows.
    let (mut family, mut kind) = ("", "");
    for line in body.lines() {
        if let Some((name, of)) = line.strip_prefix("# TYPE ").and_then(|t| t.split_once(' ')) {
            (family, kind) = (name, of);
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
        } else if !line.starts_with("# HELP ") {
            let name = line.split(['{', ' ']).next().unwrap();
            let rest = name.strip_prefix(family).unwrap_or("of another family");
            let known: &[&str] =
                if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
            assert!(known.contains(&rest), "{line} after {family} {kind}");
        }
    }
}

#[test]
fn with_a_token_figures_are_for_those_who_show_it() {
    let watch = watch();
    let web = start("127.0.0.1:0".parse().unwrap(), Some(TOKEN), &watch);
    let address = web.address().unwrap();
    for header in [
        "",
        "Authorization: Bearer 0123456789abcdeF\r\n",
        "Authorization: Basic 0123456789abcdef\r\n",
    ] {
        let answer = get(address, "/metrics", header);
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
        assert!(answer.contains("www-authenticate: Bearer\r\n"), "{answer}");
        assert!(!answer.contains("scheduler_"), "{answer}");
    }
    let answer = get(address, "/metrics", &format!("Authorization: Bearer {TOKEN}\r\n"));
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    watch.turned(well());
    answers(address, "/readyz", 200, "ready\n");
}

#[test]
fn an_address_that_is_taken_is_listened_to_as_soon_as_it_is_free() {
    let (first, second) = (watch(), watch());
    second.turned(well());
    let (web, address) = anywhere(&first);
    let waiting = start(address, None, &second);
    assert_eq!(waiting.address(), None);
    answers(address, "/healthz", 503, "the loop does not turn\n");
    drop(web);
    // Refused, until the second one tries again.
    while !try_get(address, "/healthz", "").is_ok_and(|answer| answer.contains("alive")) {
        std::thread::yield_now();
    }
}

#[test]
fn clients_that_say_nothing_keep_no_others_out() {
    let watch = watch();
    watch.turned(well());
    let (_web, address) = anywhere(&watch);
    let _silent: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(address).unwrap()).collect();
    answers(address, "/healthz", 200, "alive\n");
}

#[test]
fn clients_that_send_slowly_hold_up_no_others() {
    let watch = watch();
    let (_web, address) = anywhere(&watch);
    let head = "POST /login HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\n\r\nname=";
    let slow: Vec<TcpStream> = (0..70)
        .map(|_| {
            let mut connection = TcpStream::connect(address).unwrap();
            connection.write_all(head.as_bytes()).unwrap();
            connection
        })
        .collect();
    assert!(get(address, "/openapi.json", "").starts_with("HTTP/1.1 200 "));
    assert!(get(address, "/login", "").starts_with("HTTP/1.1 200 "));
    let answer = post(address, "/login", "name=nobody&password=nothing");
    assert!(answer.contains("<html") && !answer.contains("sent at once"), "{answer}");
    drop(slow);
}

#[test]
fn a_large_body_is_taken_from_nobody_who_is_not_known() {
    let watch = watch();
    let (_web, address) = anywhere(&watch);
    let head = "POST /api/v1/tasks HTTP/1.1\r\nHost: here\r\nContent-Length: 100000\r\n\r\n{";
    let wrong = head.replace("\r\nContent", "\r\nAuthorization: Bearer wrong\r\nContent");
    // Nobody sends the rest: the answer does not wait for it.
    for head in
        [head, &wrong, &head.replace("Content-Length: 100000", "Transfer-Encoding: chunked")]
    {
        let mut connection = TcpStream::connect(address).unwrap();
        connection.write_all(head.as_bytes()).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut status = [0; 12];
        connection.read_exact(&mut status).unwrap();
        assert_eq!(&status, b"HTTP/1.1 401", "{head}");
    }
}

#[test]
fn a_request_with_more_than_a_page_needs_is_not_read() {
    let watch = watch();
    let (_web, address) = anywhere(&watch);
    let cookies = |count: usize| format!("Cookie: {}\r\n", vec!["a=1"; count].join("; "));
    assert!(get(address, "/login", &cookies(4_000)).starts_with("HTTP/1.1 200 "));
    // The connection may be gone before all is sent.
    let answer = try_get(address, "/login", &cookies(60_000)).unwrap_or_default();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[test]
fn whoever_holds_all_connections_keeps_no_other_out() {
    let watch = watch();
    watch.turned(well());
    let (_web, address) = anywhere(&watch);
    let _silent: Vec<TcpStream> = (0..400).map(|_| TcpStream::connect(address).unwrap()).collect();
    for _ in 0..20 {
        answers(address, "/healthz", 200, "alive\n");
    }
}
