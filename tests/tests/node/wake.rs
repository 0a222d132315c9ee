//! Word that somebody edited the tables.

use crate::world::*;

/// A world at 12:00:14, whose last reading was at 12:00:10.
fn quiet_world() -> World {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.advance_to("2026-01-01T12:00:14Z");
    world.readings.clear();
    world
}

#[test]
fn an_edit_that_somebody_tells_of_is_seen_at_once() {
    let mut world = quiet_world();
    world.add(&row("second", "interval", "1"));
    world.send(Event::Wake);
    assert_eq!(world.readings, [at("2026-01-01T12:00:14Z")]);
    world.advance_to("2026-01-01T12:00:16Z");
    world.check_history(&["12:00:15 success", "12:00:16 success"]);
}

#[test]
fn readings_come_round_as_before_after_a_wake_up() {
    let mut world = quiet_world();
    world.send(Event::Wake);
    world.advance_to("2026-01-01T12:00:40Z");
    let expected = ["12:00:14", "12:00:24", "12:00:34"].map(|at| format!("2026-01-01T{at}Z"));
    assert_eq!(world.readings, expected.map(|instant| at(&instant)));
}

#[test]
fn of_a_flood_of_wake_ups_two_in_a_second_cost_a_reading() {
    let mut world = quiet_world();
    for ms in 0..5_000 {
        world.advance_to(&format!("2026-01-01T12:00:{}.{:03}Z", 14 + ms / 1_000, ms % 1_000));
        world.send(Event::Wake);
    }
    assert_eq!(world.readings.len(), 10);
    let pauses = world.readings.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(pauses.min() >= Some(TimeDelta::milliseconds(500)));
}

#[test]
fn while_a_reading_is_under_way_a_hundred_wake_ups_cost_one_more() {
    let mut world = quiet_world();
    world.holds = |call| matches!(call, Call::Read(_));
    world.send(Event::Wake);
    (0..100).for_each(|_| world.send(Event::Wake));
    assert_eq!(world.readings.len(), 1, "one at a time");
    world.holds = |_| false;
    let read = world.held.take().expect("a reading is under way");
    world.send(read);
    world.advance_to("2026-01-01T12:00:20Z");
    assert_eq!(world.readings.len(), 2, "what was edited after it began is read");
}

#[test]
fn a_node_that_stops_or_has_not_begun_is_not_disturbed() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.send(Event::Wake);
    assert_eq!(world.readings.len(), 1, "the first reading, which is due anyway");
    world.takes = None;
    world.add(&row("second", "interval", "1"));
    world.advance_to("2026-01-01T12:00:11Z");
    world.readings.clear();
    world.send(Event::Stop);
    world.send(Event::Wake);
    world.advance_to("2026-01-01T12:00:15Z");
    assert!(world.readings.is_empty(), "{:?}", world.readings);
}
