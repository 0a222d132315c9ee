//! What is removed, and by whom.

use super::*;
use crate::{
    plan::{execution::LogPart, node::NodeRow},
    store::{
        Desk as _, EditFilter, ExecutionFilter, ExecutionRow, NewTask, Store as _, TaskSelection,
        memory::{MemoryStore, at_once},
    },
};

const NOTHING: Retention =
    Retention { max_age: MaxAge::Never, max_per_task: 0, max_log_age: None, max_edit_age: None };

#[test]
fn of_the_living_nodes_one_removes() {
    let node = |id: &str, silent_for: u64, has_left: bool| NodeRow {
        id: id.to_owned(),
        started_at: DateTime::UNIX_EPOCH,
        heartbeat_at: DateTime::UNIX_EPOCH,
        left_at: has_left.then_some(DateTime::UNIX_EPOCH),
        silent_for: Duration::from_secs(silent_for),
        card: None,
    };
    let nodes =
        [node("a", 31, false), node("b", 0, true), node("c", 30, false), node("d", 0, false)];
    let lease = Duration::from_secs(30);
    let first = ["a", "b", "c", "d"].map(|me| beside::does_it_here(&nodes, me, lease));
    assert_eq!(
        first,
        [true, true, true, false],
        "those that are not among the living may think so"
    );
    assert!(beside::does_it_here(&[], "e", lease));
}

#[tokio::test]
async fn it_stops_at_once() {
    let store = Arc::new(MemoryStore::new(DateTime::UNIX_EPOCH));
    let stop = CancellationToken::new();
    let (node_id, lease, retention) = ("a".into(), Duration::from_secs(30), NOTHING);
    let pruning = Pruning { store, node_id, lease, retention, stop: stop.clone() };
    let running = tokio::spawn(pruning.run());
    stop.cancel();
    running.await.unwrap();
}

const HOUR: Duration = Duration::from_secs(3_600);

/// A task with a run an hour, of which the last has just ended; oldest first.
fn store_with_runs(hours: u32) -> (Arc<MemoryStore>, Vec<ExecutionId>) {
    let now = DateTime::UNIX_EPOCH + TimeDelta::days(10_000);
    let store = MemoryStore::new(now);
    at_once(store.migrate()).unwrap();
    let task_id = at_once(store.add(&NewTask::new("hourly", "job", "cron", "0 * * * *"))).unwrap();
    let ids = (1..=i64::from(hours)).collect::<Vec<ExecutionId>>();
    for id in &ids {
        let at = now - TimeDelta::hours(i64::from(hours) - id);
        store.insert_execution(ExecutionRow {
            id: *id,
            task_id,
            task_key: None,
            status: "success".to_owned(),
            extra: "{}".to_owned(),
            trace_id: format!("trace-{id}"),
            created_at: Some(at),
            scheduled_at: Some(at),
            attempt: 1,
            source: "schedule".to_owned(),
            node_id: None,
            started_at: Some(at),
            finished_at: Some(at),
        });
    }
    (Arc::new(store), ids)
}

fn pruning(store: &Arc<MemoryStore>, retention: Retention) -> Pruning {
    let (node_id, lease) = ("a".into(), Duration::from_secs(30));
    Pruning {
        store: Arc::clone(store) as SharedStore,
        node_id,
        lease,
        retention,
        stop: CancellationToken::new(),
    }
}

async fn left(store: &MemoryStore) -> Vec<ExecutionId> {
    let filter = ExecutionFilter::newest(10_000);
    let mut ids: Vec<_> =
        store.executions(filter).await.unwrap().iter().map(|row| row.id).collect();
    ids.sort_unstable();
    ids
}

async fn look(pruning: &Pruning, place: &mut Place) -> Removed {
    let mut removed = Removed::default();
    pruning.look(place, &mut removed).await.unwrap();
    removed
}

#[tokio::test(start_paused = true)]
async fn in_a_database_that_was_made_new_ninety_days_stay_and_elsewhere_all() {
    let (store, _) = store_with_runs(1);
    let day = Duration::from_secs(86_400);
    let max_age =
        async |max_age| pruning(&store, Retention { max_age, ..NOTHING }).max_age().await.unwrap();
    assert_eq!(max_age(MaxAge::ByOrigin).await, Some(90 * day));
    assert_eq!(max_age(MaxAge::After(day)).await, Some(day));
    assert_eq!(max_age(MaxAge::Never).await, None);
}

#[tokio::test(start_paused = true)]
async fn what_runs_logged_goes_before_their_executions() {
    let (store, ids) = store_with_runs(50);
    let part = |execution_id: &ExecutionId| LogPart {
        execution_id: *execution_id,
        part: 1,
        content: "x\n".to_owned(),
    };
    store.append_log(&ids.iter().map(part).collect::<Vec<_>>()).await.unwrap();
    let day = pruning(&store, Retention { max_log_age: Some(24 * HOUR), ..NOTHING });
    let mut place = Place::default();
    assert_eq!(look(&day, &mut place).await, Removed { logs: 25, ..Removed::default() });
    assert_eq!(left(&store).await, ids);
    assert_eq!(look(&day, &mut place).await, Removed::default());
}

#[tokio::test(start_paused = true)]
async fn a_look_removes_all_that_is_too_old_in_as_many_steps_as_it_takes() {
    let (store, ids) = store_with_runs(1_300);
    let day = pruning(&store, Retention { max_age: MaxAge::After(24 * HOUR), ..NOTHING });
    let mut place = Place::default();
    assert_eq!(look(&day, &mut place).await.executions, 1_275);
    assert_eq!(left(&store).await, ids[1_275..]);
    assert_eq!(look(&day, &mut place).await, Removed::default());
    // A look a day begins with the oldest again: what could not go before may go now.
    place.looks = LOOKS - 1;
    store.set_now(DateTime::UNIX_EPOCH + TimeDelta::days(10_001));
    assert_eq!(look(&day, &mut place).await.executions, 24);
    assert_eq!(left(&store).await, ids[1_299..], "the newest stays");
}

#[tokio::test(start_paused = true)]
async fn edits_that_are_too_old_leave_the_history() {
    let (store, _) = store_with_runs(1);
    let task = store.tasks(TaskSelection::All).await.unwrap()[0].row.id;
    for spec in 1..=300 {
        store.set_spec(task, &spec.to_string()).await.unwrap();
    }
    store.age(366 * 24 * HOUR);
    store.set_spec(task, "1000").await.unwrap();
    let year = pruning(&store, Retention { max_edit_age: Some(365 * 24 * HOUR), ..NOTHING });
    let all = EditFilter { task_id: None, before: None, limit: 1_000 };
    let before = store.edits(all).await.unwrap().len();
    let removed = look(&year, &mut Place::default()).await;
    assert_eq!(removed, Removed { edits: before - 1, ..Removed::default() });
    assert!(removed.edits >= 300);
    assert_eq!(store.edits(all).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_look_leaves_as_many_of_each_task_as_are_wanted() {
    let (store, ids) = store_with_runs(1_300);
    let ten = pruning(&store, Retention { max_per_task: 10, ..NOTHING });
    assert_eq!(look(&ten, &mut Place::default()).await.executions, 1_290);
    assert_eq!(left(&store).await, ids[1_290..]);
}

#[tokio::test(start_paused = true)]
async fn another_living_node_that_comes_first_does_it() {
    let (store, ids) = store_with_runs(5);
    store.renew("A").await.unwrap();
    let hour = pruning(&store, Retention { max_age: MaxAge::After(HOUR), ..NOTHING });
    assert_eq!(look(&hour, &mut Place::default()).await, Removed::default());
    assert_eq!(left(&store).await, ids);
}
