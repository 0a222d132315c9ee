//! A server of a test's own: it takes requests by HTTP, hands them on, and treats each as it was told.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, Receiver, Sender},
};

/// What it does with a request.
#[derive(Clone, Copy)]
pub(crate) enum Manner {
    /// With a status line, headers below it included, and a body.
    Answers(&'static str, &'static str),
    /// Says nothing, and keeps the connection.
    Hangs,
}

/// What it was sent.
pub(crate) struct Request {
    /// As it came, the request line included.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Stub {
    pub(crate) address: String,
    pub(crate) requests: Receiver<Request>,
}

impl Stub {
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
        Self { address, requests }
    }
}

/// The connection, if it is kept.
fn answer(
    mut connection: TcpStream,
    manner: Manner,
    sender: &Sender<Request>,
) -> Option<TcpStream> {
    sender.send(read(&mut connection)?).ok()?;
    match manner {
        Manner::Hangs => Some(connection),
        Manner::Answers(status, body) => {
            let rest = format!("Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
            write!(connection, "HTTP/1.1 {status}\r\n{rest}").ok()?;
            None
        }
    }
}

fn read(connection: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = connection.read(&mut buffer).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let lower = head.to_lowercase();
        let length = lower.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        if let Some(body) = bytes.get(end + 4..end + 4 + length) {
            return Some(Request { head, body: body.to_vec() });
        }
    }
}
