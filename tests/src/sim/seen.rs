//! What was seen to happen: a simulation in which something never happens says nothing about it.

use std::collections::BTreeMap;

use scheduler_core::{
    plan::{
        claim::{Origin, Refusal, Verdict},
        difference::Scope,
        execution::{Recorded, Status},
        node::{Call, Ending, Event, Failure, Health, Notice, Settled},
    },
    store::ExecutionRow,
};

/// How often, by name.
pub type Counts = BTreeMap<&'static str, u64>;

/// What must be seen in every campaign, at least ten times.
pub const WANTED: [&str; 57] = [
    "answers lost",
    "applied late: claim",
    "applied late: outcome",
    "applied late: renewal",
    "attempt 2",
    "attempt 3 or more",
    "claim accounted elsewhere",
    "claim busy",
    "claim locked",
    "claim of a disabled row",
    "claim of a deleted row",
    "claim of an old spec",
    "clock off",
    "clock off for good",
    "clock steps",
    "clocks that drift",
    "coalesced",
    "crashes",
    "cut off",
    "cut off for good",
    "database is frozen",
    "database is read-only",
    "database refuses",
    "dead for good",
    "deleted in mid-run",
    "discarded",
    "edits",
    "flapping for good",
    "goes on and was taken for dead",
    "healed",
    "hung",
    "lease lost",
    "lease over before the first step",
    "lease lost in mid-run",
    "lost",
    "lost and retried",
    "manual or retry taken elsewhere",
    "missed",
    "missed in a range",
    "night of a gap",
    "night of an overlap",
    "paused for good",
    "pauses",
    "readings of what was edited",
    "rejected",
    "second stops",
    "settled: locked",
    "settled: not written",
    "settled: written",
    "skipped",
    "sleeps",
    "slow",
    "stale readings",
    "stops",
    "stops during a claim",
    "told of an edit",
    "withdrawn",
];

pub(super) fn in_call(call: &Call, counts: &mut Counts) {
    if matches!(call, Call::Read(seen) if seen.scope() != Scope::All) {
        *counts.entry("readings of what was edited").or_default() += 1;
    }
    if let Call::Claim(claims) = call {
        *counts.entry("claims").or_default() += claims.len() as u64;
    }
}

/// The name of `call`, committed after everybody gave up.
pub(super) fn applied_late(call: &Call) -> &'static str {
    match call {
        Call::Claim(_) => "applied late: claim",
        Call::Record(_) => "applied late: outcome",
        Call::Renew => "applied late: renewal",
        _ => "applied late: something else",
    }
}

pub(super) fn in_row(row: &ExecutionRow, counts: &mut Counts) {
    let mut count = |what| *counts.entry(what).or_default() += 1;
    match row.attempt {
        ..=1 => {}
        2 => count("attempt 2"),
        _ => count("attempt 3 or more"),
    }
    let Ok(status) = row.status.parse::<Status>() else { return };
    count(status.as_str());
    if status == Status::Missed {
        let extra: serde_json::Value = serde_json::from_str(&row.extra).unwrap_or_default();
        if extra["count"].as_u64() > Some(1) {
            count("missed in a range");
        }
        if extra["reason"].as_str().is_some_and(|reason| reason.starts_with("coalesced")) {
            count("coalesced");
        }
    }
}

pub(super) fn in_event(event: &Event, counts: &mut Counts) {
    let mut count = |what| *counts.entry(what).or_default() += 1;
    match event {
        Event::Claimed(claims, Err(failure)) => {
            let what = match failure {
                Failure::NotApplied(_) => "claim failed",
                Failure::Unknown(_) => "claim of unknown fate",
            };
            claims.iter().for_each(|_| count(what));
        }
        Event::Claimed(claims, Ok(verdicts)) => {
            for (claim, verdict) in claims.iter().zip(verdicts) {
                match verdict {
                    Verdict::Won(_) if claim.origin == Origin::Retry => count("retry won"),
                    Verdict::Won(_) => count("claim won"),
                    Verdict::Refused(refusal) => {
                        count("claim refused");
                        count(name(*refusal));
                    }
                }
            }
        }
        Event::Settled(_, Ok(settled)) => settled.iter().for_each(|settled| match settled {
            Settled::Written(_) => count("settled: written"),
            Settled::NotWritten => count("settled: not written"),
            Settled::Locked => count("settled: locked"),
        }),
        Event::Recorded(_, Ok(recorded)) => {
            let locked = recorded.iter().filter(|recorded| **recorded == Recorded::Locked);
            locked.for_each(|_| count("record locked"));
        }
        _ => {}
    }
}

fn name(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Gone => "claim of a deleted row",
        Refusal::Disabled => "claim of a disabled row",
        Refusal::SpecChanged => "claim of an old spec",
        Refusal::Accounted(_) => "claim accounted elsewhere",
        Refusal::Busy => "claim busy",
        Refusal::Locked => "claim locked",
        Refusal::RequestGone => "manual or retry taken elsewhere",
    }
}

/// `is_running`: whether jobs run on the node that says it.
pub(super) fn in_notice(notice: &Notice, is_running: bool, counts: &mut Counts) {
    if is_running && matches!(notice, Notice::Health(Health::LeaseLost)) {
        *counts.entry("lease lost in mid-run").or_default() += 1;
    }
    let what = match notice {
        Notice::Rejected(_) => "rejected",
        Notice::Healed(_) => "healed",
        Notice::Health(Health::LeaseLost) => "lease lost",
        Notice::Health(Health::ClockIsOff(_)) => "clock off",
        Notice::RequestRefused { .. } => "withdrawn",
        Notice::Ending(Ending::OutcomeDiscarded { .. }) => "discarded",
        Notice::Ending(Ending::Lost { is_retried: true, .. }) => "lost and retried",
        Notice::Health(Health::LeftUnrecorded(_)) => "left unrecorded",
        _ => return,
    };
    *counts.entry(what).or_default() += 1;
}
