//! Lets the table of alarms say what the ledger does.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use crate::{
    plan::alarm::{Ledger, Sign},
    run::{
        Watch,
        beside::{self, Retried},
    },
    store::{SharedStore, StoreError},
};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What is old is forgotten a minute after the start, and each hour.
const FIRST_LOOKS: u32 = 30;
const LOOKS: u32 = 1_800;

/// A ledger and its table. Clones are the same.
#[derive(Clone)]
pub(super) struct Keeper {
    node_id: Arc<str>,
    store: SharedStore,
    ledger: Arc<Mutex<Ledger>>,
}

impl Keeper {
    pub(super) fn new(node_id: &Arc<str>, store: &SharedStore) -> Self {
        let (node_id, store) = (Arc::clone(node_id), Arc::clone(store));
        Self { node_id, store, ledger: Arc::default() }
    }

    /// Something happened.
    pub(super) fn note(&self, sign: &Sign) {
        self.ledger().note(sign);
    }

    /// Brings the table up to date every now and then, until `stop`.
    pub(super) async fn run(self, watch: Watch, stop: CancellationToken) {
        let (mut retried, mut looks) = (Retried::default(), LOOKS - FIRST_LOOKS);
        while beside::pause(&stop, LOOK_EVERY).await {
            if !watch.is_database_well() {
                continue;
            }
            looks += 1;
            let mut result = self.keep().await;
            if result.is_ok() && looks >= LOOKS {
                result = self.store.forget_alarms().await;
                looks = 0;
            }
            retried.note(&result, "alarms cannot be kept for the page");
        }
    }

    /// Brings the table up to date.
    pub(super) async fn keep(&self) -> Result<(), StoreError> {
        let changed = self.ledger().changed();
        if !changed.is_empty() {
            self.store.keep_alarms(&self.node_id, &changed).await?;
            self.ledger().kept(&changed);
        }
        Ok(())
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
