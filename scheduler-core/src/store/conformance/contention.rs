//! Several nodes at once: nobody errs, and every fire is won exactly once.

use std::{sync::Arc, time::Duration};

use super::{Fixture, at, outcome, run_of};
use crate::{
    plan::{
        claim::{Claim, Verdict},
        execution::{Outcome, Status},
        task::TaskId,
    },
    store::SharedStore,
};

const ROUNDS: i64 = 12;

pub async fn every_fire_is_won_once_by_one_of_two_nodes(fixture: &Fixture) {
    let tasks = fixture.add_many("fire", 200).await;
    for round in 1..=ROUNDS {
        let nodes = [(&fixture.store, "n1"), (&fixture.other, "n2")].map(|(store, node)| {
            tokio::spawn(claim_in_batches(Arc::clone(store), node, tasks.clone(), round))
        });
        let mut won = Vec::new();
        for node in nodes {
            won.extend(node.await.unwrap());
        }
        let mut winners: Vec<TaskId> = won.iter().map(|outcome| outcome.task_id).collect();
        winners.sort_unstable();
        assert_eq!(winners, tasks, "round {round}: each of the 200 fires has one winner");
        let half = won.len() / 2;
        let (one, other) = (fixture.store.record(&won[..half]), fixture.other.record(&won[half..]));
        let (one, other) = tokio::join!(one, other);
        assert!(one.unwrap().into_iter().chain(other.unwrap()).all(|stands| stands));
    }
    assert_eq!(fixture.executions().await.len(), 200 * usize::try_from(ROUNDS).unwrap());
    let rows = fixture.store.read().await.unwrap().rows;
    assert!(rows.iter().all(|row| row.status.as_deref() == Ok("ready")));
}

/// Claims the fires of a round, 40 at once, the second node from the other end; yields the outcomes of the won.
async fn claim_in_batches(
    store: SharedStore,
    node: &'static str,
    mut tasks: Vec<TaskId>,
    round: i64,
) -> Vec<Outcome> {
    if node == "n2" {
        tasks.reverse();
    }
    let mut won = Vec::new();
    for batch in tasks.chunks(40) {
        let claims: Vec<Claim> = batch.iter().map(|task| run_of(*task, at(round * 10))).collect();
        let verdicts = store.claim(node, &claims).await.unwrap();
        won.extend(claims.iter().zip(verdicts).filter_map(|(claim, verdict)| match verdict {
            Verdict::Won(id) => Some(outcome(id.unwrap(), claim, Status::Success)),
            Verdict::Refused(_) => None,
        }));
    }
    won
}

pub async fn claims_records_and_reaping_go_on_side_by_side(fixture: &Fixture) {
    let tasks = fixture.add_many("task", 60).await;
    let run = |store: &SharedStore, node: &'static str, tasks: Vec<TaskId>| {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            let mut recorded = 0;
            for round in 1..=ROUNDS {
                store.renew(node).await.unwrap();
                let won = claim_in_batches(Arc::clone(&store), node, tasks.clone(), round).await;
                recorded += won.len();
                assert!(store.record(&won).await.unwrap().into_iter().all(|stands| stands));
            }
            recorded
        })
    };
    let reaper = Arc::clone(&fixture.store);
    let suspects = tasks.clone();
    let reaping = tokio::spawn(async move {
        for _ in 0..ROUNDS {
            let reaped = reaper.reap(Duration::from_secs(3_600), &suspects).await.unwrap();
            assert_eq!(reaped.lost, []);
        }
    });
    let (one, other) =
        (run(&fixture.store, "n1", tasks.clone()), run(&fixture.other, "n2", tasks.clone()));
    let recorded = one.await.unwrap() + other.await.unwrap();
    reaping.await.unwrap();
    assert_eq!(fixture.executions().await.len(), recorded);
    let rows = fixture.store.read().await.unwrap().rows;
    assert!(rows.iter().all(|row| row.status.as_deref() == Ok("ready")));
}

pub async fn two_migrations_at_once_both_end_well(fixture: &Fixture) {
    // As if the tables were not noted yet: both programs find version 0 and run the migration.
    if fixture.sql.is_some() {
        fixture.operator.sql("DROP TABLE scheduler_migration").await;
    }
    let migrate = |store: &SharedStore| {
        let store = Arc::clone(store);
        tokio::spawn(async move { store.migrate().await })
    };
    let (one, other) = (migrate(&fixture.store), migrate(&fixture.other));
    one.await.unwrap().unwrap();
    other.await.unwrap().unwrap();
    fixture.other.check_schema().await.unwrap();
}
