//! The simulation: the scheduler's own brain, [`Node`](scheduler_core::plan::node::Node), on several machines that
//! crash, freeze, lose answers and have wrong clocks, before one database that does the same. Everything follows from a
//! seed. What came of it is judged by people who never saw the scheduler's code: `grid` finds the instants by trying
//! each minute, `truth` is what the jobs saw, `judge` compares.

mod database;
mod faults;
mod grid;
mod judge;
mod machine;
mod people;
mod seen;
mod time;
mod truth;
mod world;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use fastrand::Rng;

use self::{
    faults::Faults,
    time::Ms,
    world::{Shape, World},
};
pub use self::{judge::Violation, seen::WANTED};

/// What came of a seed.
#[derive(Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// What was found wrong.
    pub violations: Vec<Violation>,
    /// Which faults there were.
    pub classes: Vec<&'static str>,
    /// What happened how often.
    pub counts: BTreeMap<String, u64>,
    /// Simulated time of all nodes together, in milliseconds.
    pub node_ms: Ms,
    /// Changes with everything that happened, and with its order.
    pub digest: u64,
    /// What happened, a line each, if it was asked for.
    pub timeline: Vec<String>,
}

const MINUTE: Ms = 60_000;

/// 2026-01-01 00:00 UTC.
const NEW_YEAR: Ms = 1_767_225_600_000;

/// Nights on which clocks change in a zone of the rows, in UTC: London, New York, Lord Howe, Chatham.
const NIGHTS: [Ms; 4] =
    [1_774_746_000_000, 1_793_512_800_000, 1_775_314_800_000, 1_775_311_200_000];

/// Plays `seed`.
#[must_use]
pub fn play(seed: u64, keeps_timeline: bool) -> Outcome {
    let mut rng = Rng::with_seed(seed);
    let faults = Faults::draw(&mut rng);
    let classes = faults.classes();
    let minutes = rng.i64(10..60);
    let now = if rng.u8(0..10) == 0 {
        rng.choice(NIGHTS).unwrap_or(NEW_YEAR) + rng.i64(-180..60) * MINUTE
    } else {
        NEW_YEAR + rng.i64(0..525_600) * MINUTE
    } + rng.i64(0..MINUTE);
    let lease = *rng.choice(&[10_000, 30_000, 30_000, 60_000]).unwrap_or(&30_000);
    let heals = now + minutes * MINUTE;
    let until = heals + 15 * MINUTE;
    let shape =
        Shape { now, heals, until, nodes: rng.usize(1..=4), tasks: rng.usize(1..=12), lease };
    let mut world = World::new(rng, faults.clone(), shape, keeps_timeline);
    world.run_until(until);
    let violations = judge::judge(&world, lease, &faults);
    let mut counts: BTreeMap<String, u64> =
        world.counts.iter().map(|(what, count)| ((*what).to_owned(), *count)).collect();
    for row in world.database.executions() {
        *counts.entry(row.status).or_default() += 1;
    }
    counts.insert("edits".to_owned(), world.people.edits);
    let nodes = Ms::try_from(shape.nodes).unwrap_or(1);
    Outcome {
        seed,
        violations,
        classes,
        counts,
        node_ms: (until - now) * nodes,
        digest: world.digest,
        timeline: world.timeline().to_vec(),
    }
}

/// Plays seeds on all processors, in their order; every fiftieth is played twice, and must come out the same.
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
            let mut outcome = play(seed, false);
            if seed.is_multiple_of(50) && play(seed, false).digest != outcome.digest {
                let text = "played again, something else happened".to_owned();
                outcome.violations.push(Violation { rule: "determinism", text });
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
