//! A claim is won or refused as a whole, and what is won is in the table.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Fixture, at, claim_at, entry, new_task, note_of, outcome, run_of, trace};
use crate::plan::{
    claim::{Claim, Refusal, Verdict},
    execution::{Recorded, Status},
    node::Settled,
    task::TaskId,
};

pub async fn a_claim_writes_a_row_that_says_who_runs_what(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let claim = run_of(task, at(10) + TimeDelta::milliseconds(250));
    let row = fixture.execution(fixture.won(&claim).await).await;
    assert_eq!(row.task_id, task);
    assert_eq!((row.status.as_str(), row.extra.as_str()), ("todo", "{}"));
    assert_eq!(*row.trace_id, *claim.entries[0].trace_id);
    assert_eq!(row.scheduled_at, Some(claim.entries[0].scheduled_at));
    assert_eq!((row.attempt, row.source.as_str()), (1, "schedule"));
    assert_eq!(row.node_id.as_deref(), Some("n1"));
    assert_eq!((row.started_at, row.finished_at), (None, None));
    assert!(row.created_at.is_some());
}

pub async fn a_claimed_task_is_doing(fixture: &Fixture) {
    let (a, b) = (fixture.add("a").await, fixture.add("b").await);
    fixture.won(&run_of(a, at(10))).await;
    assert_eq!(fixture.status(a).await, "doing");
    assert_eq!(fixture.status(b).await, "ready");
}

pub async fn an_instant_is_claimed_once(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let claim = run_of(task, at(10));
    let id = fixture.won(&claim).await;
    let again = Refusal::Accounted(at(10));
    Fixture::refused(&fixture.claim(&run_of(task, at(10))).await, &again);
    fixture.record(&outcome(id, &claim, Status::Success)).await;
    Fixture::refused(&fixture.claim(&run_of(task, at(10))).await, &again);
    assert_eq!(fixture.executions().await.len(), 1);
}

pub async fn an_instant_is_claimed_by_one_of_two_nodes(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.won(&run_of(task, at(10))).await;
    let verdict = claim_at(&fixture.other, "n2", &run_of(task, at(10))).await;
    Fixture::refused(&verdict, &Refusal::Accounted(at(10)));
    assert_eq!(fixture.executions().await[0].node_id.as_deref(), Some("n1"));
}

fn late_run(
    task: TaskId,
    first: DateTime<Utc>,
    missed: DateTime<Utc>,
    run: DateTime<Utc>,
) -> Claim {
    let entries = vec![entry(missed, Status::Missed), entry(run, Status::Todo)];
    Claim { first, entries, ..run_of(task, run) }
}

pub async fn older_instants_are_recorded_missed_with_the_run(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.won(&late_run(task, at(10), at(40), at(50))).await;
    let rows = fixture.executions().await;
    let seen: Vec<_> = rows.iter().map(|row| (row.status.as_str(), row.scheduled_at)).collect();
    assert_eq!(seen, [("missed", Some(at(40))), ("todo", Some(at(50)))]);
    assert_eq!(rows[0].extra, r#"{"reason":"late"}"#);
    assert!(rows[0].finished_at.is_some() && rows[0].started_at.is_none());
    assert!(rows[1].finished_at.is_none());
}

pub async fn a_claim_of_missed_instants_only_leaves_the_task_ready(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let claim = note_of(task, at(10), Status::Missed);
    assert_eq!(fixture.claim(&claim).await, Verdict::Won(None));
    assert_eq!(fixture.status(task).await, "ready");
    assert_eq!(fixture.executions().await[0].status, "missed");
}

pub async fn a_skipped_fire_leaves_the_task_doing(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.won(&run_of(task, at(10))).await;
    assert_eq!(fixture.claim(&note_of(task, at(20), Status::Skipped)).await, Verdict::Won(None));
    assert_eq!(fixture.status(task).await, "doing");
}

pub async fn a_skipped_fire_leaves_a_ready_task_ready(fixture: &Fixture) {
    let task = fixture.add("a").await;
    assert_eq!(fixture.claim(&note_of(task, at(20), Status::Skipped)).await, Verdict::Won(None));
    assert_eq!(fixture.status(task).await, "ready");
}

pub async fn a_disabled_task_refuses(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.other.set_enabled(task, false).await.unwrap();
    Fixture::refused(&fixture.claim(&run_of(task, at(10))).await, &Refusal::Disabled);
    Fixture::refused(
        &fixture.claim(&note_of(task, at(10), Status::Missed)).await,
        &Refusal::Disabled,
    );
    assert!(fixture.executions().await.is_empty());
    assert_eq!(fixture.status(task).await, "ready");
}

pub async fn a_deleted_task_refuses(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.other.delete(task).await.unwrap();
    Fixture::refused(&fixture.claim(&run_of(task, at(10))).await, &Refusal::Gone);
    assert!(fixture.executions().await.is_empty());
}

pub async fn a_new_spec_refuses_what_was_due_after_the_edit(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.operator.set_spec(task, "7").await;
    let edited = fixture.row(task).await.updated_at.unwrap();
    let after = run_of(task, edited + TimeDelta::milliseconds(1));
    Fixture::refused(&fixture.claim(&after).await, &Refusal::SpecChanged);
    assert!(fixture.executions().await.is_empty());
    fixture.won(&Claim { spec: "7".into(), ..after }).await;
}

pub async fn a_new_spec_lets_be_accounted_what_was_due_until_the_edit(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.operator.set_spec(task, "7").await;
    let edited = fixture.row(task).await.updated_at.unwrap();
    fixture.won(&run_of(task, edited)).await;
}

pub async fn a_busy_task_refuses_a_run(fixture: &Fixture) {
    let task = fixture.add("a").await;
    fixture.won(&run_of(task, at(10))).await;
    let verdict = claim_at(&fixture.other, "n2", &run_of(task, at(20))).await;
    Fixture::refused(&verdict, &Refusal::Busy);
    assert_eq!(fixture.executions().await.len(), 1);
}

pub async fn a_task_that_may_overlap_runs_twice(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let overlapping = |secs| Claim { limit: None, ..run_of(task, at(secs)) };
    fixture.won(&overlapping(10)).await;
    fixture.won(&overlapping(20)).await;
    assert_eq!(fixture.status(task).await, "doing");
    assert_eq!(fixture.executions().await.len(), 2);
}

pub async fn older_instants_than_the_newest_accounted_are_refused(fixture: &Fixture) {
    let task = fixture.add("a").await;
    assert_eq!(fixture.claim(&note_of(task, at(30), Status::Missed)).await, Verdict::Won(None));
    let accounted = Refusal::Accounted(at(30));
    Fixture::refused(&fixture.claim(&run_of(task, at(20))).await, &accounted);
    // Accounted for up to 30: a claim that begins there is refused as a whole, though 50 is free.
    Fixture::refused(&fixture.claim(&late_run(task, at(30), at(40), at(50))).await, &accounted);
    assert_eq!(fixture.executions().await.len(), 1);
    let next = at(30) + TimeDelta::milliseconds(1);
    fixture.won(&late_run(task, next, at(40), at(50))).await;
}

pub async fn verdicts_stand_in_the_order_of_the_claims(fixture: &Fixture) {
    let mut tasks = Vec::new();
    for key in ["won", "disabled", "gone", "edited", "accounted", "busy", "missed"] {
        tasks.push(fixture.add(key).await);
    }
    let [won, disabled, gone, edited, accounted, busy, missed] = tasks[..] else { unreachable!() };
    fixture.store.set_enabled(disabled, false).await.unwrap();
    fixture.store.delete(gone).await.unwrap();
    fixture.store.set_spec(edited, "7").await.unwrap();
    fixture.claim(&note_of(accounted, at(50), Status::Missed)).await;
    fixture.won(&run_of(busy, at(1))).await;
    let claims = [
        run_of(busy, at(50)),
        run_of(won, at(50)),
        note_of(missed, at(50), Status::Missed),
        run_of(gone, at(50)),
        run_of(accounted, at(50)),
        run_of(disabled, at(50)),
        run_of(edited, at(50)),
        run_of(777_777, at(50)),
    ];
    let verdicts = fixture.store.claim("n1", &claims).await.unwrap();
    let Verdict::Won(Some(id)) = verdicts[1] else { panic!("{verdicts:?}") };
    let expected = [
        Verdict::Refused(Refusal::Busy),
        Verdict::Won(Some(id)),
        Verdict::Won(None),
        Verdict::Refused(Refusal::Gone),
        Verdict::Refused(Refusal::Accounted(at(50))),
        Verdict::Refused(Refusal::Disabled),
        Verdict::Refused(Refusal::SpecChanged),
        Verdict::Refused(Refusal::Gone),
    ];
    assert_eq!(verdicts, expected);
    assert_eq!(*fixture.execution(id).await.trace_id, *claims[1].entries[0].trace_id);
}

pub async fn a_batch_of_a_thousand_is_claimed_and_recorded(fixture: &Fixture) {
    let tasks = fixture.add_many("many", 1_000).await;
    let claims: Vec<Claim> = tasks.iter().rev().map(|task| run_of(*task, at(10))).collect();
    let verdicts = fixture.store.claim("n1", &claims).await.unwrap();
    let outcomes: Vec<_> = claims
        .iter()
        .zip(&verdicts)
        .map(|(claim, verdict)| match verdict {
            Verdict::Won(Some(id)) => outcome(*id, claim, Status::Success),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(fixture.store.record(&outcomes).await.unwrap(), [Recorded::Stands; 1_000]);
    let rows = fixture.store.read().await.unwrap().rows;
    assert!(rows.iter().all(|row| row.status.as_deref() == Ok("ready")));
    let executions = fixture.executions().await;
    assert_eq!(executions.iter().filter(|row| row.status == "success").count(), 1_000);
}

pub async fn an_empty_batch_is_nothing(fixture: &Fixture) {
    assert_eq!(fixture.store.claim("n1", &[]).await.unwrap(), []);
    assert_eq!(fixture.store.settle(&[]).await.unwrap(), []);
    assert_eq!(fixture.store.record(&[]).await.unwrap(), [Recorded::Stands; 0]);
    assert!(fixture.store.cursors(&[]).await.unwrap().is_empty());
}

pub async fn a_row_number_beyond_the_originals_integers_is_gone(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let claims = [run_of(i64::MAX, at(10)), run_of(task, at(10)), run_of(-1, at(10))];
    let verdicts = fixture.store.claim("n1", &claims).await.unwrap();
    Fixture::refused(&verdicts[0], &Refusal::Gone);
    assert!(matches!(verdicts[1], Verdict::Won(Some(_))), "{verdicts:?}");
    Fixture::refused(&verdicts[2], &Refusal::Gone);
}

pub async fn settling_tells_what_was_written(fixture: &Fixture) {
    let (open, closed, foreign) =
        (fixture.add("o").await, fixture.add("c").await, fixture.add("f").await);
    let (open, closed) = (run_of(open, at(10)), run_of(closed, at(10)));
    let missed = note_of(fixture.add("m").await, at(10), Status::Missed);
    let open_id = fixture.won(&open).await;
    let closed_id = fixture.won(&closed).await;
    fixture.record(&outcome(closed_id, &closed, Status::Fail)).await;
    fixture.claim(&missed).await;
    let theirs = run_of(foreign, at(10));
    fixture.won(&theirs).await;
    let mut ours = theirs.clone();
    ours.entries[0].trace_id = trace();
    let never = run_of(foreign, at(99));
    let settled = fixture.other.settle(&[never, open, closed, missed, ours]).await.unwrap();
    let expected = [
        Settled::NotWritten,
        Settled::Written(Some(open_id)),
        Settled::Written(None),
        Settled::Written(None),
        Settled::NotWritten,
    ];
    assert_eq!(settled, expected);
}

impl Fixture {
    /// `count` tasks, added at once.
    pub async fn add_many(&self, prefix: &str, count: usize) -> Vec<TaskId> {
        let rows: Vec<_> = (0..count).map(|n| new_task(&format!("{prefix} {n:05}"))).collect();
        assert!(self.store.load_demo(&rows).await.unwrap(), "the table is empty");
        self.store.read().await.unwrap().rows.iter().map(|row| row.id).collect()
    }
}
