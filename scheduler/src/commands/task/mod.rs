//! `task`: seeing ([`show`]) and changing ([`edit`], [`add`]) the rows of `task`.
//!
//! What is written here was judged before as the scheduler will judge it, so no verb makes a row that
//! is rejected.

use anyhow::anyhow;
use scheduler_core::{
    admin::{Editor, Judge, Judged},
    clock,
    plan::task::TaskId,
    run::tell_of_an_edit,
    store::{Author, EditFilter, SharedStore, TaskSelection, Via},
};

use crate::{
    cli::Task,
    context::{Context, user},
    exit::Exit,
};

mod add;
mod edit;
mod history;
mod show;

/// Performs a verb on `task`.
///
/// # Errors
/// When the database does not answer, there is no such row, or the row would be rejected.
pub(crate) async fn task(context: &Context, verb: Task) -> anyhow::Result<Exit> {
    let desk = Desk { context, store: context.open().await? };
    let is_edit = !matches!(verb, Task::List | Task::Show { .. } | Task::History { .. });
    let done = match verb {
        Task::List => show::list(&desk).await,
        Task::Show { id } => show::show(&desk, id).await,
        Task::History { id, limit, before } => {
            history::history(&desk, EditFilter { task_id: id, before, limit }).await
        }
        Task::Add(add) => add::add(&desk, add).await,
        Task::Enable { ids } => edit::enable(&desk, &ids).await,
        Task::Disable { ids } => edit::disable(&desk, &ids).await,
        Task::Pause { id, until, reason } => edit::pause(&desk, id, until.as_deref(), reason).await,
        Task::Spec { id, spec } => edit::spec(&desk, id, &spec).await,
        Task::Trigger { id, args } => edit::trigger(&desk, id, args.as_deref()).await,
        Task::Delete { ids } => edit::delete(&desk, &ids).await,
    };
    if is_edit {
        // Also after a failure: of several ids some may have been edited.
        tell_of_an_edit(context.config(), &*desk.store).await;
    }
    done
}

/// The tables, and the rules by which rows are judged.
struct Desk<'a> {
    context: &'a Context,
    store: SharedStore,
}

impl Desk<'_> {
    /// All rows, and a judge that knows their keys.
    async fn survey(&self) -> anyhow::Result<(Judge, Vec<Judged>)> {
        let tasks = self.store.tasks(TaskSelection::All).await?;
        let mut judge = Judge::new(self.context.config(), self.context.registry(), clock::wall());
        let judged = judge.survey(tasks);
        Ok((judge, judged))
    }

    /// One row as the others make it stand, and a judge that knows all keys.
    async fn judged(&self, id: TaskId) -> anyhow::Result<(Judge, Judged)> {
        let (judge, rows) = self.survey().await?;
        let row = rows.into_iter().find(|judged| judged.row.id == id);
        row.map(|row| (judge, row)).ok_or_else(|| anyhow!("task {id} does not exist"))
    }

    /// Who edits, by this command line.
    fn editor(&self) -> Editor<'_> {
        Editor {
            store: &self.store,
            config: self.context.config(),
            registry: self.context.registry(),
            author: Author { name: user(), via: Via::Cli },
        }
    }

    /// When a running scheduler will have seen a change.
    fn takes_effect(&self) -> String {
        format!(
            "a running scheduler takes it within {:?}",
            self.context.config().common.sync_interval
        )
    }
}
