use chrono::TimeDelta;

use super::*;
use crate::plan::{
    claim::{Claim, Entry, Origin, Verdict},
    execution::Status,
    node::{Failure, Settled},
};

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
}

fn claim(origin: Origin) -> Claim {
    let entry = Entry {
        scheduled_at: at(10),
        trace_id: "t".into(),
        status: Status::Todo,
        attempt: 1,
        extra: "{}".to_owned(),
    };
    Claim { task_id: 1, spec: "1".into(), first: at(10), limit: None, origin, entries: vec![entry] }
}

fn run(execution_id: ExecutionId) -> Run {
    Run {
        execution_id,
        task_id: 1,
        task_key: "key".into(),
        job: "job".into(),
        args: "hunter2".into(),
        trace_id: "t".into(),
        extra: "{}".to_owned(),
        scheduled_at: at(10),
        attempt: 1,
        timeout: None,
        term: 1,
    }
}

fn outcome(execution_id: ExecutionId, started_at: Option<DateTime<Utc>>) -> Outcome {
    Outcome {
        execution_id,
        task_id: 1,
        trace_id: "t".into(),
        status: Status::Success,
        extra: "{}".to_owned(),
        started_at,
        finished_at: at(20),
        retry: None,
    }
}

fn recorded(execution_id: ExecutionId, recorded: Recorded) -> Event {
    Event::Recorded(vec![outcome(execution_id, Some(at(11)))], Ok(vec![recorded]))
}

/// Runs that are won and begin.
fn begun(origin: Origin, execution_id: ExecutionId) -> Runs {
    let mut runs = Runs::default();
    let won = Event::Claimed(vec![claim(origin)], Ok(vec![Verdict::Won(Some(execution_id))]));
    assert!(runs.heard(&won).is_empty());
    runs.started(&[run(execution_id)]);
    runs
}

#[test]
fn a_run_is_over_when_its_outcome_stands_or_cannot_any_more_and_not_before() {
    for (answer, is_discarded) in [(Recorded::Stands, false), (Recorded::Discarded, true)] {
        let mut runs = begun(Origin::Schedule, 7);
        let refused = Failure::NotApplied("away".to_owned());
        let failed = Event::Recorded(vec![outcome(7, Some(at(11)))], Err(refused));
        assert!(runs.heard(&failed).is_empty(), "it is recorded later");
        assert!(runs.heard(&recorded(7, Recorded::Locked)).is_empty(), "it is recorded later");
        let ended = runs.heard(&recorded(7, answer));
        assert_eq!(ended.len(), 1);
        assert_eq!((ended[0].started_at, ended[0].is_discarded), (at(11), is_discarded));
        assert!(runs.heard(&recorded(7, answer)).is_empty(), "once");
        assert!(runs.open.is_empty() && runs.sources.is_empty(), "{runs:?}");
    }
}

#[test]
fn what_asked_for_a_run_is_known_also_of_a_claim_that_was_settled() {
    for (origin, source) in [
        (Origin::Schedule, Source::Schedule),
        (Origin::Request(1), Source::Manual),
        (Origin::Retry, Source::Retry),
    ] {
        let ended = begun(origin, 7).heard(&recorded(7, Recorded::Stands));
        assert_eq!(ended[0].began.source, source);
        let mut runs = Runs::default();
        runs.heard(&Event::Settled(vec![claim(origin)], Ok(vec![Settled::Written(Some(8))])));
        runs.started(&[run(8)]);
        assert_eq!(runs.heard(&recorded(8, Recorded::Stands))[0].began.source, source);
    }
}

#[test]
fn what_ran_nothing_is_no_run_and_leaves_nothing_behind() {
    let mut never_began = begun(Origin::Schedule, 7);
    let outcomes = Event::Recorded(vec![outcome(7, None)], Ok(vec![Recorded::Stands]));
    assert!(never_began.heard(&outcomes).is_empty());
    assert!(never_began.open.is_empty() && never_began.sources.is_empty(), "{never_began:?}");
    let mut never_started = Runs::default();
    never_started
        .heard(&Event::Claimed(vec![claim(Origin::Schedule)], Ok(vec![Verdict::Won(Some(7))])));
    assert!(never_started.heard(&recorded(7, Recorded::Stands)).is_empty());
    assert!(never_started.sources.is_empty(), "{never_started:?}");
}
