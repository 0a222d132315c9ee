//! [`Sessions`] in memory.

use async_trait::async_trait;

use super::MemoryStore;
use crate::store::{SessionRow, Sessions, StoreError};

#[async_trait]
impl Sessions for MemoryStore {
    async fn add_session(&self, session: &SessionRow) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let now = tables.now;
        tables.sessions.retain(|_, session| session.expires_at > now);
        if tables.sessions.contains_key(&session.digest) {
            return Err(StoreError::Schema("the digest of a session is taken".to_owned()));
        }
        tables.sessions.insert(session.digest.clone(), session.clone());
        Ok(())
    }

    async fn change_session(&self, session: &SessionRow) -> Result<(), StoreError> {
        if let Some(known) = self.tables().sessions.get_mut(&session.digest) {
            *known = session.clone();
        }
        Ok(())
    }

    async fn session(&self, digest: &str) -> Result<Option<SessionRow>, StoreError> {
        let tables = self.tables();
        let session = tables.sessions.get(digest).filter(|one| one.expires_at > tables.now);
        Ok(session.cloned())
    }

    async fn end_session(&self, digest: &str) -> Result<Option<SessionRow>, StoreError> {
        let mut tables = self.tables();
        let now = tables.now;
        Ok(tables.sessions.remove(digest).filter(|session| session.expires_at > now))
    }
}
