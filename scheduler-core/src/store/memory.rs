//! The store without a database, for the harness and the simulation: the same promises, one lock.
//!
//! Its clock is set from outside ([`MemoryStore::set_now`]), so that time is stepped. Nothing survives it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

use super::{
    AlarmId, AlarmRow, EditId, EditRow, ExecutionRow, NewTask, PRUNED, PauseRow, Pruned,
    SessionRow, Store, StoreError, sql::NEWEST,
};
use crate::plan::{
    claim::{Claim, LockedTask, Origin, Refusal, Request, RequestId, Verdict, judge},
    execution::{ExecutionId, LogPart, Noted, Outcome, Recorded, Source, Status, args_of},
    node::{
        Cancel, Lost, MOST_MANUAL, MOST_OF_ONE_TASK, MOST_REQUESTS, Reading, Reaped, Settled,
        are_all,
    },
    retry::{Retry, extra_when_lost, is_wanted_when_lost, reason_when_lost},
    task::{TaskId, TaskRow},
};

mod alarms;
mod desk;
mod pauses;
mod sessions;

/// Tables in memory.
#[derive(Debug)]
pub struct MemoryStore(Mutex<Tables>);

/// The answer of a store in memory, which never waits.
///
/// # Panics
/// When `call` waits after all.
pub fn at_once<T>(call: impl Future<Output = T>) -> T {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("bug: a call to tables in memory waits"),
    }
}

#[derive(Debug)]
struct Tables {
    now: DateTime<Utc>,
    adopted_at: Option<DateTime<Utc>>,
    tasks: BTreeMap<TaskId, TaskRow>,
    next_task: TaskId,
    executions: BTreeMap<ExecutionId, ExecutionRow>,
    fires: HashMap<(TaskId, DateTime<Utc>, i64), ExecutionId>,
    /// The executions at `todo`, and the newest instant of each task that the schedule asked for: what a database
    /// finds by its indexes.
    open: BTreeSet<ExecutionId>,
    accounted: HashMap<TaskId, DateTime<Utc>>,
    nodes: BTreeMap<String, NodeTimes>,
    requests: BTreeMap<RequestId, Request>,
    /// By task, instant and attempt: when each is due.
    retries: BTreeMap<Fire, DateTime<Utc>>,
    next_request: RequestId,
    is_demo_given: bool,
    log: BTreeMap<(ExecutionId, u32), String>,
    edits: Vec<EditRow>,
    sessions: HashMap<String, SessionRow>,
    cancels: BTreeMap<ExecutionId, String>,
    pauses: BTreeMap<TaskId, PauseRow>,
    alarms: Vec<AlarmRow>,
    last_alarm: AlarmId,
    /// What each node says of itself.
    cards: HashMap<String, String>,
}

impl MemoryStore {
    /// Empty tables whose clock stands at `now`.
    #[must_use]
    pub fn new(now: DateTime<Utc>) -> Self {
        Self(Mutex::new(Tables {
            now,
            adopted_at: None,
            tasks: BTreeMap::new(),
            next_task: 1,
            executions: BTreeMap::new(),
            fires: HashMap::new(),
            open: BTreeSet::new(),
            accounted: HashMap::new(),
            nodes: BTreeMap::new(),
            requests: BTreeMap::new(),
            retries: BTreeMap::new(),
            next_request: 1,
            is_demo_given: false,
            log: BTreeMap::new(),
            edits: Vec::new(),
            sessions: HashMap::new(),
            cancels: BTreeMap::new(),
            pauses: BTreeMap::new(),
            alarms: Vec::new(),
            last_alarm: 0,
            cards: HashMap::new(),
        }))
    }

    /// Sets the clock.
    pub fn set_now(&self, now: DateTime<Utc>) {
        self.tables().now = now;
    }

    /// Whether nothing is open, and no task says that something is.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        let tables = self.tables();
        let is_ready = |row: &TaskRow| row.status.as_deref() == Ok("ready");
        tables.open.is_empty() && tables.tasks.values().all(is_ready)
    }

    /// Changes a row as an operator would by SQL: the edit moves `update_at` unless it changes nothing or
    /// `status` only.
    pub fn edit(&self, task: TaskId, edit: impl FnOnce(&mut TaskRow)) {
        let mut tables = self.tables();
        let now = tables.now;
        if let Some(row) = tables.tasks.get_mut(&task) {
            edited(row, now, edit);
        }
    }

    /// Inserts a row of `task` as it stands, as an operator would by SQL.
    pub fn insert_task(&self, row: TaskRow) {
        let mut tables = self.tables();
        tables.next_task = tables.next_task.max(row.id + 1);
        tables.tasks.insert(row.id, row);
    }

    /// Deletes a row of `task`, as an operator would by SQL.
    pub fn delete_task(&self, task: TaskId) {
        self.tables().tasks.remove(&task);
    }

    /// Inserts a row of `execute_task` as it stands, as an operator would by SQL.
    pub fn insert_execution(&self, row: ExecutionRow) {
        self.tables().insert(row);
    }

    /// Makes all that happened so far older by `span`; the clock stays.
    pub fn age(&self, span: Duration) {
        let span = TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX);
        let mut tables = self.tables();
        for row in tables.tasks.values_mut() {
            row.created_at = row.created_at.map(|at| at - span);
            row.updated_at = row.updated_at.map(|at| at - span);
        }
        for row in tables.executions.values_mut() {
            row.created_at = row.created_at.map(|at| at - span);
        }
        for node in tables.nodes.values_mut() {
            node.started_at -= span;
            node.heartbeat_at -= span;
            node.left_at = node.left_at.map(|at| at - span);
        }
        for edit in &mut tables.edits {
            edit.edited_at = edit.edited_at.map(|at| at - span);
        }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().expect("bug: a call on the memory store panicked half way")
    }
}

impl Tables {
    /// Wishes to end what is open.
    fn cancels(&self) -> Vec<Cancel> {
        let open = self.cancels.iter().filter(|(id, _)| self.open.contains(id));
        let cancel = |(id, author): (&ExecutionId, &String)| Cancel {
            execution_id: *id,
            author: author.clone(),
        };
        open.map(cancel).collect()
    }
}

fn edited(row: &mut TaskRow, now: DateTime<Utc>, edit: impl FnOnce(&mut TaskRow)) {
    let before = TaskRow { status: Ok(String::new()), ..row.clone() };
    edit(row);
    if before != (TaskRow { status: Ok(String::new()), ..row.clone() })
        && before.updated_at == row.updated_at
    {
        row.updated_at = Some(now.trunc_subsecs(0));
    }
}

/// A node that was silent for longer is not read: the longest lease there is.
const LONGEST_LEASE: Duration = Duration::from_secs(3_600);

/// For how long a node is remembered.
const MEMORY_OF_NODES: TimeDelta = TimeDelta::days(30);

/// The instants of a row of `scheduler_node`.
#[derive(Clone, Copy, Debug)]
struct NodeTimes {
    started_at: DateTime<Utc>,
    heartbeat_at: DateTime<Utc>,
    left_at: Option<DateTime<Utc>>,
}

/// A retry's place: task, instant and attempt.
type Fire = (TaskId, DateTime<Utc>, u32);

/// Whether it began before `cutoff`.
fn is_old(row: &ExecutionRow, cutoff: DateTime<Utc>) -> bool {
    row.created_at.is_none_or(|at| at < cutoff)
}

/// Whether it ended before `cutoff`, if it did.
fn has_ended(row: &ExecutionRow, cutoff: DateTime<Utc>) -> bool {
    row.finished_at.or(row.created_at).is_none_or(|at| at < cutoff)
}

fn retry_of(claim: &Claim) -> Option<Fire> {
    let entry = claim.entries.last().filter(|_| claim.origin == Origin::Retry)?;
    Some((claim.task_id, entry.scheduled_at, entry.attempt))
}

fn next_attempt(row: &ExecutionRow) -> Option<Fire> {
    Some((row.task_id, row.scheduled_at?, u32::try_from(row.attempt + 1).ok()?))
}

impl Tables {
    /// Whether an execution may be removed: it is over, is not of the instant up to where its task is accounted for, and no
    /// next attempt waits.
    fn may_go(&self, row: &ExecutionRow) -> bool {
        let is_newest = row.scheduled_at.is_some()
            && self.tasks.contains_key(&row.task_id)
            && self.accounted.get(&row.task_id).copied() == row.scheduled_at;
        let waits = self
            .retries
            .keys()
            .any(|(task, at, _)| (*task, Some(*at)) == (row.task_id, row.scheduled_at));
        row.status != Status::Todo.as_str() && !is_newest && !waits
    }

    fn remove_execution(&mut self, id: ExecutionId) {
        let Some(row) = self.executions.remove(&id) else { return };
        if let Some(scheduled_at) = row.scheduled_at {
            self.fires.remove(&(row.task_id, scheduled_at, row.attempt));
        }
        self.log.retain(|(execution, _), _| *execution != id);
    }

    /// Nodes in the order of their ids, and for how long they were silent.
    fn living(&self) -> Vec<(String, Duration)> {
        let here = self.nodes.iter().filter(|(_, node)| node.left_at.is_none());
        let living = here.map(|(id, node)| (id.clone(), self.silent_for(node)));
        living.filter(|(_, silent)| *silent <= LONGEST_LEASE).collect()
    }

    fn silent_for(&self, node: &NodeTimes) -> Duration {
        (self.now - node.heartbeat_at).to_std().unwrap_or_default()
    }

    /// The manual runs that are read: the first of each task before the second of any.
    fn manual_runs(&self) -> Vec<Request> {
        let mut of_task: HashMap<TaskId, usize> = HashMap::new();
        let with_place = self.requests.values().map(|request| {
            let place = of_task.entry(request.task_id).or_default();
            *place += 1;
            (*place, request)
        });
        let mut runs: Vec<(usize, &Request)> = with_place.collect();
        runs.sort_by_key(|(place, _)| *place);
        runs.truncate(MOST_MANUAL);
        runs.into_iter().map(|(_, request)| request.clone()).collect()
    }

    /// With which arguments the attempt before this one was asked for.
    fn args_before(&self, task: TaskId, at: DateTime<Utc>, attempt: u32) -> Option<Arc<str>> {
        let id = self.fires.get(&(task, at, i64::from(attempt) - 1))?;
        args_of(&self.executions.get(id)?.extra)
    }

    /// Manual runs, then the retries that are due first; and whether these are all.
    /// By task, instant and attempt.
    fn waiting_retries(&self) -> Vec<Request> {
        self.retries
            .iter()
            .map(|((task_id, scheduled_at, attempt), due_at)| Request {
                origin: Origin::Retry,
                task_id: *task_id,
                scheduled_at: *scheduled_at,
                attempt: *attempt,
                due_at: *due_at,
                args: self.args_before(*task_id, *scheduled_at, *attempt),
            })
            .collect()
    }

    fn waiting(&self) -> (Vec<Request>, bool) {
        let mut retries = self.waiting_retries();
        retries.sort_by_key(|retry| retry.due_at);
        let mut of_task: HashMap<TaskId, usize> = HashMap::new();
        retries.retain(|retry| {
            let count = of_task.entry(retry.task_id).or_default();
            *count += 1;
            *count <= MOST_OF_ONE_TASK
        });
        retries.truncate(MOST_REQUESTS);
        let mut requests = self.manual_runs();
        let is_whole = requests.len() < MOST_MANUAL && are_all(&retries);
        requests.extend(retries);
        (requests, is_whole)
    }

    fn insert(&mut self, row: ExecutionRow) {
        let (id, is_fire) = (row.id, row.source == Source::Schedule.as_str());
        if let Some(scheduled_at) = row.scheduled_at {
            self.fires.insert((row.task_id, scheduled_at, row.attempt), id);
        }
        if row.status == Status::Todo.as_str() {
            self.open.insert(id);
        }
        self.executions.insert(id, row);
        if is_fire {
            self.become_fire(id);
        }
    }

    /// This execution accounts for its instant.
    fn become_fire(&mut self, id: ExecutionId) {
        let Some(row) = self.executions.get_mut(&id) else { return };
        Source::Schedule.as_str().clone_into(&mut row.source);
        let accounted = self.accounted.entry(row.task_id).or_default();
        *accounted = row.scheduled_at.unwrap_or_default().max(*accounted);
    }

    fn last_accounted(&self, task: TaskId) -> Option<DateTime<Utc>> {
        self.accounted.get(&task).copied()
    }

    fn locked(&self, task: TaskId) -> Option<LockedTask> {
        let row = self.tasks.get(&task)?;
        Some(LockedTask {
            is_enabled: row.is_valid.as_deref() == Ok("1"),
            spec: row.spec.clone().unwrap_or_default(),
            updated_at: row.updated_at,
            last_accounted: self.last_accounted(task),
            open: self.open(task),
        })
    }

    fn open(&self, task: TaskId) -> u32 {
        let open = self.open.iter().filter_map(|id| self.executions.get(id));
        u32::try_from(open.filter(|row| row.task_id == task).count()).unwrap_or(u32::MAX)
    }

    fn judge(&self, claim: &Claim) -> Result<(), Refusal> {
        let has_request = match claim.origin {
            Origin::Schedule => false,
            Origin::Request(id) => self.requests.contains_key(&id),
            Origin::Retry => retry_of(claim).is_some_and(|retry| self.retries.contains_key(&retry)),
        };
        judge(claim, self.locked(claim.task_id).as_ref(), has_request)
    }

    fn claim(&mut self, node: &str, claim: &Claim) -> Verdict {
        if let Err(refusal) = self.judge(claim) {
            return Verdict::Refused(refusal);
        }
        for entry in &claim.entries {
            let fire = (claim.task_id, entry.scheduled_at, i64::from(entry.attempt));
            if let Some(id) = self.fires.get(&fire).copied() {
                let is_manual = |row: &ExecutionRow| row.source == Source::Manual.as_str();
                if claim.origin == Origin::Schedule
                    && self.executions.get(&id).is_some_and(is_manual)
                {
                    self.become_fire(id);
                }
                continue;
            }
            let id = self.executions.last_key_value().map_or(1, |(id, _)| id + 1);
            self.insert(ExecutionRow {
                id,
                task_id: claim.task_id,
                task_key: None,
                status: entry.status.as_str().to_owned(),
                extra: entry.extra.clone(),
                trace_id: entry.trace_id.to_string(),
                created_at: Some(self.now.trunc_subsecs(0)),
                scheduled_at: Some(entry.scheduled_at),
                attempt: i64::from(entry.attempt),
                source: claim.origin.source().as_str().to_owned(),
                node_id: Some(node.to_owned()),
                started_at: None,
                finished_at: entry.status.is_terminal().then_some(self.now),
            });
        }
        match self.written_by(claim) {
            Some(run) => {
                if run.is_some() {
                    self.set_status(claim.task_id, "ready", "doing");
                }
                self.take_away(claim);
                Verdict::Won(run)
            }
            // Only somebody by hand can have written the row of a retry: then it waits no longer.
            None if claim.origin == Origin::Retry => {
                self.take_away(claim);
                Verdict::Won(None)
            }
            None => Verdict::Refused(Refusal::Accounted(claim.newest())),
        }
    }

    /// What was asked for waits no longer.
    fn take_away(&mut self, claim: &Claim) {
        if let Origin::Request(id) = claim.origin {
            self.requests.remove(&id);
        }
        if let Some(retry) = retry_of(claim) {
            self.retries.remove(&retry);
        }
    }

    /// `None`: its rows are not there. The execution of its run, while that is open.
    fn written_by(&self, claim: &Claim) -> Option<Option<ExecutionId>> {
        let Some(entry) = claim.entries.last() else { return Some(None) };
        let id = self.fires.get(&(claim.task_id, entry.scheduled_at, i64::from(entry.attempt)))?;
        let row = self.executions.get(id).filter(|row| *row.trace_id == *entry.trace_id)?;
        Some((row.status == Status::Todo.as_str()).then_some(row.id))
    }

    fn record(&mut self, outcome: &Outcome) -> Recorded {
        let row = self.executions.get_mut(&outcome.execution_id);
        let Some(row) = row.filter(|row| *row.trace_id == *outcome.trace_id) else {
            return Recorded::Discarded;
        };
        if row.status == Status::Todo.as_str() {
            row.status = outcome.status.as_str().to_owned();
            row.extra.clone_from(&outcome.extra);
            row.started_at = outcome.started_at.or(row.started_at);
            row.finished_at = Some(outcome.finished_at);
            self.open.remove(&outcome.execution_id);
            if let Some(Retry { scheduled_at, attempt, due_at }) = outcome.retry {
                self.retries.entry((outcome.task_id, scheduled_at, attempt)).or_insert(due_at);
            }
            self.release(outcome.task_id);
            return Recorded::Stands;
        }
        let stands = row.status == outcome.status.as_str();
        if stands { Recorded::Stands } else { Recorded::Discarded }
    }

    /// To `ready`, when nothing of the task is open; says whether it changed.
    fn release(&mut self, task: TaskId) -> bool {
        self.open(task) == 0 && self.set_status(task, "doing", "ready")
    }

    /// Sets a status unless another row has the same key in it, as the unique key would refuse.
    fn set_status(&mut self, task: TaskId, from: &str, to: &str) -> bool {
        let Some(row) = self.tasks.get(&task) else { return false };
        let is_taken = self.tasks.values().any(|other| {
            other.id != task && other.task_key == row.task_key && other.status.as_deref() == Ok(to)
        });
        if is_taken || row.status.as_deref() != Ok(from) {
            return false;
        }
        if let Some(row) = self.tasks.get_mut(&task) {
            row.status = Ok(to.to_owned());
        }
        true
    }

    fn add(&mut self, task: &NewTask) -> Result<TaskId, StoreError> {
        let is_id_taken = task.id.is_some_and(|id| self.tasks.contains_key(&id));
        if is_id_taken {
            return Err(StoreError::KeyTaken { key: task.task_key.clone() });
        }
        self.check_key(&task.task_key)?;
        let id = task.id.unwrap_or(self.next_task);
        self.next_task = self.next_task.max(id + 1);
        self.tasks.insert(id, task.as_row(id, self.now.trunc_subsecs(0)));
        Ok(id)
    }

    fn check_key(&self, key: &str) -> Result<(), StoreError> {
        let is_taken = self.tasks.values().any(|row| row.task_key.as_deref() == Ok(key));
        if is_taken { Err(StoreError::KeyTaken { key: key.to_owned() }) } else { Ok(()) }
    }

    fn edit(&mut self, task: TaskId, edit: impl FnOnce(&mut TaskRow)) -> Result<(), StoreError> {
        let now = self.now;
        let row =
            self.tasks.get_mut(&task).ok_or(StoreError::NotFound { what: "task", id: task })?;
        edited(row, now, edit);
        Ok(())
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn migrate(&self) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let now = tables.now;
        tables.adopted_at.get_or_insert(now);
        Ok(())
    }

    async fn check_schema(&self) -> Result<(), StoreError> {
        match self.tables().adopted_at {
            Some(_) => Ok(()),
            None => Err(StoreError::Schema(format!(
                "the tables in memory are at version 0, expected {NEWEST}"
            ))),
        }
    }

    async fn read(&self) -> Result<Reading, StoreError> {
        let tables = self.tables();
        let (requests, is_whole) = tables.waiting();
        Ok(Reading {
            rows: tables.tasks.values().cloned().collect(),
            requests,
            is_whole,
            unreadable: Vec::new(),
            adopted_at: tables.adopted_at.unwrap_or(DateTime::UNIX_EPOCH),
            nodes: tables.living(),
            cancels: tables.cancels(),
        })
    }

    async fn cursors(
        &self,
        tasks: &[TaskId],
    ) -> Result<HashMap<TaskId, DateTime<Utc>>, StoreError> {
        let tables = self.tables();
        Ok(tasks.iter().filter_map(|task| Some((*task, tables.last_accounted(*task)?))).collect())
    }

    async fn claim(&self, node: &str, claims: &[Claim]) -> Result<Vec<Verdict>, StoreError> {
        let mut tables = self.tables();
        Ok(claims.iter().map(|claim| tables.claim(node, claim)).collect())
    }

    async fn settle(&self, claims: &[Claim]) -> Result<Vec<Settled>, StoreError> {
        let tables = self.tables();
        let written = claims.iter().map(|claim| tables.written_by(claim));
        Ok(written.map(|written| written.map_or(Settled::NotWritten, Settled::Written)).collect())
    }

    async fn record(&self, outcomes: &[Outcome]) -> Result<Vec<Recorded>, StoreError> {
        let mut tables = self.tables();
        Ok(outcomes.iter().map(|outcome| tables.record(outcome)).collect())
    }

    async fn adopted_at(&self) -> Result<DateTime<Utc>, StoreError> {
        Ok(self.tables().adopted_at.unwrap_or(DateTime::UNIX_EPOCH))
    }

    async fn was_made_new(&self) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn prune_logs(
        &self,
        cutoff: DateTime<Utc>,
        after: ExecutionId,
    ) -> Result<Pruned<ExecutionId>, StoreError> {
        let mut tables = self.tables();
        let logged = tables.log.range((after.saturating_add(1), 0)..).map(|((id, _), _)| *id);
        let logged: BTreeSet<ExecutionId> = logged.collect();
        let logged: Vec<ExecutionId> = logged.into_iter().take(PRUNED as usize).collect();
        let row = |id: &ExecutionId| tables.executions.get(id);
        let next =
            logged.last().copied().filter(|id| row(id).is_none_or(|row| is_old(row, cutoff)));
        let goes = |id: &&ExecutionId| {
            row(id).is_none_or(|row| row.status != Status::Todo.as_str() && has_ended(row, cutoff))
        };
        let going: BTreeSet<ExecutionId> = logged.iter().filter(goes).copied().collect();
        tables.log.retain(|(id, _), _| !going.contains(id));
        Ok(Pruned { removed: going.len(), next })
    }

    async fn prune_edits(
        &self,
        cutoff: DateTime<Utc>,
        after: EditId,
    ) -> Result<Pruned<EditId>, StoreError> {
        let mut tables = self.tables();
        let rows = tables.edits.iter().filter(|row| row.id > after);
        let rows: Vec<EditRow> = rows.take(PRUNED as usize).cloned().collect();
        let is_old = |row: &EditRow| row.edited_at.is_none_or(|at| at < cutoff);
        let is_newest = |row: &EditRow| {
            let mut newer = tables.edits.iter().filter(|other| other.task_id == row.task_id);
            row.after.is_some() && !newer.any(|other| other.id > row.id && other.action != "run")
        };
        let going = rows.iter().filter(|row| is_old(row) && !is_newest(row)).map(|row| row.id);
        let going: BTreeSet<EditId> = going.collect();
        tables.edits.retain(|row| !going.contains(&row.id));
        let next = rows.last().filter(|row| is_old(row)).map(|row| row.id);
        Ok(Pruned { removed: going.len(), next })
    }

    async fn prune_older(
        &self,
        cutoff: DateTime<Utc>,
        after: ExecutionId,
    ) -> Result<Pruned<ExecutionId>, StoreError> {
        let mut tables = self.tables();
        let rows = tables.executions.range(after.saturating_add(1)..).map(|(_, row)| row);
        let rows: Vec<&ExecutionRow> = rows.take(PRUNED as usize).collect();
        let next = rows.last().filter(|row| is_old(row, cutoff)).map(|row| row.id);
        let going = rows.iter().filter(|row| has_ended(row, cutoff) && tables.may_go(row));
        let going: Vec<ExecutionId> = going.map(|row| row.id).collect();
        going.iter().for_each(|id| tables.remove_execution(*id));
        Ok(Pruned { removed: going.len(), next })
    }

    async fn prune_beyond(&self, most: u32, after: TaskId) -> Result<Pruned<TaskId>, StoreError> {
        let mut tables = self.tables();
        let most = most as usize;
        let tasks: Vec<TaskId> =
            tables.tasks.range(after.saturating_add(1)..).map(|(id, _)| *id).take(100).collect();
        let of = |task: TaskId| {
            let rows = tables.executions.values().filter(move |row| row.task_id == task);
            let mut rows: Vec<&ExecutionRow> =
                rows.filter(|row| row.scheduled_at.is_some()).collect();
            rows.sort_by_key(|row| std::cmp::Reverse((row.scheduled_at, row.attempt)));
            rows
        };
        let crowded = tasks.iter().copied().find(|task| of(*task).len() > most + most / 10);
        let Some(task) = crowded else {
            return Ok(Pruned { removed: 0, next: tasks.last().copied() });
        };
        let rows = of(task);
        let first_kept = rows[most - 1].scheduled_at;
        let going =
            rows.iter().rev().filter(|row| row.scheduled_at < first_kept && tables.may_go(row));
        let going: Vec<ExecutionId> = going.map(|row| row.id).take(PRUNED as usize).collect();
        going.iter().for_each(|id| tables.remove_execution(*id));
        let is_done = going.len() < PRUNED as usize;
        Ok(Pruned { removed: going.len(), next: Some(if is_done { task } else { task - 1 }) })
    }

    async fn append_log(&self, parts: &[LogPart]) -> Result<(), StoreError> {
        let mut tables = self.tables();
        for LogPart { execution_id, part, content } in parts {
            if tables.executions.contains_key(execution_id) {
                tables.log.entry((*execution_id, *part)).or_insert_with(|| content.clone());
            }
        }
        Ok(())
    }

    async fn note(&self, notes: &[Noted]) -> Result<(), StoreError> {
        let mut tables = self.tables();
        for note in notes {
            let row = tables.executions.get_mut(&note.execution_id);
            let is_open = |row: &&mut ExecutionRow| {
                row.status == Status::Todo.as_str() && *row.trace_id == *note.trace_id
            };
            if let Some(row) = row.filter(is_open) {
                row.extra.clone_from(&note.extra);
            }
        }
        Ok(())
    }

    async fn renew(&self, node: &str) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let now = tables.now;
        let new = NodeTimes { started_at: now, heartbeat_at: now, left_at: None };
        tables.nodes.entry(node.to_owned()).or_insert(new).heartbeat_at = now;
        Ok(())
    }

    async fn now(&self) -> Result<DateTime<Utc>, StoreError> {
        Ok(self.tables().now)
    }

    async fn leave(&self, node: &str) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let now = tables.now;
        if let Some(node) = tables.nodes.get_mut(node) {
            node.left_at.get_or_insert(now);
        }
        Ok(())
    }

    async fn reap(
        &self,
        node: &str,
        lease: Duration,
        until: DateTime<Utc>,
        suspects: &[TaskId],
    ) -> Result<Reaped, StoreError> {
        let mut tables = self.tables();
        let now = tables.now;
        let dead_before = now - TimeDelta::from_std(lease).unwrap_or(TimeDelta::MAX);
        let reason = reason_when_lost(lease);
        let nodes = tables.nodes.clone();
        let (mut lost, mut retries) = (Vec::new(), Vec::new());
        let judged = if now <= until { tables.open.clone() } else { BTreeSet::new() };
        for id in judged {
            let Some(row) = tables.executions.get_mut(&id) else { continue };
            let heard = row
                .node_id
                .as_ref()
                .and_then(|node| nodes.get(node))
                .map(|node| node.heartbeat_at)
                .or(row.created_at);
            let is_own = row.node_id.as_deref() == Some(node);
            if !is_own && heard.is_some_and(|heard| heard < dead_before) {
                let retry =
                    next_attempt(row).filter(|_| is_wanted_when_lost(&row.extra, row.attempt));
                row.status = Status::Lost.as_str().to_owned();
                row.extra = extra_when_lost(&row.extra, &reason, retry.map(|_| now));
                row.finished_at = Some(now);
                lost.push(Lost {
                    execution_id: row.id,
                    task_id: row.task_id,
                    node_id: row.node_id.clone(),
                    is_retried: retry.is_some(),
                });
                retries.extend(retry.map(|fire| (fire, now)));
            }
        }
        for (fire, due_at) in retries {
            tables.retries.entry(fire).or_insert(due_at);
        }
        for lost in &lost {
            tables.open.remove(&lost.execution_id);
        }
        let of_lost: HashSet<TaskId> = lost.iter().map(|lost| lost.task_id).collect();
        for task in &of_lost {
            tables.release(*task);
        }
        tables.nodes.retain(|_, node| node.heartbeat_at >= now - MEMORY_OF_NODES);
        let suspects = suspects.iter().copied().filter(|task| !of_lost.contains(task));
        Ok(Reaped { healed: suspects.filter(|task| tables.release(*task)).collect(), lost })
    }
}
