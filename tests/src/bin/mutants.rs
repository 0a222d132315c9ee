//! Makes each change of `tests/mutants.toml` in a copy of the workspace and runs what is to notice it. Prints a line
//! each; 1 when one was not noticed. What then runs for longer than five minutes, or wants more than 8 GiB, is ended and
//! has noticed it: some of them loop.
//!
//! ```text
//! cargo run -p tests --bin mutants              # all of them, a minute each
//! cargo run -p tests --bin mutants -- NAME …    # these
//! ```

use std::{
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, ExitCode, Stdio},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use tests::{
    mutants::{self, Mutant},
    poll,
};

/// How long what notices a mutant may run once it is built.
const PATIENCE: Duration = Duration::from_secs(300);

/// In a shell: no more memory than this, in KiB, for what follows.
const LIMITED: &str = "ulimit -v 8388608; exec \"$@\"";

enum Verdict {
    Caught,
    Endless,
    Missed,
}

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
        let verdict = match judge(&mutant, &copy, &folder)? {
            Verdict::Caught => "caught",
            Verdict::Endless => "caught, by running for ever,",
            Verdict::Missed => {
                missed += 1;
                "NOT CAUGHT"
            }
        };
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

fn judge(mutant: &Mutant, copy: &Path, folder: &Path) -> anyhow::Result<Verdict> {
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
        let mut command = Command::new("sh");
        command.args(["-c", LIMITED, "sh", env!("CARGO")]).args(args).current_dir(copy);
        command.env("CARGO_TARGET_DIR", folder.join("target"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let is_built = cargo(build).status().context("cargo")?.success();
    let verdict = if is_built { watch(&mut cargo(run)) } else { Ok(Verdict::Missed) };
    for (path, text, _) in &changes {
        std::fs::write(path, text)?;
    }
    ensure!(is_built, "mutant {:?} does not compile", mutant.name);
    verdict
}

/// Runs it with all that it starts, and ends them all when they take too long.
fn watch(command: &mut Command) -> anyhow::Result<Verdict> {
    let mut child = command.process_group(0).spawn().context("cargo")?;
    let ended = poll::until(PATIENCE, || child.try_wait().transpose());
    let Some(status) = ended else {
        let group = format!("-{}", child.id());
        let killed = Command::new("kill").args(["-s", "KILL", "--", &group]).status()?;
        ensure!(killed.success(), "kill -s KILL -- {group}");
        child.wait()?;
        return Ok(Verdict::Endless);
    };
    Ok(if status?.success() { Verdict::Missed } else { Verdict::Caught })
}
