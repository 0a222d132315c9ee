//! What becomes of a run that did not succeed.

use crate::world::*;

/// A task every ten minutes whose runs end when the test says so.
fn ten_minutes(extra: &str) -> World {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&with_extra(row("ten minutes", "interval", "600"), extra));
    world.advance_to("2026-01-01T12:10:00Z");
    world
}

fn fail() -> Result<(), String> {
    Err("no answer".to_owned())
}

const TWO_RETRIES: &str = r#"{"retries": 2, "backoff": "10s..1m"}"#;
const RETRY_ON_LOST: &str = r#"{"on_lost": "retry"}"#;

/// `attempt status` of every execution of the fire at 12:10, in the order of their claims.
#[track_caller]
fn check_attempts(world: &World, expected: &[&str]) {
    let fire = Some(at("2026-01-01T12:10:00Z"));
    let rows = world.rows().into_iter().filter(|row| row.scheduled_at == fire);
    let attempts: Vec<String> = rows.map(|row| format!("{} {}", row.attempt, row.status)).collect();
    assert_eq!(attempts, expected, "notices: {:#?}", world.notices);
}

#[test]
fn a_failed_run_is_tried_again_after_each_backoff_until_its_retries_are_used_up() {
    let mut world = ten_minutes(TWO_RETRIES);
    world.end(1, fail());
    world.advance_to("2026-01-01T12:10:09.999Z");
    check_attempts(&world, &["1 fail"]);
    world.advance_to("2026-01-01T12:10:11Z");
    check_attempts(&world, &["1 fail", "2 todo"]);
    assert_eq!(world.running[&2].1.attempt, 2, "the job is told");
    world.end(2, fail());
    world.advance_to("2026-01-01T12:10:29.999Z");
    check_attempts(&world, &["1 fail", "2 fail"]);
    world.advance_to("2026-01-01T12:10:33Z");
    world.end(3, fail());
    world.advance_to("2026-01-01T12:19:59Z");
    check_attempts(&world, &["1 fail", "2 fail", "3 fail"]);
}

#[test]
fn a_retry_that_succeeds_is_the_last_and_the_row_before_it_says_when_it_came() {
    let mut world = ten_minutes(TWO_RETRIES);
    world.end(1, fail());
    world.advance_to("2026-01-01T12:10:11Z");
    world.end(2, Ok(()));
    world.advance_to("2026-01-01T12:19:59Z");
    check_attempts(&world, &["1 fail", "2 success"]);
    let extra = world.extra(Status::Fail);
    assert_eq!(extra["err"], "no answer");
    let retry_at = extra["retry_at"].as_str().unwrap();
    assert!(retry_at.starts_with("2026-01-01T12:10:1"), "{retry_at}");
    assert_eq!(world.rows()[1].source, "retry");
}

#[test]
fn without_retries_a_failure_is_the_end() {
    let mut world = ten_minutes("{}");
    world.end(1, fail());
    world.advance_to("2026-01-01T12:19:59Z");
    check_attempts(&world, &["1 fail"]);
    assert!(world.extra(Status::Fail).get("retry_at").is_none());
}

#[test]
fn a_run_that_timed_out_is_tried_again() {
    let mut world =
        ten_minutes(r#"{"retries": 1, "backoff": "10s", "timeout": "20s", "overlap": "skip"}"#);
    world.advance_to("2026-01-01T12:10:32Z");
    check_attempts(&world, &["1 timeout", "2 todo"]);
    world.advance_to("2026-01-01T12:19:59Z");
    check_attempts(&world, &["1 timeout", "2 timeout"]);
}

#[test]
fn a_retry_survives_a_crash() {
    let mut world = ten_minutes(TWO_RETRIES);
    world.end(1, fail());
    world.crash_and_restart();
    world.advance_to("2026-01-01T12:10:12Z");
    check_attempts(&world, &["1 fail", "2 todo"]);
}

#[test]
fn fires_go_on_while_a_retry_waits_and_the_retry_runs_between_them() {
    let mut world = ten_minutes(r#"{"retries": 1, "backoff": "15m"}"#);
    world.end(1, fail());
    world.advance_to("2026-01-01T12:20:01Z");
    world.end(2, Ok(()));
    world.advance_to("2026-01-01T12:26:40Z");
    world.check_history(&["12:10:00 fail", "12:20:00 success", "12:10:00 todo"]);
    world.end(3, Ok(()));
    world.advance_to("2026-01-01T12:30:00Z");
    assert_eq!(world.history().last().unwrap(), "12:30:00 todo", "the schedule is not moved");
}

#[test]
fn a_retry_waits_for_its_busy_task_and_is_never_too_late() {
    let mut world = ten_minutes(r#"{"retries": 1, "backoff": "10m", "misfire_grace_time": 1}"#);
    world.end(1, fail());
    world.advance_to("2026-01-01T12:29:00Z");
    world.check_history(&["12:10:00 fail", "12:20:00 todo"]);
    world.end(2, Ok(()));
    world.advance_to("2026-01-01T12:29:00.001Z");
    world.check_history(&["12:10:00 fail", "12:20:00 success", "12:10:00 todo"]);
}

#[test]
fn a_retry_of_a_task_that_was_disabled_is_recorded_cancelled() {
    let mut world = ten_minutes(TWO_RETRIES);
    world.end(1, fail());
    wait(world.store.set_enabled(1, false)).unwrap();
    world.advance_to("2026-01-01T12:11:00Z");
    check_attempts(&world, &["1 fail", "2 cancelled"]);
    assert_eq!(world.extra(Status::Cancelled)["reason"], "the task is disabled");
}

#[test]
fn a_failed_manual_run_is_tried_again_under_its_own_instant() {
    let mut world = ten_minutes(TWO_RETRIES);
    world.end(1, Ok(()));
    world.advance_to("2026-01-01T12:10:05Z");
    wait(world.store.request_run(1, world.now.wall)).unwrap();
    world.advance_to("2026-01-01T12:10:20Z");
    world.end(2, fail());
    world.advance_to("2026-01-01T12:10:32Z");
    let rows = world.rows();
    assert_eq!((rows[1].source.as_str(), rows[2].source.as_str()), ("manual", "retry"));
    assert_eq!(rows[1].scheduled_at, rows[2].scheduled_at);
}

#[test]
fn a_manual_run_and_its_retries_have_the_arguments_that_were_asked_for() {
    let mut world = ten_minutes(TWO_RETRIES);
    assert_eq!(world.args(1), "");
    world.end(1, Ok(()));
    world.advance_to("2026-01-01T12:10:05Z");
    let author = Author::program();
    wait(world.store.request_run_as(1, world.now.wall, Some("other"), &author)).unwrap();
    world.advance_to("2026-01-01T12:10:20Z");
    assert_eq!(world.args(2), "other");
    world.end(2, fail());
    // The node that tries again knows nothing but the tables.
    world.crash_and_restart();
    world.advance_to("2026-01-01T12:10:32Z");
    assert_eq!(world.args(3), "other");
    world.end(3, fail());
    world.advance_to("2026-01-01T12:11:00Z");
    assert_eq!(world.args(4), "other", "nor does one that recorded the failure itself lose them");
    world.end(4, Ok(()));
    assert_eq!(world.rows()[3].extra, r#"{"with_args":"other"}"#);
    world.advance_to("2026-01-01T12:20:00Z");
    assert_eq!(world.args(5), "", "the schedule runs with those of the row");
}

#[test]
fn a_failure_that_could_not_be_recorded_is_tried_again_after_it_is() {
    let mut world = ten_minutes(TWO_RETRIES);
    world.database = Database::Unreachable;
    world.end(1, fail());
    world.advance_to("2026-01-01T12:11:00Z");
    check_attempts(&world, &["1 todo"]);
    world.database = Database::Answers;
    world.advance_to("2026-01-01T12:11:15Z");
    check_attempts(&world, &["1 fail", "2 todo"]);
}

#[test]
fn an_outcome_whose_answer_was_lost_is_tried_again_once() {
    let mut world = ten_minutes(TWO_RETRIES);
    world.database = Database::LosesAnswers;
    world.end(1, fail());
    world.database = Database::Answers;
    world.advance_to("2026-01-01T12:10:20Z");
    check_attempts(&world, &["1 fail", "2 todo"]);
    world.end(2, Ok(()));
    world.advance_to("2026-01-01T12:19:59Z");
    check_attempts(&world, &["1 fail", "2 success"]);
}

#[test]
fn a_lost_run_is_tried_again_where_its_job_asked_for_it() {
    for (extra, expected) in
        [(RETRY_ON_LOST, &["1 lost", "2 todo"][..]), (TWO_RETRIES, &["1 lost"])]
    {
        let mut world = ten_minutes(extra);
        world.crash_and_restart();
        world.advance_to("2026-01-01T12:10:45Z");
        check_attempts(&world, expected);
    }
}

#[test]
fn a_run_that_crashes_its_node_is_tried_three_times_more_and_then_left() {
    let mut world = ten_minutes(RETRY_ON_LOST);
    let mut node = 0;
    for until in ["12:11:00", "12:12:00", "12:13:00", "12:14:00", "12:15:00"] {
        node += 1;
        world.crash_and_restart_as(["b", "c", "d", "e", "f"][node - 1]);
        world.advance_to(&format!("2026-01-01T{until}Z"));
    }
    check_attempts(&world, &["1 lost", "2 lost", "3 lost", "4 lost"]);
}

#[test]
fn a_run_that_the_stop_cut_waits_for_the_next_start_where_its_job_asked_for_it() {
    for (extra, waiting) in [(RETRY_ON_LOST, 1), (TWO_RETRIES, 0)] {
        let mut world = ten_minutes(extra);
        world.send(Event::Stop);
        world.advance_to("2026-01-01T12:10:10Z");
        assert!(world.has_left);
        check_attempts(&world, &["1 cancelled"]);
        assert_eq!(wait(world.store.read()).unwrap().requests.len(), waiting, "{extra}");
    }
}

#[test]
fn a_run_that_gives_up_when_told_to_stop_waits_for_the_next_start_too() {
    let mut world = ten_minutes(RETRY_ON_LOST);
    world.send(Event::Stop);
    world.end(1, Err("stopped before the report was sent".to_owned()));
    assert!(world.has_left);
    world.has_left = false;
    world.crash_and_restart();
    world.advance_to("2026-01-01T12:10:01Z");
    check_attempts(&world, &["1 fail", "2 todo"]);
}

#[test]
fn a_retry_that_a_reading_under_way_has_not_seen_comes_at_its_time() {
    let mut world = ten_minutes(r#"{"retries": 1, "backoff": "2s"}"#);
    world.holds = |call| matches!(call, Call::Read(_));
    world.advance_to("2026-01-01T12:10:12Z");
    world.end(1, fail());
    let reading = world.held.take().expect("a reading is under way since before the failure");
    world.send(reading);
    world.holds = |_| false;
    world.advance_to("2026-01-01T12:10:14.2Z");
    check_attempts(&world, &["1 fail", "2 todo"]);
}

#[test]
fn a_run_that_the_stop_kept_from_beginning_waits_for_the_next_start() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&with_extra(row("ten minutes", "interval", "600"), RETRY_ON_LOST));
    world.advance_to("2026-01-01T12:09:59Z");
    world.database = Database::LosesAnswers;
    world.advance_to("2026-01-01T12:10:00Z");
    // Claimed, but nobody here knows it yet.
    world.send(Event::Stop);
    world.database = Database::Answers;
    world.advance_to("2026-01-01T12:10:09Z");
    assert!(world.has_left);
    check_attempts(&world, &["1 cancelled"]);
    assert!(world.extra(Status::Cancelled)["retry_at"].is_string());
    assert_eq!(wait(world.store.read()).unwrap().requests.len(), 1);
}

#[test]
fn a_retry_that_the_stop_kept_from_beginning_waits_on() {
    let mut world = ten_minutes(r#"{"retries": 1, "backoff": "2s"}"#);
    world.end(1, fail());
    world.holds = |call| matches!(call, Call::Claim(_));
    world.advance_to("2026-01-01T12:10:02.3Z");
    world.send(Event::Stop);
    let claimed = world.held.take().expect("the claim is committed");
    world.send(claimed);
    assert!(world.has_left);
    check_attempts(&world, &["1 fail", "2 cancelled"]);
    world.holds = |_| false;
    world.has_left = false;
    world.crash_and_restart();
    world.advance_to("2026-01-01T12:15:00Z");
    check_attempts(&world, &["1 fail", "2 cancelled", "3 todo"]);
    world.end(3, fail());
    world.advance_to("2026-01-01T12:19:59Z");
    check_attempts(&world, &["1 fail", "2 cancelled", "3 fail"]);
}

#[test]
fn a_retry_that_could_not_be_claimed_is_asked_for_again_before_the_next_reading() {
    let mut world = ten_minutes(r#"{"retries": 1, "backoff": "2s"}"#);
    world.end(1, fail());
    world.database = Database::Unreachable;
    world.advance_to("2026-01-01T12:10:03Z");
    check_attempts(&world, &["1 fail"]);
    world.database = Database::Answers;
    // What fails alone is put off by 5 s; the reading comes at 12:10:10.
    world.advance_to("2026-01-01T12:10:08.5Z");
    check_attempts(&world, &["1 fail", "2 todo"]);
}

#[test]
fn a_retry_whose_task_runs_elsewhere_is_asked_for_again_every_second() {
    let mut world = ten_minutes(r#"{"retries": 1, "backoff": "2s"}"#);
    world.end(1, fail());
    world.run_elsewhere(1, "2026-01-01T11:00:00Z");
    world.advance_to("2026-01-01T12:10:05.5Z");
    world.end_elsewhere();
    world.advance_to("2026-01-01T12:10:06.6Z");
    check_attempts(&world, &["1 fail", "2 todo"]);
}

#[test]
fn a_retry_of_a_row_that_is_rejected_waits_until_it_is_mended() {
    let mut world = ten_minutes(r#"{"retries": 1, "backoff": "20s"}"#);
    world.end(1, fail());
    world.store.edit(1, |row| row.spec = Ok("never".to_owned()));
    world.advance_to("2026-01-01T12:15:00Z");
    check_attempts(&world, &["1 fail"]);
    world.store.edit(1, |row| row.spec = Ok("600".to_owned()));
    world.advance_to("2026-01-01T12:15:11Z");
    check_attempts(&world, &["1 fail", "2 todo"]);
}

#[test]
fn a_row_of_what_waits_that_cannot_be_read_is_said_once_until_it_is_mended() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    // What the node reads itself is not answered.
    world.holds = |call| matches!(call, Call::Read(_));
    let said = |world: &World| {
        let is_it = |notice: &&Notice| **notice == Notice::Unreadable("row 7".to_owned());
        world.notices.iter().filter(is_it).count()
    };
    let read = |world: &mut World, rows: &[&str]| {
        let unreadable = rows.iter().map(|row| (*row).to_owned()).collect();
        world.send(Event::Read(
            Seen::default(),
            Ok(Reading { unreadable, ..Reading::default() }.into()),
        ));
    };
    read(&mut world, &["row 7"]);
    read(&mut world, &["row 7", "row 8"]);
    assert_eq!(said(&world), 1);
    read(&mut world, &[]);
    read(&mut world, &["row 7"]);
    assert_eq!(said(&world), 2);
}

#[test]
fn a_retry_that_becomes_due_while_the_actions_are_performed_still_wakes() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    let extra = r#"{"retries": 1, "backoff": "3s"}"#;
    world.add(&with_extra(row("ten minutes", "interval", "600"), extra));
    world.advance_to("2026-01-01T12:10:00Z");
    world.end(1, Err("no".to_owned()));
    world.advance_to("2026-01-01T12:10:01Z");
    let due = wait(world.store.read()).unwrap().requests[0].due_at;
    world.advance_to(&(due - TimeDelta::milliseconds(1)).to_rfc3339());
    world.send(Event::Tick);
    world.now.mono += Duration::from_millis(1);
    world.set_clock(due);
    assert_eq!(world.node.wake_in(world.local()), Some(Duration::ZERO));
}
