//! What becomes of a fire whose task still runs.

use crate::world::*;

#[test]
fn a_fire_whose_task_still_runs_is_skipped() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&row("five", "interval", "5"));
    world.advance_to("2026-01-01T12:00:11Z");
    world.check_history(&["12:00:05 todo", "12:00:10 skipped"]);
    world.end(1, Ok(()));
    world.advance_to("2026-01-01T12:00:15Z");
    world.check_history(&["12:00:05 success", "12:00:10 skipped", "12:00:15 todo"]);
}

#[test]
fn a_queued_fire_waits_for_the_run_and_is_not_late() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&with_extra(row("minute", "interval", "60"), r#"{"overlap": "queue"}"#));
    world.advance_to("2026-01-01T12:05:30Z");
    world.check_history(&["12:01:00 todo"]);
    world.end(1, Ok(()));
    world.check_history(&["12:01:00 success", "12:04:00 missed", "12:05:00 todo"]);
}

#[test]
fn an_allowed_overlap_runs_side_by_side_and_the_task_is_ready_after_the_last() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&with_extra(row("five", "interval", "5"), r#"{"max_instances": 2}"#));
    world.advance_to("2026-01-01T12:00:16Z");
    world.check_history(&["12:00:05 todo", "12:00:10 todo", "12:00:15 skipped"]);
    let status = |world: &World| wait(world.store.read()).unwrap().rows[0].status.clone().unwrap();
    world.end(1, Ok(()));
    assert_eq!(status(&world), "doing");
    world.end(2, Ok(()));
    assert_eq!(status(&world), "ready");
}

#[test]
fn a_job_that_blocks_its_thread_keeps_its_place_after_its_time_out() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    (world.takes, world.jobs_block) = (None, true);
    world.add(&with_extra(row("minute", "interval", "60"), r#"{"timeout": "20s"}"#));
    world.advance_to("2026-01-01T12:02:00Z");
    world.check_history(&["12:01:00 timeout", "12:02:00 skipped"]);
    world.end(1, Ok(()));
    world.advance_to("2026-01-01T12:03:00Z");
    world.check_history(&["12:01:00 timeout", "12:02:00 skipped", "12:03:00 todo"]);
    let is_discarded =
        |notice: &Notice| matches!(notice, Notice::Ending(Ending::OutcomeDiscarded { .. }));
    assert!(!world.notices.iter().any(is_discarded), "its late end is no second outcome");
}

#[test]
fn a_queued_fire_may_wait_longer_than_the_grace() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&with_extra(row("ten minutes", "interval", "600"), r#"{"overlap": "queue"}"#));
    world.advance_to("2026-01-01T12:25:00Z");
    world.end(1, Ok(()));
    world.check_history(&["12:10:00 success", "12:20:00 todo"]);
}

#[test]
fn a_fire_whose_task_runs_on_another_node_is_skipped_and_the_next_one_runs() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("minute", "interval", "60"));
    world.advance_to("2026-01-01T12:00:50Z");
    world.run_elsewhere(id, "2026-01-01T11:00:00Z");
    world.advance_to("2026-01-01T12:01:10Z");
    world.end_elsewhere();
    world.advance_to("2026-01-01T12:02:00Z");
    world.check_history(&["11:00:00 success", "12:01:00 skipped", "12:02:00 success"]);
}
