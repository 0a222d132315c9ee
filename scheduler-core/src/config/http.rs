//! `[http]` in `common.toml`: where a scheduler answers, and to whom.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
};

use argon2::{PasswordHasher as _, password_hash::phc::PasswordHash};
use secrecy::{ExposeSecret as _, SecretString};

use super::{reader::Reader, settings::InToml};

/// What `[http]` in `common.toml` says.
#[derive(Debug, Clone, Default)]
pub struct Http {
    /// Where it is answered. Default `127.0.0.1:8888`; `None`: nowhere.
    pub listen: Option<SocketAddr>,
    /// Whoever does not show it sees no figures. Default none.
    pub token: Option<SecretString>,
    /// Whether a browser may send the cookie of a session by https only. Default: unless `listen` is this machine.
    pub secure_cookies: bool,
    /// `[http.users.NAME]`, by name: the people who may log in.
    pub users: BTreeMap<String, User>,
    /// `[http.tokens.NAME]`, by name: the programs that may ask.
    pub tokens: BTreeMap<String, Token>,
}

/// Somebody who logs in with a password.
#[derive(Debug, Clone)]
pub struct User {
    /// The hash of the password, as `scheduler password` prints it. Required.
    pub password_hash: SecretString,
    /// What he may do.
    pub access: Access,
}

/// A program that shows a token with each request.
#[derive(Debug, Clone)]
pub struct Token {
    /// What it shows. Required.
    pub token: SecretString,
    /// What it may do.
    pub access: Access,
}

/// What somebody may do, and with which tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// What. Required.
    pub role: Role,
    /// Patterns of `task_key`, `*` for any characters: the others do not exist for him. Default `["*"]`.
    pub tasks: Vec<String>,
}

impl Access {
    /// All with all tasks.
    #[must_use]
    pub fn full() -> Self {
        Self { role: Role::Admin, tasks: vec![EVERY.to_owned()] }
    }

    /// Whether a task with this key exists for him.
    #[must_use]
    pub fn covers(&self, task_key: &str) -> bool {
        self.tasks.iter().any(|pattern| fits(pattern, task_key))
    }

    /// Whether every task does, also one whose key is not known.
    #[must_use]
    pub fn covers_all(&self) -> bool {
        self.tasks.iter().any(|pattern| pattern == EVERY)
    }
}

/// Whether `text` is `pattern`, in which `*` is any characters.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let tail = parts.pop().unwrap_or_default();
    for part in parts {
        // The first place will do: what follows then has the most room.
        let Some((_, after)) = text.split_once(part) else { return false };
        text = after;
    }
    text.ends_with(tail)
}

/// What somebody may do; each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// See.
    Viewer,
    /// Run, stop, switch on and off.
    Operator,
    /// Create, change and delete.
    Admin,
}

impl Role {
    /// All, by name.
    pub const NAMES: [(&'static str, Role); 3] =
        [("viewer", Role::Viewer), ("operator", Role::Operator), ("admin", Role::Admin)];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }
}

/// The hash of a password for `password_hash`: argon2id with a salt of its own, in PHC form.
///
/// # Panics
/// Never: the parameters are those of the library, and the system gives random bytes.
#[must_use]
pub fn hash_password(password: &str) -> String {
    let hash = argon2::Argon2::default().hash_password(password.as_bytes());
    hash.expect("the default parameters are valid").to_string()
}

const LISTEN: &str = "an address and a port such as \"127.0.0.1:8888\", or \"off\"";

const TOKEN: &str = "16 to 1024 letters, digits and signs of ASCII, without blanks";

const HASH: &str = "a hash by argon2id, as `scheduler password` prints it";

const PATTERN: &str = "a task_key, with * for any characters";

const EVERY: &str = "*";

/// The table `[http]`.
pub(super) fn read(t: &mut Reader<'_>) -> Http {
    t.table("http", "[http] ", |t| {
        let default = Listen(Some(SocketAddr::from(([127, 0, 0, 1], 8888))));
        let listen = t.text_or_else("listen", Some(default), LISTEN, |text| match text {
            "off" => Ok(Listen(None)),
            _ => text.parse().map(|at| Listen(Some(at))).map_err(|_| LISTEN.to_owned()),
        });
        let listen = listen.and_then(|Listen(address)| address);
        let is_for_others = listen.is_some_and(|address| !address.ip().is_loopback());
        let token = t.secret(["token", "token_file"], TOKEN, is_token);
        let is_guarded =
            ["token", "token_file", "users", "tokens"].into_iter().any(|key| t.has(key));
        if is_for_others && !is_guarded {
            t.remark("listen", "lets other machines ask, expected a user or a token beside it");
        }
        Http {
            listen,
            token: token.text,
            secure_cookies: t.bool("secure_cookies", is_for_others),
            users: named(t.tables("users", "[http.users.*] ", user)),
            tokens: {
                let tokens = named(t.tables("tokens", "[http.tokens.*] ", program));
                refuse_twins(&tokens, t);
                tokens
            },
        }
    })
}

/// By its token a program is known: two of one token would be one of them, nobody knows which.
fn refuse_twins(tokens: &BTreeMap<String, Token>, t: &Reader<'_>) {
    let mut known: HashMap<&str, &str> = HashMap::new();
    for (name, token) in tokens {
        if let Some(other) = known.insert(token.token.expose_secret(), name) {
            let text =
                format!("{other} and {name} are the same token, expected one of its own for each");
            t.remark("tokens", &text);
        }
    }
}

/// Those without a mistake.
fn named<T>(tables: Vec<(String, Option<T>)>) -> BTreeMap<String, T> {
    tables.into_iter().filter_map(|(name, table)| Some((name, table?))).collect()
}

/// `None` after a mistake.
fn user(name: &str, t: &mut Reader<'_>) -> Option<User> {
    let access = access(name, t);
    if !t.has("password_hash_file") {
        t.require(&["password_hash"]);
    }
    let hash = t.secret(["password_hash", "password_hash_file"], HASH, is_hash);
    Some(User { password_hash: hash.text?, access: access? })
}

/// `None` after a mistake.
fn program(name: &str, t: &mut Reader<'_>) -> Option<Token> {
    let access = access(name, t);
    if !t.has("token_file") {
        t.require(&["token"]);
    }
    let token = t.secret(["token", "token_file"], TOKEN, is_token);
    Some(Token { token: token.text?, access: access? })
}

fn access(name: &str, t: &mut Reader<'_>) -> Option<Access> {
    if !is_name(name) {
        t.remark_table("is no name, expected 1 to 64 letters, digits and . _ - @");
    }
    t.require(&["role"]);
    let roles = Role::NAMES.map(|(name, role)| (name, Some(role)));
    let role = t.choice("role", None, &roles);
    let every = Some(vec![EVERY.to_owned()]);
    let tasks = t.texts("tasks", every, 1..=100, PATTERN, is_pattern);
    Some(Access { role: role?, tasks: tasks? })
}

fn is_pattern(text: &str) -> Option<String> {
    (1..=191).contains(&text.chars().count()).then(|| text.to_owned())
}

fn is_name(text: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || "._-@".contains(c);
    (1..=64).contains(&text.chars().count()) && text.chars().all(is_part)
}

fn is_hash(text: &str) -> bool {
    let hash = PasswordHash::new(text);
    hash.is_ok_and(|hash| hash.algorithm.as_str() == "argon2id" && hash.hash.is_some())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_has_any_characters_where_a_star_is() {
        for (pattern, text, is_fit) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("*", "anything", true),
            ("billing_*", "billing_", true),
            ("billing_*", "Billing_x", false),
            ("*_report", "daily_report", true),
            ("*_report", "daily_report_", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "a_c_b", false),
            ("a*b*bc", "a_b_bc", true),
            ("a*b*bc", "abc", false),
            ("**", "x", true),
            ("a?", "ab", false),
        ] {
            assert_eq!(fits(pattern, text), is_fit, "{pattern} {text}");
        }
    }
}
