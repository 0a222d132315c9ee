//! The other end: one question to a scheduler, as a container asks whether it is healthy.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use axum::{
    body::{Body, to_bytes},
    http::{Request, header},
};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// For the whole exchange.
const PATIENCE: Duration = Duration::from_secs(3);

/// More than any answer to it has.
const MOST_BYTES: usize = 64 * 1024;

/// Asks the scheduler that listens at `listen` for `path`: the status and the text of its answer.
///
/// # Errors
/// When nobody listens there, or gives an answer within 3 s.
pub async fn probe(listen: SocketAddr, path: &str) -> io::Result<(u16, String)> {
    let asked = tokio::time::timeout(PATIENCE, ask(reachable(listen), path)).await;
    asked.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "no answer within 3 s")))
}

async fn ask(address: SocketAddr, path: &str) -> io::Result<(u16, String)> {
    let connection = TokioIo::new(TcpStream::connect(address).await?);
    let (mut sender, connection) = http1::handshake(connection).await.map_err(io::Error::other)?;
    let carried = tokio::spawn(connection);
    let request = Request::get(path).header(header::HOST, address.to_string()).body(Body::empty());
    let request = request.map_err(io::Error::other)?;
    let answer = sender.send_request(request).await.map_err(io::Error::other)?;
    let status = answer.status().as_u16();
    let body =
        to_bytes(Body::new(answer.into_body()), MOST_BYTES).await.map_err(io::Error::other)?;
    carried.abort();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

/// Who listens on all addresses is asked on the first of this machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
