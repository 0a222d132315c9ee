//! What is done with tasks of the list: with one, with those that are picked, or with all that match.

use std::{collections::HashSet, sync::Arc};

use askama::Template;
use axum::{Extension, Form, extract::State, http::StatusCode, response::Response};

use super::tasks::{Asked, Marked};
use crate::{
    admin::{Judged, Order, State as TaskState},
    config::Role,
    plan::task::TaskId,
    store::TaskChange,
    web::{
        access::Caller,
        boards::board,
        frame::{Frame, inside, led_to, page},
        problem::Problem,
        seen::{self, pick, rows, seen},
        site::Site,
    },
};

/// With so many something is done at once at most.
const MOST_AT_ONCE: usize = 1_000;

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
    /// With so many nothing was to be done.
    unchanged: usize,
    failures: Vec<String>,
    back: &'a str,
}

impl ActedPage<'_> {
    fn counts(&self) -> String {
        self.frame.words.done_with(self.done, self.unchanged)
    }
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
    let mut ids = match picked {
        Picked::One(id) => vec![id],
        Picked::These(ids) => ids,
        Picked::All => all(site, caller, fields).await?,
    };
    let mut named = HashSet::new();
    ids.retain(|id| named.insert(id.clone()));
    if ids.is_empty() || ids.len() > MOST_AT_ONCE {
        let count = if ids.is_empty() { "no" } else { "too many" };
        let detail = format!("{count} tasks are picked, expected 1 to {MOST_AT_ONCE}");
        return Err(Problem::bad(detail));
    }
    let back = inside(value(fields, "back").unwrap_or("/tasks"));
    if is_asked && value(fields, "confirmed") != Some("1") {
        return confirm(site, caller, frame, act, &ids, back).await;
    }
    let (mut done, mut unchanged) = (0, 0);
    let (mut failures, mut status) = (Vec::new(), StatusCode::CONFLICT);
    for id in &ids {
        let acted = match id.parse() {
            Ok(id) => do_one(site, caller, act, id).await,
            Err(_) => Err(Problem::bad(format!("id {id:?} is none, expected a number"))),
        };
        match acted {
            Ok(true) => done += 1,
            Ok(false) => unchanged += 1,
            Err(problem) => {
                failures.push(frame.said(problem.detail()).into_owned());
                // The next ones would wait for the database as long.
                if problem.status() == StatusCode::SERVICE_UNAVAILABLE {
                    status = problem.status();
                    break;
                }
            }
        }
    }
    if failures.is_empty() {
        let what = match (ids.len(), unchanged) {
            (1, _) => act.name().to_owned(),
            (_, 0) => format!("{}-{done}", act.name()),
            _ => format!("{}-{done}-{unchanged}", act.name()),
        };
        return Ok(led_to(if act == Act::Delete { "/tasks" } else { back }, &what));
    }
    let mut answer = page(&ActedPage { frame, done, unchanged, failures, back });
    *answer.status_mut() = status;
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

/// Whether there was anything to do.
async fn do_one(site: &Site, caller: &Caller, act: Act, id: TaskId) -> Result<bool, Problem> {
    if act == Act::Run {
        return seen::run(site, caller, id, None).await.map(|_| true);
    }
    let was_so = match seen(site, caller, id).await?.state() {
        TaskState::Disabled => act == Act::Disable,
        TaskState::Enabled => act == Act::Enable,
        TaskState::Rejected => false,
    };
    if act == Act::Disable && was_so {
        // What is paused stays so.
        return Ok(false);
    }
    let editor = site.editor(caller).await?;
    // What is on may have a pause that SQL has passed over: it ends.
    match act {
        Act::Run => {}
        Act::Enable => drop(editor.change(id, None, &TaskChange::enabled(true)).await?),
        Act::Disable => drop(editor.change(id, None, &TaskChange::enabled(false)).await?),
        Act::Delete => drop(editor.delete(id, None).await?),
    }
    site.edited();
    Ok(!was_so)
}
