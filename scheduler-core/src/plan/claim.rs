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
    /// How many executions of the task may be open at once, on all nodes together, the run of this claim
    /// included; `None`: any number.
    pub limit: Option<u32>,
    /// What asked for it.
    pub origin: Origin,
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

/// What asks for an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The task's trigger.
    Schedule,
    /// A person; the row of `scheduler_request` that waits.
    Request(RequestId),
    /// An earlier attempt at the same fire; a row of `scheduler_retry` waits under task, instant and attempt.
    Retry,
}

impl Origin {
    /// `execute_task.source`.
    #[must_use]
    pub fn source(self) -> Source {
        match self {
            Origin::Schedule => Source::Schedule,
            Origin::Request(_) => Source::Manual,
            Origin::Retry => Source::Retry,
        }
    }
}

/// A row of `execute_task` to be inserted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The instant; for a `missed` row the newest of those it stands for.
    pub scheduled_at: DateTime<Utc>,
    /// The row's own id, made before the claim so that ownership can be read back.
    pub trace_id: TraceId,
    /// `todo`, `missed`, `skipped`, or `cancelled` for a manual run or retry that became impossible.
    pub status: Status,
    /// 1 for the first run of the fire.
    pub attempt: u32,
    /// A JSON object: the reason of what does not run; for a run, whether it is tried again when it is lost.
    pub extra: String,
}

/// `scheduler_request.id`.
pub type RequestId = i64;

/// A run that waits outside of the schedule: a manual run or a retry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What asked for it; never [`Origin::Schedule`].
    pub origin: Origin,
    /// The task to run.
    pub task_id: TaskId,
    /// Becomes the execution's `scheduled_at`: when a manual run was asked for, the instant of the fire that is
    /// tried again.
    pub scheduled_at: DateTime<Utc>,
    /// 1 for a manual run.
    pub attempt: u32,
    /// Nothing is claimed before.
    pub due_at: DateTime<Utc>,
    /// The arguments of the run; `None`: those of the task's row.
    pub args: Option<Arc<str>>,
}

impl Request {
    /// Whether it is the next attempt at the instant `at` of its task.
    #[must_use]
    pub fn is_retry_of(&self, at: DateTime<Utc>) -> bool {
        self.origin == Origin::Retry && self.scheduled_at == at
    }
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
    /// As many executions of the task are open as may be.
    Busy,
    /// The task's row is locked by somebody else: ask again.
    Locked,
    /// The manual run or retry was taken by another node, or withdrawn.
    RequestGone,
}

/// A row of `task` under lock, as far as a claim is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedTask {
    /// Whether `is_valid` is 1.
    pub is_enabled: bool,
    /// `spec`.
    pub spec: String,
    /// `update_at`.
    pub updated_at: Option<DateTime<Utc>>,
    /// The newest `scheduled_at` among the task's executions that the schedule asked for.
    pub last_accounted: Option<DateTime<Utc>>,
    /// How many of its executions are open.
    pub open: u32,
}

/// Decides `claim` by what stands in the database, read under the lock of the task's row; `locked` is `None`
/// when there is no such row, `has_request` says whether the request of a manual run, or the retry, still waits.
///
/// # Errors
/// The reason why nothing may be written.
pub fn judge(claim: &Claim, locked: Option<&LockedTask>, has_request: bool) -> Result<(), Refusal> {
    let is_scheduled = claim.origin == Origin::Schedule;
    if !is_scheduled && !has_request {
        return Err(Refusal::RequestGone);
    }
    // The withdrawal of a manual run or retry is recorded whatever became of its task; but a retry whose row is on
    // again waits on, and the row is read again.
    if !is_scheduled && claim.run().is_none() {
        let is_on_again =
            claim.origin == Origin::Retry && locked.is_some_and(|task| task.is_enabled);
        return if is_on_again { Err(Refusal::SpecChanged) } else { Ok(()) };
    }
    let task = locked.ok_or(Refusal::Gone)?;
    if !task.is_enabled {
        return Err(Refusal::Disabled);
    }
    if is_scheduled {
        // A fire that was due before the edit is still the old spec's to account for.
        let is_due_before_edit = task.updated_at.is_some_and(|edited| claim.newest() <= edited);
        if task.spec != *claim.spec && !is_due_before_edit {
            return Err(Refusal::SpecChanged);
        }
        if let Some(last) = task.last_accounted.filter(|last| *last >= claim.first) {
            return Err(Refusal::Accounted(last));
        }
    }
    // Judged by what is open, not by `status`: that may be written by hand, and a row of the same key may hold
    // it back.
    if claim.run().is_some() && claim.limit.is_some_and(|limit| task.open >= limit) {
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
            attempt: 1,
            extra: "{}".into(),
        };
        Claim {
            task_id: 1,
            spec: "10".into(),
            first: at(10),
            limit: Some(1),
            origin: Origin::Schedule,
            entries: vec![
                Entry { scheduled_at: at(10), status: Status::Missed, ..run.clone() },
                run,
            ],
        }
    }

    fn ready() -> LockedTask {
        LockedTask {
            is_enabled: true,
            spec: "10".into(),
            updated_at: Some(at(0)),
            last_accounted: Some(at(9)),
            open: 0,
        }
    }

    #[track_caller]
    fn check(locked: Option<LockedTask>, expected: Result<(), Refusal>) {
        assert_eq!(judge(&claim(), locked.as_ref(), false), expected);
    }

    #[test]
    fn a_free_enabled_task_with_the_planned_spec_is_won() {
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
    fn a_task_that_runs_refuses_a_run_but_not_a_record() {
        let doing = LockedTask { open: 1, ..ready() };
        check(Some(doing.clone()), Err(Refusal::Busy));
        let mut record = claim();
        record.entries.pop();
        assert_eq!(judge(&record, Some(&doing), false), Ok(()));
        let without_limit = Claim { limit: None, ..claim() };
        assert_eq!(judge(&without_limit, Some(&doing), false), Ok(()));
    }

    #[test]
    fn a_limit_counts_what_is_open_on_all_nodes() {
        let two = Claim { limit: Some(2), ..claim() };
        let open = |open| LockedTask { open, ..ready() };
        assert_eq!(judge(&two, Some(&open(1)), false), Ok(()));
        assert_eq!(judge(&two, Some(&open(2)), false), Err(Refusal::Busy));
    }

    #[test]
    fn a_retry_needs_to_wait_still_and_is_no_new_instant() {
        let retry = Claim { origin: Origin::Retry, ..claim() };
        assert_eq!(judge(&retry, Some(&ready()), false), Err(Refusal::RequestGone));
        let accounted = LockedTask { last_accounted: Some(at(30)), spec: "7".into(), ..ready() };
        assert_eq!(judge(&retry, Some(&accounted), true), Ok(()));
        let busy = LockedTask { open: 1, ..ready() };
        assert_eq!(judge(&retry, Some(&busy), true), Err(Refusal::Busy));
        let disabled = LockedTask { is_enabled: false, ..ready() };
        assert_eq!(judge(&retry, Some(&disabled), true), Err(Refusal::Disabled));
        let mut withdrawal = retry;
        withdrawal.entries.pop();
        assert_eq!(judge(&withdrawal, Some(&disabled), true), Ok(()));
        assert_eq!(judge(&withdrawal, None, true), Ok(()));
        assert_eq!(judge(&withdrawal, Some(&ready()), true), Err(Refusal::SpecChanged));
    }

    #[test]
    fn a_manual_run_needs_its_request_and_its_withdrawal_needs_nothing_else() {
        let run = Claim { origin: Origin::Request(3), ..claim() };
        assert_eq!(judge(&run, Some(&ready()), false), Err(Refusal::RequestGone));
        let accounted = LockedTask { last_accounted: Some(at(30)), spec: "7".into(), ..ready() };
        assert_eq!(judge(&run, Some(&accounted), true), Ok(()));
        assert_eq!(judge(&run, None, true), Err(Refusal::Gone));
        let mut withdrawal = run;
        withdrawal.entries.pop();
        assert_eq!(judge(&withdrawal, None, true), Ok(()));
    }
}
