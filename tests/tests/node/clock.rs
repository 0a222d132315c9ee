//! The machine's clock is not the database's.

use crate::world::*;

fn clock_notices(world: &World) -> Vec<Health> {
    let health = world.notices.iter().filter_map(|notice| match notice {
        Notice::Health(health @ (Health::ClockIsOff(_) | Health::ClockIsRight)) => {
            Some(health.clone())
        }
        _ => None,
    });
    health.collect()
}

#[test]
fn fires_come_by_the_databases_clock_and_their_rows_tell_its_time() {
    for ahead in [-2_000, -700, 700, 2_000] {
        let mut world = World::new("2026-01-01T12:00:00Z");
        world.ahead = TimeDelta::milliseconds(ahead);
        world.add(&row("ten", "interval", "10"));
        world.advance_to("2026-01-01T12:00:09.999Z");
        assert!(world.rows().is_empty(), "{ahead} ms ahead: early");
        world.advance_to("2026-01-01T12:00:10Z");
        let row = world.rows().remove(0);
        assert_eq!(row.started_at, Some(at("2026-01-01T12:00:10Z")), "{ahead} ms ahead");
        assert_eq!(row.finished_at, row.started_at);
        assert_eq!(clock_notices(&world), []);
    }
}

#[test]
fn a_machine_whose_clock_is_off_by_more_than_the_tolerance_claims_nothing_and_says_so() {
    for ahead in [-2_001, 2_001, 3_600_000] {
        let ahead = TimeDelta::milliseconds(ahead);
        let mut world = World::new("2026-01-01T12:00:00Z");
        world.ahead = ahead;
        world.add(&row("ten", "interval", "10"));
        world.advance_to("2026-01-01T12:00:35Z");
        assert!(world.rows().is_empty(), "{ahead}");
        assert_eq!(clock_notices(&world), [Health::ClockIsOff(ahead)], "said once");
    }
}

#[test]
fn a_clock_that_is_set_while_it_runs_moves_no_fire_and_is_noticed_at_once() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("ten", "interval", "10"));
    world.advance_to("2026-01-01T12:00:12Z");
    world.ahead = TimeDelta::hours(1);
    world.advance_to("2026-01-01T12:00:13Z");
    assert_eq!(clock_notices(&world), [Health::ClockIsOff(TimeDelta::hours(1))]);
    world.advance_to("2026-01-01T12:00:25Z");
    world.check_history(&["12:00:10 success"]);
    world.ahead = TimeDelta::zero();
    world.advance_to("2026-01-01T12:00:31Z");
    world.check_history(&["12:00:10 success", "12:00:20 success", "12:00:30 success"]);
    assert_eq!(clock_notices(&world).last(), Some(&Health::ClockIsRight));
}

#[test]
fn a_machine_that_slept_for_longer_than_its_lease_begins_nothing_it_claimed_before() {
    let (mut world, claimed) = World::with_a_claim_unheard();
    // Its monotonic clock slept, too.
    world.set_clock(at("2026-01-01T13:00:40Z"));
    world.send(claimed);
    assert!(world.running.is_empty());
    world.check_history(&["13:00:00 lost"]);
}

#[test]
fn a_renewal_that_began_before_the_machine_slept_counts_for_nothing() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.advance_to("2026-01-01T12:00:09Z");
    assert!(world.node.can_claim(world.now));
    world.holds = |call| matches!(call, Call::Renew);
    world.advance_to("2026-01-01T12:00:12Z");
    assert!(world.held.take().is_some(), "a renewal is due every 10 s");
    world.holds = |_| false;
    // Its monotonic clock slept, too. The renewal was before that, the look at the database's clock comes after.
    world.set_clock(at("2026-01-01T12:00:52Z"));
    world.refuses_renewals = true;
    let Now { wall: at, mono: seen } = world.now;
    let sighting = Sighting { at, seen, error: Duration::ZERO };
    world.send(Event::Renewed { started: seen, result: Ok(sighting) });
    assert!(!world.node.can_claim(world.now));
    world.refuses_renewals = false;
    world.advance_to("2026-01-01T12:00:56Z");
    assert!(world.node.can_claim(world.now));
}

#[test]
fn a_sleep_of_twenty_seconds_is_taken_off_once() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("second", "interval", "1"));
    world.advance_to("2026-01-01T12:00:31Z");
    world.set_clock(at("2026-01-01T12:00:51Z"));
    world.advance_to("2026-01-01T12:01:40Z");
    let history = world.history();
    let not_run: Vec<_> = history.iter().filter(|row| !row.ends_with("success")).collect();
    assert_eq!(not_run, ["12:00:50 missed"]);
}

/// The database answers now to the renewal that began at `started`, and to none that follows.
fn hear_the_last_renewal(world: &mut World, started: Duration) {
    let Now { wall: at, mono: seen } = world.now;
    let sighting = Sighting { at, seen, error: Duration::ZERO };
    world.refuses_renewals = true;
    world.send(Event::Renewed { started, result: Ok(sighting) });
}

#[test]
fn a_sleep_that_two_clocks_tell_of_in_mid_renewal_ends_no_lease_that_outlasts_it() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.advance_to("2026-01-01T12:00:09Z");
    world.holds = |call| matches!(call, Call::Renew);
    world.advance_to("2026-01-01T12:00:12Z");
    assert!(world.held.take().is_some(), "a renewal is due every 10 s");
    world.holds = |_| false;
    world.set_clock(at("2026-01-01T12:00:30Z"));
    let started = world.now.mono;
    hear_the_last_renewal(&mut world, started);
    assert!(world.node.can_claim(world.now), "18 s of 25 were slept");
}

#[test]
fn a_machine_that_slept_in_its_very_first_renewal_trusts_it_for_what_is_left() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.holds = |call| matches!(call, Call::Renew);
    world.advance_to("2026-01-01T12:00:01Z");
    let Some(Event::Renewed { started, .. }) = world.held.take() else { panic!("it renews") };
    world.holds = |_| false;
    world.set_clock(at("2026-01-01T12:00:41Z"));
    hear_the_last_renewal(&mut world, started);
    assert!(!world.node.can_claim(world.now));
}

#[test]
fn a_renewal_after_a_sleep_or_a_freeze_does_not_bring_back_what_was_claimed_before() {
    for mono in [0, 40] {
        let (mut world, claimed) = World::with_a_claim_unheard();
        world.set_clock(at("2026-01-01T13:00:40Z"));
        world.now.mono += Duration::from_secs(mono);
        world.send(Event::Tick);
        world.send(claimed);
        assert!(world.running.is_empty(), "{:?}", world.running);
        world.check_history(&["13:00:00 lost"]);
    }
}

#[test]
fn a_clock_that_is_set_together_with_the_databases_is_not_off() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("minute", "interval", "60"));
    world.advance_to("2026-01-01T12:00:12Z");
    // One machine, one clock: set forward by an hour.
    world.set_clock(at("2026-01-01T13:00:12Z"));
    world.advance_to("2026-01-01T13:01:00Z");
    world.check_history(&["12:59:00 missed", "13:00:00 success", "13:01:00 success"]);
    assert_eq!(clock_notices(&world), []);
}

#[test]
fn nobody_is_dead_because_the_databases_clock_was_set_forward() {
    // Of two reapings one comes before the node's next renewal, one after it.
    for held_secs in [0, 3] {
        let mut world = World::new("2026-01-01T12:00:00Z");
        let task = world.add(&with_extra(row("hour", "interval", "3600"), r#"{"timeout": "1d"}"#));
        world.holds = |call| matches!(call, Call::Reap { .. });
        world.advance_to("2026-01-01T12:01:00Z");
        world.run_elsewhere(task, "2026-01-01T12:00:59.500Z");
        world.advance_to(&format!("2026-01-01T12:01:0{held_secs}Z"));
        world.holds = |_| false;
        let reaped = world.held.take().expect("it looks for the dead every 10 s");
        world.send(reaped);
        world.advance_to("2026-01-01T12:01:05Z");
        world.set_clock(at("2026-01-01T13:01:05Z"));
        world.ahead = -TimeDelta::hours(1);
        // Every node renews within ten seconds.
        world.advance_to("2026-01-01T13:01:14.900Z");
        wait(world.store.renew("elsewhere")).unwrap();
        world.advance_to("2026-01-01T13:01:40Z");
        assert_eq!(world.rows()[0].status, "todo", "{held_secs}");
        // One that does not is found after one lease of contact.
        world.advance_to("2026-01-01T13:02:10Z");
        assert_eq!(world.rows()[0].status, "lost", "{held_secs}");
    }
}

#[test]
fn nor_is_one_dead_that_could_not_renew_for_a_while_before() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let task = world.add(&with_extra(row("hour", "interval", "3600"), r#"{"timeout": "1d"}"#));
    world.holds = |call| matches!(call, Call::Reap { .. });
    world.advance_to("2026-01-01T12:01:03Z");
    world.holds = |_| false;
    // From now on it looks for the dead three seconds after each renewal.
    let reaped = world.held.take().expect("it looks for the dead every 10 s");
    world.send(reaped);
    world.advance_to("2026-01-01T12:01:09Z");
    world.run_elsewhere(task, "2026-01-01T12:01:08.500Z");
    world.advance_to("2026-01-01T12:01:28Z");
    // One machine, one clock, as in the test above.
    world.set_clock(at("2026-01-01T12:01:38Z"));
    // The other trusts itself until 25 s after its renewal, when the clock says 35 s.
    world.advance_to("2026-01-01T12:01:44Z");
    assert_eq!(world.rows()[0].status, "todo");
    world.advance_to("2026-01-01T12:02:24Z");
    assert_eq!(world.rows()[0].status, "lost");
}

#[test]
fn a_sleep_is_taken_off_once_though_a_renewal_saw_the_databases_clock_before_it() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("hour", "interval", "3600"));
    world.takes = None;
    world.advance_to("2026-01-01T12:59:59Z");
    world.holds = |call| matches!(call, Call::Claim(_));
    world.advance_to("2026-01-01T13:00:00Z");
    let claimed = world.held.take().expect("the claim is committed");
    world.holds = |call| matches!(call, Call::Renew);
    while world.held.is_none() {
        world.advance_to(&(world.now.wall + TimeDelta::milliseconds(10)).to_rfc3339());
    }
    let renewed = world.held.take().unwrap();
    world.holds = |_| false;
    // The machine sleeps, and its monotonic clock too: of 25 s of trust the last 10 s before it and the 13 s are gone.
    world.set_clock(world.now.wall + TimeDelta::seconds(13));
    world.send(renewed);
    world.send(claimed);
    world.check_history(&["13:00:00 todo"]);
}
