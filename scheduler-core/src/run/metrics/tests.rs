use chrono::TimeDelta;

use super::*;
use crate::plan::{claim::Entry, execution::Outcome, node::Settled, notes::Notes};

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
}

fn entry(second: i64, status: Status) -> Entry {
    Entry {
        scheduled_at: at(second),
        trace_id: "t".into(),
        status,
        attempt: 1,
        extra: "{}".to_owned(),
    }
}

fn claim(origin: Origin, entries: Vec<Entry>) -> Claim {
    Claim { task_id: 1, spec: "1".into(), first: at(10), limit: None, origin, entries }
}

/// A fire at this second, and what it came to.
fn fire(second: i64) -> Claim {
    claim(Origin::Schedule, vec![entry(second, Status::Todo)])
}

fn ended(execution_id: ExecutionId, started: i64, finished: i64) -> Ended {
    Ended {
        execution_id,
        started_at: Some(at(started)),
        finished_at: at(finished),
        result: Ok(()),
        notes: Notes::default(),
    }
}

fn outcome(execution_id: ExecutionId, status: Status) -> Outcome {
    Outcome {
        execution_id,
        task_id: 1,
        trace_id: "t".into(),
        status,
        extra: "{}".to_owned(),
        started_at: None,
        finished_at: at(20),
        retry: None,
    }
}

/// The lines of the series that are not 0, of all that were told `events`.
fn figures(events: &[Event]) -> Vec<String> {
    let metrics = Metrics::new("a");
    events.iter().for_each(|event| metrics.heard(event));
    assert!(metrics.instants().is_empty(), "{:?} is kept for ever", metrics.instants());
    let text = metrics.encode(&Survey::default(), false, Connections::default());
    let is_told = |line: &&str| {
        let counted =
            ["scheduler_executions", "scheduler_claims", "scheduler_start", "scheduler_run"];
        counted.iter().any(|name| line.starts_with(name)) && !line.contains("_bucket")
    };
    text.lines()
        .filter(is_told)
        .filter(|line| !line.ends_with(" 0") && !line.ends_with(" 0.0"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_run_is_counted_when_it_is_won_when_it_ends_and_when_it_is_recorded() {
    let missed = entry(5, Status::Missed);
    let coalesced = claim(Origin::Schedule, vec![missed, entry(10, Status::Todo)]);
    let events = [
        Event::Claimed(vec![coalesced], Ok(vec![Verdict::Won(Some(7))])),
        Event::Ended(vec![ended(7, 12, 15)]),
        Event::Recorded(vec![outcome(7, Status::Success)], Ok(vec![Recorded::Stands])),
    ];
    let expected = [
        "scheduler_executions_total{status=\"missed\"} 1",
        "scheduler_executions_total{status=\"success\"} 1",
        "scheduler_claims_total{answer=\"won\"} 1",
        "scheduler_start_delay_seconds_sum 2.0",
        "scheduler_start_delay_seconds_count 1",
        "scheduler_run_seconds_sum 3.0",
        "scheduler_run_seconds_count 1",
    ];
    let found = figures(&events);
    assert!(expected.iter().all(|line| found.iter().any(|found| found == line)), "{found:?}");
    assert_eq!(found.len(), expected.len(), "{found:?}");
}

#[test]
fn a_claim_of_unknown_fate_is_won_when_it_is_found_written() {
    let lost = Failure::Unknown("no answer".to_owned());
    let refused = Failure::NotApplied("deadlock".to_owned());
    let events = [
        Event::Claimed(vec![fire(10), fire(11)], Err(lost)),
        Event::Claimed(vec![fire(12)], Err(refused)),
        Event::Settled(
            vec![fire(10), fire(11)],
            Ok(vec![Settled::Written(Some(7)), Settled::NotWritten]),
        ),
        Event::Ended(vec![ended(7, 11, 11)]),
    ];
    let found = figures(&events);
    assert!(
        found.contains(&"scheduler_claims_total{answer=\"unknown\"} 2".to_owned()),
        "{found:?}"
    );
    assert!(found.contains(&"scheduler_claims_total{answer=\"failed\"} 1".to_owned()), "{found:?}");
    assert!(found.contains(&"scheduler_start_delay_seconds_sum 1.0".to_owned()), "{found:?}");
}

#[test]
fn of_manual_runs_and_retries_no_delay_is_told() {
    let events = [
        Event::Claimed(
            vec![
                claim(Origin::Request(1), vec![entry(1, Status::Todo)]),
                claim(Origin::Retry, vec![entry(2, Status::Todo)]),
            ],
            Ok(vec![Verdict::Won(Some(7)), Verdict::Won(Some(8))]),
        ),
        Event::Ended(vec![ended(7, 20, 20), ended(8, 20, 20)]),
    ];
    let found = figures(&events);
    assert!(found.contains(&"scheduler_run_seconds_count 2".to_owned()), "{found:?}");
    assert!(!found.iter().any(|line| line.contains("start_delay")), "{found:?}");
}

#[test]
fn a_run_that_never_began_and_an_outcome_that_does_not_stand_leave_nothing_behind() {
    let events = [
        Event::Claimed(vec![fire(10)], Ok(vec![Verdict::Won(Some(7))])),
        Event::Recorded(vec![outcome(7, Status::Lost)], Ok(vec![Recorded::Discarded])),
    ];
    assert_eq!(figures(&events), ["scheduler_claims_total{answer=\"won\"} 1"]);
}
