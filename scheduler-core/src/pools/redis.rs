//! How connections to Redis are made.

use std::{sync::Arc, time::Duration};

use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, Pipeline, ProtocolVersion, RedisFuture,
    RedisResult, TlsCertificates, TlsMode, Value,
    aio::{ConnectionLike, MultiplexedConnection},
    cluster::ClusterClientBuilder,
    cluster_async::ClusterConnection,
    sentinel::{SentinelClientBuilder, SentinelServerType},
};
use secrecy::ExposeSecret as _;
use tokio::sync::Semaphore;

use super::{File, PoolError, attempt::Attempts};
use crate::config::{RedisPlace, RedisPool};

/// A table of `redis.toml`, and the connections that were made by it.
pub(super) struct RedisServer {
    pub(super) alias: String,
    pub(super) config: RedisPool,
    /// The connection that all share.
    pub(super) links: Attempts<Link>,
    /// Places for connections that one job has to itself.
    pub(super) places: Arc<Semaphore>,
}

/// A connection.
#[derive(Clone)]
pub(super) enum Link {
    One(MultiplexedConnection),
    /// It follows the changes of its cluster by itself.
    Cluster(Box<ClusterConnection>),
}

impl RedisServer {
    pub(super) fn new(alias: String, config: RedisPool) -> Self {
        let places = usize::try_from(config.maxsize).unwrap_or(Semaphore::MAX_PERMITS);
        Self { alias, config, links: Attempts::new(), places: Arc::new(Semaphore::new(places)) }
    }

    /// Connects; an answer then takes `answers_within` at most.
    pub(super) fn connect(
        &self,
        answers_within: Option<Duration>,
    ) -> impl Future<Output = Result<Link, PoolError>> + Send + 'static {
        let (alias, config) = (self.alias.clone(), self.config.clone());
        let silent = self.is_silent();
        async move {
            let within = config.connect_timeout;
            match tokio::time::timeout(within, connect(&config, answers_within)).await {
                Ok(Ok(link)) => Ok(link),
                Ok(Err(error)) if error.is_timeout() => Err(silent),
                Ok(Err(error)) => Err(PoolError::NoConnection {
                    file: File::Redis,
                    alias,
                    server: shown(&config),
                    source: Arc::new(error),
                }),
                Err(_) => Err(silent),
            }
        }
    }

    /// It does not answer.
    pub(super) fn is_silent(&self) -> PoolError {
        self.is_late(format!("no answer from {}", shown(&self.config)))
    }

    pub(super) fn is_late(&self, what: String) -> PoolError {
        let (file, alias) = (File::Redis, self.alias.clone());
        PoolError::TooLate { file, alias, what, within: self.config.connect_timeout }
    }
}

fn shown(config: &RedisPool) -> String {
    config.place().map_or_else(String::new, |place| place.to_string())
}

async fn connect(config: &RedisPool, answers_within: Option<Duration>) -> RedisResult<Link> {
    if let Some(RedisPlace::Cluster(nodes)) = config.place() {
        let mut builder =
            ClusterClientBuilder::new(nodes).connection_timeout(config.connect_timeout);
        if let Some(within) = answers_within {
            builder = builder.response_timeout(within);
        }
        if let Some(certificates) = certificates(config)? {
            builder = builder.certs(certificates);
        }
        let cluster = builder.build()?.get_async_connection().await?;
        return Ok(Link::Cluster(Box::new(cluster)));
    }
    let options = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(config.connect_timeout))
        .set_response_timeout(answers_within);
    let clients = clients(config, None).await?;
    let client = clients.first().ok_or_else(nowhere)?;
    client.get_multiplexed_async_connection_with_config(&options).await.map(Link::One)
}

/// Those who connect to the servers where a pool is, with `protocol` in place of the url's: one, or one for each known
/// node of a cluster. Sentinels are asked for the master.
pub(crate) async fn clients(
    config: &RedisPool,
    protocol: Option<ProtocolVersion>,
) -> RedisResult<Vec<Client>> {
    let place = config.place().ok_or_else(nowhere)?;
    let certificates = certificates(config)?;
    let client = |server: ConnectionInfo| {
        let settings = server.redis_settings().clone();
        let server = match protocol {
            Some(protocol) => server.set_redis_settings(settings.set_protocol(protocol)),
            None => server,
        };
        match &certificates {
            Some(certificates) => Client::build_with_tls(server, certificates.clone()),
            None => Client::open(server),
        }
    };
    match place {
        RedisPlace::Server(server) => Ok(vec![client(server)?]),
        RedisPlace::Cluster(nodes) => nodes.into_iter().map(client).collect(),
        RedisPlace::Sentinel { ref sentinels, ref master, ref node } => {
            let addresses = sentinels.iter().map(|sentinel| sentinel.addr().clone());
            let mut builder =
                SentinelClientBuilder::new(addresses, master, SentinelServerType::Master)?
                    .set_client_to_redis_db(node.db())
                    .set_client_to_redis_protocol(protocol.unwrap_or_else(|| node.protocol()));
            if let Some(user) = node.username() {
                builder = builder.set_client_to_redis_username(user);
            }
            if let Some(password) = node.password() {
                builder = builder.set_client_to_redis_password(password);
            }
            if let Some(user) = &config.sentinel_user {
                builder = builder.set_client_to_sentinel_username(user);
            }
            if let Some(password) = &config.sentinel_password {
                builder = builder.set_client_to_sentinel_password(password.expose_secret());
            }
            if place.has_tls() {
                builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
            }
            if let Some(certificates) = certificates {
                builder = builder
                    .set_client_to_sentinel_certificates(certificates.clone())
                    .set_client_to_redis_certificates(certificates);
            }
            Ok(vec![builder.build()?.async_get_client().await?])
        }
    }
}

/// What a server's certificate is checked against, if not the public authorities.
fn certificates(config: &RedisPool) -> RedisResult<Option<TlsCertificates>> {
    if config.place().is_some_and(|place| place.has_tls()) {
        // The library takes the provider of the process, and a program may have linked several. Whoever chose before us
        // has chosen.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let Some(path) = &config.ssl_ca else { return Ok(None) };
    let read = std::fs::read(path).map_err(|error| {
        std::io::Error::new(error.kind(), format!("ssl_ca {}: {error}", path.display()))
    });
    Ok(Some(TlsCertificates { client_tls: None, root_cert: Some(read?) }))
}

fn nowhere() -> redis::RedisError {
    (redis::ErrorKind::InvalidClientConfig, "bug: the configuration checked the url").into()
}

impl ConnectionLike for Link {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::One(link) => link.req_packed_command(command),
            Self::Cluster(link) => link.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::One(link) => link.req_packed_commands(pipeline, offset, count),
            Self::Cluster(link) => link.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::One(link) => link.get_db(),
            Self::Cluster(link) => link.get_db(),
        }
    }
}
