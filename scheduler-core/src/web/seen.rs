//! What exists for a caller: tasks whose key fits his patterns, and what belongs to them. All else is not found.

use std::{collections::HashMap, sync::Arc};

use axum::http::StatusCode;
use chrono::TimeDelta;

use super::{
    access::Caller,
    boards::{self, board},
    problem::Problem,
    site::Site,
};
use crate::{
    admin::{
        self, AlarmView, Board, BoardRow, ChannelView, Cursor, EditView, Forecast, Judged, LogView,
        NodeState, NodeView, Order, OutcomesView, State, TaskFilter,
    },
    clock,
    config::Channel,
    plan::{
        alarm::Rule,
        claim::RequestId,
        execution::{ExecutionId, ExecutionRow, args_of},
        task::TaskId,
        words::quote,
    },
    store::{
        AlarmFilter, AlarmId, AlarmRow, ExecutionFilter, PauseRow, SharedStore, TaskSelection,
    },
};

/// The row, as it stands and as it is judged.
///
/// # Errors
/// When it does not exist for `caller`, or the database does not answer.
pub(super) async fn seen(site: &Site, caller: &Caller, id: TaskId) -> Result<Judged, Problem> {
    let found = rows(site, caller, &[id]).await?.into_iter().next();
    found.ok_or_else(|| Problem::no_such("task", id))
}

/// These rows as they stand, in this order; those that are gone are left out.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn rows(
    site: &Site,
    caller: &Caller,
    ids: &[TaskId],
) -> Result<Vec<Judged>, Problem> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let tasks = site.store().await?.tasks(TaskSelection::WithTwins(ids)).await?;
    let mut judge = site.judge().await?;
    let sees = |judged: &Judged| caller.sees(judged.row.task_key.as_deref().ok());
    let place = |judged: &Judged| ids.iter().position(|id| *id == judged.row.id);
    let mut rows: Vec<Judged> = judge.survey(tasks);
    rows.retain(|judged| place(judged).is_some() && sees(judged));
    rows.sort_by_key(place);
    Ok(rows)
}

/// The tasks of `board` that exist for `caller` and that `filter` lets through, `limit` at most, sorted and from behind `after`
/// on; and behind which to go on, if there are more.
pub(super) fn pick(
    board: &Board,
    caller: &Caller,
    filter: &TaskFilter,
    (order, is_descending): (Order, bool),
    after: Option<&Cursor>,
    limit: usize,
) -> (Vec<TaskId>, Option<Cursor>) {
    let found = board.find(filter, order, is_descending, after);
    let mut found = found.filter(|row| caller.sees(Some(&row.key)));
    let picked: Vec<_> = found.by_ref().take(limit).collect();
    let last = picked.last().filter(|_| found.next().is_some());
    let last = last.map(|row| Cursor::of(row, order));
    (picked.iter().map(|row| row.id).collect(), last)
}

/// So many keys are named that hold what was asked for.
const ALIKE: usize = 3;

/// The task with this id or key, and its key; one that is gone has its id for a key. `None`: nothing is asked for.
///
/// # Errors
/// When there is none for `caller`, or the database does not answer.
pub(super) async fn task_asked(
    site: &Site,
    caller: &Caller,
    text: &str,
) -> Result<Option<(TaskId, String)>, Problem> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let board = board(site).await?;
    let id = text.trim().parse().ok();
    let sees = |row: &&BoardRow| caller.sees(Some(&row.key));
    // Links have ids.
    let of_id = id.and_then(|id| board.row(id)).filter(sees);
    let of_key =
        || [text, text.trim()].into_iter().find_map(|key| board.row_of_key(key).filter(sees));
    match (of_id.or_else(of_key), id) {
        (Some(row), _) => Ok(Some((row.id, row.key.to_string()))),
        (None, Some(id)) => Ok(Some((id, id.to_string()))),
        (None, None) => {
            let filter = TaskFilter { text: Some(text.trim().to_owned()), ..TaskFilter::default() };
            let alike = board.find(&filter, Order::Key, false, None).filter(sees).take(ALIKE);
            let alike: Vec<_> = alike.map(|row| quote(&row.key)).collect();
            let such_as = if alike.is_empty() { "" } else { ", such as " };
            let detail = format!(
                "there is no task {}, expected its key or id{such_as}{}",
                quote(text),
                alike.join(" or ")
            );
            Err(Problem::new(StatusCode::NOT_FOUND, detail).about("task"))
        }
    }
}

/// The pauses of those of `rows` that are off, by task.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn pauses(
    site: &Site,
    rows: &[Judged],
) -> Result<HashMap<TaskId, PauseRow>, Problem> {
    let off = rows.iter().filter(|judged| judged.state() == State::Disabled);
    let ids: Vec<TaskId> = off.map(|judged| judged.row.id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let pauses = site.store().await?.pauses(&ids).await?;
    Ok(pauses.into_iter().map(|pause| (pause.task_id, pause)).collect())
}

/// Refuses a key that would not exist for `caller` himself.
///
/// # Errors
/// When it would not.
pub(super) fn check_key(caller: &Caller, key: &str) -> Result<(), Problem> {
    if caller.sees(Some(key)) {
        return Ok(());
    }
    let patterns = caller.access.tasks.join(", ");
    let detail = format!("task_key {key:?} is not for this caller, expected one like {patterns}");
    Err(Problem::new(StatusCode::FORBIDDEN, detail).about("task_key"))
}

/// The execution.
///
/// # Errors
/// When it does not exist for `caller`, or the database does not answer.
pub(super) async fn seen_execution(
    store: &SharedStore,
    caller: &Caller,
    id: ExecutionId,
) -> Result<ExecutionRow, Problem> {
    let row = store.execution(id).await?;
    let is_seen = caller.sees(row.task_key.as_deref());
    is_seen.then_some(row).ok_or_else(|| Problem::no_such("execution", id))
}

/// What an execution has logged behind the part `after`.
///
/// # Errors
/// When it does not exist for `caller`, or the database does not answer.
pub(super) async fn seen_log(
    site: &Site,
    caller: &Caller,
    id: ExecutionId,
    after: u32,
) -> Result<LogView, Problem> {
    let store = site.store().await?;
    let row = seen_execution(store, caller, id).await?;
    Ok(LogView::of(store, &row, after, &admin::zone(&site.config)).await?)
}

/// Asks that a run ends, if it exists for `caller`.
///
/// # Errors
/// When it does not, or has ended, or the database does not answer.
pub(super) async fn cancel_run(
    site: &Site,
    caller: &Caller,
    id: ExecutionId,
) -> Result<(), Problem> {
    let store = site.store().await?;
    seen_execution(store, caller, id).await?;
    store.cancel_as(id, &caller.author()).await?;
    site.edited();
    Ok(())
}

/// Asks for another run of the task of an execution that exists for `caller`, with the arguments that were asked for then;
/// without any, with those that the row has now.
///
/// # Errors
/// When it does not exist, the scheduler would not run the task, or the database does not answer.
pub(super) async fn run_again(
    site: &Site,
    caller: &Caller,
    id: ExecutionId,
) -> Result<(TaskId, RequestId), Problem> {
    let execution = seen_execution(site.store().await?, caller, id).await?;
    let args = args_of(&execution.extra);
    let request = run(site, caller, execution.task_id, args.as_deref()).await?;
    Ok((execution.task_id, request))
}

/// Asks for a run of a task that exists for `caller`, with `args` in place of those of its row.
///
/// # Errors
/// When it does not exist, the scheduler would not run it so, or the database does not answer.
pub(super) async fn run(
    site: &Site,
    caller: &Caller,
    id: TaskId,
    args: Option<&str>,
) -> Result<RequestId, Problem> {
    seen(site, caller, id).await?;
    let (_, request) = site.editor(caller).await?.run(id, args).await?;
    site.edited();
    Ok(request)
}

/// So many executions are counted for a caller who does not see all, the newest.
const MOST_COUNTED: u32 = 20_000;

/// What became of the executions of the last 24 hours, by hour: of the tasks that exist for `caller`.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn outcomes(site: &Site, caller: &Caller) -> Result<OutcomesView, Problem> {
    if caller.access.covers_all() {
        return Ok(OutcomesView::of(&*boards::outcomes(site).await?, clock::wall()));
    }
    outcomes_of(site, caller).await
}

/// The same for a page, which is of more use without them than late: `None` if they are not there at once.
pub(super) async fn outcomes_at_once(site: &Site, caller: &Caller) -> Option<OutcomesView> {
    if caller.access.covers_all() {
        let outcomes = boards::outcomes_at_once(site).await?;
        return Some(OutcomesView::of(&outcomes, clock::wall()));
    }
    outcomes_of(site, caller).await.ok()
}

/// Of the tasks of a caller who does not see all.
async fn outcomes_of(site: &Site, caller: &Caller) -> Result<OutcomesView, Problem> {
    let now = clock::wall();
    let board = board(site).await?;
    let all = TaskFilter::default();
    let ids = pick(&board, caller, &all, (Order::Id, false), None, usize::MAX).0;
    let since = now - TimeDelta::hours(24);
    let outcomes = site.store().await?.outcomes(since, Some(&ids), MOST_COUNTED).await?;
    Ok(OutcomesView::of(&outcomes, now))
}

/// What fires in the next 24 hours of the tasks that exist for `caller`.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn forecast(site: &Site, caller: &Arc<Caller>) -> Result<Forecast, Problem> {
    let (board, caller, now) = (board(site).await?, Arc::clone(caller), clock::wall());
    let turn = Arc::clone(&site.forecasting).acquire_owned().await;
    let looking = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        Forecast::of(&board, now, |row| caller.sees(Some(&row.key)))
    });
    Ok(looking.await.unwrap_or_default())
}

/// Parts of the table that are looked through for the executions of a caller who does not see all.
const MOST_PARTS: usize = 10;

/// Whether there is such a task, and not for `caller`: not even that there is something of it is told.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn is_hidden(
    site: &Site,
    caller: &Caller,
    task: Option<TaskId>,
) -> Result<bool, Problem> {
    let Some(task) = task else { return Ok(false) };
    Ok(board(site).await?.row(task).is_some_and(|row| !caller.sees(Some(&row.key))))
}

/// Executions, newest first, and behind which to go on: there may be more although these are fewer.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn find_executions(
    site: &Site,
    caller: &Caller,
    mut filter: ExecutionFilter,
) -> Result<(Vec<ExecutionRow>, Option<ExecutionId>), Problem> {
    if is_hidden(site, caller, filter.task_id).await? {
        return Ok((Vec::new(), None));
    }
    let store = site.store().await?;
    let limit = filter.limit;
    let mut found = Vec::new();
    for _ in 0..MOST_PARTS {
        let rows = store.executions(filter).await?;
        let is_last = rows.len() < limit as usize;
        filter.before = rows.last().map(|row| row.id);
        for row in rows.into_iter().filter(|row| caller.sees(row.task_key.as_deref())) {
            let id = row.id;
            found.push(row);
            if found.len() == limit as usize {
                return Ok((found, Some(id)));
            }
        }
        if is_last {
            return Ok((found, None));
        }
    }
    Ok((found, filter.before))
}

/// Alarms, newest first, and behind which to go on, if there may be more. One about a task exists for those for whom the task
/// does.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn alarms(
    site: &Site,
    caller: &Caller,
    filter: AlarmFilter,
) -> Result<(Vec<AlarmView>, Option<AlarmId>), Problem> {
    let store = site.store().await?;
    let rows = store.alarms(filter).await?;
    if rows.is_empty() {
        return Ok((Vec::new(), None));
    }
    let next = rows.last().filter(|_| rows.len() == filter.limit as usize).map(|row| row.id);
    let (board, nodes) = (board(site).await?, store.nodes().await?);
    let lease = site.config.common.lease;
    let is_alive = |id: &str| {
        let node = nodes.iter().find(|node| node.id == id);
        node.is_some_and(|node| NodeView::of(node, lease).state == NodeState::Alive)
    };
    let view = |row: &AlarmRow| {
        let (is_seen, task) = match About::of(row, &board) {
            About::Task(task) => (caller.sees(Some(&task.key)), Some(task)),
            About::Gone(key) => (caller.sees(key), None),
            About::Nothing => (true, None),
        };
        let alarm = AlarmView::of(row, task, is_alive(&row.node_id));
        (is_seen && (alarm.is_open || !filter.is_open)).then_some(alarm)
    };
    Ok((rows.iter().filter_map(view).collect(), next))
}

/// What an alarm is about.
enum About<'a> {
    Task(&'a BoardRow),
    /// A task that is gone, by its key, if that is known.
    Gone(Option<&'a str>),
    /// No task.
    Nothing,
}

impl<'a> About<'a> {
    fn of(row: &'a AlarmRow, board: &'a Board) -> Self {
        match Rule::named(&row.rule) {
            Some(Rule::Database | Rule::Clock) => About::Nothing,
            // It names runs, and whose they were is not kept.
            Some(Rule::NodeLost) => About::Gone(None),
            Some(Rule::Rejected) => {
                let id = row.about.strip_prefix("task ").and_then(|id| id.parse().ok());
                id.and_then(|id| board.row(id)).map_or(About::Gone(None), About::Task)
            }
            _ => {
                let task = board.row_of_key(&row.about);
                task.map_or(About::Gone(Some(&row.about)), About::Task)
            }
        }
    }
}

/// The channels that are told of alarms, by name, as this node tells them.
pub(super) fn channels(site: &Site) -> Vec<ChannelView> {
    let seen = site.watch.channels();
    let view = |(name, channel): (&String, &Channel)| {
        ChannelView::of(name, channel, &seen.get(name).cloned().unwrap_or_default())
    };
    site.config.alarms.channels.iter().map(view).collect()
}

/// An edit exists for those for whom the task did before and does afterwards; one that keeps no row, as of a run that was
/// asked for, for those who see all.
pub(super) fn sees_edit(caller: &Caller, edit: &EditView) -> bool {
    let rows = [&edit.before, &edit.after].into_iter().flatten();
    let keys: Vec<_> = rows.map(|row| row["task_key"].as_str()).collect();
    if keys.is_empty() { caller.sees(None) } else { keys.into_iter().all(|key| caller.sees(key)) }
}
