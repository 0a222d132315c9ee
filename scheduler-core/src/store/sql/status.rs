//! `task.status`, which tells people and other programs whether a task runs.
//!
//! Nothing of ours is decided by it: claims count open executions. But it stands in a unique key, whose gaps a
//! stranger can hold with a lock by key or by range, so that no neighbour can change its status. Then the
//! column is left as it is for a while; reaping puts it right.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::connection::{Connection, is_lock_wait};
use crate::clock;

/// How long the column is left alone after a stranger held it.
const PAUSE: Duration = Duration::from_secs(5);

/// Whether and when the column can be written.
#[derive(Debug, Default)]
pub(super) struct StatusColumn {
    /// The server rolls back the whole transaction where we waited in vain: nothing can be tolerated then.
    pub(super) is_fatal: bool,
    /// Monotonic milliseconds.
    resumes_at: AtomicU64,
}

impl StatusColumn {
    /// Runs a statement that sets `status`, unless a stranger held the column just now.
    pub(super) async fn write(
        &self,
        connection: &mut Connection<'_>,
        statement: &'static str,
        tasks: &str,
    ) -> Result<(), sqlx::Error> {
        let now = clock::mono();
        if now < Duration::from_millis(self.resumes_at.load(Ordering::Relaxed)) {
            return Ok(());
        }
        match connection.execute(statement, &[tasks.into()]).await {
            Err(error) if !self.is_fatal && is_lock_wait(&error) => {
                let resumes_at = u64::try_from((now + PAUSE).as_millis()).unwrap_or(u64::MAX);
                self.resumes_at.store(resumes_at, Ordering::Relaxed);
                Ok(())
            }
            result => result.map(drop),
        }
    }
}
