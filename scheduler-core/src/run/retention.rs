//! Removes executions that are too old or too many, and what runs logged, a few at a time: on one of the living nodes, and
//! apart from all else.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use super::beside;
use crate::{
    clock::mono,
    config::{MaxAge, Retention},
    plan::{execution::ExecutionId, task::TaskId},
    store::{EditId, Pruned, SharedStore, StoreError},
};

/// [`MaxAge::ByOrigin`] in a database that was made new.
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(90 * 86_400);

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Between two transactions that remove something: others come between them.
const PAUSE: Duration = Duration::from_millis(20);

/// How long one look takes at most; the next one goes on where it stopped.
const LOOK_FOR: Duration = Duration::from_secs(60);

/// After so many looks they begin with the oldest again: what could not go may go now.
const LOOKS: u32 = 12 * 60;

/// What a node does for retention.
pub(super) struct Pruning {
    store: SharedStore,
    node_id: Arc<str>,
    lease: Duration,
    retention: Retention,
    stop: CancellationToken,
}

/// Where the next look goes on.
#[derive(Default)]
struct Place {
    logs: ExecutionId,
    edits: EditId,
    older: ExecutionId,
    beyond: TaskId,
    looks: u32,
}

/// What a look removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Removed {
    executions: usize,
    logs: usize,
    edits: usize,
}

impl Pruning {
    pub(super) fn new(
        store: &SharedStore,
        node_id: &Arc<str>,
        lease: Duration,
        retention: Retention,
        stop: &CancellationToken,
    ) -> Self {
        let (store, node_id, stop) = (Arc::clone(store), Arc::clone(node_id), stop.clone());
        Self { store, node_id, lease, retention, stop }
    }

    /// Looks once a minute, until it is stopped.
    pub(super) async fn run(self) {
        let mut place = Place::default();
        let mut was_well = true;
        while beside::pause(&self.stop, LOOK_EVERY).await {
            let mut removed = Removed::default();
            let result = self.look(&mut place, &mut removed).await;
            let Removed { executions, logs, edits } = removed;
            if executions + logs + edits > 0 {
                tracing::info!(executions, logs, edits, "removed, see [retention]");
            }
            if let Err(error) = &result
                && was_well
            {
                tracing::warn!("what is old cannot be removed, retrying: {}", error.chain());
            }
            was_well = result.is_ok();
        }
    }

    /// One look. Logs first: they are what takes room.
    async fn look(&self, place: &mut Place, removed: &mut Removed) -> Result<(), StoreError> {
        if !beside::does_it_here(&self.store.nodes().await?, &self.node_id, self.lease) {
            return Ok(());
        }
        place.looks = (place.looks + 1) % LOOKS;
        if place.looks == 0 {
            (place.logs, place.edits, place.older) = (0, 0, 0);
        }
        let until = mono() + LOOK_FOR;
        if let Some(cutoff) = self.cutoff(self.retention.max_log_age).await? {
            loop {
                let pruned = self.store.prune_logs(cutoff, place.logs).await?;
                removed.logs += pruned.removed;
                let Some(next) = pruned.next else { break };
                place.logs = next;
                if !self.rest(pruned, until).await {
                    return Ok(());
                }
            }
        }
        if let Some(cutoff) = self.cutoff(self.retention.max_edit_age).await? {
            loop {
                let pruned = self.store.prune_edits(cutoff, place.edits).await?;
                removed.edits += pruned.removed;
                let Some(next) = pruned.next else { break };
                place.edits = next;
                if !self.rest(pruned, until).await {
                    return Ok(());
                }
            }
        }
        if let Some(cutoff) = self.cutoff(self.max_age().await?).await? {
            loop {
                let pruned = self.store.prune_older(cutoff, place.older).await?;
                removed.executions += pruned.removed;
                let Some(next) = pruned.next else { break };
                place.older = next;
                if !self.rest(pruned, until).await {
                    return Ok(());
                }
            }
        }
        if let most @ 1.. = self.retention.max_per_task {
            loop {
                let pruned = self.store.prune_beyond(most, place.beyond).await?;
                removed.executions += pruned.removed;
                place.beyond = pruned.next.unwrap_or_default();
                if pruned.next.is_none() || !self.rest(pruned, until).await {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn max_age(&self) -> Result<Option<Duration>, StoreError> {
        Ok(match self.retention.max_age {
            MaxAge::Never => None,
            MaxAge::After(age) => Some(age),
            MaxAge::ByOrigin if self.store.was_made_new().await? => Some(DEFAULT_MAX_AGE),
            MaxAge::ByOrigin => None,
        })
    }

    /// By the database's clock, as the rows.
    async fn cutoff(&self, age: Option<Duration>) -> Result<Option<DateTime<Utc>>, StoreError> {
        let Some(age) = age else { return Ok(None) };
        let age = TimeDelta::from_std(age).unwrap_or(TimeDelta::MAX);
        Ok(self.store.now().await?.checked_sub_signed(age))
    }

    /// Whether to go on.
    async fn rest<K>(&self, pruned: Pruned<K>, until: Duration) -> bool {
        let pause = if pruned.removed == 0 { Duration::ZERO } else { PAUSE };
        beside::pause(&self.stop, pause).await && mono() < until
    }
}

#[cfg(test)]
mod tests;
