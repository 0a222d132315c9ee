//! Secrets that stand in files of their own, as container platforms mount them.

use std::{fs::File, io::Read as _, path::Path};

use secrecy::SecretString;

/// 64 KiB: no password is longer, and a device would never end.
const MAX_BYTES: u64 = 64 * 1024;

/// The secret in `path`, without one line end that closes it.
///
/// # Errors
///
/// What the file is or does, to follow "which"; never what it holds.
pub(super) fn read(path: &Path) -> Result<SecretString, String> {
    let cannot = |error: std::io::Error| format!("cannot be read: {}", error.kind());
    if !std::fs::metadata(path).map_err(cannot)?.is_file() {
        return Err("is not a file".to_owned());
    }
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text))
        .map_err(cannot)?;
    let secret = text.strip_suffix('\n').unwrap_or(&text);
    let secret = secret.strip_suffix('\r').unwrap_or(secret);
    match secret {
        "" => Err("is empty, expected a password".to_owned()),
        _ if text.len() as u64 > MAX_BYTES => Err("is larger than 64 KiB".to_owned()),
        _ if secret.chars().any(char::is_control) => {
            Err("holds control characters or several lines, expected a password".to_owned())
        }
        _ => Ok(SecretString::from(secret)),
    }
}

/// The permissions of `path` if they let others than its owner read it.
#[cfg(unix)]
pub(super) fn open_mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o044 != 0).then_some(mode)
}

/// Only Unix has such permissions.
#[cfg(not(unix))]
pub(super) fn open_mode(_path: &Path) -> Option<u32> {
    None
}
