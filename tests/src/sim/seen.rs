//! What was seen to happen: a simulation in which something never happens says nothing about it.

use std::collections::BTreeMap;

use scheduler_core::plan::{
    claim::{Origin, Refusal, Verdict},
    execution::Recorded,
    node::{Ending, Event, Health, Notice, Settled},
};

/// How often, by name.
pub(super) type Counts = BTreeMap<&'static str, u64>;

/// What must be seen in every campaign, at least ten times.
pub const WANTED: [&str; 29] = [
    "answers lost",
    "applied late",
    "claim accounted elsewhere",
    "claim busy",
    "claim locked",
    "claim of a disabled row",
    "claim of a deleted row",
    "claim of an old spec",
    "clock off",
    "clock steps",
    "crashes",
    "database troubles",
    "discarded",
    "edits",
    "healed",
    "hung",
    "lease lost",
    "lost",
    "lost and retried",
    "manual or retry taken elsewhere",
    "missed",
    "pauses",
    "rejected",
    "settled: not written",
    "settled: written",
    "skipped",
    "sleeps",
    "stops",
    "withdrawn",
];

pub(super) fn in_event(event: &Event, counts: &mut Counts) {
    let mut count = |what| *counts.entry(what).or_default() += 1;
    match event {
        Event::Claimed(claims, Ok(verdicts)) => {
            for (claim, verdict) in claims.iter().zip(verdicts) {
                match verdict {
                    Verdict::Won(_) if claim.origin == Origin::Retry => count("retry won"),
                    Verdict::Won(_) => count("claim won"),
                    Verdict::Refused(refusal) => count(name(*refusal)),
                }
            }
        }
        Event::Settled(_, Ok(settled)) => settled.iter().for_each(|settled| match settled {
            Settled::Written(_) => count("settled: written"),
            Settled::NotWritten => count("settled: not written"),
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

pub(super) fn in_notice(notice: &Notice, counts: &mut Counts) {
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
