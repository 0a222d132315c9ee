//! Fires that are due for too long, and that nobody has accounted for.

use scheduler_core::plan::node::Overdue;

use crate::world::*;

fn overdue(world: &World) -> Vec<Overdue> {
    world.node.overdue(world.local(), |_| None).collect()
}

/// One fire of `key`.
fn found(key: &str, instant: &str) -> Vec<Overdue> {
    vec![Overdue { task_key: key.into(), last: at(instant), new: Some((1, at(instant))) }]
}

#[test]
fn a_fire_that_cannot_be_claimed_is_overdue_after_an_hour_also_when_the_task_never_ran() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let task = world.add(&row("report", "cron", "0 * * * *"));
    world.poisons = vec![task];
    world.advance_to("2026-01-01T13:59:59Z");
    assert_eq!(overdue(&world), []);
    world.advance_to("2026-01-01T14:00:00Z");
    assert_eq!(overdue(&world), found("report", "2026-01-01T13:00:00Z"));
    world.advance_to("2026-01-01T16:00:00Z");
    let (first, last) = (at("2026-01-01T13:00:00Z"), at("2026-01-01T15:00:00Z"));
    assert_eq!(overdue(&world)[0].new, Some((3, first)));
    let told = |at| world.node.overdue(world.local(), move |_| Some(at)).collect::<Vec<_>>();
    assert_eq!(told(first)[0].new, Some((2, at("2026-01-01T14:00:00Z"))), "each is told once");
    assert_eq!((told(last)[0].new, told(last)[0].last), (None, last));
    world.poisons.clear();
    world.advance_to("2026-01-01T16:01:00Z");
    assert_eq!(overdue(&world), [], "{:?}", world.history());
}

#[test]
fn how_long_a_row_says_itself() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let task = world.add(&with_extra(row("report", "cron", "0 * * * *"), r#"{"delay": "5m"}"#));
    world.poisons = vec![task];
    world.advance_to("2026-01-01T13:04:59Z");
    assert_eq!(overdue(&world), []);
    world.advance_to("2026-01-01T13:05:00Z");
    assert_eq!(overdue(&world), found("report", "2026-01-01T13:00:00Z"));
}

#[test]
fn a_task_that_fires_once_a_year_or_never_or_is_switched_off_is_not_overdue() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("yearly", "cron", "0 12 1 1 *"));
    world.add(&row("done", "date", "2026-01-01 12:00:30"));
    let off = world.add(&row("off", "interval", "60"));
    world.advance_to("2026-01-01T12:01:30Z");
    wait(world.store.set_enabled(off, false)).unwrap();
    world.advance_to("2026-01-03T12:00:00Z");
    assert_eq!(overdue(&world), []);
}

#[test]
fn a_fire_that_waits_behind_a_long_run_is_overdue() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = Some(TimeDelta::days(1));
    world.add(&with_extra(row("report", "cron", "0 * * * *"), r#"{"overlap": "queue"}"#));
    world.advance_to("2026-01-01T15:00:00Z");
    assert_eq!(overdue(&world), found("report", "2026-01-01T14:00:00Z"));
}

#[test]
fn of_the_living_nodes_one_speaks_of_it() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let tasks: Vec<TaskId> =
        (0..20).map(|n| world.add(&row(&format!("{n}"), "cron", "0 13 * * *"))).collect();
    world.poisons = tasks.clone();
    while world.now.wall < at("2026-01-01T14:30:00Z") {
        wait(world.store.renew("elsewhere")).unwrap();
        let next = world.now.wall + TimeDelta::seconds(10);
        world.advance_to(&next.to_rfc3339());
    }
    let own = tasks.iter().filter(|task| world.node.is_first_for(**task)).count();
    assert!((1..20).contains(&own));
    assert_eq!(overdue(&world).len(), own);
}
