//! What goes on beside the loop, on one of the living nodes: which one, and how it waits.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{clock::sleep_at_most_5s, plan::node::NodeRow};

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
