//! Switches tasks on again whose pause is over. Each node looks: it is one short question, and under the lock of a row one of
//! them finds it to do.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{
    Watch,
    beside::{self, Retried},
};
use crate::store::SharedStore;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Starts to look, until `stop`; where a pause has ended the tables are read at once.
pub(super) fn start(store: &SharedStore, watch: &Watch, stop: &CancellationToken) {
    tokio::spawn(end_pauses(Arc::clone(store), watch.clone(), stop.clone()));
}

async fn end_pauses(store: SharedStore, watch: Watch, stop: CancellationToken) {
    let mut retried = Retried::default();
    while beside::pause(&stop, LOOK_EVERY).await {
        if !watch.is_database_well() {
            continue;
        }
        let result = store.resume_due().await;
        retried.note(&result, "pauses that are over cannot be ended");
        if let Ok(tasks) = result
            && !tasks.is_empty()
        {
            tracing::info!(?tasks, "enabled, since their pause is over");
            watch.wanted().notify_one();
        }
    }
}
