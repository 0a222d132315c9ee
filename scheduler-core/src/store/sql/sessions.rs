//! [`Sessions`] on SQL.

use async_trait::async_trait;

use super::{
    SqlStore,
    connection::{Bind, Cell},
    epoch_ms, from_ms, read_only, write_alone, write_transaction,
};
use crate::store::{SessionRow, Sessions, StoreError};

#[async_trait]
impl Sessions for SqlStore {
    async fn add_session(&self, session: &SessionRow) -> Result<(), StoreError> {
        write_transaction!(self, "beginning a session", connection => async {
            connection.execute(self.sql.forget_sessions, &[]).await?;
            connection.execute(self.sql.add_session, &binds(session)).await?;
            Ok(())
        })
    }

    async fn change_session(&self, session: &SessionRow) -> Result<(), StoreError> {
        write_alone!(self, "changing a session", self.sql.change_session, &binds(session))
    }

    async fn session(&self, digest: &str) -> Result<Option<SessionRow>, StoreError> {
        let rows = read_only!(self, "reading a session", connection =>
            connection.fetch(self.sql.read_session, &[digest.into()]))?;
        Ok(rows.first().and_then(|row| session_row(row, digest)))
    }

    async fn end_session(&self, digest: &str) -> Result<Option<SessionRow>, StoreError> {
        write_transaction!(self, "ending a session", connection => async {
            let rows = connection.fetch(self.sql.lock_session, &[digest.into()]).await?;
            connection.execute(self.sql.delete_session, &[digest.into()]).await?;
            Ok(rows.first().and_then(|row| session_row(row, digest)))
        })
    }
}

/// `(content, expires_at, digest)`.
fn binds(session: &SessionRow) -> [Bind<'_>; 3] {
    [(&session.content).into(), epoch_ms(session.expires_at).into(), (&session.digest).into()]
}

/// From `content` and `expires_at`.
fn session_row(row: &[Cell], digest: &str) -> Option<SessionRow> {
    let content = row[0].clone().into_text().ok()?;
    Some(SessionRow { digest: digest.to_owned(), content, expires_at: from_ms(&row[1])? })
}
