//! Manual runs: asked for once, run once.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Fixture, at, claim_at, entry, outcome, run_of, trace};
use crate::{
    plan::{
        claim::{Claim, Entry, Origin, Refusal, Request, Verdict},
        execution::{ExecutionId, Outcome, Status, extra_with_args},
        node::MOST_MANUAL,
        retry::Retry,
        task::TaskId,
    },
    store::{Author, StoreError},
};

/// The claim that a node makes of what waits.
pub(super) fn claim_of(request: &Request, status: Status) -> Claim {
    let Request { origin, task_id, scheduled_at, attempt, .. } = *request;
    let entry = Entry { attempt, ..entry(scheduled_at, status) };
    let extra = extra_with_args(&entry.extra, request.args.as_deref());
    let entry = Entry { extra, ..entry };
    Claim { origin, entries: vec![entry], ..run_of(task_id, scheduled_at) }
}

/// Characters that JSON, SQL and `LIKE` each write in a way of their own.
pub(super) const ARGS: &str = "员工 \"2026-11\", 100 %_\\ 'all'\n💰";

impl Fixture {
    /// Asks for a run, and yields the claim that a node makes of it.
    pub async fn request(&self, task: TaskId, now: DateTime<Utc>) -> Claim {
        let id = self.store.request_run(task, now).await.unwrap();
        let requests = self.waiting().await;
        let request =
            requests.iter().find(|request| request.origin == Origin::Request(id)).unwrap();
        claim_of(request, Status::Todo)
    }

    pub(super) async fn waiting(&self) -> Vec<Request> {
        self.other.read().await.unwrap().requests
    }

    /// Both nodes claim what was asked for at once: one gets it, and the other none.
    pub(super) async fn is_taken_by_one_of_two(&self, claim: &Claim) {
        let before = self.executions().await.len();
        let mut other = claim.clone();
        other.entries[0].trace_id = trace();
        let (one, other) =
            tokio::join!(claim_at(&self.store, "n1", claim), claim_at(&self.other, "n2", &other));
        let (won, lost) = if matches!(one, Verdict::Won(_)) { (one, other) } else { (other, one) };
        assert!(matches!(won, Verdict::Won(Some(_))), "{won:?}");
        // Where the winner still held the row, the other was told to ask again.
        let refusals = [Refusal::RequestGone, Refusal::Locked].map(Verdict::Refused);
        assert!(refusals.contains(&lost), "{lost:?}");
        assert_eq!(self.executions().await.len(), before + 1);
    }

    /// What was asked for waits while the run `id` of its task, won by `running`, is open.
    pub(super) async fn waits_for(&self, running: &Claim, id: ExecutionId, claim: &Claim) {
        Self::refused(&self.claim(claim).await, &Refusal::Busy);
        assert_eq!(self.waiting().await.len(), 1);
        self.record(&outcome(id, running, Status::Success)).await;
        self.won(claim).await;
    }
}

pub async fn a_request_is_claimed_once(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let claim = fixture.request(task, at(10)).await;
    let id = fixture.won(&claim).await;
    let row = fixture.execution(id).await;
    assert_eq!((row.source.as_str(), row.status.as_str()), ("manual", "todo"));
    assert_eq!(fixture.status(task).await, "doing");
    assert_eq!(fixture.waiting().await, []);
    fixture.record(&outcome(id, &claim, Status::Success)).await;
    let mut again = claim.clone();
    again.entries[0].trace_id = trace();
    Fixture::refused(&fixture.claim(&again).await, &Refusal::RequestGone);
    assert_eq!(fixture.executions().await.len(), 1);
}

pub async fn one_of_two_nodes_takes_a_request(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let request = fixture.request(task, at(10)).await;
    fixture.is_taken_by_one_of_two(&request).await;
    assert_eq!(fixture.executions().await.len(), 1);
}

pub async fn a_request_of_a_busy_task_waits(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let running = run_of(task, at(5));
    let id = fixture.won(&running).await;
    let request = fixture.request(task, at(10)).await;
    fixture.waits_for(&running, id, &request).await;
}

pub async fn a_request_off_the_whole_second(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let requested = |claim: &Claim| claim.entries[0].scheduled_at;
    assert_eq!(
        requested(&fixture.request(task, at(10)).await),
        at(10) + TimeDelta::milliseconds(1)
    );
    let off = at(20) + TimeDelta::milliseconds(999);
    assert_eq!(requested(&fixture.request(task, off).await), off);
}

pub async fn two_requests_in_one_millisecond_both_run(fixture: &Fixture) {
    let task = fixture.add("a").await;
    for now in [at(10), at(20) + TimeDelta::milliseconds(999)] {
        let first = fixture.request(task, now).await;
        let second = fixture.request(task, now).await;
        for claim in [first, second] {
            let id = fixture.won(&claim).await;
            fixture.record(&outcome(id, &claim, Status::Success)).await;
        }
        // A third one, after the first two have run.
        let third = fixture.request(task, now).await;
        let id = fixture.won(&third).await;
        fixture.record(&outcome(id, &third, Status::Success)).await;
    }
    let rows = fixture.executions().await;
    assert_eq!(rows.len(), 6);
    let is_off = |instant: DateTime<Utc>| instant.timestamp_subsec_millis() != 0;
    assert!(rows.iter().all(|row| is_off(row.scheduled_at.unwrap())), "{rows:?}");
}

pub async fn a_request_beside_a_fire_of_its_millisecond_runs(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let instant = at(10) + TimeDelta::milliseconds(250);
    let fire = run_of(task, instant);
    let id = fixture.won(&fire).await;
    fixture.record(&outcome(id, &fire, Status::Success)).await;
    fixture.won(&fixture.request(task, instant).await).await;
}

pub async fn a_manual_run_in_the_millisecond_of_a_fire_is_that_fire(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let instant = at(10) + TimeDelta::milliseconds(250);
    let manual = fixture.request(task, instant).await;
    let id = fixture.won(&manual).await;
    fixture.record(&outcome(id, &manual, Status::Success)).await;
    // The judgement lets it pass, since a manual run accounts for no fire; the key does not.
    Fixture::refused(&fixture.claim(&run_of(task, instant)).await, &Refusal::Accounted(instant));
    let [row] = <[_; 1]>::try_from(fixture.executions().await).unwrap();
    assert_eq!((row.id, &*row.source, &*row.status), (id, "schedule", "success"));
    assert_eq!(fixture.status(task).await, "ready");
    // Which is known from now on, also to who was not there.
    assert_eq!(fixture.store.cursors(&[task]).await.unwrap()[&task], instant);
}

pub async fn a_manual_run_in_the_millisecond_of_a_missed_fire_is_it_too(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let manual = fixture.request(task, at(10) + TimeDelta::milliseconds(250)).await;
    let id = fixture.won(&manual).await;
    fixture.record(&outcome(id, &manual, Status::Success)).await;
    let mut claim = run_of(task, at(20));
    claim.first = manual.first;
    let missed =
        Entry { status: Status::Missed, trace_id: "m".into(), ..manual.entries[0].clone() };
    claim.entries.insert(0, missed);
    fixture.won(&claim).await;
    let sources = fixture.executions().await.into_iter().map(|row| row.source);
    assert!(sources.eq(["schedule", "schedule"]));
}

pub async fn a_manual_run_does_not_stand_for_a_fire(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let manual = fixture.request(task, at(50)).await;
    let id = fixture.won(&manual).await;
    fixture.record(&outcome(id, &manual, Status::Success)).await;
    fixture.won(&run_of(task, at(20))).await;
}

pub async fn a_request_of_a_deleted_task_is_recorded_cancelled(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.store.request_run(task, at(10)).await.unwrap();
    fixture.store.delete(task).await.unwrap();
    let requests = fixture.waiting().await;
    Fixture::refused(&fixture.claim(&claim_of(&requests[0], Status::Todo)).await, &Refusal::Gone);
    assert_eq!(fixture.claim(&claim_of(&requests[0], Status::Cancelled)).await, Verdict::Won(None));
    assert_eq!(fixture.waiting().await, []);
    let rows = fixture.executions().await;
    assert_eq!(
        (rows.len(), rows[0].status.as_str(), rows[0].source.as_str()),
        (1, "cancelled", "manual")
    );
}

pub async fn a_request_of_a_disabled_task_runs_not_but_is_recorded_cancelled(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let claim = fixture.request(task, at(10)).await;
    fixture.store.set_enabled(task, false).await.unwrap();
    Fixture::refused(&fixture.claim(&claim).await, &Refusal::Disabled);
    let requests = fixture.waiting().await;
    assert_eq!(requests.len(), 1, "a refused claim leaves the request");
    assert_eq!(fixture.claim(&claim_of(&requests[0], Status::Cancelled)).await, Verdict::Won(None));
    assert_eq!(fixture.executions().await[0].status, "cancelled");
    assert_eq!(fixture.status(task).await, "ready");
}

impl Fixture {
    /// Asks for `count` runs, one a second from second 100 on.
    async fn request_often(&self, task: TaskId, count: usize) {
        for n in 0..i64::try_from(count).unwrap() {
            self.store.request_run(task, at(100 + n)).await.unwrap();
        }
    }
}

pub async fn requests_of_one_task_hide_no_others(fixture: &Fixture) {
    let (busy, other) = (fixture.add("busy").await, fixture.add("other").await);
    fixture.request_often(busy, 1_100).await;
    fixture.request_often(other, 1).await;
    let reading = fixture.other.read().await.unwrap();
    assert!(!reading.is_whole);
    let of = |task| reading.requests.iter().filter(move |request| request.task_id == task);
    assert_eq!((of(busy).count(), of(other).count()), (MOST_MANUAL - 1, 1));
    let newest = of(busy).map(|request| request.scheduled_at).max().unwrap();
    assert!(newest < at(100 + 999), "{newest}: the oldest are read");
}

pub async fn a_reading_is_whole_up_to_the_limit_of_requests(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.request_often(task, MOST_MANUAL - 1).await;
    let reading = fixture.other.read().await.unwrap();
    assert_eq!((reading.requests.len(), reading.is_whole), (MOST_MANUAL - 1, true));
    // From here on there may be more, for all that a reading can tell.
    fixture.request_often(task, 1).await;
    let reading = fixture.other.read().await.unwrap();
    assert_eq!((reading.requests.len(), reading.is_whole), (MOST_MANUAL, false));
}

pub async fn a_request_for_no_task_is_refused(fixture: &Fixture) {
    let error = fixture.store.request_run(4_711, at(10)).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { what: "task", id: 4_711 }), "{error}");
    assert_eq!(fixture.waiting().await, []);
}

pub async fn a_run_may_be_asked_for_with_arguments_of_its_own(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let author = Author::program();
    let ask = async |second, args| {
        fixture.store.request_run_as(task, at(second), args, &author).await.unwrap();
    };
    ask(10, Some(ARGS)).await;
    ask(20, Some("")).await;
    ask(30, None).await;
    let args: Vec<_> = fixture.waiting().await.into_iter().map(|request| request.args).collect();
    assert_eq!(args, [Some(ARGS.into()), Some("".into()), None], "no arguments are arguments, too");
}

pub async fn what_waits_of_a_task_is_told_and_nothing_of_others(fixture: &Fixture) {
    let (task, other) = (fixture.add("a").await, fixture.add("b").await);
    let claim = run_of(task, at(10));
    let id = fixture.won(&claim).await;
    let failed = Outcome {
        retry: Some(Retry { scheduled_at: at(10), attempt: 2, due_at: at(25) }),
        ..outcome(id, &claim, Status::Fail)
    };
    assert!(fixture.record(&failed).await);
    let author = Author::program();
    for (task, args) in [(task, Some(ARGS)), (other, None), (task, None)] {
        fixture.store.request_run_as(task, at(30), args, &author).await.unwrap();
    }
    let waiting = fixture.other.waiting(task).await.unwrap();
    let told: Vec<_> =
        waiting.iter().map(|request| (request.attempt, request.args.as_deref())).collect();
    assert_eq!(told, [(1, Some(ARGS)), (1, None), (2, None)]);
    assert_eq!((waiting[2].scheduled_at, waiting[2].due_at), (at(10), at(25)));
    assert!(waiting.iter().all(|request| request.task_id == task));
    assert_eq!(fixture.store.waiting(other).await.unwrap().len(), 1);
    assert_eq!(fixture.store.waiting(99).await.unwrap(), []);
}
