//! Bringing the tables to the newest version, and checking that they are fit to run on.
//!
//! Every migration may run again: MySQL commits each change of a table at once, so one that was interrupted
//! (`kill -9`, a lost connection) is simply started over.

use std::{collections::BTreeMap, pin::pin, time::Duration};

use backon::{ConstantBuilder, Retryable as _};
use sqlx::{
    MySqlConnection, SqlSafeStr as _,
    error::DatabaseError,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

use super::{
    SqlStore,
    connection::{Pools, is_worth_a_retry, mysql_number},
    read_only,
};
use crate::store::StoreError;

const TABLE: &str = "scheduler_migration";

/// Version, name and text.
type Step = (i64, &'static str, &'static str);

const SQLITE: [Step; 13] = [
    (1, "tables", include_str!("../../../../migrations/sqlite/0001_tables.sql")),
    (2, "retries", include_str!("../../../../migrations/sqlite/0002_retries.sql")),
    (3, "nodes", include_str!("../../../../migrations/sqlite/0003_nodes.sql")),
    (4, "logs", include_str!("../../../../migrations/sqlite/0004_logs.sql")),
    (5, "retention", include_str!("../../../../migrations/sqlite/0005_retention.sql")),
    (6, "edits", include_str!("../../../../migrations/sqlite/0006_edits.sql")),
    (7, "sessions", include_str!("../../../../migrations/sqlite/0007_sessions.sql")),
    (8, "cancels", include_str!("../../../../migrations/sqlite/0008_cancels.sql")),
    (9, "request_args", include_str!("../../../../migrations/sqlite/0009_request_args.sql")),
    (10, "pauses", include_str!("../../../../migrations/sqlite/0010_pauses.sql")),
    (11, "alarms", include_str!("../../../../migrations/sqlite/0011_alarms.sql")),
    (
        12,
        "history_of_pauses",
        include_str!("../../../../migrations/sqlite/0012_history_of_pauses.sql"),
    ),
    (13, "edited_lately", include_str!("../../../../migrations/sqlite/0013_edited_lately.sql")),
];
const MYSQL: [Step; 13] = [
    (1, "tables", include_str!("../../../../migrations/mysql/0001_tables.sql")),
    (2, "retries", include_str!("../../../../migrations/mysql/0002_retries.sql")),
    (3, "nodes", include_str!("../../../../migrations/mysql/0003_nodes.sql")),
    (4, "logs", include_str!("../../../../migrations/mysql/0004_logs.sql")),
    (5, "retention", include_str!("../../../../migrations/mysql/0005_retention.sql")),
    (6, "edits", include_str!("../../../../migrations/mysql/0006_edits.sql")),
    (7, "sessions", include_str!("../../../../migrations/mysql/0007_sessions.sql")),
    (8, "cancels", include_str!("../../../../migrations/mysql/0008_cancels.sql")),
    (9, "request_args", include_str!("../../../../migrations/mysql/0009_request_args.sql")),
    (10, "pauses", include_str!("../../../../migrations/mysql/0010_pauses.sql")),
    (11, "alarms", include_str!("../../../../migrations/mysql/0011_alarms.sql")),
    (
        12,
        "history_of_pauses",
        include_str!("../../../../migrations/mysql/0012_history_of_pauses.sql"),
    ),
    (13, "edited_lately", include_str!("../../../../migrations/mysql/0013_edited_lately.sql")),
];

/// The version of the tables that this program runs on.
pub(in crate::store) const NEWEST: i64 = MYSQL[MYSQL.len() - 1].0;

/// Changing a large `execute_task` takes its time.
const PATIENCE: Duration = Duration::from_secs(3_600);
const SAY_SO_EVERY: Duration = Duration::from_secs(10);

/// What decides who runs a fire: table and key.
const UNIQUE_KEYS: [(&str, &[&str]); 2] =
    [("task", &["task_key", "status"]), ("execute_task", &["task_id", "scheduled_at", "attempt"])];

impl SqlStore {
    pub(super) async fn run_migrations(&self) -> Result<(), StoreError> {
        // Asking first: a user without the right to change tables can run what is migrated already.
        if self.version().await? == NEWEST {
            return Ok(());
        }
        let migrated = tokio::time::timeout(PATIENCE, self.migrate_and_say_so()).await;
        let operation = "migrating";
        migrated.map_err(|_| StoreError::Deadline { operation, after: PATIENCE })?.map_err(
            |source| match source {
                MigrateError::VersionMissing(version) => self.newer_schema(version),
                source => StoreError::Migrate { database: self.database.clone(), source },
            },
        )
    }

    /// Nobody shall wonder what a start waits for.
    async fn migrate_and_say_so(&self) -> Result<(), MigrateError> {
        let mut migrated = pin!(self.migrate_beside_others());
        loop {
            match tokio::time::timeout(SAY_SO_EVERY, &mut migrated).await {
                Ok(migrated) => return migrated,
                Err(_) => tracing::warn!(
                    database = self.database,
                    "still migrating the tables: a large execute_task takes its time, as does a database that does not answer"
                ),
            }
        }
    }

    /// Of two programs that start at once, the slower one finds the database busy, or its own work done: SQLite
    /// has no lock that spans a migration.
    async fn migrate_beside_others(&self) -> Result<(), MigrateError> {
        let attempt = || async {
            let migrated = self.migrate_once().await;
            let is_done =
                migrated.is_err() && self.version().await.is_ok_and(|version| version == NEWEST);
            if is_done { Ok(()) } else { migrated }
        };
        let patience = ConstantBuilder::new()
            .with_delay(Duration::from_millis(100))
            .with_max_times(100)
            .with_jitter();
        attempt.retry(patience).when(was_somebody_faster).await
    }

    async fn migrate_once(&self) -> Result<(), MigrateError> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => {
                let mut connection = writer.acquire().await?;
                unless_missing(sqlx::query(FORGET_INTERRUPTED).execute(&mut *connection).await)?;
                migrator(SQLITE).run_direct(None, &mut *connection, false).await
            }
            Pools::Mysql(pool) => {
                // Taken out of its pool it is closed in the end, and the lock with it, however that end comes.
                let mut connection = pool.acquire().await?.detach();
                self.wait_for_others(&mut connection).await?;
                unless_missing(sqlx::query(FORGET_INTERRUPTED).execute(&mut connection).await)?;
                migrator(MYSQL).set_locking(false).run_direct(None, &mut connection, false).await
            }
        }
    }

    /// Takes the lock of those who migrate this database. The migrator's own asks the server to wait without
    /// end by a time-out of -1, which MariaDB answers with NULL: it would go on without a lock.
    async fn wait_for_others(&self, connection: &mut MySqlConnection) -> Result<(), MigrateError> {
        loop {
            let lock = sqlx::query_scalar::<_, Option<i64>>(LOCK).bind(LOCK_WAIT.as_secs());
            match lock.fetch_one(&mut *connection).await? {
                Some(1) => return Ok(()),
                Some(_) => {
                    tracing::info!(
                        database = self.database,
                        "waiting: another program migrates the tables"
                    );
                }
                None => return Err(sqlx::Error::Protocol(NO_LOCK.to_owned()).into()),
            }
        }
    }

    /// The version of the tables; 0: never migrated.
    pub(super) async fn version(&self) -> Result<i64, StoreError> {
        let read = read_only!(self, "reading the version of the tables", connection => async {
            match connection.fetch(READ_VERSION, &[]).await {
                Ok(rows) => Ok(rows.first().and_then(|row| row[0].int()).unwrap_or(0)),
                // The table is not there yet.
                Err(error) if is_missing_table(&error) => Ok(0),
                Err(error) => Err(error),
            }
        });
        read.and_then(
            |version| if version > NEWEST { Err(self.newer_schema(version)) } else { Ok(version) },
        )
    }

    fn newer_schema(&self, version: i64) -> StoreError {
        StoreError::Schema(format!(
            "the tables in {} are at version {version}, this program knows versions up to {NEWEST}: run a newer \
             program, nothing was changed",
            self.database
        ))
    }

    pub(super) async fn check_tables(&self) -> Result<(), StoreError> {
        let version = self.version().await?;
        if version < NEWEST {
            return Err(StoreError::Schema(format!(
                "the tables in {} are at version {version}, expected {NEWEST}: run `scheduler migrate`",
                self.database
            )));
        }
        let rows = read_only!(self, "reading the unique keys", connection =>
            connection.fetch(self.sql.read_unique_keys, &[]))?;
        let mut keys: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for row in &rows {
            let index = (row[0].to_lossy().to_lowercase(), row[1].to_lossy());
            keys.entry(index).or_default().push(row[2].to_lossy());
        }
        for (table, columns) in UNIQUE_KEYS {
            let is_there = keys.iter().any(|((of, _), key)| of == table && key.iter().eq(columns));
            if !is_there {
                return Err(StoreError::Schema(format!(
                    "table {table} in {} has no unique key ({}), expected one, since it decides who runs a fire: \
                     remove duplicate rows and create it, nothing was changed",
                    self.database,
                    columns.join(", ")
                )));
            }
        }
        Ok(())
    }
}

fn migrator(steps: [Step; 13]) -> Migrator {
    let migration = |(version, name, sql): Step| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    let mut migrator = Migrator::with_migrations(steps.map(migration).into());
    migrator.dangerous_set_table_name(TABLE);
    migrator
}

/// Before the first migration there is nothing to forget.
fn unless_missing<T>(forgotten: Result<T, sqlx::Error>) -> Result<(), sqlx::Error> {
    match forgotten {
        Err(error) if !is_missing_table(&error) => Err(error),
        _ => Ok(()),
    }
}

fn was_somebody_faster(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else {
        return false;
    };
    is_worth_a_retry(error)
        || error.as_database_error().is_some_and(DatabaseError::is_unique_violation)
}

/// MySQL's 1146; SQLite has no code of its own for it.
pub(super) fn is_missing_table(error: &sqlx::Error) -> bool {
    mysql_number(error) == Some(1146)
        || error
            .as_database_error()
            .is_some_and(|error| error.message().starts_with("no such table"))
}

const READ_VERSION: &str = "SELECT MAX(version) FROM scheduler_migration WHERE success = 1";
/// Locks have one name space for the server and at most 64 characters.
const LOCK: &str = "SELECT GET_LOCK(CONCAT('scheduler_migration.', MD5(DATABASE())), ?)";
const LOCK_WAIT: Duration = Duration::from_secs(10);
const NO_LOCK: &str = "the server gave no lock (GET_LOCK is NULL): was the statement killed?";
/// For who migrates alone: what was begun and not ended, nobody is at any more.
const FORGET_INTERRUPTED: &str = "DELETE FROM scheduler_migration WHERE success = 0";
