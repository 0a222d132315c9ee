//! The statements themselves: each can be prepared, and those that run for every batch find their rows by a
//! key, however many rows there are.

use sqlx::{AssertSqlSafe, Column as _, Row as _};

use super::{Fixture, Operator};
use crate::store::SqlStore;

pub async fn every_statement_is_prepared(fixture: &Fixture) {
    let prepared = store(fixture).prepare_all().await.unwrap();
    assert_eq!(prepared, store(fixture).statements().len());
    assert!(prepared >= 30, "{prepared}");
}

fn store(fixture: &Fixture) -> &SqlStore {
    fixture.sql.as_deref().expect("bug: a case for SQL on the store in memory")
}

const IDS: &str = "[17,18,19999]";
const FIRES: &str = r#"[{"task_id":17,"scheduled_at":17,"attempt":1,"status":"todo","extra":"","trace_id":"a","source":"s"}]"#;
const OUTCOMES: &str =
    r#"[{"id":17,"status":"fail","extra":"{}","started_at":null,"finished_at":5}]"#;

const NOTES: &str = r#"[{"id":17,"trace_id":"a","extra":"{}"}]"#;
const LOST: &str = r#"[{"id":17,"extra":"{}"}]"#;

const BATCH_STATEMENTS: [(&str, &[&str]); 44] = [
    ("read_edited", &["70", "19990", IDS, "10000"]),
    ("lock_tasks", &[IDS]),
    ("read_cursors", &[IDS]),
    ("read_twins", &[IDS, IDS]),
    ("read_recent", &["17"; 50]),
    ("read_cancels", &["1000"]),
    ("failing_tasks", &["17", "200"]),
    ("try_lock_rows", &[IDS]),
    ("newest_edits", &[IDS]),
    ("read_old_edits", &["5", "5", "17", "100"]),
    ("delete_edits", &[IDS]),
    ("list_edits", &["9000000000000000", "100"]),
    ("edits_of_task", &["17", "9000000000000000", "100"]),
    ("read_back", &[FIRES]),
    ("set_doing", &[IDS]),
    ("lock_executions", &[IDS]),
    ("write_outcomes", &[OUTCOMES]),
    ("release_tasks", &[IDS]),
    ("mark_lost", &[LOST]),
    ("read_attempts", &[IDS]),
    ("retry_lost", &[IDS]),
    ("write_notes", &[NOTES]),
    ("lock_retries", &[FIRES]),
    ("delete_retries", &[FIRES]),
    ("find_dead", &["node", "30000", "9000000000000000"]),
    ("try_lock_tasks", &[IDS]),
    ("existing_tasks", &[IDS]),
    ("count_open", &[IDS]),
    ("existing_executions", &[IDS]),
    ("read_fire", &["17", "17"]),
    ("read_next_fire", &["17", "17"]),
    ("read_runs_before", &["17", "17"]),
    ("read_oldest", &["5", "5", "17", "100"]),
    ("read_logs", &["5", "5", "17", "100"]),
    ("read_before", &["17", "17", "100"]),
    ("delete_executions", &[IDS]),
    ("delete_logs", &[IDS]),
    ("list_of_task", &["17", "fail", "fail", "9000000000000000", "50"]),
    ("list_in_status", &["fail", "9000000000000000", "50"]),
    ("read_pauses", &[IDS]),
    ("drop_pauses", &[IDS]),
    ("retries_of", &["17", "100"]),
    ("list_alarms", &["9000000000000000", "50"]),
    ("open_alarms", &["9000000000000000", "50"]),
];

pub async fn no_batch_statement_reads_a_whole_table(fixture: &Fixture) {
    fill(&fixture.operator).await;
    let mut scans = Vec::new();
    for (name, binds) in BATCH_STATEMENTS {
        let all = store(fixture).statements();
        let (_, sql) =
            all.iter().find(|(known, _)| *known == name).expect("the statement is listed");
        for step in plan(&fixture.operator, sql, binds).await {
            if is_scan(&step) {
                scans.push(format!("{name}: {step}"));
            }
        }
    }
    assert!(scans.is_empty(), "{scans:#?}");
}

/// 20,000 tasks and 50,000 executions, a hundred of them open.
async fn fill(operator: &Operator) {
    let task = "INSERT INTO task (id, task_key, `desc`, execute_func, `trigger`, spec, is_valid, status, update_at)";
    let task_row = "'', 'test', 'interval', '10', 1, 'ready', '2020-01-01 00:00:00'";
    let execution = "INSERT INTO execute_task (id, task_id, status, trace_id, scheduled_at)";
    let retry = "INSERT INTO scheduler_retry (task_id, scheduled_at, attempt, due_at)";
    let status = "CASE WHEN i % 500 = 0 THEN 'todo' ELSE 'success' END";
    let numbers = |count| {
        format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})")
    };
    let tasks = numbers(20_000);
    let executions = numbers(50_000);
    operator.either(
        &format!(
            "BEGIN; {task} {tasks} SELECT i, 'key ' || i, {task_row} FROM n; \
             {execution} {executions} SELECT i, i % 20000 + 1, {status}, 'trace ' || i, i FROM n; \
             {retry} {tasks} SELECT i, i, 2, i FROM n; COMMIT; ANALYZE"
        ),
        &format!(
            "SET SESSION max_recursive_iterations = 100000; START TRANSACTION; \
             {task} {tasks} SELECT i, CONCAT('key ', i), {task_row} FROM n; \
             {execution} {executions} SELECT i, i % 20000 + 1, {status}, CONCAT('trace ', i), i FROM n; \
             {retry} {tasks} SELECT i, i, 2, i FROM n; COMMIT; \
             ANALYZE TABLE task, execute_task, scheduler_retry"
        ),
    )
    .await;
}

/// The steps of a plan, one line each: on MySQL `table=… type=… key=…`, on SQLite its words.
async fn plan(operator: &Operator, sql: &str, binds: &[&str]) -> Vec<String> {
    match operator {
        Operator::Memory(_) => unreachable!("bug: a plan of the store in memory"),
        Operator::Sqlite(pool) => {
            let text = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
            let query = binds.iter().fold(sqlx::query(text), |query, bind| query.bind(*bind));
            let rows = query.fetch_all(pool).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
            rows.iter().map(|row| row.get::<String, _>("detail")).collect()
        }
        Operator::Mysql(pool) => {
            let text = AssertSqlSafe(format!("EXPLAIN {sql}"));
            let query = binds.iter().fold(sqlx::query(text), |query, bind| query.bind(*bind));
            let rows = query.fetch_all(pool).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
            let step = |row: &sqlx::mysql::MySqlRow| {
                let shown = row
                    .columns()
                    .iter()
                    .filter(|column| ["table", "type", "key", "Extra"].contains(&column.name()));
                let cell = |column: &sqlx::mysql::MySqlColumn| {
                    let value: Option<String> = row.get_unchecked(column.ordinal());
                    format!("{}={}", column.name(), value.unwrap_or_default())
                };
                shown.map(cell).collect::<Vec<_>>().join(" ")
            };
            rows.iter().map(step).collect()
        }
    }
}

/// Whether a step reads one of the large tables from end to end. SQLite calls the reading of a partial
/// index a scan too; the one over open rows holds nothing but what is looked for.
fn is_scan(step: &str) -> bool {
    let is_large = ["task", "execute_task", "e", "t", "scheduler_retry", "r"].iter().any(|table| {
        step.starts_with(&format!("table={table} "))
            || step.starts_with(&format!("SCAN {table} "))
            || step == format!("SCAN {table}")
    });
    let reads_all =
        step.contains("type=ALL") || step.contains("type=index ") || step.starts_with("SCAN ");
    is_large && reads_all && !step.contains("ix__execute_task__open")
}
