//! Alarms as programs see them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::BoardRow;
use crate::{
    plan::{task::TaskId, words::instant},
    run::ChannelSight,
    store::{AlarmId, AlarmRow},
};

/// An alarm of a node. Its times are by the clock of that node.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlarmView {
    /// `id`.
    pub id: AlarmId,
    /// `rule`: its kind, as `[alarms.channels.NAME] rules` names it.
    pub rule: String,
    /// `about`: a task's key, `task` with a row's id, a node's id.
    pub about: String,
    /// The task that it is about; `null`: about none that there is.
    pub task_id: Option<TaskId>,
    /// Its `task_key`.
    pub task_key: Option<String>,
    /// `content`: what its last sign said.
    pub text: String,
    /// `count`: how many signs came.
    pub count: u64,
    /// `began_at`: when the first came.
    pub began_at: Option<String>,
    /// `last_at`: when the last came.
    pub last_at: Option<String>,
    /// `ended_at`: when it was over; `null`: it goes on, or went on when its node was gone.
    pub ended_at: Option<String>,
    /// Whether it goes on.
    pub is_open: bool,
    /// `node_id`: who found it.
    pub node_id: String,
}

impl AlarmView {
    /// `row`, which is about `task`, if it is about one; `is_alive`: its node is.
    #[must_use]
    pub fn of(row: &AlarmRow, task: Option<&BoardRow>, is_alive: bool) -> Self {
        Self {
            id: row.id,
            rule: row.rule.clone(),
            about: row.about.clone(),
            task_id: task.map(|task| task.id),
            task_key: task.map(|task| task.key.to_string()),
            text: row.text.clone(),
            count: row.count,
            began_at: row.began_at.map(instant),
            last_at: row.last_at.map(instant),
            ended_at: row.ended_at.map(instant),
            is_open: row.ended_at.is_none() && is_alive,
            node_id: row.node_id.clone(),
        }
    }
}

/// A channel of `[alarms.channels]`, as this node tells it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChannelView {
    /// Its name.
    pub name: String,
    /// `dingtalk`, `feishu`, `wecom`, `slack`, `webhook` or `email`.
    pub kind: &'static str,
    /// Of what it is told.
    pub rules: Vec<String>,
    /// When a message arrived last since the start of this node.
    pub arrived_at: Option<String>,
    /// When one did not arrive; `null`: the last one did.
    pub failed_at: Option<String>,
    /// Why not.
    pub failure: Option<String>,
    /// Alarms that wait to be told since then.
    pub untold: u64,
}

impl ChannelView {
    /// The channel `name` of `config`, as it was seen.
    #[must_use]
    pub fn of(name: &str, config: &crate::config::Channel, sight: &ChannelSight) -> Self {
        let ChannelSight { arrived_at, failed, untold } = sight;
        let (failed_at, failure): (Option<DateTime<Utc>>, _) = failed.clone().unzip();
        Self {
            name: name.to_owned(),
            kind: config.kind.name(),
            rules: config.rules.iter().map(ToString::to_string).collect(),
            arrived_at: arrived_at.map(instant),
            failed_at: failed_at.map(instant),
            failure,
            untold: *untold,
        }
    }
}
