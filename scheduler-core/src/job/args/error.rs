//! Says why arguments do not fit: where the value stands, what it is, and what was expected.
//!
//! [`Misfit`] is what the deserializers pass upwards; each level adds its step to the place. At the top it
//! becomes an [`ArgsError`], a text. Here is the one place where serde's mistakes are put into words:
//!
//! | args | message |
//! |---|---|
//! | `1,x,3` | `value 2 is "x", expected i64` |
//! | `report,x` for a struct | `value 2 (copies) is "x", expected u8` |
//! | `1,2` | `value 3 is missing, expected i64` |
//! | `1,2,3,4` | `there are 4 values, expected at most 3` |
//! | `{"items": [{"count": "x"}]}` | `items[0].count is "x", expected u32` |
//! | `{}` | ``missing field `to` `` |
//!
//! Whatever a row holds, the text is one line of at most [`LONGEST_MESSAGE`] characters.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, Expected, Unexpected};

use crate::plan::words::quote;

/// Room for a place and a value of 80 characters each, and for the names of a struct or an enum.
const LONGEST_MESSAGE: usize = 500;

/// Why a job cannot read the arguments of a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ArgsError {
    message: String,
}

impl ArgsError {
    /// An error with this text, which names the value and what was expected.
    ///
    /// Control characters are escaped, and what is longer than 500 characters is cut.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: one_line(&message.into()) }
    }
}

/// How a place is named: people who write text count values, JSON has paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Json,
}

/// A value that does not fit, and the way to it.
#[derive(Debug)]
pub(super) struct Misfit {
    /// The innermost step first.
    steps: Vec<Step>,
    fault: Fault,
}

/// One step from a list or an object to what is in it.
#[derive(Debug)]
pub(super) enum Step {
    /// Counted from 0.
    Index(usize),
    /// A value of a list that stands for a field of a struct.
    Positional(usize, &'static str),
    Field(String),
    /// Not the value but its key.
    Key,
}

#[derive(Debug)]
enum Fault {
    Is {
        found: Cow<'static, str>,
        expected: String,
    },
    Missing {
        expected: Option<String>,
    },
    MissingField(&'static str),
    DuplicateField(&'static str),
    Count {
        found: usize,
        expected: String,
    },
    /// A sentence of its own, about a value if it is known which.
    Says {
        found: Option<String>,
        words: String,
    },
}

impl Misfit {
    /// There are so many values, and `expected` says how many there may be.
    pub(super) fn count(found: usize, expected: impl Into<String>) -> Self {
        Fault::Count { found, expected: expected.into() }.into()
    }

    /// There is no value where one was expected.
    pub(super) fn missing(expected: &dyn Expected) -> Self {
        Fault::Missing { expected: Some(expected.to_string()) }.into()
    }

    /// The fault lies one step further down.
    pub(super) fn at(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// The fault lies in a key; one in words says of which key it speaks.
    pub(super) fn at_key(self) -> Self {
        if matches!(self.fault, Fault::Is { .. }) { self.at(Step::Key) } else { self }
    }

    /// A fault in words is about the value `found`, unless it already says about which.
    pub(super) fn about(mut self, value: impl fmt::Display) -> Self {
        if let Fault::Says { found: found @ None, .. } = &mut self.fault
            && self.steps.is_empty()
        {
            *found = Some(value.to_string());
        }
        self
    }

    /// What a struct with `fields` misses when it is read from values in that order.
    pub(super) fn positional(mut self, fields: &'static [&'static str]) -> Self {
        if !self.steps.is_empty() {
            return self;
        }
        match self.fault {
            Fault::MissingField(name) => {
                if let Some(index) = fields.iter().position(|field| *field == name) {
                    self.fault = Fault::Missing { expected: None };
                    self.steps.push(Step::Positional(index, name));
                }
                self
            }
            // Each field is given once, so one of them is named twice: it has an alias.
            Fault::DuplicateField(name) => Self::custom(format!(
                "field `{name}` has an alias, so values in a row do not tell the fields apart: write \
                 JSON, such as {{{name:?}: \"value\"}}"
            )),
            _ => self,
        }
    }

    /// The whole as text.
    pub(super) fn into_error(self, form: Form) -> ArgsError {
        let place = place(&self.steps, form);
        let about = |words: String| match &place {
            Some(place) => format!("{place}: {words}"),
            None => words,
        };
        let subject = || place.as_deref().unwrap_or("the whole");
        ArgsError::new(match self.fault {
            Fault::Is { found, expected } => {
                format!("{} is {found}, expected {expected}", subject())
            }
            Fault::Missing { expected: Some(expected) } => {
                format!("{} is missing, expected {expected}", subject())
            }
            Fault::Missing { expected: None } => format!("{} is missing", subject()),
            Fault::MissingField(name) => about(format!("missing field `{name}`")),
            Fault::DuplicateField(name) => about(format!("field `{name}` is given twice")),
            Fault::Count { found: 1, expected } => {
                about(format!("there is 1 value, expected {expected}"))
            }
            Fault::Count { found, expected } => {
                about(format!("there are {found} values, expected {expected}"))
            }
            Fault::Says { found: Some(found), words } => {
                format!("{} is {found}: {words}", subject())
            }
            Fault::Says { found: None, words } => about(words),
        })
    }
}

impl From<Fault> for Misfit {
    fn from(fault: Fault) -> Self {
        Self { steps: Vec::new(), fault }
    }
}

impl Error for Misfit {
    fn custom<T: fmt::Display>(words: T) -> Self {
        Fault::Says { found: None, words: words.to_string() }.into()
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Fault::Is { found: found(unexpected), expected: expected.to_string() }.into()
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::count(length, expected.to_string())
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        Fault::Is { found: quote(variant).into(), expected: one_of(known) }.into()
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::custom(format!("unknown field {}, expected {}", quote(field), one_of(known)))
    }

    fn missing_field(field: &'static str) -> Self {
        Fault::MissingField(field).into()
    }

    fn duplicate_field(field: &'static str) -> Self {
        Fault::DuplicateField(field).into()
    }
}

impl std::error::Error for Misfit {}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.fault)
    }
}

/// How a message shows what stands in a row.
pub(super) fn found(unexpected: Unexpected<'_>) -> Cow<'static, str> {
    match unexpected {
        Unexpected::Bool(value) => value.to_string().into(),
        Unexpected::Unsigned(value) => value.to_string().into(),
        Unexpected::Signed(value) => value.to_string().into(),
        // `{:?}` keeps the point of 5.0, by which it differs from 5.
        Unexpected::Float(value) => format!("{value:?}").into(),
        Unexpected::Char(value) => quote(value.encode_utf8(&mut [0; 4])).into(),
        Unexpected::Str(value) => quote(value).into(),
        Unexpected::Unit | Unexpected::Option => "null".into(),
        Unexpected::Seq => "a list".into(),
        Unexpected::Map => "an object".into(),
        other => other.to_string().into(),
    }
}

fn one_of(names: &[&str]) -> String {
    match names {
        [] => "none".to_owned(),
        [name] => format!("`{name}`"),
        [names @ .., last] => {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("{} or `{last}`", names.join(", "))
        }
    }
}

/// The way to the value, `None` at the top.
fn place(steps: &[Step], form: Form) -> Option<String> {
    let mut place = String::new();
    for (depth, step) in steps.iter().rev().enumerate() {
        let is_last = depth + 1 == steps.len();
        match (step, form) {
            (Step::Index(index) | Step::Positional(index, _), Form::Text) => {
                place.push_str(&format!("value {}", index + 1));
            }
            (Step::Index(index) | Step::Positional(index, _), Form::Json) => {
                place.push_str(&format!("[{index}]"));
            }
            (Step::Field(name), _) if is_plain(name) => {
                place.push_str(if depth == 0 { "" } else { "." });
                place.push_str(name);
            }
            (Step::Field(name), _) => place.push_str(&format!("[{}]", quote(name))),
            (Step::Key, _) => {
                place.push_str(if depth == 0 { "a key" } else { ": a key" });
            }
        }
        if let (Step::Positional(_, field), true) = (step, is_last) {
            place.push_str(&format!(" ({field})"));
        }
    }
    (!place.is_empty()).then_some(place)
}

/// Whether a name can stand in a path as it is.
fn is_plain(name: &str) -> bool {
    (1..=80).contains(&name.chars().count())
        && name.chars().all(|character| character.is_alphanumeric() || "_-".contains(character))
}

/// On one line and bounded, whatever a name, a value or an author's own words hold.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == LONGEST_MESSAGE {
            line.push('…');
            break;
        }
        if is_visible(character) {
            line.push(character);
        } else {
            line.extend(character.escape_unicode());
        }
    }
    line
}

/// Neither a control character nor one that breaks or turns a line.
fn is_visible(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_500_characters_is_whole_and_one_of_501_is_cut() {
        assert_eq!(ArgsError::new("é".repeat(500)).to_string(), "é".repeat(500));
        assert_eq!(ArgsError::new("é".repeat(501)).to_string(), format!("{}…", "é".repeat(500)));
    }

    #[test]
    fn a_message_is_one_line_and_keeps_marks_and_accents() {
        #[track_caller]
        fn check(text: &str, expected: &str) {
            assert_eq!(ArgsError::new(text).to_string(), expected);
        }
        check("a\nb\u{1b}[31m", r"a\u{a}b\u{1b}[31m");
        check("\u{202e}a\u{2028}", r"\u{202e}a\u{2028}");
        check("it's \"e\u{301}\" \\", "it's \"e\u{301}\" \\");
    }

    #[test]
    fn a_place_is_a_path_in_json_and_a_number_in_text() {
        #[track_caller]
        fn check(steps: Vec<Step>, text: Option<&str>, json: Option<&str>) {
            assert_eq!(place(&steps, Form::Text).as_deref(), text, "{steps:?}");
            assert_eq!(place(&steps, Form::Json).as_deref(), json, "{steps:?}");
        }
        let field = |name: &str| Step::Field(name.to_owned());
        check(vec![], None, None);
        check(vec![Step::Index(1)], Some("value 2"), Some("[1]"));
        check(vec![Step::Positional(1, "to")], Some("value 2 (to)"), Some("[1] (to)"));
        check(vec![Step::Key], Some("a key"), Some("a key"));
        let deep = vec![field("count"), Step::Positional(1, "x"), field("items")];
        assert_eq!(place(&deep, Form::Json).as_deref(), Some("items[1].count"));
        let odd = vec![field(""), field("a\n"), field("to")];
        assert_eq!(place(&odd, Form::Json).as_deref(), Some(r#"to["a\n"][""]"#));
    }

    #[test]
    fn names_are_listed_as_people_do() {
        assert_eq!(one_of(&[]), "none");
        assert_eq!(one_of(&["a"]), "`a`");
        assert_eq!(one_of(&["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
