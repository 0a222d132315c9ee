//! Claims of which nobody can tell what became.

use crate::world::*;

/// Of what is claimed from `before` to `due` the answers are lost, and what became of it cannot be asked.
fn lose_what_became_of_claims(world: &mut World, before: &str, due: &str) {
    world.advance_to(&format!("2026-01-01T{before}Z"));
    world.database = Database::LosesAnswers;
    world.advance_to(&format!("2026-01-01T{due}Z"));
    world.database = Database::Answers;
    world.refuses_settling = true;
}

fn with_a_claim_that_cannot_be_settled_and_a_second_to_stop() -> World {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let settings = Settings { shutdown_timeout: Duration::from_secs(1), ..Settings::default() };
    world.node = node_with("a", settings);
    world.add(&row("task", "interval", "60"));
    lose_what_became_of_claims(&mut world, "12:00:59", "12:01:00");
    world
}

#[test]
fn while_nobody_can_tell_what_became_of_one_claim_the_other_tasks_run() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let unsettled = world.add(&row("unsettled", "interval", "10"));
    lose_what_became_of_claims(&mut world, "12:00:09", "12:00:10");
    let free = world.add(&row("free", "interval", "1"));
    world.advance_to("2026-01-01T12:01:20.900Z");
    assert_eq!(world.history_of(unsettled), ["12:00:10 todo"]);
    let late = world.lateness_of(free);
    assert!(late.len() >= 59, "{} fires", late.len());
    assert!(late.iter().all(|late| *late <= 10), "{late:?} ms");
}

/// What is settled again every five seconds at most is not settled before a short stop is over.
#[test]
fn a_stop_settles_at_once_what_could_not_be_settled_before() {
    let mut world = with_a_claim_that_cannot_be_settled_and_a_second_to_stop();
    let mut calls = world.calls;
    world.advance_to("2026-01-01T12:01:30Z");
    // Just after a try.
    while world.calls == calls || world.node.wake_in(world.local()) < Some(Duration::from_secs(2)) {
        calls = world.calls;
        world.advance_to(&(world.now.wall + TimeDelta::milliseconds(50)).to_rfc3339());
        assert!(world.now.wall < at("2026-01-01T12:10:00Z"));
    }
    world.refuses_settling = false;
    world.send(Event::Stop);
    world.advance_to(&(world.now.wall + TimeDelta::seconds(4)).to_rfc3339());
    assert!(world.has_left);
    assert_eq!(world.history()[0], "12:01:00 cancelled");
}

/// Each try costs the whole deadline; what others succeed in makes the next one come soon.
#[test]
fn a_claim_whose_settling_goes_unanswered_leaves_others_most_of_the_time() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("unsettled", "interval", "10"));
    lose_what_became_of_claims(&mut world, "12:00:09", "12:00:10");
    world.failure_takes = TimeDelta::seconds(5);
    let free = world.add(&row("free", "interval", "1"));
    world.advance_to("2026-01-01T12:03:00.900Z");
    let late = world.lateness_of(free);
    assert!(late.len() >= 80, "{} runs of 170, {late:?} ms", late.len());
}

/// However long the settlements before it failed.
#[test]
fn a_settlement_that_fails_once_is_tried_again_soon() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let task = world.add(&row("task", "interval", "60"));
    for (minute, failing_until) in [(1, "12:01:50"), (2, "12:02:00.600")] {
        let (before, due) = (format!("12:0{}:59", minute - 1), format!("12:0{minute}:00"));
        lose_what_became_of_claims(&mut world, &before, &due);
        world.advance_to(&format!("2026-01-01T{failing_until}Z"));
        world.refuses_settling = false;
    }
    world.advance_to("2026-01-01T12:02:01.300Z");
    assert!(!world.history_of(task)[1].contains("todo"), "{:?}", world.history_of(task));
}

/// No job runs when the time is over: nothing wakes the node but the end of all good-byes.
#[test]
fn the_cut_of_a_stop_settles_at_once_what_could_not_be_settled_before() {
    let mut world = with_a_claim_that_cannot_be_settled_and_a_second_to_stop();
    world.advance_to("2026-01-01T12:01:32Z");
    world.send(Event::Stop);
    world.advance_to("2026-01-01T12:01:32.950Z");
    world.refuses_settling = false;
    world.advance_to("2026-01-01T12:01:36Z");
    assert!(world.has_left);
    assert_eq!(world.history()[0], "12:01:00 cancelled");
}

/// One that goes wrong at the cut is tried once more before the node leaves.
#[test]
fn a_settlement_that_fails_at_the_cut_is_tried_once_more() {
    let mut world = with_a_claim_that_cannot_be_settled_and_a_second_to_stop();
    world.advance_to("2026-01-01T12:01:32Z");
    world.send(Event::Stop);
    world.advance_to("2026-01-01T12:01:33Z");
    // The event that the cut alone does not bring.
    world.send(Event::Tick);
    world.advance_to("2026-01-01T12:01:33.050Z");
    world.refuses_settling = false;
    world.advance_to("2026-01-01T12:01:36Z");
    assert!(world.has_left);
    assert_eq!(world.history()[0], "12:01:00 cancelled");
}

#[test]
fn a_stop_that_leaves_a_claim_of_unknown_fate_says_so() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let shutdown_timeout = Duration::from_secs(1);
    world.node = node_with("a", Settings { shutdown_timeout, ..Settings::default() });
    world.add(&row("task", "interval", "60"));
    lose_what_became_of_claims(&mut world, "12:00:59", "12:01:00");
    world.refuses_settling = true;
    world.send(Event::Stop);
    world.advance_to("2026-01-01T12:01:15Z");
    assert!(world.has_left);
    assert_eq!(world.history(), ["12:01:00 todo"]);
    assert!(
        world.notices.contains(&Notice::Health(Health::LeftUnrecorded(1))),
        "{:?}",
        world.notices
    );
}
