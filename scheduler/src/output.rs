//! The only place that prints: data on stdout, as a table for people or as JSON, and messages on
//! stderr.
//!
//! Values come from rows that anybody may have written: what would move the cursor of a terminal is
//! escaped. A reader that has seen enough (`| head`) is no error.

use std::io::{self, ErrorKind, Write as _};

use anyhow::Context as _;
use chrono::{DateTime, SecondsFormat, Utc};
use comfy_table::{Table, presets};
use serde::Serialize;

/// How data is printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    is_json: bool,
}

impl Output {
    pub(crate) fn new(is_json: bool) -> Self {
        Self { is_json }
    }

    pub(crate) fn is_json(self) -> bool {
        self.is_json
    }

    /// Prints an array, or a table with a line per row; `none` tells people that there is no row.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub(crate) fn list<T: Serialize, const N: usize>(
        self,
        rows: &[T],
        header: [&str; N],
        cells: impl Fn(&T) -> [String; N],
        none: &str,
    ) -> anyhow::Result<()> {
        if self.is_json {
            return print_json(&rows);
        }
        if rows.is_empty() {
            message(none);
            return Ok(());
        }
        print(&table(header, rows.iter().map(cells)))
    }

    /// Prints an object, or `text`.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub(crate) fn object(
        self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        if self.is_json { print_json(value) } else { print(&text()) }
    }

    /// Prints an object on one line, or `text`, of something that goes on.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub(crate) fn line(
        self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        if self.is_json {
            return print(
                &serde_json::to_string(value).context("bug: data that JSON cannot hold")?,
            );
        }
        print(&text())
    }

    /// Prints an array, or `text`, unless that is empty.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub(crate) fn lines<T: Serialize>(
        self,
        rows: &[T],
        text: impl Fn(&T) -> Option<String>,
    ) -> anyhow::Result<()> {
        if self.is_json {
            return print_json(&rows);
        }
        let lines: Vec<String> = rows.iter().filter_map(text).collect();
        if lines.is_empty() { Ok(()) } else { print(&lines.join("\n")) }
    }
}

/// Says something on stderr. Nobody can be told when that fails.
pub(crate) fn message(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Columns side by side, two blanks between them, no lines drawn: easy on the eye and on `grep`.
pub(crate) fn table<const N: usize>(
    header: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header);
    table.add_rows(rows.map(|row| row.map(|cell| visible(&cell))));
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

/// Names and values, one pair a line.
pub(crate) fn pairs(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let line = |(name, value): &(&str, String)| {
        format!("{name:<width$}  {}", visible(value)).trim_end().to_owned()
    };
    pairs.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// `text` with each character escaped that moves the cursor, ends a line, turns the reading direction
/// or cannot be seen.
pub(crate) fn visible(text: &str) -> String {
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// RFC 3339 in UTC, with milliseconds only where there are any.
pub(crate) fn utc(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&serde_json::to_string_pretty(value).context("bug: data that JSON cannot hold")?)
}

/// Prints a line of text.
///
/// # Errors
/// When stdout cannot be written.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    bytes(format!("{text}\n").as_bytes())
}

/// Prints what is made for other programs, as it is.
///
/// # Errors
/// When stdout cannot be written.
pub(crate) fn bytes(bytes: &[u8]) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("stdout cannot be written"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_cursor_is_escaped_and_letters_are_not() {
        assert_eq!(
            visible("测试 äß\u{1b}[2J\n\u{202e}\u{9b}"),
            r"测试 äß\u{1b}[2J\n\u{202e}\u{9b}"
        );
    }

    #[test]
    fn a_table_has_a_line_per_row_and_no_blanks_at_the_end() {
        let rows = [["1".to_owned(), "a\nb".to_owned()], ["22".to_owned(), String::new()]];
        assert_eq!(table(["id", "key"], rows.into_iter()), "id  key\n1   a\\nb\n22");
    }

    #[test]
    fn an_instant_has_milliseconds_only_where_there_are_any() {
        assert_eq!(utc(DateTime::UNIX_EPOCH), "1970-01-01T00:00:00Z");
        let at = DateTime::from_timestamp_millis(1_050).unwrap();
        assert_eq!(utc(at), "1970-01-01T00:00:01.050Z");
    }
}
