//! Sessions of people who have logged in.

use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;

/// A session, or a link by which somebody logs in once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Of what is shown, 64 hexadecimal digits: who reads the table has nothing to show.
    pub digest: String,
    /// What is known of it, as JSON.
    pub content: String,
    /// From then on, by the database's clock, it is not there.
    pub expires_at: DateTime<Utc>,
}

/// What is asked of the table of sessions.
#[async_trait]
pub trait Sessions: Debug + Send + Sync {
    /// Begins a session, and forgets those that have expired.
    ///
    /// # Errors
    /// When the database does not answer, or the digest is taken.
    async fn add_session(&self, session: &SessionRow) -> Result<(), StoreError>;

    /// Changes a session that is there; one that ended meanwhile stays so.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn change_session(&self, session: &SessionRow) -> Result<(), StoreError>;

    /// The session with this digest, if it has not expired.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn session(&self, digest: &str) -> Result<Option<SessionRow>, StoreError>;

    /// Ends a session, and gives what it was, if it had not expired: of several who end one, one is given it.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn end_session(&self, digest: &str) -> Result<Option<SessionRow>, StoreError>;
}
