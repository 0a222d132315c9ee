//! Several nodes at once: nobody errs, and every fire is won exactly once.

use std::{sync::Arc, time::Duration};

use super::{Fixture, alive::AT_ANY_TIME, at, outcome, run_of};
use crate::{
    plan::{
        claim::{Claim, Verdict},
        execution::{Outcome, Recorded, Status},
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
        let (one, other) = (&won[..half], &won[half..]);
        tokio::join!(record_all(&fixture.store, one), record_all(&fixture.other, other));
    }
    assert_eq!(fixture.executions().await.len(), 200 * usize::try_from(ROUNDS).unwrap());
    let rows = fixture.store.read().await.unwrap().rows;
    assert!(rows.iter().all(|row| row.status.as_deref() == Ok("ready")));
}

pub async fn a_task_that_may_not_overlap_is_won_for_one_of_two_instants(fixture: &Fixture) {
    let tasks = fixture.add_many("task", 60).await;
    for round in 1..=ROUNDS {
        // The second node's clock is a little ahead, so it finds another instant of the same tasks due.
        let nodes = [(&fixture.store, "n1", round * 10), (&fixture.other, "n2", round * 10 + 1)];
        let claiming = nodes.map(|(store, node, secs)| {
            let claims: Vec<Claim> = tasks.iter().map(|task| run_of(*task, at(secs))).collect();
            let store = Arc::clone(store);
            tokio::spawn(async move { (store.claim(node, &claims).await.unwrap(), claims) })
        });
        let mut won = Vec::new();
        for node in claiming {
            let (verdicts, claims) = node.await.unwrap();
            won.extend(claims.iter().zip(verdicts).filter_map(|(claim, verdict)| match verdict {
                Verdict::Won(id) => Some(outcome(id.unwrap(), claim, Status::Success)),
                Verdict::Refused(_) => None,
            }));
        }
        let mut winners: Vec<TaskId> = won.iter().map(|outcome| outcome.task_id).collect();
        winners.sort_unstable();
        assert_eq!(winners, tasks, "round {round}: each task runs once at a time");
        fixture.store.record(&won).await.unwrap();
    }
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

/// Records what is not locked by the other node at that moment, until all of it stands.
async fn record_all(store: &SharedStore, outcomes: &[Outcome]) {
    let mut waiting = outcomes.to_vec();
    while !waiting.is_empty() {
        let recorded = store.record(&waiting).await.unwrap();
        assert!(!recorded.contains(&Recorded::Discarded), "{recorded:?}");
        let mut recorded = recorded.into_iter();
        waiting.retain(|_| recorded.next() == Some(Recorded::Locked));
    }
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
                record_all(&store, &won).await;
            }
            recorded
        })
    };
    let reaper = Arc::clone(&fixture.store);
    let suspects = tasks.clone();
    let reaping = tokio::spawn(async move {
        for _ in 0..ROUNDS {
            let reaped = reaper
                .reap("the reaper", Duration::from_secs(3_600), AT_ANY_TIME, &suspects)
                .await
                .unwrap();
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
    const ROUNDS: usize = 10;
    let migrate = |store: &SharedStore| {
        let store = Arc::clone(store);
        tokio::spawn(async move { store.migrate().await })
    };
    for _ in 0..ROUNDS {
        // As if the tables were not noted yet: both programs find version 0 and run the migration.
        if fixture.sql.is_some() {
            fixture.operator.sql("DROP TABLE scheduler_migration").await;
        }
        let (one, other) = (migrate(&fixture.store), migrate(&fixture.other));
        one.await.unwrap().unwrap();
        other.await.unwrap().unwrap();
        fixture.other.check_schema().await.unwrap();
    }
}
