//! A value that does not fit: where it stands, what it is, and what was expected.
//!
//! The deserializers pass a [`Misfit`] upwards, and each level adds its step to the place. Here is the one
//! place where serde's mistakes are put into words:
//!
//! | args | message |
//! |---|---|
//! | `1,x,3` | `value 2 is "x", expected i64` |
//! | `report,x` for a struct | `value 2 (copies) is "x", expected u8` |
//! | `1,2` | `value 3 is missing, expected i64` |
//! | `1,2,3,4` | `there are 4 values, expected at most 3` |
//! | `{"items": [{"count": "x"}]}` | `items[0].count is "x", expected u32` |
//! | `{}` | ``missing field `to` `` |

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, Expected, Unexpected};

use super::place::{Form, Step, place};
use crate::plan::words::quote;

/// A value that does not fit, and the way to it.
#[derive(Debug)]
pub(super) struct Misfit {
    /// The innermost step first.
    steps: Vec<Step>,
    fault: Fault,
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
    /// A sentence of ours.
    Rule(String),
    /// A sentence of the author's, about a value if it is known which.
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

    /// What is wrong, in a sentence.
    pub(super) fn rule(words: impl Into<String>) -> Self {
        Fault::Rule(words.into()).into()
    }

    /// The fault lies one step further down.
    pub(super) fn at(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// The fault lies in a key; a sentence says of which key it speaks.
    pub(super) fn at_key(self) -> Self {
        if matches!(self.fault, Fault::Is { .. }) { self.at(Step::Key) } else { self }
    }

    /// The author's sentence, if that is the fault, is about `value`, the innermost one that is known.
    pub(super) fn about(mut self, value: impl fmt::Display) -> Self {
        if let Fault::Says { found: found @ None, .. } = &mut self.fault {
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
            Fault::DuplicateField(name) => Self::rule(format!(
                "field `{name}` has an alias, so values in a row do not tell the fields apart: write \
                 JSON, such as {{{name:?}: \"value\"}}"
            )),
            _ => self,
        }
    }

    /// The place, the value and what was expected.
    pub(super) fn words(&self, form: Form) -> String {
        let place = place(&self.steps, form);
        let about = |words: &str| match &place {
            Some(place) => format!("{place}: {words}"),
            None => words.to_owned(),
        };
        let subject = place.as_deref().unwrap_or("the whole");
        match &self.fault {
            Fault::Is { found, expected } => format!("{subject} is {found}, expected {expected}"),
            Fault::Missing { expected: Some(expected) } => {
                format!("{subject} is missing, expected {expected}")
            }
            Fault::Missing { expected: None } => format!("{subject} is missing"),
            Fault::MissingField(name) => about(&format!("missing field `{name}`")),
            Fault::DuplicateField(name) => about(&format!("field `{name}` is given twice")),
            Fault::Count { found: 1, expected } => {
                about(&format!("there is 1 value, expected {expected}"))
            }
            Fault::Count { found, expected } => {
                about(&format!("there are {found} values, expected {expected}"))
            }
            Fault::Says { found: Some(found), words } => format!("{subject} is {found}: {words}"),
            Fault::Says { found: None, words } | Fault::Rule(words) => about(words),
        }
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
        Self::rule(format!("unknown field {}, expected {}", quote(field), one_of(known)))
    }

    fn missing_field(field: &'static str) -> Self {
        Fault::MissingField(field).into()
    }

    fn duplicate_field(field: &'static str) -> Self {
        Fault::DuplicateField(field).into()
    }
}

impl std::error::Error for Misfit {}

/// For an author's own deserializer that puts one error into another.
impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words(Form::Json))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_as_people_do() {
        assert_eq!(one_of(&[]), "none");
        assert_eq!(one_of(&["a"]), "`a`");
        assert_eq!(one_of(&["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
