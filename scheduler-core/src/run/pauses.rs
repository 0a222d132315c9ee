//! Switches tasks on again whose pause is over. Each node looks: it is one short question, and under the lock of a row one of
//! them finds it to do.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::beside;
use crate::store::SharedStore;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Starts to look, until `stop`; `wanted` is notified that the tables are to be read.
pub(super) fn start(store: &SharedStore, wanted: &Arc<Notify>, stop: &CancellationToken) {
    tokio::spawn(end_pauses(Arc::clone(store), Arc::clone(wanted), stop.clone()));
}

async fn end_pauses(store: SharedStore, wanted: Arc<Notify>, stop: CancellationToken) {
    let mut was_well = true;
    while beside::pause(&stop, LOOK_EVERY).await {
        let result = store.resume_due().await;
        match &result {
            Ok(tasks) if tasks.is_empty() => {}
            Ok(tasks) => {
                tracing::info!(tasks = ?tasks, "enabled, since their pause is over");
                wanted.notify_one();
            }
            Err(error) if was_well => {
                tracing::warn!("pauses that are over cannot be ended, retrying: {}", error.chain());
            }
            Err(_) => {}
        }
        was_well = result.is_ok();
    }
}
