//! Faults to order.

use std::time::Duration;

use chrono::TimeDelta;
use scheduler_core::{
    plan::execution::Status,
    testing::{Act, Harness, Row, StoreFault},
};

const MINUTE: Duration = Duration::from_secs(60);

fn every_minute(extra: &str) -> Harness {
    let mut scheduler = Harness::new("2026-01-01 12:00:00", "UTC");
    scheduler.insert(Row::interval("minute", "quick", "60").extra(extra));
    scheduler
}

#[test]
fn a_panic_and_an_error_fail_one_run_with_their_text() {
    let mut scheduler = every_minute("{}");
    scheduler.next_run("minute", Act::panics("slipped"));
    scheduler.advance(MINUTE);
    scheduler.next_run("minute", Act::fails("refused"));
    scheduler.advance(2 * MINUTE);
    scheduler.check("minute", &["12:01:00 fail", "12:02:00 fail", "12:03:00 success"]);
    let reasons: Vec<_> =
        scheduler.executions("minute").into_iter().map(|execution| execution.reason).collect();
    assert_eq!(reasons, [Some("panicked: slipped".into()), Some("refused".into()), None]);
}

#[test]
fn a_run_that_hangs_is_ended_by_its_time_out_and_tried_again() {
    let mut scheduler = every_minute(r#"{"timeout": "20s", "retries": 1, "backoff": "5s"}"#);
    scheduler.next_run("minute", Act::Hangs);
    scheduler.advance(MINUTE);
    scheduler.check("minute", &["12:01:00 todo"]);
    scheduler.run_until_idle();
    scheduler.check("minute", &["12:01:00 timeout", "12:01:00 success attempt 2"]);
    let retry = &scheduler.executions("minute")[1];
    let began = retry.started_at.expect("it ran");
    assert!(began >= crate::at("2026-01-01T12:01:25Z"), "{began}");
}

#[test]
fn a_claim_that_fails_or_whose_answer_is_lost_runs_once() {
    for fault in [StoreFault::Fails, StoreFault::LosesAnswer] {
        let mut scheduler = every_minute("{}");
        scheduler.next_claim(fault);
        scheduler.advance(MINUTE + Duration::from_secs(10));
        scheduler.check("minute", &["12:01:00 success"]);
    }
}

#[test]
fn an_outcome_that_is_not_recorded_at_once_is_recorded_later_and_once() {
    for fault in [StoreFault::Fails, StoreFault::LosesAnswer] {
        let mut scheduler = every_minute(r#"{"retries": 1, "backoff": "5s"}"#);
        scheduler.next_run("minute", Act::fails("no"));
        scheduler.next_record(fault);
        scheduler.advance(MINUTE + Duration::from_secs(20));
        scheduler.check("minute", &["12:01:00 fail", "12:01:00 success attempt 2"]);
    }
}

#[test]
fn an_outage_is_survived_and_what_was_due_in_it_is_accounted() {
    let mut scheduler = every_minute("{}");
    scheduler.advance(MINUTE);
    scheduler.database_down();
    scheduler.advance(5 * MINUTE);
    scheduler.check("minute", &["12:01:00 success"]);
    scheduler.database_up();
    scheduler.advance(Duration::from_secs(30));
    scheduler.check("minute", &["12:01:00 success", "12:05:00 missed", "12:06:00 success"]);
    assert_eq!(scheduler.executions("minute")[1].extra["count"], 4);
}

#[test]
fn a_crash_loses_what_ran_and_a_job_that_asked_for_it_is_tried_again() {
    for (extra, expected) in [
        ("{}", &["12:01:00 lost", "12:02:00 success"][..]),
        (
            r#"{"on_lost": "retry"}"#,
            &["12:01:00 lost", "12:01:00 success attempt 2", "12:02:00 success"],
        ),
    ] {
        let mut scheduler = every_minute(extra);
        scheduler.next_run("minute", Act::Takes(Duration::from_secs(30)));
        scheduler.advance(MINUTE);
        scheduler.crash();
        scheduler.restart();
        scheduler.advance(MINUTE);
        scheduler.check("minute", expected);
    }
}

#[test]
fn a_stop_lets_a_job_end_that_listens_and_cuts_one_that_does_not() {
    let mut scheduler = Harness::new("2026-01-01 12:00:00", "UTC");
    scheduler.insert(Row::interval("listens", "sleeper", "60").args("30"));
    scheduler.insert(Row::interval("hangs", "quick", "60"));
    scheduler.next_run("hangs", Act::Hangs);
    scheduler.advance(MINUTE + Duration::from_secs(3));
    scheduler.stop();
    scheduler.check("listens", &["12:01:00 fail"]);
    assert_eq!(scheduler.executions("listens")[0].reason.as_deref(), Some("stopped after 3 s"));
    scheduler.check("hangs", &["12:01:00 cancelled"]);
    assert_eq!(scheduler.now(), crate::at("2026-01-01T12:01:13Z"), "the shutdown time-out");
    scheduler.advance(5 * MINUTE);
    scheduler.restart();
    scheduler.advance_to("2026-01-01 12:07:00");
    assert_eq!(scheduler.executions("hangs").last().map(|last| last.status), Some(Status::Success));
}

#[test]
fn a_clock_that_jumps_back_repeats_nothing_and_one_that_jumps_forward_misses_what_lies_between() {
    let mut scheduler = every_minute("{}");
    scheduler.advance(2 * MINUTE);
    scheduler.jump_clock(TimeDelta::seconds(-90));
    scheduler.advance(MINUTE);
    scheduler.check("minute", &["12:01:00 success", "12:02:00 success"]);
    scheduler.jump_clock(TimeDelta::minutes(10));
    scheduler.check(
        "minute",
        &["12:01:00 success", "12:02:00 success", "12:10:00 missed", "12:11:00 success"],
    );
}

#[test]
#[should_panic(expected = "run 1 of \"minute\" has not ended after 6 h")]
fn a_run_that_never_ends_is_not_waited_for_without_end() {
    let mut scheduler = every_minute("{}");
    scheduler.next_run("minute", Act::Hangs);
    scheduler.advance(MINUTE);
    scheduler.run_until_idle();
}

#[test]
#[should_panic(expected = "while the database is down")]
fn an_outage_is_not_waited_out() {
    let mut scheduler = every_minute("{}");
    scheduler.advance(MINUTE);
    scheduler.database_down();
    scheduler.run_until_idle();
}

#[test]
fn a_retry_whose_claim_fails_is_claimed_again_soon() {
    let mut scheduler = every_minute(r#"{"retries": 1, "backoff": "2s"}"#);
    scheduler.next_run("minute", Act::fails("no"));
    scheduler.advance(MINUTE);
    scheduler.next_claim(StoreFault::Fails);
    scheduler.run_until_idle();
    scheduler.check("minute", &["12:01:00 fail", "12:01:00 success attempt 2"]);
    let began = scheduler.executions("minute")[1].started_at.expect("it ran");
    assert!(began <= crate::at("2026-01-01T12:01:08Z"), "{began}: not only with the next reading");
}

#[test]
fn two_acts_hold_for_two_runs() {
    let mut scheduler = every_minute("{}");
    scheduler.next_run("minute", Act::fails("one"));
    scheduler.next_run("minute", Act::fails("two"));
    scheduler.advance(3 * MINUTE);
    scheduler.check("minute", &["12:01:00 fail", "12:02:00 fail", "12:03:00 success"]);
}

#[test]
#[should_panic(expected = "no row has the task_key \"minuet\"")]
fn an_act_for_a_row_that_is_not_there_is_a_mistake_of_the_test() {
    every_minute("{}").every_run("minuet", Act::Hangs);
}

#[test]
#[should_panic(expected = "the scheduler runs")]
fn a_scheduler_that_runs_is_not_restarted() {
    let mut scheduler = every_minute("{}");
    scheduler.restart();
}

#[test]
#[should_panic(expected = "always something runs or waits")]
fn what_never_becomes_idle_is_not_followed_without_end() {
    let mut scheduler = Harness::new("2026-01-01 12:00:00", "UTC");
    let extra = r#"{"retries": 3, "backoff": "10s"}"#;
    scheduler.insert(Row::interval("often", "quick", "5").extra(extra));
    scheduler.every_run("often", Act::fails("always"));
    scheduler.advance(MINUTE);
    scheduler.run_until_idle();
}

#[test]
fn an_outage_longer_than_the_lease_is_survived_however_the_test_advances() {
    for step in [Duration::from_secs(390), Duration::from_secs(10)] {
        let mut scheduler = Harness::new("2026-01-01 12:00:00", "UTC");
        scheduler.insert(Row::cron("often", "quick", "*/5 * * * *"));
        scheduler.advance_to("2026-01-01 12:04:00");
        scheduler.database_down();
        scheduler.advance_to("2026-01-01 12:05:30");
        scheduler.database_up();
        while scheduler.now() < crate::at("2026-01-01T12:12:00Z") {
            scheduler.advance(step);
        }
        scheduler.check("often", &["12:05:00 success", "12:10:00 success"]);
    }
}

#[test]
fn what_a_crash_left_open_is_not_idle() {
    let mut scheduler = every_minute(r#"{"on_lost": "retry"}"#);
    scheduler.next_run("minute", Act::Takes(Duration::from_secs(30)));
    scheduler.advance(MINUTE);
    scheduler.crash();
    scheduler.disable("minute");
    scheduler.restart();
    scheduler.run_until_idle();
    scheduler.check("minute", &["12:01:00 lost", "12:01:00 cancelled attempt 2"]);
}
