//! Several nodes in trouble, some hundred seeds of it. More: `cargo run --release -p tests --bin simulate`.

use std::collections::BTreeMap;

use tests::sim;

/// 300 seeds are about 600 hours of nodes, and take some seconds in a release build.
const SEEDS: u64 = 300;

#[test]
fn no_rule_is_broken_in_any_simulation_and_everything_that_can_happen_does() {
    let outcomes = sim::play_all(1, SEEDS);
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    for outcome in &outcomes {
        let seed = outcome.seed;
        let broken = &outcome.violations;
        assert!(broken.is_empty(), "`simulate --seed {seed}` shows what happened: {broken:#?}");
        for (what, count) in &outcome.counts {
            *seen.entry(what).or_default() += count;
        }
    }
    for what in sim::WANTED {
        assert!(seen.get(what).is_some_and(|count| *count >= 10), "{what:?} in {seen:#?}");
    }
}
