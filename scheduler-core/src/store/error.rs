//! What can go wrong between us and the tables.

use std::{error::Error, iter, time::Duration};

use sqlx::migrate::MigrateError;

use super::sql::connection::{is_broken, mysql_number};
use crate::plan::words::join_causes;

/// An error of a store. The text names the operation; the cause stands in `source`.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection.
    #[error("cannot connect to {database}: {hint}")]
    Unreachable {
        /// Where, without credentials.
        database: String,
        /// What the driver said, and what to do about it.
        hint: String,
        /// The driver's error.
        #[source]
        source: sqlx::Error,
    },
    /// The tables are not fit to run on.
    #[error("{0}")]
    Schema(String),
    /// A migration failed.
    #[error("migrating {database} failed")]
    Migrate {
        /// Where, without credentials.
        database: String,
        /// What the driver said.
        #[source]
        source: MigrateError,
    },
    /// No answer in time; nothing was written.
    #[error("{operation}: no answer from the database within {} s", .after.as_secs_f64())]
    Deadline {
        /// What was asked.
        operation: &'static str,
        /// The deadline.
        after: Duration,
    },
    /// The connection broke while the database was committing.
    #[error("{operation}: the database's answer to COMMIT was lost")]
    CommitUnknown {
        /// What was asked.
        operation: &'static str,
        /// How it broke; `None`: no answer within the deadline.
        #[source]
        source: Option<sqlx::Error>,
    },
    /// The database answered with an error; nothing was written.
    #[error("{operation} failed")]
    Query {
        /// What was asked.
        operation: &'static str,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// Another row has this `task_key` already.
    #[error("task_key {key:?} is taken, expected a key that no other row has")]
    KeyTaken {
        /// The key.
        key: String,
    },
    /// The row says something else than when it was read.
    #[error(
        "task {id} was edited by somebody else meanwhile, expected the version that was read: read it again"
    )]
    Edited {
        /// `task.id`.
        id: i64,
    },
    /// It is over already.
    #[error("execution {id} has ended ({status}), expected one that runs")]
    Ended {
        /// `execute_task.id`.
        id: i64,
        /// How.
        status: String,
    },
    /// No such row.
    #[error("{what} {id} does not exist")]
    NotFound {
        /// `task` or `execution`.
        what: &'static str,
        /// Its id.
        id: i64,
    },
}

/// In place of the driver's words, which sound as if a pool were too small.
const NO_CONNECTION: &str = "no connection could be made in time, or none became free (`scheduler check` says why none \
                             can be made)";

impl StoreError {
    /// Whether something may have been written although the call failed.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::CommitUnknown { .. })
    }

    /// Whether the database was not there, or not any more: the same again may do.
    #[must_use]
    pub fn is_out_of_reach(&self) -> bool {
        let is_cut = |error: &sqlx::Error| {
            is_broken(error)
                || matches!(error, sqlx::Error::PoolTimedOut)
                // The server shuts down, or somebody ended the session.
                || matches!(mysql_number(error), Some(1053 | 1927))
        };
        match self {
            Self::Unreachable { .. } | Self::Deadline { .. } | Self::CommitUnknown { .. } => true,
            Self::Query { source, .. } => is_cut(source),
            Self::Migrate {
                source: MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _),
                ..
            } => is_cut(source),
            _ => false,
        }
    }

    /// The column that a value is too long for, going by what MySQL says (1406).
    #[must_use]
    pub fn column_too_short(&self) -> Option<String> {
        let Self::Query { source, .. } = self else { return None };
        mysql_number(source).filter(|number| *number == 1406)?;
        let said = source.to_string();
        let column = said.split("column '").nth(1)?.split('\'').next()?;
        Some(column.rsplit('.').next().unwrap_or(column).trim_matches('`').to_owned())
    }

    /// The error with its causes on one line, each told once.
    #[must_use]
    pub fn chain(&self) -> String {
        let said = |error: &(dyn Error + 'static)| match error.downcast_ref() {
            Some(sqlx::Error::PoolTimedOut) => NO_CONNECTION.to_owned(),
            _ => error.to_string(),
        };
        let causes = iter::successors(self.source(), |cause| (*cause).source());
        join_causes(iter::once(self.to_string()).chain(causes.map(said)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_without_a_connection_is_not_called_too_small() {
        let error = StoreError::Query { operation: "reading", source: sqlx::Error::PoolTimedOut };
        assert_eq!(error.chain(), format!("reading failed: {NO_CONNECTION}"));
        let error = StoreError::Query { operation: "reading", source: sqlx::Error::RowNotFound };
        assert!(!error.chain().contains(NO_CONNECTION));
    }
}
