//! When a task fires.

use crate::world::*;

#[test]
fn an_interval_fires_on_the_grid_of_its_creation() {
    let mut world = World::new("2026-01-01T12:00:03Z");
    world.add(&row("five", "interval", "5"));
    world.advance_to("2026-01-01T12:00:14Z");
    world.check_history(&["12:00:08 success", "12:00:13 success"]);
}

#[test]
fn a_restart_keeps_the_grid_and_repeats_nothing() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("five", "interval", "5"));
    world.advance_to("2026-01-01T12:00:05Z");
    world.crash_and_restart();
    world.advance_to("2026-01-01T12:00:11Z");
    world.check_history(&["12:00:05 success", "12:00:10 success"]);
}

#[test]
fn an_enabled_cron_row_runs_at_the_next_full_minute() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&NewTask { is_enabled: false, ..row("minute", "cron", "* * * * *") });
    world.advance_to("2026-01-01T12:02:20Z");
    world.check_history(&[]);
    wait(world.store.set_enabled(id, true)).unwrap();
    world.advance_to("2026-01-01T12:03:00Z");
    world.check_history(&["12:03:00 success"]);
}

#[test]
fn a_date_fires_once_ever() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("date", "date", "2026-01-01 12:00:30"));
    world.advance_to("2026-01-01T12:03:00Z");
    world.crash_and_restart();
    world.advance_to("2026-01-01T12:04:00Z");
    world.check_history(&["12:00:30 success"]);
}

#[test]
fn a_date_that_passed_within_the_grace_before_its_edit_runs_and_an_older_one_does_not() {
    for (spec, expected) in [("11:59:00", &["11:59:00 success"][..]), ("11:58:59", &[])] {
        let mut world = World::new("2026-01-01T12:00:00Z");
        world.add(&row("date", "date", &format!("2026-01-01 {spec}")));
        world.advance_to("2026-01-01T12:03:00Z");
        world.check_history(expected);
    }
}

#[test]
fn now_fires_once_and_no_later_edit_repeats_it() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("now", "date", "now"));
    world.advance_to("2026-01-01T12:00:30Z");
    world.check_history(&["12:00:00 success"]);
    world.store.edit(id, |row| row.description = Ok("a typo mended".to_owned()));
    world.crash_and_restart();
    world.advance_to("2026-01-01T12:02:00Z");
    world.check_history(&["12:00:00 success"]);
}

#[test]
fn a_clock_that_steps_back_repeats_nothing() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("ten", "interval", "10"));
    world.advance_to("2026-01-01T12:00:31Z");
    world.set_clock(at("2026-01-01T12:00:05Z"));
    world.advance_to("2026-01-01T12:00:41Z");
    world.check_history(&[
        "12:00:10 success",
        "12:00:20 success",
        "12:00:30 success",
        "12:00:40 success",
    ]);
}

#[test]
fn a_day_of_five_minute_fires_is_simulated_quickly() {
    let mut world = World::new("2026-01-01T00:00:00Z");
    world.add(&row("five minutes", "cron", "*/5 * * * *"));
    world.advance_to("2026-01-02T00:00:00Z");
    assert_eq!(world.history().len(), 288);
}

#[test]
fn a_live_date_that_becomes_now_runs_at_once_and_once() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("date", "date", "2026-01-01 12:00:05"));
    world.advance_to("2026-01-01T12:00:12Z");
    wait(world.store.set_spec(id, "now")).unwrap();
    world.advance_to("2026-01-01T12:05:00Z");
    world.crash_and_restart();
    world.advance_to("2026-01-01T12:06:00Z");
    world.check_history(&["12:00:05 success", "12:00:12 success"]);
}
