//! Who does to the tables what a person does by SQL.

use std::{path::Path, sync::Arc, time::Duration};

use chrono::{SubsecRound as _, TimeDelta};
use sqlx::{
    AssertSqlSafe, Executor as _, Row as _, SqlitePool,
    mysql::{MySqlConnectOptions, MySqlPool, MySqlPoolOptions},
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

use crate::{
    clock,
    plan::{
        execution::ExecutionId,
        task::{TaskId, TaskRow},
    },
    store::{ExecutionRow, memory::MemoryStore},
};

/// A person with a connection of their own.
#[derive(Debug)]
pub enum Operator {
    /// Edits the tables in memory directly.
    Memory(Arc<MemoryStore>),
    /// Writes SQL.
    Sqlite(SqlitePool),
    /// Writes SQL.
    Mysql(MySqlPool),
}

impl Operator {
    pub(super) async fn sqlite(path: &Path) -> Self {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .busy_timeout(Duration::from_secs(60));
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
        Self::Sqlite(pool.expect("the file opens"))
    }

    pub(super) fn mysql(connect: MySqlConnectOptions) -> Self {
        // Whatever the server's settings, a person's edit is committed when it is made.
        const SESSION: &str = "SET SESSION autocommit = 1, SESSION completion_type = 0";
        let pool = MySqlPoolOptions::new().max_connections(4).after_connect(|connection, _| {
            Box::pin(async move { connection.execute(sqlx::raw_sql(SESSION)).await.map(drop) })
        });
        Self::Mysql(pool.connect_lazy_with(connect))
    }

    /// Whether statements are written in MySQL's dialect.
    #[must_use]
    pub fn is_mysql(&self) -> bool {
        matches!(self, Self::Mysql(_))
    }

    /// Runs statements that read the same in both dialects.
    ///
    /// # Panics
    /// When one fails, and in memory.
    pub async fn sql(&self, sql: &str) {
        let text = AssertSqlSafe(sql.to_owned());
        let done = match self {
            Self::Memory(_) => panic!("bug: SQL for the store in memory: {sql}"),
            Self::Sqlite(pool) => sqlx::raw_sql(text).execute(pool).await.map(drop),
            Self::Mysql(pool) => sqlx::raw_sql(text).execute(pool).await.map(drop),
        };
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Runs the text of its dialect.
    ///
    /// # Panics
    /// When it fails, and in memory.
    pub async fn either(&self, sqlite: &str, mysql: &str) {
        self.sql(if self.is_mysql() { mysql } else { sqlite }).await;
    }

    /// The rows of a query as text; NULL reads `NULL`.
    ///
    /// # Panics
    /// When it fails, and in memory.
    pub async fn query(&self, sql: &str) -> Vec<Vec<String>> {
        fn text(value: Result<Option<String>, sqlx::Error>) -> String {
            value.expect("the column is text").unwrap_or_else(|| "NULL".to_owned())
        }
        let statement = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Memory(_) => panic!("bug: SQL for the store in memory: {sql}"),
            Self::Sqlite(pool) => {
                let rows = sqlx::raw_sql(statement)
                    .fetch_all(pool)
                    .await
                    .unwrap_or_else(|error| panic!("{sql}: {error}"));
                let cells = |row: &sqlx::sqlite::SqliteRow| {
                    (0..row.len()).map(|index| text(row.try_get_unchecked(index))).collect()
                };
                rows.iter().map(cells).collect()
            }
            // Unprepared, MySQL sends every value as text.
            Self::Mysql(pool) => {
                let rows = sqlx::raw_sql(statement)
                    .fetch_all(pool)
                    .await
                    .unwrap_or_else(|error| panic!("{sql}: {error}"));
                let cells = |row: &sqlx::mysql::MySqlRow| {
                    (0..row.len()).map(|index| text(row.try_get_unchecked(index))).collect()
                };
                rows.iter().map(cells).collect()
            }
        }
    }

    /// Sets `task.status`.
    pub async fn set_status(&self, task: TaskId, status: &str) {
        match self {
            Self::Memory(memory) => memory.edit(task, |row| row.status = Ok(status.to_owned())),
            _ => {
                self.sql(&format!("UPDATE task SET status = '{status}' WHERE id = {task}")).await;
            }
        }
    }

    /// Sets `task.spec`.
    pub async fn set_spec(&self, task: TaskId, spec: &str) {
        match self {
            Self::Memory(memory) => memory.edit(task, |row| row.spec = Ok(spec.to_owned())),
            _ => {
                self.sql(&format!("UPDATE task SET spec = '{spec}' WHERE id = {task}")).await;
            }
        }
    }

    /// Sets `task.update_at` as if it was edited so many seconds ago.
    pub async fn set_edited(&self, task: TaskId, seconds_ago: i64) {
        if let Self::Memory(memory) = self {
            let at = clock::wall().trunc_subsecs(0) - TimeDelta::seconds(seconds_ago);
            return memory.edit(task, |row| row.updated_at = Some(at));
        }
        self.either(
            &format!(
                "UPDATE task SET update_at = datetime('now', '-{seconds_ago} seconds') WHERE id = {task}"
            ),
            &format!(
                "UPDATE task SET update_at = CURRENT_TIMESTAMP - INTERVAL {seconds_ago} SECOND WHERE id = {task}"
            ),
        )
        .await;
    }

    /// Deletes a row of `task`.
    pub async fn delete_task(&self, task: TaskId) {
        match self {
            Self::Memory(memory) => memory.delete_task(task),
            _ => self.sql(&format!("DELETE FROM task WHERE id = {task}")).await,
        }
    }

    /// Inserts a row of `task`, enabled, whatever stands there.
    pub async fn insert_task(&self, id: TaskId, key: &str, status: &str) {
        let Self::Memory(memory) = self else {
            let values =
                format!("({id}, '{key}', '', 'test', 'interval', '10', '', 1, '{status}', '{{}}')");
            let columns = "id, task_key, `desc`, execute_func, `trigger`, spec, args, is_valid, status, extra";
            return self.sql(&format!("INSERT INTO task ({columns}) VALUES {values}")).await;
        };
        let text = |value: &str| Ok(value.to_owned());
        let now = clock::wall().trunc_subsecs(0);
        memory.insert_task(TaskRow {
            id,
            task_key: text(key),
            description: text(""),
            execute_func: text("test"),
            trigger: text("interval"),
            spec: text("10"),
            args: text(""),
            is_valid: text("1"),
            status: text(status),
            extra: text("{}"),
            created_at: Some(now),
            updated_at: Some(now),
        });
    }

    /// Inserts an open row of `execute_task` as the original did: seven columns, no node, no instant.
    pub async fn insert_open(&self, id: ExecutionId, task: TaskId, trace_id: &str) {
        let Self::Memory(memory) = self else {
            let values = format!("({id}, {task}, 'todo', '{{}}', '{trace_id}')");
            let columns = "id, task_id, status, extra, trace_id";
            return self
                .sql(&format!("INSERT INTO execute_task ({columns}) VALUES {values}"))
                .await;
        };
        memory.insert_execution(ExecutionRow {
            id,
            task_id: task,
            task_key: None,
            status: "todo".to_owned(),
            extra: "{}".to_owned(),
            trace_id: trace_id.to_owned(),
            created_at: Some(clock::wall().trunc_subsecs(0)),
            scheduled_at: None,
            attempt: 1,
            source: "schedule".to_owned(),
            node_id: None,
            started_at: None,
            finished_at: None,
        });
    }

    /// Makes all that happened so far older by `span`, whole seconds.
    pub async fn age(&self, span: Duration) {
        let (secs, ms) = (span.as_secs(), span.as_millis());
        match self {
            Self::Memory(memory) => memory.age(span),
            Self::Sqlite(_) => {
                self.sql(&format!(
                    "UPDATE task SET create_at = datetime(create_at, '-{secs} seconds'), \
                     update_at = datetime(update_at, '-{secs} seconds'); \
                     UPDATE execute_task SET create_at = datetime(create_at, '-{secs} seconds'); \
                     UPDATE scheduler_node SET started_at = started_at - {ms}, \
                     heartbeat_at = heartbeat_at - {ms}, left_at = left_at - {ms}"
                ))
                .await;
            }
            Self::Mysql(_) => {
                self.sql(&format!(
                    "UPDATE task SET create_at = create_at - INTERVAL {secs} SECOND, \
                     update_at = update_at - INTERVAL {secs} SECOND; \
                     UPDATE execute_task SET create_at = create_at - INTERVAL {secs} SECOND; \
                     UPDATE scheduler_node SET started_at = started_at - {ms}, \
                     heartbeat_at = heartbeat_at - {ms}, left_at = left_at - {ms}"
                ))
                .await;
            }
        }
    }
}
