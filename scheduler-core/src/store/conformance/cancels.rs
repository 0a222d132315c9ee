//! Wishes that a run ends.

use super::{Fixture, at, outcome, run_of};
use crate::{
    plan::{execution::Status, node::Cancel},
    store::{Author, StoreError, Via},
};

fn ann() -> Author {
    Author { name: "ann".to_owned(), via: Via::Page }
}

pub async fn a_reading_brings_the_wish_that_a_run_ends_until_it_has(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let run = run_of(task, at(1));
    let id = fixture.won(&run).await;
    assert_eq!(fixture.store.read().await.unwrap().cancels, []);
    fixture.store.cancel_as(id, &ann()).await.unwrap();
    // The first who asks is named.
    fixture.other.cancel_as(id, &Author::program()).await.unwrap();
    let wish = Cancel { execution_id: id, author: "ann".to_owned() };
    assert_eq!(fixture.other.read().await.unwrap().cancels, [wish]);
    fixture.record(&outcome(id, &run, Status::Cancelled)).await;
    assert_eq!(fixture.store.read().await.unwrap().cancels, []);
}

pub async fn nothing_ends_that_has_ended_or_never_was(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let run = run_of(task, at(1));
    let id = fixture.won(&run).await;
    fixture.record(&outcome(id, &run, Status::Success)).await;
    let ended = fixture.store.cancel_as(id, &ann()).await.unwrap_err();
    assert!(matches!(&ended, StoreError::Ended { .. }), "{ended}");
    assert_eq!(
        ended.to_string(),
        format!("execution {id} has ended (success), expected one that runs")
    );
    let absent = fixture.store.cancel_as(4_711, &ann()).await.unwrap_err();
    assert!(matches!(absent, StoreError::NotFound { .. }), "{absent}");
    assert_eq!(fixture.execution(id).await.status, "success");
}
