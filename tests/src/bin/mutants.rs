//! Makes each change of `tests/mutants.toml` in a copy of the workspace and runs what is to notice it. Prints a line
//! each; 1 when one was not noticed.
//!
//! ```text
//! cargo run -p tests --bin mutants              # all of them, a minute each
//! cargo run -p tests --bin mutants -- NAME …    # these
//! ```

use std::{
    path::Path,
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context as _, ensure};
use tests::mutants::{self, Mutant};

#[expect(clippy::print_stdout, reason = "it prints its findings")]
fn main() -> anyhow::Result<ExitCode> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let folder = mutants::workspace().join("target/mutants");
    let copy = folder.join("workspace");
    copy_workspace(&copy)?;
    let mut missed = 0;
    for mutant in mutants::all()? {
        if !wanted.is_empty() && !wanted.contains(&mutant.name) {
            continue;
        }
        let is_caught = is_caught(&mutant, &copy, &folder)?;
        missed += usize::from(!is_caught);
        let verdict = if is_caught { "caught" } else { "NOT CAUGHT" };
        println!("{verdict} by {}: {}: {}", mutant.caught_by, mutant.name, mutant.what);
    }
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Everything that git knows of, as it stands.
fn copy_workspace(copy: &Path) -> anyhow::Result<()> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(mutants::workspace())
        .output()
        .context("git ls-files")?;
    ensure!(listed.status.success(), "git ls-files failed");
    for file in listed.stdout.split(|byte| *byte == 0).filter(|file| !file.is_empty()) {
        let file = std::str::from_utf8(file)?;
        let (from, to) = (mutants::workspace().join(file), copy.join(file));
        let text = std::fs::read(&from).with_context(|| from.display().to_string())?;
        // What has not changed keeps its time, so that it is not built again.
        if std::fs::read(&to).ok().as_ref() != Some(&text) {
            std::fs::create_dir_all(to.parent().context("a file stands in a folder")?)?;
            std::fs::write(&to, text)?;
        }
    }
    Ok(())
}

fn is_caught(mutant: &Mutant, copy: &Path, folder: &Path) -> anyhow::Result<bool> {
    let changes = mutant.changes(copy)?;
    for (path, _, changed) in &changes {
        std::fs::write(path, changed)?;
    }
    let (build, run): (&[&str], &[&str]) = match &*mutant.caught_by {
        "simulate" => (
            &["build", "--release", "-p", "tests", "--bin", "simulate"],
            &["run", "--release", "-p", "tests", "--bin", "simulate", "--", "--seeds", "600"],
        ),
        test => (
            &["test", "-p", "tests", "--test", test, "--no-run"],
            &["test", "-p", "tests", "--test", test],
        ),
    };
    let cargo = |args: &[&str]| {
        Command::new(env!("CARGO"))
            .args(args)
            .current_dir(copy)
            .env("CARGO_TARGET_DIR", folder.join("target"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .context("cargo")
    };
    let is_built = cargo(build)?.success();
    let is_caught = !cargo(run)?.success();
    for (path, text, _) in &changes {
        std::fs::write(path, text)?;
    }
    ensure!(is_built, "mutant {:?} does not compile", mutant.name);
    Ok(is_caught)
}
