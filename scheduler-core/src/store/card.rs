//! What a node says of itself to those who look at all nodes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a node says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct NodeCard {
    /// The version of its program.
    pub version: String,
    /// The names of the jobs that are compiled into it, sorted.
    pub jobs: Vec<String>,
    /// Runs that are open on it.
    pub open: usize,
    /// How many may be at once.
    pub max_running: usize,
    /// Manual runs and retries that wait.
    pub waiting: usize,
    /// Outcomes that wait to be recorded.
    pub unrecorded: usize,
    /// How far the clock of its machine is ahead of the database's.
    pub skew_ms: i64,
    /// Why it claims nothing; empty: it may claim.
    pub obstacles: Vec<String>,
}
