//! A message by mail: one connection for each, as they are few.
//!
//! ```text
//!   greeting ─▶ STARTTLS ─▶ AUTH ─▶ MAIL ─▶ RCPT, each ─▶ DATA ─▶ 250: it has arrived ─▶ QUIT
//! ```
//!
//! Whom the server does not take goes without, and the others get it: an address that is gone must not silence the
//! alarms of all. What is said after the server has the message changes nothing: it would be sent twice.

mod letter;

use std::{path::PathBuf, time::Duration};

use lettre::{
    Address,
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::ClientId,
    },
};
use secrecy::ExposeSecret as _;
use tokio::time::timeout;
use uuid::Uuid;

use self::letter::{Letter, letter, refusal};
use super::{
    Speaker,
    channel::{Arrived, Refused},
};
use crate::{
    clock,
    config::{Channel, MailServer, Protection},
    plan::alarm::Message,
};

/// For all until the server has the message. Longer than for HTTP: many servers look through a message before they say that
/// they have it, and one that was not waited for comes twice.
const PATIENCE: Duration = Duration::from_secs(15);

/// For the answer to `QUIT`, on which nothing depends.
const GOODBYE: Duration = Duration::from_millis(200);

/// So many of those whom a server refuses are named.
const MOST_NAMED: usize = 3;

const MECHANISMS: &[Mechanism] = &[Mechanism::Plain, Mechanism::Login];

pub(super) async fn send(
    channel: &Channel,
    speaker: &Speaker,
    message: &Message,
) -> Result<Arrived, Refused> {
    let parts = channel.mail.as_ref().zip(channel.mail_server());
    let (mail, server) = parts
        .ok_or_else(|| Refused::new("it has no mail, or its url is that of no mail server"))?;
    let letter = letter(mail, speaker, message, clock::wall(), Uuid::new_v4())?;
    let delivery = deliver(&server, mail.ssl_ca.clone(), &letter);
    let late = || Refused::new(format!("no answer within {} s", PATIENCE.as_secs()));
    let delivered = timeout(PATIENCE, delivery).await.unwrap_or_else(|_| Err(late()));
    let (arrived, mut connection) = delivered?;
    let _ = timeout(GOODBYE, connection.quit()).await;
    Ok(arrived)
}

/// Until the server has the letter.
async fn deliver(
    server: &MailServer,
    ssl_ca: Option<PathBuf>,
    letter: &Letter,
) -> Result<(Arrived, AsyncSmtpConnection), Refused> {
    let said = |error: Error| refusal(&error, server);
    let mut connection = connect(server, ssl_ca, &letter.hello).await?;
    log_in(&mut connection, server).await?;
    connection.command(Mail::new(Some(letter.from.clone()), vec![])).await.map_err(said)?;
    let refused = name_recipients(&mut connection, server, &letter.to).await?;
    connection.command(Data).await.map_err(said)?;
    connection.message(&letter.bytes).await.map_err(said)?;
    Ok((arrived(&refused), connection))
}

/// `refused`: whom the server did not take, with its reasons.
fn arrived(refused: &[String]) -> Arrived {
    let named = refused.iter().take(MOST_NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
    match refused.len() {
        0 => Arrived::Everywhere,
        count if count > MOST_NAMED => {
            Arrived::NotAt(format!("{named}; and at {} more", count - MOST_NAMED))
        }
        _ => Arrived::NotAt(named),
    }
}

async fn connect(
    server: &MailServer,
    ssl_ca: Option<PathBuf>,
    hello: &ClientId,
) -> Result<AsyncSmtpConnection, Refused> {
    let said = |error: Error| refusal(&error, server);
    let place = (server.host.as_str(), server.port);
    let plain = AsyncSmtpConnection::connect_tokio1;
    if server.protection == Protection::Nothing {
        return plain(place, None, hello, None, None).await.map_err(said);
    }
    let host = server.host.clone();
    // It reads files.
    let tls = tokio::task::spawn_blocking(move || tls(host, ssl_ca)).await;
    let tls = tls.map_err(|error| Refused::new(error.to_string()))??;
    if server.protection == Protection::Tls {
        return plain(place, None, hello, Some(tls), None).await.map_err(said);
    }
    let mut connection = plain(place, None, hello, None, None).await.map_err(said)?;
    if !connection.can_starttls() {
        return Err(Refused::new("it offers no STARTTLS, expected that, or a url with smtps"));
    }
    connection.starttls(tls, hello).await.map_err(said)?;
    Ok(connection)
}

/// What the certificate of `host` is checked against: those of `ssl_ca`, or those that this machine trusts.
fn tls(host: String, ssl_ca: Option<PathBuf>) -> Result<TlsParameters, Refused> {
    let mut tls = TlsParameters::builder(host);
    if let Some(path) = ssl_ca {
        let wrong = |error: String| Refused::new(format!("ssl_ca {}: {error}", path.display()));
        let pem = std::fs::read(&path).map_err(|error| wrong(error.to_string()))?;
        let certificates = Certificate::from_pem(&pem).map_err(|error| wrong(error.to_string()))?;
        tls = tls.certificate_store(CertificateStore::None).add_root_certificate(certificates);
    }
    tls.build().map_err(|error| Refused::new(error.to_string()))
}

async fn log_in(connection: &mut AsyncSmtpConnection, server: &MailServer) -> Result<(), Refused> {
    let Some((user, password)) = &server.credentials else { return Ok(()) };
    if connection.server_info().get_auth_mechanism(MECHANISMS).is_none() {
        let text = "it offers neither AUTH PLAIN nor AUTH LOGIN, and its url has a password";
        return Err(Refused::new(text));
    }
    let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
    let done = connection.auth(MECHANISMS, &credentials).await;
    done.map(drop).map_err(|error| refusal(&error, server))
}

/// Those whom the server does not take, each with its reason.
async fn name_recipients(
    connection: &mut AsyncSmtpConnection,
    server: &MailServer,
    recipients: &[Address],
) -> Result<Vec<String>, Refused> {
    let (mut refused, mut first) = (Vec::new(), None);
    for recipient in recipients {
        match connection.command(Rcpt::new(recipient.clone(), vec![])).await {
            Ok(_) => {}
            Err(error) => {
                let is_answer = error.status().is_some();
                let refusal = refusal(&error, server);
                if !is_answer {
                    return Err(refusal);
                }
                refused.push(format!("not at {recipient}: {}", refusal.text));
                first.get_or_insert(refusal);
            }
        }
    }
    match first {
        Some(first) if refused.len() == recipients.len() => Err(first),
        _ => Ok(refused),
    }
}
