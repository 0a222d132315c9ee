//! `check`: would the scheduler start, and what would it make of each row?

use scheduler_core::{clock, store::TaskSelection};
use serde::Serialize;

use crate::{
    context::Context,
    exit::Exit,
    output::{message, pairs, table},
    verdict::{Judge, Judged, Verdict},
    view::TaskView,
};

#[derive(Serialize)]
struct Report<'a> {
    ok: bool,
    database: &'a str,
    tasks: Vec<Line>,
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
        let TaskView { id, task_key, state, reason, next, next_local, .. } = TaskView::of(judged);
        let state = if matches!(judged.verdict, Verdict::Enabled(_)) { "accepted" } else { state };
        Self { id, task_key, state, reason, warnings: judged.warnings(), next, next_local }
    }
}

/// Checks configuration, database, tables and rows; changes nothing.
///
/// # Errors
/// When the configuration, the database or its tables are refused. A rejected row is a finding.
pub(crate) async fn check(context: &Context) -> anyhow::Result<Exit> {
    for warning in &context.config().warnings {
        message(&format!("warning: {warning}"));
    }
    let store = context.open().await?;
    let tasks = store.tasks(TaskSelection::All).await?;
    let mut judge = Judge::new(context.config(), context.registry(), clock::wall());
    let judged = judge.survey(tasks);
    for warning in judged.iter().flat_map(Judged::warnings) {
        message(&format!("warning: {warning}"));
    }
    let ok = !judged.iter().any(Judged::is_rejected);
    let tasks = judged.iter().map(Line::of).collect();
    let report = Report { ok, database: store.database(), tasks };
    context.output.object(&report, || text(context, &report))?;
    Ok(if ok { Exit::Done } else { Exit::Finding })
}

fn text(context: &Context, report: &Report<'_>) -> String {
    let count = |state| report.tasks.iter().filter(|task| task.state == state).count();
    let counts =
        ["accepted", "disabled", "rejected"].map(|state| format!("{} {state}", count(state)));
    let folder = context.config().folder.join(&context.config().app_env);
    let summary = pairs(&[
        ("configuration", folder.display().to_string()),
        ("jobs", context.registry().len().to_string()),
        ("database", report.database.to_owned()),
        ("tasks", counts.join(", ")),
    ]);
    if report.tasks.is_empty() {
        return summary;
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
    format!("{summary}\n\n{}", table(["id", "task_key", "state", "next", "reason"], rows))
}
