//! `why`: what became of one instant of a task, and why.

use anyhow::anyhow;
use scheduler_core::{
    admin::{AskedTask, WhyView},
    plan::words::quote,
};

use crate::{
    cli::Why as Asked,
    context::Context,
    exit::Exit,
    instant::{instant, is_moved},
};

/// Answers from the records.
///
/// # Errors
/// When the database does not answer, there was never such a task, or the instant is not understood.
pub(crate) async fn why(context: &Context, asked: &Asked) -> anyhow::Result<Exit> {
    let store = context.open().await?;
    let (config, no_task) = (context.config(), || no_task(&asked.task));
    let task = AskedTask::find(&store, config, context.registry(), &asked.task).await?;
    let task = task.ok_or_else(no_task)?;
    let zone = task.zone.clone();
    let at = instant("INSTANT", &asked.instant, &zone)?;
    let mut answered = task.why(&store, config, at).await?.ok_or_else(no_task)?;
    let local = zone.to_local(at);
    if is_moved(&asked.instant, at, &zone) {
        let moved =
            format!("{} does not exist in {}, and stands for {local}", asked.instant, zone.name());
        answered.because.insert(0, moved);
    }
    context.output.object(&answered, || text(&answered, &local))?;
    Ok(Exit::Done)
}

fn no_task(asked: &str) -> anyhow::Error {
    anyhow!("task {} does not exist, expected the id or the task_key of a row", quote(asked))
}

fn text(answered: &WhyView, at: &str) -> String {
    let key =
        answered.task_key.as_deref().map(|key| format!(" {}", quote(key))).unwrap_or_default();
    let mut lines = vec![format!("task {}{key}, {at}: {}", answered.task_id, answered.answer)];
    lines.extend(answered.because.iter().map(|sentence| format!("  {sentence}")));
    lines.join("\n")
}
