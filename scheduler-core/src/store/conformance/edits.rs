//! Edits by people, and what is remembered of them.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Fixture, at, new_task};
use crate::store::{
    Author, EditFilter, EditRow, NewTask, StoreError, TaskChange, TaskSelection, Version, Via,
};

fn ada() -> Author {
    Author { name: "ada 🦀".to_owned(), via: Via::Page }
}

async fn history(fixture: &Fixture, task_id: Option<i64>) -> Vec<EditRow> {
    fixture.store.edits(EditFilter { task_id, before: None, limit: 100 }).await.unwrap()
}

fn read(text: &Option<String>) -> Value {
    text.as_deref().map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
}

async fn version(fixture: &Fixture, task: i64) -> Version {
    Version::of(&fixture.row(task).await)
}

pub async fn an_edit_is_remembered_with_its_author_and_both_texts(fixture: &Fixture) {
    let task = fixture.store.add_as(&new_task("a"), &ada()).await.unwrap();
    let change = TaskChange {
        task_key: Some("任务 'b\"".to_owned()),
        description: Some("nightly".to_owned()),
        execute_func: Some("test_cron".to_owned()),
        trigger: Some("cron".to_owned()),
        spec: Some("0 1 * * *".to_owned()),
        args: Some("4,5".to_owned()),
        is_enabled: Some(false),
        extra: Some(r#"{"timeout": 5}"#.to_owned()),
    };
    fixture.other.edit_as(task, None, &change, &ada()).await.unwrap();
    let said = json!({
        "task_key": "任务 'b\"", "desc": "nightly", "execute_func": "test_cron", "trigger": "cron",
        "spec": "0 1 * * *", "args": "4,5", "is_valid": "0", "extra": "{\"timeout\": 5}",
    });
    let row = fixture.row(task).await;
    assert_eq!(row, change.apply(&row), "the row says so");
    fixture.store.request_run_as(task, at(10), None, &ada()).await.unwrap();
    fixture.store.delete_as(task, None, &ada()).await.unwrap();
    let rows = history(fixture, Some(task)).await;
    let actions: Vec<_> = rows.iter().rev().map(|row| row.action.as_str()).collect();
    assert_eq!(actions, ["create", "change", "run", "delete"]);
    for row in &rows {
        assert_eq!((&*row.author, &*row.via, row.task_id), ("ada 🦀", "page", task));
        assert!(row.edited_at.is_some());
    }
    let [delete, run, change, create] = rows.try_into().unwrap();
    assert_eq!(
        (read(&create.before), &read(&create.after)["task_key"]),
        (Value::Null, &json!("a"))
    );
    assert_eq!((&change.before, read(&change.after)), (&create.after, said.clone()));
    assert_eq!((run.before, run.after), (None, None));
    assert_eq!((read(&delete.before), delete.after), (said, None));
}

pub async fn an_edit_that_changes_nothing_is_not_remembered(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let before = fixture.backdate(task).await;
    let change = TaskChange { is_enabled: Some(true), ..TaskChange::spec("10") };
    for change in [change, TaskChange::default()] {
        fixture.store.edit_as(task, None, &change, &ada()).await.unwrap();
    }
    assert_eq!(fixture.row(task).await.updated_at, before);
    assert_eq!(history(fixture, Some(task)).await.len(), 1);
}

pub async fn an_edit_of_an_older_version_changes_nothing(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let read = version(fixture, task).await;
    fixture.operator.set_spec(task, "7").await;
    let edited = |result: Result<(), StoreError>| {
        assert!(matches!(result, Err(StoreError::Edited { id }) if id == task), "{result:?}");
    };
    let change = TaskChange::enabled(false);
    edited(fixture.store.edit_as(task, Some(&read), &change, &ada()).await);
    edited(fixture.store.delete_as(task, Some(&read), &ada()).await);
    assert_eq!(fixture.row(task).await.is_valid.as_deref(), Ok("1"));
    assert_eq!(history(fixture, Some(task)).await.len(), 1);
    let read = version(fixture, task).await;
    fixture.store.edit_as(task, Some(&read), &change, &ada()).await.unwrap();
    assert_eq!(fixture.row(task).await.is_valid.as_deref(), Ok("0"));
    // What the scheduler writes is no edit.
    let read = version(fixture, task).await;
    fixture.backdate(task).await;
    fixture.store.delete_as(task, Some(&read), &ada()).await.unwrap();
}

pub async fn of_two_edits_of_one_version_one_is_done(fixture: &Fixture) {
    let task = fixture.add("a").await;
    for round in 0..10 {
        let read = version(fixture, task).await;
        let [one, other] = [20, 21].map(|spec| TaskChange::spec(&(spec + 2 * round).to_string()));
        let author = ada();
        let (first, second) = tokio::join!(
            fixture.store.edit_as(task, Some(&read), &one, &author),
            fixture.other.edit_as(task, Some(&read), &other, &author),
        );
        let won = if first.is_ok() { &one } else { &other };
        assert_eq!(fixture.row(task).await.spec.ok(), won.spec, "round {round}");
        let lost = if first.is_ok() { second } else { first };
        assert!(matches!(lost, Err(StoreError::Edited { .. })), "round {round}: {lost:?}");
    }
}

pub async fn an_edit_takes_no_key_of_another_row(fixture: &Fixture) {
    let (task, _) = (fixture.add("a").await, fixture.add("b").await);
    let rename = |key: &str| TaskChange { task_key: Some(key.to_owned()), ..TaskChange::default() };
    let refused = fixture.store.edit_as(task, None, &rename("b"), &ada()).await;
    assert!(matches!(&refused, Err(StoreError::KeyTaken { key }) if key == "b"), "{refused:?}");
    assert_eq!(fixture.row(task).await.task_key.as_deref(), Ok("a"));
    fixture.store.edit_as(task, None, &rename("a"), &ada()).await.unwrap();
    fixture.store.edit_as(task, None, &rename("c"), &ada()).await.unwrap();
    fixture.store.edit_as(task, None, &rename("C"), &ada()).await.unwrap();
    assert_eq!(fixture.row(task).await.task_key.as_deref(), Ok("C"));
}

pub async fn the_history_comes_in_pages_newest_first(fixture: &Fixture) {
    let (task, other) = (fixture.add("a").await, fixture.add("b").await);
    for spec in ["11", "12", "13"] {
        fixture.store.set_spec(task, spec).await.unwrap();
    }
    let page = async |task_id, before, limit| {
        let rows = fixture.store.edits(EditFilter { task_id, before, limit }).await.unwrap();
        rows.iter().map(|row| row.id).collect::<Vec<_>>()
    };
    let all = page(None, None, 100).await;
    assert_eq!(all.len(), 5);
    assert!(all.is_sorted_by(|newer, older| newer > older), "{all:?}");
    assert_eq!(page(None, None, 2).await, all[..2]);
    assert_eq!(page(None, Some(all[1]), 2).await, all[2..4]);
    assert_eq!(page(Some(other), None, 100).await, all[3..4]);
    assert_eq!(page(Some(task), Some(all[0]), 100).await, [all[1], all[2], all[4]]);
}

pub async fn what_was_made_by_the_program_has_no_name(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let rows = history(fixture, Some(task)).await;
    assert_eq!((&*rows[0].author, &*rows[0].via), ("", "program"));
    let long = Author { name: "é".repeat(300), via: Via::Api };
    fixture.store.add_as(&NewTask { args: "1".to_owned(), ..new_task("b") }, &long).await.unwrap();
    let tasks = fixture.store.tasks(TaskSelection::All).await.unwrap();
    let rows = history(fixture, tasks.last().map(|task| task.row.id)).await;
    assert_eq!((rows[0].author.chars().count(), &*rows[0].via), (191, "api"));
}

pub async fn a_row_comes_with_those_that_share_its_key(fixture: &Fixture) {
    let [a, b, _] = [fixture.add("a").await, fixture.add("b").await, fixture.add("c").await];
    fixture.operator.insert_task(900, "a", "doing").await;
    let read = async |ids: &[i64]| {
        let tasks = fixture.store.tasks(TaskSelection::WithTwins(ids)).await.unwrap();
        tasks.into_iter().map(|task| (task.row.id, task.row.task_key.unwrap())).collect::<Vec<_>>()
    };
    let rows = read(&[b, a, 4_711]).await;
    let keys: Vec<_> = rows.iter().map(|(_, key)| key.as_str()).collect();
    assert_eq!(keys, ["a", "b", "a"]);
    let twin = rows[2].0;
    assert_eq!(read(&[twin]).await, [(a, "a".to_owned()), (twin, "a".to_owned())]);
    assert_eq!(read(&[]).await, []);
}

/// `(action, via, before, after)` of the edits of a row, oldest first, each row by its spec.
async fn told(fixture: &Fixture, task: i64) -> Vec<(String, String, Value, Value)> {
    let rows = history(fixture, Some(task)).await.into_iter().rev();
    let spec = |text: &Option<String>| read(text)["spec"].clone();
    rows.map(|row| (row.action, row.via, spec(&row.before), spec(&row.after))).collect()
}

fn edit(
    action: &str,
    via: &str,
    before: Option<&str>,
    after: Option<&str>,
) -> (String, String, Value, Value) {
    (action.to_owned(), via.to_owned(), before.into(), after.into())
}

pub async fn what_was_edited_by_sql_is_noticed_once(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.operator.insert_task(900, "b", "ready").await;
    let notice = async || {
        for store in [&fixture.store, &fixture.other] {
            assert_eq!(store.notice_edits(&[900, task, 4_711]).await.unwrap(), [0; 0]);
        }
    };
    notice().await;
    let created = edit("create", "program", None, Some("10"));
    let mut found = vec![edit("found", "external", None, Some("10"))];
    assert_eq!(told(fixture, task).await, std::slice::from_ref(&created));
    assert_eq!(told(fixture, 900).await, found);
    fixture.operator.set_spec(task, "7").await;
    fixture.operator.set_status(task, "doing").await;
    notice().await;
    let changed = edit("change", "external", Some("10"), Some("7"));
    assert_eq!(told(fixture, task).await, [created, changed]);
    // An edit that is told is none by others, and a run is no edit.
    fixture.store.set_spec(900, "8").await.unwrap();
    fixture.store.request_run(900, at(10)).await.unwrap();
    notice().await;
    found.push(edit("change", "program", Some("10"), Some("8")));
    found.push(edit("run", "program", None, None));
    assert_eq!(told(fixture, 900).await, found);
    fixture.operator.delete_task(900).await;
    notice().await;
    found.push(edit("delete", "external", Some("8"), None));
    assert_eq!(told(fixture, 900).await, found);
    let rows = history(fixture, Some(900)).await;
    assert!(rows[0].edited_at.is_some() && rows[0].author.is_empty() && rows[0].after.is_none());
    // The id is used again.
    fixture.operator.insert_task(900, "c", "ready").await;
    notice().await;
    found.push(edit("found", "external", None, Some("10")));
    assert_eq!(told(fixture, 900).await, found);
}

pub async fn edits_and_looks_for_others_do_not_mistake_each_other(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let edits = async {
        for spec in 1..=100 {
            fixture.store.set_spec(task, &spec.to_string()).await.unwrap();
        }
    };
    let looks = async {
        for _ in 0..100 {
            fixture.other.notice_edits(&[task]).await.unwrap();
        }
    };
    tokio::join!(edits, looks);
    let rows = history(fixture, Some(task)).await;
    assert!(rows.iter().all(|row| row.via == "program"), "{rows:?}");
}

pub async fn old_edits_go_but_for_the_newest_of_each_row(fixture: &Fixture) {
    let (task, gone) = (fixture.add("a").await, fixture.add("b").await);
    fixture.store.set_spec(task, "11").await.unwrap();
    fixture.store.set_spec(task, "12").await.unwrap();
    fixture.store.request_run(task, at(10)).await.unwrap();
    fixture.store.delete(gone).await.unwrap();
    let now = fixture.store.now().await.unwrap();
    let [before, after] = [now - TimeDelta::hours(1), now + TimeDelta::hours(1)];
    let pruned = fixture.store.prune_edits(before, 0).await.unwrap();
    assert_eq!((pruned.removed, pruned.next), (0, None), "all are young");
    assert_eq!(history(fixture, None).await.len(), 6);
    let last = history(fixture, None).await[0].id;
    let pruned = fixture.store.prune_edits(after, 0).await.unwrap();
    assert_eq!((pruned.removed, pruned.next), (5, Some(last)));
    let newest = edit("change", "program", Some("11"), Some("12"));
    assert_eq!(told(fixture, task).await, [newest]);
    assert_eq!(history(fixture, None).await.len(), 1);
    // It still tells what others edit.
    fixture.operator.set_spec(task, "13").await;
    assert_eq!(fixture.store.notice_edits(&[task, gone]).await.unwrap(), [0; 0]);
    assert_eq!(told(fixture, task).await[1], edit("change", "external", Some("12"), Some("13")));
    let pruned = fixture.store.prune_edits(after, last).await.unwrap();
    assert_eq!(pruned.removed, 0, "what comes before is not looked at");
}
