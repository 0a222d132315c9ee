//! Outcomes, and when a task is free again.

use chrono::TimeDelta;

use super::{Fixture, at, note_of, outcome, run_of, trace};
use crate::plan::{
    claim::Claim,
    execution::{Noted, Outcome, Recorded, Status, TraceId},
};

pub async fn a_success_closes_the_row_and_frees_the_task(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let claim = run_of(task, at(10));
    let id = fixture.won(&claim).await;
    assert!(fixture.record(&outcome(id, &claim, Status::Success)).await);
    let row = fixture.execution(id).await;
    assert_eq!(row.status, "success");
    assert_eq!(row.started_at, Some(at(10) + TimeDelta::milliseconds(5)));
    assert_eq!(row.finished_at, Some(at(10) + TimeDelta::milliseconds(1_234)));
    assert_eq!(fixture.status(task).await, "ready");
    fixture.won(&run_of(task, at(20))).await;
}

pub async fn a_failure_and_a_timeout_keep_their_reason(fixture: &Fixture) {
    let task = fixture.add("a").await;
    for (secs, status) in [(10, Status::Fail), (20, Status::Timeout), (30, Status::Cancelled)] {
        let claim = run_of(task, at(secs));
        let id = fixture.won(&claim).await;
        let extra = format!(r#"{{"err":"{status}"}}"#);
        let outcome = Outcome { extra, started_at: None, ..outcome(id, &claim, status) };
        assert!(fixture.record(&outcome).await);
        let row = fixture.execution(id).await;
        assert_eq!((row.status.as_str(), row.extra), (status.as_str(), outcome.extra));
        assert_eq!(row.started_at, None);
        assert_eq!(fixture.status(task).await, "ready");
    }
}

pub async fn notes_stand_in_the_open_row_until_its_outcome_comes(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let claim = run_of(task, at(10));
    let id = fixture.won(&claim).await;
    let trace_id = &claim.entries[0].trace_id;
    let note = async |trace_id: &TraceId, extra: &str| {
        let extra = extra.to_owned();
        let noted = Noted { execution_id: id, trace_id: trace_id.clone(), extra };
        fixture.store.note(&[noted]).await.unwrap();
        fixture.execution(id).await.extra
    };
    assert_eq!(note(trace_id, r#"{"已发":"💥"}"#).await, r#"{"已发":"💥"}"#);
    assert_eq!(note(&trace(), r#"{"mine":1}"#).await, r#"{"已发":"💥"}"#, "a foreign trace id");
    assert_eq!(fixture.status(task).await, "doing");
    fixture.record(&outcome(id, &claim, Status::Success)).await;
    assert_eq!(note(trace_id, r#"{"late":1}"#).await, "{}", "a closed row stays as it is");
    fixture.store.note(&[]).await.unwrap();
}

pub async fn an_outcome_recorded_twice_stands_both_times(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let claim = run_of(task, at(10));
    let id = fixture.won(&claim).await;
    let outcome = outcome(id, &claim, Status::Success);
    assert!(fixture.record(&outcome).await);
    let row = fixture.execution(id).await;
    assert_eq!(fixture.other.record(&[outcome]).await.unwrap(), [Recorded::Stands]);
    assert_eq!(fixture.execution(id).await, row);
}

pub async fn an_outcome_with_a_foreign_trace_is_refused(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let claim = run_of(task, at(10));
    let id = fixture.won(&claim).await;
    let row = fixture.execution(id).await;
    let foreign = Outcome { trace_id: trace(), ..outcome(id, &claim, Status::Success) };
    assert!(!fixture.record(&foreign).await);
    assert_eq!(fixture.execution(id).await, row);
    assert_eq!(fixture.status(task).await, "doing");
}

pub async fn a_terminal_row_never_changes(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let claim = run_of(task, at(10));
    let id = fixture.won(&claim).await;
    assert!(fixture.record(&outcome(id, &claim, Status::Timeout)).await);
    let row = fixture.execution(id).await;
    let late =
        Outcome { extra: r#"{"late":1}"#.to_owned(), ..outcome(id, &claim, Status::Success) };
    assert!(!fixture.record(&late).await);
    assert_eq!(fixture.execution(id).await, row);
    // Nor does what was never open.
    let missed = note_of(task, at(20), Status::Missed);
    fixture.claim(&missed).await;
    let row = fixture.executions().await.pop().unwrap();
    assert!(!fixture.record(&outcome(row.id, &missed, Status::Success)).await);
    assert_eq!(fixture.execution(row.id).await, row);
}

pub async fn of_two_outcomes_for_one_row_the_first_stands(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let claim = run_of(task, at(10));
    let id = fixture.won(&claim).await;
    let outcomes = [Status::Timeout, Status::Success, Status::Timeout]
        .map(|status| outcome(id, &claim, status));
    assert_eq!(
        fixture.store.record(&outcomes).await.unwrap(),
        [Recorded::Stands, Recorded::Discarded, Recorded::Stands]
    );
    assert_eq!(fixture.execution(id).await.status, "timeout");
}

pub async fn an_unknown_execution_is_not_recorded(fixture: &Fixture) {
    let task = fixture.add("a").await;
    assert!(!fixture.record(&outcome(4_711, &run_of(task, at(10)), Status::Success)).await);
    assert!(fixture.executions().await.is_empty());
}

pub async fn a_task_is_freed_when_its_last_open_run_ends(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let claims = [10, 20].map(|secs| Claim { limit: None, ..run_of(task, at(secs)) });
    let ids = [fixture.won(&claims[0]).await, fixture.won(&claims[1]).await];
    fixture.record(&outcome(ids[1], &claims[1], Status::Success)).await;
    assert_eq!(fixture.status(task).await, "doing");
    fixture.record(&outcome(ids[0], &claims[0], Status::Success)).await;
    assert_eq!(fixture.status(task).await, "ready");
}

pub async fn a_refused_outcome_leaves_its_task_alone(fixture: &Fixture) {
    let (task, by_hand) = (fixture.add("a").await, fixture.add("b").await);
    let claim = run_of(task, at(10));
    let id = fixture.won(&claim).await;
    fixture.operator.set_status(by_hand, "doing").await;
    let refused = outcome(4_711, &run_of(by_hand, at(10)), Status::Success);
    let recorded =
        fixture.store.record(&[refused, outcome(id, &claim, Status::Success)]).await.unwrap();
    assert_eq!(recorded, [Recorded::Discarded, Recorded::Stands]);
    assert_eq!(fixture.status(task).await, "ready");
    assert_eq!(fixture.status(by_hand).await, "doing");
}

pub async fn a_deleted_tasks_outcome_is_recorded(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let claim = run_of(task, at(10));
    let id = fixture.won(&claim).await;
    fixture.store.delete(task).await.unwrap();
    assert!(fixture.record(&outcome(id, &claim, Status::Success)).await);
    assert_eq!(fixture.execution(id).await.status, "success");
}

pub async fn any_text_comes_back_as_it_was(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let control: String = (1_u8..0x20).chain([0x7f]).map(char::from).collect();
    let texts = [
        "🦀 \u{202e} 任务 \u{10ffff}".to_owned(),
        r#"'"`\ \' \" \\ %_ -- /* ; ?1 :a $1"#.to_owned(),
        format!("{{\"err\":\"{control}\"}}"),
        "ß".repeat(4_096),
        " leading and trailing ".to_owned(),
        String::new(),
        "1e999".to_owned(),
        "null".to_owned(),
        r#"{"a":[1,2.50,true,null]}"#.to_owned(),
    ];
    for (n, text) in texts.into_iter().enumerate() {
        let secs = i64::try_from(n).unwrap() * 100;
        let mut missed = note_of(task, at(secs), Status::Missed);
        missed.entries[0].extra.clone_from(&text);
        fixture.claim(&missed).await;
        assert_eq!(fixture.executions().await.pop().unwrap().extra, text);
        let claim = run_of(task, at(secs + 50));
        let id = fixture.won(&claim).await;
        fixture.record(&Outcome { extra: text.clone(), ..outcome(id, &claim, Status::Fail) }).await;
        assert_eq!(fixture.execution(id).await.extra, text);
    }
}

pub async fn our_own_writing_is_no_edit(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let before = fixture.backdate(task).await;
    let claim = run_of(task, at(10));
    let id = fixture.won(&claim).await;
    assert_eq!(
        (fixture.status(task).await.as_str(), fixture.row(task).await.updated_at),
        ("doing", before)
    );
    fixture.record(&outcome(id, &claim, Status::Success)).await;
    assert_eq!(
        (fixture.status(task).await.as_str(), fixture.row(task).await.updated_at),
        ("ready", before)
    );
    fixture.won(&run_of(task, at(20))).await;
    let before = fixture.backdate(task).await;
    assert_eq!(fixture.reap(&[]).await.lost.len(), 1);
    assert_eq!(
        (fixture.status(task).await.as_str(), fixture.row(task).await.updated_at),
        ("ready", before)
    );
}
