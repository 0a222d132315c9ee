//! A log file that rolls over by its size, as Python's `RotatingFileHandler` does: `x.log.1` is the newest of the older
//! ones.
//!
//! Several processes may write one file, and another program may rename or remove it: before each record it is looked
//! whether the open file is still the one at its path.

use std::{
    fs::{self, File, Metadata, OpenOptions, TryLockError},
    io::{self, Seek as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{clock::mono, config::LogFile};

/// How long after it could not be rolled over it is tried again.
const ROLLS_AGAIN: Duration = Duration::from_secs(60);

/// The file at a path, open while it can be.
#[derive(Debug)]
pub(super) struct RollingFile {
    is: LogFile,
    file: Option<File>,
    /// A part of a record stands at its end, and could not be taken back.
    is_torn: bool,
    /// After a failure: each try renames the older files first.
    rolls_again_at: Duration,
}

impl RollingFile {
    /// Touches nothing yet.
    pub(super) fn new(is: LogFile) -> Self {
        Self { is, file: None, is_torn: false, rolls_again_at: Duration::ZERO }
    }

    pub(super) fn path(&self) -> &Path {
        &self.is.path
    }

    /// Rolls over if with `bytes` more the file would reach its size. An empty file stays, however long the record.
    pub(super) fn make_room(&mut self, bytes: usize) -> io::Result<()> {
        let LogFile { max_bytes, backups, .. } = self.is;
        if max_bytes == 0 || backups == 0 {
            return Ok(());
        }
        let (file, metadata) = self.current()?;
        let size = metadata.len();
        if !metadata.is_file() || size == 0 || size + (bytes as u64) < max_bytes {
            return Ok(());
        }
        // Who holds the lock rolls it over at this moment. Unlocked when the file is dropped. Where files cannot be locked,
        // two programs that roll over at once may push out an older file too many.
        let is_rolled_now = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
        if is_rolled_now || !is_at(&metadata, self.path()) || mono() < self.rolls_again_at {
            return Ok(());
        }
        let rolled = self.roll();
        if rolled.is_err() {
            self.rolls_again_at = mono() + ROLLS_AGAIN;
        }
        self.file = None;
        rolled
    }

    /// Appends `record` as a whole, or nothing of it.
    pub(super) fn append(&mut self, record: &[u8]) -> io::Result<()> {
        if self.is_torn {
            let (mut file, _) = self.current()?;
            file.write_all(b"\n")?;
            self.is_torn = false;
        }
        let (mut file, _) = self.current()?;
        let mut written = 0;
        while written < record.len() {
            match file.write(&record[written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(more) => written += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.is_torn = written > 0 && !take_back(file, written as u64);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// The file at the path, opened if it is not, or no longer.
    fn current(&mut self) -> io::Result<(&File, Metadata)> {
        if let Some(file) = self.file.take() {
            let metadata = file.metadata()?;
            if is_at(&metadata, &self.is.path) {
                return Ok((self.file.insert(file), metadata));
            }
        }
        let file = self.file.insert(open(&self.is.path)?);
        let metadata = file.metadata()?;
        Ok((file, metadata))
    }

    /// Renames the file and the older ones, from the oldest on, which the last but one replaces.
    fn roll(&self) -> io::Result<()> {
        let older = |number: u32| {
            let mut path = self.is.path.clone().into_os_string();
            path.push(format!(".{number}"));
            PathBuf::from(path)
        };
        for number in (1..self.is.backups).rev() {
            match fs::rename(older(number), older(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(&self.is.path, older(1))
    }
}

/// Opens the file at its end, with its folder.
fn open(path: &Path) -> io::Result<File> {
    let open = || OpenOptions::new().append(true).create(true).open(path);
    open().or_else(|error| match path.parent() {
        Some(folder) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder)?;
            open()
        }
        _ => Err(error),
    })
}

/// Takes back the last `bytes`, unless somebody wrote after them; whether it did.
fn take_back(mut file: &File, bytes: u64) -> bool {
    let Ok(end) = file.stream_position() else { return false };
    let is_last = file.metadata().is_ok_and(|metadata| metadata.len() == end);
    is_last && file.set_len(end - bytes).is_ok()
}

#[cfg(unix)]
fn is_at(open: &Metadata, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).is_ok_and(|there| (there.dev(), there.ino()) == (open.dev(), open.ino()))
}

/// Elsewhere an open file can be neither renamed nor removed.
#[cfg(not(unix))]
fn is_at(_open: &Metadata, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests;
