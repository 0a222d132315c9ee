//! Calls to the store, one task each: the loop goes on while they are in flight.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinSet;

use crate::{
    clock::Clock,
    plan::{
        database_clock::Sighting,
        lease::Lease,
        node::{Call, Event, Failure, Reaped},
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
                Call::Reap { suspects } => {
                    let reaping = store.reap(&node_id, lease, &suspects);
                    Event::Reaped(at_once(Lease::new(lease).reap_within(), reaping).await)
                }
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

/// Reaps, or gives up: after an outage that came in between, the living would look dead. Given up, the store closes
/// the connection and nothing more is judged.
async fn at_once(
    span: Duration,
    reaping: impl Future<Output = Result<Reaped, StoreError>>,
) -> Result<Reaped, Failure> {
    match tokio::time::timeout(span, reaping).await {
        Ok(result) => result.map_err(failure),
        Err(_) => Err(Failure::NotApplied(format!("no answer within {} s", span.as_secs_f64()))),
    }
}

fn failure(error: StoreError) -> Failure {
    if error.is_unknown() {
        Failure::Unknown(error.chain())
    } else {
        Failure::NotApplied(error.chain())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{SqlStore, Store as _};

    /// While somebody holds the file, a call waits for as long as the store lets it.
    #[tokio::test(flavor = "multi_thread")]
    async fn who_is_dead_is_judged_at_once_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let store = SqlStore::sqlite(&path, Duration::from_secs(60)).await.unwrap();
        store.migrate().await.unwrap();
        let url = format!("sqlite:{}", path.display());
        let stranger = sqlx::SqlitePool::connect(&url).await.unwrap();
        let mut stranger = stranger.acquire().await.unwrap();
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *stranger).await.unwrap();

        let lease = Duration::from_millis(600);
        let calls = Calls::new(Arc::new(store), "n1".into(), lease, Clock::system());
        let mut in_flight = JoinSet::new();
        calls.perform(Call::Reap { suspects: Vec::new() }, &mut in_flight);
        let answer = tokio::time::timeout(Duration::from_secs(20), in_flight.join_next()).await;
        let answer = answer.expect("it gives up").unwrap().unwrap();
        assert!(matches!(answer, Event::Reaped(Err(_))), "{answer:?}");
    }
}
