//! Plays simulations of several nodes in trouble and judges every row. One JSON line; 1 when a rule was broken.
//!
//! ```text
//! cargo run --release -p tests --bin simulate -- --seeds 5000
//! cargo run --release -p tests --bin simulate -- --seed 4711     # again, with its timeline on stderr
//! ```

use std::process::ExitCode;

use clap::Parser;
use scheduler_core::clock;
use tests::sim::{self, Log, Outcome, figures::figures};

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
    let began = clock::mono();
    let outcomes = match cli.seed {
        Some(seed) => vec![sim::play(seed, Log::Lines)],
        None => sim::play_all(cli.first, cli.seeds),
    };
    let seconds = (clock::mono() - began).as_secs_f64();
    for outcome in &outcomes {
        outcome.timeline.iter().for_each(|line| eprintln!("{line}"));
        for wrong in &outcome.findings.violations {
            eprintln!("seed {}: {}: {}", outcome.seed, wrong.rule, wrong.text);
        }
    }
    println!("{}", figures(&outcomes, seconds));
    let is_clean = |outcome: &Outcome| outcome.findings.violations.is_empty();
    if outcomes.iter().all(is_clean) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
