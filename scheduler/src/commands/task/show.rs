//! `task list` and `task show`.

use chrono::{DateTime, Utc};
use scheduler_core::{
    admin::{self, Judged, State, TaskView},
    plan::{claim::Request, task::TaskId},
    store::{ExecutionFilter, Pause, PauseRow},
};
use serde::Serialize;

use super::Desk;
use crate::{
    commands::executions::{HEADER, Listed, cells},
    exit::Exit,
    output::{message, pairs, table, utc},
    view::{local, next_local, shown},
};

/// How many instants and executions `show` has.
const SHOWN: u8 = 5;

pub(super) async fn list(desk: &Desk<'_>) -> anyhow::Result<Exit> {
    let (_, rows) = desk.survey().await?;
    let off = rows.iter().filter(|judged| judged.state() == State::Disabled);
    let off: Vec<TaskId> = off.map(|judged| judged.row.id).collect();
    let pauses = desk.store.pauses(&off).await?;
    let pause = |id| pauses.iter().find(|pause| pause.task_id == id);
    let lines: Vec<Line> =
        rows.iter().map(|judged| Line::of(judged, pause(judged.row.id))).collect();
    let header = ["id", "task_key", "execute_func", "trigger", "spec", "state", "status", "next"];
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "(unreadable)".to_owned());
    let cells = |Line { view, next_local }: &Line| {
        [
            view.id.to_string(),
            text(&view.task_key),
            text(&view.execute_func),
            text(&view.trigger),
            text(&view.spec),
            view.state.as_str().to_owned(),
            text(&view.status),
            next_local.clone(),
        ]
    };
    let output = desk.context.output;
    output.list(
        &lines,
        header,
        cells,
        "no task yet: add one with `scheduler task add`, see its --help",
    )?;
    if rows.iter().any(Judged::is_rejected) {
        message("some rows are rejected: `scheduler check` says why");
    }
    Ok(Exit::Done)
}

/// A row as programs and as people see it.
#[derive(Serialize)]
#[serde(transparent)]
struct Line {
    view: TaskView,
    #[serde(skip)]
    next_local: String,
}

impl Line {
    fn of(judged: &Judged, pause: Option<&PauseRow>) -> Self {
        Self { view: TaskView::of(judged, pause), next_local: next_local(judged) }
    }
}

#[derive(Serialize)]
struct Details {
    #[serde(flatten)]
    task: TaskView,
    /// The next instants, soonest first.
    upcoming: Vec<String>,
    /// Manual runs and retries that wait, soonest first.
    waiting: Vec<Waiting>,
    /// The last executions, newest first.
    executions: Vec<Listed>,
}

/// A run that waits outside of the schedule.
#[derive(Serialize)]
struct Waiting {
    source: &'static str,
    /// The fire's instant; of a manual run, when it was asked for.
    scheduled_at: String,
    attempt: u32,
    /// It runs then at the earliest.
    due_at: String,
    /// Its arguments, if they are not those of the row.
    args: Option<String>,
}

impl From<&Request> for Waiting {
    fn from(request: &Request) -> Self {
        Self {
            source: request.origin.source().as_str(),
            scheduled_at: utc(request.scheduled_at),
            attempt: request.attempt,
            due_at: utc(due_at(request)),
            args: request.args.as_deref().map(str::to_owned),
        }
    }
}

/// A manual run is due from when it was asked for; its request says since ever.
fn due_at(request: &Request) -> DateTime<Utc> {
    request.due_at.max(request.scheduled_at)
}

pub(super) async fn show(desk: &Desk<'_>, id: TaskId) -> anyhow::Result<Exit> {
    let (_, judged) = desk.judged(id).await?;
    let newest = ExecutionFilter { task_id: Some(id), ..ExecutionFilter::newest(SHOWN.into()) };
    let executions: Vec<Listed> =
        desk.store.executions(newest).await?.into_iter().map(Listed::from).collect();
    let mut waiting = desk.store.read().await?.requests;
    waiting.retain(|request| request.task_id == id);
    waiting.sort_by_key(|request| request.due_at);
    let is_off = judged.state() == State::Disabled;
    let pauses = if is_off { desk.store.pauses(&[id]).await? } else { Vec::new() };
    let pause = pauses.into_iter().next();
    let scheduled = judged.scheduled();
    let upcoming =
        scheduled.map(|scheduled| scheduled.instants().take(SHOWN.into()).map(utc).collect());
    let details = Details {
        task: TaskView::of(&judged, pause.as_ref()),
        upcoming: upcoming.unwrap_or_default(),
        waiting: waiting.iter().map(Waiting::from).collect(),
        executions,
    };
    desk.context
        .output
        .object(&details, || text(desk, &judged, pause.as_ref(), &waiting, &details))?;
    Ok(Exit::Done)
}

fn text(
    desk: &Desk<'_>,
    judged: &Judged,
    pause: Option<&PauseRow>,
    waiting: &[Request],
    details: &Details,
) -> String {
    let zone = admin::zone(desk.context.config());
    let mut text = columns(desk, judged, pause);
    if let Some(scheduled) = judged.scheduled() {
        let next: Vec<String> = scheduled
            .instants()
            .take(SHOWN.into())
            .map(|at| scheduled.task.zone.to_local(at))
            .collect();
        text.push_str("\n\nnext instants\n");
        text.push_str(&if next.is_empty() { "never".to_owned() } else { next.join("\n") });
    }
    if !waiting.is_empty() {
        let cells = |request: &Request| {
            let source = request.origin.source().as_str().to_owned();
            let instants = [request.scheduled_at, due_at(request)].map(|at| zone.to_local(at));
            let [scheduled_at, due_at] = instants;
            [source, request.attempt.to_string(), scheduled_at, due_at]
        };
        text.push_str("\n\nwaiting\n");
        let header = ["source", "attempt", "scheduled_at", "due_at"];
        text.push_str(&table(header, waiting.iter().map(cells)));
    }
    text.push_str("\n\nlast executions\n");
    if details.executions.is_empty() {
        text.push_str("none");
    } else {
        text.push_str(&table(HEADER, details.executions.iter().map(|row| cells(&zone, row))));
    }
    text
}

fn columns(desk: &Desk<'_>, judged: &Judged, pause: Option<&PauseRow>) -> String {
    let zone = admin::zone(desk.context.config());
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
        ("state", judged.state().as_str().to_owned()),
    ];
    if let Some(PauseRow { pause: Pause { until, reason }, author, .. }) = pause {
        lines.push(("paused until", local(&zone, *until)));
        lines.push(("paused by", author.clone()));
        lines.push(("paused for", reason.clone()));
    }
    if let Some(reason) = judged.reason() {
        lines.push(("reason", reason.to_string()));
    }
    pairs(&lines)
}
