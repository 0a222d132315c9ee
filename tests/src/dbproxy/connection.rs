//! One client's connection: a thread carries its commands, another the answers.

use std::{
    collections::HashMap,
    io::{self, BufReader},
    mem,
    net::{Shutdown, TcpStream},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use scheduler_core::clock;
use socket2::SockRef;

use super::{
    Action, Shared,
    packet::{Command, Packet},
};

pub(super) struct Connection {
    client: TcpStream,
    server: TcpStream,
    exchange: Mutex<Exchange>,
}

/// What both threads know. The protocol takes turns, so one answer at most is awaited.
#[derive(Default)]
struct Exchange {
    /// By the server's number.
    prepared: HashMap<u32, String>,
    /// What ran since the last BEGIN.
    transaction: String,
    awaited: Awaited,
    is_silent: bool,
    /// When the timed statement came that is not answered yet.
    timed_ms: Option<i64>,
}

#[derive(Default)]
enum Awaited {
    #[default]
    Nothing,
    /// The number of this statement.
    Prepared(String),
    Pong,
    /// An answer that is lost, and the connection with it.
    Lost,
    /// An answer that comes this much later.
    Late(Duration),
}

impl Connection {
    pub(super) fn new(client: TcpStream, server: TcpStream) -> io::Result<Self> {
        for socket in [&client, &server] {
            socket.set_nodelay(true)?;
            // Nobody may hold up the end of the proxy.
            socket.set_write_timeout(Some(Duration::from_secs(5)))?;
        }
        Ok(Self { client, server, exchange: Mutex::default() })
    }

    /// Its port on the server's side.
    pub(super) fn port(&self) -> Option<u16> {
        self.server.local_addr().ok().map(|address| address.port())
    }

    /// Carries both directions until one of them ends.
    pub(super) fn carry(&self, proxy: &Shared) {
        thread::scope(|scope| {
            scope.spawn(|| {
                // An error is an end like any other.
                let _ = self.carry_answers(proxy);
                self.close();
            });
            let _ = self.carry_commands(proxy);
            self.close();
        });
    }

    /// Lets the server know, and wakes both threads, which end; the client's socket closes with the last of them.
    pub(super) fn close(&self) {
        // Nothing is left to do about one that is closed already.
        let _ = self.server.shutdown(Shutdown::Both);
        let _ = self.client.shutdown(Shutdown::Read);
    }

    /// The same; the client sees a reset in place of an orderly end.
    pub(super) fn reset(&self) {
        let _ = SockRef::from(&self.client).set_linger(Some(Duration::ZERO));
        self.close();
    }

    fn exchange(&self) -> MutexGuard<'_, Exchange> {
        self.exchange.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn carry_commands(&self, proxy: &Shared) -> io::Result<()> {
        let mut commands = BufReader::new(&self.client);
        while let Some(packet) = Packet::read(&mut commands)? {
            let statement = self.exchange().understand(packet.command());
            if statement.as_ref().is_some_and(|(sql, _)| proxy.is_timed(sql)) {
                self.exchange().timed_ms = Some(clock::wall().timestamp_millis());
            }
            let action = statement.and_then(|(sql, commits)| proxy.action_for(&sql, &commits));
            match action {
                None => {}
                Some(Action::Delay(span)) => proxy.wait(span),
                Some(Action::DelayReply(span)) => self.exchange().awaited = Awaited::Late(span),
                Some(Action::DropBefore) => return Ok(()),
                Some(Action::DropAfter) => self.exchange().awaited = Awaited::Lost,
                Some(Action::Hold) => {
                    while Packet::read(&mut commands)?.is_some() {}
                    return Ok(());
                }
                Some(Action::Reset) => {
                    self.reset();
                    return Ok(());
                }
                Some(Action::BlackHole) => self.exchange().is_silent = true,
                Some(Action::ReplyError(code, sqlstate, message)) => {
                    Packet::error(code, sqlstate, message).write(&self.client)?;
                    continue;
                }
            }
            self.pass(&packet, &self.server, proxy)?;
        }
        Ok(())
    }

    fn carry_answers(&self, proxy: &Shared) -> io::Result<()> {
        let mut answers = BufReader::new(&self.server);
        while let Some(packet) = Packet::read(&mut answers)? {
            if let Some(from_ms) = self.exchange().timed_ms.take() {
                proxy.took(from_ms);
            }
            let awaited = mem::take(&mut self.exchange().awaited);
            match awaited {
                Awaited::Nothing => {}
                Awaited::Prepared(sql) => {
                    if let Some(number) = packet.prepared() {
                        self.exchange().prepared.insert(number, sql);
                    }
                }
                Awaited::Pong => proxy.ponged(packet.says_in_transaction()),
                Awaited::Lost => return Ok(()),
                Awaited::Late(span) => proxy.wait(span),
            }
            self.pass(&packet, &self.client, proxy)?;
        }
        Ok(())
    }

    /// Passes a packet on when the way is open; an error when it will never be.
    fn pass(&self, packet: &Packet, to: &TcpStream, proxy: &Shared) -> io::Result<()> {
        let is_silent = self.exchange().is_silent;
        if !proxy.waits_until_open(is_silent) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        packet.write(to)
    }
}

impl Exchange {
    /// The statement that a command runs, and what it commits: all statements of the transaction, if it is a COMMIT.
    fn understand(&mut self, command: Command) -> Option<(String, String)> {
        let sql = match command {
            Command::Query(sql) => sql,
            Command::Execute(number) => self.prepared.get(&number)?.clone(),
            Command::Prepare(sql) => {
                self.awaited = Awaited::Prepared(sql);
                return None;
            }
            Command::Ping => {
                self.awaited = Awaited::Pong;
                return None;
            }
            Command::Other => return None,
        };
        match &*sql {
            "COMMIT" => Some((sql, mem::take(&mut self.transaction))),
            "START TRANSACTION" | "BEGIN" | "ROLLBACK" => {
                self.transaction.clear();
                Some((sql, String::new()))
            }
            _ => {
                self.transaction.push_str(&sql);
                self.transaction.push('\n');
                Some((sql, String::new()))
            }
        }
    }
}
