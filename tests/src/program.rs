//! The scheduler as a process of its own, with the witness among its jobs, in a folder of its own.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Result, ensure};
use scheduler_core::clock;
use tempfile::TempDir;

use crate::poll;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Writes the four files of the environment `local` into `folder`: the store is the MySQL at `url` (`None`: each process
/// is told by a variable), and `common` is what `common.toml` says beside.
///
/// # Errors
/// When the system refuses a file.
pub fn configure(folder: &Path, url: Option<&str>, common: &str) -> io::Result<()> {
    let conf = folder.join("conf/local");
    fs::create_dir_all(&conf)?;
    fs::write(conf.join("common.toml"), format!("store = \"mysql\"\n{common}\n"))?;
    let mysql = url.map(|url| format!("[default]\nurl = \"{url}\"\n"));
    fs::write(conf.join("mysql.toml"), mysql.unwrap_or_default())?;
    fs::write(conf.join("redis.toml"), "")?;
    fs::write(conf.join("logger.toml"), "")
}

/// The variable that says where a program listens: many run at once.
pub const LISTEN: &str = "SCHEDULER__COMMON__HTTP__LISTEN";

/// Sends a process a signal, by its name without `SIG`.
///
/// # Errors
/// When the system refuses.
pub fn signal(child: &Child, name: &str) -> Result<()> {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-s", name, &pid]).status()?;
    ensure!(sent.success(), "kill -s {name} {pid}");
    Ok(())
}

/// A running program. Killed when this is dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    folder: TempDir,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    /// Starts one on the database at `url`. `this` is the binary of [the torment](crate::torment::torment), `common` what
    /// `common.toml` says, `environment` what the process is given beside what it inherits.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn start(
        this: &Path,
        url: &str,
        common: &str,
        environment: impl IntoIterator<Item = (&'static str, String)>,
    ) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        configure(folder.path(), Some(url), common)?;
        Self::start_in(this, folder, environment)
    }

    /// The same with the configuration that stands in `folder` already.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn start_in(
        this: &Path,
        folder: TempDir,
        environment: impl IntoIterator<Item = (&'static str, String)>,
    ) -> io::Result<Self> {
        let child = Command::new(this)
            .arg("node")
            .arg(folder.path())
            .env(LISTEN, "off")
            .envs(environment)
            // It ends when this does, as it does when the test ends.
            .stdin(Stdio::piped())
            .stderr(fs::File::create(folder.path().join("log"))?)
            .spawn()?;
        Ok(Self { child, folder })
    }

    /// A file of its folder.
    #[must_use]
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// What it has said so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Waits until it has said `text`.
    ///
    /// # Panics
    /// When it does not within a minute.
    #[track_caller]
    pub fn says(&self, text: &str) {
        let said = poll::until(PATIENCE, || self.log().contains(text).then_some(()));
        assert!(said.is_some(), "{text:?} is not in {}", self.log());
    }

    /// Sends it a signal, by its name without `SIG`.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn signal(&self, name: &str) {
        signal(&self.child, name).expect("a signal can be sent");
    }

    /// Waits for its end: its exit code.
    ///
    /// # Panics
    /// When it does not end within a minute.
    #[track_caller]
    pub fn ends(&mut self) -> Option<i32> {
        let status = poll::until(PATIENCE, || self.child.try_wait().ok().flatten());
        status.unwrap_or_else(|| panic!("it goes on: {}", self.log())).code()
    }

    /// Sends it a signal: how long it takes until it ends, and with which code.
    ///
    /// # Panics
    /// When it does not end within a minute.
    #[track_caller]
    pub fn ends_after(&mut self, signal: &str) -> (Duration, Option<i32>) {
        let asked = clock::mono();
        self.signal(signal);
        let code = self.ends();
        (clock::mono() - asked, code)
    }

    /// Sends it a signal again and again: two that come at once are one. How long it takes until it ends, and with which
    /// code.
    ///
    /// # Panics
    /// When it does not end within a minute.
    #[track_caller]
    pub fn ends_after_each(&mut self, signal: &str) -> (Duration, Option<i32>) {
        let asked = clock::mono();
        let status = poll::until(PATIENCE, || {
            self.signal(signal);
            self.child.try_wait().ok().flatten()
        });
        let code = status.unwrap_or_else(|| panic!("it goes on: {}", self.log())).code();
        (clock::mono() - asked, code)
    }
}
