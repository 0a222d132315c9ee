//! Rows, edits and what becomes of fires.

use std::time::Duration;

use scheduler_core::{
    plan::execution::Status,
    testing::{Act, Harness, Row},
};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_fixed_time_in_the_gap_of_a_dst_night_runs_once_right_after_it() {
    let mut night = Harness::new("2026-03-28 12:00:00", "Europe/London");
    night.insert(Row::cron("report", "quick", "30 1 * * *"));
    night.advance_to("2026-03-30 12:00:00");
    night.check("report", &["2026-03-29 02:00:00 success", "2026-03-30 01:30:00 success"]);
    assert_eq!(night.executions("report")[0].scheduled_at, crate::at("2026-03-29T01:00:00Z"));
}

#[test]
fn a_fixed_time_in_the_overlap_runs_once_and_a_wildcard_runs_twice() {
    let mut night = Harness::new("2026-10-24 12:00:00", "Europe/London");
    night.insert(Row::cron("fixed", "quick", "30 1 * * *"));
    night.insert(Row::cron("hourly", "quick", "30 * * * *"));
    night.advance_to("2026-10-25 03:00:00");
    night.check("fixed", &["01:30:00 success"]);
    let between = crate::at("2026-10-25T00:00:00Z")..crate::at("2026-10-25T02:00:00Z");
    let hourly = night.executions("hourly");
    let twice = hourly.iter().filter(|execution| between.contains(&execution.scheduled_at));
    assert_eq!(twice.count(), 2);
}

#[test]
fn a_missed_hour_is_one_row_and_the_schedule_goes_on() {
    let mut scheduler = Harness::new("2026-01-01 12:00:00", "UTC");
    scheduler.insert(Row::cron("often", "quick", "*/10 * * * *"));
    scheduler.advance_to("2026-01-01 12:10:00");
    scheduler.crash();
    scheduler.advance_to("2026-01-01 13:15:00");
    scheduler.restart();
    scheduler.advance_to("2026-01-01 13:20:00");
    scheduler.check("often", &["12:10:00 success", "13:10:00 missed", "13:20:00 success"]);
    let missed = &scheduler.executions("often")[1];
    assert_eq!(missed.extra["count"], 6);
    assert!(missed.reason.as_ref().is_some_and(|reason| reason.contains("misfire_grace_time")));
}

#[test]
fn a_fire_whose_task_still_runs_is_skipped() {
    let mut scheduler = Harness::new("2026-01-01 12:00:00", "UTC");
    scheduler.insert(Row::interval("minute", "sleeper", "60").args("90"));
    scheduler.advance(5 * MINUTE);
    scheduler.check(
        "minute",
        &[
            "12:01:00 success",
            "12:02:00 skipped",
            "12:03:00 success",
            "12:04:00 skipped",
            "12:05:00 todo",
        ],
    );
    let first = &scheduler.executions("minute")[0];
    assert_eq!(first.finished_at, Some(crate::at("2026-01-01T12:02:30Z")));
}

#[test]
fn a_row_that_does_not_parse_is_rejected_with_the_reason_and_harms_no_other() {
    let mut scheduler = Harness::new("2026-01-01 12:00:00", "UTC");
    scheduler.insert(Row::cron("bad", "quick", "61 * * * *"));
    scheduler.insert(Row::interval("good", "quick", "60"));
    scheduler.advance(MINUTE);
    scheduler.check("bad", &[]);
    scheduler.check("good", &["12:01:00 success"]);
    let rejection = scheduler.rejection("bad").unwrap_or_default();
    assert!(rejection.starts_with("task 1 \"bad\": spec \"61 * * * *\": minute"), "{rejection}");
    assert_eq!(scheduler.rejection("good"), None);
}

#[test]
fn an_edit_takes_effect_within_ten_seconds_and_not_at_once() {
    let mut scheduler = Harness::new("2026-01-01 12:00:00", "UTC");
    scheduler.insert(Row::cron("edited", "quick", "0 0 1 1 *"));
    scheduler.advance(Duration::from_secs(3_605));
    scheduler.set_spec("edited", "* * * * * *");
    scheduler.advance(Duration::from_secs(20));
    let first = scheduler.executions("edited")[0].scheduled_at;
    assert!(first > crate::at("2026-01-01T13:00:05Z"), "{first}");
    assert!(first <= crate::at("2026-01-01T13:00:16Z"), "{first}");
    scheduler.disable("edited");
    let before = scheduler.executions("edited").len();
    scheduler.advance(MINUTE);
    assert_eq!(scheduler.executions("edited").len(), before, "no claim after the edit");
}

#[test]
fn a_deleted_row_fires_no_more() {
    let mut scheduler = Harness::new("2026-01-01 12:00:00", "UTC");
    scheduler.insert(Row::interval("gone", "quick", "60"));
    scheduler.insert(Row::interval("stays", "quick", "60"));
    scheduler.advance(MINUTE);
    scheduler.delete("gone");
    scheduler.advance(MINUTE);
    scheduler.check("stays", &["12:01:00 success", "12:02:00 success"]);
    scheduler.check("gone", &["12:01:00 success"]);
}

#[test]
fn a_manual_run_runs_beside_the_schedule() {
    let mut scheduler = Harness::new("2026-01-01 12:00:00", "UTC");
    scheduler.insert(Row::cron("daily", "quick", "@daily"));
    scheduler.advance(MINUTE);
    scheduler.trigger("daily");
    scheduler.advance(MINUTE);
    let [manual] = &scheduler.executions("daily")[..] else { panic!("one run") };
    assert_eq!((manual.status, manual.source.as_str()), (Status::Success, "manual"));
}

#[test]
fn a_manual_run_may_have_arguments_of_its_own() {
    let mut scheduler = Harness::new("2026-01-01 12:00:00", "UTC");
    scheduler.insert(Row::cron("daily", "sleeper", "@daily").args("3600"));
    scheduler.advance(MINUTE);
    scheduler.trigger_with("daily", "5");
    scheduler.advance(MINUTE);
    let [manual] = &scheduler.executions("daily")[..] else { panic!("one run") };
    assert_eq!((manual.status, &manual.extra["with_args"]), (Status::Success, &"5".into()));
}

#[test]
fn what_a_job_notes_is_in_its_execution() {
    let mut scheduler = Harness::new("2026-01-01 12:00:00", "UTC");
    scheduler.insert(Row::interval("noted", "quick", "60"));
    scheduler.insert(Row::interval("slow", "sleeper", "60").args("30"));
    scheduler.advance(MINUTE + Duration::from_secs(12));
    assert_eq!(scheduler.executions("noted")[0].extra["key"], "noted");
    let slow = &scheduler.executions("slow")[0];
    assert_eq!((slow.status, &slow.extra["progress"]["total"]), (Status::Todo, &30.into()));
}

#[test]
fn settings_of_the_scheduler_are_those_of_common_toml() {
    let harness = Harness::new("2026-01-01 12:00:00", "UTC");
    let mut scheduler = harness.common(|common| common.coalesce = false);
    scheduler.insert(Row::interval("ten", "quick", "10"));
    scheduler.next_run("ten", Act::Takes(Duration::from_secs(1)));
    scheduler.advance(Duration::from_secs(10));
    scheduler.crash();
    scheduler.advance(Duration::from_secs(25));
    scheduler.restart();
    scheduler.advance(Duration::from_secs(1));
    // With coalescing the older of the two would be `missed`.
    scheduler.check("ten", &["12:00:10 todo", "12:00:20 skipped", "12:00:30 skipped"]);
}

#[test]
#[should_panic(expected = "12:01:00 success")]
fn a_check_that_does_not_hold_shows_what_was_found() {
    let mut scheduler = Harness::new("2026-01-01 12:00:00", "UTC");
    scheduler.insert(Row::interval("minute", "quick", "60"));
    scheduler.advance(MINUTE);
    scheduler.check("minute", &["12:01:00 fail"]);
}

#[test]
#[should_panic(expected = "executions of \"minute\"")]
fn a_line_is_compared_by_whole_words() {
    let mut scheduler = Harness::new("2026-01-01 12:00:00", "UTC");
    scheduler.insert(Row::interval("minute", "quick", "60"));
    scheduler.advance(MINUTE);
    scheduler.check("minute", &["1:00 success"]);
}

#[test]
fn the_timeline_says_what_happened_when() {
    let mut scheduler = Harness::new("2026-03-29 00:50:00", "Europe/London");
    scheduler
        .insert(Row::interval("flaky", "flaky", "600").extra(r#"{"retries": 1, "backoff": 20}"#));
    scheduler.insert(Row::cron("bad", "quikc", "* * * * *"));
    scheduler.advance_to("2026-03-29 02:01:00");
    let told = format!("{scheduler:?}");
    for line in [
        "what happened (times in Europe/London):",
        "2026-03-29 00:50:00  \"flaky\": inserted, \"interval\" \"600\"",
        "2026-03-29 00:50:00  REJECTED task 2 \"bad\": execute_func \"quikc\" is not a known job",
        "2026-03-29 02:00:00  \"flaky\": run 1 begins, for 2026-03-29 02:00:00",
        "2026-03-29 02:00:00  run 1 came back: attempt 1 fails",
        "run 1 is recorded fail: attempt 1 fails, tried again at 2026-03-29 02:00:2",
        "run 2 begins, for 2026-03-29 02:00:00, attempt 2",
    ] {
        assert!(told.contains(line), "{line:?} is not in {told}");
    }
}

#[test]
#[should_panic(expected = "timezone")]
fn a_setting_outside_its_range_is_a_mistake_of_the_test() {
    let harness = Harness::new("2026-01-01 12:00:00", "UTC");
    let mut scheduler = harness.common(|common| common.timezone = "Europe/Londn".to_owned());
    scheduler.advance(MINUTE);
}

#[test]
#[should_panic(expected = "REJECTED task 1 \"typo\": execute_func \"quikc\"")]
fn a_check_of_a_rejected_row_says_so_at_once() {
    let mut scheduler = Harness::new("2026-01-01 12:00:00", "UTC");
    scheduler.insert(Row::interval("typo", "quikc", "60"));
    scheduler.advance(MINUTE);
    scheduler.check("typo", &["12:01:00 success"]);
}
