//! Calls to the store, one task each: the loop goes on while they are in flight.

use std::{future::pending, panic, sync::Arc, time::Duration};

use tokio::task::{JoinError, JoinSet};

use super::metrics::Metrics;
use crate::{
    clock::Clock,
    plan::{
        database_clock::Sighting,
        difference::Seen,
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
    metrics: Arc<Metrics>,
}

impl Calls {
    pub(super) fn new(
        store: &SharedStore,
        node_id: &Arc<str>,
        lease: Duration,
        clock: &Clock,
        metrics: &Arc<Metrics>,
    ) -> Self {
        Self {
            store: Arc::clone(store),
            node_id: Arc::clone(node_id),
            lease,
            clock: clock.clone(),
            metrics: Arc::clone(metrics),
        }
    }

    /// Begins the call that `call` asks for; its answer comes out of `in_flight` as an event.
    pub(super) fn perform(&self, call: Call, in_flight: &mut JoinSet<Event>) {
        let store = Arc::clone(&self.store);
        let node_id = Arc::clone(&self.node_id);
        let lease = self.lease;
        let clock = self.clock.clone();
        let metrics = Arc::clone(&self.metrics);
        in_flight.spawn(async move {
            let (name, asked) = (call.name(), clock.mono());
            let event = match call {
                Call::Read(seen) => read(&*store, seen).await,
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
                    let result = renew(&*store, &node_id, &clock).await.map_err(failure);
                    Event::Renewed { started: asked, result }
                }
                Call::Reap { suspects, until } => Event::Reaped(
                    store.reap(&node_id, lease, until, &suspects).await.map_err(failure),
                ),
            };
            metrics.called(name, clock.mono() - asked, event.failure().is_none());
            event
        });
    }
}

/// What is new in the tables. Of very many rows to find that out takes a while, in which the threads that claims need would
/// do nothing else.
async fn read(store: &dyn Desk, mut seen: Seen) -> Event {
    let reading = match store.read_of(&seen.scope()).await {
        Ok(reading) => reading,
        Err(error) => return Event::Read(seen, Err(failure(error))),
    };
    let comparing = tokio::task::spawn_blocking(move || {
        let news = reading.news_to(&mut seen);
        Event::Read(seen, Ok(news))
    });
    match comparing.await.map_err(JoinError::try_into_panic) {
        Ok(event) => event,
        Err(Ok(panic)) => panic::resume_unwind(panic),
        // The runtime ends, and this call with it.
        Err(Err(_)) => pending().await,
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
