//! `task list` and `task show`.

use scheduler_core::{plan::task::TaskId, store::ExecutionFilter};
use serde::Serialize;

use super::Desk;
use crate::{
    commands::executions::{HEADER, Listed, cells},
    exit::Exit,
    output::{message, pairs, table, utc},
    verdict::Judged,
    view::{self, TaskView, local, shown},
};

/// How many instants and executions `show` has.
const SHOWN: u8 = 5;

pub(super) async fn list(desk: &Desk<'_>) -> anyhow::Result<Exit> {
    let (_, rows) = desk.survey().await?;
    let views: Vec<TaskView> = rows.iter().map(TaskView::of).collect();
    let header = ["id", "task_key", "execute_func", "trigger", "spec", "state", "status", "next"];
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "(unreadable)".to_owned());
    let cells = |view: &TaskView| {
        [
            view.id.to_string(),
            text(&view.task_key),
            text(&view.execute_func),
            text(&view.trigger),
            text(&view.spec),
            view.state.to_owned(),
            text(&view.status),
            view.next_local.clone(),
        ]
    };
    let output = desk.context.output;
    output.list(
        &views,
        header,
        cells,
        "no task yet: add one with `scheduler task add`, see its --help",
    )?;
    if rows.iter().any(Judged::is_rejected) {
        message("some rows are rejected: `scheduler check` says why");
    }
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Details {
    #[serde(flatten)]
    task: TaskView,
    /// The next instants, soonest first.
    upcoming: Vec<String>,
    /// The last executions, newest first.
    executions: Vec<Listed>,
}

pub(super) async fn show(desk: &Desk<'_>, id: TaskId) -> anyhow::Result<Exit> {
    let (_, judged) = desk.judged(id).await?;
    let newest =
        ExecutionFilter { task_id: Some(id), status: None, before: None, limit: SHOWN.into() };
    let executions: Vec<Listed> =
        desk.store.executions(newest).await?.into_iter().map(Listed::from).collect();
    let scheduled = judged.scheduled();
    let upcoming =
        scheduled.map(|scheduled| scheduled.instants().take(SHOWN.into()).map(utc).collect());
    let details =
        Details { task: TaskView::of(&judged), upcoming: upcoming.unwrap_or_default(), executions };
    desk.context.output.object(&details, || text(desk, &judged, &details))?;
    Ok(Exit::Done)
}

fn text(desk: &Desk<'_>, judged: &Judged, details: &Details) -> String {
    let zone = view::zone(desk.context.config());
    let mut text = columns(desk, judged);
    if let Some(scheduled) = judged.scheduled() {
        let next: Vec<String> = scheduled
            .instants()
            .take(SHOWN.into())
            .map(|at| scheduled.task.zone.to_local(at))
            .collect();
        text.push_str("\n\nnext instants\n");
        text.push_str(&if next.is_empty() { "never".to_owned() } else { next.join("\n") });
    }
    text.push_str("\n\nlast executions\n");
    if details.executions.is_empty() {
        text.push_str("none");
    } else {
        text.push_str(&table(HEADER, details.executions.iter().map(|row| cells(&zone, row))));
    }
    text
}

fn columns(desk: &Desk<'_>, judged: &Judged) -> String {
    let zone = view::zone(desk.context.config());
    let row = &judged.row;
    let mut lines = vec![
        ("id", row.id.to_string()),
        ("task_key", shown(&row.task_key)),
        ("desc", shown(&row.description)),
        ("execute_func", shown(&row.execute_func)),
        ("trigger", shown(&row.trigger)),
        ("spec", shown(&row.spec)),
        ("args", shown(&row.args)),
        ("is_valid", shown(&row.is_valid)),
        ("status", shown(&row.status)),
        ("extra", shown(&row.extra)),
        ("create_at", local(&zone, row.created_at)),
        ("update_at", local(&zone, row.updated_at)),
        ("state", judged.state().to_owned()),
    ];
    if let Some(reason) = judged.reason() {
        lines.push(("reason", reason.to_owned()));
    }
    pairs(&lines)
}
