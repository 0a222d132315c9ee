//! `why`: what became of one instant of a task, and why.

use anyhow::anyhow;
use scheduler_core::{
    clock,
    plan::{
        task::{Task, TaskId},
        why::{Facts, Row, State, Why, why as judge},
        words::quote,
    },
    store::{Around, TaskSelection},
};
use serde::Serialize;

use crate::{
    cli::Why as Asked,
    context::Context,
    exit::Exit,
    instant::{instant, is_moved},
    output::utc,
    verdict::{Judge, Judged, Verdict},
    view::{self, ExecutionView},
};

/// What is printed.
#[derive(Debug, Serialize)]
struct Answered {
    task_id: TaskId,
    task_key: Option<String>,
    scheduled_at: String,
    answer: &'static str,
    because: Vec<String>,
    /// The executions of the instant, by attempt.
    executions: Vec<ExecutionView>,
}

/// Answers from the records.
///
/// # Errors
/// When the database does not answer, there was never such a task, or the instant is not understood.
pub(crate) async fn why(context: &Context, asked: &Asked) -> anyhow::Result<Exit> {
    let store = context.open().await?;
    let mut judge_of_rows = Judge::new(context.config(), context.registry(), clock::wall());
    let rows = judge_of_rows.survey(store.tasks(TaskSelection::All).await?);
    let judged = rows.into_iter().find(|judged| is_asked_for(judged, &asked.task));
    let id = match &judged {
        Some(judged) => judged.row.id,
        None => asked.task.parse().map_err(|_| no_task(&asked.task))?,
    };
    // A row that is off, or lost its key to another, still tells what it would mean.
    let read = judged.as_ref().and_then(|judged| judge_of_rows.read(&judged.row).ok());
    let task =
        judged.as_ref().and_then(Judged::scheduled).map_or(read.as_ref(), |on| Some(&on.task));
    let zone = task.map_or_else(|| view::zone(context.config()), |task| task.zone.clone());
    let at = instant("INSTANT", &asked.instant, &zone)?;
    let around = store.around(id, at).await?;
    if judged.is_none() && around == Around::default() {
        return Err(no_task(&asked.task));
    }
    let reading = store.read().await?;
    let waiting: Vec<_> = reading.requests.into_iter().filter(|one| one.task_id == id).collect();
    let nodes = store.nodes().await?;
    let facts = Facts {
        at,
        row: judged.as_ref().map(|judged| row(judged, task)),
        adopted_at: reading.adopted_at,
        here: &around.here,
        next: around.next.as_ref(),
        before: &around.before,
        waiting: &waiting,
        nodes: &nodes,
        lease: context.config().common.lease,
        zone: &zone,
    };
    let Why { answer, mut because } = judge(&facts, store.now().await?);
    if is_moved(&asked.instant, at, &zone) {
        let taken = zone.to_local(at);
        because.insert(
            0,
            format!("{} does not exist in {}, and stands for {taken}", asked.instant, zone.name()),
        );
    }
    let answered = Answered {
        task_id: id,
        task_key: judged.and_then(|judged| judged.row.task_key.ok()),
        scheduled_at: utc(at),
        answer: answer.as_str(),
        because,
        executions: around.here.iter().map(ExecutionView::from).collect(),
    };
    context.output.object(&answered, || text(&answered, &zone.to_local(at)))?;
    Ok(Exit::Done)
}

fn is_asked_for(judged: &Judged, asked: &str) -> bool {
    match asked.parse::<TaskId>() {
        Ok(id) => judged.row.id == id,
        Err(_) => judged.row.task_key.as_deref() == Ok(asked),
    }
}

fn no_task(asked: &str) -> anyhow::Error {
    anyhow!("task {} does not exist, expected the id or the task_key of a row", quote(asked))
}

fn row<'a>(judged: &'a Judged, task: Option<&'a Task>) -> Row<'a> {
    let state = match &judged.verdict {
        Verdict::Enabled(_) => State::Enabled,
        Verdict::Disabled(_) => State::Disabled,
        Verdict::Rejected(reason) => State::Rejected(reason),
    };
    Row { state, task, created_at: judged.row.created_at, edited_at: judged.row.updated_at }
}

fn text(answered: &Answered, at: &str) -> String {
    let key =
        answered.task_key.as_deref().map(|key| format!(" {}", quote(key))).unwrap_or_default();
    let mut lines = vec![format!("task {}{key}, {at}: {}", answered.task_id, answered.answer)];
    lines.extend(answered.because.iter().map(|sentence| format!("  {sentence}")));
    lines.join("\n")
}
