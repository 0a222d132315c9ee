//! Real programs on a private MariaDB, killed, frozen and stopped; then every row is judged. One JSON line; 1 when a
//! rule was broken.
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
}

#[derive(Subcommand)]
enum What {
    /// One of the programs.
    #[command(hide = true)]
    Node { folder: PathBuf },
}

#[expect(clippy::print_stdout, reason = "it prints its findings")]
fn main() -> anyhow::Result<ExitCode> {
    let Cli { what, nodes, seconds, seed } = Cli::parse();
    if let Some(What::Node { folder }) = what {
        torment::node(&folder)?;
        return Ok(ExitCode::SUCCESS);
    }
    let plan = Plan { nodes, span: Duration::from_secs(seconds), seed };
    let findings = torment::torment(&std::env::current_exe()?, plan)?;
    let findings = findings.context("MariaDB is not installed")?;
    println!("{}", serde_json::to_string(&findings)?);
    Ok(if findings.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
