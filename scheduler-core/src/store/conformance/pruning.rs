//! What is too old, or too much, goes; what the accounting needs stays.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Fixture, at, outcome, run_of};
use crate::plan::{
    claim::{Claim, Origin, Refusal, Verdict},
    execution::{ExecutionId, LogPart, Outcome, Status},
    retry::Retry,
    task::TaskId,
};

/// `claim` is won, and what it asks for succeeds.
async fn ran(fixture: &Fixture, claim: &Claim) -> ExecutionId {
    let id = fixture.won(claim).await;
    assert!(fixture.record(&outcome(id, claim, Status::Success)).await);
    id
}

/// Runs of `task` at these seconds, each of which has logged a line.
async fn run(
    fixture: &Fixture,
    task: TaskId,
    seconds: impl IntoIterator<Item = i64>,
) -> Vec<ExecutionId> {
    let mut ids = Vec::new();
    for second in seconds {
        let execution_id = ran(fixture, &run_of(task, at(second))).await;
        let part = LogPart { execution_id, part: 1, content: "line\n".to_owned() };
        fixture.store.append_log(&[part]).await.unwrap();
        ids.push(execution_id);
    }
    ids
}

/// The executions that are there, oldest first.
async fn left(fixture: &Fixture) -> Vec<ExecutionId> {
    let mut ids: Vec<ExecutionId> = fixture.executions().await.iter().map(|row| row.id).collect();
    ids.sort_unstable();
    ids
}

/// After all that happens here, by whatever clock.
async fn later(fixture: &Fixture) -> DateTime<Utc> {
    fixture.store.now().await.unwrap().max(at(1_000)) + TimeDelta::hours(1)
}

pub async fn what_ended_before_goes_but_for_the_newest_fire_of_each_task(fixture: &Fixture) {
    let (one, other) = (fixture.add("one").await, fixture.add("other").await);
    let of_one = run(fixture, one, [10, 20, 30]).await;
    let of_other = run(fixture, other, [10]).await;
    let open = fixture.won(&run_of(one, at(40))).await;
    let later = later(fixture).await;
    let pruned = fixture.store.prune_older(later, 0).await.unwrap();
    // The newest of `one` is open.
    assert_eq!((pruned.removed, pruned.next), (3, Some(open)));
    assert_eq!(left(fixture).await, [of_other[0], open]);
    assert!(fixture.store.log(of_one[0], 0).await.unwrap().is_empty());
    assert_eq!(fixture.store.log(of_other[0], 0).await.unwrap().len(), 1);
    let again = fixture.store.prune_older(later, open).await.unwrap();
    assert_eq!((again.removed, again.next), (0, None));
    // Accounted for is accounted for.
    let verdicts = fixture.store.claim("b", &[run_of(other, at(10))]).await.unwrap();
    assert_eq!(verdicts, [Verdict::Refused(Refusal::Accounted(at(10)))]);
}

pub async fn what_ended_later_stays(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let ids = run(fixture, task, [10, 20]).await;
    let early = DateTime::UNIX_EPOCH + TimeDelta::days(1);
    for pruned in
        [fixture.store.prune_older(early, 0).await, fixture.store.prune_logs(early, 0).await]
    {
        let pruned = pruned.unwrap();
        assert_eq!(
            (pruned.removed, pruned.next),
            (0, None),
            "upon a young one follow younger ones"
        );
    }
    assert_eq!(left(fixture).await, ids);
}

pub async fn of_a_deleted_task_all_that_ended_before_goes(fixture: &Fixture) {
    let task = fixture.add("a").await;
    run(fixture, task, [10, 20]).await;
    fixture.store.delete(task).await.unwrap();
    assert_eq!(fixture.store.prune_older(later(fixture).await, 0).await.unwrap().removed, 2);
    assert!(left(fixture).await.is_empty());
}

/// A run that failed, and its retry.
pub async fn all_attempts_at_an_instant_stay_or_go_together(fixture: &Fixture) {
    let task = fixture.add("a").await;
    run(fixture, task, [10]).await;
    let mut attempts = Vec::new();
    for (second, retry) in [(20, true), (30, false)] {
        let claim = run_of(task, at(second));
        let first = fixture.won(&claim).await;
        let waits = Retry { scheduled_at: at(second), attempt: 2, due_at: at(second) };
        let failed = Outcome { retry: Some(waits), ..outcome(first, &claim, Status::Fail) };
        assert!(fixture.record(&failed).await);
        attempts.push(first);
        if retry {
            let mut again = Claim { origin: Origin::Retry, ..run_of(task, at(second)) };
            again.entries[0].attempt = 2;
            let second = fixture.won(&again).await;
            assert!(fixture.record(&outcome(second, &again, Status::Success)).await);
            attempts.push(second);
        }
    }
    // The third has the newest fire, and waits for its second attempt.
    assert_eq!(fixture.store.prune_beyond(2, 0).await.unwrap().removed, 1);
    assert_eq!(left(fixture).await, attempts);
    assert_eq!(fixture.store.prune_beyond(1, 0).await.unwrap().removed, 2);
    assert_eq!(left(fixture).await, attempts[2..]);
}

pub async fn an_execution_whose_next_attempt_waits_stays(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let claim = run_of(task, at(10));
    let failed = fixture.won(&claim).await;
    let waits = Retry { scheduled_at: at(10), attempt: 2, due_at: at(10) };
    let outcome = Outcome { retry: Some(waits), ..outcome(failed, &claim, Status::Fail) };
    assert!(fixture.record(&outcome).await);
    let others = run(fixture, task, [20, 30, 40]).await;
    assert_eq!(fixture.store.prune_older(later(fixture).await, 0).await.unwrap().removed, 2);
    assert_eq!(left(fixture).await, [failed, others[2]]);
}

pub async fn of_each_task_as_many_stay_as_are_wanted(fixture: &Fixture) {
    let (one, other) = (fixture.add("one").await, fixture.add("other").await);
    let of_one = run(fixture, one, (1..=7).map(|second| second * 10)).await;
    let of_other = run(fixture, other, [10, 20]).await;
    let pruned = fixture.store.prune_beyond(3, 0).await.unwrap();
    assert_eq!((pruned.removed, pruned.next), (4, Some(one)));
    assert_eq!(left(fixture).await, [&of_one[4..], &of_other].concat());
    assert!(fixture.store.log(of_one[0], 0).await.unwrap().is_empty());
    let next = fixture.store.prune_beyond(3, one).await.unwrap();
    assert_eq!((next.removed, next.next), (0, Some(other)));
    let end = fixture.store.prune_beyond(3, other).await.unwrap();
    assert_eq!((end.removed, end.next), (0, None));
}

/// Manual runs of `task` at these seconds.
async fn run_by_hand(
    fixture: &Fixture,
    task: TaskId,
    seconds: impl IntoIterator<Item = i64>,
) -> Vec<ExecutionId> {
    let mut ids = Vec::new();
    for second in seconds {
        let request = fixture.store.request_run(task, at(second)).await.unwrap();
        let claim = Claim { origin: Origin::Request(request), ..run_of(task, at(second)) };
        ids.push(ran(fixture, &claim).await);
    }
    ids
}

pub async fn a_manual_run_that_became_a_fire_stays_for_it(fixture: &Fixture) {
    let task = fixture.add("a").await;
    run(fixture, task, [10]).await;
    let became = run_by_hand(fixture, task, [20]).await;
    let fire = run_of(task, at(20));
    let accounted = Verdict::Refused(Refusal::Accounted(at(20)));
    let claim = |fire: Claim| async move { fixture.store.claim("b", &[fire]).await.unwrap() };
    assert_eq!(claim(fire.clone()).await, std::slice::from_ref(&accounted));
    run_by_hand(fixture, task, 30..34).await;
    fixture.store.prune_beyond(1, 0).await.unwrap();
    fixture.store.prune_older(later(fixture).await, 0).await.unwrap();
    assert_eq!(left(fixture).await, became);
    assert_eq!(claim(fire).await, [accounted], "else it would run a second time");
}

pub async fn manual_runs_leave_the_newest_fire_where_it_is(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let fires = run(fixture, task, [10, 20]).await;
    let asked = run_by_hand(fixture, task, 30..34).await;
    assert_eq!(fixture.store.prune_beyond(3, 0).await.unwrap().removed, 2);
    assert_eq!(left(fixture).await, [&fires[1..], &asked[1..]].concat());
    assert_eq!(fixture.store.prune_older(later(fixture).await, 0).await.unwrap().removed, 3);
    assert_eq!(left(fixture).await, fires[1..]);
}

pub async fn many_go_a_hundred_at_a_time(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let ids = run(fixture, task, 1..=120).await;
    let first = fixture.store.prune_older(later(fixture).await, 0).await.unwrap();
    assert_eq!((first.removed, first.next), (100, Some(ids[99])));
    let second = fixture.store.prune_older(later(fixture).await, ids[99]).await.unwrap();
    assert_eq!((second.removed, second.next), (19, Some(ids[119])));
    let more = run(fixture, task, 121..=230).await;
    let crowded = fixture.store.prune_beyond(5, 0).await.unwrap();
    assert_eq!((crowded.removed, crowded.next), (100, Some(task - 1)), "the same task again");
    let rest = fixture.store.prune_beyond(5, task - 1).await.unwrap();
    assert_eq!((rest.removed, rest.next), (6, Some(task)));
    assert_eq!(left(fixture).await, more[105..]);
}

pub async fn logs_go_before_their_executions_and_after_them(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let ids = run(fixture, task, [10, 20]).await;
    let open = fixture.won(&run_of(task, at(30))).await;
    let part = |execution_id| LogPart { execution_id, part: 1, content: "line\n".to_owned() };
    fixture.store.append_log(&[part(open), part(open + 1)]).await.unwrap();
    assert!(fixture.store.log(open + 1, 0).await.unwrap().is_empty(), "of no execution");
    let pruned = fixture.store.prune_logs(later(fixture).await, 0).await.unwrap();
    assert_eq!((pruned.removed, pruned.next), (2, Some(open)));
    assert_eq!(left(fixture).await, [&ids[..], &[open]].concat());
    assert!(fixture.store.log(ids[0], 0).await.unwrap().is_empty());
    assert_eq!(fixture.store.log(open, 0).await.unwrap().len(), 1);
}
