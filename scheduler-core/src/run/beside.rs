//! What goes on beside the loop, on one of the living nodes: which one, and how it waits.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{clock::sleep_at_most_5s, plan::node::NodeRow, store::StoreError};

/// Whether what is done again and again goes well: that it does not is told once.
#[derive(Debug, Default)]
pub(super) struct Retried {
    is_ill: bool,
}

impl Retried {
    /// It was tried once more; when it does not go, `what` is told.
    pub(super) fn note<T>(&mut self, result: &Result<T, StoreError>, what: &str) {
        if let Err(error) = result
            && !self.is_ill
        {
            tracing::warn!("{what}, retrying: {}", error.chain());
        }
        self.is_ill = result.is_err();
    }
}

/// One of the living does it; that two may think so for a while does no harm.
pub(super) fn does_it_here(nodes: &[NodeRow], me: &str, lease: Duration) -> bool {
    let alive = nodes.iter().filter(|node| node.left_at.is_none() && node.silent_for <= lease);
    alive.map(|node| node.id.as_str()).min().is_none_or(|first| first >= me)
}

/// Whether to go on after `left`; at once not, when `stop` says so.
pub(super) async fn pause(stop: &CancellationToken, mut left: Duration) -> bool {
    while !left.is_zero() && !stop.is_cancelled() {
        let step = left.min(Duration::from_secs(5));
        left -= step;
        tokio::select! {
            () = stop.cancelled() => {}
            () = sleep_at_most_5s(step) => {}
        }
    }
    !stop.is_cancelled()
}
