//! Word of an edit, by Redis: whoever edits the tables publishes one small message, and every scheduler that hears it
//! reads them at once. Redis carries nothing else, and nothing rests on it: what nobody tells is seen with the next
//! reading anyway, `sync_interval` later at most.
//!
//! ```text
//!   task add, enable, … ─PUBLISH─▶ Redis [default] ─push─▶ Wakeups ─one permit─▶ Wanted ─▶ Event::Wake
//! ```
//!
//! Nothing is kept of a message but that there was one, so there is nothing that a flood could fill.

use std::{sync::Arc, time::Duration};

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use redis::{
    AsyncConnectionConfig, ProtocolVersion, PushInfo, PushKind, RedisError, RedisResult,
    aio::MultiplexedConnection,
};
use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::{mono, sleep_at_most_5s},
    config::{Config, RedisPool},
    pools::clients,
    store::{Desk, SharedStore, StoreError},
};

/// The pool of `redis.toml` that carries the word.
const POOL: &str = "default";

/// Whoever edits waits no longer for Redis.
const TELLING: Duration = Duration::from_millis(500);

/// The loop is woken no sooner again.
const BETWEEN: Duration = Duration::from_millis(100);

/// A connection from which nothing came for so long is asked whether it is still there.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// A connection that lasted so long was a good one.
const LASTED: Duration = Duration::from_secs(10);

/// Tells all schedulers on these tables that somebody has edited them, if `redis.toml` has a pool `default`. Takes half a
/// second at most, beside one call to the database. Where Redis is not there, the edit stands all the same.
pub async fn tell_of_an_edit(config: &Config, store: &dyn Desk) {
    let Some(pool) = config.redis.get(POOL) else { return };
    let channel = match channel(store).await {
        Ok(channel) => channel,
        Err(error) => return tracing::debug!("nobody is told of the edit: {}", error.chain()),
    };
    match timeout(TELLING, publish(pool, &channel)).await {
        Ok(Ok(heard)) => tracing::debug!(heard, "schedulers are told of the edit"),
        Ok(Err(error)) => tracing::debug!("nobody is told of the edit: {error}"),
        Err(_) => tracing::debug!("nobody is told of the edit: no answer from Redis"),
    }
}

/// Named after the database: by when it was adopted, since addresses differ from machine to machine, and several systems
/// may use one Redis.
async fn channel(store: &dyn Desk) -> Result<String, StoreError> {
    Ok(format!("scheduler:edited:{}", store.adopted_at().await?.timestamp_millis()))
}

/// How many schedulers heard it, as far as the server knows.
async fn publish(pool: &RedisPool, channel: &str) -> RedisResult<u64> {
    let options = AsyncConnectionConfig::new();
    let mut connection = connect(pool, None, &options, TELLING / 4).await?;
    redis::cmd("PUBLISH").arg(channel).arg("edited").query_async(&mut connection).await
}

/// A connection to the first server that takes it within `patience`, or to the last one, however long that takes: any node
/// of a cluster passes on what is published, and one that is silent costs `patience` and no more.
async fn connect(
    pool: &RedisPool,
    protocol: Option<ProtocolVersion>,
    options: &AsyncConnectionConfig,
    patience: Duration,
) -> RedisResult<MultiplexedConnection> {
    let mut clients = clients(pool, protocol).await?;
    let last = clients.pop().expect("a pool has one server at least");
    let mut refused: Option<RedisError> = None;
    for client in clients {
        let connecting = client.get_multiplexed_async_connection_with_config(options);
        match timeout(patience, connecting).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => drop(refused.get_or_insert(error)),
            Err(_) => {}
        }
    }
    let connected = last.get_multiplexed_async_connection_with_config(options).await;
    connected.map_err(|error| refused.unwrap_or(error))
}

/// Listens to Redis beside the loop.
pub(super) struct Wakeups {
    pool: RedisPool,
    store: SharedStore,
    wanted: Arc<Notify>,
    stop: CancellationToken,
}

/// Somebody wants the tables to be read.
pub(super) struct Wanted {
    wanted: Arc<Notify>,
    /// When the loop was woken last.
    woken_at: Option<Duration>,
}

impl Wanted {
    /// Returns when somebody wants it, but not sooner than [`BETWEEN`] after the last time. Cancel-safe.
    pub(super) async fn next(&mut self) {
        let rest = self.woken_at.and_then(|at| (at + BETWEEN).checked_sub(mono()));
        if let Some(rest) = rest {
            sleep_at_most_5s(rest).await;
        }
        self.wanted.notified().await;
        self.woken_at = Some(mono());
    }
}

/// The listener for the pool of `config` that carries the word, if there is one, is started; ends with `stop`. Who notifies
/// `wanted` is heard, too.
pub(super) fn listen(
    pool: Option<RedisPool>,
    store: &SharedStore,
    wanted: &Arc<Notify>,
    stop: &CancellationToken,
) -> Wanted {
    let wanted = Arc::clone(wanted);
    if let Some(pool) = pool {
        let (store, wanted, stop) = (Arc::clone(store), Arc::clone(&wanted), stop.clone());
        tokio::spawn(Wakeups { pool, store, wanted, stop }.run());
    }
    Wanted { wanted, woken_at: None }
}

/// The pool that carries the word.
pub(super) fn pool(config: &Config) -> Option<RedisPool> {
    config.redis.get(POOL).cloned()
}

impl Wakeups {
    /// Listens, and connects again and again, until it is stopped. Says once that Redis is gone, and once that it is back.
    async fn run(self) {
        let Some(channel) = self.channel().await else { return };
        let mut pauses = pauses();
        let mut is_gone = false;
        while !self.stop.is_cancelled() {
            let began = mono();
            let reason = tokio::select! {
                () = self.stop.cancelled() => return,
                reason = self.hear(&channel, &mut is_gone) => reason,
            };
            if !std::mem::replace(&mut is_gone, true) {
                tracing::warn!(
                    "no word of edits from Redis ({POOL} in redis.toml), they are seen within sync_interval: {reason}"
                );
            }
            if mono() - began > LASTED {
                pauses = self::pauses();
            }
            self.rest(pauses.next().unwrap_or_default()).await;
        }
    }

    /// As the database says, which may be away; `None`: stopped.
    async fn channel(&self) -> Option<String> {
        // No call to a database is dropped half way, and each has a deadline.
        while !self.stop.is_cancelled() {
            if let Ok(channel) = channel(&*self.store).await {
                return Some(channel);
            }
            self.rest(ASK_EVERY).await;
        }
        None
    }

    /// Hears until it cannot any more, and says why.
    async fn hear(&self, channel: &str, is_gone: &mut bool) -> String {
        let lost = Arc::new(Notify::new());
        let mut connection = match self.subscribe(channel, &lost).await {
            Ok(connection) => connection,
            Err(error) => return error.to_string(),
        };
        if std::mem::take(is_gone) {
            tracing::info!("word of edits comes from Redis again");
        }
        // What was told before nobody heard.
        self.wanted.notify_one();
        loop {
            tokio::select! {
                () = lost.notified() => return "the connection was closed".to_owned(),
                () = sleep_at_most_5s(ASK_EVERY) => {}
            }
            // A connection that a firewall forgot looks like one from which nothing comes.
            let answer: RedisResult<()> = redis::cmd("PING").exec_async(&mut connection).await;
            if let Err(error) = answer {
                return error.to_string();
            }
        }
    }

    async fn subscribe(
        &self,
        channel: &str,
        lost: &Arc<Notify>,
    ) -> RedisResult<MultiplexedConnection> {
        let (wanted, lost) = (Arc::clone(&self.wanted), Arc::clone(lost));
        let heard = move |push: PushInfo| {
            match push.kind {
                PushKind::Message => wanted.notify_one(),
                PushKind::Disconnection => lost.notify_one(),
                _ => {}
            }
            Ok::<(), redis::aio::SendError>(())
        };
        let options = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.pool.connect_timeout))
            .set_response_timeout(Some(self.pool.response_timeout))
            .set_push_sender(heard);
        // Messages come as pushes beside the answers only by the newer protocol, which servers have since Redis 6.
        let patience = self.pool.connect_timeout;
        let mut connection =
            connect(&self.pool, Some(ProtocolVersion::RESP3), &options, patience).await?;
        connection.subscribe(channel).await?;
        Ok(connection)
    }

    async fn rest(&self, pause: Duration) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = sleep_at_most_5s(pause) => {}
        }
    }
}

/// From 0.1 s on, up to between 2.5 s and 5 s: many nodes lose a server together and shall not come back together.
fn pauses() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_millis(2_500))
        .without_max_times()
        .with_jitter()
        .build()
}
