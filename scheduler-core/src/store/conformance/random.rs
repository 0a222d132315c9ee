//! The same steps on several stores: what they answer, and what stands in their tables at the end.
//!
//! Steps speak of tasks and executions by their number in the sequence, since each store gives its own ids; an
//! answer is compared as text in which an execution is named by its trace id. Nothing depends on the clock: time
//! passes in steps of more than a day, leases last an hour.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Fixture,
    alive::AT_ANY_TIME,
    at, new_task,
    turns::{Planned, Step, Turn},
};
use crate::{
    plan::{
        claim::{Claim, Entry, Origin, Refusal, RequestId, Verdict},
        execution::{ExecutionId, Noted, Outcome, Status},
        node::Settled,
        notes::Notes,
        retry::Retry,
        task::TaskId,
    },
    store::SharedStore,
};

const LEASE: Duration = Duration::from_secs(3_600);

/// Applies `turns` and writes down what was answered, and the tables at the end.
pub async fn play(fixture: &Fixture, turns: &[Turn]) -> Vec<String> {
    let mut play = Play::on(fixture);
    let mut log = Vec::with_capacity(turns.len() + 1);
    for (number, turn) in turns.iter().enumerate() {
        let answer = play.take(turn).await;
        log.push(format!("{number}. {turn:?} -> {answer}"));
    }
    log.push(play.tables().await);
    log
}

struct Play<'a> {
    fixture: &'a Fixture,
    /// The id of the row that has the key, by key; deleted ones too.
    tasks: BTreeMap<usize, TaskId>,
    requests: Vec<Option<(RequestId, TaskId, DateTime<Utc>)>>,
    /// Task, instant and attempt of each retry that was recorded, or was tried to.
    retries: Vec<(TaskId, DateTime<Utc>, u32)>,
    claims: Vec<Claim>,
    last: Vec<Claim>,
    executions: BTreeMap<String, ExecutionId>,
}

impl<'a> Play<'a> {
    fn on(fixture: &'a Fixture) -> Self {
        let tasks = BTreeMap::new();
        Self {
            fixture,
            tasks,
            requests: vec![],
            retries: vec![],
            claims: vec![],
            last: vec![],
            executions: BTreeMap::new(),
        }
    }

    fn task(&self, number: usize) -> TaskId {
        self.tasks.get(&number).copied().unwrap_or(1_000_000)
    }

    fn key(&self, id: TaskId) -> String {
        let known = self.tasks.iter().find(|(_, known)| **known == id);
        known.map_or_else(|| "gone".to_owned(), |(key, _)| format!("key {key}"))
    }

    async fn take(&mut self, turn: &Turn) -> String {
        let node = self.fixture.handles()[turn.node];
        let (name, store) = node;
        match &turn.step {
            Step::Add { key } => match store.add(&new_task(&format!("key {key}"))).await {
                Ok(id) => {
                    self.tasks.insert(*key, id);
                    "added".to_owned()
                }
                Err(error) => error.to_string(),
            },
            Step::SetEnabled(task, on) => answer(&store.set_enabled(self.task(*task), *on).await),
            Step::SetSpec(task, spec) => answer(&store.set_spec(self.task(*task), spec).await),
            Step::Delete(task) => answer(&store.delete(self.task(*task)).await),
            Step::SetStatusByHand(task, status) => {
                self.fixture.operator.set_status(self.task(*task), status).await;
                String::new()
            }
            Step::RequestRun(task, ms) => self.request(store, *task, *ms).await,
            Step::Claim(claims) => self.claim(node, claims).await,
            Step::Record(outcomes) => self.record(store, outcomes).await,
            Step::Note(number, is_foreign) => self.note(store, *number, *is_foreign).await,
            Step::SettleLast => {
                let settled = store.settle(&self.last).await.unwrap();
                settled
                    .iter()
                    .map(|settled| match settled {
                        Settled::NotWritten => "not written".to_owned(),
                        Settled::Locked => "locked".to_owned(),
                        Settled::Written(run) => format!("written {}", self.trace_of(*run)),
                    })
                    .collect::<Vec<_>>()
                    .join(", ")
            }
            Step::Renew => answer(&store.renew(name).await),
            Step::Leave => answer(&store.leave(name).await),
            Step::PassADay => {
                self.fixture.operator.age(Duration::from_secs(100_000)).await;
                String::new()
            }
            Step::Reap(suspects) => self.reap(store, suspects).await,
            Step::Read => self.read(store).await,
        }
    }

    fn trace_of(&self, id: Option<ExecutionId>) -> String {
        let Some(id) = id else {
            return "nothing".to_owned();
        };
        let known = self.executions.iter().find(|(_, known)| **known == id);
        known.map_or_else(|| "a run".to_owned(), |(trace, _)| trace.clone())
    }

    async fn request(&mut self, store: &SharedStore, task: usize, ms: i64) -> String {
        let id = self.task(task);
        let asked = store.request_run(id, at(0) + TimeDelta::milliseconds(ms)).await;
        let Ok(request) = asked else {
            self.requests.push(None);
            return "no such task".to_owned();
        };
        let waiting = self.fixture.other.read().await.unwrap().requests;
        let requested =
            waiting.iter().find(|waiting| waiting.origin == Origin::Request(request)).unwrap();
        self.requests.push(Some((request, id, requested.scheduled_at)));
        format!("at {}", requested.scheduled_at)
    }

    async fn claim(&mut self, node: (&str, &SharedStore), planned: &[Planned]) -> String {
        let mut claims: Vec<Claim> =
            planned.iter().filter_map(|planned| self.plan(planned)).collect();
        // A node claims at most once per task in a batch; two requests may have been for the same one.
        let mut tasks = BTreeSet::new();
        claims.retain(|claim| tasks.insert(claim.task_id));
        self.last.clone_from(&claims);
        self.claims.extend(claims.iter().cloned());
        let verdicts = node.1.claim(node.0, &claims).await.unwrap();
        let mut answer = String::new();
        for (claim, verdict) in claims.iter().zip(verdicts) {
            let trace = claim.entries.last().unwrap().trace_id.to_string();
            let text = match verdict {
                Verdict::Won(Some(id)) => {
                    self.executions.insert(trace, id);
                    "won a run".to_owned()
                }
                Verdict::Won(None) => "won".to_owned(),
                Verdict::Refused(Refusal::Accounted(at)) => format!("accounted {at}"),
                Verdict::Refused(refusal) => format!("{refusal:?}"),
            };
            write!(answer, "{text}; ").unwrap();
        }
        answer
    }

    fn plan(&self, planned: &Planned) -> Option<Claim> {
        let entry = |scheduled_at, status: Status, attempt, n: usize| Entry {
            scheduled_at,
            trace_id: format!("trace {}.{n}", planned.trace).into(),
            status,
            attempt,
            extra: if planned.trace.is_multiple_of(3) {
                r#"{"retries_on_lost":2}"#.to_owned()
            } else {
                format!(r#"{{"reason":"{status}"}}"#)
            },
        };
        let claim = |task_id, first, origin, entries| Claim {
            task_id,
            spec: planned.spec.into(),
            first,
            limit: planned.limit,
            origin,
            entries,
        };
        if let Some(number) = planned.request {
            let (request, task, instant) = (*self.requests.get(number)?)?;
            let (_, status) = *planned.entries.last()?;
            let entries = vec![entry(instant, status, 1, 0)];
            return Some(claim(task, instant, Origin::Request(request), entries));
        }
        if let Some((task, instant, attempt)) = planned.retry.and_then(|n| self.retries.get(n)) {
            let (_, status) = *planned.entries.last()?;
            let entries = vec![entry(*instant, status, *attempt, 0)];
            return Some(claim(*task, *instant, Origin::Retry, entries));
        }
        let entries: Vec<Entry> = planned
            .entries
            .iter()
            .enumerate()
            .map(|(n, (secs, status))| entry(at(*secs), *status, 1, n))
            .collect();
        let first = entries[0].scheduled_at;
        Some(claim(self.task(planned.task), first, Origin::Schedule, entries))
    }

    async fn record(
        &mut self,
        store: &SharedStore,
        outcomes: &[(usize, Status, bool, bool)],
    ) -> String {
        let outcomes: Vec<Outcome> = outcomes
            .iter()
            .filter_map(|(number, status, is_foreign, is_retried)| {
                let claim = self.claims.get(*number)?;
                let entry = claim.entries.last()?;
                Some(Outcome {
                    execution_id: self
                        .executions
                        .get(&*entry.trace_id)
                        .copied()
                        .unwrap_or(1_000_000),
                    task_id: claim.task_id,
                    trace_id: if *is_foreign {
                        "foreign".into()
                    } else {
                        Arc::clone(&entry.trace_id)
                    },
                    status: *status,
                    extra: format!(r#"{{"err":"{status}"}}"#),
                    started_at: Some(entry.scheduled_at),
                    finished_at: entry.scheduled_at + TimeDelta::seconds(1),
                    retry: is_retried.then(|| Retry {
                        scheduled_at: entry.scheduled_at,
                        attempt: entry.attempt + 1,
                        due_at: entry.scheduled_at + TimeDelta::seconds(7),
                    }),
                })
            })
            .collect();
        self.retries.extend(outcomes.iter().filter_map(|outcome| {
            let retry = outcome.retry?;
            Some((outcome.task_id, retry.scheduled_at, retry.attempt))
        }));
        answer(&store.record(&outcomes).await)
    }

    async fn note(&self, store: &SharedStore, number: usize, is_foreign: bool) -> String {
        let Some(entry) = self.claims.get(number).and_then(|claim| claim.entries.last()) else {
            return String::new();
        };
        let mut extra: Notes = serde_json::from_str(&entry.extra).unwrap();
        extra.insert("step".to_owned(), number.into());
        let noted = Noted {
            execution_id: self.executions.get(&*entry.trace_id).copied().unwrap_or(1_000_000),
            trace_id: if is_foreign { "foreign".into() } else { Arc::clone(&entry.trace_id) },
            extra: serde_json::to_string(&extra).unwrap(),
        };
        answer(&store.note(&[noted]).await)
    }

    async fn reap(&mut self, store: &SharedStore, suspects: &[usize]) -> String {
        let suspects: Vec<TaskId> = suspects.iter().map(|task| self.task(*task)).collect();
        let reaped = store.reap("the reaper", LEASE, AT_ANY_TIME, &suspects).await.unwrap();
        let lost: BTreeSet<_> = reaped
            .lost
            .iter()
            .map(|lost| {
                let trace = self.trace_of(Some(lost.execution_id));
                (trace, self.key(lost.task_id), lost.node_id.clone(), lost.is_retried)
            })
            .collect();
        let healed: BTreeSet<_> = reaped.healed.iter().map(|task| self.key(*task)).collect();
        format!("lost {lost:?}, healed {healed:?}")
    }

    async fn read(&self, store: &SharedStore) -> String {
        let reading = store.read().await.unwrap();
        let rows: Vec<_> = reading
            .rows
            .iter()
            .map(|row| {
                (row.task_key.clone(), row.spec.clone(), row.is_valid.clone(), row.status.clone())
            })
            .collect();
        // Among those that are due at once, a store is free to choose.
        let requests: BTreeSet<_> = reading
            .requests
            .iter()
            .map(|request| (self.key(request.task_id), request.scheduled_at, request.attempt))
            .collect();
        let ids: Vec<TaskId> = self.tasks.values().copied().collect();
        let cursors = store.cursors(&ids).await.unwrap();
        let cursors: BTreeMap<_, _> =
            cursors.into_iter().map(|(task, at)| (self.key(task), at)).collect();
        format!("{rows:?} {requests:?} {cursors:?}")
    }

    async fn tables(&self) -> String {
        let mut text = format!("tables: {}\n", self.read(&self.fixture.other).await);
        let mut rows = self.fixture.executions().await;
        rows.sort_by(|one, other| one.trace_id.cmp(&other.trace_id));
        for row in rows {
            // When a note was written is the store's clock; that it has ended is not.
            let finished = if row.started_at.is_some() { row.finished_at } else { None };
            let identity =
                (self.key(row.task_id), row.task_key, row.trace_id, row.scheduled_at, row.attempt);
            // When a lost run is tried again too.
            let mut extra: Notes = serde_json::from_str(&row.extra).unwrap();
            extra.entry("retry_at").and_modify(|at| *at = "then".into());
            let course = (row.status, extra, row.source, row.node_id, row.started_at, finished);
            writeln!(text, "{identity:?} {course:?} {}", row.finished_at.is_some()).unwrap();
        }
        text
    }
}

fn answer<T: std::fmt::Debug, E: std::fmt::Display>(result: &Result<T, E>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        // Ids differ from store to store.
        Err(error) => {
            error.to_string().chars().filter(|character| !character.is_ascii_digit()).collect()
        }
    }
}
