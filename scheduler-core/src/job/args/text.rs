//! Splits text at its commas, as the original program did, and remembers which values were quoted.

use std::fmt;

use crate::plan::words::quote;

/// One value between two commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    /// Without blanks and quotes around it.
    pub(super) text: String,
    /// Whether quotes stood around it: an empty value without them is no value.
    pub(super) is_quoted: bool,
}

impl Value {
    /// A value in quotes.
    pub(super) fn quoted(text: String) -> Self {
        Self { text, is_quoted: true }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quote(&self.text))
    }
}

/// The values of `raw`. Every text has a reading.
pub(super) fn values(raw: &str) -> Vec<Value> {
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
fn read_plain(text: &str) -> (Value, Option<&str>) {
    let (value, after) = match text.split_once(',') {
        Some((value, after)) => (value, Some(after)),
        None => (text, None),
    };
    (Value { text: value.trim_end().to_owned(), is_quoted: false }, after)
}

/// The value in quotes at the start of `text`, if there is one that ends, and what follows its comma.
fn read_quoted(text: &str) -> Option<(Value, Option<&str>)> {
    let mark = ["\"", "'", "\\\"", "\\'"].into_iter().find(|mark| text.starts_with(mark))?;
    let escaped = format!("\\{mark}");
    let mut value = String::new();
    let mut rest = &text[mark.len()..];
    loop {
        if rest.starts_with(&escaped) {
            value.push_str(mark);
            rest = &rest[escaped.len()..];
        } else if let Some(after) = rest.strip_prefix(mark).and_then(after_quoted) {
            return Some((Value::quoted(value), after));
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
        let values = values(raw);
        let texts: Vec<_> = values.iter().map(|value| value.text.as_str()).collect();
        assert_eq!(texts, expected, "args {raw:?}");
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
    fn a_value_is_quoted_when_its_quotes_end() {
        #[track_caller]
        fn check(raw: &str, expected: &[bool]) {
            let quoted: Vec<_> = values(raw).iter().map(|value| value.is_quoted).collect();
            assert_eq!(quoted, expected, "args {raw:?}");
        }
        check(r#"a,"a",'a',\"a\""#, &[false, true, true, true]);
        check(r#""",,''"#, &[true, false, true]);
        check(r#"'tis,"a"#, &[false, false]);
    }

    proptest! {
        #[test]
        fn every_text_has_a_reading(raw in r#"[ab,'"\\ é]{0,40}"#) {
            prop_assert_eq!(values(&raw).is_empty(), raw.trim().is_empty());
        }

        #[test]
        fn values_in_quotes_come_back_as_they_were(texts in prop::collection::vec("[ab, é]{0,9}", 1..5)) {
            let raw = texts.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(",");
            prop_assert_eq!(values(&raw), texts.into_iter().map(Value::quoted).collect::<Vec<_>>());
        }
    }
}
