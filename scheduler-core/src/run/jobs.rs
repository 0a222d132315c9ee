//! Runs the jobs, on a runtime of their own.
//!
//! A job that blocks its thread, panics or never ends harms no claim and no renewal. Its end comes back as
//! [`Ended`]; a panic comes back as an error with the panic's text.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use chrono::{DateTime, Utc};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    task::{AbortHandle, Id, JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::{
    clock,
    job::{Args, Body, Context, ContextParts, Invocation, error_chain, panic_text},
    plan::{
        execution::{ExecutionId, Outcome},
        node::{Ended, Run},
    },
    registry::Registry,
    telemetry,
};

/// The most ends handed over at once.
const BATCH: usize = 1_000;

/// A runtime for jobs with `threads` worker threads; 0: one per core.
///
/// # Errors
/// When the operating system gives no threads.
pub fn job_runtime(threads: usize) -> std::io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    if threads > 0 {
        builder.worker_threads(threads);
    }
    builder.thread_name("job").enable_all().build()
}

/// The jobs that run.
#[derive(Debug)]
pub(super) struct Jobs {
    registry: Arc<Registry>,
    runtime: Handle,
    tasks: JoinSet<Result<(), String>>,
    by_task: HashMap<Id, ExecutionId>,
    by_execution: HashMap<ExecutionId, Running>,
    cancellation: CancellationToken,
}

#[derive(Debug)]
struct Running {
    abort: AbortHandle,
    cancellation: CancellationToken,
    /// Epoch milliseconds; 0 until the job was first polled.
    started_at: Arc<AtomicI64>,
}

impl Jobs {
    pub(super) fn new(registry: Arc<Registry>, runtime: Handle) -> Self {
        Self {
            registry,
            runtime,
            tasks: JoinSet::new(),
            by_task: HashMap::new(),
            by_execution: HashMap::new(),
            cancellation: CancellationToken::new(),
        }
    }

    pub(super) fn start(&mut self, runs: Vec<Run>) {
        for run in runs {
            let cancellation = self.cancellation.child_token();
            let started_at = Arc::new(AtomicI64::new(0));
            let execution_id = run.execution_id;
            let span = telemetry::run_span(&run.trace_id, &run.task_key, execution_id);
            let job =
                self.invoke(run, cancellation.clone(), Arc::clone(&started_at)).instrument(span);
            let abort = self.tasks.spawn_on(job, &self.runtime);
            self.by_task.insert(abort.id(), execution_id);
            self.by_execution.insert(execution_id, Running { abort, cancellation, started_at });
        }
    }

    fn invoke(
        &self,
        run: Run,
        cancellation: CancellationToken,
        started_at: Arc<AtomicI64>,
    ) -> impl Future<Output = Result<(), String>> + Send + use<> {
        let descriptor = self.registry.get(&run.job);
        async move {
            started_at.store(clock::wall().timestamp_millis(), Ordering::Relaxed);
            let descriptor =
                descriptor.ok_or_else(|| format!("bug: job {:?} is not compiled in", run.job))?;
            let invocation = Invocation {
                task_key: run.task_key,
                args: Args::parse(&run.args),
                context: Context::new(ContextParts {
                    task_id: run.task_id,
                    execution_id: run.execution_id,
                    trace_id: run.trace_id,
                    scheduled_at: run.scheduled_at,
                    attempt: run.attempt,
                    cancellation,
                }),
            };
            let result = match descriptor.body {
                Body::Async(body) => body(invocation).await,
                Body::Blocking(body) => body(invocation),
            };
            result.map_err(|error| error_chain(&error))
        }
    }

    /// Tells all jobs that the scheduler is stopping.
    pub(super) fn cancel(&self) {
        self.cancellation.cancel();
    }

    /// Ends these jobs at their next await. One that blocks its thread ends when it stops blocking.
    pub(super) fn abort(&self, executions: &[ExecutionId]) {
        for execution in executions {
            if let Some(running) = self.by_execution.get(execution) {
                running.cancellation.cancel();
                running.abort.abort();
            }
        }
    }

    /// Fills in when a job began that the scheduler gave up on: only its thread knows.
    pub(super) fn tell_starts(&self, outcomes: &mut [Outcome]) {
        let unknown = outcomes.iter_mut().filter(|outcome| outcome.started_at.is_none());
        for outcome in unknown {
            let running = self.by_execution.get(&outcome.execution_id);
            outcome.started_at = running.and_then(|running| since(&running.started_at));
        }
    }

    /// The jobs that ended, as soon as there is one; `None` while none runs. Cancel-safe.
    pub(super) async fn ended(&mut self) -> Option<Vec<Ended>> {
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
        let finished_at = clock::wall();
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
        let started_at = running.and_then(|running| since(&running.started_at));
        Ended { execution_id, started_at, finished_at, result }
    }
}

fn since(started_at: &AtomicI64) -> Option<DateTime<Utc>> {
    match started_at.load(Ordering::Relaxed) {
        0 => None,
        millis => DateTime::from_timestamp_millis(millis),
    }
}
