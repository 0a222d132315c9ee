//! A channel that sends mail: the keys that only it has, and what its `url` means.

use std::{fmt, path::PathBuf};

use percent_encoding::percent_decode_str;
use reqwest::Url;
use secrecy::SecretString;

use super::{
    pools::{FILE, existing_file},
    reader::Reader,
    settings::InToml,
};

/// From whom and to whom mail goes.
#[derive(Debug, Clone)]
pub struct Mail {
    /// From whom. Required.
    pub from: Mailbox,
    /// To whom. Required, 1 to 50.
    pub to: Vec<Mailbox>,
    /// Certificates (PEM) that the server's is checked against, in place of those that this machine trusts.
    pub ssl_ca: Option<PathBuf>,
}

/// Somebody who sends or gets mail. Shown as `ops@example.org` or `Night watch <ops@example.org>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    name: Option<String>,
    address: String,
}

/// The server that takes mail, as a `url` names it.
#[derive(Debug, Clone)]
pub struct MailServer {
    /// Name or address, this without brackets.
    pub host: String,
    /// If the url names none, 465 with TLS, 587 with STARTTLS, 25 without either.
    pub port: u16,
    /// How what is said to it is protected.
    pub protection: Protection,
    /// User and password, if it wants any.
    pub credentials: Option<(String, SecretString)>,
}

/// How a connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// By TLS, from the first byte.
    Tls,
    /// By TLS, before anything but a greeting is said.
    StartTls,
    /// Not at all: the server is on this machine.
    Nothing,
}

/// How a `url` for mail looks.
pub(super) const FORM: &str = "smtps://USER:PASSWORD@HOST:465, or smtp://USER:PASSWORD@HOST:587 with STARTTLS, with \
                               both of user and password or neither";

const MAILBOX: &str = "a mailbox such as \"ops@example.org\" or \"Night watch <ops@example.org>\", in ASCII after \
     the name";

/// More would be a mailing list.
const MOST: usize = 50;

/// The keys beside those that every channel has, of one that sends mail, or does not, or of which that is not known.
/// `None`: it does not, or after a mistake.
pub(super) fn read(t: &mut Reader<'_>, is_mail: Option<bool>) -> Option<Mail> {
    if is_mail == Some(true) {
        t.require(&["from", "to"]);
    } else if is_mail == Some(false) {
        for key in ["from", "to", "ssl_ca"].into_iter().filter(|key| t.has(key)) {
            t.remark(key, "is given, expected none: this kind of channel sends no mail");
        }
    }
    if is_mail == Some(true) && cfg!(not(feature = "email")) {
        t.remark(
            "kind",
            "is \"email\", and this program was built without the feature email, expected one with it (cargo run -p \
             scheduler --features email), or another kind",
        );
    }
    let from = t.text("from", MAILBOX, Mailbox::parse);
    let to = t.texts("to", None, 1..=MOST, MAILBOX, Mailbox::parse);
    let ssl_ca = t.text("ssl_ca", FILE, existing_file);
    let (from, to) = (from?, to?);
    (is_mail == Some(true)).then_some(Mail { from, to, ssl_ca })
}

impl MailServer {
    /// Reads a `url`.
    pub(super) fn parse(url: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let is_bare = matches!(url.path(), "" | "/");
        if !is_bare || url.query().is_some() || url.fragment().is_some() {
            return None;
        }
        let host = url.host_str()?.to_owned();
        let protection = match url.scheme() {
            "smtps" => Protection::Tls,
            "smtp" if matches!(&*host, "localhost" | "127.0.0.1" | "[::1]") => Protection::Nothing,
            "smtp" => Protection::StartTls,
            _ => return None,
        };
        let port = url.port().unwrap_or(match protection {
            Protection::Tls => 465,
            Protection::StartTls => 587,
            Protection::Nothing => 25,
        });
        let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if port == 0 || inner.is_none() && (host.is_empty() || !host.chars().all(is_part)) {
            return None;
        }
        let host = inner.map_or(host.clone(), str::to_owned);
        let user = decoded(url.username())?;
        let password = decoded(url.password().unwrap_or_default())?;
        let credentials = match (&*user, &*password) {
            ("", "") => None,
            ("", _) | (_, "") => return None,
            _ => Some((user, password.into())),
        };
        Some(Self { host, port, protection, credentials })
    }
}

/// Without what stands percent-encoded. What controls a terminal is part of no name and of no password.
fn decoded(text: &str) -> Option<String> {
    let text = percent_decode_str(text).decode_utf8().ok()?.into_owned();
    (!text.chars().any(char::is_control)).then_some(text)
}

impl Mailbox {
    /// Reads `ops@example.org` or `Night watch <ops@example.org>`, the name with or without quotes around it. Only the
    /// name may have letters beyond ASCII: few servers take an address with any.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, address) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
            Some((name, address)) => (name.trim(), address),
            None => ("", text.trim()),
        };
        let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
        let is_in_name = |c: char| !c.is_control() && !matches!(c, '"' | '\\' | '<' | '>' | '@');
        let is_good = name.chars().all(is_in_name) && address.is_ascii() && is_address(address);
        let name = Some(name.to_owned()).filter(|name| !name.is_empty());
        is_good.then(|| Self { name, address: address.to_owned() })
    }

    /// As people know it, if it has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// `ops@example.org`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}

#[cfg(feature = "email")]
fn is_address(text: &str) -> bool {
    text.parse::<lettre::Address>().is_ok()
}

/// Nobody sends mail to it.
#[cfg(not(feature = "email"))]
fn is_address(text: &str) -> bool {
    text.contains('@')
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => f.write_str(&self.address),
        }
    }
}

/// Shown although it has an `@`: it was read, so it is no url with a password.
impl InToml for Mailbox {
    fn in_toml(&self) -> String {
        toml::Value::from(self.to_string()).to_string()
    }
}

#[cfg(all(test, feature = "email"))]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    type Shown = (String, u16, Protection, Option<(String, String)>);

    fn server(url: &str) -> Option<Shown> {
        let MailServer { host, port, protection, credentials } = MailServer::parse(url)?;
        let shown =
            |(user, password): (String, SecretString)| (user, password.expose_secret().to_owned());
        Some((host, port, protection, credentials.map(shown)))
    }

    #[test]
    fn a_url_names_the_server_how_it_is_protected_and_who_we_are() {
        let of = |host: &str, port, protection| Some((host.to_owned(), port, protection, None));
        assert_eq!(
            server("smtps://mail.example.org"),
            of("mail.example.org", 465, Protection::Tls)
        );
        assert_eq!(server("smtps://[::1]:25/"), of("::1", 25, Protection::Tls));
        assert_eq!(server("smtp://10.0.0.1"), of("10.0.0.1", 587, Protection::StartTls));
        for (host, shown) in
            [("localhost", "localhost"), ("127.0.0.1", "127.0.0.1"), ("[::1]", "::1")]
        {
            let url = format!("smtp://{host}");
            assert_eq!(server(&url), of(shown, 25, Protection::Nothing), "{url}");
        }
        let far = server("smtp://localhost.example.org").unwrap();
        assert_eq!(far.2, Protection::StartTls, "a name that only begins like ours");
        let (_, port, _, credentials) = server("smtps://me%40a.org:p%3A%40%20s@h:2465").unwrap();
        assert_eq!((port, credentials), (2465, Some(("me@a.org".into(), "p:@ s".into()))));
    }

    #[test]
    fn a_url_that_says_anything_else_is_none() {
        for url in [
            "https://h",
            "smtp:h",
            "smtps://",
            "smtps://h:0",
            "smtps://h:70000",
            "smtps://h/INBOX",
            "smtps://h?tls=none",
            "smtps://h#x",
            "smtps://user@h",
            "smtps://:password@h",
            "smtps://u:a%00b@h",
            "smtps://u:%ff@h",
            "smtps://a%20b",
            "mail.example.org:465",
        ] {
            assert_eq!(server(url), None, "{url}");
        }
    }

    #[test]
    fn a_mailbox_is_an_address_with_or_without_a_name() {
        for (text, name, address) in [
            ("ops@example.org", None, "ops@example.org"),
            ("<ops@example.org>", None, "ops@example.org"),
            ("Night watch <ops+a@b-c.example>", Some("Night watch"), "ops+a@b-c.example"),
            ("\"Doe, Jane\" <jane@example.org>", Some("Doe, Jane"), "jane@example.org"),
            ("值班 <ops@example.org>", Some("值班"), "ops@example.org"),
        ] {
            let mailbox = Mailbox::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((mailbox.name(), mailbox.address()), (name, address));
        }
    }

    #[test]
    fn what_is_no_mailbox_is_none() {
        for text in [
            "",
            "ops",
            "@example.org",
            "ops@",
            "ops@@example.org",
            "ops@example.org, boss@example.org",
            "ops@example.org boss",
            "a@b.org, c <d@b.org>",
            "Ops <ops@example.org",
            "Ops ops@example.org>",
            "Ops <ops@example.org> x",
            "A\r\nBcc: x@y.org <ops@example.org>",
            "ops@example.org\r\nRCPT TO:<x@y.org>",
            "<ops@example.org>\n",
            "óps@example.org",
            "ops@bücher.example",
        ] {
            assert_eq!(Mailbox::parse(text), None, "{text}");
        }
    }
}
