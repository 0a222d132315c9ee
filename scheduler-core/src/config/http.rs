//! `[http]` in `common.toml`: where a scheduler answers to those who watch it.

use std::net::SocketAddr;

use secrecy::SecretString;

use super::reader::Reader;

/// What `[http]` in `common.toml` says.
#[derive(Debug, Clone)]
pub struct Http {
    /// Where `/healthz`, `/readyz` and `/metrics` are answered. Default `127.0.0.1:8888`; `None`: nowhere.
    pub listen: Option<SocketAddr>,
    /// Whoever does not show it sees no figures. Required where others than this machine may ask. Default none.
    pub token: Option<SecretString>,
}

const LISTEN: &str = "an address and a port such as \"127.0.0.1:8888\", or \"off\"";

const TOKEN: &str = "16 to 1024 letters, digits and signs of ASCII, without blanks";

/// The table `[http]`.
pub(super) fn read(t: &mut Reader<'_>) -> Http {
    t.table("http", "[http] ", |t| {
        let listen = t.text("listen", LISTEN, |text| match text {
            "off" => Some(None),
            _ => text.parse().ok().map(Some),
        });
        let listen = listen.unwrap_or_else(|| Some(SocketAddr::from(([127, 0, 0, 1], 8888))));
        let token = t.secret("token", TOKEN, is_token);
        if listen.is_some_and(|address| !address.ip().is_loopback()) && !t.has("token") {
            t.remark("listen", "lets other machines ask, expected a token beside it");
        }
        Http { listen, token }
    })
}

fn is_token(text: &str) -> bool {
    (16..=1024).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic())
}
