//! `completions` and `man`: what the command line says of itself, for a shell and for `man`.

use std::{fs, path::Path};

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{cli::Cli, exit::Exit, output};

/// Prints the script for `shell`.
///
/// # Errors
/// When stdout cannot be written.
pub(crate) fn completions(shell: Shell) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "scheduler", &mut script);
    output::bytes(&script)?;
    Ok(Exit::Done)
}

/// Prints the page of the program, or writes it and one for each verb into `folder`, which is made.
///
/// # Errors
/// When stdout or the folder cannot be written.
pub(crate) fn man(folder: Option<&Path>) -> anyhow::Result<Exit> {
    // For which there is no page.
    let command = Cli::command().disable_help_subcommand(true);
    if let Some(folder) = folder {
        let written =
            fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(command, folder));
        written.with_context(|| format!("{} cannot be written", folder.display()))?;
        return Ok(Exit::Done);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).context("bug: memory can be written")?;
    output::bytes(&page)?;
    Ok(Exit::Done)
}
