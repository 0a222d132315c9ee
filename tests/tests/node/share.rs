//! Another node lives, and some tasks are its own.

use scheduler_core::plan::{retry::Retry, share::Share};

use crate::world::*;

/// A world with a living node `elsewhere`, and a task whose fires, each minute, belong to it.
fn with_a_task_of_another() -> (World, TaskId) {
    with_another_firing_each("60")
}

fn with_another_firing_each(interval: &str) -> (World, TaskId) {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let mut share = Share::new("a");
    share.alive(["a", "elsewhere"]);
    let task = (1..)
        .map(|number| world.add(&row(&format!("task {number}"), "interval", interval)))
        .find(|task| !share.is_mine(*task))
        .unwrap();
    for other in 1..task {
        wait(world.store.delete(other)).unwrap();
    }
    (world, task)
}

fn live_elsewhere(world: &mut World, until: &str) {
    while world.now.wall < at(until) {
        wait(world.store.renew("elsewhere")).unwrap();
        let next = (world.now.wall + TimeDelta::seconds(5)).min(at(until));
        world.advance_to(&next.to_rfc3339());
    }
}

#[test]
fn a_fire_that_its_own_node_took_costs_the_others_no_claim() {
    let (mut world, task) = with_a_task_of_another();
    live_elsewhere(&mut world, "2026-01-01T12:01:00Z");
    assert_eq!(world.history(), [""; 0], "it is left to its own node");
    world.claim_elsewhere(task, "2026-01-01T12:01:00Z", Origin::Schedule);
    live_elsewhere(&mut world, "2026-01-01T12:01:50Z");
    world.check_history(&["12:01:00 todo"]);
    assert_eq!(world.claims, 0);
}

#[test]
fn a_fire_that_its_own_node_leaves_is_taken_a_second_later() {
    let (mut world, _) = with_a_task_of_another();
    live_elsewhere(&mut world, "2026-01-01T12:01:00.999Z");
    assert_eq!(world.history(), [""; 0]);
    live_elsewhere(&mut world, "2026-01-01T12:01:01Z");
    world.check_history(&["12:01:00 success"]);
    assert_eq!(world.claims, 1);
}

#[test]
fn a_node_that_missed_a_renewal_has_no_share() {
    let (mut world, _) = with_a_task_of_another();
    live_elsewhere(&mut world, "2026-01-01T12:00:30Z");
    // Half of the lease of 30 s later, the next reading finds it silent.
    world.advance_to("2026-01-01T12:01:00Z");
    world.check_history(&["12:01:00 success"]);
}

#[test]
fn the_fires_after_one_that_was_left_are_taken_in_time_until_another_takes_one() {
    let (mut world, task) = with_a_task_of_another();
    live_elsewhere(&mut world, "2026-01-01T12:01:01Z");
    live_elsewhere(&mut world, "2026-01-01T12:02:00Z");
    world.check_history(&["12:01:00 success", "12:02:00 success"]);
    live_elsewhere(&mut world, "2026-01-01T12:02:59.999Z");
    world.claim_elsewhere(task, "2026-01-01T12:03:00Z", Origin::Schedule);
    live_elsewhere(&mut world, "2026-01-01T12:04:00Z");
    let before = ["12:01:00 success", "12:02:00 success", "12:03:00 todo"];
    world.check_history(&before);
    assert_eq!(
        world.claims, 3,
        "the third was refused, and from then on the other comes first again"
    );
}

#[test]
fn a_fire_of_another_is_claimed_if_it_cannot_be_seen_whether_it_is_accounted_for() {
    let (mut world, _) = with_a_task_of_another();
    live_elsewhere(&mut world, "2026-01-01T12:00:55Z");
    world.refuses_cursors = true;
    live_elsewhere(&mut world, "2026-01-01T12:01:01Z");
    world.check_history(&["12:01:00 success"]);
}

/// A run of another node fails, and is to be tried again at `due_at`.
#[track_caller]
fn fail_elsewhere(world: &mut World, task: TaskId, instant: &str, due_at: DateTime<Utc>) {
    let execution_id = world.claim_elsewhere(task, instant, Origin::Schedule);
    let scheduled_at = at(instant);
    let outcome = Outcome {
        execution_id,
        task_id: task,
        trace_id: "elsewhere".into(),
        status: Status::Fail,
        extra: "{}".to_owned(),
        started_at: None,
        finished_at: scheduled_at,
        retry: Some(Retry { scheduled_at, attempt: 2, due_at }),
    };
    assert_eq!(wait(world.store.record(&[outcome])).unwrap(), [Recorded::Stands]);
}

#[test]
fn a_retry_of_anothers_task_is_left_to_it_while_it_lives() {
    let (mut world, task) = with_a_task_of_another();
    live_elsewhere(&mut world, "2026-01-01T12:01:00Z");
    fail_elsewhere(&mut world, task, "2026-01-01T12:01:00Z", at("2026-01-01T12:01:13Z"));
    live_elsewhere(&mut world, "2026-01-01T12:01:13.999Z");
    world.check_history(&["12:01:00 fail"]);
    assert_eq!(world.claims, 0);
    live_elsewhere(&mut world, "2026-01-01T12:01:14Z");
    world.check_history(&["12:01:00 fail", "12:01:00 success"]);
}

/// A row may say any instant that there is, also the last.
#[test]
fn a_retry_of_anothers_task_at_the_end_of_time_waits() {
    let (mut world, task) = with_a_task_of_another();
    fail_elsewhere(&mut world, task, "2026-01-01T12:00:00Z", DateTime::<Utc>::MAX_UTC);
    live_elsewhere(&mut world, "2026-01-01T12:00:30Z");
    world.check_history(&["12:00:00 fail"]);
}

#[test]
fn a_fire_of_anothers_task_at_the_end_of_time_is_planned() {
    let (mut world, task) = with_another_firing_each("1ms");
    let last = DateTime::from_timestamp_millis(DateTime::<Utc>::MAX_UTC.timestamp_millis());
    let last_but_one = last.unwrap() - TimeDelta::milliseconds(1);
    world.claim_elsewhere(task, &last_but_one.to_rfc3339(), Origin::Schedule);
    live_elsewhere(&mut world, "2026-01-01T12:00:30Z");
    let next = world.notices.iter().find_map(|notice| match notice {
        Notice::Scheduled { next, .. } => *next,
        _ => None,
    });
    assert_eq!(next, last);
}
