//! What a job holds of a pool of Redis.

use std::{fmt, io, sync::Arc};

use redis::{
    Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, RedisResult, ServerErrorKind, Value,
    aio::ConnectionLike,
};
use tokio::{runtime::Handle, sync::OwnedSemaphorePermit, time::timeout};

use super::{
    PoolError,
    attempt::Attempt,
    redis::{Link, RedisServer},
};

/// The connection of a pool of Redis that all jobs share. Clones are the same; commands of several jobs go out together
/// and none waits for another.
///
/// After a failure of the connection, an answer that does not come within `response_timeout`, or a server that is no
/// master any more, the next command makes a new one: to the master that the sentinels name then, if it goes by them. No
/// command is sent twice.
///
/// Commands that change the connection or wait in the server (`BLPOP`, `WATCH`, `SUBSCRIBE`, `SELECT`) need a
/// [connection of their own](crate::Context::redis_own).
#[derive(Clone)]
pub struct RedisConnection {
    server: Arc<RedisServer>,
    runtime: Handle,
}

impl RedisConnection {
    /// The connection, which has answered just now. One that broke since it was last used is made anew.
    pub(super) async fn new(server: Arc<RedisServer>, runtime: Handle) -> Result<Self, PoolError> {
        let connection = Self { server, runtime };
        if !connection.answers().await? && !connection.answers().await? {
            return Err(connection.server.is_silent());
        }
        Ok(connection)
    }

    /// Whether the connection is well; if it was broken it is forgotten.
    async fn answers(&self) -> Result<bool, PoolError> {
        let mut attempt = self.attempt();
        let mut link = attempt.result().await?;
        if matches!(link, Link::Cluster(_)) {
            // It would have to come from all masters, and the job may need only one of them.
            return Ok(true);
        }
        let ping = redis::cmd("PING");
        let answer = timeout(self.server.config.connect_timeout, link.req_packed_command(&ping));
        let Ok(answer) = answer.await else {
            self.server.links.forget(&attempt);
            return Err(self.server.is_silent());
        };
        self.judge(&attempt, &link, &answer);
        Ok(!answer.is_err_and(|error| is_lost(&error)))
    }

    fn attempt(&self) -> Attempt<Link> {
        let connect = || self.server.connect(Some(self.server.config.response_timeout));
        self.server.links.current(&self.runtime, connect)
    }

    /// Forgets the link if it is of no use any more.
    fn judge<T>(&self, attempt: &Attempt<Link>, link: &Link, answer: &RedisResult<T>) {
        if matches!(link, Link::One(_)) && answer.as_ref().is_err_and(is_lost) {
            self.server.links.forget(attempt);
        }
    }
}

/// Whether the connection is gone, or leads to a server that does not answer or is not the master.
fn is_lost(error: &RedisError) -> bool {
    let is_no_master = error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly);
    error.is_unrecoverable_error() || error.is_io_error() || is_no_master
}

fn no_link(error: PoolError) -> RedisError {
    io::Error::new(io::ErrorKind::NotConnected, error).into()
}

impl ConnectionLike for RedisConnection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let mut attempt = self.attempt();
            let mut link = attempt.result().await.map_err(no_link)?;
            let answer = link.req_packed_command(command).await;
            self.judge(&attempt, &link, &answer);
            answer
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let mut attempt = self.attempt();
            let mut link = attempt.result().await.map_err(no_link)?;
            let answer = link.req_packed_commands(pipeline, offset, count).await;
            self.judge(&attempt, &link, &answer);
            answer
        })
    }

    fn get_db(&self) -> i64 {
        self.server.links.made().map_or(0, |link| link.get_db())
    }
}

impl fmt::Debug for RedisConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisConnection({:?})", self.server.alias)
    }
}

/// A connection to Redis that one job has to itself: for commands that wait in the server or change the connection. An
/// answer may take as long as it will; the job's `timeout` ends it. When this is dropped the connection is closed.
pub struct OwnRedisConnection {
    link: Link,
    alias: String,
    _place: OwnedSemaphorePermit,
}

impl OwnRedisConnection {
    pub(super) async fn new(server: &RedisServer, runtime: &Handle) -> Result<Self, PoolError> {
        let place = Arc::clone(&server.places).acquire_owned();
        let place = timeout(server.config.connect_timeout, place).await;
        let Ok(Ok(place)) = place else {
            let most = server.config.maxsize;
            return Err(server.is_late(format!("none of {most} connections became free")));
        };
        let link = runtime.spawn(server.connect(None)).await;
        let link = link.unwrap_or(Err(PoolError::GivenUp))?;
        Ok(Self { link, alias: server.alias.clone(), _place: place })
    }
}

impl ConnectionLike for OwnRedisConnection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        self.link.req_packed_command(command)
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        self.link.req_packed_commands(pipeline, offset, count)
    }

    fn get_db(&self) -> i64 {
        self.link.get_db()
    }
}

impl fmt::Debug for OwnRedisConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OwnRedisConnection({:?})", self.alias)
    }
}
