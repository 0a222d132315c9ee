//! Bringing the tables up, and refusing those that are unfit.

use super::{Fixture, at, run_of, schema_error};
use crate::{
    plan::claim::Verdict,
    store::{StoreError, sql::NEWEST},
};

pub async fn tables_that_were_never_migrated_are_refused(fixture: &Fixture) {
    let error = schema_error(&fixture.store).await;
    assert!(error.contains(&format!("at version 0, expected {NEWEST}")), "{error}");
}

pub async fn rows_are_read_before_the_tables_are_migrated(fixture: &Fixture) {
    assert_eq!(fixture.store.rows_to_migrate().await.unwrap(), Some(Vec::new()));
    fixture.store.migrate().await.unwrap();
    assert_eq!(fixture.store.rows_to_migrate().await.unwrap(), None);
}

pub async fn migrating_twice_is_harmless(fixture: &Fixture) {
    fixture.store.migrate().await.unwrap();
    let task = fixture.add("a").await;
    fixture.store.migrate().await.unwrap();
    fixture.other.migrate().await.unwrap();
    fixture.other.check_schema().await.unwrap();
    assert_eq!(fixture.row(task).await.task_key.as_deref(), Ok("a"));
}

pub async fn a_missing_unique_key_of_task_is_refused(fixture: &Fixture) {
    let name = "ux__task__task_key_status";
    fixture
        .operator
        .either(&format!("DROP INDEX {name}"), &format!("DROP INDEX {name} ON task"))
        .await;
    let error = schema_error(&fixture.store).await;
    assert!(error.contains("table task ") && error.contains("(task_key, status)"), "{error}");
}

pub async fn a_missing_fire_key_is_refused(fixture: &Fixture) {
    let name = "ux__execute_task__fire";
    let mysql = format!("DROP INDEX {name} ON execute_task");
    fixture.operator.either(&format!("DROP INDEX {name}"), &mysql).await;
    // An index that is not unique decides nothing.
    let columns = "(task_id, scheduled_at, attempt)";
    fixture.operator.sql(&format!("CREATE INDEX {name} ON execute_task {columns}")).await;
    let error = schema_error(&fixture.store).await;
    assert!(error.contains("table execute_task ") && error.contains("scheduled_at"), "{error}");
}

pub async fn newer_tables_are_refused_and_left_alone(fixture: &Fixture) {
    fixture.operator.sql("DELETE FROM scheduler_migration WHERE version > 1").await;
    fixture.operator.sql("UPDATE scheduler_migration SET version = 99").await;
    let error = schema_error(&fixture.store).await;
    assert!(error.contains("at version 99"), "{error}");
    let rows = fixture.store.rows_to_migrate().await;
    assert!(matches!(rows, Err(StoreError::Schema(_))), "{rows:?}");
    let migrated = fixture.store.migrate().await;
    assert!(matches!(migrated, Err(StoreError::Schema(_))), "{migrated:?}");
    let versions = "SELECT version FROM scheduler_migration ORDER BY version";
    assert_eq!(fixture.operator.query(versions).await, [["99"]]);
}

pub async fn a_migration_that_was_not_noted_starts_over(fixture: &Fixture) {
    starts_over_after(fixture, "DELETE FROM scheduler_migration").await;
}

pub async fn a_migration_that_was_noted_as_unfinished_starts_over(fixture: &Fixture) {
    starts_over_after(fixture, "UPDATE scheduler_migration SET success = 0").await;
}

pub async fn tables_of_the_first_version_are_brought_up_and_keep_their_rows(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let id = fixture.won(&run_of(task, at(10))).await;
    fixture.operator.sql("DROP TABLE scheduler_retry").await;
    fixture.operator.sql("DELETE FROM scheduler_migration WHERE version > 1").await;
    let rows = fixture.store.rows_to_migrate().await.unwrap().expect("they are not the newest");
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [task]);
    let error = schema_error(&fixture.store).await;
    assert!(error.contains(&format!("at version 1, expected {NEWEST}")), "{error}");
    fixture.store.migrate().await.unwrap();
    fixture.store.check_schema().await.unwrap();
    assert_eq!(fixture.execution(id).await.status, "todo");
    assert_eq!(fixture.store.read().await.unwrap().requests, []);
}

async fn starts_over_after(fixture: &Fixture, interruption: &str) {
    let task = fixture.add("a").await;
    let claim = run_of(task, at(10));
    let id = fixture.won(&claim).await;
    let adopted_at = fixture.store.read().await.unwrap().adopted_at;
    fixture.operator.sql(interruption).await;
    assert!(schema_error(&fixture.store).await.contains("at version 0"));
    fixture.store.migrate().await.unwrap();
    fixture.store.check_schema().await.unwrap();
    assert_eq!(fixture.store.read().await.unwrap().adopted_at, adopted_at);
    assert_eq!(fixture.execution(id).await.status, "todo");
    assert!(matches!(fixture.claim(&claim).await, Verdict::Refused(_)));
}
