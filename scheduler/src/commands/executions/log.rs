//! `executions log`: what a run has logged, also while it runs, and on whatever node.

use std::time::Duration;

use scheduler_core::{
    admin::{self, LogView, log_line},
    clock,
    plan::execution::ExecutionId,
    store::SharedStore,
};

use crate::{
    context::Context,
    exit::Exit,
    output::{message, visible},
};

/// Between two looks for more.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Prints it, and with `follow` goes on until the run has ended.
///
/// # Errors
/// When the database does not answer, or there is no such execution.
pub(super) async fn log(
    context: &Context,
    store: &SharedStore,
    id: ExecutionId,
    follow: bool,
) -> anyhow::Result<Exit> {
    let zone = admin::zone(context.config());
    if !follow {
        let log = LogView::of(store, &store.execution(id).await?, 0, &zone).await?;
        context.output.lines(&log.lines, |line| Some(visible(&log_line(&zone, line))))?;
        if log.lines.is_empty() {
            message("no line of it is kept");
        }
        return Ok(Exit::Done);
    }
    let mut newest = 0;
    loop {
        let log = LogView::of(store, &store.execution(id).await?, newest, &zone).await?;
        for line in &log.lines {
            context.output.line(line, || visible(&log_line(&zone, line)))?;
        }
        if log.is_over {
            return Ok(Exit::Done);
        }
        newest = log.next;
        clock::sleep_at_most_5s(LOOK_AGAIN).await;
    }
}
