//! The programs, and what befalls them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;
use scheduler_core::{App, clock, config::Config};

use super::witness::{self, Line, Notebook};

/// A program runs until SIGTERM: what each process of a torment does.
///
/// # Errors
/// When the scheduler does not start, or fails.
pub fn node(folder: &Path) -> Result<()> {
    let config = Config::load(&folder.join("conf"), "local", [])?;
    let notebook = Notebook(folder.join("testimony"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        let stop = async {
            term.recv().await;
        };
        Ok(App::new().state(notebook).run_until(&config, stop).await?)
    })
}

/// What a program is doing.
enum Fate {
    Runs(Child),
    /// Until then, monotonic.
    Frozen(Child, Duration),
    /// Asked to stop then, monotonic.
    Stopping(Child, Duration),
    Gone,
}

/// The programs.
pub(super) struct Nodes {
    this: PathBuf,
    folder: PathBuf,
    fates: Vec<Fate>,
    /// What befell them how often.
    pub(super) counts: BTreeMap<&'static str, u64>,
    /// What was wrong with their ends.
    pub(super) wrong: Vec<String>,
}

/// How long an orderly stop may take: `shutdown_timeout`, 2 s to record, two good-byes of 1 s, and a busy machine.
const LONGEST_STOP: Duration = Duration::from_secs(12);

impl Nodes {
    pub(super) fn new(this: &Path, folder: &Path, count: usize) -> Self {
        Self {
            this: this.to_owned(),
            folder: folder.to_owned(),
            fates: (0..count).map(|_| Fate::Gone).collect(),
            counts: BTreeMap::new(),
            wrong: Vec::new(),
        }
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    pub(super) fn start(&mut self, index: usize) -> Result<()> {
        let mut command = Command::new(&self.this);
        command.arg("node").arg(&self.folder).stdin(Stdio::null());
        let child = command.spawn().context("starting a node")?;
        self.count("starts");
        self.fates[index] = Fate::Runs(child);
        Ok(())
    }

    fn take(&mut self, index: usize) -> Fate {
        std::mem::replace(&mut self.fates[index], Fate::Gone)
    }

    pub(super) fn kill(&mut self, index: usize) -> Result<()> {
        if let Fate::Runs(mut child) | Fate::Frozen(mut child, _) = self.take(index) {
            child.kill()?;
            child.wait()?;
            self.count("kills");
        }
        Ok(())
    }

    pub(super) fn freeze(&mut self, index: usize, span: Duration) -> Result<()> {
        match self.take(index) {
            Fate::Runs(child) => {
                signal(&child, "STOP")?;
                self.count("freezes");
                self.fates[index] = Fate::Frozen(child, clock::mono() + span);
            }
            other => self.fates[index] = other,
        }
        Ok(())
    }

    pub(super) fn stop(&mut self, index: usize) -> Result<()> {
        match self.take(index) {
            Fate::Runs(child) => {
                signal(&child, "TERM")?;
                self.count("stops");
                self.fates[index] = Fate::Stopping(child, clock::mono());
            }
            other => self.fates[index] = other,
        }
        Ok(())
    }

    /// Who was frozen for long enough goes on; who is gone comes back soon.
    pub(super) fn go_on_and_restart(&mut self, rng: &mut Rng) -> Result<()> {
        for index in 0..self.fates.len() {
            self.fates[index] = match self.take(index) {
                Fate::Frozen(child, until) if until <= clock::mono() => {
                    signal(&child, "CONT")?;
                    Fate::Runs(child)
                }
                Fate::Stopping(child, asked) => self.see_it_stop(child, asked)?,
                Fate::Runs(mut child) => match child.try_wait()? {
                    None => Fate::Runs(child),
                    Some(status) => {
                        self.wrong.push(format!("a node ended by itself: {status}"));
                        Fate::Gone
                    }
                },
                fate => fate,
            };
            if matches!(self.fates[index], Fate::Gone) && rng.u8(0..3) == 0 {
                self.start(index)?;
            }
        }
        Ok(())
    }

    fn see_it_stop(&mut self, mut child: Child, asked: Duration) -> Result<Fate> {
        match child.try_wait()? {
            Some(status) => {
                if !status.success() {
                    self.wrong.push(format!("an orderly stop ended with {status}"));
                }
                Ok(Fate::Gone)
            }
            None if clock::mono() - asked > LONGEST_STOP => {
                self.wrong.push(format!("a stop took longer than {} s", LONGEST_STOP.as_secs()));
                child.kill()?;
                child.wait()?;
                Ok(Fate::Gone)
            }
            None => Ok(Fate::Stopping(child, asked)),
        }
    }

    /// Everybody runs again.
    pub(super) fn mend(&mut self) -> Result<()> {
        for index in 0..self.fates.len() {
            match self.take(index) {
                Fate::Frozen(child, _) => {
                    signal(&child, "CONT")?;
                    self.fates[index] = Fate::Runs(child);
                }
                Fate::Runs(child) => self.fates[index] = Fate::Runs(child),
                Fate::Stopping(mut child, _) => {
                    child.wait()?;
                    self.start(index)?;
                }
                Fate::Gone => self.start(index)?,
            }
        }
        Ok(())
    }

    /// Everybody stops in order; what the jobs wrote.
    pub(super) fn end(&mut self) -> Result<Vec<Line>> {
        for index in 0..self.fates.len() {
            self.stop(index)?;
        }
        for index in 0..self.fates.len() {
            if let Fate::Stopping(mut child, _) = self.take(index) {
                let status = child.wait()?;
                if !status.success() {
                    self.wrong.push(format!("the last stop ended with {status}"));
                }
            }
        }
        witness::read(&self.folder.join("testimony"))
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        for fate in &mut self.fates {
            if let Fate::Runs(child) | Fate::Frozen(child, _) | Fate::Stopping(child, _) = fate {
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }
}

fn signal(child: &Child, name: &str) -> Result<()> {
    let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status()?;
    ensure!(sent.success(), "kill -s {name}");
    Ok(())
}
