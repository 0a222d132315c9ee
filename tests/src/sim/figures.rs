//! What a campaign of simulations amounts to, in one JSON object.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::{Value, json};

use super::{AGAIN, Counts, Outcome, RULES, WANTED, recovery, time::Ms};

/// What must happen at least so often in a campaign, or it says nothing about it.
pub const OFTEN: u64 = 10;

/// How often everything happened, in all of `outcomes`.
#[must_use]
pub fn counts(outcomes: &[Outcome]) -> Counts {
    sum(outcomes.iter().map(|outcome| &outcome.counts))
}

/// What happened less than [`OFTEN`] times, of what is [`WANTED`].
#[must_use]
pub fn unseen(counts: &Counts) -> Vec<&'static str> {
    let is_rare = |what: &&&str| counts.get(**what).is_none_or(|count| *count < OFTEN);
    WANTED.iter().filter(is_rare).copied().collect()
}

/// All figures of `outcomes`, which took `seconds` to play.
#[must_use]
pub fn figures(outcomes: &[Outcome], seconds: f64) -> Value {
    let counts = counts(outcomes);
    let unseen = unseen(&counts);
    let subsets: BTreeSet<_> = outcomes.iter().map(|outcome| &outcome.classes).collect();
    let hours = outcomes.iter().map(|outcome| outcome.node_ms).sum::<Ms>() / 3_600_000;
    let is_failing = |outcome: &&Outcome| !outcome.findings.violations.is_empty();
    let failing = outcomes.iter().filter(is_failing).map(|outcome| outcome.seed).take(20);
    json!({
        "commit": said_by("git", &["describe", "--always", "--dirty", "--abbrev=12"]),
        "toolchain": said_by("rustc", &["--version"]),
        "seeds": outcomes.len(),
        "fault_subsets": subsets.len(),
        "node_hours": hours,
        "seconds": seconds,
        "simulated_per_real": span(outcomes) / seconds.max(0.001),
        "fires": sum(outcomes.iter().map(|outcome| &outcome.findings.fires)),
        "claims": claims(&counts),
        "lateness_ms": lateness(outcomes),
        "recovery_ms": recoveries(outcomes),
        "counts": counts,
        "sometimes": {
            "seen": WANTED.len() - unseen.len(), "of": WANTED.len(), "less_than_ten_times": unseen,
        },
        "determinism": {
            "played_twice": outcomes.iter().filter(|outcome| outcome.seed.is_multiple_of(AGAIN)).count(),
            "mismatches": broken(outcomes, "determinism"),
        },
        "violations": RULES.iter().map(|rule| (*rule, broken(outcomes, rule))).collect::<BTreeMap<_, _>>(),
        "failing_seeds": failing.collect::<Vec<_>>(),
    })
}

fn sum<'a>(all: impl Iterator<Item = &'a Counts>) -> Counts {
    let mut sum = Counts::new();
    for (what, count) in all.flatten() {
        *sum.entry(what).or_default() += count;
    }
    sum
}

/// Seconds of one clock that were simulated.
fn span(outcomes: &[Outcome]) -> f64 {
    outcomes.iter().map(|outcome| outcome.span.as_secs_f64()).sum()
}

fn broken(outcomes: &[Outcome], rule: &str) -> usize {
    let violations = outcomes.iter().flat_map(|outcome| &outcome.findings.violations);
    violations.filter(|violation| violation.rule == rule).count()
}

/// What became of the claims that were tried; those whose node did not live to hear are unheard.
fn claims(counts: &Counts) -> Value {
    let count = |what: &str| counts.get(what).copied().unwrap_or(0);
    let won = count("claim won") + count("retry won");
    let heard =
        won + count("claim refused") + count("claim failed") + count("claim of unknown fate");
    json!({
        "tried": count("claims"),
        "won": won,
        "refused": count("claim refused"),
        "failed": count("claim failed"),
        "unknown": count("claim of unknown fate"),
        "unknown_then_won": count("settled: written"),
        "unknown_then_lost": count("settled: not written"),
        "unheard": count("claims").saturating_sub(heard),
    })
}

/// How late fires began that need not wait.
fn lateness(outcomes: &[Outcome]) -> Value {
    let mut all: BTreeMap<&str, BTreeMap<Ms, u64>> = BTreeMap::new();
    for (when, runs) in outcomes.iter().flat_map(|outcome| &outcome.findings.lateness) {
        for (late, count) in runs {
            *all.entry(when).or_default().entry(*late).or_default() += count;
        }
    }
    let describe = |runs: BTreeMap<Ms, u64>| {
        let count: u64 = runs.values().sum();
        let mut below = 0;
        let p99 = runs.iter().find(|(_, count_of)| {
            below += **count_of;
            below * 100 >= count * 99
        });
        let max = runs.last_key_value();
        json!({ "runs": count, "p99": p99.map(|(late, _)| late), "max": max.map(|(late, _)| late) })
    };
    all.into_iter().map(|(when, runs)| (when.to_owned(), describe(runs))).collect()
}

/// The longest recovery for each length of the lease, and what it may be.
fn recoveries(outcomes: &[Outcome]) -> Value {
    let mut longest: BTreeMap<Ms, Option<Ms>> = BTreeMap::new();
    for outcome in outcomes {
        let entry = longest.entry(outcome.lease).or_default();
        *entry = (*entry).max(outcome.findings.recovery);
    }
    let describe = |(lease, longest): (Ms, Option<Ms>)| {
        (format!("lease {lease}"), json!({ "longest": longest, "bound": recovery(lease) }))
    };
    longest.into_iter().map(describe).collect()
}

/// What a program prints that ends at once; `unknown` where it is not there.
fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.ok().filter(|output| output.status.success());
    text.map_or_else(
        || "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
