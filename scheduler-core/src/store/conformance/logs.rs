//! What runs log, beside their executions.

use super::{Fixture, at, run_of};
use crate::plan::execution::{ExecutionId, LogPart};

fn part(execution_id: ExecutionId, part: u32, content: &str) -> LogPart {
    LogPart { execution_id, part, content: content.to_owned() }
}

pub async fn a_log_is_read_in_the_order_of_its_parts(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let id = fixture.won(&run_of(task, at(10))).await;
    let other = fixture.add("b").await;
    let other = fixture.won(&run_of(other, at(10))).await;
    let long = format!("{{\"msg\":\"{}\"}}\n", "长\u{1f4a5}".repeat(20_000));
    let parts = [part(id, 2, "{}\n"), part(other, 1, "other\n"), part(id, 1, &long)];
    fixture.store.append_log(&parts).await.unwrap();
    fixture.store.append_log(&[part(id, 10, "ten\n")]).await.unwrap();
    fixture.store.append_log(&[]).await.unwrap();
    let expected = [part(id, 1, &long), part(id, 2, "{}\n"), part(id, 10, "ten\n")];
    assert_eq!(fixture.store.log(id, 0).await.unwrap(), expected);
    assert_eq!(fixture.store.log(id, 1).await.unwrap(), expected[1..]);
    assert_eq!(fixture.store.log(id, 10).await.unwrap(), []);
    assert_eq!(fixture.store.log(other + 1, 0).await.unwrap(), []);
}

/// An answer may be lost, and the part comes once more.
pub async fn a_part_that_is_kept_already_stays_as_it_is(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let id = fixture.won(&run_of(task, at(10))).await;
    for parts in [&[part(id, 1, "one\n")][..], &[part(id, 1, "again\n"), part(id, 2, "two\n")]] {
        fixture.store.append_log(parts).await.unwrap();
    }
    assert_eq!(
        fixture.store.log(id, 0).await.unwrap(),
        [part(id, 1, "one\n"), part(id, 2, "two\n")]
    );
}
