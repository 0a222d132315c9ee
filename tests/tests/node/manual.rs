//! Manual runs.

use crate::world::*;

#[test]
fn a_manual_run_happens_once_and_waits_while_the_task_runs() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    let id = world.add(&row("hour", "interval", "3600"));
    world.advance_to("2026-01-01T12:00:11Z");
    wait(world.store.request_run(id, world.now.wall)).unwrap();
    world.advance_to("2026-01-01T12:00:12Z");
    wait(world.store.request_run(id, world.now.wall)).unwrap();
    world.advance_to("2026-01-01T12:00:40Z");
    world.check_history(&["12:00:11 todo"]);
    world.end(1, Ok(()));
    world.advance_to("2026-01-01T12:01:00Z");
    world.check_history(&["12:00:11 success", "12:00:12 todo"]);
    assert_eq!(world.rows()[0].source, "manual");
}

#[test]
fn a_manual_run_that_the_stop_kept_from_beginning_waits_on() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("hour", "interval", "3600"));
    world.advance_to("2026-01-01T12:00:11Z");
    wait(world.store.request_run(id, world.now.wall)).unwrap();
    world.holds = |call| matches!(call, Call::Claim(_));
    world.advance_to("2026-01-01T12:00:20Z");
    world.send(Event::Stop);
    let claimed = world.held.take().expect("the claim is committed");
    world.send(claimed);
    assert!(world.has_left);
    world.holds = |_| false;
    world.crash_and_restart();
    world.advance_to("2026-01-01T12:00:31Z");
    world.check_history(&["12:00:11 cancelled", "12:00:11 success"]);
}

#[test]
fn a_manual_run_does_not_hide_a_fire_that_was_due_before_it() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("minute", "interval", "60"));
    world.set_clock(at("2026-01-01T12:01:10Z"));
    wait(world.store.request_run(id, world.now.wall)).unwrap();
    world.send(Event::Tick);
    assert_eq!(world.history().len(), 2, "{:?}", world.history());
}

#[test]
fn a_manual_run_of_a_task_that_was_disabled_meanwhile_is_cancelled() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("hour", "interval", "3600"));
    world.advance_to("2026-01-01T12:00:11Z");
    wait(world.store.request_run(id, world.now.wall)).unwrap();
    wait(world.store.set_enabled(id, false)).unwrap();
    world.advance_to("2026-01-01T12:00:30Z");
    world.check_history(&["12:00:11 cancelled"]);
    assert_eq!(world.extra(Status::Cancelled)["reason"], "the task is disabled");
}

#[test]
fn a_manual_run_that_found_the_task_busy_does_not_skip_the_next_fire() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&with_extra(row("minute", "interval", "60"), "{}"));
    world.advance_to("2026-01-01T12:00:05Z");
    world.run_elsewhere(id, "2026-01-01T11:00:00Z");
    wait(world.store.request_run(id, world.now.wall)).unwrap();
    world.advance_to("2026-01-01T12:00:31Z");
    world.end_elsewhere();
    world.advance_to("2026-01-01T12:01:00Z");
    assert_eq!(world.history().last().unwrap(), "12:01:00 success", "{:?}", world.history());
}

#[test]
fn a_manual_run_after_whose_instant_there_is_no_other_waits_and_harms_no_other_task() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("hour", "interval", "3600"));
    let last = DateTime::from_timestamp_millis(DateTime::<Utc>::MAX_UTC.timestamp_millis());
    wait(world.store.request_run(id, last.unwrap())).unwrap();
    world.claim_elsewhere(id, &last.unwrap().to_rfc3339(), Origin::Schedule);
    world.end_elsewhere();
    world.add(&row("minute", "interval", "60"));
    world.advance_to("2026-01-01T12:01:00Z");
    world.check_history(&["23:59:59 success", "12:01:00 success"]);
    assert_eq!(wait(world.store.read()).unwrap().requests.len(), 1);
    assert!(world.claims < 10, "{} claims", world.claims);
}
