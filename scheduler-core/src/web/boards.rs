//! What lists and figures are picked from, made of all rows now and then.

use std::{panic, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::runtime::Handle;
use utoipa::ToSchema;

use super::{kept::Maker, problem::Problem, site::Site};
use crate::{
    admin::{Board, Order},
    clock,
    plan::words::quote,
    store::{FailingTask, Outcomes, StoreError, TaskSelection},
};

/// By what a list of tasks is sorted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub(super) enum Sort {
    #[default]
    #[serde(rename = "id")]
    Id,
    #[serde(rename = "-id")]
    IdDown,
    #[serde(rename = "task_key")]
    Key,
    #[serde(rename = "-task_key")]
    KeyDown,
    #[serde(rename = "next")]
    Next,
    #[serde(rename = "-next")]
    NextDown,
}

impl Sort {
    /// The order, and whether it is turned round.
    pub(super) fn order(self) -> (Order, bool) {
        match self {
            Sort::Id => (Order::Id, false),
            Sort::IdDown => (Order::Id, true),
            Sort::Key => (Order::Key, false),
            Sort::KeyDown => (Order::Key, true),
            Sort::Next => (Order::Next, false),
            Sort::NextDown => (Order::Next, true),
        }
    }
}

/// Makes the board of all tasks.
struct OfTasks(Site);

/// The board of all tasks, not too old.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn board(site: &Site) -> Result<Arc<Board>, StoreError> {
    site.boards.get(OfTasks(site.clone())).await
}

impl Maker<Board> for OfTasks {
    const OPERATION: &'static str = "listing tasks";

    fn deadline(&self) -> Duration {
        self.0.config.common.database_timeout
    }

    async fn make(&self) -> Result<Board, StoreError> {
        let site = self.0.clone();
        // Of very many rows already the reading would hold up all other answers.
        let here = Handle::current();
        let making = tokio::task::spawn_blocking(move || here.block_on(of_tasks(&site)));
        making.await.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => panic::resume_unwind(panic),
            // The program ends.
            Err(_) => Ok(Board::default()),
        })
    }
}

async fn of_tasks(site: &Site) -> Result<Board, StoreError> {
    let tasks = site.store().await?.tasks(TaskSelection::All).await?;
    let mut judge = site.judge().await?;
    Ok(Board::of(&judge.survey(tasks)))
}

/// Counts what became of the executions of a day.
struct OfOutcomes(Site);

/// So many executions are counted at most, the newest.
const MOST_COUNTED: u32 = 1_000_000;

/// What became of the executions of the last 24 hours, by hour, not too old.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn outcomes(site: &Site) -> Result<Arc<Outcomes>, StoreError> {
    site.outcomes.get(OfOutcomes(site.clone())).await
}

/// The same, if they can be had at once.
pub(super) async fn outcomes_at_once(site: &Site) -> Option<Arc<Outcomes>> {
    site.outcomes.get_within(OfOutcomes(site.clone()), AT_ONCE).await
}

/// How long a page waits for what it can be without.
const AT_ONCE: Duration = Duration::from_millis(30);

impl Maker<Outcomes> for OfOutcomes {
    const OPERATION: &'static str = "counting executions";

    fn deadline(&self) -> Duration {
        self.0.config.common.database_timeout
    }

    async fn make(&self) -> Result<Outcomes, StoreError> {
        let since = clock::wall() - TimeDelta::hours(24);
        self.0.store().await?.outcomes(since, None, MOST_COUNTED).await
    }
}

/// Looks for tasks that fail.
struct OfFailing(Site);

/// So many tasks that fail are told of, those that did last.
pub(super) const MOST_FAILING: u32 = 200;

/// The tasks of which a run failed in the last 24 hours, not too old.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn failing(site: &Site) -> Result<Arc<Vec<FailingTask>>, StoreError> {
    site.failing.get(OfFailing(site.clone())).await
}

impl Maker<Vec<FailingTask>> for OfFailing {
    const OPERATION: &'static str = "looking for what failed";

    fn deadline(&self) -> Duration {
        self.0.config.common.database_timeout
    }

    async fn make(&self) -> Result<Vec<FailingTask>, StoreError> {
        let since = clock::wall() - TimeDelta::hours(24);
        self.0.store().await?.failing(since, MOST_FAILING).await
    }
}

/// The place where a page ended, as text that means nothing to others.
pub(super) fn to_text(cursor: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(cursor).unwrap_or_default())
}

/// The same back; `field` is the parameter that it was given as.
pub(super) fn from_text<T: DeserializeOwned>(field: &str, text: &str) -> Result<T, Problem> {
    let cursor = URL_SAFE_NO_PAD.decode(text).ok();
    let cursor = cursor.and_then(|json| serde_json::from_slice(&json).ok());
    cursor.ok_or_else(|| {
        const EXPECTED: &str = "expected `next` of the page before, of a list in the same order";
        Problem::bad(format!("{field} {} is no place in a list, {EXPECTED}", quote(text)))
            .about(field)
    })
}
