//! Is everything fine?

use std::sync::Arc;

use askama::Template;
use axum::{Extension, extract::State, response::Response};

use super::{
    alarms::{self, Alarm},
    executions::Ran,
    others::Node,
    strip::{Day, Strip},
    tasks::{LATE, Row},
};
use crate::{
    admin::{Counts, Order, State as TaskState, TaskFilter},
    plan::{execution::Status, task::TaskId},
    store::{ExecutionFilter, FailingTask},
    web::{
        access::Caller,
        boards::{MOST_FAILING, board, failing},
        frame::{Frame, page},
        problem::Problem,
        seen::{self, find_executions, pick, rows},
        site::Site,
    },
};

/// How many a list here has.
const SHOWN: usize = 8;

/// Runs beyond are not counted.
const MOST_RUNNING: u32 = 200;

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage<'a> {
    frame: &'a Frame,
    /// Why this node claims nothing.
    obstacles: Vec<&'static str>,
    counts: Counts,
    running: usize,
    /// The tasks of which a run failed in the last 24 h, those first that did not succeed since.
    failed: Vec<Failing>,
    /// How many of all that failed did not succeed since.
    keep_failing: usize,
    rejected: Vec<Row>,
    /// Those that go on, but for rejected rows, which have a list of their own.
    alarms: Vec<Alarm>,
    /// Those that should have begun a minute ago.
    late: Vec<Row>,
    /// `None`: they could not be counted.
    day: Option<Day>,
    next: Vec<Row>,
    nodes: Vec<Node>,
}

/// A task that failed.
struct Failing {
    /// The last of its runs that did.
    run: Ran,
    /// How many did.
    count: u64,
    /// Whether it succeeded since.
    is_over: bool,
}

impl Failing {
    fn of(frame: &Frame, task: &FailingTask) -> Self {
        let FailingTask { last, count, has_recovered } = task;
        Self { run: Ran::of(frame, last), count: *count, is_over: *has_recovered }
    }
}

impl OverviewPage<'_> {
    /// What needs somebody: how many, and of what; `200+` where not all are counted.
    fn needs(&self) -> Vec<(String, &'static str)> {
        let t = self.frame.t();
        let needs = [
            (self.late.len(), t.are_late, SHOWN),
            (self.keep_failing, t.keep_failing, MOST_FAILING as usize),
            (self.counts.rejected, t.are_rejected, usize::MAX),
            (self.alarms.len(), t.are_alarms, SHOWN),
        ];
        let needs = needs.into_iter().filter(|(count, ..)| *count > 0);
        let shown =
            |count, most| if count < most { format!("{count}") } else { format!("{count}+") };
        needs.map(|(count, what, most)| (shown(count, most), what)).collect()
    }

    fn is_fine(&self) -> bool {
        self.needs().is_empty() && self.obstacles.is_empty()
    }
}

/// The page that opens first.
pub(super) async fn show(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    frame: Frame,
) -> Response {
    frame.answer(shown(&site, &caller, &frame).await)
}

async fn shown(site: &Site, caller: &Caller, frame: &Frame) -> Result<Response, Problem> {
    let store = site.store().await?;
    let board = board(site).await?;
    let in_state = |state, order, most| {
        let filter = TaskFilter { state: Some(state), ..TaskFilter::default() };
        pick(&board, caller, &filter, (order, false), None, most).0
    };
    let rejected = in_state(TaskState::Rejected, Order::Id, SHOWN);
    // Some of those that came first when the board was made have fired since.
    let next = in_state(TaskState::Enabled, Order::Next, 3 * SHOWN);
    let as_rows = async |ids: &[TaskId]| {
        let judged = rows(site, caller, ids).await?;
        Ok::<_, Problem>(
            judged
                .iter()
                .map(|judged| Row::of(frame, judged, Strip::default()))
                .collect::<Vec<_>>(),
        )
    };
    let failing = failing(site).await?;
    let failing = || failing.iter().filter(|task| caller.sees(task.last.task_key.as_deref()));
    let todo =
        ExecutionFilter { status: Some(Status::Todo), ..ExecutionFilter::newest(MOST_RUNNING) };
    let mut next = as_rows(&next).await?;
    next.retain(|row| row.next.is_some());
    next.sort_by_key(|row| row.next);
    next.truncate(SHOWN);
    let late = board.late(frame.now - LATE);
    let late = late.into_iter().filter(|row| caller.sees(Some(&row.key)));
    let late: Vec<TaskId> = late.take(SHOWN).map(|row| row.id).collect();
    let mut late = as_rows(&late).await?;
    late.retain(|row| row.is_late(frame));
    let day = seen::outcomes_at_once(site, caller).await;
    let day = day.map(|outcomes| Day::of(frame, &outcomes));
    let mut alarms = alarms::open(site, caller, frame).await?;
    alarms.retain(|alarm| alarm.rule_name != "rejected");
    alarms.truncate(SHOWN);
    let nodes = store.nodes().await?;
    let nodes = nodes.iter().filter(|node| node.left_at.is_none());
    Ok(page(&OverviewPage {
        frame,
        obstacles: site.watch.look().obstacles(),
        counts: board.counts(&TaskFilter::default(), |row| caller.sees(Some(&row.key))),
        running: find_executions(site, caller, todo).await?.0.len(),
        keep_failing: failing().filter(|task| !task.has_recovered).count(),
        failed: failing().take(SHOWN).map(|task| Failing::of(frame, task)).collect(),
        rejected: as_rows(&rejected).await?,
        alarms,
        late,
        day,
        next,
        nodes: nodes.take(SHOWN).map(|node| Node::of(frame, site, node)).collect(),
    }))
}
