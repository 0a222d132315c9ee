//! Exchanges that break in the middle: answers to COMMIT that are lost, connections that are reset, transactions that
//! the server gives up.

use std::{collections::BTreeSet, time::Duration};

use scheduler_core::{
    clock,
    plan::{
        claim::{Claim, Verdict},
        execution::{ExecutionId, Recorded, Status},
        node::Settled,
    },
    store::{
        StoreError,
        conformance::{Fixture, at, outcome, run_of},
    },
};
use tests::{
    dbproxy::{Action, DbProxy, Which},
    poll,
    servers::{MariaDb, mariadb},
};

use crate::trial::{PATIENCE, QUICK, SETTINGS, Trial};

/// Statements that only a claim, a record, a renewal runs.
const CLAIM: &str = "INSERT IGNORE INTO execute_task";
const RECORD: &str = "SET e.status = v.status";
const RENEWAL: &str = "INSERT INTO scheduler_node";

const DEADLOCK: Action =
    Action::ReplyError(1213, "40001", "Deadlock found when trying to get lock");

/// How late a fire may be that met a broken exchange, on a busy machine. What fails and is not tried again inside its
/// call is put off by five seconds.
const LATEST: Duration = Duration::from_secs(4);

/// Runs `test` with a store behind a proxy and the id of its only task, where a server is installed.
fn with_a_store<F: Future<Output = ()>>(
    test: impl FnOnce(&'static MariaDb, DbProxy, Fixture, i64) -> F,
) {
    let Some(server) = mariadb() else { return };
    let database = server.create_database();
    let proxy = DbProxy::start(server.port()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let fixture = Fixture::mysql(&proxy.url(&database)).await.migrated().await;
        let task = fixture.add("a").await;
        test(server, proxy, fixture, task).await;
    });
}

#[test]
fn f14_a_lost_answer_to_commit_is_settled_by_what_stands_in_the_table() {
    with_a_store(async |_, proxy, fixture, task| {
        for (secs, action, is_written) in
            [(10, Action::DropAfter, true), (20, Action::DropBefore, false)]
        {
            let fault = proxy.on_commit_of(CLAIM, Which::Nth(1), action);
            let claims = [run_of(task, at(secs))];
            let error = fixture.store.claim("n1", &claims).await.unwrap_err();
            assert!(matches!(error, StoreError::CommitUnknown { .. }), "{}", error.chain());
            assert_eq!(fault.times(), 1);
            let written = settled(&fixture, &claims[0]).await;
            assert_eq!(written.is_some(), is_written);
            let id = match written {
                Some(id) => id,
                None => fixture.won(&claims[0]).await,
            };
            assert!(fixture.record(&outcome(id, &claims[0], Status::Success)).await);
        }
        assert_eq!(fixture.executions().await.len(), 2);
    });
}

#[test]
fn f14_a_fire_whose_commit_is_lost_runs_once() {
    let Some(server) = mariadb() else { return };
    let trial = Trial::begin(server, SETTINGS, QUICK);
    for of in [CLAIM, RECORD] {
        for action in [Action::DropAfter, Action::DropBefore, Action::DropAfter] {
            let fault = trial.proxy.on_commit_of(of, Which::Nth(2), action);
            assert!(fault.has_fired(1, PATIENCE), "{of}: {action:?}");
        }
    }
    trial.await_a_new_fire();
    trial.end().assert_all_ran_within(LATEST);
}

/// The run that a claim of unknown fate has written, as soon as the server is through with it.
async fn settled(fixture: &Fixture, claim: &Claim) -> Option<ExecutionId> {
    let started = clock::mono();
    loop {
        match fixture.store.settle(std::slice::from_ref(claim)).await.unwrap()[..] {
            [Settled::Written(Some(id))] => return Some(id),
            [Settled::NotWritten] => return None,
            [Settled::Locked] => assert!(clock::mono() - started < PATIENCE, "never let go"),
            ref other => panic!("{other:?}"),
        }
    }
}

/// A claim of the fire, tried until the store says what became of it.
async fn claim_at_last(fixture: &Fixture, claim: &Claim) -> ExecutionId {
    let claims = std::slice::from_ref(claim);
    match fixture.store.claim("n1", claims).await {
        Ok(verdicts) => {
            let [Verdict::Won(Some(id))] = verdicts[..] else { panic!("{verdicts:?}") };
            return id;
        }
        Err(error) if error.is_unknown() => {
            if let Some(id) = settled(fixture, claim).await {
                return id;
            }
        }
        Err(_) => {}
    }
    fixture.won(claim).await
}

#[test]
fn f15_and_f16_at_every_statement_of_a_claim_and_its_record_the_fire_gets_one_row() {
    with_a_store(async |_, proxy, fixture, task| {
        let before = proxy.statements().len();
        let claim = run_of(task, at(10));
        let id = fixture.won(&claim).await;
        assert!(fixture.record(&outcome(id, &claim, Status::Success)).await);
        let statements = proxy.statements().len() - before;
        assert!(statements >= 12, "{:#?}", proxy.statements());
        let mut secs = 10;
        for action in [Action::Reset, Action::DropAfter, DEADLOCK] {
            for nth in 1..=statements {
                secs += 10;
                let fault = proxy.on("", Which::Nth(nth), action);
                let claim = run_of(task, at(secs));
                let id = claim_at_last(&fixture, &claim).await;
                let outcomes = [outcome(id, &claim, Status::Success)];
                let recorded = match fixture.store.record(&outcomes).await {
                    Ok(recorded) => recorded,
                    Err(_) => fixture.store.record(&outcomes).await.unwrap(),
                };
                assert_eq!(recorded, [Recorded::Stands], "{action:?} at {nth}");
                assert_eq!(fault.times(), 1, "{action:?} at {nth}");
                fault.lift();
            }
        }
        let rows = fixture.executions().await;
        let fires: BTreeSet<_> = rows.iter().map(|row| row.scheduled_at).collect();
        assert_eq!((rows.len(), fires.len()), (1 + 3 * statements, 1 + 3 * statements));
        assert!(rows.iter().all(|row| row.status == "success"), "{rows:#?}");
        assert_eq!(proxy.pongs_in_transaction(), 0);
    });
}

#[test]
fn f15_a_connection_reset_at_any_statement_loses_and_doubles_no_fire() {
    let Some(server) = mariadb() else { return };
    let trial = Trial::begin(server, SETTINGS, QUICK);
    let before = trial.proxy.statements().len();
    trial.await_a_new_fire();
    trial.await_a_new_fire();
    // Between two renewals lie two seconds, and so do two fires.
    let is_renewal = |sql: &String| sql.contains(RENEWAL);
    poll::until(PATIENCE, || {
        trial.proxy.statements()[before..].iter().any(is_renewal).then_some(())
    });
    let statements: BTreeSet<String> =
        trial.proxy.statements().split_off(before).into_iter().collect();
    for of in [CLAIM, RECORD, RENEWAL] {
        assert!(statements.iter().any(|sql| sql.contains(of)), "{of}: {statements:#?}");
    }
    for (number, sql) in statements.iter().enumerate() {
        let fault = trial.proxy.on(sql, Which::Nth(1), Action::Reset);
        // Else the history of edits had nothing to keep any more.
        trial.sql(&format!("UPDATE task SET `desc` = 'edit {number}'"));
        assert!(fault.has_fired(1, PATIENCE), "{sql}");
    }
    trial.await_a_new_fire();
    trial.end().assert_all_ran_within(LATEST);
}

#[test]
fn f16_a_deadlock_is_retried_inside_the_same_call() {
    with_a_store(async |_, proxy, fixture, task| {
        let started = clock::mono();
        let faults: Vec<_> = [CLAIM, RECORD, RENEWAL]
            .iter()
            .flat_map(|of| [1, 2].map(|nth| (of, nth)))
            .map(|(of, nth)| proxy.on(of, Which::Nth(nth), DEADLOCK))
            .chain([proxy.on_commit_of(CLAIM, Which::Nth(1), DEADLOCK)])
            .collect();
        let claim = run_of(task, at(10));
        let id = fixture.won(&claim).await;
        assert!(fixture.record(&outcome(id, &claim, Status::Success)).await);
        fixture.store.renew("n1").await.unwrap();
        assert!(faults.iter().all(|fault| fault.times() == 1), "{faults:#?}");
        assert!(clock::mono() - started < Duration::from_secs(3));
        assert_eq!(fixture.executions().await.len(), 1);
        assert_eq!(proxy.pongs_in_transaction(), 0);
    });
}

#[test]
fn f16_deadlocks_make_no_fire_late_by_more_than_a_second_or_so() {
    let Some(server) = mariadb() else { return };
    let trial = Trial::begin(server, SETTINGS, QUICK);
    for _ in 0..2 {
        for of in [CLAIM, RENEWAL, RECORD] {
            let fault = trial.proxy.on(of, Which::Nth(1), DEADLOCK);
            assert!(fault.has_fired(1, PATIENCE), "{of}");
        }
        let fault = trial.proxy.on_commit_of(CLAIM, Which::Nth(1), DEADLOCK);
        assert!(fault.has_fired(1, PATIENCE), "COMMIT");
    }
    trial.await_a_new_fire();
    trial.end().assert_all_ran_within(LATEST / 2);
}
