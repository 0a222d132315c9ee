//! One task.

use std::sync::Arc;

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Path, Query, State},
    response::Response,
};
use chrono::{DateTime, SubsecRound as _, TimeDelta};
use serde::Deserialize;

use super::{
    edit::in_lines,
    executions::Ran,
    others::Edited,
    strip::{Chart, RUNS, Strip},
    tasks::Row,
};
use crate::{
    admin::{AskedTask, EditView, InstantView, JobView, PauseView, WhyView, coming},
    plan::{
        claim::{Origin, Request},
        task::TaskId,
        words::quote,
    },
    store::{EditFilter, ExecutionFilter, Pause},
    web::{
        access::Caller,
        frame::{Frame, led_to, page},
        problem::Problem,
        seen::{self, seen, sees_edit},
        site::Site,
    },
};

/// How many instants, executions and edits are shown.
const INSTANTS: usize = 10;
const RUNS_SHOWN: u32 = 15;
const EDITS_SHOWN: u32 = 8;

#[derive(Template)]
#[template(path = "task.html")]
struct TaskPage<'a> {
    frame: &'a Frame,
    /// Hours and words of the pauses that are offered.
    pauses: [(i64, String); PAUSES.len()],
    task: Row,
    pause: Option<PauseView>,
    /// Manual runs and retries that wait, each in words.
    waiting: Vec<String>,
    job: &'a str,
    args: &'a str,
    /// What the job takes; empty: anything, or it is not known.
    takes: String,
    extra: &'a str,
    instants: Vec<InstantView>,
    chart: Option<Chart>,
    runs: Vec<Ran>,
    /// What is accepted, and was probably meant otherwise.
    warnings: Vec<String>,
    /// After how many milliseconds it is made anew.
    refreshes: Option<u32>,
    edits: Vec<Edited>,
    reopened: Option<Reopened>,
}

/// A dialog that stands open again, since what was typed into it was refused.
struct Reopened {
    error: String,
    typed: Typed,
}

/// What was typed into a dialog.
enum Typed {
    Run(RunAsked),
    Pause(PauseAsked),
}

impl TaskPage<'_> {
    /// Why a run was refused, and its arguments.
    fn refused_run(&self) -> Option<(&str, &str)> {
        let reopened = self.reopened.as_ref()?;
        let Typed::Run(asked) = &reopened.typed else { return None };
        Some((&reopened.error, &asked.args))
    }

    /// Why a pause was refused, and what it was to be.
    fn refused_pause(&self) -> Option<(&str, &PauseAsked)> {
        let reopened = self.reopened.as_ref()?;
        let Typed::Pause(asked) = &reopened.typed else { return None };
        Some((&reopened.error, asked))
    }
}

/// The page of a task.
pub(super) async fn show(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    frame: Frame,
    Path(id): Path<TaskId>,
) -> Response {
    frame.answer(shown(&site, &caller, &frame, id, None).await)
}

async fn shown(
    site: &Site,
    caller: &Caller,
    frame: &Frame,
    id: TaskId,
    reopened: Option<Reopened>,
) -> Result<Response, Problem> {
    let judged = seen(site, caller, id).await?;
    let store = site.store().await?;
    let recent = store.recent(&[id], RUNS).await?;
    let filter = ExecutionFilter { task_id: Some(id), ..ExecutionFilter::newest(RUNS_SHOWN) };
    let runs = store.executions(filter).await?;
    let edits = EditFilter { task_id: Some(id), before: None, limit: EDITS_SHOWN };
    let edits = store.edits(edits).await?;
    let waiting = store.waiting(id).await?;
    let text = |field| Result::unwrap_or(field, "?");
    let judged = [judged];
    let pause = seen::pauses(site, &judged).await?.remove(&id);
    let [judged] = judged;
    Ok(page(&TaskPage {
        frame,
        pauses: PAUSES.map(|hours| (hours, frame.words.span(hours * 3_600))),
        pause: pause.as_ref().map(PauseView::from),
        waiting: waiting.iter().map(|request| in_words(frame, request)).collect(),
        job: text(judged.row.execute_func.as_deref()),
        args: text(judged.row.args.as_deref()),
        takes: takes(site, judged.row.execute_func.as_deref().unwrap_or_default()),
        extra: text(judged.row.extra.as_deref()),
        instants: coming(&site.config, &site.registry, &judged, INSTANTS),
        warnings: judged
            .warnings()
            .iter()
            .map(|warning| frame.said(warning).into_owned())
            .collect(),
        chart: Chart::of(frame, &recent),
        // What somebody typed is not taken away.
        refreshes: match (&reopened, waiting.is_empty()) {
            (Some(_), _) => None,
            (None, true) => Some(5_000),
            (None, false) => Some(1_000),
        },
        runs: runs.iter().map(|row| Ran::of(frame, row)).collect(),
        edits: edits
            .iter()
            .filter(|row| sees_edit(caller, &EditView::from(*row)))
            .map(|row| Edited::of(frame, row))
            .collect(),
        task: Row::of(frame, &judged, Strip::default()),
        reopened,
    }))
}

/// The page with the dialog open in which `typed` was refused; what cannot be mended there is a page of its own.
async fn reopened(
    site: &Site,
    caller: &Caller,
    frame: &Frame,
    id: TaskId,
    typed: Typed,
    problem: &Problem,
) -> Response {
    if problem.field().is_none() {
        return frame.problem(problem);
    }
    let reopened = Reopened { error: frame.said(problem.detail()).into_owned(), typed };
    let mut answer = frame.answer(shown(site, caller, frame, id, Some(reopened)).await);
    *answer.status_mut() = problem.status();
    answer
}

fn takes(site: &Site, job: &str) -> String {
    let job = site.registry.iter().find(|known| known.name == job);
    job.map_or_else(String::new, |job| JobView::from(job).args_line())
}

fn in_words(frame: &Frame, request: &Request) -> String {
    let (t, instant) = (frame.t(), frame.time(&request.scheduled_at));
    match (request.origin, &request.args) {
        (Origin::Retry, _) => {
            let due = frame.time(&request.due_at);
            format!("{} {instant}, {} {due}", t.retry_of, t.not_before)
        }
        (_, Some(args)) => format!("{} {instant} ({}: {args})", t.asked_for_at, t.args),
        (_, None) => format!("{} {instant}", t.asked_for_at),
    }
}

/// With which arguments.
#[derive(Deserialize)]
pub(super) struct RunAsked {
    args: String,
}

/// Asks for a run; arguments that are not touched in the form are those of the row.
pub(super) async fn run(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    frame: Frame,
    Path(id): Path<TaskId>,
    Form(asked): Form<RunAsked>,
) -> Response {
    match run_with(&site, &caller, id, &in_lines(&asked.args)).await {
        Ok(()) => led_to(&format!("/tasks/{id}"), "run"),
        Err(problem) => reopened(&site, &caller, &frame, id, Typed::Run(asked), &problem).await,
    }
}

async fn run_with(site: &Site, caller: &Caller, id: TaskId, args: &str) -> Result<(), Problem> {
    let row = seen(site, caller, id).await?.row;
    let is_other = row.args.is_ok_and(|of_row| in_lines(&of_row) != args);
    seen::run(site, caller, id, is_other.then_some(args)).await.map(drop)
}

/// For how long, and why.
#[derive(Deserialize)]
pub(super) struct PauseAsked {
    /// Hours, where no time is given; empty: until somebody switches it on.
    #[serde(default, rename = "for")]
    hours: String,
    /// As a browser has it, in the configured zone.
    until: String,
    reason: String,
}

/// Pauses that are offered, in hours.
const PAUSES: [i64; 4] = [1, 8, 24, 168];

/// Switches a task off for a while.
pub(super) async fn pause(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    frame: Frame,
    Path(id): Path<TaskId>,
    Form(asked): Form<PauseAsked>,
) -> Response {
    match pause_for(&site, &caller, &frame, id, &asked).await {
        Ok(()) => led_to(&format!("/tasks/{id}"), "pause"),
        Err(problem) => reopened(&site, &caller, &frame, id, Typed::Pause(asked), &problem).await,
    }
}

async fn pause_for(
    site: &Site,
    caller: &Caller,
    frame: &Frame,
    id: TaskId,
    asked: &PauseAsked,
) -> Result<(), Problem> {
    let until = match (asked.until.as_str(), asked.hours.as_str()) {
        ("", "") => None,
        ("", hours) => {
            let hours = PAUSES.into_iter().find(|offered| offered.to_string() == hours);
            let hours = hours.ok_or_else(|| {
                let detail = format!("for {} is none of {PAUSES:?}", quote(&asked.hours));
                Problem::bad(detail).about("for")
            })?;
            // Until a whole second, as people write them.
            Some(frame.now.trunc_subsecs(0) + TimeDelta::hours(hours))
        }
        (text, _) => Some(frame.time_typed("until", text)?),
    };
    seen(site, caller, id).await?;
    site.editor(caller).await?.pause(id, &Pause { until, reason: asked.reason.clone() }).await?;
    site.edited();
    Ok(())
}

/// Of which instant.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    at: String,
}

#[derive(Template)]
#[template(path = "why.html")]
struct WhyPage<'a> {
    frame: &'a Frame,
    id: TaskId,
    key: String,
    /// As a browser has it, in the configured zone.
    at: String,
    /// `None`: it is not said of which instant.
    why: Option<WhyView>,
}

/// The page that says what became of an instant.
pub(super) async fn why(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    frame: Frame,
    Path(id): Path<TaskId>,
    Query(asked): Query<Asked>,
) -> Response {
    frame.answer(told(&site, &caller, &frame, id, &asked.at).await)
}

async fn told(
    site: &Site,
    caller: &Caller,
    frame: &Frame,
    id: TaskId,
    at: &str,
) -> Result<Response, Problem> {
    let judged = seen(site, caller, id).await?;
    let key = judged.row.task_key.unwrap_or_default();
    // Links have RFC 3339.
    let at = match DateTime::parse_from_rfc3339(at) {
        _ if at.is_empty() => {
            return Ok(page(&WhyPage { frame, id, key, at: String::new(), why: None }));
        }
        Ok(at) => at.to_utc(),
        Err(_) => frame.time_typed("at", at)?,
    };
    let store = site.store().await?;
    let task = AskedTask::of(store, &site.config, &site.registry, id).await?;
    let why = task.why(store, &site.config, at).await?;
    let why = Some(why.ok_or_else(|| Problem::no_such("task", id))?);
    let at = frame.time(&at).replace(' ', "T");
    Ok(page(&WhyPage { frame, id, key, at, why }))
}
