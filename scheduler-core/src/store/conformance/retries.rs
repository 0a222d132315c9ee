//! Retries: they wait from the transaction that says why, and run once.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Fixture,
    alive::LONGER,
    at, outcome,
    requests::{ARGS, claim_of},
    run_of, trace,
};
use crate::{
    plan::{
        claim::{Claim, Entry, Origin, Refusal, Request, Verdict},
        execution::{ExecutionId, Noted, Outcome, Recorded, Status, extra_with_args},
        node::{MOST_OF_ONE_TASK, Settled},
        retry::Retry,
        task::{OnLost, Policy, TaskId},
    },
    store::Author,
};

/// A failure that is tried again at `due_at`.
fn failure_until(due_at: DateTime<Utc>, id: ExecutionId, claim: &Claim) -> Outcome {
    let failed = claim.entries.last().unwrap();
    let (scheduled_at, attempt) = (failed.scheduled_at, failed.attempt + 1);
    let retry = Some(Retry { scheduled_at, attempt, due_at });
    Outcome { retry, ..outcome(id, claim, Status::Fail) }
}

/// A failure that is tried again at `at(25)`.
fn failure(id: ExecutionId, claim: &Claim) -> Outcome {
    failure_until(at(25), id, claim)
}

impl Fixture {
    /// Lets the run of `task` at `at(secs)` fail; its retry waits until `at(due)`.
    async fn fail(&self, task: TaskId, secs: i64, due: i64) {
        let claim = run_of(task, at(secs));
        let id = self.won(&claim).await;
        assert!(self.record(&failure_until(at(due), id, &claim)).await);
    }

    /// Lets the run of `task` at `at(10)` fail, and yields the claim that a node makes of its retry.
    async fn retry(&self, task: TaskId) -> Claim {
        self.fail(task, 10, 25).await;
        claim_of(&self.waiting().await[0], Status::Todo)
    }

    /// Lets the run at `at(10)` of a new task get lost, claimed with this policy and attempt; what waits then.
    async fn lose(&self, policy: &Policy, attempt: u32) -> (ExecutionId, Vec<Request>) {
        let task = self.add("lost").await;
        let mut claim = run_of(task, at(10));
        claim.entries[0].attempt = attempt;
        claim.entries[0].extra = policy.extra_at_claim();
        let id = self.won(&claim).await;
        self.operator.age(LONGER).await;
        let reaped = self.reap(&[]).await;
        let waiting = self.waiting().await;
        assert_eq!(reaped.lost.len(), 1);
        assert_eq!(reaped.lost[0].is_retried, !waiting.is_empty());
        let extra = self.executions().await.remove(0).extra;
        assert_eq!(extra.contains("retry_at"), !waiting.is_empty(), "{extra}");
        (id, waiting)
    }
}

fn waits(task_id: TaskId, scheduled_at: DateTime<Utc>, due_at: DateTime<Utc>) -> Request {
    Request { origin: Origin::Retry, task_id, scheduled_at, attempt: 2, due_at, args: None }
}

pub async fn a_recorded_failure_lets_its_retry_wait(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.retry(task).await;
    assert_eq!(fixture.waiting().await, [waits(task, at(10), at(25))]);
    assert_eq!(fixture.status(task).await, "ready", "it waits for nobody");
}

pub async fn an_outcome_recorded_twice_lets_one_retry_wait(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let claim = run_of(task, at(10));
    let id = fixture.won(&claim).await;
    for _ in 0..2 {
        assert!(fixture.record(&failure(id, &claim)).await);
    }
    assert_eq!(fixture.waiting().await.len(), 1);
    let retry = claim_of(&fixture.waiting().await[0], Status::Todo);
    fixture.won(&retry).await;
    assert!(
        fixture.record(&failure(id, &claim)).await,
        "the answer was lost, so it is asked again"
    );
    assert_eq!(fixture.waiting().await, [], "what was taken waits no more");
}

pub async fn a_discarded_outcome_lets_no_retry_wait(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let claim = run_of(task, at(10));
    let id = fixture.won(&claim).await;
    assert!(fixture.record(&outcome(id, &claim, Status::Cancelled)).await);
    let recorded = fixture.store.record(&[failure(id, &claim)]).await.unwrap();
    assert_eq!(recorded, [Recorded::Discarded]);
    assert_eq!(fixture.waiting().await, []);
}

pub async fn a_retry_is_an_execution_of_its_own_and_is_claimed_once(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let retry = fixture.retry(task).await;
    let id = fixture.won(&retry).await;
    let row = fixture.execution(id).await;
    assert_eq!((row.source.as_str(), row.status.as_str()), ("retry", "todo"));
    assert_eq!((row.scheduled_at, row.attempt), (Some(at(10)), 2));
    assert_eq!(fixture.status(task).await, "doing");
    assert_eq!(fixture.waiting().await, []);
    fixture.record(&outcome(id, &retry, Status::Success)).await;
    let mut again = retry.clone();
    again.entries[0].trace_id = trace();
    Fixture::refused(&fixture.claim(&again).await, &Refusal::RequestGone);
    assert_eq!(fixture.executions().await.len(), 2);
}

pub async fn one_of_two_nodes_takes_a_retry(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let retry = fixture.retry(task).await;
    fixture.is_taken_by_one_of_two(&retry).await;
    assert_eq!(fixture.executions().await.len(), 2);
}

pub async fn a_retry_of_a_busy_task_waits(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let retry = fixture.retry(task).await;
    let running = run_of(task, at(20));
    let id = fixture.won(&running).await;
    fixture.waits_for(&running, id, &retry).await;
}

pub async fn a_retry_may_be_for_an_older_instant_than_the_newest(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let retry = fixture.retry(task).await;
    let newer = run_of(task, at(20));
    let id = fixture.won(&newer).await;
    fixture.record(&outcome(id, &newer, Status::Success)).await;
    fixture.won(&retry).await;
    assert_eq!(fixture.store.cursors(&[task]).await.unwrap()[&task], at(20));
}

pub async fn a_retry_of_a_manual_run_does_not_stand_for_a_fire(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let manual = fixture.request(task, at(100)).await;
    let id = fixture.won(&manual).await;
    assert!(fixture.record(&failure(id, &manual)).await);
    let retry = claim_of(&fixture.waiting().await[0], Status::Todo);
    let id = fixture.won(&retry).await;
    fixture.record(&outcome(id, &retry, Status::Success)).await;
    assert_eq!(fixture.store.cursors(&[task]).await.unwrap().len(), 0);
    fixture.won(&run_of(task, at(50))).await;
}

pub async fn a_retry_that_cannot_run_is_recorded_cancelled(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.retry(task).await;
    fixture.store.delete(task).await.unwrap();
    let request = fixture.waiting().await.remove(0);
    let run = claim_of(&request, Status::Todo);
    Fixture::refused(&fixture.claim(&run).await, &Refusal::Gone);
    let withdrawal = claim_of(&request, Status::Cancelled);
    assert_eq!(fixture.claim(&withdrawal).await, Verdict::Won(None));
    assert_eq!(fixture.waiting().await, []);
    let row = fixture.executions().await.remove(1);
    assert_eq!((row.status.as_str(), row.attempt), ("cancelled", 2));
}

pub async fn a_retry_whose_row_somebody_wrote_by_hand_waits_no_longer(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let retry = fixture.retry(task).await;
    // The row of the retry, written without taking the retry away.
    let manual = fixture.request(task, at(20)).await;
    let by_hand = Claim { origin: manual.origin, ..retry.clone() };
    fixture
        .won(&Claim {
            entries: vec![Entry { trace_id: trace(), ..retry.entries[0].clone() }],
            ..by_hand
        })
        .await;
    let retry = Claim { limit: None, ..retry };
    assert_eq!(fixture.claim(&retry).await, Verdict::Won(None));
    assert_eq!(fixture.waiting().await, []);
    assert_eq!(fixture.executions().await.len(), 2);
}

pub async fn settling_a_retry_tells_what_was_written(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let retry = fixture.retry(task).await;
    let settle = async || fixture.store.settle(std::slice::from_ref(&retry)).await.unwrap();
    assert_eq!(settle().await, [Settled::NotWritten]);
    let id = fixture.won(&retry).await;
    assert_eq!(settle().await, [Settled::Written(Some(id))]);
}

pub async fn retries_are_read_with_the_soonest_at_the_front(fixture: &Fixture) {
    let mut expected = Vec::new();
    for (key, due) in [("a", 30), ("b", 10), ("c", 20)] {
        let task = fixture.add(key).await;
        fixture.fail(task, 5, due).await;
        expected.push((due, waits(task, at(5), at(due))));
    }
    expected.sort_by_key(|(due, _)| *due);
    let expected: Vec<Request> = expected.into_iter().map(|(_, request)| request).collect();
    assert_eq!(fixture.waiting().await, expected);
}

pub async fn a_lost_run_is_tried_again_where_its_row_asks_for_it(fixture: &Fixture) {
    let policy = Policy { on_lost: OnLost::Retry, retries: Some(2), ..Policy::default() };
    let (id, waiting) = fixture.lose(&policy, 2).await;
    let row = fixture.execution(id).await;
    assert_eq!((row.status.as_str(), row.attempt), ("lost", 2));
    let [request] = &waiting[..] else { panic!("{waiting:?}") };
    assert_eq!((request.scheduled_at, request.attempt), (at(10), 3));
    let long_ago = crate::clock::wall() - TimeDelta::days(1);
    assert!(request.due_at > long_ago, "due when it was found, by the store's clock");
    fixture.won(&claim_of(request, Status::Todo)).await;
}

pub async fn a_lost_run_is_not_tried_again_unless_its_row_asks_for_it(fixture: &Fixture) {
    let policy = Policy { retries: Some(9), ..Policy::default() };
    assert_eq!(fixture.lose(&policy, 1).await.1, []);
}

pub async fn a_lost_run_is_not_tried_again_after_its_last_retry(fixture: &Fixture) {
    let policy = Policy { on_lost: OnLost::Retry, retries: Some(2), ..Policy::default() };
    assert_eq!(fixture.lose(&policy, 3).await.1, []);
}

pub async fn a_lost_row_without_an_instant_is_not_tried_again(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.operator.insert_open(500, task, "of the original").await;
    let noted = Noted {
        execution_id: 500,
        trace_id: "of the original".into(),
        extra: r#"{"retries_on_lost":3}"#.to_owned(),
    };
    fixture.store.note(&[noted]).await.unwrap();
    fixture.operator.age(LONGER).await;
    assert_eq!(fixture.reap(&[]).await.lost, [super::alive::lost(500, task, None)]);
    assert_eq!(fixture.waiting().await, []);
}

pub async fn retries_of_one_task_hide_no_others(fixture: &Fixture) {
    let (busy, other) = (fixture.add("busy").await, fixture.add("other").await);
    let most = i64::try_from(MOST_OF_ONE_TASK).unwrap();
    for n in 0..most + 2 {
        fixture.fail(busy, 10 + n, 1_000 + n).await;
    }
    fixture.fail(other, 10, 9_000).await;
    let reading = fixture.other.read().await.unwrap();
    assert!(!reading.is_whole);
    assert_eq!(reading.requests.len(), MOST_OF_ONE_TASK + 1);
    assert_eq!(reading.requests.last(), Some(&waits(other, at(10), at(9_000))));
}

pub async fn a_retry_keeps_the_arguments_that_were_asked_for(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let author = Author::program();
    fixture.store.request_run_as(task, at(10), Some(ARGS), &author).await.unwrap();
    let asked = claim_of(&fixture.waiting().await[0], Status::Todo);
    let id = fixture.won(&asked).await;
    let failure = failure(id, &asked);
    let extra = extra_with_args(&failure.extra, Some(ARGS));
    assert!(fixture.record(&Outcome { extra, ..failure }).await);
    let args = |waiting: &[Request]| waiting[0].args.as_deref().map(str::to_owned);
    let waiting = fixture.waiting().await;
    assert_eq!(args(&waiting).as_deref(), Some(ARGS), "of one that failed");
    let mut again = claim_of(&waiting[0], Status::Todo);
    let on_lost = Policy { on_lost: OnLost::Retry, retries: Some(5), ..Policy::default() };
    again.entries[0].extra = extra_with_args(&on_lost.extra_at_claim(), Some(ARGS));
    fixture.won(&again).await;
    fixture.operator.age(LONGER).await;
    assert_eq!(fixture.reap(&[]).await.lost.len(), 1);
    let waiting = fixture.waiting().await;
    assert_eq!(args(&waiting).as_deref(), Some(ARGS), "of one that was lost");
    assert_eq!(waiting[0].attempt, 3);
}
