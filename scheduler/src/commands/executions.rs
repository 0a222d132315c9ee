//! `executions`: what ran, what did not, and why.

mod log;

use scheduler_core::{
    admin::{self, ExecutionView},
    plan::{execution::ExecutionId, trigger::Zone},
    run::tell_of_an_edit,
    store::{Author, ExecutionFilter, ExecutionRow, SharedStore, Via},
};

use crate::{
    cli::{ExecutionList, Executions},
    context::{Context, user},
    exit::Exit,
    instant::instant,
    output::pairs,
    view::{NOTHING, local},
};

/// Performs a verb on `execute_task`.
///
/// # Errors
/// When the database does not answer, or there is no such execution.
pub(crate) async fn executions(context: &Context, verb: Executions) -> anyhow::Result<Exit> {
    let store = context.open().await?;
    match verb {
        Executions::List(list) => show_list(context, &store, &list).await,
        Executions::Show { id } => {
            let row = store.execution(id).await?;
            let text = || details(&admin::zone(context.config()), &row);
            context.output.object(&ExecutionView::from(&row), text)?;
            Ok(Exit::Done)
        }
        Executions::Cancel { id } => {
            store.cancel_as(id, &Author { name: user(), via: Via::Cli }).await?;
            tell_of_an_edit(context.config(), &*store).await;
            let takes_effect = context.config().common.sync_interval;
            let message = format!(
                "execution {id} is to end; the node that has it obeys within {takes_effect:?}"
            );
            context.output.object(&Cancelled { id, message: &message }, || message.clone())?;
            Ok(Exit::Done)
        }
        Executions::Log { id, follow } => log::log(context, &store, id, follow).await,
    }
}

async fn show_list(
    context: &Context,
    store: &SharedStore,
    list: &ExecutionList,
) -> anyhow::Result<Exit> {
    let zone = admin::zone(context.config());
    let given = |name, text: &Option<String>| {
        text.as_deref().map(|text| instant(name, text, &zone)).transpose()
    };
    let filter = ExecutionFilter {
        task_id: list.task,
        status: list.status,
        before: list.before,
        since: given("--since", &list.since)?,
        until: given("--until", &list.until)?,
        limit: list.limit,
    };
    let rows = store.executions(filter).await?;
    let rows: Vec<Listed> = rows.into_iter().map(Listed::from).collect();
    context.output.list(&rows, HEADER, |row| cells(&zone, row), "no execution matches")?;
    Ok(Exit::Done)
}

/// What is asked for.
#[derive(serde::Serialize)]
struct Cancelled<'a> {
    id: ExecutionId,
    message: &'a str,
}

/// An execution as programs and as people see it.
#[derive(Debug, serde::Serialize)]
#[serde(transparent)]
pub(super) struct Listed {
    view: ExecutionView,
    #[serde(skip)]
    row: ExecutionRow,
}

impl From<ExecutionRow> for Listed {
    fn from(row: ExecutionRow) -> Self {
        Self { view: ExecutionView::from(&row), row }
    }
}

pub(super) const HEADER: [&str; 9] =
    ["id", "task", "status", "attempt", "scheduled_at", "started_at", "ms", "trace_id", "reason"];

/// A line of a table under [`HEADER`]. Node and source are for `show` and `--json`.
pub(super) fn cells(zone: &Zone, listed: &Listed) -> [String; 9] {
    let Listed { view, row } = listed;
    [
        row.id.to_string(),
        task(row),
        row.status.clone(),
        row.attempt.to_string(),
        local(zone, row.scheduled_at),
        local(zone, row.started_at),
        duration(view),
        row.trace_id.clone(),
        reason(&view.extra),
    ]
}

/// Why it did not run or did not succeed, as far as one line holds, and whether it is tried again.
fn reason(extra: &serde_json::Value) -> String {
    const LONGEST: usize = 60;
    let retry = extra["retry_at"].as_str().map(|_| " (tried again)").unwrap_or_default();
    let text = extra["err"].as_str().or(extra["reason"].as_str()).unwrap_or_default();
    let mut reason: String = text.chars().take(LONGEST).collect();
    if reason.len() < text.len() {
        reason.push('…');
    }
    reason + retry
}

fn details(zone: &Zone, row: &ExecutionRow) -> String {
    pairs(&[
        ("id", row.id.to_string()),
        ("task_id", row.task_id.to_string()),
        ("task_key", row.task_key.clone().unwrap_or_else(|| "(deleted)".to_owned())),
        ("status", row.status.clone()),
        ("extra", row.extra.clone()),
        ("trace_id", row.trace_id.clone()),
        ("create_at", local(zone, row.created_at)),
        ("scheduled_at", local(zone, row.scheduled_at)),
        ("attempt", row.attempt.to_string()),
        ("source", row.source.clone()),
        ("node_id", row.node_id.clone().unwrap_or_else(|| NOTHING.to_owned())),
        ("started_at", local(zone, row.started_at)),
        ("finished_at", local(zone, row.finished_at)),
        ("duration (ms)", duration(&row.into())),
    ])
}

fn task(row: &ExecutionRow) -> String {
    row.task_key.clone().unwrap_or_else(|| row.task_id.to_string())
}

fn duration(view: &ExecutionView) -> String {
    view.duration_ms.map_or_else(|| NOTHING.to_owned(), |millis| millis.to_string())
}
