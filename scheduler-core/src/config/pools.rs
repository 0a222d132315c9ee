//! `mysql.toml` and `redis.toml`: named pools, connected on first use. Each table is a pool; its address is
//! either a `url` or the single keys, never both.

use std::{collections::BTreeMap, net::IpAddr, path::PathBuf, time::Duration};

use secrecy::SecretString;

use super::{
    document::{Document, Tree},
    problem::Report,
    reader::{Reader, Secret, read_named, read_root},
    redis_place::{FORMS, RedisPlace},
};

/// One table of `mysql.toml`.
#[derive(Debug, Clone)]
pub struct MysqlPool {
    /// Name or address of the server. Required without `url`, else empty.
    pub host: String,
    /// Default 3306.
    pub port: u16,
    /// The database. Required without `url`, else empty.
    pub db: String,
    /// Required without `url`, else empty.
    pub user: String,
    /// From `password` or `password_file`, one of which is required without `url`. May be empty.
    pub password: SecretString,
    /// Always `utf8mb4`; `utf8` is read as such.
    pub charset: String,
    /// Always true.
    pub autocommit: bool,
    /// An idle connection is closed after this time. Default 300 s, 1 s to 1 day.
    pub stale_timeout: Duration,
    /// Most connections at the same time. Default 10, 1 to 1000.
    pub maxsize: u32,
    /// `mysql://user:password@host:port/db`, in place of the single keys.
    pub url: Option<SecretString>,
    /// Deadline of making a connection, and for a job of waiting for one that is free. Default 3 s, 100 ms to 5 min.
    pub connect_timeout: Duration,
    /// `ssl_mode`; with `url`, that of the url counts. Default `disabled` for a server on this machine,
    /// else `preferred`.
    pub tls: Tls,
    /// Certificates (PEM) that the server's is checked against, in place of the public ones.
    pub ssl_ca: Option<PathBuf>,
    /// File that the password was read from.
    pub password_file: Option<PathBuf>,
}

/// One table of `redis.toml`.
#[derive(Debug, Clone)]
pub struct RedisPool {
    /// Name or address of the server. Required without `url`, else empty.
    pub host: String,
    /// Default 6379.
    pub port: u16,
    /// Number of the database. Default 0, 0 to 15.
    pub db: u8,
    /// Default none.
    pub user: Option<String>,
    /// From `password` or `password_file`. Default none.
    pub password: Option<SecretString>,
    /// Most connections that jobs have [to themselves](crate::Context::redis_own) at the same time, beside the one that
    /// they share. Default 10, 1 to 1000.
    pub maxsize: u32,
    /// `redis://user:password@host:port/db` and the like, in place of the single keys; [`RedisPool::place`] reads it.
    pub url: Option<SecretString>,
    /// Deadline of making a connection, and of waiting for one of `maxsize`. Default 3 s, 100 ms to 5 min.
    pub connect_timeout: Duration,
    /// Deadline of an answer on the shared connection. Default 5 s, 100 ms to 5 min.
    pub response_timeout: Duration,
    /// Certificates (PEM) that the server's is checked against, in place of the public ones.
    pub ssl_ca: Option<PathBuf>,
    /// File that the password was read from.
    pub password_file: Option<PathBuf>,
    /// As whom the sentinels of the `url` are asked. Default none.
    pub sentinel_user: Option<String>,
    /// From `sentinel_password` or `sentinel_password_file`. Default none: they are asked without.
    pub sentinel_password: Option<SecretString>,
}

/// How the connection to MySQL is protected; names and meanings are those of the MySQL client's `ssl-mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Never encrypted.
    Disabled,
    /// Encrypted if the server can; no certificate is checked.
    Preferred,
    /// Encrypted or refused; no certificate is checked.
    Required,
    /// Encrypted, and the certificate comes from a known authority.
    VerifyCa,
    /// As before, and the certificate is that of `host`.
    VerifyIdentity,
}

const MS_100: Duration = Duration::from_millis(100);
const SECS_5: Duration = Duration::from_secs(5);
const MINUTES_5: Duration = Duration::from_secs(300);
const DAY: Duration = Duration::from_secs(86_400);

const TLS: &[(&str, Tls)] = &[
    ("disabled", Tls::Disabled),
    ("preferred", Tls::Preferred),
    ("required", Tls::Required),
    ("verify_ca", Tls::VerifyCa),
    ("verify_identity", Tls::VerifyIdentity),
];

impl MysqlPool {
    /// The pool at `url`, and the default of every other key. For a program without files; the url is checked at the
    /// start.
    #[must_use]
    pub fn at(url: impl Into<String>) -> Self {
        let pool = defaults(mysql_pool);
        Self { url: Some(url.into().into()), ..pool }
    }
}

impl RedisPool {
    /// The pool at `url`, and the default of every other key. For a program without files; the url is checked at the
    /// start.
    #[must_use]
    pub fn at(url: impl Into<String>) -> Self {
        let pool = defaults(redis_pool);
        Self { url: Some(url.into().into()), ..pool }
    }
}

/// What a table is that says nothing.
fn defaults<T>(read: fn(&mut Reader<'_>) -> T) -> T {
    let document = Document { name: "", path: PathBuf::new(), tree: Tree::new(), is_whole: false };
    read_root(&document, &Report::default(), read)
}

/// The pools of `mysql.toml`.
pub(super) fn read_mysql(document: &Document, report: &Report) -> BTreeMap<String, MysqlPool> {
    read_named(document, report, "default", |_, t| mysql_pool(t)).into_iter().collect()
}

/// The pools of `redis.toml`.
pub(super) fn read_redis(document: &Document, report: &Report) -> BTreeMap<String, RedisPool> {
    read_named(document, report, "default", |_, t| redis_pool(t)).into_iter().collect()
}

/// The keys of a table of `mysql.toml`, each with its default and range; meanings stand at [`MysqlPool`].
fn mysql_pool(t: &mut Reader<'_>) -> MysqlPool {
    const SINGLE: &[&str] =
        &["host", "port", "db", "user", "password", "password_file", "ssl_mode", "ssl_ca"];
    let secs = Duration::from_secs;
    let is_by_url = t.replace_by(URL, SINGLE);
    let host = host(t);
    let password = password(t);
    let pool = MysqlPool {
        port: t.integer("port", 3306, 1..=65_535),
        db: t.text("db", NAME, owned).unwrap_or_default(),
        user: t.text("user", NAME, owned).unwrap_or_default(),
        password: password.text.unwrap_or_default(),
        charset: t.choice("charset", UTF8MB4, CHARSETS).to_owned(),
        autocommit: autocommit(t),
        stale_timeout: t.duration("stale_timeout", MINUTES_5, secs(1)..=DAY),
        maxsize: t.integer("maxsize", 10, 1..=1000),
        url: t.secret(URL, MYSQL_FORM, is_mysql_url).text,
        connect_timeout: t.duration("connect_timeout", secs(3), MS_100..=MINUTES_5),
        tls: t.choice("ssl_mode", default_tls(&host), TLS),
        ssl_ca: t.text("ssl_ca", FILE, existing_file),
        password_file: password.file,
        host,
    };
    if !is_by_url {
        t.require(&["host", "db", "user"]);
        if !t.has("password_file") {
            t.require(&["password"]);
        }
    }
    let is_checked = matches!(pool.tls, Tls::VerifyCa | Tls::VerifyIdentity);
    if pool.ssl_ca.is_some() && !is_by_url && !is_checked {
        t.remark("ssl_ca", "needs a check, expected ssl_mode \"verify_ca\" or \"verify_identity\"");
    }
    pool
}

/// The keys of a table of `redis.toml`, each with its default and range; meanings stand at [`RedisPool`].
fn redis_pool(t: &mut Reader<'_>) -> RedisPool {
    const SINGLE: &[&str] = &["host", "port", "db", "user", "password", "password_file"];
    if !t.replace_by(URL, SINGLE) {
        t.require(&["host"]);
    }
    let host = host(t);
    let password = password(t);
    let pool = RedisPool {
        host,
        port: t.integer("port", 6379, 1..=65_535),
        db: t.integer("db", 0, 0..=15),
        user: t.text("user", NAME, owned),
        password: password.text,
        maxsize: t.integer("maxsize", 10, 1..=1000),
        url: t.secret(URL, FORMS, is_redis_url).text,
        connect_timeout: t.duration("connect_timeout", Duration::from_secs(3), MS_100..=MINUTES_5),
        response_timeout: t.duration("response_timeout", SECS_5, MS_100..=MINUTES_5),
        ssl_ca: t.text("ssl_ca", FILE, existing_file),
        password_file: password.file,
        sentinel_user: t.text("sentinel_user", NAME, owned),
        sentinel_password: t.secret(SENTINEL_PASSWORD, PASSWORD_FORM, is_password).text,
    };
    let place = pool.place();
    let is_direct =
        place.as_ref().is_some_and(|place| !matches!(place, RedisPlace::Sentinel { .. }));
    for key in ["sentinel_user", SENTINEL_PASSWORD[0], SENTINEL_PASSWORD[1]] {
        if is_direct && t.has(key) {
            t.remark(key, "needs sentinels, expected a url that begins with \"redis+sentinel\"");
        }
    }
    if pool.ssl_ca.is_some() && !place.is_some_and(|place| place.has_tls()) {
        t.remark("ssl_ca", "needs TLS, expected a url that begins with \"rediss\"");
    }
    pool
}

/// How a `url` of MySQL looks.
pub(super) const MYSQL_FORM: &str = "mysql://USER:PASSWORD@HOST:PORT/DB";

const URL: [&str; 2] = ["url", "url_file"];
const PASSWORD: [&str; 2] = ["password", "password_file"];
const SENTINEL_PASSWORD: [&str; 2] = ["sentinel_password", "sentinel_password_file"];
const PASSWORD_FORM: &str = "text without control characters";
const UTF8MB4: &str = "utf8mb4";
/// The original's `utf8` is MySQL's three-byte set, which cannot hold every character.
const CHARSETS: &[(&str, &str)] = &[(UTF8MB4, UTF8MB4), ("utf8", UTF8MB4)];
const NAME: &str = "a name that is not empty";
pub(super) const FILE: &str = "the path of an existing file";

fn owned(text: &str) -> Option<String> {
    Some(text.to_owned())
}

pub(super) fn existing_file(text: &str) -> Option<PathBuf> {
    Some(PathBuf::from(text)).filter(|path| path.is_file())
}

fn host(t: &mut Reader<'_>) -> String {
    let is_host = |text: &str| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        text.parse::<IpAddr>().is_ok() || text.chars().all(is_part)
    };
    let expected = "a host name or an address, without scheme and port";
    t.text("host", expected, |text| is_host(text).then(|| text.to_owned())).unwrap_or_default()
}

/// An empty `password` is one that was given.
fn password(t: &mut Reader<'_>) -> Secret {
    t.secret(PASSWORD, PASSWORD_FORM, is_password)
}

fn is_password(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

fn autocommit(t: &mut Reader<'_>) -> bool {
    if !t.bool("autocommit", true) {
        t.remark("autocommit", "is false, expected true: transactions are begun where needed");
    }
    true
}

fn default_tls(host: &str) -> Tls {
    let address = host.parse::<IpAddr>();
    let is_loopback = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    if is_loopback { Tls::Disabled } else { Tls::Preferred }
}

pub(super) fn is_mysql_url(text: &str) -> bool {
    let has_scheme = text.starts_with("mysql://") || text.starts_with("mariadb://");
    let options = text.parse::<sqlx::mysql::MySqlConnectOptions>();
    has_scheme
        && options.is_ok_and(|options| options.get_database().is_some_and(|db| !db.is_empty()))
}

pub(super) fn is_redis_url(text: &str) -> bool {
    RedisPlace::parse(text).is_some()
}
