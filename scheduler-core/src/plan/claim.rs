//! What a node asks the database for, and what the locked rows answer.
//!
//! A claim accounts for the instants of one task from `first` on: the fire that is to run (or is skipped),
//! and at most one `missed` row for the older ones. It is won or refused as a whole. [`judge`] is the one
//! place where that is decided; every store calls it with what it read *under the lock of the task's row*.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{
    execution::{ExecutionId, Source, Status, TraceId},
    task::TaskId,
};

/// The wish to account for the instants of one task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The task.
    pub task_id: TaskId,
    /// The `spec` that the plan is based on. A claim from an older spec is refused.
    pub spec: Arc<str>,
    /// The oldest instant this claim accounts for.
    pub first: DateTime<Utc>,
    /// Whether a run may be claimed although the task is not `ready`.
    pub may_overlap: bool,
    /// For a manual run, the `scheduler_request` that asked for it.
    pub request: Option<RequestId>,
    /// One or two rows, oldest first, at most one of them [`Status::Todo`].
    pub entries: Vec<Entry>,
}

impl Claim {
    /// The entry that would run.
    #[must_use]
    pub fn run(&self) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.status == Status::Todo)
    }

    /// The newest instant this claim accounts for.
    #[must_use]
    pub fn newest(&self) -> DateTime<Utc> {
        self.entries.iter().map(|entry| entry.scheduled_at).max().unwrap_or(self.first)
    }
}

/// A row of `execute_task` to be inserted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The instant; for a `missed` row the newest of those it stands for.
    pub scheduled_at: DateTime<Utc>,
    /// The row's own id, made before the claim so that ownership can be read back.
    pub trace_id: TraceId,
    /// `todo`, `missed`, `skipped`, or `cancelled` for a manual run that became impossible.
    pub status: Status,
    /// What asked for it.
    pub source: Source,
    /// A JSON object: the reason of what does not run.
    pub extra: String,
}

/// `scheduler_request.id`.
pub type RequestId = i64;

/// A manual run that somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `id`.
    pub id: RequestId,
    /// The task to run.
    pub task_id: TaskId,
    /// When it was asked for; becomes the execution's `scheduled_at`.
    pub requested_at: DateTime<Utc>,
}

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Committed. The execution to start, when the claim had one.
    Won(Option<ExecutionId>),
    /// Nothing was written.
    Refused(Refusal),
}

/// Why a claim was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The row of `task` is no more.
    Gone,
    /// `is_valid` is not 1.
    Disabled,
    /// The row has another `spec` than the plan.
    SpecChanged,
    /// Instants from `first` on are accounted already, the newest is this.
    Accounted(DateTime<Utc>),
    /// The task may not overlap and is not `ready`.
    Busy,
    /// The manual run was taken by another node, or withdrawn.
    RequestGone,
}

/// A row of `task` under lock, as far as a claim is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedTask {
    /// Whether `is_valid` is 1.
    pub is_enabled: bool,
    /// Whether `status` is `ready`.
    pub is_ready: bool,
    /// `spec`.
    pub spec: String,
    /// `update_at`.
    pub updated_at: Option<DateTime<Utc>>,
    /// The newest `scheduled_at` among the task's executions that were not manual.
    pub last_accounted: Option<DateTime<Utc>>,
}

/// Decides `claim` by what stands in the database, read under the lock of the task's row.
///
/// # Errors
/// The reason why nothing may be written.
pub fn judge(claim: &Claim, locked: Option<&LockedTask>) -> Result<(), Refusal> {
    let task = locked.ok_or(Refusal::Gone)?;
    // Of a disabled task only the withdrawal of a manual run is still recorded.
    if !task.is_enabled && (claim.request.is_none() || claim.run().is_some()) {
        return Err(Refusal::Disabled);
    }
    if claim.request.is_none() {
        // A fire that was due before the edit is still the old spec's to account for.
        let is_due_before_edit = task.updated_at.is_some_and(|edited| claim.newest() <= edited);
        if task.spec != *claim.spec && !is_due_before_edit {
            return Err(Refusal::SpecChanged);
        }
        if let Some(last) = task.last_accounted.filter(|last| *last >= claim.first) {
            return Err(Refusal::Accounted(last));
        }
    }
    if claim.run().is_some() && !claim.may_overlap && !task.is_ready {
        return Err(Refusal::Busy);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn claim() -> Claim {
        let run = Entry {
            scheduled_at: at(20),
            trace_id: "t".into(),
            status: Status::Todo,
            source: Source::Schedule,
            extra: "{}".into(),
        };
        Claim {
            task_id: 1,
            spec: "10".into(),
            first: at(10),
            may_overlap: false,
            request: None,
            entries: vec![
                Entry { scheduled_at: at(10), status: Status::Missed, ..run.clone() },
                run,
            ],
        }
    }

    fn ready() -> LockedTask {
        LockedTask {
            is_enabled: true,
            is_ready: true,
            spec: "10".into(),
            updated_at: Some(at(0)),
            last_accounted: Some(at(9)),
        }
    }

    #[track_caller]
    fn check(locked: Option<LockedTask>, expected: Result<(), Refusal>) {
        assert_eq!(judge(&claim(), locked.as_ref()), expected);
    }

    #[test]
    fn a_ready_enabled_task_with_the_planned_spec_is_won() {
        check(Some(ready()), Ok(()));
    }

    #[test]
    fn a_deleted_or_disabled_row_refuses() {
        check(None, Err(Refusal::Gone));
        check(Some(LockedTask { is_enabled: false, ..ready() }), Err(Refusal::Disabled));
    }

    #[test]
    fn a_new_spec_refuses_what_was_due_after_the_edit_only() {
        let edited = LockedTask { spec: "7".into(), ..ready() };
        check(
            Some(LockedTask { updated_at: Some(at(19)), ..edited.clone() }),
            Err(Refusal::SpecChanged),
        );
        check(Some(LockedTask { updated_at: Some(at(20)), ..edited }), Ok(()));
    }

    #[test]
    fn an_instant_is_accounted_once() {
        check(
            Some(LockedTask { last_accounted: Some(at(10)), ..ready() }),
            Err(Refusal::Accounted(at(10))),
        );
        check(Some(LockedTask { last_accounted: None, ..ready() }), Ok(()));
    }

    #[test]
    fn a_task_that_is_not_ready_refuses_a_run_but_not_a_record() {
        let doing = LockedTask { is_ready: false, ..ready() };
        check(Some(doing.clone()), Err(Refusal::Busy));
        let mut record = claim();
        record.entries.pop();
        assert_eq!(judge(&record, Some(&doing)), Ok(()));
        assert_eq!(judge(&Claim { may_overlap: true, ..claim() }, Some(&doing)), Ok(()));
    }
}
