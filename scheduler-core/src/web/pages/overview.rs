//! Is everything fine?

use std::{collections::HashMap, sync::Arc};

use askama::Template;
use axum::{Extension, extract::State, response::Response};

use chrono::TimeDelta;

use super::{
    alarms::{self, Alarm},
    executions::Ran,
    others::Node,
    strip::{Day, Strip},
    tasks::Row,
};
use crate::{
    admin::{Counts, Order, State as TaskState, TaskFilter},
    plan::{execution::Status, task::TaskId},
    store::ExecutionFilter,
    web::{
        access::Caller,
        boards::board,
        frame::{Frame, page},
        problem::Problem,
        seen::{self, find_executions, pick, rows},
        site::Site,
    },
};

/// How many a list here has.
const SHOWN: usize = 8;

/// The newest so many of each outcome are looked at: those of the last day among them are sorted by their instants.
const SHOWN_OF_EACH: u32 = 24;

/// Runs beyond are not counted.
const MOST_RUNNING: u32 = 200;

/// A fire that is due for longer, and not accounted for, is late.
const LATE: TimeDelta = TimeDelta::minutes(1);

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
    /// How many of those that are looked at.
    count: usize,
    /// Whether it succeeded since.
    is_over: bool,
}

impl OverviewPage<'_> {
    /// What needs somebody: how many, and of what.
    fn needs(&self) -> Vec<(usize, &'static str)> {
        let t = self.frame.t();
        let failing = self.failed.iter().filter(|failing| !failing.is_over).count();
        let needs = [
            (self.late.len(), t.are_late),
            (failing, t.keep_failing),
            (self.counts.rejected, t.are_rejected),
            (self.alarms.len(), t.are_alarms),
        ];
        needs.into_iter().filter(|(count, _)| *count > 0).collect()
    }

    fn is_fine(&self) -> bool {
        self.needs().is_empty() && self.obstacles.is_empty()
    }
}

/// Those of the last 24 h, newest first, by task. `last` is the status of the last execution of each.
fn by_task(runs: Vec<Ran>, last: &HashMap<TaskId, String>) -> Vec<Failing> {
    let mut failing: Vec<Failing> = Vec::new();
    for run in runs {
        if let Some(known) = failing.iter_mut().find(|known| known.run.task_id == run.task_id) {
            known.count += 1;
        } else {
            let is_over =
                last.get(&run.task_id).is_some_and(|last| last == Status::Success.as_str());
            failing.push(Failing { run, count: 1, is_over });
        }
    }
    failing.sort_by_key(|failing| failing.is_over);
    failing
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
    let in_state = |state, order| {
        let filter = TaskFilter { state: Some(state), ..TaskFilter::default() };
        pick(&board, caller, &filter, (order, false), None, SHOWN).0
    };
    let (rejected, next) =
        (in_state(TaskState::Rejected, Order::Id), in_state(TaskState::Enabled, Order::Next));
    let as_rows = async |ids: &[TaskId]| {
        let judged = rows(site, caller, ids).await?;
        Ok::<_, Problem>(
            judged
                .iter()
                .map(|judged| Row::of(frame, judged, Strip::default()))
                .collect::<Vec<_>>(),
        )
    };
    let latest = async |status, most| {
        let filter = ExecutionFilter { status: Some(status), ..ExecutionFilter::newest(most) };
        let found = find_executions(site, caller, filter).await?;
        Ok::<_, Problem>(found.0)
    };
    let is_recent =
        |run: &Ran| run.scheduled_at.is_some_and(|at| (frame.now - at).num_hours() < 24);
    let mut failed = Vec::new();
    for status in [Status::Fail, Status::Timeout, Status::Lost] {
        let runs = latest(status, SHOWN_OF_EACH).await?;
        failed.extend(runs.iter().map(|row| Ran::of(frame, row)).filter(is_recent));
    }
    failed.sort_by_key(|run| std::cmp::Reverse(run.scheduled_at));
    let mut tasks: Vec<TaskId> = failed.iter().map(|run| run.task_id).collect();
    tasks.sort_unstable();
    tasks.dedup();
    let last = store.recent(&tasks, 1).await?;
    let last = last.into_iter().map(|row| (row.task_id, row.status)).collect();
    let mut failed = by_task(failed, &last);
    failed.truncate(SHOWN);
    let mut next = as_rows(&next).await?;
    next.retain(|row| row.next.is_some());
    let is_late = |row: &mut Row| row.next.is_some_and(|next| next < frame.now - LATE);
    let late = next.extract_if(.., is_late).collect();
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
        running: latest(Status::Todo, MOST_RUNNING).await?.len(),
        failed,
        rejected: as_rows(&rejected).await?,
        alarms,
        late,
        day,
        next,
        nodes: nodes.take(SHOWN).map(|node| Node::of(frame, site, node)).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(task_id: TaskId) -> Ran {
        Ran { task_id, ..Ran::default() }
    }

    #[test]
    fn failures_are_told_by_task_and_those_that_last_come_first() {
        let last = HashMap::from([(1, "success".to_owned()), (2, "fail".to_owned())]);
        let failing = by_task([1, 2, 1, 3].map(ran).into(), &last);
        let told = |failing: &Failing| (failing.run.task_id, failing.count, failing.is_over);
        let told: Vec<_> = failing.iter().map(told).collect();
        assert_eq!(told, [(2, 1, false), (3, 1, false), (1, 2, true)]);
    }
}
