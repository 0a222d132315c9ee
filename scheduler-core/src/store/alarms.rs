//! What nodes found to be wrong, and what they say of themselves.

use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::StoreError;
use crate::plan::alarm::Alarm;

/// `scheduler_alarm.id`.
pub type AlarmId = i64;

/// A row of `scheduler_alarm`. The times are by the clock of its node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmRow {
    /// `id`.
    pub id: AlarmId,
    /// `node_id`: who found it.
    pub node_id: String,
    /// `rule`: the name of its kind.
    pub rule: String,
    /// `about`: a task's key, `task` with a row's id, or a node's id.
    pub about: String,
    /// `began_at`: when its first sign came.
    pub began_at: Option<DateTime<Utc>>,
    /// `last_at`: when its last sign came.
    pub last_at: Option<DateTime<Utc>>,
    /// `ended_at`: when it was over; `None`: it goes on, unless its node is gone.
    pub ended_at: Option<DateTime<Utc>>,
    /// `count`: how many signs came.
    pub count: u64,
    /// `content`: what the last one said.
    pub text: String,
}

/// Which alarms, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlarmFilter {
    /// Only those that go on.
    pub is_open: bool,
    /// Only with an id below this: the last id of the page before.
    pub before: Option<AlarmId>,
    /// At most so many, 1 or more.
    pub limit: u32,
}

/// What is asked of the table of alarms.
#[async_trait]
pub trait Alarms: Debug + Send + Sync {
    /// Lets the table say these of `node`; one that it has already is brought up to date. Doing so again is harmless.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn keep_alarms(&self, node: &str, alarms: &[Alarm]) -> Result<(), StoreError>;

    /// Alarms, newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn alarms(&self, filter: AlarmFilter) -> Result<Vec<AlarmRow>, StoreError>;

    /// Ends the alarms of nodes that left or were silent for a day, and forgets those that are over for 30 days.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn forget_alarms(&self) -> Result<(), StoreError>;

    /// Keeps what a node says of itself, a JSON object; it stands until it says something else or is forgotten.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn put_card(&self, node: &str, card: &str) -> Result<(), StoreError>;
}

/// How long an alarm is remembered after its end.
pub(super) const REMEMBERED: TimeDelta = TimeDelta::days(30);

/// The alarms of a node that is silent for so long are over.
pub(super) const GONE: TimeDelta = TimeDelta::days(1);
