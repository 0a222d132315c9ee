//! Tasks whose transactions fail, and the others beside them.

use crate::world::*;

fn lateness(world: &World, task: TaskId) -> Vec<i64> {
    let rows = world.rows();
    let of_task = rows.iter().filter(|row| row.task_id == task && row.source == "schedule");
    of_task
        .filter_map(|row| Some((row.started_at? - row.scheduled_at?).num_milliseconds()))
        .collect()
}

/// Adds tasks of a minute each.
fn add_many(world: &mut World, key: &str, count: usize) -> Vec<TaskId> {
    (0..count).map(|index| world.add(&row(&format!("{key} {index}"), "interval", "60"))).collect()
}

/// Five minutes of a task of ten seconds, in a world where others fail.
#[track_caller]
fn check_that_a_good_one_runs_on(mut world: World) {
    let good = world.add(&row("good", "interval", "10"));
    world.advance_to("2026-01-01T12:05:00Z");
    let late = lateness(&world, good);
    assert_eq!(late.len(), 30, "{late:?} {:?}", world.history_of(good));
    assert!(late.iter().all(|late| *late <= 10_000), "{late:?} ms");
}

/// They fail together, and each alone.
#[test]
fn thirty_tasks_whose_claims_fail_at_once_delay_no_other() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.poisons = add_many(&mut world, "bad", 30);
    check_that_a_good_one_runs_on(world);
}

#[test]
fn thirty_outcomes_that_cannot_be_written_delay_no_other() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.unrecordables = add_many(&mut world, "bad", 30);
    check_that_a_good_one_runs_on(world);
}

#[test]
fn a_stop_records_what_can_be_recorded() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.unrecordables = add_many(&mut world, "bad", 10);
    let good = world.add(&row("good", "interval", "50"));
    world.takes = Some(TimeDelta::seconds(10_000));
    world.advance_to("2026-01-01T12:01:00Z");
    world.send(Event::Stop);
    world.advance_to("2026-01-01T12:01:13Z");
    assert!(world.has_left);
    assert_eq!(world.history_of(good), ["12:00:50 cancelled"]);
}

#[test]
fn what_waits_of_a_task_that_fails_starves_neither_the_healed_nor_the_healthy() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let bad = world.add(&row("bad", "interval", "3600"));
    let healed = add_many(&mut world, "healed", 10);
    let good = world.add(&row("good", "interval", "45"));
    world.advance_to("2026-01-01T12:00:55Z");
    for index in 0..150 {
        wait(world.store.request_run(bad, world.now.wall + TimeDelta::milliseconds(index)))
            .unwrap();
    }
    world.poisons = healed.clone();
    world.poisons.push(bad);
    world.advance_to("2026-01-01T12:01:25Z");
    // A passing trouble: from now on only one task fails.
    world.poisons = vec![bad];
    world.advance_to("2026-01-01T12:10:00Z");
    assert_eq!(world.history_of(good).len(), 13, "{:?}", world.history_of(good));
    assert!(world.history_of(healed[0]).len() >= 5, "{:?}", world.history_of(healed[0]));
}

/// Twenty outcomes can never be written; one more could not for a moment.
#[test]
fn an_outcome_that_could_not_be_written_for_a_moment_waits_for_none_that_never_can() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let healed = world.add(&row("healed", "interval", "30"));
    world.unrecordables = add_many(&mut world, "bad", 20);
    world.advance_to("2026-01-01T12:04:55Z");
    world.unrecordables.push(healed);
    world.advance_to("2026-01-01T12:05:08Z");
    world.unrecordables.pop();
    assert_eq!(world.history_of(healed).last().unwrap(), "12:05:00 todo");
    world.advance_to("2026-01-01T12:05:20Z");
    assert_eq!(world.history_of(healed).last().unwrap(), "12:05:00 success");
}
