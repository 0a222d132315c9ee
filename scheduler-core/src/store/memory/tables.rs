//! The tables themselves, and what one transaction does with them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

use crate::{
    plan::{
        claim::{Claim, LockedTask, Origin, Refusal, Request, RequestId, Verdict, judge},
        difference::{Lately, Scope},
        execution::{ExecutionId, Outcome, Recorded, Source, Status, args_of},
        node::{Cancel, MOST_MANUAL, MOST_OF_ONE_TASK, MOST_REQUESTS, are_all},
        retry::Retry,
        task::{TaskId, TaskRow},
    },
    store::{AlarmId, AlarmRow, EditRow, ExecutionRow, NewTask, PauseRow, SessionRow, StoreError},
};

#[derive(Debug)]
pub(super) struct Tables {
    pub(super) now: DateTime<Utc>,
    pub(super) adopted_at: Option<DateTime<Utc>>,
    pub(super) tasks: BTreeMap<TaskId, TaskRow>,
    pub(super) next_task: TaskId,
    pub(super) executions: BTreeMap<ExecutionId, ExecutionRow>,
    pub(super) fires: HashMap<(TaskId, DateTime<Utc>, i64), ExecutionId>,
    /// The executions at `todo`, and the newest instant of each task that the schedule asked for: what a database
    /// finds by its indexes.
    pub(super) open: BTreeSet<ExecutionId>,
    pub(super) accounted: HashMap<TaskId, DateTime<Utc>>,
    pub(super) nodes: BTreeMap<String, NodeTimes>,
    pub(super) requests: BTreeMap<RequestId, Request>,
    /// By task, instant and attempt: when each is due.
    pub(super) retries: BTreeMap<Fire, DateTime<Utc>>,
    pub(super) next_request: RequestId,
    pub(super) is_demo_given: bool,
    pub(super) log: BTreeMap<(ExecutionId, u32), String>,
    pub(super) edits: Vec<EditRow>,
    pub(super) sessions: HashMap<String, SessionRow>,
    pub(super) cancels: BTreeMap<ExecutionId, String>,
    pub(super) pauses: BTreeMap<TaskId, PauseRow>,
    pub(super) alarms: Vec<AlarmRow>,
    pub(super) last_alarm: AlarmId,
    /// What each node says of itself.
    pub(super) cards: HashMap<String, String>,
}

impl Tables {
    /// Empty, with a clock that stands at `now`.
    pub(super) fn new(now: DateTime<Utc>) -> Self {
        Self {
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
        }
    }

    /// Wishes to end what is open.
    pub(super) fn cancels(&self) -> Vec<Cancel> {
        let open = self.cancels.iter().filter(|(id, _)| self.open.contains(id));
        let cancel = |(id, author): (&ExecutionId, &String)| Cancel {
            execution_id: *id,
            author: author.clone(),
        };
        open.map(cancel).collect()
    }
}

pub(super) fn edited(row: &mut TaskRow, now: DateTime<Utc>, edit: impl FnOnce(&mut TaskRow)) {
    let before = TaskRow { status: Ok(String::new()), ..row.clone() };
    edit(row);
    if before != (TaskRow { status: Ok(String::new()), ..row.clone() })
        && before.updated_at == row.updated_at
    {
        row.updated_at = Some(now.trunc_subsecs(0));
    }
}

/// A node that was silent for longer is not read: the longest lease there is.
pub(super) const LONGEST_LEASE: Duration = Duration::from_secs(3_600);

/// For how long a node is remembered.
pub(super) const MEMORY_OF_NODES: TimeDelta = TimeDelta::days(30);

/// The instants of a row of `scheduler_node`.
#[derive(Clone, Copy, Debug)]
pub(super) struct NodeTimes {
    pub(super) started_at: DateTime<Utc>,
    pub(super) heartbeat_at: DateTime<Utc>,
    pub(super) left_at: Option<DateTime<Utc>>,
}

/// A retry's place: task, instant and attempt.
pub(super) type Fire = (TaskId, DateTime<Utc>, u32);

/// Whether it began before `cutoff`.
pub(super) fn is_old(row: &ExecutionRow, cutoff: DateTime<Utc>) -> bool {
    row.created_at.is_none_or(|at| at < cutoff)
}

/// Whether it ended before `cutoff`, if it did.
pub(super) fn has_ended(row: &ExecutionRow, cutoff: DateTime<Utc>) -> bool {
    row.finished_at.or(row.created_at).is_none_or(|at| at < cutoff)
}

pub(super) fn retry_of(claim: &Claim) -> Option<Fire> {
    let entry = claim.entries.last().filter(|_| claim.origin == Origin::Retry)?;
    Some((claim.task_id, entry.scheduled_at, entry.attempt))
}

pub(super) fn next_attempt(row: &ExecutionRow) -> Option<Fire> {
    Some((row.task_id, row.scheduled_at?, u32::try_from(row.attempt + 1).ok()?))
}

impl Tables {
    /// Whether an execution may be removed: it is over, is not of the instant up to where its task is accounted for, and no
    /// next attempt waits.
    pub(super) fn may_go(&self, row: &ExecutionRow) -> bool {
        let is_newest = row.scheduled_at.is_some()
            && self.tasks.contains_key(&row.task_id)
            && self.accounted.get(&row.task_id).copied() == row.scheduled_at;
        let waits = self
            .retries
            .keys()
            .any(|(task, at, _)| (*task, Some(*at)) == (row.task_id, row.scheduled_at));
        row.status != Status::Todo.as_str() && !is_newest && !waits
    }

    pub(super) fn remove_execution(&mut self, id: ExecutionId) {
        let Some(row) = self.executions.remove(&id) else { return };
        if let Some(scheduled_at) = row.scheduled_at {
            self.fires.remove(&(row.task_id, scheduled_at, row.attempt));
        }
        self.log.retain(|(execution, _), _| *execution != id);
    }

    /// Nodes in the order of their ids, and for how long they were silent.
    pub(super) fn living(&self) -> Vec<(String, Duration)> {
        let here = self.nodes.iter().filter(|(_, node)| node.left_at.is_none());
        let living = here.map(|(id, node)| (id.clone(), self.silent_for(node)));
        living.filter(|(_, silent)| *silent <= LONGEST_LEASE).collect()
    }

    pub(super) fn silent_for(&self, node: &NodeTimes) -> Duration {
        (self.now - node.heartbeat_at).to_std().unwrap_or_default()
    }

    /// The manual runs that are read: the first of each task before the second of any.
    pub(super) fn manual_runs(&self) -> Vec<Request> {
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
    pub(super) fn args_before(
        &self,
        task: TaskId,
        at: DateTime<Utc>,
        attempt: u32,
    ) -> Option<Arc<str>> {
        let id = self.fires.get(&(task, at, i64::from(attempt) - 1))?;
        args_of(&self.executions.get(id)?.extra)
    }

    /// The rows of `scope`, and whether these are all.
    pub(super) fn rows_of(&self, scope: &Scope) -> (Vec<TaskRow>, bool) {
        let is_asked_for = |row: &&TaskRow| match scope {
            Scope::All => true,
            Scope::Edited(Lately { within, beyond, also, .. }) => {
                let is_lately_edited = row.updated_at.is_some_and(|at| at >= self.now - *within);
                is_lately_edited || row.id > *beyond || also.contains(&row.id)
            }
        };
        let rows: Vec<TaskRow> = self.tasks.values().filter(is_asked_for).cloned().collect();
        match scope {
            Scope::Edited(lately) if lately.explains(&rows, self.tasks.len()) => (rows, false),
            _ => (self.tasks.values().cloned().collect(), true),
        }
    }

    /// Manual runs, then the retries that are due first; and whether these are all.
    /// By task, instant and attempt.
    pub(super) fn waiting_retries(&self) -> Vec<Request> {
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

    pub(super) fn waiting(&self) -> (Vec<Request>, bool) {
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

    pub(super) fn insert(&mut self, row: ExecutionRow) {
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
    pub(super) fn become_fire(&mut self, id: ExecutionId) {
        let Some(row) = self.executions.get_mut(&id) else { return };
        Source::Schedule.as_str().clone_into(&mut row.source);
        let accounted = self.accounted.entry(row.task_id).or_default();
        *accounted = row.scheduled_at.unwrap_or_default().max(*accounted);
    }

    pub(super) fn last_accounted(&self, task: TaskId) -> Option<DateTime<Utc>> {
        self.accounted.get(&task).copied()
    }

    pub(super) fn locked(&self, task: TaskId) -> Option<LockedTask> {
        let row = self.tasks.get(&task)?;
        Some(LockedTask {
            is_enabled: row.is_valid.as_deref() == Ok("1"),
            spec: row.spec.clone().unwrap_or_default(),
            updated_at: row.updated_at,
            last_accounted: self.last_accounted(task),
            open: self.open(task),
        })
    }

    pub(super) fn open(&self, task: TaskId) -> u32 {
        let open = self.open.iter().filter_map(|id| self.executions.get(id));
        u32::try_from(open.filter(|row| row.task_id == task).count()).unwrap_or(u32::MAX)
    }

    pub(super) fn judge(&self, claim: &Claim) -> Result<(), Refusal> {
        let has_request = match claim.origin {
            Origin::Schedule => false,
            Origin::Request(id) => self.requests.contains_key(&id),
            Origin::Retry => retry_of(claim).is_some_and(|retry| self.retries.contains_key(&retry)),
        };
        judge(claim, self.locked(claim.task_id).as_ref(), has_request)
    }

    pub(super) fn claim(&mut self, node: &str, claim: &Claim) -> Verdict {
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
    pub(super) fn take_away(&mut self, claim: &Claim) {
        if let Origin::Request(id) = claim.origin {
            self.requests.remove(&id);
        }
        if let Some(retry) = retry_of(claim) {
            self.retries.remove(&retry);
        }
    }

    /// `None`: its rows are not there. The execution of its run, while that is open.
    pub(super) fn written_by(&self, claim: &Claim) -> Option<Option<ExecutionId>> {
        let Some(entry) = claim.entries.last() else { return Some(None) };
        let id = self.fires.get(&(claim.task_id, entry.scheduled_at, i64::from(entry.attempt)))?;
        let row = self.executions.get(id).filter(|row| *row.trace_id == *entry.trace_id)?;
        Some((row.status == Status::Todo.as_str()).then_some(row.id))
    }

    pub(super) fn record(&mut self, outcome: &Outcome) -> Recorded {
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
    pub(super) fn release(&mut self, task: TaskId) -> bool {
        self.open(task) == 0 && self.set_status(task, "doing", "ready")
    }

    /// Sets a status unless another row has the same key in it, as the unique key would refuse.
    pub(super) fn set_status(&mut self, task: TaskId, from: &str, to: &str) -> bool {
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

    pub(super) fn add(&mut self, task: &NewTask) -> Result<TaskId, StoreError> {
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

    pub(super) fn check_key(&self, key: &str) -> Result<(), StoreError> {
        let is_taken = self.tasks.values().any(|row| row.task_key.as_deref() == Ok(key));
        if is_taken { Err(StoreError::KeyTaken { key: key.to_owned() }) } else { Ok(()) }
    }

    pub(super) fn edit(
        &mut self,
        task: TaskId,
        edit: impl FnOnce(&mut TaskRow),
    ) -> Result<(), StoreError> {
        let now = self.now;
        let row =
            self.tasks.get_mut(&task).ok_or(StoreError::NotFound { what: "task", id: task })?;
        edited(row, now, edit);
        Ok(())
    }
}
