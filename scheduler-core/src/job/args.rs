//! Reads `task.args`: text that people type, taken as it is meant and never refused.

use std::fmt;
use std::sync::Arc;

/// The values of a row's `args`. Clones are cheap.
///
/// | `args` | values |
/// |---|---|
/// | `1,2,3` | `1`, `2`, `3` |
/// | `"guess","hello"` | `guess`, `hello` |
/// | `"a, b", 'c'` | `a, b`, `c` |
/// | nothing, or only blanks | none |
/// | `""` | one empty value |
/// | `1,,2,` | `1`, empty, `2`, empty |
///
/// Each comma outside quotes separates two values, and blanks around a value are no part of it. A
/// value that begins with `"` or `'` ends at the next such mark that a comma or the end follows;
/// in between, a backslash before the mark keeps it. Without such an end the mark is an ordinary
/// character. `\"guess\"` is read as `"guess"`: that is what the original's rows hold where a
/// database takes a backslash literally.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Args {
    raw: Arc<str>,
    values: Arc<[String]>,
}

/// Why a job cannot read the arguments of a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ArgsError {
    message: String,
}

impl ArgsError {
    /// An error with this text, which names the value and what was expected.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

impl Args {
    /// Reads `raw`. Every text has a reading.
    ///
    /// ```
    /// use scheduler_core::Args;
    ///
    /// let args = Args::parse(r#"report, "Smith, John""#);
    /// assert_eq!(args.len(), 2);
    /// assert_eq!(args.get(1), Some("Smith, John"));
    /// ```
    pub fn parse(raw: &str) -> Self {
        Self { raw: Arc::from(raw), values: read_values(raw).into() }
    }

    /// The text as it stands in the row.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no value at all.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The value at `index`, counted from 0.
    pub fn get(&self, index: usize) -> Option<&str> {
        self.values.get(index).map(String::as_str)
    }

    /// The values in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.values.iter().map(String::as_str)
    }
}

impl fmt::Display for Args {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.raw)
    }
}

fn read_values(raw: &str) -> Vec<String> {
    let mut rest = raw.trim();
    let mut values = Vec::new();
    if rest.is_empty() {
        return values;
    }
    loop {
        let (value, after) = read_quoted(rest).unwrap_or_else(|| read_plain(rest));
        values.push(value);
        match after {
            Some(after) => rest = after.trim_start(),
            None => return values,
        }
    }
}

/// The value up to the next comma, and what follows that comma.
fn read_plain(text: &str) -> (String, Option<&str>) {
    match text.split_once(',') {
        Some((value, after)) => (value.trim_end().to_owned(), Some(after)),
        None => (text.trim_end().to_owned(), None),
    }
}

/// The value in quotes at the start of `text`, if there is one that ends, and what follows its comma.
fn read_quoted(text: &str) -> Option<(String, Option<&str>)> {
    let mark = ["\"", "'", "\\\"", "\\'"].into_iter().find(|mark| text.starts_with(mark))?;
    let escaped = format!("\\{mark}");
    let mut value = String::new();
    let mut rest = &text[mark.len()..];
    loop {
        if rest.starts_with(&escaped) {
            value.push_str(mark);
            rest = &rest[escaped.len()..];
        } else if let Some(after) = rest.strip_prefix(mark).and_then(after_quoted) {
            return Some((value, after));
        } else {
            let character = rest.chars().next()?;
            value.push(character);
            rest = &rest[character.len_utf8()..];
        }
    }
}

/// `Some` if a value may end here: `Some(None)` at the end of the text, else what follows the comma.
fn after_quoted(text: &str) -> Option<Option<&str>> {
    let text = text.trim_start();
    if text.is_empty() {
        return Some(None);
    }
    text.strip_prefix(',').map(Some)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(raw: &str, expected: &[&str]) {
        let args = Args::parse(raw);
        assert_eq!(args.iter().collect::<Vec<_>>(), expected, "args {raw:?}");
        assert_eq!(args.raw(), raw);
        assert_eq!(args.to_string(), raw);
        assert_eq!(args.len(), expected.len());
        assert_eq!(args.is_empty(), expected.is_empty());
    }

    #[test]
    fn commas_separate_values_and_quotes_are_no_part_of_them() {
        check("1,2,3", &["1", "2", "3"]);
        check(r#""guess","hello""#, &["guess", "hello"]);
        check("'guess', 'hello'", &["guess", "hello"]);
        check("one", &["one"]);
        check("测试,🦀", &["测试", "🦀"]);
    }

    #[test]
    fn a_comma_in_quotes_belongs_to_the_value() {
        check(r#""a, b",c"#, &["a, b", "c"]);
        check("c,'a, b'", &["c", "a, b"]);
        check(r#"" a ","#, &[" a ", ""]);
    }

    #[test]
    fn blanks_around_values_are_dropped_and_blanks_within_are_kept() {
        check("  1 ,\t2 2 ,3\n", &["1", "2 2", "3"]);
        check(r#"  "a"  ,  'b'  "#, &["a", "b"]);
    }

    #[test]
    fn empty_text_has_no_values_and_each_comma_separates_two() {
        check("", &[]);
        check(" \t\n", &[]);
        check(r#""""#, &[""]);
        check(",", &["", ""]);
        check("1,,2,", &["1", "", "2", ""]);
    }

    #[test]
    fn the_other_quote_and_an_escaped_one_belong_to_the_value() {
        check(r#""it's",'say "hi"'"#, &["it's", r#"say "hi""#]);
        check(r#""say \"hi\", please",x"#, &[r#"say "hi", please"#, "x"]);
        check("'it's',x", &["it's", "x"]);
    }

    #[test]
    fn a_quote_that_does_not_end_is_an_ordinary_character() {
        check("'tis,x", &["'tis", "x"]);
        check(r#""a,b"#, &[r#""a"#, "b"]);
        check("it's,ok", &["it's", "ok"]);
        check(r#"""#, &[r#"""#]);
    }

    #[test]
    fn the_rows_of_the_original_are_read_alike_with_and_without_their_backslashes() {
        check(r#"\"guess\",\"hello\""#, &["guess", "hello"]);
        check(r"\'a, b\',c", &["a, b", "c"]);
        check(r"C:\dir,\x", &[r"C:\dir", r"\x"]);
    }

    #[test]
    fn a_value_outside_the_text_is_none() {
        let args = Args::parse("1,2");
        assert_eq!(args.get(1), Some("2"));
        assert_eq!(args.get(2), None);
    }

    proptest! {
        #[test]
        fn every_text_has_a_reading(raw in r#"[ab,'"\\ é]{0,40}"#) {
            let args = Args::parse(&raw);
            prop_assert_eq!(args.is_empty(), raw.trim().is_empty());
        }

        #[test]
        fn values_in_quotes_come_back_as_they_were(values in prop::collection::vec("[ab, é]{0,9}", 1..5)) {
            let raw = values.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>().join(",");
            let args = Args::parse(&raw);
            prop_assert_eq!(args.iter().collect::<Vec<_>>(), values);
        }
    }
}
