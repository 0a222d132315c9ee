//! Opens the store that the configuration names.

use std::sync::Arc;

use crate::{
    config::{Config, MysqlPool, StoreChoice},
    pools::connect_options,
    store::{MysqlPlace, SharedStore, SqlStore, StoreError},
};

/// Connects to the store of `config`; nothing is migrated yet.
///
/// # Errors
/// [`StoreError::Unreachable`].
///
/// # Panics
/// Never: the configuration checked that `mysql` has a pool and that a `url` parses.
pub async fn open_store(config: &Config) -> Result<SharedStore, StoreError> {
    open_small_store(config, u32::MAX).await
}

/// The same, which takes `most` connections of a MySQL server at once, or fewer where the configuration says so.
///
/// # Errors
/// [`StoreError::Unreachable`].
pub(crate) async fn open_small_store(
    config: &Config,
    most: u32,
) -> Result<SharedStore, StoreError> {
    let deadline = config.common.database_timeout;
    let store = match &config.common.store {
        StoreChoice::Sqlite(path) => SqlStore::sqlite(path, deadline).await?,
        StoreChoice::Mysql => {
            let pool = config.mysql.get("default").expect("the configuration checked [default]");
            let mut place = place(pool);
            place.max_connections = place.max_connections.min(most);
            SqlStore::mysql(place, deadline).await?
        }
    };
    Ok(Arc::new(store))
}

/// The same, with the tables brought to the newest version and found fit to use; an SQLite file is created.
///
/// # Errors
/// When the database does not answer, refuses, or lacks a key that the scheduler relies on.
pub async fn open_and_migrate(config: &Config) -> Result<SharedStore, StoreError> {
    let store = open_store(config).await?;
    store.migrate().await?;
    store.check_schema().await?;
    Ok(store)
}

fn place(pool: &MysqlPool) -> MysqlPlace {
    MysqlPlace {
        connect: connect_options(pool),
        max_connections: pool.maxsize,
        idle_timeout: pool.stale_timeout,
        connect_timeout: pool.connect_timeout,
    }
}
