//! Three nodes and a person at the same tables at the same time. What each was told is held against the rows: while
//! they are written, and afterwards.
//!
//! Leases are shorter than a round, so that nodes take each other for dead all the time. Who does what follows from a
//! seed, what comes first does not.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::TimeDelta;

use super::{Fixture, alive::AT_ANY_TIME, at, outcome, told::Told, turns::Draw};
use crate::{
    plan::{
        claim::{Claim, Entry, Origin, Verdict},
        execution::{ExecutionId, Noted, Outcome, Recorded, Status},
        node::Settled,
        retry::Retry,
        task::TaskId,
    },
    store::{ExecutionFilter, ExecutionRow, SharedStore},
};

const TASKS: usize = 8;
const ROUNDS: usize = 40;
const LEASE: Duration = Duration::from_millis(20);

/// Lets all do their rounds at once; yields what is wrong.
pub async fn play(fixture: &Fixture, seed: u64) -> Vec<String> {
    let tasks = fixture.add_many("task", TASKS).await;
    let clock = Arc::new(AtomicI64::new(1));
    let is_over = Arc::new(AtomicBool::new(false));
    let watching = tokio::spawn(watch(Arc::clone(&fixture.store), tasks.clone(), is_over.clone()));
    let nodes = fixture.handles().map(|(name, store)| {
        let draw = Draw(seed.wrapping_mul(1_000) + u64::from(name.as_bytes()[1]));
        let node = Node::new(name, Arc::clone(store), tasks.clone(), Arc::clone(&clock), draw);
        tokio::spawn(node.rounds())
    });
    edit(fixture, &tasks, Draw(seed)).await;
    let mut told = Told::default();
    for node in nodes {
        let mut node = node.await.unwrap();
        node.record_the_rest().await;
        told.absorb(node.told);
    }
    is_over.store(true, Ordering::Relaxed);
    told.wrong.extend(watching.await.unwrap());
    fixture.store.reap("n1", Duration::from_secs(3_600), AT_ANY_TIME, &tasks).await.unwrap();
    told.compare(fixture, &tasks).await;
    told.wrong
}

/// How many runs of a task may be open.
fn limit_of(task: usize) -> Option<u32> {
    [Some(1), Some(1), Some(2), None][task % 4]
}

/// Reads until all is over: what is closed stays as it is, and no more is open than may be.
async fn watch(store: SharedStore, tasks: Vec<TaskId>, is_over: Arc<AtomicBool>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut closed: BTreeMap<ExecutionId, ExecutionRow> = BTreeMap::new();
    while !is_over.load(Ordering::Relaxed) {
        let all = ExecutionFilter::newest(100_000);
        let mut open: BTreeMap<TaskId, u32> = BTreeMap::new();
        for row in store.executions(all).await.unwrap() {
            if row.status == "todo" {
                *open.entry(row.task_id).or_default() += 1;
            }
            let before = closed.get(&row.id);
            if before.is_some_and(|before| *before != row) {
                wrong.push(format!("{before:?} became {row:?}"));
            } else if row.status != "todo" {
                closed.insert(row.id, row);
            }
        }
        for (number, task) in tasks.iter().enumerate() {
            let open = open.get(task).copied().unwrap_or(0);
            if limit_of(number).is_some_and(|limit| open > limit) {
                wrong.push(format!("task {task}: {open} open, at most {:?}", limit_of(number)));
            }
        }
        tokio::task::yield_now().await;
    }
    wrong
}

/// What people do meanwhile. In the end every task is on.
async fn edit(fixture: &Fixture, tasks: &[TaskId], mut draw: Draw) {
    let store = &fixture.store;
    for round in 0..ROUNDS {
        let task = tasks[draw.below(TASKS)];
        match draw.below(5) {
            0 => store.set_enabled(task, draw.below(3) > 0).await.map(drop).unwrap(),
            1 => store.set_spec(task, ["10", "7"][draw.below(2)]).await.map(drop).unwrap(),
            2 => fixture.operator.set_status(task, ["doing", "ready"][draw.below(2)]).await,
            _ => {
                let asked = at(i64::try_from(round).unwrap()) + TimeDelta::milliseconds(500);
                store.request_run(task, asked).await.map(drop).unwrap();
            }
        }
    }
    for task in tasks {
        store.set_enabled(*task, true).await.unwrap();
    }
}

/// A node in the rush.
struct Node {
    name: &'static str,
    store: SharedStore,
    tasks: Vec<TaskId>,
    clock: Arc<AtomicI64>,
    draw: Draw,
    traces: u64,
    /// What it has won and not recorded.
    runs: Vec<Outcome>,
    told: Told,
}

impl Node {
    fn new(
        name: &'static str,
        store: SharedStore,
        tasks: Vec<TaskId>,
        clock: Arc<AtomicI64>,
        draw: Draw,
    ) -> Self {
        Self { name, store, tasks, clock, draw, traces: 0, runs: vec![], told: Told::default() }
    }

    async fn rounds(mut self) -> Self {
        for _ in 0..ROUNDS {
            match self.draw.below(10) {
                0..5 => self.claim().await,
                5..8 => self.record(3).await,
                8 => match self.store.renew(self.name).await {
                    Ok(()) => self.note().await,
                    Err(error) => self.told.fails("renew", &error),
                },
                _ => self.reap().await,
            }
        }
        self
    }

    async fn claim(&mut self) {
        let claims = self.plan().await;
        let traces = |claim: &Claim| {
            claim.entries.iter().map(|entry| Arc::clone(&entry.trace_id)).collect::<Vec<_>>()
        };
        let verdicts = match self.store.claim(self.name, &claims).await {
            Ok(verdicts) => verdicts,
            Err(error) => {
                self.told.unwritten.extend(claims.iter().flat_map(traces));
                return self.told.fails("claim", &error);
            }
        };
        for (claim, verdict) in claims.iter().zip(&verdicts) {
            match verdict {
                Verdict::Won(run) => {
                    self.told.won.extend(traces(claim).into_iter().map(|trace| (trace, None)));
                    let Some(id) = *run else { continue };
                    self.told.won.extend(traces(claim).pop().map(|trace| (trace, Some(id))));
                    let outcome = self.draw_outcome(id, claim);
                    self.runs.push(outcome);
                }
                Verdict::Refused(_) => self.told.unwritten.extend(traces(claim)),
            }
        }
        let Ok(settled) = self.store.settle(&claims).await else { return };
        for ((claim, verdict), settled) in claims.iter().zip(verdicts).zip(settled) {
            // Somebody may have found a run lost by now.
            let is_so = match verdict {
                _ if settled == Settled::Locked => true,
                Verdict::Refused(_) => settled == Settled::NotWritten,
                Verdict::Won(run) => {
                    settled == Settled::Written(run) || settled == Settled::Written(None)
                }
            };
            if !is_so {
                self.told.wrong.push(format!("{verdict:?}, and then {settled:?}: {claim:?}"));
            }
        }
    }

    /// How a run will end: well, or with a retry.
    fn draw_outcome(&mut self, id: ExecutionId, claim: &Claim) -> Outcome {
        if self.draw.below(2) == 0 {
            return outcome(id, claim, Status::Success);
        }
        let run = claim.entries.last().unwrap();
        let retry = Retry {
            scheduled_at: run.scheduled_at,
            attempt: run.attempt + 1,
            due_at: run.scheduled_at + TimeDelta::seconds(7),
        };
        Outcome { retry: Some(retry), ..outcome(id, claim, Status::Fail) }
    }

    /// The fire that is due now of about half of the tasks, and some of what waits.
    async fn plan(&mut self) -> Vec<Claim> {
        let now = at(self.clock.fetch_add(1, Ordering::Relaxed) / 3 * 10);
        let mut claims = Vec::new();
        let waiting = self.store.read().await.map(|reading| reading.requests).unwrap_or_default();
        for number in 0..TASKS {
            let task = self.tasks[number];
            let waits = waiting.iter().find(|request| request.task_id == task);
            let claim = |first, origin, entries| Claim {
                task_id: task,
                spec: "10".into(),
                first,
                limit: limit_of(number),
                origin,
                entries,
            };
            match (self.draw.below(4), waits) {
                (0, Some(request)) => {
                    let run = self.entry(request.scheduled_at, Status::Todo, request.attempt);
                    claims.push(claim(request.scheduled_at, request.origin, vec![run]));
                }
                (0 | 1, _) => {
                    let before = now - TimeDelta::seconds(5);
                    let missed = self.entry(before, Status::Missed, 1);
                    let run = self.entry(now, Status::Todo, 1);
                    claims.push(claim(before, Origin::Schedule, vec![missed, run]));
                }
                (2, _) => {
                    let run = self.entry(now, Status::Todo, 1);
                    claims.push(claim(now, Origin::Schedule, vec![run]));
                }
                _ => {}
            }
        }
        claims
    }

    fn entry(&mut self, at: chrono::DateTime<chrono::Utc>, status: Status, attempt: u32) -> Entry {
        self.traces += 1;
        let trace_id = format!("{} {}", self.name, self.traces).into();
        let extra = r#"{"retries_on_lost":2}"#.to_owned();
        Entry { scheduled_at: at, trace_id, status, attempt, extra }
    }

    /// Records at most `most` of its runs; what is locked waits for the next time.
    async fn record(&mut self, most: usize) {
        let outcomes = self.runs.split_off(self.runs.len().saturating_sub(most));
        match self.store.record(&outcomes).await {
            Ok(recorded) => {
                for (outcome, recorded) in outcomes.into_iter().zip(recorded) {
                    match recorded {
                        Recorded::Stands => {
                            self.told.closed.push((outcome.execution_id, outcome.status));
                        }
                        Recorded::Discarded => {}
                        Recorded::Locked => self.runs.push(outcome),
                    }
                }
            }
            Err(error) => {
                self.runs.extend(outcomes);
                self.told.fails("record", &error);
            }
        }
    }

    async fn record_the_rest(&mut self) {
        for _ in 0..1_000 {
            if self.runs.is_empty() {
                return;
            }
            self.record(TASKS).await;
        }
    }

    async fn note(&mut self) {
        let notes: Vec<Noted> = self
            .runs
            .iter()
            .map(|run| Noted {
                execution_id: run.execution_id,
                trace_id: Arc::clone(&run.trace_id),
                extra: r#"{"retries_on_lost":2,"step":"half"}"#.to_owned(),
            })
            .collect();
        if let Err(error) = self.store.note(&notes).await {
            self.told.fails("note", &error);
        }
    }

    async fn reap(&mut self) {
        match self.store.reap(self.name, LEASE, AT_ANY_TIME, &self.tasks).await {
            Ok(reaped) => {
                let lost = reaped.lost.iter().map(|lost| (lost.execution_id, Status::Lost));
                self.told.closed.extend(lost);
            }
            Err(error) => self.told.fails("reap", &error),
        }
    }
}
