//! Tasks whose transactions fail, and the others beside them.

use crate::world::*;

/// Adds tasks of a minute each.
fn add_many(world: &mut World, key: &str, count: usize) -> Vec<TaskId> {
    (0..count).map(|index| world.add(&row(&format!("{key} {index}"), "interval", "60"))).collect()
}

/// Five minutes of a task of ten seconds, in a world where others fail.
#[track_caller]
fn check_that_a_good_one_runs_on(mut world: World) {
    let good = world.add(&row("good", "interval", "10"));
    world.advance_to("2026-01-01T12:05:00Z");
    let late = world.lateness_of(good);
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

/// Each claim that fails costs a second, so that one of the ten is always due; what they fire is older.
#[test]
fn a_fire_that_could_not_be_claimed_for_a_moment_waits_for_none_that_never_can() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let bad = add_many(&mut world, "bad", 10);
    let healed = world.add(&row("healed", "interval", "60"));
    world.failure_takes = TimeDelta::seconds(1);
    world.poisons = [&bad[..], &[healed]].concat();
    world.advance_to("2026-01-01T12:03:30Z");
    world.poisons = bad;
    world.advance_to("2026-01-01T12:06:00Z");
    assert_eq!(world.history_of(healed).len(), 4, "{:?}", world.history_of(healed));
}

/// The readings bring the older ones again and again.
#[test]
fn a_manual_run_that_could_not_be_claimed_for_a_moment_waits_for_none_that_never_can() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let bad = world.add(&row("bad", "interval", "3600"));
    let healed = world.add(&row("healed", "interval", "3600"));
    world.failure_takes = TimeDelta::seconds(1);
    world.poisons = vec![bad, healed];
    world.advance_to("2026-01-01T12:01:55Z");
    for index in 0..20 {
        let instant = world.now.wall + TimeDelta::milliseconds(index);
        wait(world.store.request_run(bad, instant)).unwrap();
    }
    wait(world.store.request_run(healed, world.now.wall + TimeDelta::milliseconds(20))).unwrap();
    world.advance_to("2026-01-01T12:02:30Z");
    world.poisons = vec![bad];
    world.advance_to("2026-01-01T12:02:50Z");
    assert_eq!(world.history_of(healed), ["12:01:55 success"]);
}

#[test]
fn manual_runs_that_cannot_be_claimed_keep_no_fire_of_their_task() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let task = add_many(&mut world, "task", 1)[0];
    world.poisons = vec![task];
    world.spares_fires = true;
    world.advance_to("2026-01-01T12:01:55Z");
    for index in 0..10 {
        let instant = world.now.wall + TimeDelta::milliseconds(index);
        wait(world.store.request_run(task, instant)).unwrap();
    }
    world.advance_to("2026-01-01T12:10:30Z");
    let late = world.lateness_of(task);
    assert_eq!(late.len(), 10, "{:?}", world.history_of(task));
    assert!(late.iter().all(|late| *late <= 200), "{late:?} ms");
}

/// It is asked what became of it, then claimed anew, and so on.
#[test]
fn a_claim_that_never_has_an_answer_is_tried_every_five_seconds_and_said() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.unanswered = add_many(&mut world, "bad", 1);
    world.advance_to("2026-01-01T12:01:30Z");
    let before = world.claims;
    world.advance_to("2026-01-01T12:02:30Z");
    let tried = world.claims - before;
    assert!((10..=20).contains(&tried), "{tried} claims in a minute");
    assert!(world.notices.iter().any(|notice| matches!(notice, Notice::ClaimFails { .. })));
}

/// Of a run that ended at 12:00:50 the outcome could not be written until 12:00:56; the next try is after 12:01:01.
#[test]
fn a_stop_records_at_once_what_could_not_be_recorded_before() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let healed = world.add(&row("healed", "interval", "50"));
    world.unrecordables = vec![healed];
    world.advance_to("2026-01-01T12:00:56.500Z");
    world.unrecordables = vec![];
    world.advance_to("2026-01-01T12:00:57Z");
    assert_eq!(world.history_of(healed), ["12:00:50 todo"]);
    world.send(Event::Stop);
    world.advance_to("2026-01-01T12:00:57.100Z");
    assert!(world.has_left);
    assert_eq!(world.history_of(healed), ["12:00:50 success"]);
}

/// The database is back for the last 1.8 s of a stop. An outcome waits since it was gone, another one comes with the cut.
#[test]
fn what_waits_when_a_stop_cuts_is_recorded_at_once() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    let early = world.add(&row("early", "interval", "50"));
    let late = world.add(&row("late", "interval", "55"));
    world.advance_to("2026-01-01T12:01:00Z");
    world.send(Event::Stop);
    world.advance_to("2026-01-01T12:01:02Z");
    world.database = Database::Unreachable;
    world.end(1, Ok(()));
    world.advance_to("2026-01-01T12:01:10.100Z");
    world.database = Database::Answers;
    world.advance_to("2026-01-01T12:01:13Z");
    assert_eq!(world.history_of(early), ["12:00:50 success"]);
    assert_eq!(world.history_of(late), ["12:00:55 cancelled"]);
}

/// Ten fires that can never be claimed, one of which is always due.
#[test]
fn a_manual_run_that_could_not_be_claimed_for_a_moment_waits_for_no_fire_that_never_can() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let bad = add_many(&mut world, "bad", 10);
    let healed = world.add(&row("healed", "interval", "3600"));
    world.failure_takes = TimeDelta::seconds(1);
    world.poisons = [&bad[..], &[healed]].concat();
    world.advance_to("2026-01-01T12:03:00Z");
    wait(world.store.request_run(healed, world.now.wall)).unwrap();
    world.advance_to("2026-01-01T12:03:40Z");
    world.poisons = bad;
    world.advance_to("2026-01-01T12:04:20Z");
    assert_eq!(world.history_of(healed), ["12:03:00 success"]);
}

/// A batch holds two, and twenty older fires can never be claimed, of which some are always due.
#[test]
fn more_fires_that_fail_than_a_batch_holds_hide_no_other() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.node = node_with("a", Settings { batch: 2, ..Settings::default() });
    world.failure_takes = TimeDelta::seconds(1);
    world.poisons = add_many(&mut world, "bad", 20);
    let good = world.add(&row("good", "interval", "200"));
    world.advance_to("2026-01-01T12:10:10Z");
    let late = world.lateness_of(good);
    assert_eq!(late.len(), 3, "{:?}", world.history_of(good));
    assert!(late.iter().all(|late| *late <= 4_000), "{late:?} ms");
}

/// One that fails is found in eight steps, and as many more bring the others.
#[test]
fn one_claim_that_fails_among_two_hundred_costs_few_claims() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.poisons = add_many(&mut world, "task", 200)[77..78].to_vec();
    world.advance_to("2026-01-01T12:01:03Z");
    assert_eq!(world.history().len(), 199);
    assert!(world.claims <= 30, "{} claims", world.claims);
}

#[test]
fn an_outcome_whose_row_a_stranger_holds_is_tried_ten_times_a_second_and_delays_no_other() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let locked = world.add(&row("locked", "interval", "10"));
    let free = world.add(&row("free", "interval", "1"));
    world.locked = Some(locked);
    world.advance_to("2026-01-01T12:00:10Z");
    let before = world.calls;
    world.advance_to("2026-01-01T12:00:20.500Z");
    let calls = world.calls - before;
    assert!((90..=150).contains(&calls), "{calls} calls in ten seconds");
    assert_eq!(world.history_of(free).last().unwrap(), "12:00:20 success");
    world.locked = None;
    world.advance_to("2026-01-01T12:00:21Z");
    assert!(world.history_of(locked).contains(&"12:00:10 success".to_owned()));
}

/// They join the others each time that a fire of their task succeeds, and take those with them.
#[test]
fn manual_runs_that_cannot_be_claimed_delay_others_by_three_tries_at_most() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.failure_takes = TimeDelta::seconds(1);
    world.spares_fires = true;
    world.poisons = vec![world.add(&row("bad", "interval", "1"))];
    let good: Vec<TaskId> =
        (0..50).map(|index| world.add(&row(&format!("good {index}"), "interval", "10"))).collect();
    world.advance_to("2026-01-01T12:00:55Z");
    for index in 0..5 {
        let instant = world.now.wall + TimeDelta::milliseconds(index);
        wait(world.store.request_run(world.poisons[0], instant)).unwrap();
    }
    world.advance_to("2026-01-01T12:05:05Z");
    let late: Vec<i64> = good.iter().flat_map(|task| world.lateness_of(*task)).collect();
    assert_eq!(late.len(), 1_500);
    assert!(late.iter().all(|late| *late <= 3_200), "{late:?} ms");
}

/// Each of its other runs that is recorded brings it back among those that stand well.
#[test]
fn one_run_that_cannot_be_recorded_is_tried_and_said_as_rarely_as_its_task_would_be() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let allow = r#"{"overlap": "allow"}"#;
    world.add(&with_extra(row("often", "interval", "1"), allow));
    world.unrecordable_runs = vec![1];
    world.advance_to("2026-01-01T12:01:00Z");
    let (tried, lines) = (world.refused_records, said(&world, is_record_that_fails));
    world.advance_to("2026-01-01T12:02:00Z");
    assert!(world.refused_records - tried <= 20, "{} tries", world.refused_records - tried);
    assert_eq!(said(&world, is_record_that_fails) - lines, 0, "lines in a minute");
}

/// What ended and cannot be recorded counts as running.
#[test]
fn outcomes_of_one_task_that_cannot_be_written_leave_room_for_others() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.node = node_with("a", Settings { max_running: 30, ..Settings::default() });
    let allow = r#"{"overlap": "allow"}"#;
    world.unrecordables = vec![world.add(&with_extra(row("bad", "interval", "1"), allow))];
    let good = world.add(&row("good", "interval", "10"));
    world.advance_to("2026-01-01T12:05:00Z");
    assert_eq!(world.history_of(good).len(), 30, "{:?}", world.history_of(good));
}

#[test]
fn a_stop_records_what_can_be_recorded_among_many() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.unrecordables = add_many(&mut world, "bad", 100);
    let good = world.add(&row("good", "interval", "50"));
    world.takes = Some(TimeDelta::seconds(10_000));
    world.advance_to("2026-01-01T12:01:00Z");
    world.send(Event::Stop);
    world.advance_to("2026-01-01T12:01:13Z");
    assert_eq!(world.history_of(good), ["12:00:50 cancelled"]);
}

/// All of them are due together for the first time, and the good one comes last.
#[test]
fn twenty_nine_fires_that_each_cost_a_second_delay_the_thirtieth_by_a_minute_once_and_by_three_seconds_later()
 {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.failure_takes = TimeDelta::seconds(1);
    world.poisons = add_many(&mut world, "bad", 29);
    let good = world.add(&row("good", "interval", "60"));
    world.advance_to("2026-01-01T12:10:10Z");
    let late = world.lateness_of(good);
    assert_eq!(late.len(), 10, "{:?}", world.history_of(good));
    assert!(late[0] <= 60_000, "{late:?} ms");
    assert!(late[1..].iter().all(|late| *late <= 3_200), "{late:?} ms");
}

#[test]
fn a_claim_that_fails_once_is_tried_again_soon() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let task = world.add(&row("task", "interval", "2"));
    world.advance_to("2026-01-01T12:00:19Z");
    world.poisons = vec![task];
    world.advance_to("2026-01-01T12:00:20Z");
    world.poisons = vec![];
    world.advance_to("2026-01-01T12:00:30Z");
    assert!(world.history_of(task).contains(&"12:00:20 success".to_owned()));
}

/// Each fire that succeeds makes the manual run that fails news again.
#[test]
fn a_manual_run_that_cannot_be_claimed_is_said_once_and_tried_every_five_seconds() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.spares_fires = true;
    world.poisons = vec![world.add(&row("bad", "interval", "1"))];
    world.advance_to("2026-01-01T12:00:55Z");
    wait(world.store.request_run(world.poisons[0], world.now.wall)).unwrap();
    world.advance_to("2026-01-01T12:02:00.500Z");
    let (before, claims, calls) = (said(&world, is_claim_that_fails), world.claims, world.calls);
    world.advance_to("2026-01-01T12:03:00.500Z");
    let lines = said(&world, is_claim_that_fails) - before;
    let tried = world.claims - claims - 60;
    assert!(
        lines <= 1 && tried <= 20,
        "{lines} lines, {tried} tries, {} calls",
        world.calls - calls
    );
}

/// The end of an older run plans its task at once.
#[test]
fn a_fire_that_fails_alone_is_tried_every_five_seconds_also_while_runs_of_its_task_end() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = Some(TimeDelta::seconds(120));
    let allow = r#"{"overlap": "allow"}"#;
    let task = world.add(&with_extra(row("often", "interval", "1"), allow));
    world.advance_to("2026-01-01T12:02:00.500Z");
    world.poisons = vec![task];
    world.advance_to("2026-01-01T12:02:30.500Z");
    let before = world.claims;
    world.advance_to("2026-01-01T12:03:30.500Z");
    let tried = world.claims - before;
    assert!(tried <= 20, "{tried} tries in a minute");
}

/// One task whose outcomes are refused.
#[test]
fn outcomes_of_one_task_that_cannot_be_recorded_are_said_in_few_lines_and_tried_rarely() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let allow = r#"{"overlap": "allow"}"#;
    world.unrecordables = vec![world.add(&with_extra(row("bad", "interval", "1"), allow))];
    world.advance_to("2026-01-01T12:05:00Z");
    let before = world.refused_records;
    world.advance_to("2026-01-01T12:06:00Z");
    let tried = world.refused_records - before;
    let lines = said(&world, is_record_that_fails);
    assert!(lines <= 10 && tried <= 120, "{lines} lines, {tried} tries in a minute");
}

/// Each reading makes the older ones due again.
#[test]
fn a_manual_run_that_can_be_claimed_waits_for_none_of_twenty_tasks_whose_older_ones_never_can() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.failure_takes = TimeDelta::seconds(1);
    let bad: Vec<TaskId> =
        (0..20).map(|index| world.add(&row(&format!("bad {index}"), "interval", "3600"))).collect();
    let healed = world.add(&row("healed", "interval", "3600"));
    world.poisons = [&bad[..], &[healed]].concat();
    world.advance_to("2026-01-01T12:01:55Z");
    for task in world.poisons.clone() {
        wait(world.store.request_run(task, world.now.wall)).unwrap();
        world.now.wall += TimeDelta::milliseconds(1);
    }
    world.advance_to("2026-01-01T12:03:30Z");
    world.poisons = bad;
    world.advance_to("2026-01-01T12:04:30Z");
    assert_eq!(world.history_of(healed).len(), 1, "{:?}", world.history_of(healed));
}

/// Ten outcomes of one task cannot be recorded: it has no more runs, whoever asks for one.
#[test]
fn a_manual_run_waits_while_ten_outcomes_of_its_task_cannot_be_recorded() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let allow = r#"{"overlap": "allow"}"#;
    let task = world.add(&with_extra(row("bad", "interval", "1"), allow));
    world.unrecordables = vec![task];
    world.advance_to("2026-01-01T12:00:20Z");
    wait(world.store.request_run(task, world.now.wall)).unwrap();
    world.advance_to("2026-01-01T12:01:00Z");
    assert_eq!(world.history_of(task).len(), 10, "{:?}", world.history_of(task));
    world.unrecordables = vec![];
    world.advance_to("2026-01-01T12:01:20Z");
    assert!(world.history_of(task).contains(&"12:00:20 success".to_owned()));
}

/// Not the database is away, only its tables cannot be read: a claim that fails alone is no reason to wait for all.
#[test]
fn a_claim_that_fails_delays_no_other_while_the_tables_cannot_be_read() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.poisons = add_many(&mut world, "bad", 5);
    let good = world.add(&row("good", "interval", "1"));
    world.advance_to("2026-01-01T12:00:50Z");
    world.refuses_readings = true;
    world.advance_to("2026-01-01T12:03:00.900Z");
    let late = world.lateness_of(good);
    assert_eq!(late.len(), 180, "{:?}", world.history_of(good));
    assert!(late.iter().all(|late| *late <= 500), "{late:?} ms");
}

/// A claim that begins to fail while only the tables cannot be read.
#[test]
fn a_claim_that_begins_to_fail_while_the_tables_cannot_be_read_is_said() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let task = world.add(&row("task", "interval", "60"));
    world.advance_to("2026-01-01T12:00:45Z");
    world.refuses_readings = true;
    world.advance_to("2026-01-01T12:00:55Z");
    world.poisons = vec![task];
    world.advance_to("2026-01-01T12:01:10Z");
    world.refuses_readings = false;
    world.advance_to("2026-01-01T12:30:00Z");
    assert_eq!(said(&world, |n| matches!(n, Notice::Health(Health::DatabaseBack))), 1);
    assert_eq!(world.history_of(task), [""; 0]);
    let lines = said(&world, is_claim_that_fails);
    assert_eq!(lines, 1, "it fails for half an hour");
}

/// The same of a record.
#[test]
fn an_outcome_that_begins_to_fail_while_the_tables_cannot_be_read_is_said() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let task = world.add(&row("task", "interval", "60"));
    world.advance_to("2026-01-01T12:00:45Z");
    world.refuses_readings = true;
    world.advance_to("2026-01-01T12:00:55Z");
    world.unrecordables = vec![task];
    world.advance_to("2026-01-01T12:01:10Z");
    world.refuses_readings = false;
    world.advance_to("2026-01-01T12:30:00Z");
    let lines = said(&world, is_record_that_fails);
    assert_eq!(lines, 1, "it fails for half an hour");
}

/// Another node took the manual run that failed here: what fails an hour later is news.
#[test]
fn a_manual_run_that_fails_long_after_another_was_taken_elsewhere_is_said() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.spares_fires = true;
    let task = world.add(&row("task", "interval", "600"));
    world.advance_to("2026-01-01T12:01:00Z");
    world.poisons = vec![task];
    let request = wait(world.store.request_run(task, world.now.wall)).unwrap();
    world.advance_to("2026-01-01T12:02:00Z");
    assert_eq!(said(&world, is_claim_that_fails), 1);
    world.claim_elsewhere(task, "2026-01-01T12:01:00Z", Origin::Request(request));
    world.end_elsewhere();
    world.advance_to("2026-01-01T12:02:20Z");
    world.poisons = vec![];
    world.advance_to("2026-01-01T14:01:55Z");
    world.poisons = vec![task];
    wait(world.store.request_run(task, world.now.wall)).unwrap();
    world.advance_to("2026-01-01T14:10:00Z");
    assert_eq!(said(&world, is_claim_that_fails), 2);
}

fn one_manual_run_never_can(sync_interval: u64, takes: i64) -> Vec<String> {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let sync_interval = Duration::from_secs(sync_interval);
    world.node = node_with("a", Settings { sync_interval, ..Settings::default() });
    world.failure_takes = TimeDelta::seconds(takes);
    let task = world.add(&row("task", "interval", "3600"));
    world.advance_to("2026-01-01T12:00:10Z");
    let bad = wait(world.store.request_run(task, world.now.wall)).unwrap();
    world.poison_requests = vec![bad];
    world.advance_to("2026-01-01T12:01:30Z");
    wait(world.store.request_run(task, world.now.wall)).unwrap();
    world.advance_to("2026-01-01T12:10:00Z");
    world.history_of(task)
}

/// Each reading makes the older one of the same task due first again.
#[test]
fn a_manual_run_that_can_be_claimed_waits_for_none_of_its_own_task_that_never_can() {
    for (sync_interval, takes) in [(10, 0), (10, 1), (10, 5), (5, 0), (2, 0), (1, 0)] {
        let history = one_manual_run_never_can(sync_interval, takes);
        assert_eq!(history, ["12:01:30 success"], "{sync_interval} {takes}");
    }
}

#[test]
fn a_claim_that_fails_after_its_task_was_switched_off_and_on_is_said_again() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let task = world.add(&row("task", "interval", "60"));
    world.advance_to("2026-01-01T12:00:30Z");
    world.poisons = vec![task];
    world.advance_to("2026-01-01T12:02:00Z");
    assert_eq!(said(&world, is_claim_that_fails), 1);
    wait(world.store.set_enabled(task, false)).unwrap();
    world.advance_to("2026-01-01T12:03:00Z");
    wait(world.store.set_enabled(task, true)).unwrap();
    world.advance_to("2026-01-01T12:05:00Z");
    assert_eq!(said(&world, is_claim_that_fails), 2);
}

#[test]
fn a_claim_that_fails_under_a_new_spec_is_said_again() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let task = world.add(&row("task", "interval", "60"));
    world.advance_to("2026-01-01T12:00:30Z");
    world.poisons = vec![task];
    world.advance_to("2026-01-01T12:02:00Z");
    assert_eq!(said(&world, is_claim_that_fails), 1);
    wait(world.store.set_spec(task, "90")).unwrap();
    world.advance_to("2026-01-01T12:05:00Z");
    assert_eq!(said(&world, is_claim_that_fails), 2);
}

/// Of two manual runs one can never be claimed, and the other finds its task busy.
#[test]
fn a_manual_run_that_never_can_be_claimed_is_said_once_while_its_task_runs_elsewhere() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let task = world.add(&row("task", "interval", "36000"));
    world.advance_to("2026-01-01T12:00:05Z");
    world.run_elsewhere(task, "2026-01-01T11:00:00Z");
    world.poison_requests = vec![wait(world.store.request_run(task, world.now.wall)).unwrap()];
    wait(world.store.request_run(task, world.now.wall)).unwrap();
    for number in 1..60 {
        wait(world.store.renew("elsewhere")).unwrap();
        let next = at("2026-01-01T12:00:05Z") + TimeDelta::seconds(5 * number);
        world.advance_to(&next.to_rfc3339());
    }
    assert_eq!(said(&world, is_claim_that_fails), 1);
}
