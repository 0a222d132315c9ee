//! Writes what runs log beside their executions, apart from all else: it delays no claim and no record, and where the
//! database does not take it, it waits.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::sleep_at_most_5s,
    plan::execution::{ExecutionId, LogPart},
    store::{SharedStore, StoreError},
    telemetry::{RunLog, Shelf},
};

/// For how long lines gather before they are written together.
const GATHERING: Duration = Duration::from_millis(500);

/// After a failure.
const AGAIN: Duration = Duration::from_secs(5);

/// About how many bytes are written in one call: with a part of 256 KiB more, and escaped, below the 1 MiB that a packet may
/// have on old servers.
const BATCH: usize = 256 * 1024;

/// Where the lines go.
#[async_trait]
pub(super) trait Keeper: Send + Sync {
    async fn keep(&self, parts: &[LogPart]) -> Result<(), StoreError>;
}

#[async_trait]
impl Keeper for SharedStore {
    async fn keep(&self, parts: &[LogPart]) -> Result<(), StoreError> {
        self.append_log(parts).await
    }
}

/// The logs of the runs that are under way, and of those whose last lines wait to be written.
#[derive(Debug, Default)]
pub(crate) struct RunLogs {
    logs: Mutex<HashMap<ExecutionId, RunLog>>,
    shelf: Arc<Shelf>,
}

impl RunLogs {
    /// The log of a run that begins.
    pub(crate) fn open(&self, execution_id: ExecutionId) -> RunLog {
        let log = RunLog::new(Arc::clone(&self.shelf));
        self.logs().insert(execution_id, log.clone());
        log
    }

    /// The run is over.
    pub(crate) fn end(&self, execution_id: ExecutionId) {
        let mut logs = self.logs();
        if logs.get(&execution_id).is_some_and(|log| !log.end()) {
            logs.remove(&execution_id);
        }
    }

    /// Writes until `stop`, and then what is left.
    pub(super) async fn write(self: Arc<Self>, store: impl Keeper, stop: CancellationToken) {
        let mut was_well = true;
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.shelf.wanted.notified() => {}
            }
            let pause = if was_well { GATHERING } else { AGAIN };
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep_at_most_5s(pause) => {}
            }
            let is_well = self.write_what_waits(&store, was_well).await;
            if !is_well {
                // It is still wanted.
                self.shelf.wanted.notify_one();
            }
            was_well = is_well;
        }
        if !self.write_what_waits(&store, was_well).await {
            tracing::warn!("the last lines of runs were not kept");
        }
    }

    /// Whether the store took it all.
    async fn write_what_waits(&self, store: &impl Keeper, is_news: bool) -> bool {
        loop {
            let parts = self.gather();
            if parts.is_empty() {
                return true;
            }
            let failure = match store.keep(&parts).await {
                Ok(()) => {
                    self.written(&parts);
                    continue;
                }
                Err(error) if error.is_out_of_reach() => error,
                Err(_) if self.write_one_by_one(store, &parts).await => continue,
                Err(error) => error,
            };
            if is_news {
                tracing::warn!("what runs log waits to be kept: {}", failure.chain());
            }
            return false;
        }
    }

    /// Whether the store took any. What it refuses while it takes others would hold them up for ever, and is lost.
    async fn write_one_by_one(&self, store: &impl Keeper, parts: &[LogPart]) -> bool {
        let mut refused = Vec::new();
        for part in parts.chunks(1) {
            match store.keep(part).await {
                Ok(()) => self.written(part),
                Err(error) => refused.push((part, error)),
            }
        }
        let takes_some = refused.len() < parts.len();
        for (part, error) in refused.into_iter().filter(|_| takes_some) {
            let execution_id = part[0].execution_id;
            tracing::error!(
                execution.id = execution_id,
                "lines of this run are lost, the database does not take them: {}",
                error.chain()
            );
            self.written(part);
        }
        takes_some
    }

    fn gather(&self) -> Vec<LogPart> {
        let mut bytes = 0;
        let logs = self.logs();
        let parts = logs.iter().filter_map(|(execution_id, log)| {
            let (part, content) = log.part()?;
            Some(LogPart { execution_id: *execution_id, part, content })
        });
        let fits = |part: &LogPart| {
            let is_first = bytes == 0;
            bytes += part.content.len();
            is_first || bytes <= BATCH
        };
        parts.take_while(fits).collect()
    }

    fn written(&self, parts: &[LogPart]) {
        let mut logs = self.logs();
        for part in parts {
            if logs.get(&part.execution_id).is_some_and(RunLog::written) {
                logs.remove(&part.execution_id);
            }
        }
    }

    fn logs(&self) -> MutexGuard<'_, HashMap<ExecutionId, RunLog>> {
        // Nothing is left half done where this could panic.
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
