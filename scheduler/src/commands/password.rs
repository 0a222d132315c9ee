//! `password`: the hash by which a person is known who logs in.

use std::io::{self, BufRead as _, IsTerminal as _};

use anyhow::{Context as _, bail};
use scheduler_core::config::hash_password;
use serde::Serialize;

use crate::{cli::Globals, exit::Exit, output::Output};

/// Shorter ones are guessed.
const SHORTEST: usize = 8;

#[derive(Serialize)]
struct Hashed<'a> {
    password_hash: &'a str,
}

/// Asks for a password, or reads a line, and prints its hash.
///
/// # Errors
/// When it is too short, or what is typed the second time is another.
pub(crate) fn password(globals: &Globals) -> anyhow::Result<Exit> {
    let password = if io::stdin().is_terminal() { typed()? } else { line()? };
    if password.chars().count() < SHORTEST {
        bail!("the password is too short, expected {SHORTEST} characters or more");
    }
    let hash = hash_password(&password);
    Output::new(globals.json).object(&Hashed { password_hash: &hash }, || hash.clone())?;
    Ok(Exit::Done)
}

fn typed() -> anyhow::Result<String> {
    const NO_TERMINAL: &str = "cannot read a password from this terminal";
    let password = rpassword::prompt_password("Password: ").context(NO_TERMINAL)?;
    let again = rpassword::prompt_password("Once more: ").context(NO_TERMINAL)?;
    if password != again {
        bail!("the two passwords differ, expected the same twice");
    }
    Ok(password)
}

fn line() -> anyhow::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).context("cannot read a password")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
