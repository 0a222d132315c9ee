//! What people ask for by command line and page.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Fixture, at, new_task, note_of, outcome, requests::claim_of, run_of};
use crate::{
    plan::{
        claim::{Claim, Origin, Request},
        execution::{ExecutionRow, Outcome, Status},
        retry::Retry,
        task::TaskId,
    },
    store::{
        Around, ExecutionFilter, FailingTask, NewTask, OutcomeCount, StoreError, TaskSelection,
    },
};

const ALL: ExecutionFilter = ExecutionFilter::newest(1_000);

pub async fn a_new_task_reads_back_as_it_was_given(fixture: &Fixture) {
    let task = NewTask {
        id: None,
        task_key: "任务 🦀 'quoted\" \\".to_owned(),
        description: "a; b -- c".to_owned(),
        execute_func: "test_cron".to_owned(),
        trigger: "cron".to_owned(),
        spec: "*/5 * * * MON".to_owned(),
        args: r#""guess","hello""#.to_owned(),
        is_enabled: false,
        extra: r#"{"err":"a\\b"}"#.to_owned(),
    };
    let id = fixture.store.add(&task).await.unwrap();
    let row = fixture.row(id).await;
    let given = [
        (row.task_key, task.task_key),
        (row.description, task.description),
        (row.execute_func, task.execute_func),
        (row.trigger, task.trigger),
        (row.spec, task.spec),
        (row.args, task.args),
        (row.extra, task.extra),
        (row.is_valid, "0".to_owned()),
        (row.status, "ready".to_owned()),
    ];
    for (read, given) in given {
        assert_eq!(read, Ok(given));
    }
}

fn is_taken<T: std::fmt::Debug>(added: &Result<T, StoreError>, expected: &str) {
    assert!(matches!(added, Err(StoreError::KeyTaken { key }) if key == expected), "{added:?}");
}

pub async fn a_key_is_taken_once(fixture: &Fixture) {
    let task = fixture.add("a").await;
    is_taken(&fixture.other.add(&new_task("a")).await, "a");
    // Whatever status the other row stands in: the original's key alone would let this one in.
    fixture.won(&run_of(task, at(10))).await;
    is_taken(&fixture.other.add(&new_task("a")).await, "a");
    fixture.add("b").await;
}

pub async fn a_value_that_does_not_fit_is_refused_or_kept_whole(fixture: &Fixture) {
    let spec = "5".repeat(300);
    let Ok(id) = fixture.store.add(&NewTask { spec: spec.clone(), ..new_task("long") }).await
    else {
        return assert!(fixture.store.read().await.unwrap().rows.is_empty());
    };
    // Cut by the reading one character beyond the limit: the row is rejected, not scheduled as another.
    let read = fixture.row(id).await.spec.unwrap();
    assert!(read.len() > 255 && spec.starts_with(&read), "{read}");
}

pub async fn an_id_is_taken_once(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let second = NewTask { id: Some(task), ..new_task("b") };
    fixture.store.add(&second).await.unwrap_err();
    assert_eq!(fixture.row(task).await.task_key.as_deref(), Ok("a"));
}

pub async fn an_id_never_comes_back(fixture: &Fixture) {
    let first = fixture.add("a").await;
    fixture.store.delete(first).await.unwrap();
    let second = fixture.add("a").await;
    assert!(second > first, "{second} after {first}");
}

pub async fn switching_moves_update_at_only_when_it_changes_something(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let before = fixture.backdate(task).await;
    fixture.store.set_enabled(task, true).await.unwrap();
    assert_eq!(fixture.row(task).await.updated_at, before);
    fixture.store.set_enabled(task, false).await.unwrap();
    let row = fixture.row(task).await;
    assert_eq!(row.is_valid.as_deref(), Ok("0"));
    assert!(row.updated_at > before);
}

pub async fn a_spec_moves_update_at_only_when_it_changes_something(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let before = fixture.backdate(task).await;
    fixture.store.set_spec(task, "10").await.unwrap();
    assert_eq!(fixture.row(task).await.updated_at, before);
    fixture.store.set_spec(task, "11").await.unwrap();
    let row = fixture.row(task).await;
    assert_eq!(row.spec.as_deref(), Ok("11"));
    assert!(row.updated_at > before);
}

pub async fn a_spec_that_differs_in_case_or_blanks_is_another(fixture: &Fixture) {
    let task = fixture.add("a").await;
    for spec in ["* * * * mon", "* * * * MON", "* * * * MON ", "* * * * MÖN", "* * * * MON"] {
        fixture.store.set_spec(task, spec).await.unwrap();
        assert_eq!(fixture.row(task).await.spec.as_deref(), Ok(spec));
    }
}

pub async fn an_edit_of_no_task_is_refused(fixture: &Fixture) {
    let refused = [
        fixture.store.set_enabled(4_711, true).await,
        fixture.store.set_spec(4_711, "5").await,
        fixture.store.delete(4_711).await,
    ];
    for result in refused {
        assert!(
            matches!(result, Err(StoreError::NotFound { what: "task", id: 4_711 })),
            "{result:?}"
        );
    }
}

pub async fn a_task_is_shown_with_its_newest_fire(fixture: &Fixture) {
    let (a, b) = (fixture.add("a").await, fixture.add("b").await);
    fixture.claim(&note_of(a, at(10), Status::Missed)).await;
    let shown = |tasks: Vec<crate::store::DeskTask>| -> Vec<(TaskId, Option<DateTime<Utc>>)> {
        tasks.into_iter().map(|task| (task.row.id, task.last_accounted)).collect()
    };
    let all = fixture.other.tasks(TaskSelection::All).await.unwrap();
    assert_eq!(shown(all), [(a, Some(at(10))), (b, None)]);
    let one = fixture.other.tasks(TaskSelection::Id(b)).await.unwrap();
    assert_eq!(shown(one), [(b, None)]);
    assert_eq!(fixture.other.tasks(TaskSelection::Id(4_711)).await.unwrap(), []);
}

pub async fn executions_are_listed_newest_first_in_pages(fixture: &Fixture) {
    let task = fixture.add("a").await;
    for secs in 1..=5 {
        fixture.claim(&note_of(task, at(secs), Status::Missed)).await;
    }
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page =
            fixture.store.executions(ExecutionFilter { before, limit: 2, ..ALL }).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        seen.extend(page.into_iter().map(|row| row.scheduled_at.unwrap()));
    }
    assert_eq!(seen, [at(5), at(4), at(3), at(2), at(1)]);
}

pub async fn executions_are_filtered_by_task_and_status(fixture: &Fixture) {
    let (a, b) = (fixture.add("a").await, fixture.add("b").await);
    fixture.claim(&note_of(a, at(1), Status::Missed)).await;
    fixture.claim(&note_of(b, at(2), Status::Missed)).await;
    let run = run_of(a, at(3));
    let id = fixture.won(&run).await;
    fixture.record(&outcome(id, &run, Status::Fail)).await;
    let count = async |task_id, status| {
        fixture.store.executions(ExecutionFilter { task_id, status, ..ALL }).await.unwrap().len()
    };
    assert_eq!(count(None, None).await, 3);
    assert_eq!(count(Some(a), None).await, 2);
    assert_eq!(count(None, Some(Status::Missed)).await, 2);
    assert_eq!(count(Some(a), Some(Status::Fail)).await, 1);
    assert_eq!(count(Some(b), Some(Status::Fail)).await, 0);
    assert_eq!(count(Some(4_711), None).await, 0);
}

pub async fn executions_are_listed_from_an_instant_up_to_another(fixture: &Fixture) {
    let task = fixture.add("a").await;
    for secs in 1..=3 {
        fixture.claim(&note_of(task, at(secs), Status::Missed)).await;
    }
    let all = fixture.executions().await;
    let created = |place: usize| all[place].created_at.unwrap();
    let listed = async |until| {
        let filter = ExecutionFilter { until: Some(until), ..ALL };
        fixture.store.executions(filter).await.unwrap().into_iter().map(|row| row.id).collect()
    };
    let until = |until| {
        let created = all.iter().rev().filter(move |row| row.created_at.unwrap() < until);
        created.map(|row| row.id).collect::<Vec<_>>()
    };
    let [early, late] = [created(0) - TimeDelta::seconds(1), created(2) + TimeDelta::days(1)];
    for instant in [early, created(0), created(1), created(2), late] {
        let listed: Vec<_> = listed(instant).await;
        assert_eq!(listed, until(instant));
    }
    assert!(until(early).is_empty());
    assert_eq!(until(late).len(), 3);
    for status in [None, Some(Status::Missed)] {
        for task_id in [None, Some(task)] {
            for instant in [early, created(0), created(1), created(2), late] {
                let filter = ExecutionFilter { task_id, status, since: Some(instant), ..ALL };
                let listed = fixture.store.executions(filter).await.unwrap();
                let since = all.iter().rev().filter(|row| row.created_at.unwrap() >= instant);
                assert!(since.map(|row| row.id).eq(listed.iter().map(|row| row.id)), "{filter:?}");
            }
        }
    }
}

pub async fn tasks_that_failed_are_counted_and_have_recovered_once_they_succeed(fixture: &Fixture) {
    let [noisy, calm, fine] =
        [fixture.add("noisy").await, fixture.add("calm").await, fixture.add("fine").await];
    let run = async |task, secs, status| {
        let claim = run_of(task, at(secs));
        let id = fixture.won(&claim).await;
        fixture.record(&outcome(id, &claim, status)).await;
        id
    };
    run(fine, 1, Status::Success).await;
    run(calm, 1, Status::Success).await;
    let of_calm = run(calm, 2, Status::Lost).await;
    for secs in 1..30 {
        run(noisy, secs, Status::Fail).await;
    }
    let of_noisy = run(noisy, 30, Status::Timeout).await;
    let now = fixture.store.now().await.unwrap();
    let failing = async |since, most| {
        let found = fixture.store.failing(since, most).await.unwrap();
        let told = |one: &FailingTask| (one.last.id, one.count, one.has_recovered);
        found.iter().map(told).collect::<Vec<_>>()
    };
    let since = now - TimeDelta::days(1);
    let both = [(of_noisy, 30, false), (of_calm, 1, false)];
    assert_eq!(failing(since, 200).await, both, "a noisy one hides no other");
    run(noisy, 31, Status::Success).await;
    run(noisy, 32, Status::Cancelled).await;
    fixture.claim(&note_of(calm, at(3), Status::Skipped)).await;
    let noisy_is_well = [(of_calm, 1, false), (of_noisy, 30, true)];
    assert_eq!(failing(since, 200).await, noisy_is_well, "whatever came after its success");
    assert_eq!(failing(since, 1).await, [(of_noisy, 30, true)], "the one that failed last");
    assert_eq!(failing(now + TimeDelta::hours(1), 200).await, []);
}

pub async fn of_each_task_the_last_executions_are_read(fixture: &Fixture) {
    let (a, b, c) = (fixture.add("a").await, fixture.add("b").await, fixture.add("c").await);
    for second in 1..=4 {
        fixture.claim(&note_of(a, at(second), Status::Missed)).await;
    }
    let run = run_of(b, at(2));
    let id = fixture.won(&run).await;
    fixture.record(&outcome(id, &run, Status::Fail)).await;
    let recent = fixture.store.recent(&[b, a, c, 4_711], 3).await.unwrap();
    let said = recent.iter().map(|row| (row.task_id, row.scheduled_at.unwrap(), &*row.status));
    let missed = [2, 3, 4].map(|second| (a, at(second), "missed"));
    let expected = missed.into_iter().chain([(b, at(2), "fail")]);
    assert_eq!(said.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    assert_eq!(recent[3].id, id);
    assert!(recent[3].started_at.is_some() && recent[3].finished_at.is_some());
    assert_eq!(fixture.store.recent(&[], 3).await.unwrap(), []);
}

pub async fn an_execution_is_shown_with_its_tasks_key(fixture: &Fixture) {
    let task = fixture.add("a").await;
    let id = fixture.won(&run_of(task, at(1))).await;
    assert_eq!(fixture.execution(id).await.task_key.as_deref(), Some("a"));
    fixture.store.delete(task).await.unwrap();
    assert_eq!(fixture.execution(id).await.task_key, None);
    assert_eq!(fixture.executions().await[0].task_key, None);
}

pub async fn an_execution_that_is_not_there_is_not_found(fixture: &Fixture) {
    let error = fixture.store.execution(4_711).await.unwrap_err();
    assert_eq!(error.to_string(), "execution 4711 does not exist");
}

pub async fn demo_rows_are_given_once(fixture: &Fixture) {
    let rows = [new_task("a"), new_task("b")];
    assert!(fixture.store.load_demo(&rows).await.unwrap());
    assert!(!fixture.other.load_demo(&rows).await.unwrap());
    for task in fixture.store.read().await.unwrap().rows {
        fixture.store.delete(task.id).await.unwrap();
    }
    assert!(!fixture.store.load_demo(&rows).await.unwrap(), "deleted demo rows stay deleted");
    assert!(fixture.store.read().await.unwrap().rows.is_empty());
}

pub async fn demo_rows_are_not_given_to_a_table_with_tasks(fixture: &Fixture) {
    let own = fixture.add("own").await;
    assert!(!fixture.store.load_demo(&[new_task("a")]).await.unwrap());
    fixture.store.delete(own).await.unwrap();
    assert!(!fixture.store.load_demo(&[new_task("a")]).await.unwrap(), "nor later");
}

pub async fn around_an_instant_stand_its_attempts_the_next_and_what_ran(fixture: &Fixture) {
    let (task, other) = (fixture.add("a").await, fixture.add("b").await);
    fixture.won(&run_of(other, at(20))).await;
    let free = |secs| Claim { limit: None, ..run_of(task, at(secs)) };
    let first = fixture.won(&free(10)).await;
    let skipped = {
        let mut claim = free(15);
        claim.entries[0].status = Status::Skipped;
        claim
    };
    fixture.claim(&skipped).await;
    let claim = free(20);
    let second = fixture.won(&claim).await;
    let retry = Some(Retry { scheduled_at: at(20), attempt: 2, due_at: at(21) });
    fixture.record(&Outcome { retry, ..outcome(second, &claim, Status::Fail) }).await;
    let retry = Request {
        origin: Origin::Retry,
        task_id: task,
        scheduled_at: at(20),
        attempt: 2,
        due_at: at(21),
        args: None,
    };
    let third = fixture.won(&Claim { limit: None, ..claim_of(&retry, Status::Todo) }).await;
    let asked = fixture.store.request_run(task, at(25)).await.unwrap();
    let asked = Request {
        origin: Origin::Request(asked),
        scheduled_at: at(25) + TimeDelta::milliseconds(1),
        attempt: 1,
        ..retry
    };
    let manual = fixture.won(&Claim { limit: None, ..claim_of(&asked, Status::Todo) }).await;
    let last = fixture.won(&free(30)).await;

    let ids = |rows: &[ExecutionRow]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    let around = fixture.store.around(task, at(20)).await.unwrap();
    assert_eq!(ids(&around.here), [second, third]);
    assert_eq!(around.next.map(|row| row.id), Some(last), "a manual run accounts for nothing");
    assert_eq!(ids(&around.before), [first]);
    let around = fixture.store.around(task, at(31)).await.unwrap();
    assert_eq!((around.here, around.next), (vec![], None));
    assert_eq!(ids(&around.before), [last, manual, third, second, first]);
    assert_eq!(fixture.store.around(4_711, at(20)).await.unwrap(), Around::default());
}

pub async fn outcomes_are_counted_by_hour_and_status(fixture: &Fixture) {
    let (a, b) = (fixture.add("a").await, fixture.add("b").await);
    for (task, secs, status) in [
        (a, 10, Status::Success),
        (a, 3_599, Status::Fail),
        (a, 3_600, Status::Success),
        (b, 3_700, Status::Success),
    ] {
        let claim = run_of(task, at(secs));
        let id = fixture.won(&claim).await;
        fixture.record(&outcome(id, &claim, status)).await;
    }
    fixture.won(&run_of(b, at(3_800))).await;
    let counts = async |since, tasks: Option<&[TaskId]>, most| {
        let outcomes = fixture.store.outcomes(since, tasks, most).await.unwrap();
        let first = at(0);
        let count =
            |one: &OutcomeCount| ((one.hour - first).num_hours(), one.status.clone(), one.count);
        outcomes.counts.iter().map(count).collect::<Vec<_>>()
    };
    let counted = |counts: &[(i64, &str, u64)]| {
        let owned =
            |(hour, status, count): &(i64, &str, u64)| (*hour, (*status).to_owned(), *count);
        counts.iter().map(owned).collect::<Vec<_>>()
    };
    let now = fixture.store.now().await.unwrap();
    let since = now - TimeDelta::days(1);
    let all = counted(&[(0, "fail", 1), (0, "success", 1), (1, "success", 2), (1, "todo", 1)]);
    assert_eq!(counts(since, None, 100).await, all);
    let of_b = counted(&[(1, "success", 1), (1, "todo", 1)]);
    assert_eq!(counts(since, Some(&[b]), 100).await, of_b);
    assert_eq!(counts(since, None, 2).await, of_b, "the newest two");
    assert_eq!(counts(since, Some(&[]), 100).await, []);
    assert_eq!(counts(now + TimeDelta::hours(1), None, 100).await, [], "none was made since then");
}
