//! `check`: would the scheduler start, and what would it make of each row?

mod dialects;

use scheduler_core::{
    admin::{Judge, Judged, TaskView, Verdict},
    clock,
    plan::{task::TaskRow, trigger::CronDialect},
    store::{DeskTask, TaskSelection},
};
use serde::Serialize;

use self::dialects::Compared;
use crate::{
    context::{Context, at_start},
    exit::Exit,
    output::{message, pairs, table},
    view::next_local,
};

#[derive(Serialize)]
struct Report<'a> {
    ok: bool,
    database: &'a str,
    is_migrated: bool,
    tasks: Vec<Line>,
    /// Only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    compared: Option<Compared>,
}

#[derive(Serialize)]
struct Line {
    id: i64,
    task_key: Option<String>,
    state: &'static str,
    reason: Option<String>,
    warnings: Vec<String>,
    next: Option<String>,
    #[serde(skip)]
    next_local: String,
}

impl Line {
    fn of(judged: &Judged) -> Self {
        let TaskView { id, task_key, state, reason, next, .. } = TaskView::of(judged, None);
        let state =
            if matches!(judged.verdict, Verdict::Enabled(_)) { "accepted" } else { state.as_str() };
        let (warnings, next_local) = (judged.warnings(), next_local(judged));
        Self { id, task_key, state, reason, warnings, next, next_local }
    }
}

/// Checks configuration, database, tables and rows; changes nothing. What would fire at other instants in the dialect
/// `against` is a finding, as is a rejected row.
///
/// # Errors
/// When the configuration, the database or its tables are refused.
pub(crate) async fn check(context: &Context, against: Option<CronDialect>) -> anyhow::Result<Exit> {
    for warning in &context.config().warnings {
        message(&format!("warning: {warning}"));
    }
    let store = context.reach().await?;
    let to_migrate = store.rows_to_migrate().await.map_err(at_start)?;
    let is_migrated = to_migrate.is_none();
    let tasks = match to_migrate {
        Some(rows) => rows.into_iter().map(never_ran).collect(),
        None => {
            store.check_schema().await.map_err(at_start)?;
            store.tasks(TaskSelection::All).await?
        }
    };
    let now = clock::wall();
    let mut judge = Judge::new(context.config(), context.registry(), now);
    let judged = judge.survey(tasks);
    for warning in judged.iter().flat_map(Judged::warnings) {
        message(&format!("warning: {warning}"));
    }
    let compared = against.map(|dialect| dialects::compare(context, &judged, dialect, now));
    let is_same = compared.as_ref().is_none_or(|compared| compared.differing.is_empty());
    let ok = is_same && !judged.iter().any(Judged::is_rejected);
    let tasks = judged.iter().map(Line::of).collect();
    let report = Report { ok, database: store.database(), is_migrated, tasks, compared };
    context.output.object(&report, || text(context, &report))?;
    Ok(if ok { Exit::Done } else { Exit::Finding })
}

/// When a row ran last is not read from tables that are not of this version.
fn never_ran(row: TaskRow) -> DeskTask {
    DeskTask { row, last_accounted: None }
}

fn text(context: &Context, report: &Report<'_>) -> String {
    let count = |state| report.tasks.iter().filter(|task| task.state == state).count();
    let counts =
        ["accepted", "disabled", "rejected"].map(|state| format!("{} {state}", count(state)));
    let folder = context.config().folder.join(&context.config().app_env);
    let migration = if report.is_migrated { "" } else { ", to be migrated by the next start" };
    let summary = pairs(&[
        ("configuration", folder.display().to_string()),
        ("jobs", context.registry().len().to_string()),
        ("database", format!("{}{migration}", report.database)),
        ("tasks", counts.join(", ")),
    ]);
    let compared = report.compared.as_ref().map_or_else(String::new, Compared::text);
    if report.tasks.is_empty() {
        return format!("{summary}{compared}");
    }
    let rows = report.tasks.iter().map(|task| {
        [
            task.id.to_string(),
            task.task_key.clone().unwrap_or_default(),
            task.state.to_owned(),
            task.next_local.clone(),
            task.reason.clone().unwrap_or_default(),
        ]
    });
    let tasks = table(["id", "task_key", "state", "next", "reason"], rows);
    format!("{summary}\n\n{tasks}{compared}")
}
