//! Edits of rows in somebody's name: judged as the scheduler will judge the row, then written.
//!
//! No edit makes a row that is rejected. What is judged is what is written: between the two the row may not change, which
//! its version tells.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use super::{Judge, Judged, State, Verdict};
use crate::{
    clock,
    config::Config,
    plan::{
        claim::RequestId,
        task::{LONGEST_NAME, TaskFault, TaskId, TaskRow},
        words::{instant, quote},
    },
    registry::Registry,
    store::{Author, NewTask, Pause, SharedStore, StoreError, TaskChange, TaskSelection, Version},
};

/// Why an edit was not made.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The row would be rejected.
    #[error("{label}: {fault}")]
    Rejected {
        /// Which row, `task 5 "daily_report"`.
        label: String,
        /// What is wrong with it.
        fault: TaskFault,
    },
    /// Something is asked of a task that is switched off.
    #[error("{label} is disabled")]
    Disabled {
        /// Which.
        label: String,
    },
    /// Something is asked of a row that the scheduler rejects.
    #[error("{label} is rejected: {fault}")]
    IsRejected {
        /// Which.
        label: String,
        /// Why.
        fault: TaskFault,
    },
    /// A pause cannot be so.
    #[error("{text}")]
    Pause {
        /// What of it is wrong.
        field: &'static str,
        /// And how.
        text: String,
    },
    /// The tables refuse, or do not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How often an edit of whatever stands there is judged and made anew when somebody else was faster.
const TRIES: u64 = 20;

/// Edits rows in the name of one author.
#[derive(Debug)]
pub struct Editor<'a> {
    /// The tables.
    pub store: &'a SharedStore,
    /// By which rows are judged.
    pub config: &'a Config,
    /// The jobs that rows may name.
    pub registry: &'a Arc<Registry>,
    /// In whose name.
    pub author: Author,
}

/// A row as it stands, and a judge that knows who has its key.
struct Found {
    judge: Judge,
    judged: Judged,
}

impl Editor<'_> {
    /// Inserts a row.
    ///
    /// # Errors
    /// When it would be rejected, or its key is taken.
    pub async fn create(&self, task: &NewTask) -> Result<Judged, EditError> {
        self.check_new(task)?;
        let id = self.store.add_as(task, &self.author).await?;
        Ok(self.find(id).await?.judged)
    }

    /// Whether [`Self::create`] would insert it, as far as can be told without writing.
    ///
    /// # Errors
    /// When it would be rejected.
    pub fn check_new(&self, task: &NewTask) -> Result<(), EditError> {
        let rejected = |fault| {
            let label = format!("task {}", quote(&task.task_key));
            EditError::Rejected { label, fault }
        };
        // No row has the id 0: they begin with 1.
        self.judge().read(&task.as_row(0, clock::wall())).map_err(rejected)?;
        check_key(&task.task_key).and_then(|()| check_length(&task.description)).map_err(rejected)
    }

    /// Changes a row, if it still is of `version`, where one is given; gives it as it was and as it stands then.
    ///
    /// # Errors
    /// When there is no such row, it is of another version, or it would be rejected. A row that is off, or rejected already,
    /// may be edited as long as what is changed is right.
    pub async fn change(
        &self,
        id: TaskId,
        version: Option<&Version>,
        change: &TaskChange,
    ) -> Result<(Judged, Judged), EditError> {
        if version.is_some() {
            return self.try_change(id, version, change).await;
        }
        over_others(|| self.try_change(id, None, change)).await
    }

    async fn try_change(
        &self,
        id: TaskId,
        version: Option<&Version>,
        change: &TaskChange,
    ) -> Result<(Judged, Judged), EditError> {
        let before = self.check_change(id, version, change).await?;
        let read = Version::of(&before.row);
        self.store.edit_as(id, Some(&read), change, &self.author).await?;
        Ok((before, self.find(id).await?.judged))
    }

    /// Whether [`Self::change`] would change it, as far as can be told without writing; gives the row as it stands.
    ///
    /// # Errors
    /// As there.
    pub async fn check_change(
        &self,
        id: TaskId,
        version: Option<&Version>,
        change: &TaskChange,
    ) -> Result<Judged, EditError> {
        let Found { mut judge, judged: before } = self.find(id).await?;
        if version.is_some_and(|version| *version != Version::of(&before.row)) {
            return Err(StoreError::Edited { id }.into());
        }
        let edited = TaskRow { updated_at: Some(clock::wall()), ..change.apply(&before.row) };
        let rejected = |fault| EditError::Rejected { label: edited.label(), fault };
        if is_to_be_judged(change) {
            judge.read(&edited).map_err(rejected)?;
        }
        if let Some(key) = &change.task_key {
            check_key(key).map_err(rejected)?;
        }
        if let Some(description) = &change.description {
            check_length(description).map_err(rejected)?;
        }
        Ok(before)
    }

    /// Switches a row off for a while; gives it as it stands then.
    ///
    /// # Errors
    /// When there is no such row, it is off for another reason or rejected, or the pause is over already, or its reason too
    /// long.
    pub async fn pause(&self, id: TaskId, pause: &Pause) -> Result<Judged, EditError> {
        check_pause(pause, clock::wall())?;
        over_others(|| self.try_pause(id, pause)).await
    }

    async fn try_pause(&self, id: TaskId, pause: &Pause) -> Result<Judged, EditError> {
        let judged = self.find(id).await?.judged;
        // What is paused may be so for longer; what is off is not to be on again some day.
        let is_paused =
            judged.state() == State::Disabled && !self.store.pauses(&[id]).await?.is_empty();
        if !is_paused {
            check_is_on(&judged)?;
        }
        let read = Version::of(&judged.row);
        self.store.pause_as(id, Some(&read), pause, &self.author).await?;
        Ok(self.find(id).await?.judged)
    }

    /// Deletes a row, if it still is of `version`, where one is given; gives what it was.
    ///
    /// # Errors
    /// When there is no such row, or it is of another version.
    pub async fn delete(&self, id: TaskId, version: Option<&Version>) -> Result<Judged, EditError> {
        let judged = self.find(id).await?.judged;
        self.store.delete_as(id, version, &self.author).await?;
        Ok(judged)
    }

    /// Asks for a run, once, as soon as may be, with `args` in place of those of the row.
    ///
    /// # Errors
    /// When there is no such row, the scheduler would not run it, or `args` are none of its job.
    pub async fn run(
        &self,
        id: TaskId,
        args: Option<&str>,
    ) -> Result<(Judged, RequestId), EditError> {
        let Found { mut judge, judged } = self.find(id).await?;
        check_is_on(&judged)?;
        if let Some(args) = args {
            let asked = TaskRow { args: Ok(args.to_owned()), ..judged.row.clone() };
            let rejected = |fault| EditError::Rejected { label: judged.row.label(), fault };
            judge.read(&asked).map_err(rejected)?;
        }
        let request = self.store.request_run_as(id, clock::wall(), args, &self.author).await?;
        Ok((judged, request))
    }

    fn judge(&self) -> Judge {
        Judge::new(self.config, self.registry, clock::wall())
    }

    async fn find(&self, id: TaskId) -> Result<Found, EditError> {
        let mut judge = self.judge();
        let rows = judge.survey(self.store.tasks(TaskSelection::WithTwins(&[id])).await?);
        let judged = rows.into_iter().find(|judged| judged.row.id == id);
        let judged = judged.ok_or(StoreError::NotFound { what: "task", id })?;
        Ok(Found { judge, judged })
    }
}

/// Does it with what stands there, whatever it is: who was faster changes nothing about that.
async fn over_others<T, F>(once: impl Fn() -> F) -> Result<T, EditError>
where
    F: Future<Output = Result<T, EditError>>,
{
    for tried in 1..TRIES {
        match once().await {
            Err(EditError::Store(StoreError::Edited { .. })) => {}
            result => return result,
        }
        // Of several who meet again and again each waits for another while.
        clock::sleep_at_most_5s(Duration::from_millis(fastrand::u64(0..=tried * 5))).await;
    }
    once().await
}

/// Refuses what is asked of a task that does not fire.
fn check_is_on(judged: &Judged) -> Result<(), EditError> {
    let label = judged.row.label();
    match &judged.verdict {
        Verdict::Enabled(_) => Ok(()),
        Verdict::Disabled(_) => Err(EditError::Disabled { label }),
        Verdict::Rejected(fault) => Err(EditError::IsRejected { label, fault: fault.clone() }),
    }
}

fn check_pause(pause: &Pause, now: DateTime<Utc>) -> Result<(), EditError> {
    let refused = |field, text: String| Err(EditError::Pause { field, text });
    if let Some(until) = pause.until.filter(|until| *until <= now) {
        let text = format!("until {} has passed, expected an instant to come", instant(until));
        return refused("until", text);
    }
    let length = pause.reason.chars().count();
    if length > LONGEST_NAME {
        let text = format!("reason has {length} characters, expected {LONGEST_NAME} at most");
        return refused("reason", text);
    }
    Ok(())
}

/// Whether the scheduler reads what is changed. Switching off is never refused, nor is a description.
fn is_to_be_judged(change: &TaskChange) -> bool {
    let TaskChange {
        task_key,
        description: _,
        execute_func,
        trigger,
        spec,
        args,
        is_enabled,
        extra,
    } = change;
    let texts = [task_key, execute_func, trigger, spec, args, extra];
    *is_enabled == Some(true) || texts.into_iter().any(Option::is_some)
}

/// The scheduler takes any key; one with characters that nobody can see or type is not written by us.
fn check_key(key: &str) -> Result<(), TaskFault> {
    if !key.contains(char::is_control) {
        return Ok(());
    }
    let expected = "text without control characters";
    Err(TaskFault::Value { column: "task_key", value: key.to_owned(), expected })
}

/// The scheduler reads no description, and takes any.
fn check_length(description: &str) -> Result<(), TaskFault> {
    if description.chars().count() <= LONGEST_NAME {
        return Ok(());
    }
    let value = description.to_owned();
    Err(TaskFault::TooLong { column: "desc", value, limit: LONGEST_NAME })
}
