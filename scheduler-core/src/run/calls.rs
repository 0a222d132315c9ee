//! Calls to the store, one task each: the loop goes on while they are in flight.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinSet;

use crate::{
    clock::Clock,
    plan::{
        database_clock::Sighting,
        node::{Call, Event, Failure},
    },
    store::{Desk, SharedStore, StoreError},
};

/// How a node speaks to its store.
#[derive(Debug)]
pub(super) struct Calls {
    store: SharedStore,
    node_id: Arc<str>,
    lease: Duration,
    clock: Clock,
}

impl Calls {
    pub(super) fn new(
        store: SharedStore,
        node_id: Arc<str>,
        lease: Duration,
        clock: Clock,
    ) -> Self {
        Self { store, node_id, lease, clock }
    }

    /// Begins the call that `call` asks for; its answer comes out of `in_flight` as an event.
    pub(super) fn perform(&self, call: Call, in_flight: &mut JoinSet<Event>) {
        let store = Arc::clone(&self.store);
        let node_id = Arc::clone(&self.node_id);
        let lease = self.lease;
        let clock = self.clock.clone();
        in_flight.spawn(async move {
            match call {
                Call::Read => Event::Read(store.read().await.map_err(failure)),
                Call::ReadCursors(tasks) => {
                    let result = store.cursors(&tasks).await.map_err(failure);
                    Event::Cursors(tasks, result)
                }
                Call::Claim(claims) => {
                    let result = store.claim(&node_id, &claims).await.map_err(failure);
                    Event::Claimed(claims, result)
                }
                Call::Settle(claims) => {
                    let result = store.settle(&claims).await.map_err(failure);
                    Event::Settled(claims, result)
                }
                Call::Record(outcomes) => {
                    let result = store.record(&outcomes).await.map_err(failure);
                    Event::Recorded(outcomes, result)
                }
                Call::Note(notes) => Event::Noted(store.note(&notes).await.map_err(failure)),
                Call::Renew => {
                    let started = clock.mono();
                    let result = renew(&*store, &node_id, &clock).await.map_err(failure);
                    Event::Renewed { started, result }
                }
                Call::Reap { suspects, until } => Event::Reaped(
                    store.reap(&node_id, lease, until, &suspects).await.map_err(failure),
                ),
            }
        });
    }
}

/// The lease, and then the database's clock by a question of its own, which is quicker than a commit.
async fn renew(store: &dyn Desk, node_id: &str, clock: &Clock) -> Result<Sighting, StoreError> {
    store.renew(node_id).await?;
    let asked = clock.mono();
    let at = store.now().await?;
    let seen = clock.mono();
    Ok(Sighting { at, seen, error: seen - asked })
}

fn failure(error: StoreError) -> Failure {
    if error.is_unknown() {
        Failure::Unknown(error.chain())
    } else {
        Failure::NotApplied(error.chain())
    }
}
