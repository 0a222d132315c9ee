//! The connections that jobs ask for by the name of a pool: `mysql.toml` and `redis.toml` say where they go.
//!
//! Nothing is connected before somebody asks. Whoever asks while a connection is being made waits for the same attempt
//! (`attempt`), which runs on the runtime of the jobs: a job that is ended meanwhile takes nothing away from the others.
//! What fails is the error of those who asked, and the next one tries again.

mod attempt;
mod connection;
mod error;
mod mysql;
mod redis;

use std::{collections::BTreeMap, fmt, sync::Arc};

use sqlx::MySqlPool;
use tokio::{runtime::Handle, task::JoinSet};

pub use self::{
    connection::{OwnRedisConnection, RedisConnection},
    error::{File, PoolError},
};
use self::{mysql::MysqlServer, redis::RedisServer};
pub(crate) use self::{mysql::connect_options, redis::clients};
use crate::config::Config;

/// All pools of a program. Clones are the same.
#[derive(Clone, Default)]
pub struct Pools(Arc<Servers>);

#[derive(Default)]
struct Servers {
    mysql: BTreeMap<String, MysqlServer>,
    redis: BTreeMap<String, Arc<RedisServer>>,
}

impl Pools {
    /// The pools of `config`. Nothing is connected yet.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let mysql = config
            .mysql
            .iter()
            .map(|(alias, pool)| (alias.clone(), MysqlServer::new(alias.clone(), pool.clone())));
        let redis = config.redis.iter().map(|(alias, pool)| {
            (alias.clone(), Arc::new(RedisServer::new(alias.clone(), pool.clone())))
        });
        Self(Arc::new(Servers { mysql: mysql.collect(), redis: redis.collect() }))
    }

    /// The pool `alias` of `mysql.toml`, whose connections live on `runtime`.
    ///
    /// # Errors
    /// [`PoolError`]: there is none, or no connection can be made to it.
    pub async fn mysql(&self, alias: &str, runtime: &Handle) -> Result<MySqlPool, PoolError> {
        find(&self.0.mysql, File::Mysql, alias)?.pool(runtime).await
    }

    /// The connection that all share of the pool `alias` of `redis.toml`, which lives on `runtime`. It has answered just
    /// now.
    ///
    /// # Errors
    /// [`PoolError`]: there is none, or it does not answer.
    pub async fn redis(&self, alias: &str, runtime: &Handle) -> Result<RedisConnection, PoolError> {
        let server = find(&self.0.redis, File::Redis, alias)?;
        RedisConnection::new(Arc::clone(server), runtime.clone()).await
    }

    /// A connection of the pool `alias` of `redis.toml` that nobody else has.
    ///
    /// # Errors
    /// [`PoolError`]: there is none, it does not answer, or `maxsize` connections are taken for longer than
    /// `connect_timeout`.
    pub async fn redis_own(
        &self,
        alias: &str,
        runtime: &Handle,
    ) -> Result<OwnRedisConnection, PoolError> {
        let server = find(&self.0.redis, File::Redis, alias)?;
        OwnRedisConnection::new(server, runtime).await
    }

    /// Says good-bye to the servers. Waits for connections that somebody still uses.
    pub async fn close(&self) {
        let made = self.0.mysql.values().filter_map(MysqlServer::made);
        let closing: JoinSet<()> = made.map(|pool| async move { pool.close().await }).collect();
        closing.join_all().await;
        self.0.redis.values().for_each(|server| server.links.forget_all());
    }
}

fn find<'a, T>(
    pools: &'a BTreeMap<String, T>,
    file: File,
    alias: &str,
) -> Result<&'a T, PoolError> {
    pools.get(alias).ok_or_else(|| PoolError::unknown(file, alias, pools.keys()))
}

/// The names: where they go may hold a secret.
impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mysql, redis) = (self.0.mysql.keys(), self.0.redis.keys());
        f.debug_struct("Pools")
            .field("mysql", &mysql.collect::<Vec<_>>())
            .field("redis", &redis.collect::<Vec<_>>())
            .finish()
    }
}

#[cfg(test)]
mod tests;
