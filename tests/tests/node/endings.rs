//! How runs and the scheduler end.

use scheduler_core::store::{Author, Via};

use crate::world::*;

#[test]
fn an_error_stands_under_err_and_a_time_out_ends_the_run() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&with_extra(row("minute", "interval", "60"), r#"{"timeout": "20s"}"#));
    world.advance_to("2026-01-01T12:01:01Z");
    world.end(1, Err("outer: cause".to_owned()));
    world.advance_to("2026-01-01T12:02:19Z");
    world.check_history(&["12:01:00 fail", "12:02:00 todo"]);
    world.advance_to("2026-01-01T12:02:20Z");
    world.check_history(&["12:01:00 fail", "12:02:00 timeout"]);
    assert_eq!(world.extra(Status::Fail)["err"], "outer: cause");
    assert!(world.running.is_empty(), "the job was ended");
}

#[test]
fn no_run_ends_before_it_began() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&row("ten", "interval", "10"));
    world.advance_to("2026-01-01T12:00:10Z");
    let (started, _) = world.running.remove(&1).expect("it runs");
    let ended = ended(1, started, started - TimeDelta::milliseconds(1), Ok(()));
    world.send(Event::Ended(vec![ended]));
    let row = world.rows().remove(0);
    assert_eq!(row.finished_at, row.started_at);
}

#[test]
fn a_stop_waits_for_what_runs_and_claims_nothing_more() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&with_extra(row("second", "interval", "1"), r#"{"overlap": "allow"}"#));
    world.advance_to("2026-01-01T12:00:02Z");
    assert!(!world.jobs_were_told);
    world.send(Event::Stop);
    assert!(world.jobs_were_told);
    world.advance_to("2026-01-01T12:00:05Z");
    assert!(!world.has_left);
    world.end(1, Ok(()));
    world.end(2, Ok(()));
    assert!(world.has_left);
    world.check_history(&["12:00:01 success", "12:00:02 success"]);
}

#[test]
fn what_still_runs_at_the_end_of_the_shutdown_time_is_cancelled() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&row("minute", "interval", "60"));
    world.advance_to("2026-01-01T12:01:00Z");
    world.send(Event::Stop);
    world.advance_to("2026-01-01T12:01:09.999Z");
    assert!(!world.has_left);
    world.advance_to("2026-01-01T12:01:10Z");
    assert!(world.has_left);
    world.check_history(&["12:01:00 cancelled"]);
    assert_eq!(wait(world.store.read()).unwrap().rows[0].status.as_deref(), Ok("ready"));
}

#[test]
fn a_node_that_stops_renews_its_lease_while_its_jobs_still_run() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&row("minute", "interval", "60"));
    world.advance_to("2026-01-01T12:01:05Z");
    world.send(Event::Stop);
    // Renewals come every 10 s, and the jobs get 10 s.
    world.advance_to("2026-01-01T12:01:14Z");
    assert!(!world.has_left && !world.running.is_empty());
    let nodes = wait(world.store.read()).unwrap().nodes;
    assert_eq!(nodes, [("a".to_owned(), Duration::from_secs(4))], "renewed at 12:01:10");
}

#[test]
fn a_stop_with_nothing_running_leaves_at_once() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("minute", "interval", "60"));
    world.advance_to("2026-01-01T12:00:01Z");
    world.send(Event::Stop);
    assert!(world.has_left);
}

#[test]
fn an_error_that_the_table_cannot_hold_is_stored_in_ascii_and_delays_no_other() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&row("one", "interval", "60"));
    world.add(&row("other", "interval", "60"));
    world.advance_to("2026-01-01T12:01:01Z");
    world.end(1, Err("数据 💥".to_owned()));
    world.end(2, Ok(()));
    world.advance_to("2026-01-01T12:01:10Z");
    world.check_history(&["12:01:00 fail", "12:01:00 success"]);
    assert_eq!(world.extra(Status::Fail)["err"], "数据 💥");
    assert!(world.rows().iter().all(|row| row.extra.is_ascii()));
}

#[test]
fn what_a_job_noted_stands_in_its_row_whatever_became_of_it() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&row("minute", "interval", "60"));
    let notes = || Notes::from_iter([("sent".to_owned(), 7.into())]);
    world.advance_to("2026-01-01T12:01:00Z");
    world.end_with_notes(1, Ok(()), notes());
    assert_eq!(world.extra(Status::Success)["sent"], 7);
    world.advance_to("2026-01-01T12:02:00Z");
    world.end_with_notes(2, Err("no answer".to_owned()), notes());
    let extra = world.extra(Status::Fail);
    assert_eq!((&extra["sent"], &extra["err"]), (&7.into(), &"no answer".into()));
}

#[test]
fn notes_of_running_jobs_are_written_every_5_s_and_only_while_one_runs() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&row("minute", "interval", "60"));
    world.advance_to("2026-01-01T12:00:59Z");
    assert!(world.notings.is_empty());
    world.advance_to("2026-01-01T12:01:14Z");
    let seconds: Vec<String> =
        world.notings.iter().map(|at| at.format("%M:%S").to_string()).collect();
    assert_eq!(seconds, ["01:00", "01:05", "01:10"]);
    world.end(1, Ok(()));
    world.advance_to("2026-01-01T12:01:40Z");
    assert_eq!(world.notings.len(), 3);
}

#[test]
fn what_a_job_noted_is_kept_when_its_end_came_before_its_time_out_was_recorded() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    (world.takes, world.jobs_block) = (None, true);
    world.add(&with_extra(row("minute", "interval", "60"), r#"{"timeout": "20s"}"#));
    world.advance_to("2026-01-01T12:01:19Z");
    world.database = Database::Unreachable;
    world.advance_to("2026-01-01T12:01:21Z");
    let notes = Notes::from_iter([("sent".to_owned(), 7.into())]);
    world.end_with_notes(1, Err("ended by the scheduler".to_owned()), notes);
    world.database = Database::Answers;
    world.advance_to("2026-01-01T12:01:30Z");
    let extra = world.extra(Status::Timeout);
    assert_eq!(extra["sent"], 7, "{extra}");
    let began = world.rows()[0].started_at;
    assert_eq!(began, Some(at("2026-01-01T12:01:00Z")));
}

#[test]
fn a_run_ends_when_somebody_wants_it_and_is_not_tried_again() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    let extra = r#"{"retries": 5, "on_lost": "retry"}"#;
    world.add(&with_extra(row("minute", "interval", "60"), extra));
    world.advance_to("2026-01-01T12:01:05Z");
    let ann = Author { name: "ann".to_owned(), via: Via::Page };
    wait(world.store.cancel_as(1, &ann)).unwrap();
    world.advance_to("2026-01-01T12:01:50Z");
    world.check_history(&["12:01:00 cancelled"]);
    let extra = world.extra(Status::Cancelled);
    assert_eq!(extra["reason"], "cancelled by \"ann\"");
    assert_eq!(extra["retry_at"], serde_json::Value::Null);
    // Its job is told once, and its task goes on.
    world.advance_to("2026-01-01T12:02:05Z");
    world.check_history(&["12:01:00 cancelled", "12:02:00 todo"]);
}

#[test]
fn a_run_of_another_node_is_left_to_it() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let task = world.add(&row("minute", "interval", "60"));
    world.advance_to("2026-01-01T12:00:59Z");
    world.run_elsewhere(task, "2026-01-01T12:01:00Z");
    wait(world.store.cancel_as(1, &Author::program())).unwrap();
    world.advance_to("2026-01-01T12:01:15Z");
    world.check_history(&["12:01:00 todo"]);
}
