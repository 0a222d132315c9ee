//! A call that is not waited for to its end leaves nothing half done.

use std::time::Duration;

use super::{Fixture, alive::LONGER, at, outcome, run_of};
use crate::plan::{claim::Verdict, execution::Status};

/// Drops calls at many moments, then checks that the store works and that each claim was written as a whole or
/// not at all.
pub async fn a_call_that_is_dropped_leaves_nothing_open(fixture: &Fixture) {
    let tasks = fixture.add_many("task", 20).await;
    for round in 0..200_u32 {
        let claims: Vec<_> =
            tasks.iter().map(|task| run_of(*task, at(i64::from(round) * 10))).collect();
        // From at once to well after the answer.
        let patience = Duration::from_micros(u64::from(round * round) / 4);
        let claimed = tokio::time::timeout(patience, fixture.store.claim("n1", &claims)).await;
        let Ok(verdicts) = claimed else { continue };
        let verdicts = verdicts.unwrap_or_else(|error| panic!("round {round}: {}", error.chain()));
        let won = claims.iter().zip(verdicts).filter_map(|(claim, verdict)| match verdict {
            Verdict::Won(Some(id)) => Some(outcome(id, claim, Status::Success)),
            _ => None,
        });
        let outcomes: Vec<_> = won.collect();
        let recorded = tokio::time::timeout(patience, fixture.store.record(&outcomes)).await;
        if let Ok(recorded) = recorded {
            recorded.unwrap_or_else(|error| panic!("round {round}: {}", error.chain()));
        }
    }
    // The other handle is not blocked by what the first one left behind.
    fixture.operator.age(LONGER).await;
    fixture.reap(&tasks).await;
    for row in fixture.other.read().await.unwrap().rows {
        assert_eq!(row.status.as_deref(), Ok("ready"), "task {}", row.id);
    }
    let fires = "SELECT COUNT(*) FROM execute_task GROUP BY scheduled_at HAVING COUNT(*) <> 20";
    assert!(fixture.operator.query(fires).await.is_empty(), "a claim is written as a whole");
    let claims: Vec<_> = tasks.iter().map(|task| run_of(*task, at(1_000_000))).collect();
    let verdicts = fixture.store.claim("n1", &claims).await.unwrap();
    assert!(
        verdicts.iter().all(|verdict| matches!(verdict, Verdict::Won(Some(_)))),
        "{verdicts:?}"
    );
}
