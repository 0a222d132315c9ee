//! `[http]` in `common.toml`: where a scheduler answers to those who watch it.

use std::net::SocketAddr;

use secrecy::SecretString;

use super::{reader::Reader, settings::InToml};

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
        let default = Listen(Some(SocketAddr::from(([127, 0, 0, 1], 8888))));
        let listen = t.text_or_else("listen", Some(default), LISTEN, |text| match text {
            "off" => Ok(Listen(None)),
            _ => text.parse().map(|at| Listen(Some(at))).map_err(|_| LISTEN.to_owned()),
        });
        let listen = listen.and_then(|Listen(address)| address);
        let token = t.secret(["token", "token_file"], TOKEN, is_token);
        let is_guarded = t.has("token") || t.has("token_file");
        if listen.is_some_and(|address| !address.ip().is_loopback()) && !is_guarded {
            t.remark("listen", "lets other machines ask, expected a token beside it");
        }
        Http { listen, token: token.text }
    })
}

/// `None`: off.
struct Listen(Option<SocketAddr>);

impl InToml for Listen {
    fn in_toml(&self) -> String {
        self.0.map_or_else(|| "off".to_owned(), |address| address.to_string()).as_str().in_toml()
    }
}

fn is_token(text: &str) -> bool {
    (16..=1024).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic())
}
