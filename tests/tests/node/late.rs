//! What becomes of instants that were found late.

use crate::world::*;

#[test]
fn of_several_overdue_fires_the_newest_runs_and_the_others_cost_one_row() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("ten", "interval", "10"));
    world.advance_to("2026-01-01T12:00:11Z");
    world.crash_and_restart();
    world.now.mono += Duration::from_secs(49);
    world.set_clock(at("2026-01-01T12:01:00.500Z"));
    world.advance_to("2026-01-01T12:01:01Z");
    world.check_history(&["12:00:10 success", "12:00:50 missed", "12:01:00 success"]);
    let extra = world.extra(Status::Missed);
    assert_eq!((&extra["count"], &extra["first"]), (&4.into(), &"2026-01-01T12:00:20Z".into()));
}

#[test]
fn a_gap_of_a_year_costs_one_row_with_the_exact_count() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("second", "cron", "* * * * * *"));
    world.advance_to("2026-01-01T12:00:01Z");
    world.crash_and_restart();
    world.set_clock(at("2027-01-01T12:00:01.100Z"));
    world.advance_to("2027-01-01T12:00:01.200Z");
    world.check_history(&["12:00:01 success", "12:00:00 missed", "12:00:01 success"]);
    assert_eq!(world.extra(Status::Missed)["count"], 365 * 86_400 - 1);
}

#[test]
fn a_fire_found_within_the_grace_runs_and_one_found_later_is_missed() {
    for (found, status) in [("12:11:00", "success"), ("12:11:00.001", "missed")] {
        let mut world = World::new("2026-01-01T12:00:00Z");
        world.add(&row("ten minutes", "interval", "600"));
        world.set_clock(at(&format!("2026-01-01T{found}Z")));
        world.send(Event::Tick);
        world.check_history(&[&format!("12:10:00 {status}")]);
    }
}

#[test]
fn without_coalescing_each_fire_within_the_grace_runs() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&with_extra(
        row("ten", "interval", "10"),
        r#"{"coalesce": false, "misfire_grace_time": 25, "overlap": "queue"}"#,
    ));
    world.set_clock(at("2026-01-01T12:01:00Z"));
    world.send(Event::Tick);
    world.check_history(&[
        "12:00:30 missed",
        "12:00:40 success",
        "12:00:50 success",
        "12:01:00 success",
    ]);
}
