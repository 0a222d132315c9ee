//! The simulation: the scheduler's own brain, [`Node`](scheduler_core::plan::node::Node), on several machines that
//! crash, freeze, lose answers and have wrong clocks, before one database that does the same. Everything follows from a
//! seed. What came of it is judged by people who never saw the scheduler's code: `grid` finds the instants by trying
//! each minute, `truth` is what the jobs saw, `judge` compares.

mod database;
mod faults;
pub mod figures;
mod grid;
mod judge;
mod machine;
mod people;
mod seen;
mod time;
mod truth;
mod world;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use fastrand::Rng;

use self::{
    faults::Faults,
    time::Ms,
    world::{Shape, World},
};
pub use self::{
    judge::{Findings, RULES, Violation, recovery},
    seen::{Counts, WANTED},
    world::Log,
};

/// What came of a seed.
#[derive(Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// What the judge found.
    pub findings: Findings,
    /// How long a node counted as alive after its last renewal, in milliseconds.
    pub lease: Ms,
    /// Which faults there were.
    pub classes: Vec<&'static str>,
    /// What happened how often.
    pub counts: Counts,
    /// Simulated time from the beginning to the end.
    pub span: Duration,
    /// That of all nodes together, in milliseconds.
    pub node_ms: Ms,
    /// Changes with everything that happened, and with its order, if [`Log`] says so.
    pub digest: u64,
    /// What happened, a line each, if it was asked for.
    pub timeline: Vec<String>,
}

/// One of so many seeds is played twice.
const AGAIN: u64 = 50;

const MINUTE: Ms = 60_000;

/// 2026-01-01 00:00 UTC.
const NEW_YEAR: Ms = 1_767_225_600_000;

/// Nights in which clocks change in a zone of the rows, in UTC: London and New York put theirs forward, New York, Lord
/// Howe and Chatham theirs back.
const NIGHTS: [(Ms, &str); 5] = [
    (1_774_746_000_000, "night of a gap"),
    (1_772_953_200_000, "night of a gap"),
    (1_793_512_800_000, "night of an overlap"),
    (1_775_314_800_000, "night of an overlap"),
    (1_775_311_200_000, "night of an overlap"),
];

/// Plays `seed`.
#[must_use]
pub fn play(seed: u64, log: Log) -> Outcome {
    let mut rng = Rng::with_seed(seed);
    let faults = Faults::draw(&mut rng);
    let classes = faults.classes();
    let minutes = rng.i64(10..60);
    let night = if rng.u8(0..10) == 0 { rng.choice(NIGHTS) } else { None };
    let now = match night {
        // The clocks change before the end.
        Some((at, _)) => at - rng.i64(0..minutes + 15) * MINUTE,
        None => NEW_YEAR + rng.i64(0..525_600) * MINUTE,
    } + rng.i64(0..MINUTE);
    let lease = *rng.choice(&[10_000, 30_000, 30_000, 60_000]).unwrap_or(&30_000);
    let heals = now + minutes * MINUTE;
    let until = heals + 15 * MINUTE;
    let shape =
        Shape { now, heals, until, nodes: rng.usize(1..=4), tasks: rng.usize(1..=12), lease };
    let mut world = World::new(rng, faults.clone(), shape, log);
    world.run_until(until);
    let changes = std::mem::take(&mut world.database.changes);
    world.digests(|| format!("{changes:?}"));
    world.database.changes = changes;
    let findings = judge::judge(&world, lease, &faults);
    let mut counts = world.counts.clone();
    world.database.executions().iter().for_each(|row| seen::in_row(row, &mut counts));
    counts.insert("edits", world.people.edits);
    counts.insert("deleted in mid-run", world.people.deleted_in_mid_run);
    counts.extend(night.map(|(_, what)| (what, 1)));
    let nodes = Ms::try_from(shape.nodes).unwrap_or(1);
    Outcome {
        seed,
        findings,
        lease,
        classes,
        counts,
        span: time::span(until - now),
        node_ms: (until - now) * nodes,
        digest: world.digest,
        timeline: world.timeline().to_vec(),
    }
}

/// Plays seeds on all processors, in their order; of every fifty one is played twice, and must come out the same.
///
/// # Panics
/// When a seed panics.
#[must_use]
pub fn play_all(first: u64, seeds: u64) -> Vec<Outcome> {
    let next = AtomicU64::new(first);
    let work = || {
        let mut outcomes = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + seeds {
                return outcomes;
            }
            if !seed.is_multiple_of(AGAIN) {
                outcomes.push(play(seed, Log::None));
                continue;
            }
            let mut outcome = play(seed, Log::Digest);
            if play(seed, Log::Digest).digest != outcome.digest {
                let text = "played again, something else happened".to_owned();
                outcome.findings.violations.push(Violation { rule: "determinism", text });
            }
            outcomes.push(outcome);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut outcomes: Vec<Outcome> = threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("a seed panicked"))
            .collect();
        outcomes.sort_by_key(|outcome| outcome.seed);
        outcomes
    })
}
