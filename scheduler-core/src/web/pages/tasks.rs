//! The list of tasks, and what is done with those that are picked.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use chrono::{DateTime, Utc};
use serde::{
    Deserialize,
    de::{IntoDeserializer as _, value, value::StrDeserializer},
};

use super::strip::{RUNS, Strip};
use crate::{
    admin::{BoardRow, Counts, Cursor, Judged, Order, Scheduled, State as TaskState, TaskFilter},
    config::Role,
    plan::task::TaskId,
    store::{PauseRow, TaskChange},
    web::{
        access::Caller,
        boards::{Sort, board, failing, from_text, to_text},
        frame::{Frame, in_query, inside, led_to, local, page, spoken},
        problem::Problem,
        seen::{self, pick, rows, seen},
        site::Site,
    },
};

/// How many are on a page.
const SHOWN: usize = 25;

/// With so many something is done at once at most.
const MOST_AT_ONCE: usize = 1_000;

/// Which tasks.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    job: String,
    /// As the API names it; by key where it names nothing.
    #[serde(default)]
    sort: String,
    #[serde(default)]
    after: String,
}

impl Asked {
    fn sort(&self) -> Sort {
        let text: StrDeserializer<'_, value::Error> = self.sort.as_str().into_deserializer();
        Sort::deserialize(text).unwrap_or(Sort::Key)
    }
}

/// More are not paused at once, as far as a list is concerned.
const MOST_PAUSED: u32 = 100_000;

/// Tasks that no row tells from others.
struct Marked {
    paused: BTreeSet<TaskId>,
    /// Those that failed in the last 24 hours and did not succeed since.
    failing: BTreeSet<TaskId>,
}

impl Marked {
    async fn of(site: &Site) -> Result<Self, Problem> {
        let failing = failing(site).await?;
        let failing = failing.iter().filter(|task| !task.has_recovered);
        Ok(Self {
            paused: site.store().await?.paused(MOST_PAUSED).await?.into_iter().collect(),
            failing: failing.map(|task| task.last.task_id).collect(),
        })
    }

    /// What is asked for.
    fn filter(&self, asked: &Asked) -> TaskFilter {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let state = TaskState::NAMES.into_iter().find(|(name, _)| *name == asked.state);
        let (state, among) = match &*asked.state {
            // A row that somebody switched on by SQL is paused no more.
            PAUSED => (Some(TaskState::Disabled), Some(self.paused.clone())),
            FAILING => (None, Some(self.failing.clone())),
            _ => (state.map(|(_, state)| state), None),
        };
        TaskFilter { text: given(&asked.q), job: given(&asked.job), state, among }
    }
}

const PAUSED: &str = "paused";
const FAILING: &str = "failing";

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
        let Asked { q, job, sort, .. } = self.asked;
        let (q, job, sort) = (in_query(q), in_query(job), in_query(sort));
        format!("?q={q}&job={job}&state={state}&sort={sort}")
    }

    /// The query of the same list sorted by `name`, or by its reverse if it is by that already.
    fn sorted(&self, name: &str) -> String {
        let Asked { q, job, state, .. } = self.asked;
        let reverse = if self.direction(name) == "ascending" { "-" } else { "" };
        let (q, job, state) = (in_query(q), in_query(job), in_query(state));
        format!("?q={q}&job={job}&state={state}&sort={reverse}{name}")
    }

    /// How it is sorted by `name`, as browsers have it.
    fn direction(&self, name: &str) -> &'static str {
        let (order, is_descending) = self.asked.sort().order();
        match (order, name) {
            (Order::Key, "task_key") | (Order::Next, "next") if is_descending => "descending",
            (Order::Key, "task_key") | (Order::Next, "next") => "ascending",
            _ => "none",
        }
    }

    /// How many the list has on all its pages.
    fn matching(&self) -> usize {
        let asked = |state: &&(&str, &str, usize)| state.0 == self.asked.state;
        self.states.iter().find(asked).map_or(0, |(_, _, count)| *count)
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
    let after = Some(&*asked.after).filter(|text| !text.is_empty());
    let after = after.map(|text| from_text::<Cursor>("after", text)).transpose()?;
    let board = board(site).await?;
    let marked = Marked::of(site).await?;
    let filter = marked.filter(asked);
    let sorting = asked.sort().order();
    // A place in a list of another order is none in this one.
    let after = after.filter(|after| after.order() == sorting.0);
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
    let of_any_state = TaskFilter { state: None, among: None, ..filter };
    let is_seen = |row: &BoardRow| caller.sees(Some(&row.key));
    let Counts { enabled, disabled, rejected } = board.counts(&of_any_state, is_seen);
    let off = TaskFilter { state: Some(TaskState::Disabled), ..of_any_state.clone() };
    let count = |among, filter| board.find_among(among, filter).filter(|row| is_seen(row)).count();
    let t = frame.t();
    let states = vec![
        ("", t.all, enabled + disabled + rejected),
        ("enabled", t.enabled, enabled),
        ("disabled", t.disabled, disabled),
        ("rejected", t.rejected, rejected),
        (PAUSED, t.paused, count(&marked.paused, &off)),
        (FAILING, t.failing, count(&marked.failing, &of_any_state)),
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
    const ALL: [Act; 4] = [Act::Run, Act::Enable, Act::Disable, Act::Delete];

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

/// What was sent.
type Fields = Vec<(String, String)>;

fn value<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.iter().find(|(field, _)| field == name).map(|(_, text)| &**text)
}

/// What is to be done, and with which.
fn wanted(fields: &Fields) -> Option<(Act, Picked)> {
    // A button of a row says which row; one for all that are picked says what.
    let of_row = |act: Act| Some((act, Picked::One(value(fields, act.name())?.to_owned())));
    if let Some(wanted) = Act::ALL.into_iter().find_map(of_row) {
        return Some(wanted);
    }
    let act = Act::ALL.into_iter().find(|act| value(fields, "act") == Some(act.name()))?;
    if value(fields, "all") == Some("1") {
        return Some((act, Picked::All));
    }
    let ids = fields.iter().filter(|(field, _)| field == "id").map(|(_, id)| id.clone());
    Some((act, Picked::These(ids.collect())))
}

/// With which tasks something is done.
enum Picked {
    One(String),
    These(Vec<String>),
    /// All that the list has on all its pages.
    All,
}

/// Does it with each, and says of which it could not be done.
pub(super) async fn act(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    frame: Frame,
    Form(fields): Form<Fields>,
) -> Response {
    frame.answer(acted(&site, &caller, &frame, &fields).await)
}

async fn acted(
    site: &Site,
    caller: &Caller,
    frame: &Frame,
    fields: &Fields,
) -> Result<Response, Problem> {
    let Some((act, picked)) = wanted(fields) else {
        return Err(Problem::bad("act is missing, expected run, enable, disable or delete"));
    };
    if act == Act::Delete && !frame.may(Role::Admin) {
        return Err(Problem::takes(Role::Admin));
    }
    let is_asked = match picked {
        Picked::One(_) => false,
        Picked::These(ref ids) => act == Act::Delete || act == Act::Run && ids.len() > 1,
        Picked::All => true,
    };
    let ids = match picked {
        Picked::One(id) => vec![id],
        Picked::These(ids) => ids,
        Picked::All => all(site, caller, fields).await?,
    };
    if ids.is_empty() || ids.len() > MOST_AT_ONCE {
        let count = if ids.is_empty() { "no" } else { "too many" };
        let detail = format!("{count} tasks are picked, expected 1 to {MOST_AT_ONCE}");
        return Err(Problem::bad(detail));
    }
    let back = inside(value(fields, "back").unwrap_or("/tasks"));
    if is_asked && value(fields, "confirmed") != Some("1") {
        return confirm(site, caller, frame, act, &ids, back).await;
    }
    let (mut done, mut failures) = (0, Vec::new());
    for id in &ids {
        let acted = match id.parse() {
            Ok(id) => do_one(site, caller, act, id).await,
            Err(_) => Err(Problem::bad(format!("id {id:?} is none, expected a number"))),
        };
        match acted {
            Ok(()) => done += 1,
            Err(problem) => failures.push(frame.said(problem.detail()).into_owned()),
        }
    }
    if failures.is_empty() {
        let what = if done > 1 { format!("{}-{done}", act.name()) } else { act.name().to_owned() };
        return Ok(led_to(if act == Act::Delete { "/tasks" } else { back }, &what));
    }
    let mut answer = page(&ActedPage { frame, done, failures, back });
    *answer.status_mut() = StatusCode::CONFLICT;
    Ok(answer)
}

/// The ids of all tasks that the list has on all its pages, one more than may be picked at most.
async fn all(site: &Site, caller: &Caller, fields: &Fields) -> Result<Vec<String>, Problem> {
    let text = |name| value(fields, name).unwrap_or_default().to_owned();
    let asked = Asked { q: text("q"), state: text("state"), job: text("job"), ..Asked::default() };
    let filter = Marked::of(site).await?.filter(&asked);
    let board = board(site).await?;
    let sorting = (Order::Id, false);
    let (ids, _) = pick(&board, caller, &filter, sorting, None, MOST_AT_ONCE + 1);
    Ok(ids.iter().map(TaskId::to_string).collect())
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct ConfirmPage<'a> {
    frame: &'a Frame,
    act: Act,
    tasks: Vec<(TaskId, String)>,
    back: &'a str,
}

impl ConfirmPage<'_> {
    fn question(&self) -> String {
        self.frame.words.question(self.name(), self.tasks.len())
    }

    fn name(&self) -> &'static str {
        let t = self.frame.t();
        match self.act {
            Act::Run => t.run,
            Act::Enable => t.enable,
            Act::Disable => t.disable,
            Act::Delete => t.delete,
        }
    }

    fn explained(&self) -> &'static str {
        let t = self.frame.t();
        match self.act {
            Act::Run => t.run_explained,
            Act::Enable | Act::Disable => "",
            Act::Delete => t.delete_explained,
        }
    }
}

/// Asks before it is done with many, and says how many.
async fn confirm(
    site: &Site,
    caller: &Caller,
    frame: &Frame,
    act: Act,
    ids: &[String],
    back: &str,
) -> Result<Response, Problem> {
    let ids: Vec<TaskId> = ids.iter().filter_map(|id| id.parse().ok()).collect();
    let rows = rows(site, caller, &ids).await?;
    if rows.is_empty() {
        return Err(Problem::new(StatusCode::NOT_FOUND, "none of these tasks exists"));
    }
    let named = |judged: Judged| (judged.row.id, judged.row.task_key.unwrap_or_default());
    let tasks = rows.into_iter().map(named).collect();
    Ok(page(&ConfirmPage { frame, act, tasks, back }))
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
