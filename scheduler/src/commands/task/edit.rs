//! `task enable`, `disable`, `spec`, `trigger` and `delete`.
//!
//! Of several ids all are tried; each that fails is a line on stderr, and the program leaves with 1.

use anyhow::anyhow;
use scheduler_core::{
    admin::{self, EditError, Verdict},
    clock,
    plan::{duration, task::TaskId, words::quote},
    store::{Pause, TaskChange},
};
use serde::Serialize;

use super::Desk;
use crate::{
    exit::{Exit, one_line},
    instant::instant,
    output::message,
    view::{local, next_local},
};

/// What became of one id.
#[derive(Serialize)]
struct Edited {
    id: TaskId,
    done: bool,
    /// What was done, or why it was not.
    message: String,
}

pub(super) async fn enable(desk: &Desk<'_>, ids: &[TaskId]) -> anyhow::Result<Exit> {
    each(desk, ids, async |id| {
        let (before, after) = desk.editor().change(id, None, &TaskChange::enabled(true)).await?;
        let label = after.row.label();
        if before.row.is_valid.as_deref() == Ok("1") {
            return Ok(format!("{label} is enabled already"));
        }
        Ok(format!("{label} is enabled, next {}; {}", next_local(&after), desk.takes_effect()))
    })
    .await
}

pub(super) async fn disable(desk: &Desk<'_>, ids: &[TaskId]) -> anyhow::Result<Exit> {
    each(desk, ids, async |id| {
        let (before, after) = desk.editor().change(id, None, &TaskChange::enabled(false)).await?;
        let label = after.row.label();
        Ok(if before.row.is_valid.as_deref() == Ok("0") {
            format!("{label} is disabled already")
        } else {
            format!("{label} is disabled: nothing of it starts any more")
        })
    })
    .await
}

pub(super) async fn pause(
    desk: &Desk<'_>,
    id: TaskId,
    until: Option<&str>,
    reason: String,
) -> anyhow::Result<Exit> {
    let zone = admin::zone(desk.context.config());
    let until = until.map(|text| match duration::parse(text) {
        Some(span) => Ok(clock::wall() + span),
        None => instant("--until", text, &zone),
    });
    let pause = Pause { until: until.transpose()?, reason };
    one(desk, id, async |id| {
        let label = desk.editor().pause(id, &pause).await?.row.label();
        Ok(match pause.until {
            Some(until) => format!("{label} is paused until {}", local(&zone, Some(until))),
            None => format!("{label} is paused until somebody enables it"),
        })
    })
    .await
}

pub(super) async fn delete(desk: &Desk<'_>, ids: &[TaskId]) -> anyhow::Result<Exit> {
    each(desk, ids, async |id| {
        let deleted = desk.editor().delete(id, None).await?;
        Ok(format!("{} is deleted; its executions stay", deleted.row.label()))
    })
    .await
}

pub(super) async fn spec(desk: &Desk<'_>, id: TaskId, spec: &str) -> anyhow::Result<Exit> {
    one(desk, id, async |id| {
        let (_, after) = desk.editor().change(id, None, &TaskChange::spec(spec)).await?;
        let (label, spec) = (after.row.label(), quote(spec));
        Ok(match after.verdict {
            Verdict::Disabled(_) => format!("{label} has the spec {spec}, and is disabled"),
            _ => {
                let (next, takes_effect) = (next_local(&after), desk.takes_effect());
                format!("{label} has the spec {spec}, next {next}; {takes_effect}")
            }
        })
    })
    .await
}

pub(super) async fn trigger(
    desk: &Desk<'_>,
    id: TaskId,
    args: Option<&str>,
) -> anyhow::Result<Exit> {
    one(desk, id, async |id| {
        let asked = desk.editor().run(id, args).await;
        let (judged, _) = asked.map_err(|error| match error {
            EditError::Disabled { .. } => {
                anyhow!("{error}: enable it first with `scheduler task enable {id}`")
            }
            error => error.into(),
        })?;
        let with = args.map_or_else(String::new, |args| format!(" with args {}", quote(args)));
        let (label, takes_effect) = (judged.row.label(), desk.takes_effect());
        Ok(format!("{label} is asked to run once{with}; {takes_effect}"))
    })
    .await
}

/// Edits each row, and goes on when one fails.
async fn each(
    desk: &Desk<'_>,
    ids: &[TaskId],
    edit: impl AsyncFn(TaskId) -> anyhow::Result<String>,
) -> anyhow::Result<Exit> {
    let mut all = Vec::with_capacity(ids.len());
    for id in ids {
        all.push(attempt(*id, &edit).await);
    }
    desk.context.output.lines(&all, |edited| edited.done.then(|| edited.message.clone()))?;
    Ok(if all.iter().all(|edited| edited.done) { Exit::Done } else { Exit::Finding })
}

/// Edits one row.
async fn one(
    desk: &Desk<'_>,
    id: TaskId,
    edit: impl AsyncFn(TaskId) -> anyhow::Result<String>,
) -> anyhow::Result<Exit> {
    let message = edit(id).await?;
    let edited = Edited { id, done: true, message };
    desk.context.output.object(&edited, || edited.message.clone())?;
    Ok(Exit::Done)
}

async fn attempt(id: TaskId, edit: &impl AsyncFn(TaskId) -> anyhow::Result<String>) -> Edited {
    match edit(id).await {
        Ok(message) => Edited { id, done: true, message },
        Err(error) => {
            let text = one_line(&error);
            message(&format!("error: {text}"));
            Edited { id, done: false, message: text }
        }
    }
}
