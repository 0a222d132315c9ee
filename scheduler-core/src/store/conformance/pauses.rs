//! Tasks that are off for a while.

use chrono::{DateTime, TimeDelta, Utc};

use super::Fixture;
use crate::{
    plan::task::TaskId,
    store::{Author, EditFilter, Pause, TaskChange, TaskSelection, Version, Via},
};

impl Fixture {
    async fn pause(&self, task: TaskId, until: Option<DateTime<Utc>>) {
        let pause = Pause { until, reason: "年度盘点 \"stock\"".to_owned() };
        let author = Author { name: "ada".to_owned(), via: Via::Page };
        self.store.pause_as(task, None, &pause, &author).await.unwrap();
    }

    async fn is_enabled(&self, task: TaskId) -> bool {
        let rows = self.store.tasks(TaskSelection::Id(task)).await.unwrap();
        rows[0].row.is_valid.as_deref() == Ok("1")
    }

    async fn is_paused(&self, task: TaskId) -> bool {
        !self.other.pauses(&[task]).await.unwrap().is_empty()
    }

    /// By the database's clock.
    async fn in_seconds(&self, seconds: i64) -> Option<DateTime<Utc>> {
        Some(self.store.now().await.unwrap() + TimeDelta::seconds(seconds))
    }
}

pub async fn a_paused_task_is_off_until_its_pause_is_over(fixture: &Fixture) {
    let (task, other) = (fixture.add("a").await, fixture.add("b").await);
    let until = fixture.in_seconds(3_600).await;
    fixture.pause(task, until).await;
    assert!(!fixture.is_enabled(task).await);
    let [row] = &fixture.other.pauses(&[other, task]).await.unwrap()[..] else { panic!("one") };
    assert_eq!(
        (row.task_id, &*row.author, &*row.pause.reason),
        (task, "ada", "年度盘点 \"stock\"")
    );
    let millis = |at: Option<DateTime<Utc>>| at.map(|at| at.timestamp_millis());
    assert_eq!(millis(row.pause.until), millis(until));
    assert_eq!(fixture.store.resume_due().await.unwrap(), [0; 0], "it is not over");
    // Whoever pauses it anew says how long it is.
    fixture.pause(task, fixture.in_seconds(-1).await).await;
    assert_eq!(fixture.store.resume_due().await.unwrap(), [task]);
    assert!(fixture.is_enabled(task).await && !fixture.is_paused(task).await);
    assert_eq!(fixture.other.resume_due().await.unwrap(), [0; 0], "once");
    let filter = EditFilter { task_id: Some(task), before: None, limit: 10 };
    let edits = fixture.store.edits(filter).await.unwrap();
    let deeds: Vec<_> = edits.iter().map(|edit| (&*edit.action, &*edit.author)).collect();
    let ended = "the program has ended what ada has begun, and changed once";
    assert_eq!(deeds[..3], [("resume", ""), ("pause", "ada"), ("pause", "ada")], "{ended}");
    assert_eq!(deeds.len(), 4);
    let pauses: Vec<_> = edits.iter().map(|edit| edit.pause.as_ref()).collect();
    assert_eq!(millis(pauses[2].unwrap().until), millis(until));
    assert_eq!(pauses[1].unwrap().reason, "年度盘点 \"stock\"");
    assert!(pauses[0].is_none() && pauses[3].is_none());
    assert_eq!(fixture.store.notice_edits(&[task]).await.unwrap(), [0; 0]);
    assert_eq!(fixture.store.edits(filter).await.unwrap().len(), 4, "all of it is known");
}

pub async fn who_switches_a_task_on_or_off_or_deletes_it_ends_its_pause(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let author = Author::program();
    for is_enabled in [true, false] {
        fixture.pause(task, fixture.in_seconds(-1).await).await;
        let change = TaskChange::enabled(is_enabled);
        fixture.store.edit_as(task, None, &change, &author).await.unwrap();
        assert!(!fixture.is_paused(task).await);
        assert_eq!(fixture.store.resume_due().await.unwrap(), [0; 0]);
        assert_eq!(fixture.is_enabled(task).await, is_enabled, "what was said last counts");
    }
    let filter = EditFilter { task_id: Some(task), before: None, limit: 4 };
    let edits = fixture.store.edits(filter).await.unwrap();
    let deeds: Vec<_> = edits.iter().map(|edit| &*edit.action).collect();
    assert_eq!(deeds, ["resume", "pause", "change", "pause"]);
    let other = fixture.add("b").await;
    fixture.pause(other, None).await;
    fixture.pause(task, fixture.in_seconds(-1).await).await;
    assert_eq!(fixture.other.paused(9).await.unwrap(), [task, other]);
    assert_eq!(fixture.other.paused(1).await.unwrap(), [task]);
    fixture.store.edit_as(task, None, &TaskChange::spec("7"), &author).await.unwrap();
    assert!(fixture.is_paused(task).await, "another spec says nothing about it");
    fixture.store.delete_as(task, None, &author).await.unwrap();
    assert!(!fixture.is_paused(task).await);
    assert_eq!(fixture.store.paused(9).await.unwrap(), [other]);
    assert_eq!(fixture.store.resume_due().await.unwrap(), [0; 0]);
}

pub async fn a_pause_without_end_is_ended_by_nobody(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.pause(task, None).await;
    assert_eq!(fixture.store.resume_due().await.unwrap(), [0; 0]);
    assert!(fixture.is_paused(task).await && !fixture.is_enabled(task).await);
    let pause = Pause { until: None, reason: String::new() };
    let author = Author::program();
    let refused = fixture.store.pause_as(4_711, None, &pause, &author).await.unwrap_err();
    assert_eq!(refused.to_string(), "task 4711 does not exist");
    let old = Version::named("of before");
    let refused = fixture.store.pause_as(task, Some(&old), &pause, &author).await.unwrap_err();
    assert!(refused.to_string().contains("edited"), "{refused}");
}
