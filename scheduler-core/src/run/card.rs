//! Says in the table of nodes how this one fares, for those who look at all of them.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{
    Watch,
    beside::{self, Retried},
    rules,
};
use crate::{
    config::Config,
    plan::node::Survey,
    registry::Registry,
    store::{NodeCard, SharedStore},
};

/// Between two words.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// What stays as it is while the program runs.
pub(super) fn of(registry: &Registry, config: &Config) -> NodeCard {
    NodeCard {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        jobs: registry.iter().map(|job| job.name.to_owned()).collect(),
        max_running: rules::settings(config).max_running,
        ..NodeCard::default()
    }
}

/// Starts to say it, until `stop`.
pub(super) fn start(
    store: &SharedStore,
    node_id: &Arc<str>,
    card: NodeCard,
    watch: &Watch,
    stop: &CancellationToken,
) {
    let (store, node_id) = (Arc::clone(store), Arc::clone(node_id));
    tokio::spawn(say(store, node_id, card, watch.clone(), stop.clone()));
}

async fn say(
    store: SharedStore,
    node_id: Arc<str>,
    mut card: NodeCard,
    watch: Watch,
    stop: CancellationToken,
) {
    let (mut said, mut retried) = (None, Retried::default());
    // At first the loop has not turned yet.
    let mut pause = Duration::from_secs(1);
    while beside::pause(&stop, pause).await {
        pause = SAY_EVERY;
        if !watch.is_database_well() {
            continue;
        }
        let sight = watch.look();
        let Survey { open, requests, unrecorded, skew, .. } = sight.survey;
        (card.open, card.waiting, card.unrecorded) = (open, requests, unrecorded);
        card.skew_ms = skew.num_milliseconds();
        card.obstacles = sight.obstacles().into_iter().map(str::to_owned).collect();
        if said.as_ref() == Some(&card) {
            continue;
        }
        let text = serde_json::to_string(&card).unwrap_or_default();
        let result = store.put_card(&node_id, &text).await;
        retried.note(&result, "how this node fares cannot be written for the page");
        said = result.is_ok().then(|| card.clone());
    }
}
