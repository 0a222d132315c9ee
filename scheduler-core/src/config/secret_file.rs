//! Secrets that stand in files of their own, as container platforms mount them.

use std::{fs::File, io::Read as _, path::Path};

use super::value::looks_like_url;

/// 64 KiB: no password is longer, and a device would never end.
const MAX_BYTES: u64 = 64 * 1024;

/// The text in `path`, which is not empty, without one line end that closes it.
///
/// # Errors
///
/// What the file is or does, to follow "which"; never what it holds.
pub(super) fn read(path: &Path) -> Result<String, String> {
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
        "" => Err("is empty, expected a secret".to_owned()),
        _ if text.len() as u64 > MAX_BYTES => Err("is larger than 64 KiB".to_owned()),
        _ => Ok(secret.to_owned()),
    }
}

/// What is wrong with the file `path`. Who gives the secret itself in place of its file gives a url, or a word.
pub(super) fn named(path: &str, reason: &str) -> String {
    let path = if looks_like_url(path) {
        "a url (not shown)"
    } else if !path.contains('/') {
        "a word without \"/\" (not shown)"
    } else {
        path
    };
    format!("names {path}, which {reason}")
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
