//! Lost answers, outages, crashes, and rows that make every transaction fail.

use scheduler_core::plan::share::Share;

use crate::world::*;

#[test]
fn a_claim_whose_answer_was_lost_is_settled_and_runs_once() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("ten", "interval", "10"));
    world.advance_to("2026-01-01T12:00:09Z");
    world.database = Database::LosesAnswers;
    world.advance_to("2026-01-01T12:00:12Z");
    assert!(world.running.is_empty());
    world.check_history(&["12:00:10 todo"]);
    world.database = Database::Answers;
    world.advance_to("2026-01-01T12:00:20Z");
    world.check_history(&["12:00:10 success", "12:00:20 success"]);
}

#[test]
fn while_a_stranger_keeps_one_claim_from_being_settled_the_other_tasks_run() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let locked = world.add(&row("locked", "interval", "10"));
    let free = world.add(&row("free", "interval", "5"));
    world.advance_to("2026-01-01T12:00:09Z");
    world.database = Database::LosesAnswers;
    world.advance_to("2026-01-01T12:00:12Z");
    world.database = Database::Answers;
    world.locked = Some(locked);
    world.advance_to("2026-01-01T12:00:28Z");
    let instants = ["12:00:05", "12:00:10", "12:00:15", "12:00:20", "12:00:25"];
    assert_eq!(world.history_of(free), instants.map(|instant| format!("{instant} success")));
    assert_eq!(world.history_of(locked), ["12:00:10 todo"]);
    world.locked = None;
    world.advance_to("2026-01-01T12:00:30Z");
    // When it began at last, the run of 12:00:10 stood in the way of the next.
    let late = ["12:00:10 success", "12:00:20 skipped", "12:00:30 success"];
    assert_eq!(world.history_of(locked), late);
}

#[test]
fn a_claim_that_settles_later_than_the_grace_is_missed_not_run() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("hour", "interval", "3600"));
    world.advance_to("2026-01-01T12:59:59Z");
    world.database = Database::LosesAnswers;
    world.advance_to("2026-01-01T13:02:00Z");
    world.database = Database::Answers;
    world.advance_to("2026-01-01T13:03:00Z");
    world.check_history(&["13:00:00 missed"]);
}

#[test]
fn a_lease_counts_from_the_start_of_its_renewal_however_late_the_answer() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("second", "interval", "1"));
    world.holds = |call| matches!(call, Call::Renew);
    world.advance_to("2026-01-01T12:00:04Z");
    world.refuses_renewals = true;
    world.holds = |_| false;
    let renewed = world.held.take().expect("the first renewal is under way");
    world.send(renewed);
    // 25 s after 12:00:00, when it was asked for, not after 12:00:04.
    world.advance_to("2026-01-01T12:00:40Z");
    assert_eq!(world.history().last().unwrap(), "12:00:24 success");
}

#[test]
fn a_node_that_was_frozen_for_longer_than_its_lease_begins_nothing_it_claimed_before() {
    let (mut world, claimed) = World::with_a_claim_unheard();
    // 24.999 s would be the last moment at which it trusts itself: 30 s less the margin of 5 s.
    world.set_clock(at("2026-01-01T13:00:40Z"));
    world.now.mono += Duration::from_secs(40);
    world.send(claimed);
    world.advance_to("2026-01-01T13:01:00Z");
    assert!(world.running.is_empty());
    world.check_history(&["13:00:00 lost"]);
    let reason = &world.extra(Status::Lost)["reason"];
    assert_eq!(reason, "the lease of the node was over before the run began");
}

#[test]
fn what_was_read_before_a_freeze_is_read_again_before_anything_is_claimed() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let hour = world.add(&row("hour", "interval", "3600"));
    world.advance_to("2026-01-01T12:59:25Z");
    world.holds = |call| matches!(call, Call::Read(_));
    world.advance_to("2026-01-01T12:59:30Z");
    world.holds = |_| false;
    let read = world.held.take().expect("a reading is under way");
    // While the process is frozen the row is switched off, and on again after its instant.
    for (instant, is_enabled) in [("12:59:40", false), ("13:00:20", true)] {
        world.store.set_now(at(&format!("2026-01-01T{instant}Z")));
        wait(world.store.set_enabled(hour, is_enabled)).unwrap();
    }
    world.set_clock(at("2026-01-01T13:00:22Z"));
    world.now.mono += Duration::from_secs(52);
    world.send(read);
    world.advance_to("2026-01-01T13:01:00Z");
    world.check_history(&[]);
}

#[test]
fn a_database_that_takes_long_to_read_is_read_at_once_again_only_once() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.advance_to("2026-01-01T12:00:09Z");
    world.holds = |call| matches!(call, Call::Read(_));
    world.advance_to("2026-01-01T12:00:11Z");
    for is_read_again in [true, false] {
        let read = world.held.take().expect("a reading is under way");
        world.set_clock(world.now.wall + TimeDelta::seconds(25));
        world.now.mono += Duration::from_secs(25);
        world.send(read);
        assert_eq!(world.held.is_some(), is_read_again);
    }
}

#[test]
fn a_run_whose_job_finds_the_lease_over_at_its_first_step_is_lost_and_a_manual_one_waits_on() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let hour = world.add(&row("hour", "interval", "3600"));
    world.takes = None;
    world.advance_to("2026-01-01T13:00:00Z");
    world.never_begins(1);
    world.check_history(&["13:00:00 lost"]);
    wait(world.store.request_run(hour, at("2026-01-01T13:00:05Z"))).unwrap();
    world.advance_to("2026-01-01T13:00:12Z");
    world.never_begins(2);
    world.takes = Some(TimeDelta::zero());
    world.advance_to("2026-01-01T13:00:30Z");
    world.check_history(&["13:00:00 lost", "13:00:05 lost", "13:00:05 success"]);
}

/// Until the node says that the database is back.
fn advance_until_it_is_back(world: &mut World) {
    while !world.notices.contains(&Notice::Health(Health::DatabaseBack)) {
        world.advance_to(&(world.now.wall + TimeDelta::milliseconds(1)).to_rfc3339());
    }
}

#[test]
fn after_an_outage_the_dead_are_found_after_one_lease_of_contact() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let task = world.add(&row("hour", "interval", "3600"));
    world.advance_to("2026-01-01T12:00:03Z");
    world.run_elsewhere(task, "2026-01-01T12:00:02.500Z");
    world.database = Database::Unreachable;
    world.advance_to("2026-01-01T12:00:47Z");
    world.database = Database::Answers;
    advance_until_it_is_back(&mut world);
    let lease = TimeDelta::seconds(30);
    let in_time = world.now.wall + lease;
    world.advance_to(&(in_time - TimeDelta::milliseconds(2)).to_rfc3339());
    assert_eq!(world.rows()[0].status, "todo");
    world.advance_to(&in_time.to_rfc3339());
    assert_eq!(world.rows()[0].status, "lost");
}

#[test]
fn what_failed_in_an_outage_is_tried_as_soon_as_the_database_is_back() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&row("ten", "interval", "10"));
    world.advance_to("2026-01-01T12:00:11Z");
    world.database = Database::Unreachable;
    // The job ends, and its outcome cannot be written; the next fire cannot be claimed.
    world.end(1, Ok(()));
    world.advance_to("2026-01-01T12:00:24Z");
    world.database = Database::Answers;
    advance_until_it_is_back(&mut world);
    world.advance_to(&(world.now.wall + TimeDelta::milliseconds(1)).to_rfc3339());
    world.check_history(&["12:00:10 success", "12:00:20 todo"]);
}

#[test]
fn an_outcome_that_can_never_be_written_delays_no_other() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.unrecordables = vec![world.add(&row("refused", "interval", "5"))];
    let second = world.add(&row("second", "interval", "1"));
    world.advance_to("2026-01-01T12:01:00Z");
    let rows = world.rows();
    let (on_time, late): (Vec<_>, Vec<_>) = rows
        .iter()
        .filter(|row| row.task_id == second)
        .partition(|row| row.status == "success" && row.started_at == row.scheduled_at);
    assert_eq!((on_time.len(), late), (60, vec![]));
    assert!((10..=20).contains(&world.refused_records), "{}", world.refused_records);
}

#[test]
fn results_of_jobs_that_ended_in_an_outage_are_written_afterwards() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&row("minute", "interval", "60"));
    world.advance_to("2026-01-01T12:01:01Z");
    world.database = Database::Unreachable;
    world.end(1, Ok(()));
    world.advance_to("2026-01-01T12:04:30Z");
    world.check_history(&["12:01:00 todo"]);
    world.database = Database::Answers;
    world.advance_to("2026-01-01T12:05:00Z");
    world.check_history(&[
        "12:01:00 success",
        "12:03:00 missed",
        "12:04:00 todo",
        "12:05:00 skipped",
    ]);
    let trouble = world
        .notices
        .iter()
        .filter(|notice| matches!(notice, Notice::Health(Health::DatabaseTrouble(_))))
        .count();
    assert_eq!(trouble, 1, "said once");
}

#[test]
fn a_database_in_trouble_is_asked_twice_a_second_at_most() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("one", "interval", "1"));
    world.add(&row("other", "interval", "1"));
    world.advance_to("2026-01-01T12:00:01Z");
    world.database = Database::Unreachable;
    let before = world.calls;
    world.advance_to("2026-01-01T12:00:21Z");
    let asked = world.calls - before;
    assert!(asked > 10 && asked <= 40, "{asked} calls in 20 s");
}

#[test]
fn a_node_that_cannot_renew_claims_nothing_until_it_can() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("second", "interval", "1"));
    world.advance_to("2026-01-01T12:00:02Z");
    world.refuses_renewals = true;
    // The lease of 30 s less its margin of 5 s, from the last renewal at 12:00:00.
    world.advance_to("2026-01-01T12:00:40Z");
    assert_eq!(world.history().last().map(String::as_str), Some("12:00:24 success"));
    assert!(world.notices.contains(&Notice::Health(Health::LeaseLost)));
    world.refuses_renewals = false;
    world.advance_to("2026-01-01T12:00:43Z");
    assert_eq!(world.history().last().map(String::as_str), Some("12:00:43 success"));
}

#[test]
fn what_a_crash_left_open_is_lost_and_its_task_runs_again() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&row("minute", "interval", "60"));
    world.advance_to("2026-01-01T12:01:01Z");
    world.crash_and_restart();
    world.takes = Some(TimeDelta::zero());
    world.advance_to("2026-01-01T12:02:30Z");
    // 45 s after the crash the execution is closed, so the next minute runs.
    world.check_history(&["12:01:00 lost", "12:02:00 success"]);
}

#[test]
fn a_doing_that_somebody_wrote_by_hand_heals() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("minute", "interval", "60"));
    world.store.edit(id, |row| row.status = Ok("doing".to_owned()));
    world.advance_to("2026-01-01T12:02:00Z");
    assert_eq!(world.history().last().unwrap(), "12:02:00 success");
    assert!(world.notices.contains(&Notice::Healed(id)));
}

#[test]
fn a_task_whose_claims_always_fail_harms_no_other() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.poisons = vec![world.add(&row("poison", "interval", "10"))];
    for index in 0..50 {
        world.add(&row(&format!("good {index}"), "interval", "20"));
    }
    world.advance_to("2026-01-01T12:00:59Z");
    assert_eq!(world.history().len(), 50 * 2);
    let worst =
        world.rows().iter().filter_map(|row| Some(row.started_at? - row.scheduled_at?)).max();
    assert!(worst < Some(TimeDelta::seconds(10)), "{worst:?}");
}

#[test]
fn a_claim_of_unknown_fate_is_cancelled_when_its_row_changed_meanwhile_and_says_how() {
    type Change = fn(&World, TaskId);
    let changes: [(&str, Change); 3] = [
        ("switched off", |world, id| wait(world.store.set_enabled(id, false)).unwrap()),
        ("rejected", |world, id| wait(world.store.set_spec(id, "often")).unwrap()),
        ("deleted", |world, id| wait(world.store.delete(id)).unwrap()),
    ];
    for (what, change) in changes {
        let mut world = World::new("2026-01-01T12:00:00Z");
        let id = world.add(&row("ten", "interval", "10"));
        world.advance_to("2026-01-01T12:00:09Z");
        world.database = Database::LosesAnswers;
        world.advance_to("2026-01-01T12:00:10Z");
        change(&world, id);
        world.reads();
        world.database = Database::Answers;
        world.advance_to("2026-01-01T12:00:20Z");
        world.check_history(&["12:00:10 cancelled"]);
        let reason = &world.extra(Status::Cancelled)["reason"];
        assert_eq!(reason, &format!("the row was {what} before the run began"));
    }
}

#[test]
fn a_retry_whose_row_is_rejected_before_its_claim_is_settled_waits_until_the_row_is_mended() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let extra = r#"{"retries": 1, "backoff": "3s"}"#;
    let id = world.add(&with_extra(row("hour", "interval", "3600"), extra));
    world.takes = None;
    world.advance_to("2026-01-01T13:00:00Z");
    world.end(1, Err("no".to_owned()));
    world.database = Database::LosesAnswers;
    world.advance_to("2026-01-01T13:00:04Z");
    wait(world.store.set_spec(id, "often")).unwrap();
    world.reads();
    world.database = Database::Answers;
    world.takes = Some(TimeDelta::zero());
    world.advance_to("2026-01-01T13:00:40Z");
    world.check_history(&["13:00:00 fail", "13:00:00 cancelled"]);
    wait(world.store.set_spec(id, "3600")).unwrap();
    world.advance_to("2026-01-01T13:01:00Z");
    world.check_history(&["13:00:00 fail", "13:00:00 cancelled", "13:00:00 success"]);
}

#[test]
fn a_retry_that_cannot_be_claimed_holds_up_neither_fires_nor_retries_of_others() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    let poisoned = r#"{"retries": 9, "backoff": "1s"}"#;
    let bad = world.add(&with_extra(row("bad", "interval", "30"), poisoned));
    world.advance_to("2026-01-01T12:00:30Z");
    world.end(1, Err("no".to_owned()));
    world.takes = Some(TimeDelta::zero());
    world.add(&row("good", "interval", "1"));
    world.advance_to("2026-01-01T12:00:45Z");
    world.poisons = vec![bad];
    let from = world.rows().len();
    world.advance_to("2026-01-01T12:02:00Z");
    let late: Vec<_> = world.rows()[from..]
        .iter()
        .filter_map(|row| Some((row.started_at? - row.scheduled_at?).num_milliseconds()))
        .collect();
    assert!(late.len() >= 70, "{} fires of the other", late.len());
    assert!(late.iter().all(|late| *late <= 300), "{late:?} ms");
}

#[test]
fn a_fire_that_failed_in_an_outage_is_claimed_as_soon_as_the_database_is_back() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("task", "interval", "13"));
    world.advance_to("2026-01-01T12:00:12Z");
    world.database = Database::Unreachable;
    world.advance_to("2026-01-01T12:00:13.600Z");
    // What claims tell of, a renewal looks into at once.
    let is_trouble = |notice: &Notice| matches!(notice, Notice::Health(Health::DatabaseTrouble(_)));
    assert!(world.notices.iter().any(is_trouble));
    world.database = Database::Answers;
    advance_until_it_is_back(&mut world);
    world.advance_to(&(world.now.wall + TimeDelta::milliseconds(1)).to_rfc3339());
    world.check_history(&["12:00:13 success"]);
}

/// Renewals and all else go well.
#[test]
fn that_the_tables_cannot_be_read_is_said_once() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("minute", "interval", "60"));
    world.advance_to("2026-01-01T12:00:05Z");
    world.refuses_readings = true;
    world.advance_to("2026-01-01T12:03:00Z");
    let is_health = |notice: &&Notice| matches!(notice, Notice::Health(_));
    let said = world.notices.iter().filter(is_health).count();
    assert_eq!(said, 1, "{:?}", world.notices);
}

/// The one new row is gone before the database can say what is accounted of it: nobody asks again.
#[test]
fn cursors_that_could_not_be_read_once_keep_the_database_in_no_trouble_for_ever() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let task = world.add(&row("task", "interval", "60"));
    world.advance_to("2026-01-01T12:00:05Z");
    world.refuses_cursors = true;
    let new = world.add(&row("new", "interval", "60"));
    world.advance_to("2026-01-01T12:00:15Z");
    assert_eq!(said(&world, |n| matches!(n, Notice::Health(Health::DatabaseTrouble(_)))), 1);
    wait(world.store.set_enabled(new, false)).unwrap();
    world.refuses_cursors = false;
    world.advance_to("2026-01-01T12:10:30Z");
    let back = said(&world, |n| matches!(n, Notice::Health(Health::DatabaseBack)));
    world.poisons = vec![task];
    world.advance_to("2026-01-01T12:20:30Z");
    let fails = said(&world, is_claim_that_fails);
    assert_eq!((back, fails), (1, 1), "back, and then a claim that fails");
}

/// The claim stands and runs: only the answer to its COMMIT was lost.
#[test]
fn a_claim_whose_answer_is_lost_once_is_not_said_to_fail_always() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("task", "interval", "60"));
    world.advance_to("2026-01-01T12:00:59Z");
    world.database = Database::LosesAnswers;
    world.holds = |call| matches!(call, Call::Claim(_));
    world.advance_to("2026-01-01T12:01:00Z");
    world.database = Database::Answers;
    world.holds = |_| false;
    let lost = world.held.take().unwrap();
    world.send(lost);
    world.advance_to("2026-01-01T12:01:05Z");
    world.check_history(&["12:01:00 success"]);
    assert_eq!(said(&world, is_claim_that_fails), 0);
}

#[test]
fn after_a_reading_that_failed_the_tables_are_read_once() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("minute", "interval", "60"));
    world.advance_to("2026-01-01T12:00:05Z");
    world.refuses_readings = true;
    world.advance_to("2026-01-01T12:00:30Z");
    world.refuses_readings = false;
    let before = world.readings.len();
    world.advance_to("2026-01-01T12:00:35Z");
    assert_eq!(world.readings[before..].len(), 1, "{:?}", &world.readings[before..]);
}

/// A node that stops reads no more, so that nothing tells that the tables can be read again.
#[test]
fn that_the_database_is_back_is_said_also_while_a_stop_waits_for_jobs() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    world.add(&row("long", "interval", "5"));
    world.advance_to("2026-01-01T12:00:06Z");
    world.database = Database::Unreachable;
    world.advance_to("2026-01-01T12:00:30Z");
    world.send(Event::Stop);
    world.advance_to("2026-01-01T12:00:32Z");
    world.database = Database::Answers;
    world.advance_to("2026-01-01T12:00:39Z");
    assert_eq!(said(&world, |n| matches!(n, Notice::Health(Health::DatabaseBack))), 1);
}

/// Renewals are tried every two seconds then, records every five.
#[test]
fn what_failed_is_tried_when_the_lease_is_renewed_although_the_tables_cannot_be_read() {
    for second in 30..45 {
        let mut world = World::new("2026-01-01T12:00:00Z");
        let task = world.add(&row("task", "interval", "60"));
        world.takes = None;
        world.advance_to("2026-01-01T12:01:00Z");
        world.database = Database::Unreachable;
        world.end(1, Ok(()));
        world.advance_to(&format!("2026-01-01T12:01:{second}Z"));
        world.refuses_readings = true;
        world.database = Database::Answers;
        assert_eq!(world.history_of(task), ["12:01:00 todo"]);
        world.advance_to(&(world.now.wall + TimeDelta::milliseconds(2_100)).to_rfc3339());
        assert_eq!(world.history_of(task), ["12:01:00 success"], "back at second {second}");
    }
}

/// Cursors fail for good; the task is another node's, which takes no fire.
#[test]
fn that_cursors_cannot_be_read_is_said_once() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let mut share = Share::new("a");
    share.alive(["a", "elsewhere"]);
    let task = (1..)
        .map(|number| world.add(&row(&format!("task {number}"), "interval", "10")))
        .find(|task| !share.is_mine(*task))
        .unwrap();
    for other in 1..task {
        wait(world.store.delete(other)).unwrap();
    }
    world.refuses_cursors = false;
    let mut next = world.now.wall;
    while next < at("2026-01-01T12:10:00Z") {
        wait(world.store.renew("elsewhere")).unwrap();
        next += TimeDelta::seconds(5);
        world.advance_to(&next.to_rfc3339());
        world.refuses_cursors = true;
    }
    let lines = said(&world, |n| matches!(n, Notice::Health(Health::DatabaseTrouble(_))));
    assert!(lines <= 2, "{lines} lines in ten minutes");
}

/// Between the answer to an event and the question when to wake, the moment passes.
#[test]
fn a_moment_that_passes_while_the_actions_are_performed_still_wakes() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let task = world.add(&row("task", "interval", "3600"));
    world.advance_to("2026-01-01T12:00:05Z");
    world.poisons = vec![task];
    wait(world.store.request_run(task, world.now.wall)).unwrap();
    world.advance_to("2026-01-01T12:00:15Z");
    // Just before it is tried again.
    let wake = world.node.wake_in(world.local()).unwrap();
    assert!(wake < Duration::from_secs(5), "{wake:?}");
    let just_before = wake - Duration::from_micros(100);
    world.now.mono += just_before;
    world.set_clock(world.now.wall + TimeDelta::from_std(just_before).unwrap());
    world.send(Event::Tick);
    let mut later = world.local();
    later.mono += Duration::from_micros(200);
    later.wall += TimeDelta::microseconds(200);
    let wake = world.node.wake_in(later).unwrap();
    assert!(wake < Duration::from_millis(10), "{wake:?}");
}

#[test]
fn readings_that_take_five_seconds_to_fail_make_no_fire_late() {
    for seconds in ["1", "7"] {
        let mut world = World::new("2026-01-01T12:00:00Z");
        let good = world.add(&row("good", "interval", seconds));
        world.advance_to("2026-01-01T12:00:50Z");
        world.refuses_readings = true;
        world.failure_takes = TimeDelta::seconds(5);
        world.advance_to("2026-01-01T12:03:00.900Z");
        let late = world.lateness_of(good);
        let due: usize = 180 / seconds.parse::<usize>().unwrap();
        assert_eq!(late.len(), due, "{late:?}");
        assert!(late.iter().all(|late| *late <= 100), "{late:?} ms");
    }
}

/// But what was due in an outage waits for a reading, also where readings failed before it and go on failing for a while.
#[test]
fn after_an_outage_the_rows_are_read_first_though_a_reading_failed_in_it() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let task = world.add(&row("task", "interval", "10"));
    world.advance_to("2026-01-01T12:00:15Z");
    world.database = Database::Unreachable;
    world.advance_to("2026-01-01T12:00:30Z");
    world.holds = |call| matches!(call, Call::Read(_));
    world.advance_to("2026-01-01T12:00:55Z");
    world.store.edit(task, |row| row.is_valid = Ok("0".to_owned()));
    world.store.edit(task, |row| row.is_valid = Ok("1".to_owned()));
    world.database = Database::Answers;
    world.advance_to("2026-01-01T12:01:05Z");
    // One that began in the outage is heard after the first renewal.
    let held = world.held.take().expect("a reading is under way");
    assert!(matches!(held, Event::Read(_, Err(_))), "{held:?}");
    world.send(held);
    world.advance_to("2026-01-01T12:01:07Z");
    assert_eq!(world.history_of(task).len(), 1, "{:?}", world.history_of(task));
    world.holds = |_| false;
    let held = world.held.take().expect("the next reading is under way");
    world.send(held);
    world.advance_to("2026-01-01T12:01:10Z");
    assert_eq!(world.history_of(task).last().unwrap(), "12:01:10 success");
}

#[test]
fn readings_that_take_longer_than_their_interval_make_no_fire_late() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let sync_interval = Duration::from_secs(1);
    world.node = node_with("a", Settings { sync_interval, ..Settings::default() });
    let good = world.add(&row("good", "interval", "1"));
    world.advance_to("2026-01-01T12:00:50Z");
    world.reading_takes = TimeDelta::seconds(3);
    world.advance_to("2026-01-01T12:05:00.900Z");
    let late = world.lateness_of(good);
    assert_eq!(late.len(), 300);
    assert!(late.iter().all(|late| *late <= 100), "{late:?} ms");
}

/// Another node takes the fires of a task, for which this one looks meanwhile.
#[test]
fn that_it_cannot_be_read_what_is_accounted_of_a_task_that_arrives_is_said_once() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let mut share = Share::new("a");
    share.alive(["a", "elsewhere"]);
    let task = (1..)
        .map(|number| world.add(&row(&format!("task {number}"), "interval", "5")))
        .find(|task| !share.is_mine(*task))
        .unwrap();
    (1..task).for_each(|other| wait(world.store.delete(other)).unwrap());
    for number in 1..120 {
        wait(world.store.renew("elsewhere")).unwrap();
        let next = at("2026-01-01T12:00:00Z") + TimeDelta::seconds(5 * number);
        world.advance_to(&(next - TimeDelta::milliseconds(100)).to_rfc3339());
        world.set_clock(next);
        world.now.mono += Duration::from_millis(100);
        world.skip_elsewhere(task, next);
        if number == 6 {
            world.poison_cursors = vec![world.add(&row("new", "interval", "60"))];
        }
    }
    let trouble = said(&world, |said| matches!(said, Notice::Health(Health::DatabaseTrouble(_))));
    assert_eq!(trouble, 1);
    // Not one after the other without a pause.
    assert!(world.readings.len() < 600, "{} readings in ten minutes", world.readings.len());
}
