//! Calls to the store, one task each: the loop goes on while they are in flight.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinSet;

use crate::{
    clock,
    plan::node::{Action, Event, Failure},
    store::{SharedStore, StoreError},
};

/// How a node speaks to its store.
#[derive(Debug)]
pub(super) struct Calls {
    store: SharedStore,
    node_id: Arc<str>,
    lease: Duration,
}

impl Calls {
    pub(super) fn new(store: SharedStore, node_id: Arc<str>, lease: Duration) -> Self {
        Self { store, node_id, lease }
    }

    /// Begins the call that `action` asks for; its answer comes out of `in_flight` as an event.
    pub(super) fn perform(&self, action: Action, in_flight: &mut JoinSet<Event>) {
        let store = Arc::clone(&self.store);
        let node_id = Arc::clone(&self.node_id);
        let lease = self.lease;
        in_flight.spawn(async move {
            match action {
                Action::Read => Event::Read(store.read().await.map_err(failure)),
                Action::ReadCursors(tasks) => {
                    Event::Cursors(store.cursors(&tasks).await.map_err(failure))
                }
                Action::Claim(claims) => {
                    let result = store.claim(&node_id, &claims).await.map_err(failure);
                    Event::Claimed(claims, result)
                }
                Action::Settle(claims) => {
                    let result = store.settle(&claims).await.map_err(failure);
                    Event::Settled(claims, result)
                }
                Action::Record(outcomes) => {
                    let result = store.record(&outcomes).await.map_err(failure);
                    Event::Recorded(outcomes, result)
                }
                Action::Renew => {
                    let started = clock::mono();
                    Event::Renewed { started, result: store.renew(&node_id).await.map_err(failure) }
                }
                Action::Reap { suspects } => {
                    Event::Reaped(store.reap(lease, &suspects).await.map_err(failure))
                }
                Action::Start(_)
                | Action::CancelJobs
                | Action::Abort(_)
                | Action::Report(_)
                | Action::Exit => {
                    unreachable!("bug: not a call to the store")
                }
            }
        });
    }
}

fn failure(error: StoreError) -> Failure {
    if error.is_unknown() {
        Failure::Unknown(error.chain())
    } else {
        Failure::NotApplied(error.chain())
    }
}
