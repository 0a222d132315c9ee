//! The database of a simulation: the memory store, its troubles, and a record of every change of an execution.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::{DateTime, Utc};
use scheduler_core::{
    plan::{
        claim::{Claim, Refusal, Verdict},
        database_clock::Sighting,
        execution::{ExecutionId, Outcome, Recorded, Status},
        node::{Call, Event, Failure, Reading, Reaped, Settled},
        task::TaskId,
    },
    store::{
        Desk as _, ExecutionFilter, ExecutionRow, Store as _, StoreError,
        memory::{MemoryStore, at_once},
    },
};

use super::time::{Ms, span, utc};

/// How the server behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum State {
    /// It answers.
    Up,
    /// It refuses connections.
    Refuses,
    /// It takes connections and never answers.
    Frozen,
    /// It answers readings and refuses writes.
    ReadOnly,
}

/// How old a reading may be that is shown as if it were new.
pub(super) const STALE: Ms = 60_000;

/// A row of `execute_task` as it stood from `at` on.
#[derive(Clone, Debug)]
pub(super) struct Change {
    /// When, in true time.
    pub(super) at: Ms,
    /// The row.
    pub(super) row: ExecutionRow,
}

/// Tables, and what was ever written there.
#[derive(Debug)]
pub(super) struct Database {
    /// The tables.
    pub(super) store: MemoryStore,
    /// How the server behaves.
    pub(super) state: State,
    /// Every change of an execution, oldest first.
    pub(super) changes: Vec<Change>,
    lease: Ms,
    newest: ExecutionId,
    /// The tables as they were a while ago.
    kept: Option<(Ms, Reading)>,
    /// Tasks whose rows a transaction holds that nobody waits for any more.
    held: BTreeMap<TaskId, u32>,
}

impl Database {
    /// Empty tables, migrated at `now`.
    pub(super) fn new(lease: Ms, now: Ms) -> Self {
        let store = MemoryStore::new(utc(now));
        at_once(store.migrate()).expect("memory can be migrated");
        let held = BTreeMap::new();
        Self { store, state: State::Up, changes: Vec::new(), lease, newest: 0, kept: None, held }
    }

    /// Performs `call` of `node`, which began and is answered then by the machine's monotonic clock.
    pub(super) fn answer(
        &mut self,
        node: &str,
        call: Call,
        [started, seen]: [Duration; 2],
        now: Ms,
    ) -> Event {
        self.store.set_now(utc(now));
        match call {
            Call::Read(mut seen) => {
                self.keep(now);
                let reading = at_once(self.store.read_of(&seen.scope()));
                let reading = reading.map(|reading| reading.news_to(&mut seen));
                Event::Read(seen, reading.map_err(failure))
            }
            Call::ReadCursors(tasks) => {
                let result = at_once(self.store.cursors(&tasks)).map_err(failure);
                Event::Cursors(tasks, result)
            }
            Call::Claim(claims) => {
                let verdicts = self.claim(node, &claims, now);
                Event::Claimed(claims, Ok(verdicts))
            }
            Call::Settle(claims) => {
                let settled = claims.iter().map(|claim| self.settle(claim)).collect();
                Event::Settled(claims, settled)
            }
            Call::Record(outcomes) => {
                let recorded = self.record(&outcomes, now);
                Event::Recorded(outcomes, Ok(recorded))
            }
            Call::Note(notes) => Event::Noted(at_once(self.store.note(&notes)).map_err(failure)),
            Call::Renew => {
                let result = at_once(self.store.renew(node)).map_err(failure);
                let sighting = Sighting { at: utc(now), seen, error: Duration::ZERO };
                Event::Renewed { started, result: result.map(|()| sighting) }
            }
            Call::Reap { suspects, until } => {
                Event::Reaped(Ok(self.reap(node, until, &suspects, now)))
            }
        }
    }

    /// Keeps a reading to be shown later.
    fn keep(&mut self, now: Ms) {
        if self.kept.as_ref().is_none_or(|(at, _)| now - at > STALE / 4) {
            self.kept = at_once(self.store.read()).ok().map(|reading| (now, reading));
        }
    }

    /// The tables as they were some time in the last minute.
    pub(super) fn old_reading(&mut self, now: Ms) -> Reading {
        let kept = self.kept.take().filter(|(at, _)| now - at < STALE);
        kept.map_or_else(|| at_once(self.store.read()).unwrap_or_default(), |(_, reading)| reading)
    }

    /// Whether the execution was taken for lost.
    pub(super) fn is_lost(&self, id: ExecutionId) -> bool {
        at_once(self.store.execution(id)).is_ok_and(|row| row.status == Status::Lost.as_str())
    }

    fn claim(&mut self, node: &str, claims: &[Claim], now: Ms) -> Vec<Verdict> {
        let is_held = |claim: &&Claim| self.held.contains_key(&claim.task_id);
        let free: Vec<Claim> = claims.iter().filter(|claim| !is_held(claim)).cloned().collect();
        let verdicts = at_once(self.store.claim(node, &free)).unwrap_or_default();
        let mut verdicts = verdicts.into_iter();
        let locked = Verdict::Refused(Refusal::Locked);
        let verdicts = claims
            .iter()
            .map(|claim| {
                let answer = if is_held(&claim) { None } else { verdicts.next() };
                answer.unwrap_or_else(|| locked.clone())
            })
            .collect();
        self.observe(&[], now);
        verdicts
    }

    fn settle(&self, claim: &Claim) -> Result<Settled, Failure> {
        if self.held.contains_key(&claim.task_id) {
            return Ok(Settled::Locked);
        }
        let settled = at_once(self.store.settle(std::slice::from_ref(claim))).map_err(failure)?;
        Ok(settled.into_iter().next().unwrap_or(Settled::Locked))
    }

    fn record(&mut self, outcomes: &[Outcome], now: Ms) -> Vec<Recorded> {
        let recorded = outcomes
            .iter()
            .map(|outcome| {
                if self.held.contains_key(&outcome.task_id) {
                    return Recorded::Locked;
                }
                let recorded = at_once(self.store.record(std::slice::from_ref(outcome)));
                recorded.ok().and_then(|mut recorded| recorded.pop()).unwrap_or(Recorded::Locked)
            })
            .collect();
        let ids: Vec<_> = outcomes.iter().map(|outcome| outcome.execution_id).collect();
        self.observe(&ids, now);
        recorded
    }

    /// Passes over what is held, and here over everything while something is.
    fn reap(&mut self, node: &str, until: DateTime<Utc>, suspects: &[TaskId], now: Ms) -> Reaped {
        if !self.held.is_empty() {
            return Reaped::default();
        }
        let reaped =
            at_once(self.store.reap(node, span(self.lease), until, suspects)).unwrap_or_default();
        let ids: Vec<_> = reaped.lost.iter().map(|lost| lost.execution_id).collect();
        self.observe(&ids, now);
        reaped
    }

    /// Notes the rows that are new, and those of `ids`, as they stand now.
    fn observe(&mut self, ids: &[ExecutionId], now: Ms) {
        let mut ids: BTreeSet<ExecutionId> = ids.iter().copied().collect();
        let newest = ExecutionFilter::newest(1);
        let newest = at_once(self.store.executions(newest)).unwrap_or_default();
        if let Some(row) = newest.first() {
            ids.extend(self.newest + 1..=row.id);
            self.newest = row.id;
        }
        let rows = ids.into_iter().filter_map(|id| at_once(self.store.execution(id)).ok());
        self.changes.extend(rows.map(|row| Change { at: now, row }));
    }

    /// The tasks of a transaction that nobody waits for any more stay locked until [`Self::let_go`].
    pub(super) fn hold(&mut self, call: &Call) {
        for task in tasks_of(call) {
            *self.held.entry(task).or_default() += 1;
        }
    }

    /// See [`Self::hold`].
    pub(super) fn let_go(&mut self, call: &Call) {
        for task in tasks_of(call) {
            if let Some(count) = self.held.get_mut(&task) {
                *count -= 1;
            }
        }
        self.held.retain(|_, count| *count > 0);
    }

    /// Whether a transaction holds the row of `task`.
    pub(super) fn is_held(&self, task: TaskId) -> bool {
        self.held.contains_key(&task)
    }

    /// All executions, oldest first.
    pub(super) fn executions(&self) -> Vec<ExecutionRow> {
        let all = ExecutionFilter::newest(u32::MAX);
        let mut rows = at_once(self.store.executions(all)).unwrap_or_default();
        rows.reverse();
        rows
    }

    /// Whether something of `task` is open or waits to be tried again.
    pub(super) fn is_busy(&self, task: TaskId) -> bool {
        let waits = at_once(self.store.read()).unwrap_or_default().requests;
        waits.iter().any(|request| request.task_id == task)
            || self.open().iter().any(|row| row.task_id == task)
    }

    /// Executions at `todo`.
    pub(super) fn open(&self) -> Vec<ExecutionRow> {
        let status = Some(Status::Todo);
        let open = ExecutionFilter { status, ..ExecutionFilter::newest(u32::MAX) };
        at_once(self.store.executions(open)).unwrap_or_default()
    }
}

fn tasks_of(call: &Call) -> BTreeSet<TaskId> {
    match call {
        Call::Claim(claims) => claims.iter().map(|claim| claim.task_id).collect(),
        Call::Record(outcomes) => outcomes.iter().map(|outcome| outcome.task_id).collect(),
        _ => BTreeSet::new(),
    }
}

/// The answer to a call that failed.
pub(super) fn failed(call: Call, failure: Failure, started: Duration) -> Event {
    match call {
        Call::Read(seen) => Event::Read(seen, Err(failure)),
        Call::ReadCursors(tasks) => Event::Cursors(tasks, Err(failure)),
        Call::Claim(claims) => Event::Claimed(claims, Err(failure)),
        Call::Settle(claims) => Event::Settled(claims, Err(failure)),
        Call::Record(outcomes) => Event::Recorded(outcomes, Err(failure)),
        Call::Note(_) => Event::Noted(Err(failure)),
        Call::Renew => Event::Renewed { started, result: Err(failure) },
        Call::Reap { .. } => Event::Reaped(Err(failure)),
    }
}

fn failure(error: StoreError) -> Failure {
    Failure::NotApplied(error.to_string())
}
