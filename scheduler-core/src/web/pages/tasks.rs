//! The list of tasks, and what is done with those that are picked.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::strip::{RUNS, Strip};
use crate::{
    admin::{Counts, Cursor, Judged, Order, Scheduled, State as TaskState, TaskFilter},
    config::Role,
    plan::task::TaskId,
    store::{PauseRow, TaskChange},
    web::{
        access::Caller,
        boards::{board, from_text, to_text},
        frame::{Frame, in_query, inside, led_to, local, page, spoken},
        problem::Problem,
        seen::{self, pick, rows, seen},
        site::Site,
    },
};

/// How many are on a page.
const SHOWN: usize = 25;

/// Which tasks.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    job: String,
    #[serde(default)]
    after: String,
}

/// A row of the list.
pub(super) struct Row {
    pub(super) id: TaskId,
    pub(super) key: String,
    pub(super) description: String,
    pub(super) state: &'static str,
    pub(super) spec: String,
    /// When that is, in words; empty where nobody can read it.
    pub(super) spoken: String,
    pub(super) trigger: String,
    pub(super) zone: String,
    pub(super) next: Option<DateTime<Utc>>,
    pub(super) next_local: String,
    pub(super) reason: String,
    pub(super) strip: Strip,
    /// How it is off for a while, in words.
    pub(super) pause: Option<String>,
}

impl Row {
    /// What is paused is off, and more is known of it.
    pub(super) fn shown_state(&self, is_paused: bool) -> &'static str {
        if is_paused { "paused" } else { self.state }
    }

    pub(super) fn of(frame: &Frame, judged: &Judged, strip: Strip) -> Self {
        let text = |field: &crate::plan::task::Field| field.as_deref().unwrap_or("?").to_owned();
        let task = judged.task();
        let zone = task.map_or(&frame.zone, |task| &task.zone);
        let next = judged.scheduled().and_then(Scheduled::next);
        Self {
            id: judged.row.id,
            key: text(&judged.row.task_key),
            description: text(&judged.row.description),
            state: judged.state().as_str(),
            spec: text(&judged.row.spec),
            spoken: task
                .map_or_else(String::new, |task| spoken(frame.words, &task.trigger, &task.zone)),
            trigger: text(&judged.row.trigger),
            zone: zone.name().to_owned(),
            next,
            next_local: next.map(|at| local(zone, at)).unwrap_or_default(),
            reason: judged
                .reason()
                .map(|fault| frame.said(&fault.to_string()).into_owned())
                .unwrap_or_default(),
            strip,
            pause: None,
        }
    }
}

/// `until 2026-12-24 08:00:00`.
fn paused(frame: &Frame, PauseRow { pause, .. }: &PauseRow) -> String {
    let t = frame.t();
    match &pause.until {
        Some(until) => format!("{} {}", t.until, frame.time(until)),
        None => t.until_enabled.to_owned(),
    }
}

#[derive(Template)]
#[template(path = "tasks.html")]
struct TasksPage<'a> {
    frame: &'a Frame,
    asked: &'a Asked,
    /// State, its name and how many there are.
    states: Vec<(&'static str, &'static str, usize)>,
    jobs: Vec<&'static str>,
    rows: Vec<Row>,
    next: Option<String>,
}

impl TasksPage<'_> {
    /// The query of the same list in another state.
    fn query(&self, state: &str) -> String {
        let Asked { q, job, .. } = self.asked;
        format!("?q={}&job={}&state={state}", in_query(q), in_query(job))
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
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let state = TaskState::NAMES.into_iter().find(|(name, _)| *name == asked.state);
    let filter = TaskFilter {
        text: given(&asked.q),
        job: given(&asked.job),
        state: state.map(|(_, state)| state),
    };
    let after = given(&asked.after).map(|text| from_text::<Cursor>("after", &text)).transpose()?;
    let board = board(site).await?;
    let sorting = (Order::Key, false);
    let (ids, last) = pick(&board, caller, &filter, sorting, after.as_ref(), SHOWN);
    let judged = rows(site, caller, &ids).await?;
    let mut recent: HashMap<TaskId, Vec<_>> = HashMap::new();
    for run in site.store().await?.recent(&ids, RUNS).await? {
        recent.entry(run.task_id).or_default().push(run);
    }
    let strip = |id| Strip::of(frame, recent.get(&id).map_or(&[][..], Vec::as_slice));
    let pauses = seen::pauses(site, &judged).await?;
    let row = |judged: &Judged| {
        let pause = pauses.get(&judged.row.id).map(|pause| paused(frame, pause));
        Row { pause, ..Row::of(frame, judged, strip(judged.row.id)) }
    };
    let rows = judged.iter().map(row).collect();
    let of_any_state = TaskFilter { state: None, ..filter };
    let counts = board.counts(&of_any_state, |row| caller.sees(Some(&row.key)));
    let Counts { enabled, disabled, rejected } = counts;
    let t = frame.t();
    let states = vec![
        ("", t.all, enabled + disabled + rejected),
        ("enabled", t.enabled, enabled),
        ("disabled", t.disabled, disabled),
        ("rejected", t.rejected, rejected),
    ];
    let jobs = site.registry.iter().map(|job| job.name).collect();
    let next = last.as_ref().map(to_text);
    Ok(page(&TasksPage { frame, asked, states, jobs, rows, next }))
}

/// What is to be done with some tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Run,
    Enable,
    Disable,
    Delete,
}

impl Act {
    fn name(self) -> &'static str {
        match self {
            Act::Run => "run",
            Act::Enable => "enable",
            Act::Disable => "disable",
            Act::Delete => "delete",
        }
    }
}

#[derive(Template)]
#[template(path = "acted.html")]
struct ActedPage<'a> {
    frame: &'a Frame,
    done: usize,
    failures: Vec<String>,
    back: &'a str,
}

/// Does it with each, and says of which it could not be done.
pub(super) async fn act(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    frame: Frame,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let value =
        |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, text)| &**text);
    let acts = [Act::Run, Act::Enable, Act::Disable, Act::Delete].map(|act| (act.name(), act));
    // A button of a row says which row; one for all that are picked says what.
    let of_row =
        acts.into_iter().find_map(|(name, act)| Some((act, vec![value(name)?.to_owned()])));
    let picked = || fields.iter().filter(|(field, _)| field == "id").map(|(_, id)| id.clone());
    let of_picked =
        value("act").and_then(|wanted| acts.into_iter().find(|(name, _)| *name == wanted));
    let is_of_picked = of_row.is_none();
    let wanted = of_row.or_else(|| of_picked.map(|(_, act)| (act, picked().collect())));
    let Some((act, ids)) = wanted else {
        return frame
            .problem(&Problem::bad("act is missing, expected run, enable, disable or delete"));
    };
    if ids.is_empty() || ids.len() > SHOWN {
        let detail = format!("{} tasks are picked, expected 1 to {SHOWN}", ids.len());
        return frame.problem(&Problem::bad(detail));
    }
    if act == Act::Delete && !frame.may(Role::Admin) {
        return frame.problem(&Problem::takes(Role::Admin));
    }
    if act == Act::Delete && is_of_picked && value("confirmed").is_none() {
        return confirm(&site, &caller, &frame, &ids, inside(value("back").unwrap_or("/tasks")))
            .await;
    }
    let back = inside(value("back").unwrap_or("/tasks"));
    let (mut done, mut failures) = (0, Vec::new());
    for id in &ids {
        let acted = match id.parse() {
            Ok(id) => do_one(&site, &caller, act, id).await,
            Err(_) => Err(Problem::bad(format!("id {id:?} is none, expected a number"))),
        };
        match acted {
            Ok(()) => done += 1,
            Err(problem) => failures.push(frame.said(problem.detail()).into_owned()),
        }
    }
    if failures.is_empty() {
        return led_to(if act == Act::Delete { "/tasks" } else { back }, act.name());
    }
    let mut answer = page(&ActedPage { frame: &frame, done, failures, back });
    *answer.status_mut() = StatusCode::CONFLICT;
    answer
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct ConfirmPage<'a> {
    frame: &'a Frame,
    tasks: Vec<(TaskId, String)>,
    back: &'a str,
}

impl ConfirmPage<'_> {
    fn question(&self) -> String {
        self.frame.words.delete_question(self.tasks.len())
    }
}

/// Asks before many are deleted, and says how many.
async fn confirm(
    site: &Site,
    caller: &Caller,
    frame: &Frame,
    ids: &[String],
    back: &str,
) -> Response {
    let ids: Vec<TaskId> = ids.iter().filter_map(|id| id.parse().ok()).collect();
    match rows(site, caller, &ids).await {
        Ok(rows) if rows.is_empty() => {
            frame.problem(&Problem::new(StatusCode::NOT_FOUND, "none of these tasks exists"))
        }
        Ok(rows) => {
            let named = |judged: Judged| (judged.row.id, judged.row.task_key.unwrap_or_default());
            page(&ConfirmPage { frame, tasks: rows.into_iter().map(named).collect(), back })
        }
        Err(problem) => frame.problem(&problem),
    }
}

async fn do_one(site: &Site, caller: &Caller, act: Act, id: TaskId) -> Result<(), Problem> {
    if act == Act::Run {
        return seen::run(site, caller, id, None).await.map(drop);
    }
    seen(site, caller, id).await?;
    let editor = site.editor(caller).await?;
    match act {
        Act::Run => {}
        Act::Enable => drop(editor.change(id, None, &TaskChange::enabled(true)).await?),
        Act::Disable => drop(editor.change(id, None, &TaskChange::enabled(false)).await?),
        Act::Delete => drop(editor.delete(id, None).await?),
    }
    site.edited();
    Ok(())
}
