//! As much of the MySQL protocol as the proxy needs: where a packet ends, what a client asks for, and two answers.

use std::io::{self, Read, Write};

/// A packet: three bytes of length, a number that counts from 0 with each command, and what it holds.
pub(super) struct Packet {
    number: u8,
    pub(super) payload: Vec<u8>,
}

/// What a client asks for.
pub(super) enum Command {
    /// Runs this text.
    Query(String),
    /// The answer gives this text a number.
    Prepare(String),
    /// Runs the text that has this number.
    Execute(u32),
    /// Asks whether the server is there.
    Ping,
    /// Anything else, logging in included.
    Other,
}

impl Packet {
    /// The next packet; `None`: the other side has closed.
    pub(super) fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let mut header = [0; 4];
        match from.read_exact(&mut header) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let [a, b, c, number] = header;
        let mut payload = vec![0; usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16];
        from.read_exact(&mut payload)?;
        Ok(Some(Self { number, payload }))
    }

    /// An error as the server's answer to a command.
    pub(super) fn error(code: u16, sqlstate: &str, message: &str) -> Self {
        let mut payload = vec![0xff];
        payload.extend(code.to_le_bytes());
        payload.push(b'#');
        payload.extend(sqlstate.bytes().chain(message.bytes()));
        Self { number: 1, payload }
    }

    /// In one write, so that no other falls between.
    pub(super) fn write(&self, mut to: impl Write) -> io::Result<()> {
        let length = u32::try_from(self.payload.len()).map_err(io::Error::other)?;
        let [a, b, c, _] = length.to_le_bytes();
        let mut bytes = vec![a, b, c, self.number];
        bytes.extend(&self.payload);
        to.write_all(&bytes)
    }

    /// What it asks for, if a client sent it.
    pub(super) fn command(&self) -> Command {
        let Some((code, rest)) = self.payload.split_first().filter(|_| self.number == 0) else {
            return Command::Other;
        };
        let text = || String::from_utf8_lossy(rest).into_owned();
        match (code, first_u32(rest)) {
            (0x03, _) => Command::Query(text()),
            (0x16, _) => Command::Prepare(text()),
            (0x17, Some(statement)) => Command::Execute(statement),
            (0x0e, _) => Command::Ping,
            _ => Command::Other,
        }
    }

    /// The number that a prepared statement was given, if a server answers so.
    pub(super) fn prepared(&self) -> Option<u32> {
        let (code, rest) = self.payload.split_first()?;
        first_u32(rest).filter(|_| *code == 0)
    }

    /// Whether a server that answers so to a ping has a transaction open: after two counts of no rows stands its
    /// status, whose lowest bit says it.
    pub(super) fn says_in_transaction(&self) -> bool {
        matches!(self.payload[..], [0, 0, 0, status, ..] if status & 1 == 1)
    }
}

fn first_u32(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}
