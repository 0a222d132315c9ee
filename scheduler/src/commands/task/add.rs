//! `task add`: a new row, judged before it is written.

use scheduler_core::{
    admin::{TaskView, Verdict},
    plan::words::quote,
    store::NewTask,
};

use super::Desk;
use crate::{cli::Add, exit::Exit, output::message, view::next_local};

pub(super) async fn add(desk: &Desk<'_>, add: Add) -> anyhow::Result<Exit> {
    let key = quote(&add.key);
    let judged = desk.editor().create(&as_new(add)).await?;
    let id = judged.row.id;
    for warning in judged.warnings() {
        message(&format!("warning: {warning}"));
    }
    let view = TaskView::of(&judged, None);
    desk.context.output.object(&view, || match judged.verdict {
        Verdict::Enabled(_) => {
            format!(
                "task {id} {key} is added, next {}; {}",
                next_local(&judged),
                desk.takes_effect()
            )
        }
        _ => format!(
            "task {id} {key} is added, {}: see `scheduler task enable {id}`",
            view.state.as_str()
        ),
    })?;
    Ok(Exit::Done)
}

fn as_new(add: Add) -> NewTask {
    NewTask {
        id: None,
        task_key: add.key,
        description: add.desc,
        execute_func: add.func,
        trigger: add.trigger,
        spec: add.spec,
        args: add.args,
        is_enabled: !add.disabled,
        extra: add.extra,
    }
}
