//! What the address of a pool of Redis names: one server, the master that sentinels know, or a cluster.

use std::fmt;

use redis::{
    ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, RedisConnectionInfo, parse_redis_url,
};
use secrecy::ExposeSecret as _;

use super::RedisPool;

/// How a `url` of Redis looks.
pub(super) const FORMS: &str = "redis://USER:PASSWORD@HOST:PORT/DB, rediss://… with TLS, \
                                redis+sentinel://USER:PASSWORD@HOST:PORT,HOST:PORT/MASTER/DB \
                                or redis+cluster://USER:PASSWORD@HOST:PORT,HOST:PORT";

/// Where a pool's connections go. Shown without credentials.
#[derive(Clone)]
pub enum RedisPlace {
    /// One server.
    Server(ConnectionInfo),
    /// The server that is the master when a connection is made.
    Sentinel {
        /// Whom to ask, in this order. Their credentials are not those of the url.
        sentinels: Vec<ConnectionInfo>,
        /// What they call it.
        master: String,
        /// User, password and database there.
        node: RedisConnectionInfo,
    },
    /// A cluster, found through any of these of its nodes.
    Cluster(Vec<ConnectionInfo>),
}

impl RedisPool {
    /// Where its connections go; `None`: its `url` has none of the forms that there are.
    #[must_use]
    pub fn place(&self) -> Option<RedisPlace> {
        match &self.url {
            Some(url) => RedisPlace::parse(url.expose_secret()),
            None => self.server().map(RedisPlace::Server),
        }
    }

    /// By the single keys.
    fn server(&self) -> Option<ConnectionInfo> {
        let server = (self.host.as_str(), self.port).into_connection_info().ok()?;
        let mut settings = server.redis_settings().clone().set_db(self.db.into());
        if let Some(user) = &self.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &self.password {
            settings = settings.set_password(password.expose_secret());
        }
        Some(server.set_redis_settings(settings))
    }
}

impl RedisPlace {
    /// Reads a `url`. The library reads each server of it, and decodes what stands percent-encoded.
    pub(super) fn parse(url: &str) -> Option<Self> {
        // `#insecure` would leave the certificate unchecked, and the library passes over what it does not know after `?`.
        if url.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '#' | '?')) {
            return None;
        }
        let (scheme, rest) = url.split_once("://")?;
        let (plain, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        if !matches!(plain, "redis" | "rediss") {
            return None;
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, hosts) = match authority.rsplit_once('@') {
            Some((credentials, hosts)) => (format!("{credentials}@"), hosts),
            None => (String::new(), authority),
        };
        let each = |prefix: &str, port| {
            let hosts = hosts.split(',').map(|host| with_port(host, port));
            hosts
                .map(|host| server(&format!("{plain}://{prefix}{host}")))
                .collect::<Option<Vec<_>>>()
        };
        match kind {
            "" => server(url).map(Self::Server),
            "cluster" if path.is_empty() => each(&credentials, 6379).map(Self::Cluster),
            "sentinel" => {
                let (master, db) = path.split_once('/').unwrap_or((path, "0"));
                let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
                if master.is_empty() || !master.chars().all(is_name) {
                    return None;
                }
                let node = server(&format!("{plain}://{credentials}master/{db}"))?;
                Some(Self::Sentinel {
                    sentinels: each("", 26379)?,
                    master: master.to_owned(),
                    node: node.redis_settings().clone(),
                })
            }
            _ => None,
        }
    }

    /// Whether connections are encrypted; the certificate is then checked.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        let first = match self {
            Self::Server(server) => Some(server),
            Self::Sentinel { sentinels: nodes, .. } | Self::Cluster(nodes) => nodes.first(),
        };
        first.is_some_and(|server| matches!(server.addr(), ConnectionAddr::TcpTls { .. }))
    }
}

/// One server by a plain url.
fn server(url: &str) -> Option<ConnectionInfo> {
    let server = parse_redis_url(url)?.into_connection_info().ok()?;
    let is_there = match server.addr() {
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
            !host.is_empty() && *port != 0
        }
        _ => false,
    };
    is_there.then_some(server)
}

fn with_port(host: &str, default: u16) -> String {
    match host.rsplit_once(':') {
        // What ends with a bracket is an address of version 6.
        Some((_, port)) if !port.ends_with(']') => host.to_owned(),
        _ => format!("{host}:{default}"),
    }
}

impl fmt::Display for RedisPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = if self.has_tls() { "s" } else { "" };
        let names = |nodes: &[ConnectionInfo]| {
            nodes.iter().map(|node| node.addr().to_string()).collect::<Vec<_>>().join(",")
        };
        match self {
            Self::Server(server) => {
                write!(f, "redis{s}://{}/{}", server.addr(), server.redis_settings().db())
            }
            Self::Sentinel { sentinels, master, node } => {
                write!(f, "redis{s}+sentinel://{}/{master}/{}", names(sentinels), node.db())
            }
            Self::Cluster(nodes) => write!(f, "redis{s}+cluster://{}", names(nodes)),
        }
    }
}

impl fmt::Debug for RedisPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: &str) {
        let place = RedisPlace::parse(url).map(|place| place.to_string());
        assert_eq!(place.as_deref().unwrap_or("refused"), expected, "{url}");
    }

    #[test]
    fn a_url_says_whether_it_is_a_server_the_master_of_sentinels_or_a_cluster() {
        check("redis://h", "redis://h:6379/0");
        check("rediss://u:p@h:1/2", "rediss://h:1/2");
        check("redis+sentinel://a,b:1/mymaster", "redis+sentinel://a:26379,b:1/mymaster/0");
        check("rediss+sentinel://u:p@a/mymaster/3", "rediss+sentinel://a:26379/mymaster/3");
        check("redis+cluster://u:p@a,b:7001", "redis+cluster://a:6379,b:7001");
        check("rediss+cluster://[::1]:7000/", "rediss+cluster://::1:7000");
    }

    #[test]
    fn credentials_go_to_the_servers_decoded_and_not_to_the_sentinels() {
        let url = "redis+sentinel://me:p%40ss@a:1,b:2/mymaster/3";
        let Some(RedisPlace::Sentinel { sentinels, node, .. }) = RedisPlace::parse(url) else {
            panic!("it is refused");
        };
        assert_eq!((node.username(), node.password(), node.db()), (Some("me"), Some("p@ss"), 3));
        let asked = sentinels.iter().map(|sentinel| sentinel.redis_settings().password());
        assert_eq!(asked.collect::<Vec<_>>(), [None, None]);
        let Some(RedisPlace::Cluster(nodes)) = RedisPlace::parse("redis+cluster://:p%40ss@a,b")
        else {
            panic!("it is refused");
        };
        let password = |node: &ConnectionInfo| node.redis_settings().password() == Some("p@ss");
        assert!(nodes.len() == 2 && nodes.iter().all(password));
    }

    #[test]
    fn what_names_no_server_no_master_or_leaves_the_certificate_unchecked_is_refused() {
        for url in [
            "redis+sentinel://a",
            "redis+sentinel://a/",
            "redis+sentinel:///mymaster",
            "redis+sentinel://a,,b/mymaster",
            "redis+sentinel://a/mymaster/x",
            "redis+sentinel://a/mymaster/0?x=1",
            "redis+cluster://",
            "redis+cluster://a/1",
            "redis+cluster://a:0",
            "redis+other://a",
            "redis+unix:///socket",
            "rediss://h/#insecure",
        ] {
            check(url, "refused");
        }
    }

    #[test]
    fn credentials_are_never_shown() {
        let urls = [
            "redis://u:hunter2@h",
            "redis+sentinel://u:hunter2@h/m",
            "redis+cluster://u:hunter2@h",
        ];
        for url in urls {
            let shown = format!("{0} {0:?}", RedisPlace::parse(url).unwrap());
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}
