use chrono::TimeDelta;

use super::*;
use crate::plan::{
    claim::{Claim, Entry, Verdict},
    execution::Outcome,
    notes::Notes,
    task::{TaskError, TaskFault},
};

const LIMITS: Limits = Limits { failing: 3, late: Duration::from_secs(10), slow: 3 };

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
}

fn signs() -> Signs {
    Signs::new(&"node-1".into(), LIMITS)
}

/// Rule, subject and text of each; `over` before what is over.
fn told(signs: &[Sign]) -> Vec<String> {
    let tell = |sign: &Sign| {
        let over = if sign.is_over { "over " } else { "" };
        format!("{over}{} {}: {}", sign.subject.rule, sign.subject.about, sign.text)
    };
    signs.iter().map(tell).collect()
}

fn run(execution_id: ExecutionId, second: i64) -> Run {
    Run {
        execution_id,
        task_id: 1,
        task_key: "report".into(),
        job: "report".into(),
        args: "".into(),
        trace_id: "t".into(),
        extra: "{}".to_owned(),
        scheduled_at: at(second),
        attempt: 1,
        timeout: None,
        term: 1,
    }
}

fn won(origin: Origin, execution_id: ExecutionId, second: i64) -> Event {
    let entry = Entry {
        scheduled_at: at(second),
        trace_id: "t".into(),
        status: Status::Todo,
        attempt: 1,
        extra: "{}".to_owned(),
    };
    let claim = Claim {
        task_id: 1,
        spec: "1".into(),
        first: at(second),
        limit: None,
        origin,
        entries: vec![entry],
    };
    Event::Claimed(vec![claim], Ok(vec![Verdict::Won(Some(execution_id))]))
}

/// A run that began and ended at these seconds.
fn ran(signs: &mut Signs, execution_id: ExecutionId, began: i64, ended: i64) -> Vec<Sign> {
    signs.started(&[run(execution_id, began)], at(began));
    signs.heard(&Event::Ended(vec![Ended {
        execution_id,
        started_at: Some(at(began)),
        finished_at: at(ended),
        result: Ok(()),
        notes: Notes::default(),
    }]))
}

fn failed(status: Status, retry_at: Option<DateTime<Utc>>) -> Notice {
    Notice::Ending(Ending::RunFailed {
        task_key: "report".into(),
        execution_id: 7,
        trace_id: "abc".into(),
        status,
        reason: "no room".to_owned(),
        retry_at,
    })
}

fn passed(signs: &mut Signs, overdue: &[Overdue], now: DateTime<Utc>) -> Vec<Sign> {
    signs.passed(overdue, |_| false, |_| true, now)
}

fn says(signs: &mut Signs, notice: &Notice) -> Vec<String> {
    told(&signs.said(notice, |_| true, at(100)))
}

#[test]
fn a_task_that_another_node_runs_now_is_not_failing_here_any_more() {
    let mut signs = signs();
    signs.started(&[run(7, 100)], at(100));
    for _ in 0..3 {
        says(&mut signs, &failed(Status::Fail, None));
    }
    assert_eq!(passed(&mut signs, &[], at(130)), [], "it is its own still");
    let over = signs.passed(&[], |_| false, |_| false, at(160));
    assert_eq!(told(&over), ["over failing report: another node runs it now, and counts anew"]);
    assert_eq!(signs.passed(&[], |_| false, |_| false, at(190)), []);
    assert_eq!(says(&mut signs, &failed(Status::Fail, None)).len(), 1, "counted anew");
}

#[test]
fn a_run_that_failed_for_good_is_a_sign_and_one_that_is_tried_again_is_none() {
    let mut signs = signs();
    let text = "failed report: execution 7: fail: no room (trace abc)";
    assert_eq!(says(&mut signs, &failed(Status::Fail, None)), [text]);
    assert_eq!(says(&mut signs, &failed(Status::Fail, Some(at(110)))), [""; 0]);
    assert_eq!(says(&mut signs, &failed(Status::Cancelled, None)), [""; 0], "it was stopped");
}

#[test]
fn a_task_that_fails_again_and_again_is_failing_until_it_succeeds() {
    let mut signs = signs();
    let fails = |signs: &mut Signs| says(signs, &failed(Status::Timeout, None)).len();
    assert_eq!([fails(&mut signs), fails(&mut signs)], [1, 1]);
    let third = says(&mut signs, &failed(Status::Timeout, None));
    assert_eq!(
        third[1],
        "failing report: 3 times in a row, at last execution 7: timeout: no room (trace abc)"
    );
    let over = ran(&mut signs, 8, 100, 101);
    assert_eq!(told(&over), ["over failing report: execution 8 succeeded"]);
    assert_eq!(fails(&mut signs), 1, "counted anew");
}

#[test]
fn a_fire_that_did_not_run_is_a_sign_with_its_reason() {
    let mut signs = signs();
    let not_run = |status| {
        Notice::Ending(Ending::NotRun {
            task_key: "report".into(),
            status,
            scheduled_at: at(60),
            extra: r#"{"reason":"found too late"}"#.to_owned(),
        })
    };
    for (status, expected) in [
        (
            Status::Missed,
            vec!["missed report: the fire of 1970-01-01T00:01:00Z: missed: found too late"],
        ),
        (
            Status::Skipped,
            vec!["skipped report: the fire of 1970-01-01T00:01:00Z: skipped: found too late"],
        ),
        (
            Status::Lost,
            vec!["failed report: the fire of 1970-01-01T00:01:00Z: lost: found too late"],
        ),
        (Status::Cancelled, vec![]),
    ] {
        assert_eq!(says(&mut signs, &not_run(status)), expected);
    }
}

#[test]
fn of_many_missed_fires_the_sign_says_how_many() {
    let mut signs = signs();
    let extra = r#"{"reason":"found too late","count":7,"first":"2026-01-01T00:00:00Z","last":"2026-01-01T00:00:30Z"}"#;
    let ending = Ending::NotRun {
        task_key: "report".into(),
        status: Status::Missed,
        scheduled_at: at(60),
        extra: extra.to_owned(),
    };
    let text = "missed report: 7 fires from 2026-01-01T00:00:00Z to 2026-01-01T00:00:30Z: missed: found too late";
    assert_eq!(says(&mut signs, &Notice::Ending(ending)), [text]);
}

#[test]
fn a_fire_that_begins_late_is_a_sign_and_a_manual_run_never_is() {
    let mut signs = signs();
    signs.heard(&won(Origin::Schedule, 7, 100));
    signs.heard(&won(Origin::Schedule, 8, 100));
    signs.heard(&won(Origin::Request(1), 9, 100));
    assert_eq!(told(&signs.started(&[run(7, 100)], at(110))), [""; 0]);
    assert_eq!(
        told(&signs.started(&[run(8, 100), run(9, 100)], at(111))),
        ["late report: execution 8 began 11s late"]
    );
}

#[test]
fn a_run_is_slow_once_when_it_takes_much_longer_than_those_before() {
    let mut signs = signs();
    for execution in 1..=5 {
        ran(&mut signs, execution, 0, 40);
    }
    signs.started(&[run(6, 1_000)], at(1_000));
    assert_eq!(told(&passed(&mut signs, &[], at(1_120))), [""; 0], "three times as long");
    let text = "slow report: execution 6 runs for 2m1s already";
    assert_eq!(told(&passed(&mut signs, &[], at(1_121))), [text]);
    assert_eq!(told(&passed(&mut signs, &[], at(9_000))), [""; 0], "said already");
}

#[test]
fn a_run_is_not_slow_before_it_takes_a_minute_longer_nor_before_it_is_known_how_long_they_take() {
    let mut signs = signs();
    for execution in 1..=4 {
        ran(&mut signs, execution, 0, 1);
    }
    signs.started(&[run(6, 1_000)], at(1_000));
    assert_eq!(told(&passed(&mut signs, &[], at(5_000))), [""; 0], "four are too few");
    ran(&mut signs, 5, 0, 1);
    assert_eq!(told(&passed(&mut signs, &[], at(1_061))), [""; 0]);
    assert_eq!(passed(&mut signs, &[], at(1_062)).len(), 1);
}

#[test]
fn a_rejected_row_is_a_sign_on_its_own_node_until_it_is_mended() {
    let mut signs = signs();
    let error = TaskError {
        task_id: 5,
        label: "task 5".to_owned(),
        fault: TaskFault::Unreadable { column: "spec", fault: crate::plan::task::FieldFault::Null },
    };
    let rejected = Notice::Rejected(error);
    assert_eq!(told(&signs.said(&rejected, |_| false, at(1))), [""; 0]);
    assert_eq!(
        told(&signs.said(&rejected, |_| true, at(1))),
        ["rejected task 5: spec is NULL, expected text"]
    );
    assert_eq!(told(&signs.passed(&[], |task| task == 5, |_| true, at(2))), [""; 0], "it still is");
    let mended = "over rejected task 5: the row is no longer rejected";
    assert_eq!(told(&passed(&mut signs, &[], at(3))), [mended]);
    assert_eq!(told(&passed(&mut signs, &[], at(4))), [""; 0]);
}

#[test]
fn a_failing_task_that_is_switched_off_is_over_and_forgotten() {
    let mut signs = signs();
    for _ in 0..3 {
        says(&mut signs, &failed(Status::Fail, None));
    }
    let off = Notice::Disabled(1, "report".into());
    assert_eq!(
        says(&mut signs, &off),
        ["over failing report: the task is switched off or deleted"]
    );
    assert_eq!(says(&mut signs, &off), [""; 0]);
    assert!(signs.tasks.is_empty());
}

#[test]
fn the_health_of_a_node_is_told_under_its_name() {
    let mut signs = signs();
    let health = |signs: &mut Signs, health| says(signs, &Notice::Health(health));
    assert_eq!(
        health(&mut signs, Health::DatabaseTrouble("refused".to_owned())),
        ["database node-1: refused"]
    );
    assert_eq!(
        health(&mut signs, Health::DatabaseBack),
        ["over database node-1: the database answers again"]
    );
    assert_eq!(
        health(&mut signs, Health::ClockIsOff(TimeDelta::seconds(-5))),
        ["clock node-1: -5000 ms ahead of the database's: nothing is claimed"]
    );
    let lost = Ending::Lost {
        execution_id: 7,
        task_id: 5,
        node_id: Some("node-2".to_owned()),
        is_retried: true,
    };
    assert_eq!(
        says(&mut signs, &Notice::Ending(lost)),
        ["node_lost node-2: execution 7 of task 5 is lost, and is tried again"]
    );
}

#[test]
fn a_fire_that_is_overdue_is_told_once_and_the_next_one_again_until_there_is_none() {
    let mut signs = signs();
    let overdue = |last, new: Option<(u64, i64)>| {
        let new = new.map(|(fires, first)| (fires, at(first)));
        [Overdue { task_key: "report".into(), last: at(last), new }]
    };
    let first = "overdue report: the fire of 1970-01-01T00:01:00Z is not accounted for yet";
    assert_eq!(told(&passed(&mut signs, &overdue(60, Some((1, 60))), at(4_000))), [first]);
    assert_eq!(signs.told_overdue("report"), Some(at(60)));
    assert_eq!(told(&passed(&mut signs, &overdue(60, None), at(4_060))), [""; 0]);
    let next = "overdue report: 2 fires from 1970-01-01T00:02:00Z to 1970-01-01T00:03:00Z are not accounted for yet";
    assert_eq!(told(&passed(&mut signs, &overdue(180, Some((2, 120))), at(4_120))), [next]);
    assert_eq!(signs.told_overdue("report"), Some(at(180)));
    assert_eq!(
        told(&passed(&mut signs, &[], at(4_180))),
        ["over overdue report: no fire of it is overdue on this node any more"]
    );
}

#[test]
fn nothing_is_remembered_of_runs_that_are_over() {
    let mut signs = signs();
    signs.heard(&won(Origin::Schedule, 7, 100));
    ran(&mut signs, 7, 100, 101);
    signs.heard(&won(Origin::Schedule, 8, 100));
    let outcome = Outcome {
        execution_id: 8,
        task_id: 1,
        trace_id: "t".into(),
        status: Status::Lost,
        extra: "{}".to_owned(),
        started_at: None,
        finished_at: at(101),
        retry: None,
    };
    signs.heard(&Event::Recorded(vec![outcome], Ok(vec![])));
    assert!(signs.fires.is_empty() && signs.running.is_empty(), "{signs:?}");
}
