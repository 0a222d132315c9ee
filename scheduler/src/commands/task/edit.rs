//! `task enable`, `disable`, `spec`, `trigger` and `delete`.
//!
//! Of several ids all are tried; each that fails is a line on stderr, and the program leaves with 1.

use anyhow::{anyhow, bail};
use scheduler_core::{
    admin::{Judge, Scheduled, Verdict},
    clock,
    plan::{
        task::{Task, TaskId, TaskRow},
        words::quote,
    },
};
use serde::Serialize;

use super::Desk;
use crate::{
    exit::{Exit, one_line},
    output::message,
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
        let (mut judge, judged) = desk.judged(id).await?;
        let row = judged.row;
        if row.is_valid.as_deref() == Ok("1") {
            accept(&mut judge, &row)?;
            return Ok(format!("{} is enabled already", row.label()));
        }
        let task = accept(&mut judge, &TaskRow { updated_at: Some(clock::wall()), ..row.clone() })?;
        desk.store.set_enabled(id, true).await?;
        Ok(format!("{} is enabled, next {}; {}", row.label(), next(task), desk.takes_effect()))
    })
    .await
}

pub(super) async fn disable(desk: &Desk<'_>, ids: &[TaskId]) -> anyhow::Result<Exit> {
    each(desk, ids, async |id| {
        let row = desk.row(id).await?;
        if row.is_valid.as_deref() == Ok("0") {
            return Ok(format!("{} is disabled already", row.label()));
        }
        desk.store.set_enabled(id, false).await?;
        Ok(format!("{} is disabled: nothing of it starts any more", row.label()))
    })
    .await
}

pub(super) async fn delete(desk: &Desk<'_>, ids: &[TaskId]) -> anyhow::Result<Exit> {
    each(desk, ids, async |id| {
        let row = desk.row(id).await?;
        desk.store.delete(id).await?;
        Ok(format!("{} is deleted; its executions stay", row.label()))
    })
    .await
}

pub(super) async fn spec(desk: &Desk<'_>, id: TaskId, spec: &str) -> anyhow::Result<Exit> {
    one(desk, id, async |id| {
        let (mut judge, judged) = desk.judged(id).await?;
        let edited =
            TaskRow { spec: Ok(spec.to_owned()), updated_at: Some(clock::wall()), ..judged.row };
        let task = accept(&mut judge, &edited)?;
        desk.store.set_spec(id, spec).await?;
        let label = edited.label();
        let spec = quote(spec);
        Ok(match judged.verdict {
            Verdict::Disabled(_) => format!("{label} has the spec {spec}, and is disabled"),
            _ => {
                format!("{label} has the spec {spec}, next {}; {}", next(task), desk.takes_effect())
            }
        })
    })
    .await
}

pub(super) async fn trigger(desk: &Desk<'_>, id: TaskId) -> anyhow::Result<Exit> {
    one(desk, id, async |id| {
        let (_, judged) = desk.judged(id).await?;
        let label = judged.row.label();
        match judged.verdict {
            Verdict::Enabled(_) => {}
            Verdict::Disabled(_) => {
                bail!("{label} is disabled: enable it first with `scheduler task enable {id}`")
            }
            Verdict::Rejected(reason) => bail!("{label} is rejected: {reason}"),
        }
        desk.store.request_run(id, clock::wall()).await?;
        Ok(format!("{label} is asked to run once; {}", desk.takes_effect()))
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

/// The row as an enabled one.
fn accept(judge: &mut Judge, row: &TaskRow) -> anyhow::Result<Task> {
    judge.read(row).map_err(|reason| anyhow!("{}: {reason}", row.label()))
}

fn next(task: Task) -> String {
    let scheduled = Scheduled::new(task, None, clock::wall());
    scheduled.next().map_or_else(|| "never".to_owned(), |at| scheduled.task.zone.to_local(at))
}
