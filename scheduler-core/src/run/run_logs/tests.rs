//! Lines on their way to a database that does not always take them.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// Keeps what it is given, but for what it refuses.
#[derive(Default)]
struct Kept {
    parts: Mutex<Vec<LogPart>>,
    calls: Mutex<usize>,
    is_away: AtomicBool,
    /// The text that it refuses.
    poison: Option<&'static str>,
}

#[async_trait]
impl Keeper for Arc<Kept> {
    async fn keep(&self, parts: &[LogPart]) -> Result<(), StoreError> {
        *self.calls.lock().unwrap() += 1;
        let operation = "keeping";
        if self.is_away.load(Ordering::Relaxed) {
            return Err(StoreError::Deadline { operation, after: Duration::from_secs(5) });
        }
        let is_bad = |part: &LogPart| self.poison.is_some_and(|bad| part.content.contains(bad));
        if parts.iter().any(is_bad) {
            let source = sqlx::Error::Protocol("refused".to_owned());
            return Err(StoreError::Query { operation, source });
        }
        self.parts.lock().unwrap().extend_from_slice(parts);
        Ok(())
    }
}

impl Kept {
    fn of(&self, execution_id: ExecutionId) -> String {
        let mut parts = self.parts.lock().unwrap().clone();
        parts.retain(|part| part.execution_id == execution_id);
        parts.sort_by_key(|part| part.part);
        parts.into_iter().map(|part| part.content).collect()
    }
}

#[tokio::test]
async fn a_run_that_logs_nothing_costs_no_call_and_leaves_nothing_behind() {
    let (logs, store) = (RunLogs::default(), Arc::new(Kept::default()));
    logs.open(1);
    logs.end(1);
    assert!(logs.write_what_waits(&store, true).await);
    assert_eq!((*store.calls.lock().unwrap(), logs.logs().len()), (0, 0));
}

#[tokio::test]
async fn lines_of_many_runs_go_in_one_call_and_what_is_over_is_forgotten() {
    let (logs, store) = (RunLogs::default(), Arc::new(Kept::default()));
    for run in 1..=100 {
        logs.open(run).keep(format!("{run}\n"));
    }
    logs.end(7);
    assert!(logs.write_what_waits(&store, true).await);
    assert_eq!(*store.calls.lock().unwrap(), 1);
    assert_eq!((store.of(7), logs.logs().len()), ("7\n".to_owned(), 99));
    logs.logs()[&8].keep("more\n".to_owned());
    logs.end(8);
    assert!(logs.write_what_waits(&store, true).await);
    assert_eq!((store.of(8), logs.logs().len()), ("8\nmore\n".to_owned(), 98));
}

#[tokio::test]
async fn what_cannot_be_written_waits_and_is_written_once() {
    let (logs, store) = (RunLogs::default(), Arc::new(Kept::default()));
    let log = logs.open(1);
    log.keep("one\n".to_owned());
    store.is_away.store(true, Ordering::Relaxed);
    assert!(!logs.write_what_waits(&store, true).await);
    log.keep("two\n".to_owned());
    logs.end(1);
    assert!(!logs.write_what_waits(&store, false).await);
    store.is_away.store(false, Ordering::Relaxed);
    assert!(logs.write_what_waits(&store, false).await);
    assert_eq!((store.of(1), logs.logs().len()), ("one\ntwo\n".to_owned(), 0));
}

#[tokio::test]
async fn a_line_that_the_database_refuses_holds_up_no_other() {
    let store = Arc::new(Kept { poison: Some("bad"), ..Kept::default() });
    let logs = RunLogs::default();
    logs.open(1).keep("bad\n".to_owned());
    // Alone it may be the database.
    assert!(!logs.write_what_waits(&store, true).await);
    for run in 2..=5 {
        logs.open(run).keep("good\n".to_owned());
    }
    (1..=5).for_each(|run| logs.end(run));
    assert!(logs.write_what_waits(&store, true).await);
    let kept: Vec<String> = (1..=5).map(|run| store.of(run)).collect();
    assert_eq!(kept, ["", "good\n", "good\n", "good\n", "good\n"]);
    assert_eq!(logs.logs().len(), 0);
}

#[tokio::test]
async fn the_last_lines_are_written_when_writing_stops() {
    let (logs, store) = (Arc::new(RunLogs::default()), Arc::new(Kept::default()));
    let stop = CancellationToken::new();
    let writing = tokio::spawn(Arc::clone(&logs).write(Arc::clone(&store), stop.clone()));
    logs.open(1).keep("last\n".to_owned());
    logs.end(1);
    stop.cancel();
    writing.await.unwrap();
    assert_eq!(store.of(1), "last\n");
}

#[tokio::test]
async fn beyond_64_mib_of_all_runs_lines_are_dropped_until_some_are_written() {
    let (logs, store) = (RunLogs::default(), Arc::new(Kept::default()));
    let line = "x".repeat(150 * 1024) + "\n";
    let runs: Vec<RunLog> = (0..500).map(|run| logs.open(run)).collect();
    runs.iter().for_each(|log| log.keep(line.clone()));
    let waiting = || logs.logs().values().filter(|log| log.part().is_some()).count();
    assert_eq!(waiting(), 64 * 1024 * 1024 / line.len());
    assert!(logs.write_what_waits(&store, true).await);
    runs[499].keep(line.clone());
    assert_eq!(waiting(), 1);
    logs.end(499);
    assert!(logs.write_what_waits(&store, true).await);
    assert!(store.of(499).ends_with("{\"dropped\":1}\n"));
}
