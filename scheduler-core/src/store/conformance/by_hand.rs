//! What operators and the original program leave in the tables.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{
    Fixture,
    alive::{AT_ANY_TIME, LONGER, lost},
    at, outcome, run_of,
};
use crate::{
    plan::{
        claim::Verdict,
        execution::Status,
        task::{FieldFault, TaskId},
    },
    store::ExecutionFilter,
};

/// The original's key is (task_key, status): two rows may share a key as long as one is ready and the other
/// doing. Then neither can follow the other.
async fn twins(fixture: &Fixture) -> (TaskId, TaskId) {
    fixture.operator.insert_task(1, "twin", "ready").await;
    fixture.operator.insert_task(2, "twin", "doing").await;
    (1, 2)
}

pub async fn a_second_row_with_the_same_key_harms_no_claim(fixture: &Fixture) {
    let (ready, _) = twins(fixture).await;
    fixture.operator.insert_task(3, "other", "ready").await;
    let claims = [run_of(ready, at(10)), run_of(3, at(10))];
    let verdicts = fixture.store.claim("n1", &claims).await.unwrap();
    assert!(
        verdicts.iter().all(|verdict| matches!(verdict, Verdict::Won(Some(_)))),
        "{verdicts:?}"
    );
    assert_eq!(fixture.status(3).await, "doing");
    let Verdict::Won(Some(id)) = verdicts[0] else { unreachable!() };
    assert!(fixture.record(&outcome(id, &claims[0], Status::Success)).await);
    assert_eq!(fixture.status(ready).await, "ready");
}

pub async fn a_second_row_with_the_same_key_harms_no_record(fixture: &Fixture) {
    let (_, doing) = twins(fixture).await;
    fixture.operator.insert_open(500, doing, "t").await;
    let mut claim = run_of(doing, at(10));
    claim.entries[0].trace_id = "t".into();
    assert!(fixture.record(&outcome(500, &claim, Status::Success)).await);
    assert_eq!(fixture.execution(500).await.status, "success");
    assert_eq!(fixture.status(doing).await, "doing", "its twin stands at ready");
    fixture.store.reap("the reaper", Duration::from_secs(30), AT_ANY_TIME, &[doing]).await.unwrap();
}

/// The due time is no part of what a retry is: beyond all time it is the first or last that there is.
pub async fn a_retry_due_beyond_all_time_is_due_at_its_end(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let retry = |attempt: u32, due_at: i64| {
        format!(
            "INSERT INTO scheduler_retry (task_id, scheduled_at, attempt, due_at) \
             VALUES ({task}, 10000, {attempt}, {due_at})"
        )
    };
    fixture.operator.sql(&retry(2, i64::MAX)).await;
    fixture.operator.sql(&retry(3, -i64::MAX)).await;
    let last_ms = DateTime::<Utc>::MAX_UTC.timestamp_millis();
    fixture.operator.sql(&retry(4, last_ms)).await;
    let reading = fixture.store.read().await.unwrap();
    let due: Vec<_> = reading.requests.iter().map(|retry| (retry.attempt, retry.due_at)).collect();
    let last = DateTime::from_timestamp_millis(last_ms).unwrap();
    assert_eq!(due, [(3, DateTime::<Utc>::MIN_UTC), (4, last), (2, DateTime::<Utc>::MAX_UTC)]);
    assert_eq!((reading.is_whole, reading.unreadable), (true, vec![]));
}

/// What a row is for cannot be guessed.
pub async fn what_waits_for_an_instant_that_is_none_is_passed_over_and_named(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let retry = "INSERT INTO scheduler_retry (task_id, scheduled_at, attempt, due_at) VALUES";
    let request = "INSERT INTO scheduler_request (id, task_id, requested_at) VALUES";
    for row in [
        format!("{retry} ({task}, {}, 2, 20000)", i64::MAX),
        format!("{retry} ({task}, 10000, -1, 30000)"),
        format!("{retry} ({task}, 10000, 2, 40000)"),
        format!("{request} (7, {task}, -{})", i64::MAX),
        format!("{request} (8, {task}, 50000)"),
    ] {
        fixture.operator.sql(&row).await;
    }
    let reading = fixture.store.read().await.unwrap();
    let instants: Vec<_> =
        reading.requests.iter().map(|request| request.scheduled_at.timestamp()).collect();
    assert_eq!(instants, [50, 10]);
    let wanted = "expected milliseconds of an instant, args in UTF-8, and of a retry an attempt of 0 or more";
    assert_eq!(
        reading.unreadable,
        [
            format!(
                "row of scheduler_request with id 7, task_id {task}, requested_at -{}: {wanted}",
                i64::MAX
            ),
            format!(
                "row of scheduler_retry with task_id {task}, scheduled_at {}, attempt 2, due_at 20000: {wanted}",
                i64::MAX
            ),
            format!(
                "row of scheduler_retry with task_id {task}, scheduled_at 10000, attempt -1, due_at 30000: {wanted}"
            ),
        ]
    );
    assert!(!reading.is_whole, "what was known stays known");
}

pub async fn an_unreadable_value_harms_no_other_row(fixture: &Fixture) {
    let (bad, good) = (fixture.add("bad").await, fixture.add("good").await);
    if fixture.operator.is_mysql() {
        fixture
            .operator
            .sql("ALTER TABLE task MODIFY args BLOB NOT NULL, MODIFY spec VARBINARY(255) NOT NULL")
            .await;
    }
    fixture
        .operator
        .either(
            &format!(
                "UPDATE task SET args = CAST(x'80ff' AS TEXT), spec = x'c328' WHERE id = {bad}"
            ),
            &format!("UPDATE task SET args = x'80ff', spec = x'c328' WHERE id = {bad}"),
        )
        .await;
    let rows = fixture.store.read().await.unwrap().rows;
    assert_eq!(rows[0].args, Err(FieldFault::NotUtf8));
    assert_eq!(rows[0].spec, Err(FieldFault::NotUtf8));
    assert_eq!(rows[0].task_key.as_deref(), Ok("bad"));
    assert_eq!(rows[1].spec.as_deref(), Ok("10"));
    let verdicts =
        fixture.store.claim("n1", &[run_of(bad, at(10)), run_of(good, at(10))]).await.unwrap();
    assert!(matches!(verdicts[0], Verdict::Refused(_)), "{verdicts:?}");
    assert!(matches!(verdicts[1], Verdict::Won(Some(_))), "{verdicts:?}");
}

/// Lets `column` hold NULL, as an old or hand-made schema may.
async fn allow_null(fixture: &Fixture, column: &str, mysql_type: &str) {
    let mysql = format!("ALTER TABLE task MODIFY {column} {mysql_type} NULL");
    // SQLite cannot change a column; its stored schema can be written.
    let sqlite = format!(
        "PRAGMA writable_schema = ON; \
         UPDATE sqlite_schema SET sql = replace(sql, '{column} {} NOT NULL', '{column} {}') WHERE name = 'task'; \
         PRAGMA writable_schema = RESET",
        sqlite_type(column),
        sqlite_type(column),
    );
    fixture.operator.either(&sqlite, &mysql).await;
}

fn sqlite_type(column: &str) -> &'static str {
    if column == "is_valid" { "INTEGER" } else { "TEXT" }
}

pub async fn a_null_harms_no_other_row(fixture: &Fixture) {
    let (bad, good) = (fixture.add("bad").await, fixture.add("good").await);
    allow_null(fixture, "args", "varchar(255)").await;
    allow_null(fixture, "extra", "text").await;
    fixture
        .operator
        .sql(&format!("UPDATE task SET args = NULL, extra = NULL WHERE id = {bad}"))
        .await;
    let rows = fixture.store.read().await.unwrap().rows;
    assert_eq!((&rows[0].args, &rows[0].extra), (&Err(FieldFault::Null), &Err(FieldFault::Null)));
    assert_eq!(rows[1].id, good);
    assert_eq!(rows[1].extra.as_deref(), Ok("{}"));
}

pub async fn a_null_in_is_valid_can_be_switched_on(fixture: &Fixture) {
    let task = fixture.add("a").await;
    allow_null(fixture, "is_valid", "int").await;
    fixture.operator.sql("UPDATE task SET is_valid = NULL").await;
    assert_eq!(fixture.row(task).await.is_valid, Err(FieldFault::Null));
    fixture.store.set_enabled(task, true).await.unwrap();
    assert_eq!(fixture.row(task).await.is_valid.as_deref(), Ok("1"));
}

pub async fn an_edit_by_hand_moves_update_at(fixture: &Fixture) {
    let task = fixture.add("a").await;
    for change in ["spec = '11'", "args = '1'", "is_valid = 0", "`desc` = 'x'", "task_key = 'b'"] {
        let before = fixture.backdate(task).await;
        fixture.operator.sql(&format!("UPDATE task SET {change} WHERE id = {task}")).await;
        assert!(fixture.row(task).await.updated_at > before, "{change}");
    }
}

pub async fn a_status_by_hand_holds_up_no_claim(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.operator.set_status(task, "doing").await;
    assert_eq!(fixture.status(task).await, "doing");
    // What is open counts, not what somebody wrote.
    let claim = run_of(task, at(10));
    let id = fixture.won(&claim).await;
    fixture.record(&outcome(id, &claim, Status::Success)).await;
    assert_eq!(fixture.status(task).await, "ready");
}

pub async fn an_update_that_changes_nothing_is_no_edit(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let before = fixture.backdate(task).await;
    fixture.operator.sql(&format!("UPDATE task SET spec = '10' WHERE id = {task}")).await;
    assert_eq!(fixture.row(task).await.updated_at, before);
}

pub async fn a_row_of_the_original_is_no_fire(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.operator.insert_open(500, task, "one").await;
    fixture.operator.insert_open(501, task, "two").await;
    fixture.operator.sql("UPDATE execute_task SET status = 'success'").await;
    assert!(fixture.store.cursors(&[task]).await.unwrap().is_empty());
    fixture.won(&run_of(task, at(10))).await;
    let rows = fixture.executions().await;
    assert_eq!(
        (rows[0].scheduled_at, rows[0].attempt, rows[0].source.as_str()),
        (None, 1, "schedule")
    );
}

pub async fn an_open_row_of_the_original_is_lost_after_the_lease(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.operator.insert_open(500, task, "one").await;
    assert!(fixture.reap(&[]).await.lost.is_empty());
    fixture.operator.age(LONGER).await;
    assert_eq!(fixture.reap(&[]).await.lost, [lost(500, task, None)]);
}

pub async fn lists_reach_what_lies_far_behind(fixture: &Fixture) {
    let (a, b) = (fixture.add("a").await, fixture.add("b").await);
    let insert = "INSERT INTO execute_task (id, task_id, status, trace_id, scheduled_at) VALUES";
    let sql = format!(
        "{insert} (1, {a}, 'fail', '1', 1), (2, {a}, 'success', '2', 2), (3, {b}, 'fail', '3', 3), \
         (4, {b}, 'skipped', '4', NULL), (900000, {b}, 'success', '5', 5), (900001, {b}, 'todo', '6', 6)"
    );
    fixture.operator.either(&sql, &sql).await;
    let ids = async |task_id, status: Option<Status>, before| {
        let filter = ExecutionFilter { task_id, status, before, ..ExecutionFilter::newest(2) };
        let rows = fixture.store.executions(filter).await.unwrap();
        rows.iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(None, None, None).await, [900_001, 900_000]);
    assert_eq!(ids(Some(a), None, None).await, [2, 1]);
    assert_eq!(ids(Some(a), None, Some(2)).await, [1]);
    assert_eq!(ids(Some(b), None, None).await, [900_001, 900_000]);
    assert_eq!(ids(Some(b), None, Some(900_001)).await, [900_000, 4]);
    assert_eq!(ids(Some(b), Some(Status::Fail), None).await, [3]);
    assert_eq!(ids(None, Some(Status::Fail), None).await, [3, 1]);
    assert_eq!(ids(None, Some(Status::Fail), Some(3)).await, [1]);
    assert_eq!(ids(None, Some(Status::Skipped), None).await, [4]);
    assert_eq!(ids(None, Some(Status::Success), None).await, [900_000, 2]);
    assert_eq!(ids(None, Some(Status::Todo), None).await, [900_001]);
    assert_eq!(ids(None, Some(Status::Lost), None).await, [0; 0]);
    assert_eq!(fixture.store.count_executions(b).await.unwrap(), 4);
    let row = fixture.store.execution(3).await.unwrap();
    let filter = ExecutionFilter {
        task_id: Some(b),
        status: Some(Status::Fail),
        ..ExecutionFilter::newest(1)
    };
    assert_eq!(fixture.store.executions(filter).await.unwrap(), [row], "as it is shown alone");
}
