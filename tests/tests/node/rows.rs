//! What edits, bad rows and deletions do.

use crate::world::*;

#[test]
fn a_new_spec_takes_over_within_ten_seconds_and_the_old_grid_ends_with_the_edit() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("five", "interval", "5"));
    world.advance_to("2026-01-01T12:00:12Z");
    wait(world.store.set_spec(id, "2")).unwrap();
    world.advance_to("2026-01-01T12:00:24Z");
    // 12:00:15 is the old grid's: its claim finds the new spec and asks for a reading at once.
    world.check_history(&[
        "12:00:05 success",
        "12:00:10 success",
        "12:00:14 success",
        "12:00:16 success",
        "12:00:18 success",
        "12:00:20 success",
        "12:00:22 success",
        "12:00:24 success",
    ]);
}

#[test]
fn a_disabled_task_claims_nothing_after_the_edit() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("five", "interval", "5"));
    world.advance_to("2026-01-01T12:00:11Z");
    wait(world.store.set_enabled(id, false)).unwrap();
    world.advance_to("2026-01-01T12:01:00Z");
    world.check_history(&["12:00:05 success", "12:00:10 success"]);
    wait(world.store.set_enabled(id, true)).unwrap();
    world.advance_to("2026-01-01T12:01:11Z");
    world.check_history(&[
        "12:00:05 success",
        "12:00:10 success",
        "12:01:05 missed",
        "12:01:10 success",
    ]);
}

/// Its deletion was read before.
#[test]
fn a_row_that_is_gone_when_a_claim_tells_that_it_was_off_stays_gone() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("five", "interval", "5"));
    world.advance_to("2026-01-01T12:00:11Z");
    wait(world.store.set_enabled(id, false)).unwrap();
    world.holds = |call| matches!(call, Call::Claim(_));
    world.advance_to("2026-01-01T12:00:16Z");
    let refused = world.held.take().expect("a claim is under way");
    world.holds = |_| false;
    wait(world.store.delete(id)).unwrap();
    world.advance_to("2026-01-01T12:00:21Z");
    let disabled = |world: &World| world.node.survey(world.now).rows.disabled;
    assert_eq!(disabled(&world), 0, "it is read that it is gone");
    world.send(refused);
    world.advance_to("2026-01-01T12:00:41Z");
    assert_eq!(disabled(&world), 0);
}

/// The reading after it shows the row as the one before did.
#[test]
fn a_task_that_only_a_claim_saw_switched_off_is_on_again_after_the_next_reading() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("five", "interval", "5"));
    world.advance_to("2026-01-01T12:00:11Z");
    let stands = wait(world.store.read()).unwrap().rows.remove(0);
    world.store.insert_task(TaskRow { is_valid: Ok("0".to_owned()), ..stands.clone() });
    world.advance_to("2026-01-01T12:00:16Z");
    world.check_history(&["12:00:05 success", "12:00:10 success"]);
    world.store.insert_task(stands);
    world.advance_to("2026-01-01T12:00:30Z");
    assert_eq!(world.history().last().unwrap(), "12:00:30 success", "{:?}", world.history());
}

#[test]
fn other_columns_of_a_live_task_are_said_once_and_wait_for_disable_and_enable() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.takes = None;
    let id = world.add(&with_extra(row("five", "interval", "5"), r#"{"overlap": "allow"}"#));
    world.advance_to("2026-01-01T12:00:06Z");
    world.store.edit(id, |row| row.args = Ok("new".to_owned()));
    world.advance_to("2026-01-01T12:00:46Z");
    let said = world.notices.iter().filter(
        |notice| matches!(notice, Notice::EditIgnored { columns, .. } if columns == &["args"]),
    );
    assert_eq!(said.count(), 1);
    assert!(world.running.values().all(|(_, run)| run.args.is_empty()));
    wait(world.store.set_enabled(id, false)).unwrap();
    world.advance_to("2026-01-01T12:01:00Z");
    wait(world.store.set_enabled(id, true)).unwrap();
    world.advance_to("2026-01-01T12:01:16Z");
    assert_eq!(world.running.values().filter(|(_, run)| &*run.args == "new").count(), 2);
}

#[test]
fn a_bad_row_is_said_once_and_harms_no_other() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("bad cron", "cron", "61 * * * *"));
    world.add(&NewTask { execute_func: "jab".to_owned(), ..row("bad job", "interval", "5") });
    world.add(&row("good", "interval", "5"));
    world.add(&with_extra(row("bad extra", "interval", "5"), "not json"));
    let id = world.add(&row("bad interval", "interval", "0"));
    world.advance_to("2026-01-01T12:00:31Z");
    assert_eq!(world.history().len(), 6);
    let rejections = world.rejections();
    assert_eq!(rejections.len(), 4, "{rejections:#?}");
    for (rejection, part) in
        rejections.iter().zip(["minute", "such as \"job\"", "extra \"not json\"", "spec \"0\""])
    {
        assert!(rejection.contains(part), "{rejection} names {part}");
    }
    wait(world.store.set_spec(id, "10")).unwrap();
    world.advance_to("2026-01-01T12:00:41Z");
    assert_eq!(world.history().len(), 6 + 2 + 1, "the mended row runs");
}

#[test]
fn a_live_row_whose_spec_breaks_stops_and_is_rejected() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("five", "interval", "5"));
    world.advance_to("2026-01-01T12:00:06Z");
    wait(world.store.set_spec(id, "nonsense")).unwrap();
    world.advance_to("2026-01-01T12:00:40Z");
    world.check_history(&["12:00:05 success"]);
    assert_eq!(world.rejections().len(), 1);
}

#[test]
fn a_deleted_row_is_forgotten() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("five", "interval", "5"));
    world.advance_to("2026-01-01T12:00:06Z");
    wait(world.store.delete(id)).unwrap();
    world.advance_to("2026-01-01T12:00:40Z");
    world.check_history(&["12:00:05 success"]);
    assert!(world.notices.iter().any(|notice| matches!(notice, Notice::Deleted(..))));
}

#[test]
fn a_second_row_of_one_key_is_rejected() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let first = world.add(&row("one", "interval", "5"));
    let second = world.add(&row("two", "interval", "5"));
    world.store.edit(second, |row| {
        row.task_key = Ok("one".to_owned());
        row.status = Ok("doing".to_owned());
    });
    world.advance_to("2026-01-01T12:00:06Z");
    world.check_history(&["12:00:05 success"]);
    assert!(
        world.rejections()[0].contains(&format!("belongs to task {first}")),
        "{:?}",
        world.rejections()
    );
}

#[test]
fn a_key_of_extra_that_resembles_one_of_ours_is_said_once_and_the_row_is_scheduled() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&with_extra(row("five", "interval", "5"), r#"{"retires": 3, "owner": "ops"}"#));
    world.advance_to("2026-01-01T12:00:35Z");
    let doubts: Vec<_> = world
        .notices
        .iter()
        .filter_map(|notice| match notice {
            Notice::Doubtful { doubt, .. } => Some((&*doubt.key, doubt.nearest)),
            _ => None,
        })
        .collect();
    assert_eq!(doubts, [("retires", "retries")]);
    assert!(!world.rows().is_empty());
}

#[test]
fn a_row_whose_key_becomes_free_is_scheduled() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let first = world.add(&row("one", "interval", "5"));
    let second = world.add(&row("two", "interval", "5"));
    world.store.edit(second, |row| {
        row.task_key = Ok("one".to_owned());
        row.status = Ok("doing".to_owned());
    });
    world.advance_to("2026-01-01T12:00:21Z");
    wait(world.store.delete(first)).unwrap();
    world.advance_to("2026-01-01T12:01:00Z");
    assert_eq!(world.rows().last().unwrap().task_id, second);
    assert_eq!(world.rejections().len(), 1, "said once");
}

#[test]
fn a_claim_that_finds_a_new_spec_waits_for_the_next_reading() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("five", "interval", "5"));
    world.advance_to("2026-01-01T12:00:12Z");
    wait(world.store.set_spec(id, "3600")).unwrap();
    world.claims = 0;
    world.advance_to("2026-01-01T12:00:40Z");
    assert_eq!(world.claims, 1, "the claim of 12:00:15, refused");
}

#[test]
fn a_row_that_claims_find_changed_is_read_at_once_and_then_every_half_second() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("five", "interval", "5"));
    world.finds_other_specs = true;
    world.holds = |call| matches!(call, Call::Claim(_));
    while world.now.wall < at("2026-01-01T12:00:06Z") {
        // A claim takes the database 10 ms.
        let under_way = world.held.take();
        world.advance_to(&(world.now.wall + TimeDelta::milliseconds(10)).to_rfc3339());
        if let Some(refused) = under_way {
            world.send(refused);
        }
    }
    let read: Vec<String> =
        world.readings.iter().map(|at| at.format("%T%.3f").to_string()).collect();
    assert_eq!(read, ["12:00:00.000", "12:00:05.010", "12:00:05.510"]);
}

#[test]
fn an_edit_that_did_not_move_update_at_counts_from_the_last_reading_before_it() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("hour", "interval", "3600"));
    world.advance_to("2026-01-01T12:30:05Z");
    world.store.edit(id, |row| {
        row.spec = Ok("60".to_owned());
        row.updated_at = row.updated_at.map(|at| at - TimeDelta::seconds(1));
    });
    world.advance_to("2026-01-01T12:32:00Z");
    world.check_history(&["12:31:00 success", "12:32:00 success"]);
}

#[test]
fn a_row_that_was_off_while_the_node_could_read_nothing_counts_from_its_edit() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let task = world.add(&row("ten", "interval", "10"));
    world.advance_to("2026-01-01T12:00:16Z");
    world.database = Database::Unreachable;
    wait(world.store.set_enabled(task, false)).unwrap();
    world.advance_to("2026-01-01T12:00:45Z");
    wait(world.store.set_enabled(task, true)).unwrap();
    world.advance_to("2026-01-01T12:00:52Z");
    world.database = Database::Answers;
    world.advance_to("2026-01-01T12:01:00Z");
    world.check_history(&["12:00:10 success", "12:00:50 success", "12:01:00 success"]);
}

#[test]
fn after_an_outage_a_node_reads_before_it_claims() {
    // Whichever call is the first that the database answers.
    for back in (31_500..36_000).step_by(37) {
        let mut world = World::new("2026-01-01T12:00:00Z");
        let task = world.add(&row("twelve", "interval", "12"));
        world.advance_to("2026-01-01T12:00:16Z");
        world.database = Database::Unreachable;
        wait(world.store.set_enabled(task, false)).unwrap();
        world.advance_to("2026-01-01T12:00:31Z");
        wait(world.store.set_enabled(task, true)).unwrap();
        let (second, ms) = (back / 1_000, back % 1_000);
        world.advance_to(&format!("2026-01-01T12:00:{second}.{ms:03}Z"));
        world.database = Database::Answers;
        world.advance_to("2026-01-01T12:01:00Z");
        let history = world.history();
        assert!(!history.iter().any(|row| row.starts_with("12:00:24")), "{back}: {history:?}");
    }
}

#[test]
fn an_outage_without_an_edit_leaves_no_instant_out() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.add(&row("ten", "interval", "10"));
    world.advance_to("2026-01-01T12:00:16Z");
    world.database = Database::Unreachable;
    world.advance_to("2026-01-01T12:00:52Z");
    world.database = Database::Answers;
    world.advance_to("2026-01-01T12:01:00Z");
    let missed = "12:00:40 missed";
    world.check_history(&["12:00:10 success", missed, "12:00:50 success", "12:01:00 success"]);
}

#[test]
fn a_node_that_was_frozen_or_slept_reads_before_it_claims() {
    // Short of its lease, so that it may claim at once; a machine that sleeps stops its monotonic clock.
    for mono in [22, 0] {
        reads_before_it_claims(Duration::from_secs(mono));
    }
}

fn reads_before_it_claims(passed: Duration) {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let task = world.add(&row("ten", "interval", "10"));
    world.advance_to("2026-01-01T12:00:16Z");
    wait(world.store.set_enabled(task, false)).unwrap();
    world.set_clock(at("2026-01-01T12:00:35Z"));
    wait(world.store.set_enabled(task, true)).unwrap();
    world.set_clock(at("2026-01-01T12:00:38Z"));
    world.now.mono += passed;
    world.advance_to("2026-01-01T12:00:40Z");
    world.check_history(&["12:00:10 success", "12:00:40 success"]);
}

/// A world of a table so large that a reading of it takes two seconds.
fn large() -> World {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.node = node_with("a", Settings { small_table: 0, ..Settings::default() });
    world.reading_takes = TimeDelta::seconds(2);
    world
}

/// An edit that only a reading of all rows shows: the row is rejected then.
fn spoil_in_silence(world: &World, id: TaskId) {
    world.store.edit(id, |row| {
        row.spec = Ok("no interval".to_owned());
        row.updated_at = row.created_at.map(|at| at - TimeDelta::seconds(100));
    });
}

#[test]
fn of_a_large_table_what_comes_goes_or_is_edited_is_seen_within_ten_seconds() {
    let mut world = large();
    let edited = world.add(&row("edited", "interval", "5"));
    let deleted = world.add(&row("deleted", "interval", "86400"));
    let last = world.add(&row("last", "interval", "86400"));
    world.advance_to("2026-01-01T12:01:00Z");
    let scheduled = |world: &World| world.node.survey(world.now).rows.scheduled;
    assert_eq!(scheduled(&world), 3);
    wait(world.store.set_spec(edited, "2")).unwrap();
    let new = world.add(&row("new", "interval", "5"));
    world.advance_to("2026-01-01T12:01:20Z");
    let history = world.history_of(edited);
    assert_eq!(history[history.len() - 2..], ["12:01:18 success", "12:01:20 success"]);
    assert_eq!(world.history_of(new).last().unwrap(), "12:01:20 success");
    assert_eq!(scheduled(&world), 4);
    wait(world.store.delete(deleted)).unwrap();
    world.advance_to("2026-01-01T12:01:40Z");
    assert_eq!(scheduled(&world), 3);
    // Its key is that of another.
    wait(world.store.delete(last)).unwrap();
    let again = world.add(&row("last", "interval", "5"));
    world.advance_to("2026-01-01T12:02:00Z");
    assert_eq!(world.history_of(again).last().unwrap(), "12:02:00 success");
}

#[test]
fn of_a_large_table_no_instant_is_lost_to_an_edit_that_says_nothing_of_itself() {
    let mut world = large();
    let id = world.add(&row("hourly", "interval", "3600"));
    world.advance_to("2026-01-01T12:01:00Z");
    world.store.edit(id, |row| {
        row.spec = Ok("60".to_owned());
        row.updated_at = row.created_at.map(|at| at - TimeDelta::seconds(1));
    });
    world.advance_to("2026-01-01T12:03:00Z");
    world.check_history(&[]);
    world.advance_to("2026-01-01T12:05:10Z");
    // All rows were read at 12:00:00 and after 12:03:22 (two seconds are 1 % of 200 s): what was due since the first is accounted for,
    // of what is overdue the newest by a run and the others by one row.
    world.check_history(&[
        "12:02:00 missed",
        "12:03:00 success",
        "12:04:00 success",
        "12:05:00 success",
    ]);
}

#[test]
fn of_a_large_table_all_is_read_anew_by_who_was_frozen() {
    let mut world = large();
    let id = world.add(&row("five", "interval", "5"));
    world.advance_to("2026-01-01T12:01:00Z");
    let spoilt = world.add(&row("spoilt", "interval", "86400"));
    world.advance_to("2026-01-01T12:01:21Z");
    spoil_in_silence(&world, spoilt);
    let scheduled = |world: &World| world.node.survey(world.now).rows.scheduled;
    assert_eq!(scheduled(&world), 2);
    let now = world.now.wall + TimeDelta::seconds(40);
    world.set_clock(now);
    world.now.mono += Duration::from_secs(40);
    world.advance_to(&(now + TimeDelta::seconds(13)).to_rfc3339());
    assert_eq!(scheduled(&world), 1);
    assert!(world.history_of(id).last().unwrap().ends_with(" success"));
}

#[test]
fn of_a_small_table_every_reading_shows_all_however_soon_it_follows_upon_another() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    world.reading_takes = TimeDelta::milliseconds(100);
    let spoilt = world.add(&row("spoilt", "interval", "86400"));
    world.advance_to("2026-01-01T12:01:12Z");
    spoil_in_silence(&world, spoilt);
    world.advance_to("2026-01-01T12:01:15Z");
    let scheduled = |world: &World| world.node.survey(world.now).rows.scheduled;
    assert_eq!(scheduled(&world), 1);
    world.send(Event::Wake);
    world.advance_to("2026-01-01T12:01:16Z");
    assert_eq!(scheduled(&world), 0);
}

#[test]
fn a_row_that_was_rejected_for_its_status_runs_when_that_alone_is_mended() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("five", "interval", "5"));
    let set = |world: &World, status: &str| {
        world.store.edit(id, |row| row.status = Ok(status.to_owned()));
    };
    set(&world, "todo");
    world.advance_to("2026-01-01T12:00:30Z");
    world.check_history(&[]);
    set(&world, "ready");
    world.advance_to("2026-01-01T12:00:46Z");
    assert_eq!(world.history_of(id).last().unwrap(), "12:00:45 success");
}

#[test]
fn a_row_whose_trigger_and_spec_are_edited_together_begins_anew_with_both() {
    let mut world = World::new("2026-01-01T12:00:00Z");
    let id = world.add(&row("a", "cron", "30 * * * *"));
    world.advance_to("2026-01-01T12:01:00Z");
    world.store.edit(id, |row| {
        row.trigger = Ok("interval".to_owned());
        row.spec = Ok("5".to_owned());
    });
    world.advance_to("2026-01-01T12:01:20Z");
    assert_eq!(world.history_of(id).last().unwrap(), "12:01:20 success");
    world.store.edit(id, |row| row.spec = Ok("no interval".to_owned()));
    world.advance_to("2026-01-01T12:02:00Z");
    assert_eq!(world.node.survey(world.now).rows.rejected, 1);
}
