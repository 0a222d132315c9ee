//! Real programs on a private MariaDB, in trouble; then every row is judged. One JSON line; 1 when a rule was broken.
//!
//! ```text
//! cargo run --release -p tests --bin torment -- --nodes 4 --seconds 300
//! ```

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use tests::torment::{self, Plan};

#[derive(Parser)]
#[command(about = "Torments several schedulers and judges what they did")]
struct Cli {
    #[command(subcommand)]
    what: Option<What>,
    /// Programs at once.
    #[arg(long, default_value_t = 3)]
    nodes: usize,
    /// How long they are tormented.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Draws what befalls whom; when exactly, the machine decides.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Kills at a step of theirs, beside those at any time.
    #[arg(long, default_value_t = 20)]
    kills: u32,
    /// Orderly stops at a step of theirs, beside those at any time.
    #[arg(long, default_value_t = 20)]
    stops: u32,
    /// The first statements of a start, at each of which it is killed and stopped.
    #[arg(long, default_value_t = 5)]
    starts: u32,
    /// Edits of rows by hand.
    #[arg(long, default_value_t = 100)]
    edits: u32,
    /// How often another session locks rows and keeps them.
    #[arg(long, default_value_t = 10)]
    holds: u32,
    /// For how long at most.
    #[arg(long, default_value_t = 5)]
    hold_seconds: u64,
    /// How often the database goes away.
    #[arg(long, default_value_t = 4)]
    outages: u32,
    /// For how long.
    #[arg(long, default_value_t = 5)]
    outage_seconds: u64,
    /// How long one node is frozen once.
    #[arg(long, default_value_t = 10)]
    freeze_seconds: u64,
}

#[derive(Subcommand)]
enum What {
    /// One of the programs.
    #[command(hide = true)]
    Node { folder: PathBuf },
}

#[expect(clippy::print_stdout, reason = "it prints its findings")]
fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    if let Some(What::Node { folder }) = cli.what {
        return Ok(torment::node(&folder).into());
    }
    let plan = Plan {
        nodes: cli.nodes,
        span: Duration::from_secs(cli.seconds),
        seed: cli.seed,
        kills: cli.kills,
        stops: cli.stops,
        starts: cli.starts,
        edits: cli.edits,
        holds: cli.holds,
        hold: Duration::from_secs(cli.hold_seconds),
        outages: cli.outages,
        outage: Duration::from_secs(cli.outage_seconds),
        freeze: Duration::from_secs(cli.freeze_seconds),
    };
    let findings = torment::torment(&std::env::current_exe()?, plan)?;
    let findings = findings.context("MariaDB is not installed")?;
    println!("{}", serde_json::to_string(&findings)?);
    Ok(if findings.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
