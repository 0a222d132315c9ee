//! SQLite: the embedded default. Write-ahead log, one writer connection, a pool of readers.
//!
//! A deferred transaction that turns to writing fails at once with BUSY whatever the busy time-out, so every
//! writing transaction begins with `BEGIN IMMEDIATE`. `synchronous = FULL`: a claim that was acknowledged
//! survives a power cut.

use std::{path::Path, time::Duration};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::{
    SqlStore,
    connection::Pools,
    statements::{READ_REQUESTS, READ_RETRIES, Statements, is_needed, united_5, united_25},
};
use crate::store::StoreError;

impl SqlStore {
    /// Opens the database file at `path` and creates it, with its folder, when it is missing. Each call to it
    /// ends within `deadline`.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] when the file cannot be opened or created.
    pub async fn sqlite(path: &Path, deadline: Duration) -> Result<Self, StoreError> {
        let database = format!("sqlite:{}", path.display());
        let unreachable = |source: sqlx::Error| {
            StoreError::Unreachable {
            database: database.clone(),
            hint: "the file must be a SQLite database that this user may write, in a folder that exists or can be created".to_owned(),
            source,
        }
        };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| unreachable(error.into()))?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(deadline.mul_f64(0.6))
            .row_buffer_size(ROWS_AHEAD);
        let pool = |size| SqlitePoolOptions::new().max_connections(size).acquire_timeout(deadline);
        let writer = pool(1).connect_with(options.clone()).await.map_err(unreachable)?;
        let readers = pool(4).connect_lazy_with(options);
        Ok(Self::new(Pools::Sqlite { writer, readers }, &SQLITE, database, deadline))
    }
}

/// Rows that a thread of SQLite reads ahead of us: with few of them both wait for each other.
const ROWS_AHEAD: usize = 1_000;

/// A text, and of a long one the first characters, of up to four bytes each: SQLite counts the characters of a text up to
/// its first NUL, but all bytes. What is not cut comes in UTF-8 whatever the encoding of the file.
macro_rules! text {
    ($column:literal, $most:literal) => {
        concat!(
            "CASE WHEN octet_length(",
            $column,
            ") <= 4 * ",
            $most,
            " THEN ",
            $column,
            " ELSE substr(CAST(",
            $column,
            " AS BLOB), 1, 4 * ",
            $most,
            ") END, "
        )
    };
}

macro_rules! task_columns {
    () => {
        concat!(
            "id, ",
            text!("task_key", 256),
            text!("\"desc\"", 256),
            text!("execute_func", 256),
            text!("\"trigger\"", 256),
            text!("spec", 256),
            text!("args", 4097),
            text!("is_valid", 256),
            text!("status", 256),
            text!("extra", 16385),
            "CASE WHEN create_at LIKE '____-__-__%' THEN unixepoch(create_at) END, \
             CASE WHEN update_at LIKE '____-__-__%' THEN unixepoch(update_at) END"
        )
    };
}

macro_rules! execution_columns {
    () => {
        "e.id, e.task_id, t.task_key, e.status, e.extra, e.trace_id, unixepoch(e.create_at), e.scheduled_at, \
         e.attempt, e.source, e.node_id, e.started_at, e.finished_at"
    };
}

pub(crate) static SQLITE: Statements = Statements {
    begin: "BEGIN IMMEDIATE",

    read_tasks: concat!(
        "SELECT ",
        task_columns!(),
        " FROM task WHERE id > ?1 ORDER BY id LIMIT ?2"
    ),
    read_edited: concat!(
        "SELECT ",
        task_columns!(),
        " FROM task WHERE id IN (SELECT id FROM task WHERE update_at >= datetime('now', '-' || ?1 || ' seconds') \
         UNION SELECT id FROM task WHERE id > ?2 UNION SELECT value FROM json_each(?3)) ORDER BY id LIMIT ?4"
    ),
    read_task: concat!("SELECT ", task_columns!(), " FROM task WHERE id = ?1"),
    read_twins: concat!(
        "SELECT ",
        task_columns!(),
        " FROM task WHERE id IN (SELECT value FROM json_each(?1) UNION SELECT o.id FROM json_each(?2) v \
         CROSS JOIN task t ON t.id = v.value CROSS JOIN task o ON o.task_key = t.task_key) ORDER BY id"
    ),
    read_requests: READ_REQUESTS,
    read_retries: READ_RETRIES,
    requests_of: "SELECT id, task_id, requested_at, args FROM scheduler_request \
                  WHERE task_id = ?1 ORDER BY id LIMIT ?2",
    retries_of: "SELECT task_id, scheduled_at, attempt, due_at, NULL FROM scheduler_retry \
                 WHERE task_id = ?1 ORDER BY scheduled_at, attempt LIMIT ?2",
    read_meta: "SELECT value FROM scheduler_meta WHERE name = ?1",
    read_cursors: "SELECT v.value, (SELECT e.scheduled_at FROM execute_task e \
                   WHERE e.task_id = v.value AND e.source = 'schedule' ORDER BY e.scheduled_at DESC LIMIT 1) \
                   FROM json_each(?1) v",

    // The one writer holds the lock of the whole database: no row locks.
    lock_tasks: "SELECT t.id, t.is_valid, t.status, t.spec, unixepoch(t.update_at) \
                 FROM json_each(?1) v CROSS JOIN task t ON t.id = v.value",
    try_lock_tasks: "SELECT t.id, t.is_valid, t.status, t.spec, unixepoch(t.update_at) \
                     FROM json_each(?1) v CROSS JOIN task t ON t.id = v.value",
    existing_tasks: "SELECT t.id FROM json_each(?1) v CROSS JOIN task t ON t.id = v.value",
    count_open: "SELECT e.task_id, COUNT(*) FROM json_each(?1) v CROSS JOIN execute_task e \
                 ON e.task_id = v.value AND e.status = 'todo' GROUP BY e.task_id",
    lock_requests: "SELECT id FROM scheduler_request WHERE id IN (SELECT value FROM json_each(?1))",
    lock_retries: "SELECT r.task_id, r.scheduled_at, r.attempt FROM json_each(?1) v CROSS JOIN scheduler_retry r \
                   ON r.task_id = v.value ->> 'task_id' AND r.scheduled_at = v.value ->> 'scheduled_at' \
                   AND r.attempt = v.value ->> 'attempt'",
    insert_executions: "INSERT OR IGNORE INTO execute_task \
                        (task_id, status, extra, trace_id, scheduled_at, attempt, source, node_id, finished_at) \
                        SELECT value ->> 'task_id', value ->> 'status', value ->> 'extra', value ->> 'trace_id', \
                        value ->> 'scheduled_at', value ->> 'attempt', value ->> 'source', ?1, \
                        CASE WHEN value ->> 'status' <> 'todo' THEN CAST(unixepoch('subsec') * 1000 AS INTEGER) END \
                        FROM json_each(?2)",
    become_fires: "UPDATE execute_task SET source = 'schedule' WHERE source = 'manual' AND (task_id, scheduled_at, attempt) IN \
                   (SELECT value ->> 'task_id', value ->> 'scheduled_at', value ->> 'attempt' FROM json_each(?1))",
    read_back: "SELECT e.id, e.trace_id, e.status FROM json_each(?1) v CROSS JOIN execute_task e \
                ON e.task_id = v.value ->> 'task_id' AND e.scheduled_at = v.value ->> 'scheduled_at' \
                AND e.attempt = v.value ->> 'attempt'",
    set_doing: "UPDATE OR IGNORE task SET status = 'doing' WHERE id IN (SELECT value FROM json_each(?1))",
    delete_requests: "DELETE FROM scheduler_request WHERE id IN (SELECT value FROM json_each(?1))",
    delete_retries: "DELETE FROM scheduler_retry WHERE (task_id, scheduled_at, attempt) IN \
                     (SELECT value ->> 'task_id', value ->> 'scheduled_at', value ->> 'attempt' FROM json_each(?1))",

    existing_executions: "SELECT e.id FROM json_each(?1) v CROSS JOIN execute_task e ON e.id = v.value",
    lock_executions: "SELECT e.id, e.trace_id, e.status FROM json_each(?1) v CROSS JOIN execute_task e ON e.id = v.value",
    // MySQL moves `update_at` by itself.
    write_outcomes: "UPDATE execute_task SET status = v.value ->> 'status', extra = v.value ->> 'extra', \
                     started_at = COALESCE(v.value ->> 'started_at', started_at), \
                     finished_at = v.value ->> 'finished_at', update_at = CURRENT_TIMESTAMP \
                     FROM json_each(?1) v WHERE execute_task.id = v.value ->> 'id' AND execute_task.status = 'todo'",
    add_retries: "INSERT OR IGNORE INTO scheduler_retry (task_id, scheduled_at, attempt, due_at) \
                  SELECT value ->> 'task_id', value ->> 'scheduled_at', value ->> 'attempt', value ->> 'due_at' \
                  FROM json_each(?1)",
    release_tasks: "UPDATE OR IGNORE task SET status = 'ready' WHERE id IN (SELECT value FROM json_each(?1)) \
                    AND status = 'doing' AND NOT EXISTS \
                    (SELECT 1 FROM execute_task e WHERE e.status = 'todo' AND e.task_id = task.id)",
    write_notes: "UPDATE execute_task SET update_at = CURRENT_TIMESTAMP, extra = v.value ->> 'extra' \
                  FROM json_each(?1) v WHERE execute_task.id = v.value ->> 'id' AND execute_task.status = 'todo' \
                  AND execute_task.trace_id = v.value ->> 'trace_id'",

    read_nodes: "SELECT node_id, CAST(unixepoch('subsec') * 1000 AS INTEGER) - heartbeat_at FROM scheduler_node \
                 WHERE heartbeat_at >= CAST(unixepoch('subsec') * 1000 AS INTEGER) - 3600000 AND left_at IS NULL \
                 ORDER BY node_id",
    read_now: "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) * 1000",
    renew: "INSERT INTO scheduler_node (node_id, started_at, heartbeat_at) \
            VALUES (?1, CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER)) \
            ON CONFLICT (node_id) DO UPDATE SET heartbeat_at = excluded.heartbeat_at",
    leave: "UPDATE scheduler_node SET left_at = CAST(unixepoch('subsec') * 1000 AS INTEGER) \
            WHERE node_id = ?1 AND left_at IS NULL",
    find_dead: "SELECT e.id, e.task_id, e.node_id FROM execute_task e \
                LEFT JOIN scheduler_node n ON n.node_id = e.node_id WHERE e.status = 'todo' AND e.node_id IS NOT ?1 \
                AND COALESCE(n.heartbeat_at, unixepoch(e.create_at) * 1000, 0) \
                < CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?2 \
                AND CAST(unixepoch('subsec') * 1000 AS INTEGER) <= ?3 ORDER BY e.task_id, e.id LIMIT 1000",
    read_attempts: "SELECT e.id, e.attempt, e.extra, e.scheduled_at, CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM json_each(?1) v CROSS JOIN execute_task e ON e.id = v.value",
    retry_lost: "INSERT OR IGNORE INTO scheduler_retry (task_id, scheduled_at, attempt, due_at) \
                 SELECT e.task_id, e.scheduled_at, e.attempt + 1, CAST(unixepoch('subsec') * 1000 AS INTEGER) \
                 FROM json_each(?1) v CROSS JOIN execute_task e ON e.id = v.value WHERE e.scheduled_at IS NOT NULL",
    mark_lost: "UPDATE execute_task SET status = 'lost', extra = v.value ->> 'extra', update_at = CURRENT_TIMESTAMP, \
                finished_at = CAST(unixepoch('subsec') * 1000 AS INTEGER) \
                FROM json_each(?1) v WHERE execute_task.id = v.value ->> 'id' AND execute_task.status = 'todo'",
    forget_nodes: "DELETE FROM scheduler_node \
                   WHERE heartbeat_at < CAST(unixepoch('subsec') * 1000 AS INTEGER) - 2592000000",

    read_cancels: "SELECT c.execution_id, c.author FROM scheduler_cancel c CROSS JOIN execute_task e \
                   ON e.id = c.execution_id WHERE e.status = 'todo' ORDER BY c.execution_id LIMIT ?1",
    add_cancel: "INSERT OR IGNORE INTO scheduler_cancel (execution_id, author, requested_at) \
                 VALUES (?1, ?2, CAST(unixepoch('subsec') * 1000 AS INTEGER))",
    forget_cancels: "DELETE FROM scheduler_cancel \
                     WHERE requested_at < CAST(unixepoch('subsec') * 1000 AS INTEGER) - 86400000",
    // A BLOB, which somebody may have written, is none to JSON.
    read_recent: concat!(
        "SELECT task_id, json_group_array(json_array(id, CAST(status AS TEXT), CAST(scheduled_at AS INTEGER), \
         CAST(started_at AS INTEGER), CAST(finished_at AS INTEGER), CAST(attempt AS INTEGER))) FROM (",
        united_25!(
            "SELECT * FROM (SELECT task_id, id, status, scheduled_at, started_at, finished_at, attempt \
             FROM execute_task WHERE task_id = ? AND scheduled_at IS NOT NULL \
             ORDER BY scheduled_at DESC, attempt DESC LIMIT ?)"
        ),
        ") GROUP BY task_id"
    ),
    add_session: "INSERT INTO scheduler_session (content, expires_at, digest) VALUES (?1, ?2, ?3)",
    change_session: "UPDATE scheduler_session SET content = ?1, expires_at = ?2 WHERE digest = ?3",
    read_session: "SELECT content, expires_at FROM scheduler_session \
                   WHERE digest = ?1 AND expires_at > CAST(unixepoch('subsec') * 1000 AS INTEGER)",
    lock_session: "SELECT content, expires_at FROM scheduler_session \
                   WHERE digest = ?1 AND expires_at > CAST(unixepoch('subsec') * 1000 AS INTEGER)",
    delete_session: "DELETE FROM scheduler_session WHERE digest = ?1",
    forget_sessions: "DELETE FROM scheduler_session WHERE expires_at <= CAST(unixepoch('subsec') * 1000 AS INTEGER)",

    add_task: "INSERT INTO task (id, task_key, \"desc\", execute_func, \"trigger\", spec, args, is_valid, status, extra) \
               SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'ready', ?9 \
               WHERE NOT EXISTS (SELECT 1 FROM task t WHERE t.task_key = ?2)",
    find_key: "SELECT id FROM task WHERE task_key = ?1 ORDER BY id DESC LIMIT 1",
    lock_task: concat!("SELECT ", task_columns!(), " FROM task WHERE id = ?1"),
    change_task: "UPDATE task SET task_key = COALESCE(?1, task_key), \"desc\" = COALESCE(?2, \"desc\"), \
                  execute_func = COALESCE(?3, execute_func), \"trigger\" = COALESCE(?4, \"trigger\"), \
                  spec = COALESCE(?5, spec), args = COALESCE(?6, args), is_valid = COALESCE(?7, is_valid), \
                  extra = COALESCE(?8, extra) WHERE id = ?9",
    add_edit: "INSERT INTO scheduler_edit \
               (task_id, edited_at, author, via, action, row_before, row_after, pause_until, pause_reason) \
               VALUES (?1, CAST(unixepoch('subsec') * 1000 AS INTEGER), ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    try_lock_rows: concat!(
        "SELECT ",
        task_columns!(),
        " FROM task WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id"
    ),
    newest_edits: "SELECT e.task_id, e.row_after FROM json_each(?1) v CROSS JOIN scheduler_edit e ON e.id = \
                   (SELECT n.id FROM scheduler_edit n WHERE n.task_id = v.value AND n.action <> 'run' \
                   ORDER BY n.id DESC LIMIT 1)",
    add_edits: "INSERT INTO scheduler_edit (task_id, edited_at, author, via, action, row_before, row_after) \
                SELECT value ->> 'task_id', CAST(unixepoch('subsec') * 1000 AS INTEGER), '', ?1, \
                value ->> 'action', value ->> 'row_before', value ->> 'row_after' FROM json_each(?2)",
    list_edits: "SELECT id, task_id, edited_at, author, via, action, row_before, row_after, pause_until, pause_reason \
                 FROM scheduler_edit \
                 WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
    edits_of_task: "SELECT id, task_id, edited_at, author, via, action, row_before, row_after, pause_until, pause_reason \
                    FROM scheduler_edit \
                    WHERE task_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
    delete_task: "DELETE FROM task WHERE id = ?1",
    read_instants: "SELECT requested_at FROM scheduler_request WHERE task_id = ?1 AND requested_at BETWEEN ?2 AND ?3 \
                    UNION ALL \
                    SELECT scheduled_at FROM execute_task WHERE task_id = ?4 AND scheduled_at BETWEEN ?5 AND ?6",
    put_pause: "INSERT OR REPLACE INTO scheduler_pause (task_id, paused_at, until, reason, author) \
                VALUES (?1, CAST(unixepoch('subsec') * 1000 AS INTEGER), ?2, ?3, ?4)",
    read_pauses: "SELECT task_id, paused_at, until, reason, author FROM scheduler_pause \
                  WHERE task_id IN (SELECT value FROM json_each(?1)) ORDER BY task_id",
    list_pauses: "SELECT task_id FROM scheduler_pause ORDER BY task_id LIMIT ?1",
    due_pauses: "SELECT task_id FROM scheduler_pause \
                 WHERE until <= CAST(unixepoch('subsec') * 1000 AS INTEGER) ORDER BY task_id LIMIT ?1",
    drop_pauses: "DELETE FROM scheduler_pause WHERE task_id IN (SELECT value FROM json_each(?1))",
    request_run: "INSERT INTO scheduler_request (task_id, requested_at, args) VALUES (?1, ?2, ?3)",
    list_executions: concat!(
        "SELECT ",
        execution_columns!(),
        " FROM execute_task e LEFT JOIN task t ON t.id = e.task_id \
         WHERE (?1 IS NULL OR e.task_id = ?2) AND (?3 IS NULL OR e.status = ?4) AND e.id >= ?5 AND e.id < ?6 \
         ORDER BY e.id DESC LIMIT ?7"
    ),
    list_of_task: concat!(
        "SELECT ",
        execution_columns!(),
        " FROM (SELECT id FROM execute_task INDEXED BY ux__execute_task__fire \
         WHERE task_id = ?1 AND (?2 IS NULL OR status = ?3) AND id < ?4 ORDER BY id DESC LIMIT ?5) w \
         CROSS JOIN execute_task e ON e.id = w.id LEFT JOIN task t ON t.id = e.task_id ORDER BY e.id DESC"
    ),
    // The indexes of open rows and of those that did not succeed are partial: each needs its own words.
    list_in_status: concat!(
        "SELECT ",
        execution_columns!(),
        " FROM (SELECT id FROM execute_task INDEXED BY ix__execute_task__status \
         WHERE status = ?1 AND status <> 'success' AND status <> 'todo' AND id < ?2 \
         UNION ALL SELECT id FROM execute_task INDEXED BY ix__execute_task__open \
         WHERE ?1 = 'todo' AND status = 'todo' AND id < ?2 \
         ORDER BY id DESC LIMIT ?3) w \
         CROSS JOIN execute_task e ON e.id = w.id LEFT JOIN task t ON t.id = e.task_id ORDER BY e.id DESC"
    ),
    count_executions: "SELECT COUNT(*) FROM execute_task WHERE task_id = ?1",
    newest_execution: "SELECT MAX(id) FROM execute_task WHERE id < ?1",
    read_created: "SELECT id, unixepoch(create_at) FROM execute_task WHERE id >= ?1 ORDER BY id LIMIT 1",
    count_outcomes: "SELECT COALESCE(scheduled_at, unixepoch(create_at) * 1000) / 3600000, status, COUNT(*) \
                     FROM execute_task NOT INDEXED WHERE id BETWEEN ?1 AND ?2 \
                     AND (?3 IS NULL OR task_id IN (SELECT value FROM json_each(?4))) GROUP BY 1, 2 ORDER BY 1, 2",
    // The index has what neither succeeded nor is open.
    failing_tasks: concat!(
        "SELECT ",
        execution_columns!(),
        ", f.count, EXISTS (SELECT 1 FROM execute_task s WHERE s.task_id = e.task_id AND s.scheduled_at >= e.scheduled_at \
         AND s.status = 'success' AND s.id > e.id) AS has_recovered \
         FROM (SELECT task_id, COUNT(*) AS count, MAX(id) AS last FROM execute_task INDEXED BY ix__execute_task__status \
         WHERE status IN ('fail', 'timeout', 'lost') AND status <> 'success' AND status <> 'todo' AND id >= ?1 \
         GROUP BY task_id ORDER BY last DESC LIMIT ?2) f \
         CROSS JOIN execute_task e ON e.id = f.last LEFT JOIN task t ON t.id = e.task_id ORDER BY has_recovered, e.id DESC"
    ),
    read_execution: concat!(
        "SELECT ",
        execution_columns!(),
        " FROM execute_task e LEFT JOIN task t ON t.id = e.task_id WHERE e.id = ?1"
    ),
    read_fire: concat!(
        "SELECT ",
        execution_columns!(),
        " FROM execute_task e LEFT JOIN task t ON t.id = e.task_id \
         WHERE e.task_id = ?1 AND e.scheduled_at = ?2 ORDER BY e.attempt LIMIT 100"
    ),
    read_next_fire: concat!(
        "SELECT ",
        execution_columns!(),
        " FROM execute_task e LEFT JOIN task t ON t.id = e.task_id \
         WHERE e.task_id = ?1 AND e.scheduled_at > ?2 AND e.source = 'schedule' ORDER BY e.scheduled_at LIMIT 1"
    ),
    read_runs_before: concat!(
        "SELECT ",
        execution_columns!(),
        " FROM execute_task e LEFT JOIN task t ON t.id = e.task_id \
         WHERE e.task_id = ?1 AND e.scheduled_at < ?2 AND e.status NOT IN ('missed', 'skipped') \
         ORDER BY e.scheduled_at DESC, e.attempt DESC LIMIT 20"
    ),
    read_oldest: concat!(
        "SELECT e.id, COALESCE(unixepoch(e.create_at) * 1000, 0) >= ?1, \
         e.status <> 'todo' AND COALESCE(e.finished_at, unixepoch(e.create_at) * 1000, 0) < ?2 AND NOT ",
        is_needed!(),
        " FROM execute_task e WHERE e.id > ?3 ORDER BY e.id LIMIT ?4"
    ),
    read_crowded: "SELECT t.id, (SELECT e.scheduled_at FROM execute_task e WHERE e.task_id = t.id \
                   ORDER BY e.scheduled_at DESC, e.attempt DESC LIMIT 1 OFFSET ?1) \
                   FROM (SELECT id FROM task WHERE id > ?2 ORDER BY id LIMIT ?3) t",
    read_before: concat!(
        "SELECT e.id FROM execute_task e WHERE e.task_id = ?1 AND e.scheduled_at < ?2 AND e.status <> 'todo' AND NOT ",
        is_needed!(),
        " ORDER BY e.scheduled_at LIMIT ?3"
    ),
    delete_executions: "DELETE FROM execute_task WHERE id IN (SELECT value FROM json_each(?1)) AND status <> 'todo'",
    read_logs: "SELECT l.execution_id, COALESCE(unixepoch(e.create_at) * 1000, 0) >= ?1, \
                e.id IS NULL OR e.status <> 'todo' AND COALESCE(e.finished_at, unixepoch(e.create_at) * 1000, 0) < ?2 \
                FROM (SELECT DISTINCT execution_id FROM scheduler_log WHERE execution_id > ?3 ORDER BY execution_id LIMIT ?4) l \
                LEFT JOIN execute_task e ON e.id = l.execution_id ORDER BY l.execution_id",
    delete_logs: "DELETE FROM scheduler_log WHERE execution_id IN (SELECT value FROM json_each(?1))",
    read_old_edits: "SELECT e.id, e.edited_at >= ?1, e.edited_at < ?2 AND (e.row_after IS NULL OR EXISTS \
                     (SELECT 1 FROM scheduler_edit n WHERE n.task_id = e.task_id AND n.id > e.id AND n.action <> 'run')) \
                     FROM scheduler_edit e WHERE e.id > ?3 ORDER BY e.id LIMIT ?4",
    delete_edits: "DELETE FROM scheduler_edit WHERE id IN (SELECT value FROM json_each(?1))",
    append_log: "INSERT OR IGNORE INTO scheduler_log (execution_id, part, content) \
                 SELECT value ->> 'execution_id', value ->> 'part', value ->> 'content' FROM json_each(?1) \
                 WHERE EXISTS (SELECT 1 FROM execute_task e WHERE e.id = value ->> 'execution_id')",
    read_log: "SELECT part, content FROM scheduler_log WHERE execution_id = ?1 AND part > ?2 ORDER BY part",
    list_nodes: "SELECT n.node_id, n.started_at, n.heartbeat_at, n.left_at, \
                 CAST(unixepoch('subsec') * 1000 AS INTEGER), c.content FROM scheduler_node n \
                 LEFT JOIN scheduler_node_card c ON c.node_id = n.node_id ORDER BY n.heartbeat_at DESC LIMIT 1000",
    keep_alarms: "INSERT INTO scheduler_alarm (node_id, rule, about, began_at, last_at, ended_at, count, content) \
                  SELECT ?1, value ->> 'rule', value ->> 'about', value ->> 'began_at', value ->> 'last_at', \
                  value ->> 'ended_at', value ->> 'count', value ->> 'content' FROM json_each(?2) WHERE true \
                  ON CONFLICT (node_id, rule, about, began_at) DO UPDATE SET last_at = excluded.last_at, \
                  ended_at = excluded.ended_at, count = excluded.count, content = excluded.content",
    list_alarms: "SELECT id, node_id, rule, about, began_at, last_at, ended_at, count, content \
                  FROM scheduler_alarm WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
    open_alarms: "SELECT id, node_id, rule, about, began_at, last_at, ended_at, count, content \
                  FROM scheduler_alarm WHERE ended_at IS NULL AND id < ?1 ORDER BY id DESC LIMIT ?2",
    end_alarms: "UPDATE scheduler_alarm SET ended_at = last_at WHERE ended_at IS NULL AND node_id NOT IN \
                 (SELECT node_id FROM scheduler_node WHERE left_at IS NULL \
                 AND heartbeat_at > CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?1)",
    forget_alarms: "DELETE FROM scheduler_alarm \
                    WHERE ended_at < CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?1",
    put_card: "INSERT OR REPLACE INTO scheduler_node_card (node_id, content) VALUES (?1, ?2)",
    forget_cards: "DELETE FROM scheduler_node_card WHERE node_id NOT IN (SELECT node_id FROM scheduler_node)",
    count_tasks: "SELECT COUNT(*) FROM task",
    add_meta: "INSERT OR IGNORE INTO scheduler_meta (name, value) VALUES (?1, ?2)",

    read_unique_keys: "SELECT l.table_name, x.name, i.name FROM (SELECT 'task' AS table_name UNION ALL SELECT 'execute_task') l \
                       JOIN pragma_index_list(l.table_name) x JOIN pragma_index_info(x.name) i \
                       WHERE x.\"unique\" = 1 ORDER BY l.table_name, x.name, i.seqno",
};
