//! What the conformance suite asks of the SQL stores beyond their contract.

use super::{SqlStore, read_only};
use crate::store::StoreError;

impl SqlStore {
    /// Every statement that can be prepared, with its name.
    #[must_use]
    pub fn statements(&self) -> Vec<(&'static str, &'static str)> {
        self.sql.all()
    }

    /// Prepares every statement without running it, and yields how many there are.
    ///
    /// # Errors
    /// Of the first that the database refuses.
    pub async fn prepare_all(&self) -> Result<usize, StoreError> {
        read_only!(self, "preparing all statements", connection => async {
            let all = self.sql.all();
            for (_, sql) in &all {
                connection.prepare(sql).await?;
            }
            Ok(all.len())
        })
    }
}
