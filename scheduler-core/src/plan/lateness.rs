//! What becomes of the instants of a task that are due: run, `skipped`, `missed`, or wait.
//!
//! ```text
//!  accounted │ a   b   c │ now        a, b  one `missed` row: count 2, first a, last b
//!            └───────────┘            c     runs; `skipped` while the task is busy; `missed` when found
//!              overdue                      later than the grace
//! ```
//!
//! Invariant: whatever the answer, every instant up to the newest one it names is accounted for, in at most
//! two rows however long the gap. With `coalesce = false` each instant within the grace is a fire of its own,
//! taken oldest first, one per claim.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    task::{Overlap, Policy},
    trigger::Trigger,
    words::instant,
};

/// What is due of one task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing is due.
    Nothing,
    /// Something is due but waits: until the task is free (`overlap = "queue"`), or until the end of its last
    /// run is recorded.
    Wait,
    /// To be recorded now: all that is due was found too late.
    Missed(Missed),
    /// To be claimed now.
    Fire {
        /// The instant that runs, or is skipped.
        fire: Fire,
        /// The older instants, which never run.
        missed: Option<Missed>,
    },
}

/// Instants that never run, in one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// The oldest.
    pub first: DateTime<Utc>,
    /// The newest; the row's `scheduled_at`.
    pub last: DateTime<Utc>,
    /// How many, 1 or more.
    pub count: u64,
    /// Why.
    pub reason: MissedReason,
}

/// Why instants never ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissedReason {
    /// They were found later than the grace.
    Late,
    /// This newer fire of the same task stands for them.
    Coalesced(DateTime<Utc>),
}

/// The instant that is claimed on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fire {
    /// The instant.
    pub scheduled_at: DateTime<Utc>,
    /// Whether it is recorded `skipped` instead of run.
    pub is_skipped: bool,
}

/// How busy the task is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Its open runs on this node.
    pub running: u32,
    /// Its runs that ended, but whose end the database does not know yet.
    pub unrecorded: u32,
    /// Whether the database said that it runs elsewhere.
    pub is_busy_elsewhere: bool,
    /// Whether the oldest due fire has been waiting for the task's own previous run, which is no lateness.
    pub has_waited: bool,
}

impl Load {
    /// Of one task so many outcomes at most wait to be recorded: those of a task whose outcomes the database refuses
    /// shall not take the place of all others.
    const MOST_UNRECORDED: u32 = 10;

    /// Whether nothing of it is claimed before some of its outcomes are recorded.
    #[must_use]
    pub fn is_behind(self) -> bool {
        self.unrecorded >= Self::MOST_UNRECORDED
    }
}

/// What is due of a task whose instants are accounted for up to and including `accounted`.
#[must_use]
pub fn due(
    trigger: &Trigger,
    policy: &Policy,
    accounted: DateTime<Utc>,
    load: Load,
    now: DateTime<Utc>,
) -> Due {
    let Some(first) = trigger.next_after(accounted).filter(|first| *first <= now) else {
        return Due::Nothing;
    };
    // For the database the task still runs: claimed now, a fire would be taken for an overlap.
    let limit = policy.limit();
    if load.is_behind()
        || limit
            .is_some_and(|limit| load.running < limit && load.running + load.unrecorded >= limit)
    {
        return Due::Wait;
    }
    let is_full = limit.is_some_and(|limit| load.is_busy_elsewhere || load.running >= limit);
    if is_full && policy.overlap == Overlap::Queue {
        return Due::Wait;
    }
    // Of what is due, the oldest instant that may still run.
    let grace = TimeDelta::from_std(policy.misfire_grace_time).unwrap_or(TimeDelta::MAX);
    let horizon = if load.has_waited { Some(accounted) } else { now.checked_sub_signed(grace) };
    let horizon = horizon.unwrap_or(accounted);
    let oldest_timely = if first >= horizon {
        Some(first)
    } else {
        trigger.next_after(horizon - TimeDelta::milliseconds(1)).filter(|instant| *instant <= now)
    };
    // As a rule one instant is due, which a look forward tells.
    let is_alone = trigger.next_after(first).is_none_or(|second| second > now);
    let newest = if is_alone { first } else { trigger.last_until(now).unwrap_or(first).max(first) };
    let missed = |last: DateTime<Utc>, reason: MissedReason| Missed {
        first,
        last,
        count: trigger.count(accounted, last),
        reason,
    };
    let Some(oldest_timely) = oldest_timely else {
        return Due::Missed(missed(newest, MissedReason::Late));
    };
    let (scheduled_at, reason) = if policy.coalesce {
        (newest, MissedReason::Coalesced(newest))
    } else {
        (oldest_timely, MissedReason::Late)
    };
    let before = if scheduled_at == first {
        None
    } else {
        trigger.last_until(scheduled_at - TimeDelta::milliseconds(1))
    };
    Due::Fire {
        fire: Fire { scheduled_at, is_skipped: is_full },
        missed: before.filter(|last| *last >= first).map(|last| missed(last, reason)),
    }
}

impl Missed {
    /// The `extra` of the row.
    #[must_use]
    pub fn extra(&self, policy: &Policy, now: DateTime<Utc>) -> String {
        let reason = match self.reason {
            MissedReason::Coalesced(into) => {
                format!("coalesced into the fire of {}", instant(into))
            }
            MissedReason::Late => format!(
                "found at {}, later than misfire_grace_time of {} s",
                instant(now),
                policy.misfire_grace_time.as_secs_f64()
            ),
        };
        serde_json::json!({
            "reason": reason,
            "count": self.count,
            "first": instant(self.first),
            "last": instant(self.last),
        })
        .to_string()
    }
}
