//! Mail to servers of the test's own: how they are protected, whom they refuse, and what they answer.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use scheduler_core::{
    config::{Channel, ChannelKind, Mail, Mailbox},
    run::{Speaker, test_channel},
};
use tempfile::TempDir;
use tests::servers::make_certificate;

#[derive(Clone, Copy, PartialEq)]
enum Protection {
    Nothing,
    Tls,
    StartTls,
}

/// What begins so is answered so, and not as usual; an empty answer is none.
type Answers = &'static [(&'static str, &'static str)];

/// A mail server, whose certificate is `cert.pem` in a folder.
struct Server {
    port: u16,
    heard: Receiver<String>,
}

impl Server {
    fn start(protection: Protection, folder: &Path, answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, heard) = mpsc::channel();
        let tls = (protection != Protection::Nothing).then(|| tls(folder));
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let talk = Talk { sender: &sender, answers, offers_tls: false };
                talk.whole(connection, protection, tls.as_ref());
            }
        });
        Self { port, heard }
    }

    /// What it was told so far; the connection is over.
    fn heard(&self) -> Vec<String> {
        self.heard.try_iter().collect()
    }
}

fn tls(folder: &Path) -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_file(folder.join("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    Arc::new(config.with_single_cert(vec![certificate], key).unwrap())
}

#[derive(Clone, Copy)]
struct Talk<'a> {
    sender: &'a Sender<String>,
    answers: Answers,
    offers_tls: bool,
}

impl Talk<'_> {
    fn whole(
        self,
        mut connection: TcpStream,
        protection: Protection,
        tls: Option<&Arc<ServerConfig>>,
    ) -> Option<()> {
        let secure = |connection| {
            let server = ServerConnection::new(Arc::clone(tls.unwrap())).unwrap();
            StreamOwned::new(server, connection)
        };
        match protection {
            Protection::Nothing => self.part(&mut connection, true),
            Protection::Tls => self.part(&mut secure(connection), true),
            Protection::StartTls => {
                Self { offers_tls: true, ..self }.part(&mut connection, true)?;
                self.part(&mut secure(connection), false)
            }
        }
    }

    /// Until the other end has enough, or wants TLS.
    fn part(self, stream: &mut (impl Read + Write), greets: bool) -> Option<()> {
        if greets {
            self.answer(stream, "", "220 stub")?;
        }
        let mut is_data = false;
        loop {
            let line = line(stream)?;
            self.sender.send(line.clone()).ok()?;
            if is_data && line != "." {
                continue;
            }
            is_data = line == "DATA";
            let usual = match line.split(' ').next()? {
                "EHLO" if self.offers_tls => "250-stub\r\n250 STARTTLS",
                "EHLO" => "250-stub\r\n250 AUTH LOGIN PLAIN",
                "AUTH" => "235 welcome",
                "DATA" => "354 go on",
                "STARTTLS" => "220 go on",
                "QUIT" => "221 bye",
                _ => "250 fine",
            };
            self.answer(stream, &line, usual)?;
            if line == "STARTTLS" {
                return Some(());
            }
        }
    }

    fn answer(self, stream: &mut impl Write, line: &str, usual: &str) -> Option<()> {
        let own = |(to, _): &&(&str, &str)| {
            if line.is_empty() { to.is_empty() } else { !to.is_empty() && line.starts_with(to) }
        };
        match self.answers.iter().find(own).map_or(usual, |(_, answer)| answer) {
            "" => Some(()),
            answer => stream
                .write_all(format!("{answer}\r\n").as_bytes())
                .and_then(|()| stream.flush())
                .ok(),
        }
    }
}

/// Byte by byte: what follows may be TLS.
fn line(stream: &mut impl Read) -> Option<String> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while !line.ends_with(b"\r\n") {
        stream.read_exact(&mut byte).ok()?;
        line.push(byte[0]);
    }
    Some(String::from_utf8(line).unwrap().trim_end().to_owned())
}

/// A channel to `url` and to `to`, its server checked against `ssl_ca`.
fn channel(url: &str, to: &[&str], ssl_ca: Option<&Path>) -> Channel {
    let mailbox = |text: &str| Mailbox::parse(text).unwrap();
    Channel {
        kind: ChannelKind::Email,
        url: url.into(),
        secret: None,
        mail: Some(Mail {
            from: mailbox("sched@example.org"),
            to: to.iter().map(|to| mailbox(to)).collect(),
            ssl_ca: ssl_ca.map(Into::into),
        }),
        rules: Vec::new(),
    }
}

fn send(channel: &Channel) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let speaker = Speaker { environment: "".into(), node: "web-1:1:x".into() };
    runtime.block_on(test_channel(channel, &speaker))
}

/// A folder with a certificate and its key; `None`: there is no openssl to make one.
fn certified() -> Option<TempDir> {
    let folder = tempfile::tempdir().unwrap();
    if make_certificate(folder.path()).unwrap().is_none() {
        assert!(std::env::var_os("REQUIRE_SERVERS").is_none(), "no openssl");
        return None;
    }
    Some(folder)
}

#[test]
fn smtps_and_starttls_check_the_certificate_before_anything_is_said() {
    let Some(folder) = certified() else { return };
    let cert = folder.path().join("cert.pem");
    for (protection, scheme) in [(Protection::Tls, "smtps"), (Protection::StartTls, "smtp")] {
        let server = Server::start(protection, folder.path(), &[]);
        let to = |host: &str, ssl_ca| {
            let url = format!("{scheme}://me:hunter2@{host}:{}", server.port);
            channel(&url, &["ops@example.org"], ssl_ca)
        };
        assert_eq!(send(&to("127.0.0.1", Some(&cert))), Ok(()));
        let heard = server.heard();
        let verbs = ["STARTTLS", "AUTH PLAIN ", "DATA"];
        let verb = |line: &String| verbs.into_iter().find(|verb| line.starts_with(verb));
        let said: Vec<_> = heard.iter().filter_map(verb).collect();
        let from = usize::from(protection == Protection::Tls);
        assert_eq!(said, verbs[from..], "{heard:?}");
        // The certificate is for the address.
        let error = send(&to("localhost", Some(&cert))).unwrap_err();
        assert!(error.contains("invalid peer certificate"), "{error}");
        let gone = Path::new("/no/such.pem");
        let error = send(&to("127.0.0.1", Some(gone))).unwrap_err();
        assert!(error.starts_with("ssl_ca /no/such.pem: No such file"), "{error}");
        if protection == Protection::Tls {
            let error = send(&to("127.0.0.1", None)).unwrap_err();
            assert!(error.contains("invalid peer certificate"), "{error}");
        }
        let heard = server.heard();
        assert!(!heard.iter().any(|line| line.starts_with("AUTH")), "{heard:?}");
    }
}

#[test]
fn a_server_that_offers_no_starttls_hears_no_password() {
    let Some(folder) = certified() else { return };
    let cert = folder.path().join("cert.pem");
    let server = Server::start(Protection::Nothing, folder.path(), &[]);
    let url = format!("smtp://me:hunter2@127.0.0.1:{}", server.port);
    let error = send(&channel(&url, &["ops@example.org"], Some(&cert)));
    let expected = "it offers no STARTTLS, expected that, or a url with smtps";
    assert_eq!(error, Err(expected.to_owned()));
    assert_eq!(server.heard(), ["EHLO web-1"]);
}

/// What is said of a server that answers so, and what it heard.
fn said(to: &[&str], answers: Answers) -> (Result<(), String>, Vec<String>) {
    let server = Server::start(Protection::Nothing, Path::new(""), answers);
    let url = format!("smtp://me:hunter2@127.0.0.1:{}", server.port);
    (send(&channel(&url, to, None)), server.heard())
}

#[test]
fn whom_a_server_refuses_goes_without_and_the_others_get_it() {
    let (ops, gone) = ("ops@example.org", "gone@example.org");
    let answers: Answers = &[("RCPT TO:<gone", "550 5.1.1 no such user")];
    let (said_of, heard) = said(&[gone, ops], answers);
    let expected = "not at gone@example.org: it answers 550: 5.1.1 no such user";
    assert_eq!(said_of, Err(expected.to_owned()));
    assert!(heard.contains(&"DATA".to_owned()), "{heard:?}");
    let (said_of, _) = said(&[gone, gone, ops, gone, gone, gone], answers);
    assert!(said_of.clone().unwrap_err().ends_with("no such user; and at 2 more"), "{said_of:?}");
    // One that is put off is not waited for: the others would get it twice.
    let later: Answers = &[("RCPT TO:<gone", "450 4.2.0 greylisted")];
    let (said_of, heard) = said(&[gone, ops], later);
    let expected = "not at gone@example.org: it answers 450: 4.2.0 greylisted";
    assert_eq!(said_of, Err(expected.to_owned()));
    assert!(heard.contains(&"DATA".to_owned()), "{heard:?}");
    let (said_of, heard) = said(&[gone, gone], answers);
    assert_eq!(said_of, Err("it answers 550: 5.1.1 no such user".to_owned()));
    assert!(!heard.contains(&"DATA".to_owned()), "{heard:?}");
}

#[test]
fn what_comes_after_the_server_has_the_mail_does_not_matter() {
    let (said_of, heard) = said(&["ops@example.org"], &[("QUIT", "")]);
    assert_eq!(said_of, Ok(()));
    assert!(heard.contains(&"DATA".to_owned()), "{heard:?}");
}

#[test]
fn what_a_server_answers_is_said_on_one_line_and_without_what_it_repeats() {
    for (answers, expected) in [
        (&[("", "421 too many connections")][..], "it answers 421: too many connections"),
        (&[("AUTH", "535-5.7.8 no\r\n535 5.7.8 really")], "it answers 535: 5.7.8 no really"),
        // `\0me\0hunter2`.
        (
            &[("AUTH", "500 what is AUTH PLAIN AG1lAGh1bnRlcjI= and hunter2")],
            "it answers 500: what is AUTH PLAIN (secret) and (secret)",
        ),
        (
            &[("EHLO", "250 stub")],
            "it offers neither AUTH PLAIN nor AUTH LOGIN, and its url has a password",
        ),
        (&[("MAIL", "451 4.7.1 later\u{7}\u{1b}[2J")], "it answers 451: 4.7.1 later  [2J"),
        (&[(".", "554 5.7.1 spam")], "it answers 554: 5.7.1 spam"),
    ] {
        let (said_of, _) = said(&["ops@example.org"], answers);
        assert_eq!(said_of, Err(expected.to_owned()), "{answers:?}");
    }
    let (said_of, _) = said(&["ops@example.org"], &[("", "HTTP/1.1 400 Bad Request")]);
    assert!(said_of.clone().unwrap_err().starts_with("response error"), "{said_of:?}");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = send(&channel(&format!("smtp://127.0.0.1:{nobody}"), &["a@b.org"], None));
    assert!(error.clone().unwrap_err().contains("Connection refused"), "{error:?}");
}
