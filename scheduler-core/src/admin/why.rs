//! What became of one instant of a task: gathers what [`plan::why`](crate::plan::why) asks for.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ExecutionView, Judge, Judged, Verdict, zone};
use crate::{
    clock,
    config::Config,
    plan::{
        task::TaskId,
        trigger::Zone,
        why::{Facts, Paused, Row, State, Why, why},
        words,
    },
    registry::Registry,
    store::{Around, Pause, PauseRow, SharedStore, StoreError, TaskSelection},
};

/// What became of an instant.
#[derive(Debug, Serialize, ToSchema)]
pub struct WhyView {
    /// `task.id`.
    pub task_id: TaskId,
    /// `task.task_key`.
    pub task_key: Option<String>,
    /// The instant.
    pub scheduled_at: String,
    /// The status of its last execution, or one of the answers of [`plan::why`](crate::plan::why).
    pub answer: &'static str,
    /// Sentences that say why.
    pub because: Vec<String>,
    /// Its executions, by attempt.
    pub executions: Vec<ExecutionView>,
}

/// A task of which somebody asks, whether there still is a row or not.
#[derive(Debug)]
pub struct AskedTask {
    id: TaskId,
    judged: Option<Judged>,
    /// In which its instants are spoken of.
    pub zone: Zone,
}

impl AskedTask {
    /// The task with this `task_key`, or this id if the text is a number; `None`: no row has the key.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find(
        store: &SharedStore,
        config: &Config,
        registry: &Arc<Registry>,
        asked: &str,
    ) -> Result<Option<Self>, StoreError> {
        if let Ok(id) = asked.parse() {
            return Self::of(store, config, registry, id).await.map(Some);
        }
        let mut judge = Judge::new(config, registry, clock::wall());
        let rows = judge.survey(store.tasks(TaskSelection::All).await?);
        let mut rows = rows.into_iter();
        let judged = rows.find(|judged| judged.row.task_key.as_deref() == Ok(asked));
        Ok(judged.map(|judged| Self::known(config, judged.row.id, Some(judged))))
    }

    /// The task with this id, whether there still is a row or not.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn of(
        store: &SharedStore,
        config: &Config,
        registry: &Arc<Registry>,
        id: TaskId,
    ) -> Result<Self, StoreError> {
        let mut judge = Judge::new(config, registry, clock::wall());
        let rows = judge.survey(store.tasks(TaskSelection::WithTwins(&[id])).await?);
        let judged = rows.into_iter().find(|judged| judged.row.id == id);
        Ok(Self::known(config, id, judged))
    }

    fn known(config: &Config, id: TaskId, judged: Option<Judged>) -> Self {
        let task = judged.as_ref().and_then(Judged::task);
        let zone = task.map_or_else(|| zone(config), |task| task.zone.clone());
        Self { id, judged, zone }
    }

    /// What became of its instant `at`; `None`: there never was such a task.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn why(
        self,
        store: &SharedStore,
        config: &Config,
        at: DateTime<Utc>,
    ) -> Result<Option<WhyView>, StoreError> {
        let around = store.around(self.id, at).await?;
        if self.judged.is_none() && around == Around::default() {
            return Ok(None);
        }
        let waiting = store.waiting(self.id).await?;
        let nodes = store.nodes().await?;
        let reason = self.judged.as_ref().and_then(Judged::reason).map(ToString::to_string);
        let reason = reason.as_deref().unwrap_or_default();
        let row = |judged| row(judged, reason);
        let pause = store.pauses(&[self.id]).await?.pop();
        let facts = Facts {
            at,
            row: self.judged.as_ref().map(row),
            pause: pause.as_ref().map(paused),
            adopted_at: store.adopted_at().await?,
            here: &around.here,
            next: around.next.as_ref(),
            before: &around.before,
            waiting: &waiting,
            nodes: &nodes,
            lease: config.common.lease,
            zone: &self.zone,
        };
        let Why { answer, because } = why(&facts, store.now().await?);
        Ok(Some(WhyView {
            task_id: self.id,
            task_key: self.judged.and_then(|judged| judged.row.task_key.ok()),
            scheduled_at: words::instant(at),
            answer: answer.as_str(),
            because,
            executions: around.here.iter().map(ExecutionView::from).collect(),
        }))
    }
}

fn paused(row: &PauseRow) -> Paused<'_> {
    let PauseRow { paused_at, pause: Pause { until, reason }, author, .. } = row;
    Paused { at: *paused_at, until: *until, reason, author }
}

fn row<'a>(judged: &'a Judged, reason: &'a str) -> Row<'a> {
    let state = match &judged.verdict {
        Verdict::Enabled(_) => State::Enabled,
        Verdict::Disabled(_) => State::Disabled,
        Verdict::Rejected(_) => State::Rejected(reason),
    };
    let task = judged.task();
    Row { state, task, created_at: judged.row.created_at, edited_at: judged.row.updated_at }
}
