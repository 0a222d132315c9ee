//! Several nodes in trouble, some hundred seeds of it. More: `cargo run --release -p tests --bin simulate`.

use tests::sim::{self, figures};

/// 300 seeds are about 600 hours of nodes, and take some seconds in a release build.
const SEEDS: u64 = 300;

#[test]
fn no_rule_is_broken_in_any_simulation_and_everything_that_can_happen_does() {
    let outcomes = sim::play_all(1, SEEDS);
    for outcome in &outcomes {
        let seed = outcome.seed;
        let broken = &outcome.findings.violations;
        assert!(broken.is_empty(), "`simulate --seed {seed}` shows what happened: {broken:#?}");
    }
    let counts = figures::counts(&outcomes);
    assert_eq!(figures::unseen(&counts), [""; 0], "each of these less than ten times: {counts:#?}");
}
