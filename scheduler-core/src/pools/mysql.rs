//! Pools of MySQL and MariaDB.

use std::{str::FromStr as _, sync::Arc};

use secrecy::ExposeSecret as _;
use sqlx::{
    ConnectOptions as _, Connection as _, Executor as _, MySqlPool,
    mysql::{MySqlConnectOptions, MySqlPoolOptions, MySqlSslMode},
};
use tokio::runtime::Handle;

use super::{File, PoolError, attempt::Attempts};
use crate::config::{MysqlPool, Tls};

/// A table of `mysql.toml`, and the pool that was made of it.
pub(super) struct MysqlServer {
    alias: String,
    config: MysqlPool,
    pools: Attempts<MySqlPool>,
}

impl MysqlServer {
    pub(super) fn new(alias: String, config: MysqlPool) -> Self {
        Self { alias, config, pools: Attempts::new() }
    }

    /// The pool. It has a connection, or could make one just now: its own attempts would hide why they fail. One that a
    /// job has closed is made anew.
    pub(super) async fn pool(&self, runtime: &Handle) -> Result<MySqlPool, PoolError> {
        self.pools.forget_if(MySqlPool::is_closed);
        if let Some(pool) = self.pools.made() {
            if pool.size() == 0 {
                probe(self.alias.clone(), self.config.clone()).await?;
            }
            return Ok(pool);
        }
        let make = || make(self.alias.clone(), self.config.clone());
        self.pools.current(runtime, make).result().await
    }

    pub(super) fn made(&self) -> Option<MySqlPool> {
        self.pools.made()
    }
}

async fn make(alias: String, config: MysqlPool) -> Result<MySqlPool, PoolError> {
    let connect = probe(alias, config.clone()).await?;
    Ok(MySqlPoolOptions::new()
        .max_connections(config.maxsize)
        .idle_timeout(config.stale_timeout)
        .acquire_timeout(config.connect_timeout)
        // In place of the driver's ping, at the same price: a job that was ended while it began a transaction leaves it
        // open, and what the next one writes would be lost.
        .test_before_acquire(false)
        .before_acquire(|connection, _| {
            Box::pin(async move { connection.execute("ROLLBACK").await.map(|_| true) })
        })
        .connect_lazy_with(connect))
}

/// Connects once, and says why if that fails.
async fn probe(alias: String, config: MysqlPool) -> Result<MySqlConnectOptions, PoolError> {
    // The server's own mode counts, as for every other program.
    let connect = connect_options(&config)
        .charset("utf8mb4")
        .pipes_as_concat(false)
        .no_engine_substitution(false);
    let server = format!(
        "mysql://{}@{}:{}/{}",
        connect.get_username(),
        connect.get_host(),
        connect.get_port(),
        connect.get_database().unwrap_or_default()
    );
    let probe = async { connect.connect().await?.close().await };
    match tokio::time::timeout(config.connect_timeout, probe).await {
        Ok(Ok(())) => Ok(connect),
        Ok(Err(error)) => {
            let source = Arc::new(error);
            Err(PoolError::NoConnection { file: File::Mysql, alias, server, source })
        }
        Err(_) => Err(PoolError::TooLate {
            file: File::Mysql,
            alias,
            what: format!("no answer from {server}"),
            within: config.connect_timeout,
        }),
    }
}

/// Address, user, database and TLS of a pool.
///
/// # Panics
/// Never: the configuration checked that a `url` parses.
pub(crate) fn connect_options(pool: &MysqlPool) -> MySqlConnectOptions {
    if let Some(url) = &pool.url {
        return MySqlConnectOptions::from_str(url.expose_secret())
            .expect("the configuration checked the url");
    }
    let connect = MySqlConnectOptions::new()
        .host(&pool.host)
        .port(pool.port)
        .database(&pool.db)
        .username(&pool.user)
        .ssl_mode(match pool.tls {
            Tls::Disabled => MySqlSslMode::Disabled,
            Tls::Preferred => MySqlSslMode::Preferred,
            Tls::Required => MySqlSslMode::Required,
            Tls::VerifyCa => MySqlSslMode::VerifyCa,
            Tls::VerifyIdentity => MySqlSslMode::VerifyIdentity,
        });
    let password = pool.password.expose_secret();
    // The driver sends the hash of an empty password as if it were one.
    let connect = if password.is_empty() { connect } else { connect.password(password) };
    match &pool.ssl_ca {
        Some(ca) => connect.ssl_ca(ca),
        None => connect,
    }
}
