//! Executions.

use std::sync::Arc;

use askama::Template;
use axum::{
    Extension,
    extract::{Path, Query, State},
    http::header,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::{
    admin::LogView,
    plan::execution::{ExecutionId, ExecutionRow, Status, args_of, why_of},
    plan::task::TaskId,
    store::{ExecutionFilter, SharedStore},
    web::{
        access::Caller,
        frame::{Frame, in_query, led_to, local, millis, page},
        problem::Problem,
        seen::{cancel_run, find_executions, run_again, seen_execution, seen_log, task_asked},
        site::Site,
    },
};

/// How many are on a page.
const SHOWN: u32 = 50;

/// An execution as the lists have it.
#[derive(Default)]
pub(super) struct Ran {
    pub(super) id: ExecutionId,
    pub(super) task_id: TaskId,
    pub(super) key: String,
    pub(super) status: String,
    /// The same in RFC 3339, to ask why.
    pub(super) instant: String,
    pub(super) scheduled: String,
    pub(super) took: String,
    pub(super) attempt: i64,
    pub(super) node: String,
    pub(super) source: String,
    pub(super) note: String,
    /// Whether it did not run.
    pub(super) is_empty: bool,
}

impl Ran {
    pub(super) fn of(frame: &Frame, row: &ExecutionRow) -> Self {
        let took = row.finished_at.zip(row.started_at);
        let is_running = row.status == Status::Todo.as_str();
        // When a run began is written with its outcome.
        let running_since = row.created_at.max(row.scheduled_at).filter(|_| is_running);
        let extra: serde_json::Value = serde_json::from_str(&row.extra).unwrap_or_default();
        let instant = row.scheduled_at.or(row.created_at);
        Self {
            id: row.id,
            task_id: row.task_id,
            key: row.task_key.clone().unwrap_or_else(|| row.task_id.to_string()),
            status: row.status.clone(),
            instant: instant.map(crate::plan::words::instant).unwrap_or_default(),
            scheduled: instant.map(|at| local(&frame.zone, at)).unwrap_or_default(),
            took: match (took, running_since) {
                (Some((end, start)), _) => millis((end - start).num_milliseconds()),
                (None, Some(since)) => {
                    let span = frame.words.span((frame.now - since).num_seconds().max(0));
                    format!("{} {span}", frame.t().runs_for)
                }
                (None, None) => String::new(),
            },
            attempt: row.attempt,
            node: row.node_id.clone().unwrap_or_default(),
            source: row.source.clone(),
            note: match extra["err"].as_str() {
                // What a job says stays as it is.
                Some(error) => error.to_owned(),
                None => noted(frame, &extra),
            },
            is_empty: row.started_at.is_none() && !is_running,
        }
    }
}

/// Why it did not run, and for how many instants it stands.
fn noted(frame: &Frame, extra: &serde_json::Value) -> String {
    let reason = frame.said(why_of(extra).unwrap_or_default());
    match extra["count"].as_u64().filter(|count| *count > 1) {
        Some(count) => format!("{reason} ({count} × {})", frame.t().instants_of_it),
        None => reason.into_owned(),
    }
}

/// Which executions.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    status: String,
    /// An id or a key.
    #[serde(default)]
    task: String,
    /// As a browser has it, in the configured zone.
    #[serde(default)]
    since: String,
    /// The same.
    #[serde(default)]
    until: String,
    after: Option<ExecutionId>,
}

#[derive(Template)]
#[template(path = "executions.html")]
struct ExecutionsPage<'a> {
    frame: &'a Frame,
    asked: &'a Asked,
    statuses: Vec<&'static str>,
    runs: Vec<Ran>,
    next: Option<ExecutionId>,
    /// The task whose they are, and its key; `None`: those of all.
    task: Option<(TaskId, String)>,
    /// Why there is no such task.
    error: Option<String>,
}

impl ExecutionsPage<'_> {
    /// The query of the same list in another status.
    fn query(&self, status: &str) -> String {
        let Asked { task, since, until, .. } = self.asked;
        let given = [("task", task), ("since", since), ("until", until)];
        let given = given.into_iter().filter(|(_, text)| !text.is_empty());
        let given = given.map(|(name, text)| format!("&{name}={}", in_query(text)));
        format!("?status={status}{}", given.collect::<String>())
    }
}

/// The list.
pub(super) async fn list(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    frame: Frame,
    Query(asked): Query<Asked>,
) -> Response {
    frame.answer(listed(&site, &caller, &frame, &asked).await)
}

async fn listed(
    site: &Site,
    caller: &Caller,
    frame: &Frame,
    asked: &Asked,
) -> Result<Response, Problem> {
    let statuses = Status::names().collect();
    let task = match task_asked(site, caller, &asked.task).await {
        Ok(task) => task,
        // What was typed is to be corrected.
        Err(problem) if problem.field() == Some("task") => {
            let error = Some(frame.said(problem.detail()).into_owned());
            let list = ExecutionsPage {
                frame,
                asked,
                statuses,
                runs: Vec::new(),
                next: None,
                task: None,
                error,
            };
            let mut answer = page(&list);
            *answer.status_mut() = problem.status();
            return Ok(answer);
        }
        Err(problem) => return Err(problem),
    };
    let time = |name, text: &str| match text {
        "" => Ok(None),
        text => frame.time_typed(name, text).map(Some),
    };
    let filter = ExecutionFilter {
        task_id: task.as_ref().map(|(id, _)| *id),
        status: asked.status.parse().ok(),
        before: asked.after,
        since: time("since", &asked.since)?,
        until: time("until", &asked.until)?,
        limit: SHOWN,
    };
    let (rows, next) = find_executions(site, caller, filter).await?;
    let runs = rows.iter().map(|row| Ran::of(frame, row)).collect();
    Ok(page(&ExecutionsPage { frame, asked, statuses, runs, next, task, error: None }))
}

/// A step of an execution.
struct Step {
    name: &'static str,
    kind: String,
    time: String,
    /// Until the next one.
    gap: String,
}

#[derive(Template)]
#[template(path = "execution.html")]
struct ExecutionPage<'a> {
    frame: &'a Frame,
    run: Ran,
    trace_id: &'a str,
    /// Those that it was asked for with.
    args: Option<Arc<str>>,
    extra: &'a str,
    steps: Vec<Step>,
    /// The other attempts at its instant: which, its id and its status.
    attempts: Vec<(i64, ExecutionId, String)>,
    /// When the next one is due.
    next_attempt: Option<String>,
    log: LogView,
    is_ended: bool,
    /// Who asked that it ends.
    cancelled_by: Option<String>,
}

/// The page of an execution.
pub(super) async fn show(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    frame: Frame,
    Path(id): Path<ExecutionId>,
) -> Response {
    frame.answer(shown(&site, &caller, &frame, id).await)
}

/// Asks that a run ends.
pub(super) async fn cancel(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    frame: Frame,
    Path(id): Path<ExecutionId>,
) -> Response {
    let asked = cancel_run(&site, &caller, id).await;
    frame.answer(asked.map(|()| led_to(&format!("/executions/{id}"), "cancel")))
}

/// Asks for another run like it.
pub(super) async fn run(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    frame: Frame,
    Path(id): Path<ExecutionId>,
) -> Response {
    let asked = run_again(&site, &caller, id).await;
    frame.answer(asked.map(|(task, _)| led_to(&format!("/tasks/{task}"), "run")))
}

/// What it logged, as a file.
pub(super) async fn log(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    frame: Frame,
    Path(id): Path<ExecutionId>,
) -> Response {
    let file = |log: LogView| {
        let name = format!("attachment; filename=\"execution-{id}.log\"");
        ([(header::CONTENT_DISPOSITION, name)], log.text).into_response()
    };
    frame.answer(seen_log(&site, &caller, id, 0).await.map(file))
}

async fn shown(
    site: &Site,
    caller: &Caller,
    frame: &Frame,
    id: ExecutionId,
) -> Result<Response, Problem> {
    let store = site.store().await?;
    let row = seen_execution(store, caller, id).await?;
    let log = LogView::of(store, &row, 0, &frame.zone).await?;
    let is_ended = row.status != Status::Todo.as_str();
    let cancels = if is_ended { Vec::new() } else { store.cancels().await? };
    let mut cancels = cancels.into_iter().filter(|cancel| cancel.execution_id == id);
    let (attempts, next_attempt) = attempts(store, frame, &row).await?;
    Ok(page(&ExecutionPage {
        frame,
        attempts,
        next_attempt,
        run: Ran::of(frame, &row),
        trace_id: &row.trace_id,
        args: args_of(&row.extra),
        extra: &row.extra,
        steps: steps(frame, &row),
        is_ended,
        log,
        cancelled_by: cancels.next().map(|cancel| cancel.author),
    }))
}

/// The other attempts at the instant of `row`, and when the next one is due, in words.
async fn attempts(
    store: &SharedStore,
    frame: &Frame,
    row: &ExecutionRow,
) -> Result<(Vec<(i64, ExecutionId, String)>, Option<String>), Problem> {
    let Some(at) = row.scheduled_at else { return Ok((Vec::new(), None)) };
    let here = store.around(row.task_id, at).await?.here;
    let others = here.into_iter().filter(|other| other.id != row.id);
    let waiting = store.waiting(row.task_id).await?;
    let next = waiting.iter().find(|one| one.is_retry_of(at));
    let next = next.map(|next| frame.time(&next.due_at));
    Ok((others.map(|other| (other.attempt, other.id, other.status)).collect(), next))
}

/// It is written in whole seconds: not before its instant, and before it began.
fn claimed_at(row: &ExecutionRow) -> Option<DateTime<Utc>> {
    let written = row.created_at.max(row.scheduled_at).filter(|_| row.node_id.is_some())?;
    Some(row.started_at.map_or(written, |started| written.min(started)))
}

fn steps(frame: &Frame, row: &ExecutionRow) -> Vec<Step> {
    let t = frame.t();
    let ran = [
        (t.scheduled, row.scheduled_at),
        (t.claimed, claimed_at(row)),
        (t.started, row.started_at),
        (t.finished, row.finished_at),
    ];
    let did_not = [(t.scheduled, row.scheduled_at), (t.recorded_at, row.finished_at)];
    let is_empty = [Status::Missed, Status::Skipped].map(Status::as_str).contains(&&*row.status);
    let named = if is_empty { &did_not[..] } else { &ran };
    let passed: Vec<_> = named.iter().filter_map(|(name, at)| Some((*name, (*at)?))).collect();
    let step = |(place, (name, at)): (usize, &(&'static str, DateTime<Utc>))| {
        let next = passed.get(place + 1).map(|(_, next)| (*next - *at).num_milliseconds());
        let is_last = next.is_none();
        Step {
            name,
            kind: if is_last { frame.kind(&row.status).to_owned() } else { String::new() },
            // When it was claimed is written in whole seconds.
            time: match at.timestamp_subsec_millis() {
                0 if *name == t.claimed => local(&frame.zone, *at),
                millis => format!("{}.{millis:03}", local(&frame.zone, *at)),
            },
            gap: next.map(|gap| format!("+{}", millis(gap.max(0)))).unwrap_or_default(),
        }
    };
    passed.iter().enumerate().map(step).collect()
}
