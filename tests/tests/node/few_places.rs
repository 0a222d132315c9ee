//! Where `max_running` is small, everybody gets a place.

use crate::world::*;

fn world_with_places(max_running: usize) -> World {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.node = node_with("a", Settings { max_running, ..Settings::default() });
    world
}

/// Adds tasks.
fn add_many(world: &mut World, key: &str, count: usize, seconds: &str) -> Vec<TaskId> {
    (0..count)
        .map(|index| world.add(&row(&format!("{key} {index}"), "interval", seconds)))
        .collect()
}

/// Adds tasks of five seconds of which many runs may wait to be recorded.
fn add_overlapping(world: &mut World, count: usize) -> Vec<TaskId> {
    let task = |index| row(&format!("bad {index}"), "interval", "5");
    let extra = r#"{"max_instances": 100}"#;
    (0..count).map(|index| world.add(&with_extra(task(index), extra))).collect()
}

fn successes(world: &World, task: TaskId) -> usize {
    world.history_of(task).iter().filter(|line| line.ends_with("success")).count()
}

#[test]
fn retries_of_tasks_that_fail_keep_no_other_from_its_fires() {
    let mut world = world_with_places(4);
    world.takes = Some(TimeDelta::seconds(2));
    let extra = r#"{"retries": 100, "backoff": "1s..1s"}"#;
    let bad = |index| with_extra(row(&format!("bad {index}"), "interval", "600"), extra);
    world.failing_jobs = (0..12).map(|index| world.add(&bad(index))).collect();
    let good = world.add(&row("good", "interval", "20"));
    world.advance_to("2026-01-01T12:19:55Z");
    assert_eq!(successes(&world, good), 59, "{:?}", world.history_of(good));
}

#[test]
fn manual_runs_of_several_tasks_keep_no_other_from_its_fires_and_are_not_kept_by_it() {
    let mut world = world_with_places(2);
    world.takes = Some(TimeDelta::seconds(2));
    let asked = add_many(&mut world, "asked", 4, "36000");
    let good = world.add(&row("good", "interval", "20"));
    world.advance_to("2026-01-01T12:00:05Z");
    for second in 0..100 {
        let instant = world.now.wall + TimeDelta::milliseconds(second);
        for task in &asked {
            wait(world.store.request_run(*task, instant)).unwrap();
        }
    }
    world.advance_to("2026-01-01T12:10:10Z");
    assert_eq!(successes(&world, good), 30, "{:?}", world.history_of(good));
    let served: usize = asked.iter().map(|task| successes(&world, *task)).sum();
    assert_eq!(served, 400);
}

/// And the other way round.
#[test]
fn fires_of_many_tasks_keep_no_manual_run_from_its_place() {
    let mut world = world_with_places(1);
    world.takes = Some(TimeDelta::seconds(2));
    add_many(&mut world, "busy", 5, "2");
    let asked = world.add(&row("asked", "interval", "36000"));
    world.advance_to("2026-01-01T12:01:00Z");
    wait(world.store.request_run(asked, world.now.wall)).unwrap();
    world.advance_to("2026-01-01T12:01:30Z");
    assert_eq!(successes(&world, asked), 1, "{:?}", world.history());
}

#[test]
fn outcomes_that_never_can_be_recorded_leave_the_others_their_places() {
    for takes in [0, 5, 300] {
        let mut world = world_with_places(2);
        world.failure_takes = TimeDelta::milliseconds(takes);
        world.unrecordables = add_many(&mut world, "bad", 2, "60");
        let good = world.add(&row("good", "interval", "10"));
        let asked = world.add(&row("asked", "interval", "36000"));
        world.advance_to("2026-01-01T12:05:05Z");
        wait(world.store.request_run(asked, world.now.wall)).unwrap();
        world.advance_to("2026-01-01T12:10:05Z");
        assert_eq!(successes(&world, good), 60, "{takes} ms: {:?}", world.lateness_of(good));
        let late = world.lateness_of(good);
        assert!(late.iter().all(|late| *late <= 1_000), "{takes} ms: {late:?}");
        let began = world.rows().iter().find(|row| row.task_id == asked).unwrap().started_at;
        // With the next reading.
        assert!(began <= Some(at("2026-01-01T12:05:20Z")), "{takes} ms: {began:?}");
    }
}

#[test]
fn an_outcome_whose_row_a_stranger_holds_takes_no_place() {
    let mut world = world_with_places(1);
    world.failure_takes = TimeDelta::milliseconds(20);
    world.locked = Some(world.add(&row("held", "interval", "50")));
    let fires = world.add(&row("fires", "interval", "7"));
    let asked = world.add(&row("asked", "interval", "36000"));
    world.advance_to("2026-01-01T12:01:00Z");
    wait(world.store.request_run(asked, world.now.wall)).unwrap();
    world.advance_to("2026-01-01T12:05:05Z");
    assert_eq!(successes(&world, asked), 1);
    assert_eq!(successes(&world, fires), 43, "{:?}", world.history_of(fires));
}

/// What ended and cannot be recorded is bounded all the same, by a thousand and ten of each such task.
#[test]
fn while_nothing_can_be_recorded_no_more_than_a_thousand_outcomes_wait() {
    let mut world = world_with_places(10);
    world.failure_takes = TimeDelta::seconds(5);
    let many = |index| {
        with_extra(row(&format!("task {index}"), "interval", "5"), r#"{"max_instances": 9}"#)
    };
    world.unrecordables = (0..300).map(|index| world.add(&many(index))).collect();
    world.advance_to("2026-01-01T12:03:00Z");
    let open = world.rows().iter().filter(|row| row.status == "todo").count();
    let alone = said(&world, |notice| matches!(notice, Notice::RecordFails { .. }));
    assert!((900..=1_010 + alone).contains(&open), "{open} open, {alone} alone");
}

#[test]
fn more_than_a_thousand_outcomes_that_never_can_be_recorded_leave_the_others_their_places() {
    let mut world = world_with_places(500);
    world.unrecordables = add_overlapping(&mut world, 110);
    let good = world.add(&row("good", "interval", "10"));
    // Until it is known of each.
    world.advance_to("2026-01-01T12:05:05Z");
    let before = successes(&world, good);
    world.advance_to("2026-01-01T12:10:05Z");
    let alone = said(&world, |notice| matches!(notice, Notice::RecordFails { .. }));
    assert!(alone > 1_000, "{alone} alone");
    assert_eq!(successes(&world, good) - before, 30);
}
