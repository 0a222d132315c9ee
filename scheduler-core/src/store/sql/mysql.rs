//! MySQL 8 and MariaDB 10.6 or newer: the production store.
//!
//! READ COMMITTED, rows locked in id order. Each statement sees what was committed when it began, so what must
//! be judged under a lock is read by a statement *after* the one that took the lock. `STRAIGHT_JOIN` keeps the
//! batch in front: its order is the order of the locks. `update_at = update_at` keeps `ON UPDATE
//! CURRENT_TIMESTAMP` from taking our bookkeeping for an edit. Texts of a batch name their character set: a
//! column of `JSON_TABLE` has the database's otherwise, and latin1 would turn what it lacks into `?`.

use std::time::Duration;

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, SqlSafeStr,
    mysql::{MySqlConnectOptions, MySqlPoolOptions},
};

use super::{
    SqlStore,
    connection::Pools,
    statements::{READ_REQUESTS, READ_RETRIES, Statements, is_needed, united_5, united_25},
};
use crate::store::StoreError;

/// How to reach a MySQL or MariaDB server.
#[derive(Clone, Debug)]
pub struct MysqlPlace {
    /// Address, user, database, TLS.
    pub connect: MySqlConnectOptions,
    /// Most connections at once, 1 or more.
    pub max_connections: u32,
    /// A connection that was idle this long is closed.
    pub idle_timeout: Duration,
    /// How long one attempt to connect may take.
    pub connect_timeout: Duration,
}

/// Session settings on every connection. A lock wait ends after 1 s, the shortest that the server offers: rows
/// that a stranger holds are passed over or isolated, and the server's own 50 s would outlast every deadline. The mode is ours whatever the server's is: without a strict one, a value
/// that does not fit would be cut in silence. A node that is cut off, or frozen, in the middle of a transaction holds
/// its rows until the server hears of its end, which may take hours: MariaDB ends what is idle for 10 s (MySQL has no
/// such setting, and reads a comment).
const SESSION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
                       SET SESSION innodb_lock_wait_timeout = 1, SESSION autocommit = 1, SESSION completion_type = 0, SESSION time_zone = '+00:00', \
                       SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION' \
                       /*M!100300 , SESSION idle_transaction_timeout = 10 */";

impl SqlStore {
    /// Connects to a server. Each call to it ends within `deadline`.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] with what the server said.
    pub async fn mysql(place: MysqlPlace, deadline: Duration) -> Result<Self, StoreError> {
        // Of the driver's own settings none is left, which saves an exchange: ours are made in one.
        let names = match place.connect.get_collation() {
            Some(collation) => format!("SET NAMES utf8mb4 COLLATE {collation}"),
            None => "SET NAMES utf8mb4".to_owned(),
        };
        let session = AssertSqlSafe(format!("{names}; {SESSION}")).into_sql_str();
        let connect = place
            .connect
            .charset("utf8mb4")
            .set_names(false)
            .timezone(None)
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .disable_statement_logging();
        let name = format!(
            "mysql://{}@{}:{}/{}",
            connect.get_username(),
            connect.get_host(),
            connect.get_port(),
            connect.get_database().unwrap_or_default()
        );
        // The pool would retry a refusal until its time-out and then hide it: ask once by hand.
        let unreachable = |source| StoreError::Unreachable {
            hint: hint(&source, &connect, place.connect_timeout),
            database: name.clone(),
            source,
        };
        let settings = session.clone();
        let probe = async {
            let mut probe = connect.connect().await?;
            probe.execute(sqlx::raw_sql(settings)).await?;
            let is_fatal = sqlx::query_scalar::<_, i64>("SELECT @@innodb_rollback_on_timeout");
            let is_fatal = is_fatal.fetch_one(&mut probe).await? != 0;
            probe.close().await?;
            Ok(is_fatal)
        };
        let probe = tokio::time::timeout(place.connect_timeout, probe).await;
        let is_fatal = probe.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(unreachable)?;
        let pool = MySqlPoolOptions::new()
            .max_connections(place.max_connections)
            .idle_timeout(place.idle_timeout)
            .acquire_timeout(deadline)
            .after_connect(move |connection, _| {
                let session = session.clone();
                Box::pin(async move { connection.execute(sqlx::raw_sql(session)).await.map(drop) })
            })
            .connect_lazy_with(connect);
        let mut store = Self::new(Pools::Mysql(pool), &MYSQL, name, deadline);
        store.status.is_fatal = is_fatal;
        Ok(store)
    }
}

fn hint(error: &sqlx::Error, connect: &MySqlConnectOptions, timeout: Duration) -> String {
    let user = connect.get_username();
    let database = connect.get_database().unwrap_or_default();
    match (super::connection::mysql_number(error), error) {
        (Some(1045), _) => {
            format!("user {user:?} was refused, check user and password in mysql.toml [default]")
        }
        (Some(1044), _) => {
            format!(
                "user {user:?} may not use database {database:?}, grant it or check db in mysql.toml [default]"
            )
        }
        (Some(1049), _) => {
            format!(
                "database {database:?} does not exist, create it or check db in mysql.toml [default]"
            )
        }
        (_, sqlx::Error::PoolTimedOut) => format!("no answer within {} s", timeout.as_secs_f64()),
        _ => {
            "is the server running, and are host and port in mysql.toml [default] right?".to_owned()
        }
    }
}

macro_rules! ids {
    () => {
        "JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) v"
    };
}

macro_rules! fires {
    () => {
        "JSON_TABLE(?, '$[*]' COLUMNS (task_id BIGINT PATH '$.task_id', status VARCHAR(16) PATH '$.status', \
         extra TEXT CHARACTER SET utf8mb4 PATH '$.extra', \
         trace_id VARCHAR(64) CHARACTER SET utf8mb4 PATH '$.trace_id', \
         scheduled_at BIGINT PATH '$.scheduled_at', attempt INT PATH '$.attempt', \
         source VARCHAR(16) PATH '$.source')) v"
    };
}

macro_rules! task_columns {
    () => {
        "id, LEFT(task_key, 256), LEFT(`desc`, 256), LEFT(execute_func, 256), LEFT(`trigger`, 256), LEFT(spec, 256), \
         LEFT(args, 4097), CAST(is_valid AS CHAR), LEFT(status, 256), LEFT(extra, 16385), \
         CAST(UNIX_TIMESTAMP(create_at) AS SIGNED), CAST(UNIX_TIMESTAMP(update_at) AS SIGNED)"
    };
}

macro_rules! execution_columns {
    () => {
        "e.id, e.task_id, t.task_key, e.status, e.extra, e.trace_id, CAST(UNIX_TIMESTAMP(e.create_at) AS SIGNED), \
         e.scheduled_at, e.attempt, e.source, e.node_id, e.started_at, e.finished_at"
    };
}

macro_rules! now_ms {
    () => {
        "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)"
    };
}

pub(crate) static MYSQL: Statements = Statements {
    begin: "START TRANSACTION",

    read_tasks: concat!("SELECT ", task_columns!(), " FROM task WHERE id > ? ORDER BY id LIMIT ?"),
    // Joined, since each row of the table would be looked up in what is only `IN` a union.
    read_edited: concat!(
        "SELECT ",
        task_columns!(),
        " FROM (SELECT t.id AS wanted FROM task t WHERE t.update_at >= CURRENT_TIMESTAMP - INTERVAL ? SECOND \
         UNION SELECT t.id FROM task t FORCE INDEX (PRIMARY) WHERE t.id > ? UNION SELECT v.id FROM ",
        ids!(),
        ") w STRAIGHT_JOIN task FORCE INDEX (PRIMARY) ON task.id = w.wanted ORDER BY id LIMIT ?"
    ),
    read_task: concat!("SELECT ", task_columns!(), " FROM task WHERE id = ?"),
    read_twins: concat!(
        "SELECT ",
        task_columns!(),
        " FROM (SELECT v.id AS wanted FROM ",
        ids!(),
        " UNION SELECT o.id FROM ",
        ids!(),
        " STRAIGHT_JOIN task t FORCE INDEX (PRIMARY) ON t.id = v.id STRAIGHT_JOIN task o ON o.task_key = t.task_key) w \
         STRAIGHT_JOIN task FORCE INDEX (PRIMARY) ON task.id = w.wanted ORDER BY id"
    ),
    read_requests: READ_REQUESTS,
    read_retries: READ_RETRIES,
    requests_of: "SELECT id, task_id, requested_at, args FROM scheduler_request \
                  WHERE task_id = ? ORDER BY id LIMIT ?",
    retries_of: "SELECT task_id, scheduled_at, attempt, due_at, NULL FROM scheduler_retry \
                 WHERE task_id = ? ORDER BY scheduled_at, attempt LIMIT ?",
    read_meta: "SELECT value FROM scheduler_meta WHERE name = ?",
    read_cursors: concat!(
        "SELECT v.id, (SELECT e.scheduled_at FROM execute_task e \
         WHERE e.task_id = v.id AND e.source = 'schedule' ORDER BY e.scheduled_at DESC LIMIT 1) FROM ",
        ids!()
    ),

    lock_tasks: concat!(
        "SELECT t.id, t.is_valid, t.status, t.spec, CAST(UNIX_TIMESTAMP(t.update_at) AS SIGNED) FROM ",
        ids!(),
        " STRAIGHT_JOIN task t FORCE INDEX (PRIMARY) ON t.id = v.id FOR UPDATE"
    ),
    // Somebody's forgotten transaction on one row must not hold up all the others.
    try_lock_tasks: concat!(
        "SELECT t.id, t.is_valid, t.status, t.spec, CAST(UNIX_TIMESTAMP(t.update_at) AS SIGNED) FROM ",
        ids!(),
        " STRAIGHT_JOIN task t FORCE INDEX (PRIMARY) ON t.id = v.id FOR UPDATE SKIP LOCKED"
    ),
    existing_tasks: concat!(
        "SELECT t.id FROM ",
        ids!(),
        " STRAIGHT_JOIN task t FORCE INDEX (PRIMARY) ON t.id = v.id"
    ),
    count_open: concat!(
        "SELECT e.task_id, COUNT(*) FROM ",
        ids!(),
        " STRAIGHT_JOIN execute_task e FORCE INDEX (ix__execute_task__status) \
         ON e.status = 'todo' AND e.task_id = v.id GROUP BY e.task_id"
    ),
    lock_requests: concat!(
        "SELECT r.id FROM ",
        ids!(),
        " STRAIGHT_JOIN scheduler_request r FORCE INDEX (PRIMARY) ON r.id = v.id FOR UPDATE SKIP LOCKED"
    ),
    lock_retries: concat!(
        "SELECT r.task_id, r.scheduled_at, r.attempt FROM ",
        fires!(),
        " STRAIGHT_JOIN scheduler_retry r FORCE INDEX (PRIMARY) \
         ON r.task_id = v.task_id AND r.scheduled_at = v.scheduled_at AND r.attempt = v.attempt FOR UPDATE SKIP LOCKED"
    ),
    insert_executions: concat!(
        "INSERT IGNORE INTO execute_task \
         (task_id, status, extra, trace_id, scheduled_at, attempt, source, node_id, finished_at) \
         SELECT v.task_id, v.status, v.extra, v.trace_id, v.scheduled_at, v.attempt, v.source, ?, \
         IF(v.status <> 'todo', ",
        now_ms!(),
        ", NULL) FROM ",
        fires!()
    ),
    become_fires: concat!(
        "UPDATE ",
        fires!(),
        " STRAIGHT_JOIN execute_task e FORCE INDEX (ux__execute_task__fire) \
         ON e.task_id = v.task_id AND e.scheduled_at = v.scheduled_at AND e.attempt = v.attempt \
         SET e.source = 'schedule', e.update_at = e.update_at WHERE e.source = 'manual'"
    ),
    read_back: concat!(
        "SELECT e.id, e.trace_id, e.status FROM ",
        fires!(),
        " STRAIGHT_JOIN execute_task e FORCE INDEX (ux__execute_task__fire) \
         ON e.task_id = v.task_id AND e.scheduled_at = v.scheduled_at AND e.attempt = v.attempt"
    ),
    set_doing: concat!(
        "UPDATE IGNORE ",
        ids!(),
        " STRAIGHT_JOIN task t FORCE INDEX (PRIMARY) ON t.id = v.id SET t.status = 'doing', t.update_at = t.update_at"
    ),
    delete_requests: concat!(
        "DELETE r FROM ",
        ids!(),
        " STRAIGHT_JOIN scheduler_request r FORCE INDEX (PRIMARY) ON r.id = v.id"
    ),
    delete_retries: concat!(
        "DELETE r FROM ",
        fires!(),
        " STRAIGHT_JOIN scheduler_retry r FORCE INDEX (PRIMARY) \
         ON r.task_id = v.task_id AND r.scheduled_at = v.scheduled_at AND r.attempt = v.attempt"
    ),

    existing_executions: concat!(
        "SELECT e.id FROM ",
        ids!(),
        " STRAIGHT_JOIN execute_task e FORCE INDEX (PRIMARY) ON e.id = v.id"
    ),
    lock_executions: concat!(
        "SELECT e.id, e.trace_id, e.status FROM ",
        ids!(),
        " STRAIGHT_JOIN execute_task e FORCE INDEX (PRIMARY) ON e.id = v.id FOR UPDATE SKIP LOCKED"
    ),
    write_outcomes: "UPDATE JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$.id', status VARCHAR(16) PATH '$.status', \
                     extra TEXT CHARACTER SET utf8mb4 PATH '$.extra', started_at BIGINT PATH '$.started_at', \
                     finished_at BIGINT PATH '$.finished_at')) v \
                     STRAIGHT_JOIN execute_task e FORCE INDEX (PRIMARY) ON e.id = v.id \
                     SET e.status = v.status, e.extra = v.extra, \
                     e.started_at = COALESCE(v.started_at, e.started_at), e.finished_at = v.finished_at \
                     WHERE e.status = 'todo'",
    add_retries: "INSERT IGNORE INTO scheduler_retry (task_id, scheduled_at, attempt, due_at) \
                  SELECT v.task_id, v.scheduled_at, v.attempt, v.due_at FROM JSON_TABLE(?, '$[*]' COLUMNS \
                  (task_id BIGINT PATH '$.task_id', scheduled_at BIGINT PATH '$.scheduled_at', \
                  attempt INT PATH '$.attempt', due_at BIGINT PATH '$.due_at')) v",
    release_tasks: concat!(
        "UPDATE IGNORE ",
        ids!(),
        " STRAIGHT_JOIN task t FORCE INDEX (PRIMARY) ON t.id = v.id \
         LEFT JOIN execute_task e FORCE INDEX (ix__execute_task__status) ON e.status = 'todo' AND e.task_id = t.id \
         SET t.status = 'ready', t.update_at = t.update_at WHERE t.status = 'doing' AND e.id IS NULL"
    ),
    write_notes: "UPDATE JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$.id', \
                  trace_id VARCHAR(64) CHARACTER SET utf8mb4 PATH '$.trace_id', \
                  extra TEXT CHARACTER SET utf8mb4 PATH '$.extra')) v \
                  STRAIGHT_JOIN execute_task e FORCE INDEX (PRIMARY) ON e.id = v.id \
                  SET e.extra = v.extra WHERE e.status = 'todo' AND e.trace_id = v.trace_id",

    read_nodes: concat!(
        "SELECT node_id, ",
        now_ms!(),
        " - heartbeat_at FROM scheduler_node WHERE heartbeat_at >= ",
        now_ms!(),
        " - 3600000 AND left_at IS NULL ORDER BY node_id"
    ),
    read_now: "SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)",
    renew: concat!(
        "INSERT INTO scheduler_node (node_id, started_at, heartbeat_at) VALUES (?, ",
        now_ms!(),
        ", ",
        now_ms!(),
        ") ON DUPLICATE KEY UPDATE heartbeat_at = VALUES(heartbeat_at)"
    ),
    leave: concat!(
        "UPDATE scheduler_node SET left_at = ",
        now_ms!(),
        " WHERE node_id = ? AND left_at IS NULL"
    ),
    find_dead: concat!(
        "SELECT e.id, e.task_id, e.node_id FROM execute_task e FORCE INDEX (ix__execute_task__status) \
         LEFT JOIN scheduler_node n ON n.node_id = e.node_id WHERE e.status = 'todo' \
         AND NOT e.node_id <=> ? \
         AND COALESCE(n.heartbeat_at, UNIX_TIMESTAMP(e.create_at) * 1000, 0) < ",
        now_ms!(),
        " - ? AND ",
        now_ms!(),
        " <= ? ORDER BY e.task_id, e.id LIMIT 1000"
    ),
    read_attempts: concat!(
        "SELECT e.id, e.attempt, e.extra, e.scheduled_at, ",
        now_ms!(),
        " FROM ",
        ids!(),
        " STRAIGHT_JOIN execute_task e FORCE INDEX (PRIMARY) ON e.id = v.id"
    ),
    retry_lost: concat!(
        "INSERT IGNORE INTO scheduler_retry (task_id, scheduled_at, attempt, due_at) \
         SELECT e.task_id, e.scheduled_at, e.attempt + 1, ",
        now_ms!(),
        " FROM ",
        ids!(),
        " STRAIGHT_JOIN execute_task e FORCE INDEX (PRIMARY) ON e.id = v.id WHERE e.scheduled_at IS NOT NULL"
    ),
    mark_lost: concat!(
        "UPDATE JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$.id', \
         extra TEXT CHARACTER SET utf8mb4 PATH '$.extra')) v \
         STRAIGHT_JOIN execute_task e FORCE INDEX (PRIMARY) ON e.id = v.id \
         SET e.status = 'lost', e.extra = v.extra, e.finished_at = ",
        now_ms!(),
        " WHERE e.status = 'todo'"
    ),
    forget_nodes: concat!(
        "DELETE FROM scheduler_node WHERE heartbeat_at < ",
        now_ms!(),
        " - 2592000000"
    ),

    read_cancels: "SELECT c.execution_id, c.author FROM scheduler_cancel c STRAIGHT_JOIN execute_task e \
                   ON e.id = c.execution_id WHERE e.status = 'todo' ORDER BY c.execution_id LIMIT ?",
    add_cancel: concat!(
        "INSERT INTO scheduler_cancel (execution_id, author, requested_at) VALUES (?, ?, ",
        now_ms!(),
        ") ON DUPLICATE KEY UPDATE execution_id = execution_id"
    ),
    forget_cancels: concat!(
        "DELETE FROM scheduler_cancel WHERE requested_at < ",
        now_ms!(),
        " - 86400000"
    ),
    // Each task by itself: of one that ran a million times no other way reads the last few only.
    read_recent: concat!(
        "SELECT task_id, CAST(JSON_ARRAYAGG(JSON_ARRAY(id, status, scheduled_at, started_at, finished_at, attempt)) AS CHAR) \
         FROM (",
        united_25!(
            "(SELECT task_id, id, status, scheduled_at, started_at, finished_at, attempt \
             FROM execute_task WHERE task_id = ? AND scheduled_at IS NOT NULL \
             ORDER BY scheduled_at DESC, attempt DESC LIMIT ?)"
        ),
        ") e GROUP BY task_id"
    ),
    add_session: "INSERT INTO scheduler_session (content, expires_at, digest) VALUES (?, ?, ?)",
    change_session: "UPDATE scheduler_session SET content = ?, expires_at = ? WHERE digest = ?",
    read_session: concat!(
        "SELECT content, expires_at FROM scheduler_session WHERE digest = ? AND expires_at > ",
        now_ms!()
    ),
    lock_session: concat!(
        "SELECT content, expires_at FROM scheduler_session WHERE digest = ? AND expires_at > ",
        now_ms!(),
        " FOR UPDATE"
    ),
    delete_session: "DELETE FROM scheduler_session WHERE digest = ?",
    forget_sessions: concat!("DELETE FROM scheduler_session WHERE expires_at <= ", now_ms!()),

    add_task: "INSERT INTO task (id, task_key, `desc`, execute_func, `trigger`, spec, args, is_valid, status, extra) \
               SELECT a.* FROM (SELECT ? AS id, ? AS task_key, ? AS d, ? AS f, ? AS g, ? AS s, ? AS a, ? AS v, \
               'ready' AS st, ? AS x) a WHERE NOT EXISTS (SELECT 1 FROM task t WHERE t.task_key = a.task_key)",
    find_key: "SELECT id FROM task WHERE task_key = ? ORDER BY id DESC LIMIT 1",
    lock_task: concat!("SELECT ", task_columns!(), " FROM task WHERE id = ? FOR UPDATE"),
    change_task: "UPDATE task SET task_key = COALESCE(?, task_key), `desc` = COALESCE(?, `desc`), \
                  execute_func = COALESCE(?, execute_func), `trigger` = COALESCE(?, `trigger`), \
                  spec = COALESCE(?, spec), args = COALESCE(?, args), is_valid = COALESCE(?, is_valid), \
                  extra = COALESCE(?, extra) WHERE id = ?",
    add_edit: concat!(
        "INSERT INTO scheduler_edit \
         (task_id, edited_at, author, via, action, row_before, row_after, pause_until, pause_reason) VALUES (?, ",
        now_ms!(),
        ", ?, ?, ?, ?, ?, ?, ?)"
    ),
    try_lock_rows: concat!(
        "SELECT ",
        task_columns!(),
        " FROM JSON_TABLE(?, '$[*]' COLUMNS (wanted BIGINT PATH '$')) v \
         STRAIGHT_JOIN task FORCE INDEX (PRIMARY) ON task.id = v.wanted FOR UPDATE SKIP LOCKED"
    ),
    newest_edits: concat!(
        "SELECT e.task_id, e.row_after FROM ",
        ids!(),
        " STRAIGHT_JOIN scheduler_edit e FORCE INDEX (PRIMARY) ON e.id = (SELECT n.id FROM scheduler_edit n \
         FORCE INDEX (ix__scheduler_edit__task) WHERE n.task_id = v.id AND n.action <> 'run' ORDER BY n.id DESC LIMIT 1)"
    ),
    add_edits: concat!(
        "INSERT INTO scheduler_edit (task_id, edited_at, author, via, action, row_before, row_after) \
         SELECT v.task_id, ",
        now_ms!(),
        ", '', ?, v.action, v.row_before, v.row_after FROM JSON_TABLE(?, '$[*]' COLUMNS \
         (task_id BIGINT PATH '$.task_id', action VARCHAR(16) PATH '$.action', \
         row_before MEDIUMTEXT CHARACTER SET utf8mb4 PATH '$.row_before', \
         row_after MEDIUMTEXT CHARACTER SET utf8mb4 PATH '$.row_after')) v"
    ),
    list_edits: "SELECT id, task_id, edited_at, author, via, action, row_before, row_after, pause_until, pause_reason \
                 FROM scheduler_edit \
                 WHERE id < ? ORDER BY id DESC LIMIT ?",
    edits_of_task: "SELECT id, task_id, edited_at, author, via, action, row_before, row_after, pause_until, pause_reason \
                    FROM scheduler_edit \
                    WHERE task_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
    delete_task: "DELETE FROM task WHERE id = ?",
    read_instants: "SELECT requested_at FROM scheduler_request WHERE task_id = ? AND requested_at BETWEEN ? AND ? \
                    UNION ALL \
                    SELECT scheduled_at FROM execute_task WHERE task_id = ? AND scheduled_at BETWEEN ? AND ?",
    put_pause: concat!(
        "REPLACE INTO scheduler_pause (task_id, paused_at, `until`, reason, author) VALUES (?, ",
        now_ms!(),
        ", ?, ?, ?)"
    ),
    read_pauses: concat!(
        "SELECT p.task_id, p.paused_at, p.`until`, p.reason, p.author FROM ",
        ids!(),
        " STRAIGHT_JOIN scheduler_pause p FORCE INDEX (PRIMARY) ON p.task_id = v.id ORDER BY p.task_id"
    ),
    list_pauses: "SELECT task_id FROM scheduler_pause ORDER BY task_id LIMIT ?",
    due_pauses: concat!(
        "SELECT task_id FROM scheduler_pause WHERE `until` <= ",
        now_ms!(),
        " ORDER BY task_id LIMIT ?"
    ),
    drop_pauses: concat!(
        "DELETE p FROM ",
        ids!(),
        " STRAIGHT_JOIN scheduler_pause p FORCE INDEX (PRIMARY) ON p.task_id = v.id"
    ),
    request_run: "INSERT INTO scheduler_request (task_id, requested_at, args) VALUES (?, ?, ?)",
    list_executions: concat!(
        "SELECT ",
        execution_columns!(),
        " FROM execute_task e FORCE INDEX (PRIMARY) LEFT JOIN task t ON t.id = e.task_id \
         WHERE (? IS NULL OR e.task_id = ?) AND (? IS NULL OR e.status = ?) AND e.id >= ? AND e.id < ? \
         ORDER BY e.id DESC LIMIT ?"
    ),
    list_of_task: concat!(
        "SELECT ",
        execution_columns!(),
        " FROM (SELECT id FROM execute_task FORCE INDEX (ux__execute_task__fire) \
         WHERE task_id = ? AND (? IS NULL OR status = ?) AND id < ? ORDER BY id DESC LIMIT ?) w \
         STRAIGHT_JOIN execute_task e ON e.id = w.id LEFT JOIN task t ON t.id = e.task_id ORDER BY e.id DESC"
    ),
    list_in_status: concat!(
        "SELECT ",
        execution_columns!(),
        " FROM (SELECT id FROM execute_task FORCE INDEX (ix__execute_task__outcome) \
         WHERE status = ? AND id < ? ORDER BY id DESC LIMIT ?) w \
         STRAIGHT_JOIN execute_task e ON e.id = w.id LEFT JOIN task t ON t.id = e.task_id ORDER BY e.id DESC"
    ),
    count_executions: "SELECT COUNT(*) FROM execute_task WHERE task_id = ?",
    newest_execution: "SELECT MAX(id) FROM execute_task WHERE id < ?",
    read_created: "SELECT id, CAST(UNIX_TIMESTAMP(create_at) AS SIGNED) FROM execute_task WHERE id >= ? ORDER BY id LIMIT 1",
    count_outcomes: "SELECT COALESCE(scheduled_at, CAST(UNIX_TIMESTAMP(create_at) AS SIGNED) * 1000) DIV 3600000, status, COUNT(*) \
                     FROM execute_task FORCE INDEX (PRIMARY) WHERE id BETWEEN ? AND ? \
                     AND (? IS NULL OR task_id IN (SELECT v.id FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) v)) \
                     GROUP BY 1, 2 ORDER BY 1, 2",
    failing_tasks: concat!(
        "SELECT ",
        execution_columns!(),
        ", f.count, COALESCE((SELECT s.id FROM execute_task s FORCE INDEX (ix__execute_task__status) \
         WHERE s.status = 'success' AND s.task_id = e.task_id ORDER BY s.id DESC LIMIT 1) > e.id, 0) AS has_recovered \
         FROM (SELECT task_id, COUNT(*) AS count, MAX(id) AS last FROM execute_task FORCE INDEX (ix__execute_task__outcome) \
         WHERE status IN ('fail', 'timeout', 'lost') AND id >= ? GROUP BY task_id ORDER BY last DESC LIMIT ?) f \
         STRAIGHT_JOIN execute_task e ON e.id = f.last LEFT JOIN task t ON t.id = e.task_id ORDER BY has_recovered, e.id DESC"
    ),
    read_execution: concat!(
        "SELECT ",
        execution_columns!(),
        " FROM execute_task e LEFT JOIN task t ON t.id = e.task_id WHERE e.id = ?"
    ),
    read_fire: concat!(
        "SELECT ",
        execution_columns!(),
        " FROM execute_task e LEFT JOIN task t ON t.id = e.task_id \
         WHERE e.task_id = ? AND e.scheduled_at = ? ORDER BY e.attempt LIMIT 100"
    ),
    read_next_fire: concat!(
        "SELECT ",
        execution_columns!(),
        " FROM execute_task e LEFT JOIN task t ON t.id = e.task_id \
         WHERE e.task_id = ? AND e.scheduled_at > ? AND e.source = 'schedule' ORDER BY e.scheduled_at LIMIT 1"
    ),
    read_runs_before: concat!(
        "SELECT ",
        execution_columns!(),
        " FROM execute_task e LEFT JOIN task t ON t.id = e.task_id \
         WHERE e.task_id = ? AND e.scheduled_at < ? AND e.status NOT IN ('missed', 'skipped') \
         ORDER BY e.scheduled_at DESC, e.attempt DESC LIMIT 20"
    ),
    read_oldest: concat!(
        "SELECT e.id, COALESCE(UNIX_TIMESTAMP(e.create_at) * 1000, 0) >= ?, \
         e.status <> 'todo' AND COALESCE(e.finished_at, UNIX_TIMESTAMP(e.create_at) * 1000, 0) < ? AND NOT ",
        is_needed!(),
        " FROM execute_task e FORCE INDEX (PRIMARY) WHERE e.id > ? ORDER BY e.id LIMIT ?"
    ),
    read_crowded: "SELECT t.id, (SELECT e.scheduled_at FROM execute_task e FORCE INDEX (ux__execute_task__fire) \
                   WHERE e.task_id = t.id ORDER BY e.scheduled_at DESC, e.attempt DESC LIMIT 1 OFFSET ?) \
                   FROM (SELECT id FROM task WHERE id > ? ORDER BY id LIMIT ?) t",
    read_before: concat!(
        "SELECT e.id FROM execute_task e FORCE INDEX (ux__execute_task__fire) \
         WHERE e.task_id = ? AND e.scheduled_at < ? AND e.status <> 'todo' AND NOT ",
        is_needed!(),
        " ORDER BY e.scheduled_at LIMIT ?"
    ),
    delete_executions: concat!(
        "DELETE e FROM ",
        ids!(),
        " STRAIGHT_JOIN execute_task e FORCE INDEX (PRIMARY) ON e.id = v.id WHERE e.status <> 'todo'"
    ),
    read_logs: "SELECT l.execution_id, COALESCE(UNIX_TIMESTAMP(e.create_at) * 1000, 0) >= ?, \
                e.id IS NULL OR e.status <> 'todo' AND COALESCE(e.finished_at, UNIX_TIMESTAMP(e.create_at) * 1000, 0) < ? \
                FROM (SELECT DISTINCT execution_id FROM scheduler_log WHERE execution_id > ? ORDER BY execution_id LIMIT ?) l \
                LEFT JOIN execute_task e ON e.id = l.execution_id ORDER BY l.execution_id",
    delete_logs: concat!(
        "DELETE l FROM ",
        ids!(),
        " STRAIGHT_JOIN scheduler_log l FORCE INDEX (PRIMARY) ON l.execution_id = v.id"
    ),
    read_old_edits: "SELECT e.id, e.edited_at >= ?, e.edited_at < ? AND (e.row_after IS NULL OR EXISTS \
                     (SELECT 1 FROM scheduler_edit n WHERE n.task_id = e.task_id AND n.id > e.id AND n.action <> 'run')) \
                     FROM scheduler_edit e FORCE INDEX (PRIMARY) WHERE e.id > ? ORDER BY e.id LIMIT ?",
    delete_edits: concat!(
        "DELETE e FROM ",
        ids!(),
        " STRAIGHT_JOIN scheduler_edit e FORCE INDEX (PRIMARY) ON e.id = v.id"
    ),
    append_log: "INSERT IGNORE INTO scheduler_log (execution_id, part, content) \
                 SELECT v.execution_id, v.part, v.content FROM JSON_TABLE(?, '$[*]' COLUMNS \
                 (execution_id BIGINT PATH '$.execution_id', part INT PATH '$.part', \
                 content MEDIUMTEXT CHARACTER SET utf8mb4 PATH '$.content')) v \
                 WHERE EXISTS (SELECT 1 FROM execute_task e WHERE e.id = v.execution_id)",
    read_log: "SELECT part, content FROM scheduler_log WHERE execution_id = ? AND part > ? ORDER BY part",
    list_nodes: concat!(
        "SELECT n.node_id, n.started_at, n.heartbeat_at, n.left_at, ",
        now_ms!(),
        ", c.content FROM scheduler_node n LEFT JOIN scheduler_node_card c ON c.node_id = n.node_id \
         ORDER BY n.heartbeat_at DESC LIMIT 1000"
    ),
    keep_alarms: "INSERT INTO scheduler_alarm (node_id, rule, about, began_at, last_at, ended_at, `count`, content) \
                  SELECT ?, v.rule, v.about, v.began_at, v.last_at, v.ended_at, v.count, v.content \
                  FROM JSON_TABLE(?, '$[*]' COLUMNS (rule VARCHAR(16) PATH '$.rule', \
                  about VARCHAR(255) CHARACTER SET utf8mb4 PATH '$.about', began_at BIGINT PATH '$.began_at', \
                  last_at BIGINT PATH '$.last_at', ended_at BIGINT PATH '$.ended_at', count BIGINT PATH '$.count', \
                  content TEXT CHARACTER SET utf8mb4 PATH '$.content')) v \
                  ON DUPLICATE KEY UPDATE last_at = VALUES(last_at), ended_at = VALUES(ended_at), \
                  `count` = VALUES(`count`), content = VALUES(content)",
    list_alarms: "SELECT id, node_id, rule, about, began_at, last_at, ended_at, `count`, content \
                  FROM scheduler_alarm WHERE id < ? ORDER BY id DESC LIMIT ?",
    open_alarms: "SELECT id, node_id, rule, about, began_at, last_at, ended_at, `count`, content \
                  FROM scheduler_alarm WHERE ended_at IS NULL AND id < ? ORDER BY id DESC LIMIT ?",
    end_alarms: concat!(
        "UPDATE scheduler_alarm SET ended_at = last_at WHERE ended_at IS NULL AND node_id NOT IN \
         (SELECT node_id FROM scheduler_node WHERE left_at IS NULL AND heartbeat_at > ",
        now_ms!(),
        " - ?)"
    ),
    forget_alarms: concat!("DELETE FROM scheduler_alarm WHERE ended_at < ", now_ms!(), " - ?"),
    put_card: "REPLACE INTO scheduler_node_card (node_id, content) VALUES (?, ?)",
    forget_cards: "DELETE FROM scheduler_node_card WHERE node_id NOT IN (SELECT node_id FROM scheduler_node)",
    count_tasks: "SELECT COUNT(*) FROM task",
    add_meta: "INSERT IGNORE INTO scheduler_meta (name, value) VALUES (?, ?)",

    read_unique_keys: "SELECT CAST(table_name AS CHAR), CAST(index_name AS CHAR), CAST(column_name AS CHAR) \
                       FROM information_schema.statistics WHERE table_schema = DATABASE() \
                       AND table_name IN ('task', 'execute_task') AND non_unique = 0 \
                       ORDER BY table_name, index_name, seq_in_index",
};
