//! What a reading of the tables hands out.

use std::{collections::HashMap, time::Duration};

use chrono::TimeDelta;

use super::{Fixture, Operator, at, new_task, note_of, outcome, run_of};
use crate::{
    clock,
    plan::{
        claim::{Claim, Refusal, Verdict},
        difference::{Lately, Scope},
        execution::Status,
        task::{LONGEST_ARGS, LONGEST_EXTRA, TaskId},
    },
    store::NewTask,
};

pub async fn rows_are_read_in_id_order_with_every_column(fixture: &Fixture) {
    let task = |id, key: &str| NewTask {
        id: Some(id),
        description: format!("{key} 描述"),
        args: "1,\"two\"".to_owned(),
        extra: r#"{"delay":"5"}"#.to_owned(),
        is_enabled: id != 7,
        ..new_task(key)
    };
    for (id, key) in [(9, "nine"), (3, "three"), (7, "seven")] {
        assert_eq!(fixture.store.add(&task(id, key)).await.unwrap(), id);
    }
    let rows = fixture.other.read().await.unwrap().rows;
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [3, 7, 9]);
    let row = &rows[1];
    let texts = [
        (&row.task_key, "seven"),
        (&row.description, "seven 描述"),
        (&row.execute_func, "test"),
        (&row.trigger, "interval"),
        (&row.spec, "10"),
        (&row.args, "1,\"two\""),
        (&row.is_valid, "0"),
        (&row.status, "ready"),
        (&row.extra, r#"{"delay":"5"}"#),
    ];
    for (field, expected) in texts {
        assert_eq!(field.as_deref(), Ok(expected));
    }
    for instant in [row.created_at, row.updated_at] {
        let age = clock::wall() - instant.unwrap();
        assert!(age.abs() < TimeDelta::minutes(2), "{age}");
    }
}

/// The ids that a reading brings of who has seen `known` rows up to `beyond`, and whether these are all.
async fn edited(
    fixture: &Fixture,
    within: u64,
    (known, beyond): (usize, TaskId),
    also: &[TaskId],
) -> (Vec<TaskId>, bool) {
    let within = Duration::from_secs(within);
    let scope = Scope::Edited(Lately { within, beyond, also: also.to_vec(), known });
    let reading = fixture.other.read_of(&scope).await.unwrap();
    (reading.rows.iter().map(|row| row.id).collect(), reading.shows_all)
}

pub async fn what_was_edited_lately_is_read_without_the_others(fixture: &Fixture) {
    for id in 1..=5 {
        fixture.operator.insert_task(id, &format!("key {id}"), "ready").await;
        fixture.operator.set_edited(id, 1_000_000).await;
    }
    assert_eq!(edited(fixture, 60, (5, 5), &[]).await, (vec![], false));
    fixture.operator.set_spec(2, "11").await;
    let both = edited(fixture, 60, (5, 5), &[9, 4]).await;
    assert_eq!(both, (vec![2, 4], false), "there is no 9");
    fixture.operator.insert_task(6, "restored", "ready").await;
    fixture.operator.set_edited(6, 1_000_000).await;
    assert_eq!(edited(fixture, 60, (5, 5), &[2]).await, (vec![2, 6], false));
    fixture.operator.set_edited(3, 100).await;
    assert_eq!(edited(fixture, 60, (6, 6), &[]).await, (vec![2], false));
    assert_eq!(edited(fixture, 200, (6, 6), &[]).await, (vec![2, 3], false));
    let within = Duration::from_secs(60);
    let scope = Scope::Edited(Lately { within, beyond: 6, also: vec![], known: 6 });
    let some = fixture.store.read_of(&scope).await.unwrap();
    let all = fixture.store.read().await.unwrap();
    assert!(all.shows_all);
    assert_eq!(some.rows, all.rows[1..2], "with every column");
    assert_eq!((some.adopted_at, some.is_whole), (all.adopted_at, all.is_whole));
}

pub async fn where_a_row_came_between_others_or_went_all_are_read(fixture: &Fixture) {
    for id in [1, 2, 4] {
        fixture.operator.insert_task(id, &format!("key {id}"), "ready").await;
        fixture.operator.set_edited(id, 1_000_000).await;
    }
    assert_eq!(edited(fixture, 60, (3, 4), &[]).await, (vec![], false));
    fixture.operator.insert_task(3, "restored", "ready").await;
    fixture.operator.set_edited(3, 1_000_000).await;
    assert_eq!(edited(fixture, 60, (3, 4), &[]).await, (vec![1, 2, 3, 4], true));
    fixture.operator.delete_task(1).await;
    assert_eq!(edited(fixture, 60, (4, 4), &[]).await, (vec![2, 3, 4], true));
    // One for another.
    fixture.operator.delete_task(2).await;
    fixture.operator.insert_task(5, "key 1", "ready").await;
    assert_eq!(edited(fixture, 60, (3, 4), &[]).await, (vec![3, 4, 5], true));
}

pub async fn where_very_many_were_edited_all_are_read(fixture: &Fixture) {
    fixture.operator.insert_task(1, "old", "ready").await;
    fixture.operator.set_edited(1, 1_000_000).await;
    let numbers = "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10001)";
    let columns = "id, task_key, `desc`, execute_func, `trigger`, spec, is_valid, status";
    let insert = |key: &str| {
        format!(
            "INSERT INTO task ({columns}) {numbers} SELECT i, {key}, '', 'test', 'interval', '10', 1, 'ready' FROM n"
        )
    };
    let mysql =
        format!("SET SESSION max_recursive_iterations = 100000; {}", insert("CONCAT('key ', i)"));
    fixture.operator.either(&insert("'key ' || i"), &mysql).await;
    let all: Vec<TaskId> = (1..=10_001).collect();
    assert!(edited(fixture, 600, (10_001, 10_001), &[]).await == (all, true));
}

pub async fn a_value_is_cut_one_character_beyond_its_limit(fixture: &Fixture) {
    if fixture.operator.is_mysql() {
        // The original's column holds 255 characters.
        fixture.operator.sql("ALTER TABLE task MODIFY args MEDIUMTEXT NOT NULL").await;
    }
    let huge = format!("\0{}", "ä".repeat(59_999));
    let extra = "ö".repeat(LONGEST_EXTRA + 2);
    let task = NewTask { args: huge, extra, ..new_task("huge") };
    let id = fixture.store.add(&task).await.unwrap();
    fixture.add("small").await;
    let reading = fixture.store.read().await.unwrap();
    let row = reading.rows.iter().find(|row| row.id == id).unwrap();
    // In memory nothing is cut: the value is there anyhow.
    let is_cut = fixture.sql.is_some();
    let length = |value: &str| value.chars().count();
    let expected =
        if is_cut { (LONGEST_ARGS + 1, LONGEST_EXTRA + 1) } else { (60_000, LONGEST_EXTRA + 2) };
    assert_eq!(
        (length(row.args.as_deref().unwrap()), length(row.extra.as_deref().unwrap())),
        expected
    );
    assert_eq!(reading.rows.len(), 2);
}

pub async fn a_text_does_not_end_at_a_nul(fixture: &Fixture) {
    let task = NewTask {
        description: "b\0x".to_owned(),
        args: "\0x".to_owned(),
        extra: "{}\0x".to_owned(),
        ..NewTask::new("a\0x", "test\0x", "interval\0x", "10\0x")
    };
    let id = fixture.store.add(&task).await.unwrap();
    match &fixture.operator {
        Operator::Memory(memory) => memory.edit(id, |row| row.status = Ok("ready\0x".to_owned())),
        operator => {
            let edit = |status| format!("UPDATE task SET status = {status}");
            let mysql = edit("CONCAT('ready', CHAR(0), 'x')");
            operator.either(&edit("'ready' || char(0) || 'x'"), &mysql).await;
        }
    }
    let row = fixture.other.read().await.unwrap().rows.remove(0);
    let texts = [
        (&row.task_key, "a\0x"),
        (&row.description, "b\0x"),
        (&row.execute_func, "test\0x"),
        (&row.trigger, "interval\0x"),
        (&row.spec, "10\0x"),
        (&row.args, "\0x"),
        (&row.status, "ready\0x"),
        (&row.extra, "{}\0x"),
    ];
    for (field, expected) in texts {
        assert_eq!(field.as_deref(), Ok(expected));
    }
    // A claim and a reading see the same, or a node would turn from one to the other for ever.
    Fixture::refused(&fixture.claim(&run_of(id, at(10))).await, &Refusal::SpecChanged);
    fixture.won(&Claim { spec: "10\0x".into(), ..run_of(id, at(10)) }).await;
}

pub async fn the_adoption_stays_where_the_first_migration_put_it(fixture: &Fixture) {
    let adopted_at = fixture.store.read().await.unwrap().adopted_at;
    let age = clock::wall() - adopted_at;
    assert!(age.abs() < TimeDelta::minutes(2), "{age}");
    fixture.other.migrate().await.unwrap();
    assert_eq!(fixture.other.read().await.unwrap().adopted_at, adopted_at);
    assert_eq!(fixture.other.adopted_at().await.unwrap(), adopted_at);
}

pub async fn cursors_are_the_newest_instants_that_were_not_manual(fixture: &Fixture) {
    let (a, b, never) = (fixture.add("a").await, fixture.add("b").await, fixture.add("c").await);
    let first = run_of(a, at(10));
    let id = fixture.won(&first).await;
    fixture.record(&outcome(id, &first, Status::Fail)).await;
    assert_eq!(fixture.claim(&note_of(a, at(20), Status::Missed)).await, Verdict::Won(None));
    assert_eq!(fixture.claim(&note_of(b, at(15), Status::Skipped)).await, Verdict::Won(None));
    let request = fixture.request(a, at(99)).await;
    fixture.won(&request).await;
    let cursors = fixture.other.cursors(&[a, b, never, 12_345]).await.unwrap();
    assert_eq!(cursors, HashMap::from([(a, at(20)), (b, at(15))]));
}
