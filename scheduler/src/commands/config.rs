//! `config show`: what is in force, key by key, and where it came from.

use scheduler_core::config::Setting;
use serde::Serialize;

use crate::{context::Context, exit::Exit, output::message};

#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    /// `None`: above the first table.
    table: Option<&'a str>,
    key: &'a str,
    value: &'a str,
    origin: String,
}

impl<'a> Line<'a> {
    fn of(setting: &'a Setting) -> Self {
        let Setting { file, table, key, value, origin } = setting;
        let table = Some(table.as_str()).filter(|table| !table.is_empty());
        Self { file, table, key, value, origin: origin.to_string() }
    }
}

/// Shows each key. The configuration was read and is right, else there is no context.
///
/// # Errors
/// When stdout cannot be written.
pub(crate) fn show(context: &Context) -> anyhow::Result<Exit> {
    let config = context.config();
    for warning in &config.warnings {
        message(&format!("warning: {warning}"));
    }
    let lines: Vec<Line<'_>> = config.settings.iter().map(Line::of).collect();
    let cells = |line: &Line<'_>| {
        let Line { file, table, key, value, origin } = line;
        [*file, table.unwrap_or("-"), key, value, origin].map(str::to_owned)
    };
    let header = ["file", "table", "key", "value", "origin"];
    context.output.list(&lines, header, cells, "no key")?;
    Ok(Exit::Done)
}
