//! Plays simulations of several nodes in trouble and judges every row. One JSON line; 1 when a rule was broken.
//!
//! ```text
//! cargo run --release -p tests --bin simulate -- --seeds 5000
//! cargo run --release -p tests --bin simulate -- --seed 4711     # again, with its timeline on stderr
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
};

use clap::Parser;
use scheduler_core::clock;
use tests::sim::{self, Outcome};

#[derive(Parser)]
#[command(about = "Plays simulations and judges them")]
struct Cli {
    /// How many seeds to play, from the first one on.
    #[arg(long, default_value_t = 300)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// Play this seed alone and print what happened.
    #[arg(long)]
    seed: Option<u64>,
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "it prints its findings")]
fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(seed) = cli.seed {
        let outcome = sim::play(seed, true);
        outcome.timeline.iter().for_each(|line| eprintln!("{line}"));
        outcome.violations.iter().for_each(|wrong| eprintln!("{}: {}", wrong.rule, wrong.text));
        println!("{}", figures(&[outcome], 0.0));
        return ExitCode::SUCCESS;
    }
    let began = clock::mono();
    let outcomes = sim::play_all(cli.first, cli.seeds);
    let seconds = (clock::mono() - began).as_secs_f64();
    for outcome in &outcomes {
        for wrong in &outcome.violations {
            eprintln!("seed {}: {}: {}", outcome.seed, wrong.rule, wrong.text);
        }
    }
    println!("{}", figures(&outcomes, seconds));
    let is_clean = outcomes.iter().all(|outcome| outcome.violations.is_empty());
    if is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn figures(outcomes: &[Outcome], seconds: f64) -> serde_json::Value {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut wrong: BTreeMap<&str, u64> = BTreeMap::new();
    for outcome in outcomes {
        for (what, count) in &outcome.counts {
            *counts.entry(what).or_default() += count;
        }
        for violation in &outcome.violations {
            *wrong.entry(violation.rule).or_default() += 1;
        }
    }
    let rare = sim::WANTED.iter().filter(|what| counts.get(**what).is_none_or(|count| *count < 10));
    let subsets: BTreeSet<_> = outcomes.iter().map(|outcome| &outcome.classes).collect();
    let node_ms: i64 = outcomes.iter().map(|outcome| outcome.node_ms).sum();
    serde_json::json!({
        "seeds": outcomes.len(),
        "fault_subsets": subsets.len(),
        "node_hours": node_ms / 3_600_000,
        "seconds": seconds,
        "counts": counts,
        "seen_less_than_ten_times": rare.collect::<Vec<_>>(),
        "violations": wrong,
        "failing_seeds": outcomes.iter().filter(|outcome| !outcome.violations.is_empty())
            .map(|outcome| outcome.seed).take(20).collect::<Vec<_>>(),
    })
}
