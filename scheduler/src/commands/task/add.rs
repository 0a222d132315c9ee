//! `task add`: a new row, judged before it is written.

use anyhow::{anyhow, bail};
use scheduler_core::{
    admin::{TaskView, Verdict},
    clock,
    plan::{
        task::{LONGEST_NAME, TaskRow},
        words::quote,
    },
    store::NewTask,
};

use super::Desk;
use crate::{cli::Add, exit::Exit, output::message, view::next_local};

pub(super) async fn add(desk: &Desk<'_>, add: Add) -> anyhow::Result<Exit> {
    let (mut judge, _) = desk.survey().await?;
    let key = quote(&add.key);
    judge.read(&as_row(&add)).map_err(|reason| anyhow!("task {key}: {reason}"))?;
    if add.desc.chars().count() > LONGEST_NAME {
        bail!("task {key}: desc is longer than {LONGEST_NAME} characters, expected at most that");
    }
    let id = desk.store.add(&as_new(add)).await?;
    let (_, judged) = desk.judged(id).await?;
    for warning in judged.warnings() {
        message(&format!("warning: {warning}"));
    }
    let view = TaskView::of(&judged);
    desk.context.output.object(&view, || match judged.verdict {
        Verdict::Enabled(_) => {
            format!(
                "task {id} {key} is added, next {}; {}",
                next_local(&judged),
                desk.takes_effect()
            )
        }
        _ => format!("task {id} {key} is added, {}: see `scheduler task enable {id}`", view.state),
    })?;
    Ok(Exit::Done)
}

/// The row as the scheduler will read it.
fn as_row(add: &Add) -> TaskRow {
    let now = clock::wall();
    let text = |text: &str| Ok(text.to_owned());
    TaskRow {
        // No row has it: ids begin with 1.
        id: 0,
        task_key: text(&add.key),
        description: text(&add.desc),
        execute_func: text(&add.func),
        trigger: text(&add.trigger),
        spec: text(&add.spec),
        args: text(&add.args),
        is_valid: text(if add.disabled { "0" } else { "1" }),
        status: text("ready"),
        extra: text(&add.extra),
        created_at: Some(now),
        updated_at: Some(now),
    }
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
