//! Leases, and what becomes of a dead node's runs.

use std::time::Duration;

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

use super::{Fixture, at, claim_at, outcome, run_of};
use crate::plan::{
    claim::Claim,
    execution::{ExecutionId, Noted, Status},
    node::{Lost, NodeRow, Reaped},
    task::TaskId,
};

const LEASE: Duration = Duration::from_secs(30);
/// Judges whatever the database's clock shows.
pub const AT_ANY_TIME: DateTime<Utc> = DateTime::<Utc>::MAX_UTC;
pub(super) const LONGER: Duration = Duration::from_secs(100);

pub(super) fn lost(execution_id: ExecutionId, task_id: TaskId, node: Option<&str>) -> Lost {
    Lost { execution_id, task_id, node_id: node.map(str::to_owned), is_retried: false }
}

impl Fixture {
    pub(super) async fn reap(&self, suspects: &[TaskId]) -> Reaped {
        self.other.reap("the reaper", LEASE, AT_ANY_TIME, suspects).await.unwrap()
    }
}

pub async fn a_node_that_renews_keeps_its_runs(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.store.renew("n1").await.unwrap();
    let claim = run_of(task, at(10));
    let id = fixture.won(&claim).await;
    fixture.operator.age(LONGER).await;
    fixture.store.renew("n1").await.unwrap();
    assert_eq!(fixture.reap(&[task]).await, Reaped::default());
    assert!(fixture.record(&outcome(id, &claim, Status::Success)).await);
}

pub async fn a_reading_names_the_nodes_and_how_long_they_were_silent(fixture: &Fixture) {
    fixture.store.renew("n2").await.unwrap();
    fixture.operator.age(LONGER).await;
    fixture.other.renew("n1").await.unwrap();
    fixture.other.renew("n3").await.unwrap();
    fixture.other.leave("n3").await.unwrap();
    let nodes = fixture.store.read().await.unwrap().nodes;
    let (names, silent): (Vec<_>, Vec<_>) = nodes.into_iter().unzip();
    assert_eq!(names, ["n1", "n2"]);
    assert!(silent[0] < LONGER && silent[1] >= LONGER, "{silent:?}");
}

pub async fn the_databases_clock_is_that_of_its_rows(fixture: &Fixture) {
    let before = fixture.store.now().await.unwrap();
    fixture.add("a").await;
    let after = fixture.other.now().await.unwrap();
    let created = fixture.store.read().await.unwrap().rows[0].created_at.unwrap();
    assert!(before.trunc_subsecs(0) <= created && created <= after, "{before} {created} {after}");
}

pub async fn a_dead_nodes_runs_are_lost_and_its_tasks_ready(fixture: &Fixture) {
    let (dead, alive) = (fixture.add("dead").await, fixture.add("alive").await);
    for node in ["n1", "n2"] {
        fixture.store.renew(node).await.unwrap();
    }
    let id = fixture.won(&run_of(dead, at(10))).await;
    claim_at(&fixture.other, "n2", &run_of(alive, at(10))).await;
    fixture.operator.age(LONGER).await;
    fixture.other.renew("n2").await.unwrap();
    let reaped = fixture.reap(&[dead, alive]).await;
    assert_eq!(reaped, Reaped { lost: vec![lost(id, dead, Some("n1"))], healed: vec![] });
    let row = fixture.execution(id).await;
    assert_eq!(
        (row.status.as_str(), row.extra.as_str()),
        ("lost", r#"{"reason":"the node did not renew its lease for 30 s"}"#)
    );
    assert!(row.finished_at.is_some());
    assert_eq!(
        (fixture.status(dead).await.as_str(), fixture.status(alive).await.as_str()),
        ("ready", "doing")
    );
    assert_eq!(fixture.reap(&[dead]).await, Reaped::default(), "once");
}

pub async fn a_lost_run_keeps_what_its_job_noted(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let claim = run_of(task, at(10));
    let execution_id = fixture.won(&claim).await;
    let trace_id = claim.entries[0].trace_id.clone();
    let extra = r#"{"retries_on_lost":0,"sent":7}"#.to_owned();
    fixture.store.note(&[Noted { execution_id, trace_id, extra }]).await.unwrap();
    fixture.operator.age(LONGER).await;
    assert_eq!(fixture.reap(&[]).await.lost.len(), 1);
    assert_eq!(
        fixture.execution(execution_id).await.extra,
        r#"{"reason":"the node did not renew its lease for 30 s","sent":7}"#
    );
}

pub async fn nobody_is_dead_by_a_clock_that_is_later_than_agreed(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.store.renew("n1").await.unwrap();
    fixture.won(&run_of(task, at(10))).await;
    fixture.operator.age(LONGER).await;
    let now = fixture.store.now().await.unwrap();
    let minute = TimeDelta::minutes(1);
    let reap = async |until| fixture.other.reap("n2", LEASE, until, &[task]).await.unwrap();
    // The call was held up, or the clock was set forward.
    assert_eq!(reap(now - minute).await, Reaped::default());
    assert_eq!(fixture.status(task).await, "doing");
    assert_eq!(reap(now + minute).await.lost.len(), 1);
}

pub async fn a_node_that_was_silent_for_days_is_dead(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.store.renew("n1").await.unwrap();
    fixture.operator.age(Duration::from_secs(200_000)).await;
    // It claims all the same, though its lease is long over: that gives it no new one.
    fixture.won(&run_of(task, at(10))).await;
    assert_eq!(fixture.reap(&[]).await.lost.len(), 1);
    assert_eq!(fixture.status(task).await, "ready");
}

pub async fn a_node_that_never_renewed_has_one_lease_from_its_claim(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.won(&run_of(task, at(10))).await;
    assert_eq!(fixture.reap(&[]).await, Reaped::default());
    fixture.operator.age(LONGER).await;
    assert_eq!(fixture.reap(&[]).await.lost.len(), 1);
}

pub async fn an_outcome_after_lost_is_refused(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let claim = run_of(task, at(10));
    let id = fixture.won(&claim).await;
    fixture.operator.age(LONGER).await;
    fixture.reap(&[]).await;
    let next = run_of(task, at(20));
    claim_at(&fixture.other, "n2", &next).await;
    assert!(!fixture.record(&outcome(id, &claim, Status::Success)).await);
    assert_eq!(fixture.execution(id).await.status, "lost");
    assert_eq!(fixture.status(task).await, "doing", "the newer run goes on");
}

pub async fn a_task_with_another_open_run_stays_doing(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let overlapping = |secs| Claim { limit: None, ..run_of(task, at(secs)) };
    fixture.won(&overlapping(10)).await;
    fixture.operator.age(LONGER).await;
    fixture.other.renew("n2").await.unwrap();
    claim_at(&fixture.other, "n2", &overlapping(20)).await;
    assert_eq!(fixture.reap(&[task]).await.lost.len(), 1);
    assert_eq!(fixture.status(task).await, "doing");
}

pub async fn a_run_of_nobody_is_lost_after_the_lease(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.operator.insert_open(500, task, "by the original").await;
    fixture.operator.set_status(task, "doing").await;
    assert_eq!(fixture.reap(&[task]).await, Reaped::default());
    fixture.operator.age(LONGER).await;
    assert_eq!(
        fixture.reap(&[task]).await,
        Reaped { lost: vec![lost(500, task, None)], healed: vec![] }
    );
    assert_eq!(fixture.status(task).await, "ready");
}

pub async fn a_task_set_doing_by_hand_is_healed(fixture: &Fixture) {
    let (task, ready) = (fixture.add("a").await, fixture.add("b").await);
    fixture.operator.set_status(task, "doing").await;
    assert_eq!(
        fixture.reap(&[task, ready, 4_711]).await,
        Reaped { lost: vec![], healed: vec![task] }
    );
    assert_eq!(fixture.status(task).await, "ready");
}

pub async fn a_task_with_an_open_run_is_not_healed(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.store.renew("n1").await.unwrap();
    fixture.won(&run_of(task, at(10))).await;
    assert_eq!(fixture.reap(&[task]).await, Reaped::default());
    assert_eq!(fixture.status(task).await, "doing");
}

pub async fn a_task_that_nobody_suspects_is_left_alone(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.operator.set_status(task, "doing").await;
    assert_eq!(fixture.reap(&[]).await, Reaped::default());
    assert_eq!(fixture.status(task).await, "doing");
}

pub async fn a_node_that_left_is_remembered_and_not_among_the_living(fixture: &Fixture) {
    for node in ["n1", "n2"] {
        fixture.store.renew(node).await.unwrap();
    }
    fixture.store.leave("n1").await.unwrap();
    let [n1, n2] = fixture.nodes_by_id().await;
    let left_at = n1.left_at.expect("it left");
    assert!(n1.started_at <= n1.heartbeat_at && n1.heartbeat_at <= left_at, "{n1:?}");
    assert_eq!(n2.left_at, None);
    fixture.operator.age(LONGER).await;
    // Neither a second good-bye nor a renewal that comes late changes that.
    fixture.store.leave("n1").await.unwrap();
    fixture.store.renew("n1").await.unwrap();
    fixture.store.renew("n2").await.unwrap();
    let living: Vec<String> =
        fixture.store.read().await.unwrap().nodes.into_iter().map(|(node, _)| node).collect();
    assert_eq!(living, ["n2"]);
    let [n1, n2] = fixture.nodes_by_id().await;
    assert!(n1.left_at.is_some_and(|at| at < n1.heartbeat_at), "{n1:?}");
    assert!(n2.silent_for < LONGER, "{n2:?}");
    assert_eq!(fixture.reap(&[]).await, Reaped::default());
}

impl Fixture {
    pub(super) async fn nodes_by_id(&self) -> [NodeRow; 2] {
        let mut nodes = self.store.nodes().await.unwrap();
        nodes.sort_by(|a, b| a.id.cmp(&b.id));
        nodes.try_into().unwrap()
    }
}
