//! What a mail says, and what the answers of a mail server mean.

use std::{error::Error as _, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use chrono::{DateTime, Utc};
use lettre::{
    Address, Message as Mail,
    message::{
        Mailbox,
        header::{ContentType, Header, HeaderName, HeaderValue},
    },
    transport::smtp::{Error, extension::ClientId},
};
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use crate::{
    config::{self, MailServer},
    plan::{alarm::Message, words::cut},
    run::alarm::{
        Speaker,
        channel::{Refused, beginning},
    },
};

/// What is sent.
#[derive(Debug)]
pub(super) struct Letter {
    /// As whom we greet.
    pub(super) hello: ClientId,
    pub(super) from: Address,
    pub(super) to: Vec<Address>,
    /// Headers and body; only ASCII, which every server takes.
    pub(super) bytes: Vec<u8>,
}

/// How long a subject may be, in characters. A telephone that is locked shows some 40 of them, a list of mails some 80.
const LONGEST: usize = 120;

/// `message` of `speaker`; `id` is used for no other.
pub(super) fn letter(
    mail: &config::Mail,
    speaker: &Speaker,
    message: &Message,
    now: DateTime<Utc>,
    id: Uuid,
) -> Result<Letter, Refused> {
    let from = mailbox(&mail.from)?;
    let to = mail.to.iter().map(mailbox).collect::<Result<Vec<_>, _>>()?;
    let host = host(speaker);
    let mut builder = Mail::builder()
        .from(from.clone())
        .date(now.into())
        .message_id(Some(format!("<{}@{}>", id.simple(), from.email.domain())))
        .subject(subject(speaker, message))
        .header(AutoSubmitted)
        .header(ContentType::TEXT_PLAIN);
    for mailbox in &to {
        builder = builder.to(mailbox.clone());
    }
    let text = message.text.replace(|c: char| c.is_control() && c != '\n', " ");
    let body = format!("{speaker}\n\n{text}\n");
    let mail = builder.body(body).map_err(|error| Refused::new(error.to_string()))?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let is_known = !host.is_empty() && host.chars().all(is_name);
    Ok(Letter {
        hello: if is_known { ClientId::Domain(host.to_owned()) } else { ClientId::default() },
        from: from.email,
        to: to.into_iter().map(|mailbox| mailbox.email).collect(),
        bytes: mail.formatted(),
    })
}

/// The machine that it runs on.
fn host(speaker: &Speaker) -> &str {
    speaker.node.split(':').next().unwrap_or(&speaker.node)
}

/// `scheduler online web-1: 3 alarms, [failed] nightly: …`: whose, how many, and the first, which is the cause of others.
fn subject(speaker: &Speaker, message: &Message) -> String {
    let first = message.text.lines().next().unwrap_or_default();
    let count = match message.alarms {
        1 => String::new(),
        count => format!("{count} alarms, "),
    };
    let subject = format!("{}{}: {count}{first}", speaker.title(), host(speaker));
    let is_blank = |c: char| c.is_control() || c.is_whitespace();
    let short = cut(subject.chars().map(|c| if is_blank(c) { ' ' } else { c }), LONGEST);
    // Else a key that looks like encoded text would be decoded by who reads it.
    short.replace("=?", "= ?")
}

fn mailbox(mailbox: &config::Mailbox) -> Result<Mailbox, Refused> {
    let address = mailbox.address().parse::<Address>();
    let address = address.map_err(|error| Refused::new(format!("{mailbox}: {error}")))?;
    Ok(Mailbox::new(mailbox.name().map(str::to_owned), address))
}

/// Keeps those who answer for people on holiday from answering (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// What went wrong, on one line and without what only the server may know, also where it repeats it.
pub(super) fn refusal(error: &Error, server: &MailServer) -> Refused {
    const MINUTE: Duration = Duration::from_secs(60);
    let in_words = |text: &str| beginning(&without_secrets(text, server));
    let Some(code) = error.status() else { return Refused::new(in_words(&error.to_string())) };
    let said = error.source().map_or_else(String::new, ToString::to_string);
    // Whoever tries a wrong password again and again is shut out by many servers.
    let wait = if error.is_permanent() { 10 * MINUTE } else { MINUTE };
    Refused { text: format!("it answers {code}: {}", in_words(&said)), wait: Some(wait) }
}

/// As it stands in the url, and as it is sent by AUTH PLAIN and AUTH LOGIN.
fn without_secrets(text: &str, server: &MailServer) -> String {
    let Some((user, password)) = &server.credentials else { return text.to_owned() };
    let password = password.expose_secret();
    let plain = BASE64.encode(format!("\0{user}\0{password}"));
    let login = BASE64.encode(password);
    let secrets = [plain.as_str(), &login, password];
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "(secret)"))
}

#[cfg(test)]
mod tests;
