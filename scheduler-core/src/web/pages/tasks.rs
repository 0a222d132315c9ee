//! The list of tasks.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use askama::Template;
use axum::{
    Extension,
    extract::{Query, State},
    response::Response,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{
    Deserialize,
    de::{IntoDeserializer as _, value, value::StrDeserializer},
};

use super::strip::{RUNS, Strip};
use crate::{
    admin::{BoardRow, Counts, Cursor, Judged, Order, Scheduled, State as TaskState, TaskFilter},
    plan::task::TaskId,
    store::PauseRow,
    web::{
        access::Caller,
        boards::{Sort, board, failing, from_text, to_text},
        frame::{Frame, in_query, local, page, spoken},
        problem::Problem,
        seen::{self, pick, rows},
        site::Site,
    },
};

/// How many are on a page.
const SHOWN: usize = 25;

/// Which tasks.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    pub(super) q: String,
    #[serde(default)]
    pub(super) state: String,
    #[serde(default)]
    pub(super) job: String,
    /// As the API names it; by key where it names nothing.
    #[serde(default)]
    pub(super) sort: String,
    #[serde(default)]
    pub(super) after: String,
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
pub(super) struct Marked {
    paused: BTreeSet<TaskId>,
    /// Those that failed in the last 24 hours and did not succeed since.
    failing: BTreeSet<TaskId>,
}

impl Marked {
    pub(super) async fn of(site: &Site) -> Result<Self, Problem> {
        let failing = failing(site).await?;
        let failing = failing.iter().filter(|task| !task.has_recovered);
        Ok(Self {
            paused: site.store().await?.paused(MOST_PAUSED).await?.into_iter().collect(),
            failing: failing.map(|task| task.last.task_id).collect(),
        })
    }

    /// What is asked for.
    pub(super) fn filter(&self, asked: &Asked) -> TaskFilter {
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

/// A fire that is due for longer, and not accounted for, is late.
pub(super) const LATE: TimeDelta = TimeDelta::minutes(1);

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
    /// Its first instant that is due and not accounted for.
    pub(super) due: Option<DateTime<Utc>>,
    pub(super) reason: String,
    pub(super) strip: Strip,
    /// How it is off for a while, in words.
    pub(super) pause: Option<String>,
}

impl Row {
    /// Whether something was to begin long ago.
    pub(super) fn is_late(&self, frame: &Frame) -> bool {
        self.due.is_some_and(|due| due < frame.now - LATE)
    }

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
            due: judged.scheduled().and_then(Scheduled::due),
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
        self.asked_for(state, &in_query(&self.asked.sort))
    }

    /// The query of the same list in this state and order, whose name is written as it may stand in a query.
    fn asked_for(&self, state: &str, sort: &str) -> String {
        let (q, job, state) = (in_query(&self.asked.q), in_query(&self.asked.job), in_query(state));
        format!("?q={q}&job={job}&state={state}&sort={sort}")
    }

    /// The query of the same list sorted by `name`, or by its reverse if it is by that already.
    fn sorted(&self, name: &str) -> String {
        let reverse = if self.direction(name) == "ascending" { "-" } else { "" };
        self.asked_for(&self.asked.state, &format!("{reverse}{name}"))
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
    let mut rows: Vec<Row> = judged.iter().map(row).collect();
    if sorting.0 == Order::Next {
        // Some of them have fired since the board was made.
        rows.sort_by_key(|row| row.next.unwrap_or(DateTime::<Utc>::MAX_UTC));
        if sorting.1 {
            rows.reverse();
        }
    }
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
