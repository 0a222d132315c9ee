//! Runs the jobs, on a runtime of their own.
//!
//! A job that blocks its thread, panics or never ends harms no claim and no renewal. Its end comes back as
//! [`Ended`]; a panic comes back as an error with the panic's text.
//!
//! An async job is a task on the runtime's workers; a blocking one holds a thread of its pool for such work. Both
//! keep their place until they really return: a blocking one that was given up is not over, and says so by
//! coming back late.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::{
    runtime::Handle,
    sync::watch,
    task::{AbortHandle, Id, JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};

use crate::{
    clock::Clock,
    job::{
        Args, Body, Context, ContextParts, Invocation, Notebook, Shared, error_chain, panic_text,
    },
    plan::{
        execution::{ExecutionId, Noted, Outcome, TraceId},
        lease::{self, Trust},
        node::{Ended, Run},
        notes::with_notes,
    },
    registry::Registry,
    run::run_logs::RunLogs,
    telemetry,
};

/// The most ends handed over at once.
const BATCH: usize = 1_000;

/// The jobs that run.
#[derive(Debug)]
pub(crate) struct Jobs {
    registry: Arc<Registry>,
    runtime: Handle,
    clock: Clock,
    shared: Arc<Shared>,
    logs: Arc<RunLogs>,
    tasks: JoinSet<Result<(), String>>,
    by_task: HashMap<Id, ExecutionId>,
    by_execution: HashMap<ExecutionId, Running>,
    cancellation: CancellationToken,
    trust: watch::Sender<Trust>,
}

#[derive(Debug)]
struct Running {
    abort: AbortHandle,
    cancellation: CancellationToken,
    started_at: StartedAt,
    trace_id: TraceId,
    notes: Notebook,
    /// What the claim wrote into the row.
    extra: String,
    #[cfg(feature = "testing")]
    is_blocking: bool,
}

impl Jobs {
    /// None yet. They will run on `runtime`, say by `clock` when they began and ended, be given `shared`, and log into
    /// `logs`.
    pub(crate) fn new(
        registry: Arc<Registry>,
        runtime: Handle,
        clock: Clock,
        shared: Arc<Shared>,
        logs: Arc<RunLogs>,
    ) -> Self {
        Self {
            registry,
            runtime,
            clock,
            shared,
            logs,
            tasks: JoinSet::new(),
            by_task: HashMap::new(),
            by_execution: HashMap::new(),
            cancellation: CancellationToken::new(),
            trust: watch::Sender::default(),
        }
    }

    /// From now on jobs begin under `trust`, also those that were started before.
    pub(crate) fn begin_under(&self, trust: Trust) {
        self.trust.send_replace(trust);
    }

    /// Starts them all; each comes back from [`Self::ended`], once.
    pub(crate) fn start(&mut self, runs: Vec<Run>) {
        for run in runs {
            let execution_id = run.execution_id;
            let body = self.registry.get(&run.job).map(|job| job.body);
            let (trace_id, extra) = (Arc::clone(&run.trace_id), run.extra.clone());
            let cancellation = self.cancellation.child_token();
            let notes = Notebook::default();
            let first_step = FirstStep {
                started_at: StartedAt::default(),
                clock: self.clock.clone(),
                trust: self.trust.subscribe(),
                term: run.term,
            };
            let started_at = first_step.started_at.clone();
            let abort = self.spawn(run, body, cancellation.clone(), notes.clone(), first_step);
            self.by_task.insert(abort.id(), execution_id);
            let running = Running {
                abort,
                cancellation,
                started_at,
                trace_id,
                notes,
                extra,
                #[cfg(feature = "testing")]
                is_blocking: matches!(body, Some(Body::Blocking(_))),
            };
            self.by_execution.insert(execution_id, running);
        }
    }

    fn spawn(
        &mut self,
        run: Run,
        body: Option<Body>,
        cancellation: CancellationToken,
        notes: Notebook,
        first_step: FirstStep,
    ) -> AbortHandle {
        let log = self.logs.open(run.execution_id);
        let span = telemetry::run_span(&run.trace_id, &run.task_key, run.execution_id, &log);
        let Some(body) = body else {
            let text = format!("bug: job {:?} is not compiled in", run.job);
            let job = async move { first_step.take().and(Err(text)) };
            return self.tasks.spawn_on(job, &self.runtime);
        };
        let invocation = self.invocation(run, cancellation, notes, span.clone());
        match body {
            Body::Async(body) => {
                let job = async move {
                    first_step.take()?;
                    body(invocation).await.map_err(|error| error_chain(&error))
                };
                self.tasks.spawn_on(job.instrument(span), &self.runtime)
            }
            Body::Blocking(body) => {
                let job = move || {
                    let _entered = span.entered();
                    first_step.take()?;
                    body(invocation).map_err(|error| error_chain(&error))
                };
                self.tasks.spawn_blocking_on(job, &self.runtime)
            }
        }
    }

    fn invocation(
        &self,
        run: Run,
        cancellation: CancellationToken,
        notes: Notebook,
        span: Span,
    ) -> Invocation {
        let until =
            |timeout| self.clock.wall().checked_add_signed(TimeDelta::from_std(timeout).ok()?);
        Invocation {
            task_key: run.task_key,
            args: Args::parse(&run.args),
            context: Context::new(ContextParts {
                task_id: run.task_id,
                execution_id: run.execution_id,
                trace_id: run.trace_id,
                scheduled_at: run.scheduled_at,
                attempt: run.attempt,
                deadline: run.timeout.and_then(until),
                cancellation,
                notes,
                shared: Arc::clone(&self.shared),
                span,
                clock: self.clock.clone(),
                runtime: Some(self.runtime.clone()),
            }),
        }
    }

    /// Whether none runs. One that was given up runs until it has really ended.
    #[cfg(feature = "testing")]
    pub(crate) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Whether one of them holds a thread of its own.
    #[cfg(feature = "testing")]
    pub(crate) fn has_blocking(&self) -> bool {
        self.by_execution.values().any(|running| running.is_blocking)
    }

    /// Tells all jobs that the scheduler is stopping.
    pub(crate) fn cancel(&self) {
        self.cancellation.cancel();
    }

    /// Ends these jobs at their next await. One that blocks its thread ends when it stops blocking; a blocking one
    /// that has not begun never will.
    pub(crate) fn abort(&self, executions: &[ExecutionId]) {
        for execution in executions {
            if let Some(running) = self.by_execution.get(execution) {
                running.cancellation.cancel();
                running.abort.abort();
            }
        }
    }

    /// Fills in, of a job that the scheduler gave up on, when it began and what it noted: only its thread knows.
    pub(crate) fn complete(&self, outcomes: &mut [Outcome]) {
        for outcome in outcomes.iter_mut().filter(|outcome| outcome.started_at.is_none()) {
            if let Some(running) = self.by_execution.get(&outcome.execution_id) {
                outcome.started_at = running.started_at.get();
                outcome.extra = with_notes(&outcome.extra, running.notes.all());
            }
        }
    }

    /// What running jobs have noted since the last call.
    pub(crate) fn noted(&self) -> Vec<Noted> {
        let noted = self.by_execution.iter().filter_map(|(execution_id, running)| {
            let notes = running.notes.changed()?;
            let trace_id = Arc::clone(&running.trace_id);
            let extra = with_notes(&running.extra, notes);
            Some(Noted { execution_id: *execution_id, trace_id, extra })
        });
        noted.collect()
    }

    /// What running jobs have noted could not be written.
    pub(crate) fn note_again(&self) {
        self.by_execution.values().for_each(|running| running.notes.tell_again());
    }

    /// The jobs that ended, as soon as there is one; `None` while none runs. Cancel-safe.
    pub(crate) async fn ended(&mut self) -> Option<Vec<Ended>> {
        let first = self.tasks.join_next_with_id().await?;
        let mut ended = vec![self.end(first)];
        while ended.len() < BATCH
            && let Some(next) = self.tasks.try_join_next_with_id()
        {
            ended.push(self.end(next));
        }
        Some(ended)
    }

    fn end(&mut self, joined: Result<(Id, Result<(), String>), JoinError>) -> Ended {
        let finished_at = self.clock.wall();
        let (id, result) = match joined {
            Ok((id, result)) => (id, result),
            Err(error) => {
                let id = error.id();
                let text = match error.try_into_panic() {
                    Ok(payload) => format!("panicked: {}", panic_text(payload)),
                    Err(_) => "ended by the scheduler".to_owned(),
                };
                (id, Err(text))
            }
        };
        let execution_id =
            self.by_task.remove(&id).expect("every task is entered when it is spawned");
        let running = self.by_execution.remove(&execution_id);
        self.logs.end(execution_id);
        let started_at = running.as_ref().and_then(|running| running.started_at.get());
        let notes = running.map(|running| running.notes.all()).unwrap_or_default();
        Ended { execution_id, started_at, finished_at, result, notes }
    }
}

/// The first step of a job, on its own thread.
#[derive(Debug)]
struct FirstStep {
    started_at: StartedAt,
    clock: Clock,
    trust: watch::Receiver<Trust>,
    term: u64,
}

impl FirstStep {
    /// The job begins. An error, and no beginning, when the lease is over: since the job was started the process may have
    /// been frozen, or all threads were taken, and the others may have declared the run lost.
    fn take(&self) -> Result<(), String> {
        let now = self.clock.now();
        if !self.trust.borrow().covers(self.term, now) {
            return Err(lease::OVER.to_owned());
        }
        // A job begins once.
        let _ = self.started_at.0.set(now.wall);
        Ok(())
    }
}

/// When a job began, which only its own thread knows.
#[derive(Clone, Debug, Default)]
struct StartedAt(Arc<OnceLock<DateTime<Utc>>>);

impl StartedAt {
    fn get(&self) -> Option<DateTime<Utc>> {
        self.0.get().copied()
    }
}

#[cfg(test)]
mod tests;
