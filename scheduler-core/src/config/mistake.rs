//! What is wrong where serde reads a value into a type of the program, and how it is said.
//!
//! A mistake carries the place and the keys on the way to it, and of the value no more than its kind: a value may be
//! a secret. What a type says in its own words is passed on, unless it quotes a text of the section.

use std::fmt;

use serde::de::{Expected, Unexpected};

use super::{
    document::{Tree, Value},
    nearest::or_nearest,
    problem::Place,
};

/// What is wrong, and on the way out also where.
#[derive(Debug)]
pub(super) struct Mistake {
    what: What,
    /// `None`: the table as a whole.
    place: Option<Place>,
    /// Keys and indexes on the way to it, `smtp.hosts[2]`.
    path: String,
}

#[derive(Debug)]
enum What {
    /// Kind of the value, and what was expected.
    Wrong {
        found: &'static str,
        expected: String,
    },
    Missing(&'static str),
    Unknown {
        key: String,
        help: String,
    },
    /// A type of the program says it in its own words.
    Own(String),
}

impl Mistake {
    fn new(what: What) -> Self {
        Self { what, place: None, path: String::new() }
    }

    /// A value of the kind `found`.
    pub(super) fn wrong(found: &'static str, expected: &dyn Expected) -> Self {
        Self::new(What::Wrong { found, expected: expected.to_string() })
    }

    /// The same, where the value is better called `kind`.
    pub(super) fn about(mut self, kind: &'static str) -> Self {
        if let What::Wrong { found, .. } = &mut self.what {
            *found = kind;
        }
        self
    }

    /// The same about what stands at `place`.
    pub(super) fn at(self, place: &Place) -> Self {
        Self { place: Some(place.clone()), ..self }
    }

    /// The same seen from one table further out.
    pub(super) fn under(mut self, key: &str, place: Option<&Place>) -> Self {
        self.place = self.place.or_else(|| place.cloned());
        let separator = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{key}{separator}{}", self.path);
        self
    }

    /// Whether a file of which parts could not be read is to blame.
    pub(super) fn is_about_absence(&self) -> bool {
        matches!(self.what, What::Missing(_) | What::Unknown { .. })
    }

    /// The place and the sentence for a mistake in `[app.name]`, which stands at `place` and holds `table`.
    pub(super) fn said_in(self, name: &str, place: &Place, table: &Tree) -> (Place, String) {
        let place = self.place.unwrap_or_else(|| place.clone());
        let is_variable = matches!(place, Place::Variable(_));
        let path = self.path;
        let key = |key: &str| match path.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        };
        let text = match self.what {
            What::Missing(missing) => format!("[app.{name}] {} is missing", key(missing)),
            What::Unknown { key: unknown, help } => {
                format!("[app.{name}] unknown key {:?}, {help}", key(&unknown))
            }
            What::Wrong { expected, .. } if is_variable => {
                format!("the value (not shown) is refused, expected {expected}")
            }
            What::Wrong { found, expected } if path.is_empty() => {
                format!("[app.{name}] is {found}, expected {expected}")
            }
            What::Wrong { found, expected } => {
                format!("[app.{name}] {path} is {found}, expected {expected}")
            }
            What::Own(words) => {
                let words = if quotes(&words, table) {
                    "the reason is not shown, since it quotes a value".to_owned()
                } else {
                    words
                };
                let space = if path.is_empty() { "" } else { " " };
                format!("[app.{name}] {path}{space}is refused: {words}")
            }
        };
        (place, text)
    }
}

/// Texts shorter than this are found in sentences by chance, and are no secrets.
const SHORTEST_SECRET: usize = 4;

/// Whether `words` hold a text of `table`.
fn quotes(words: &str, table: &Tree) -> bool {
    fn of_value(words: &str, value: &Value) -> bool {
        match value {
            Value::Text(text) | Value::Variable(text) => {
                let escaped = text.escape_debug().to_string();
                let is_long = text.chars().count() >= SHORTEST_SECRET;
                is_long && (words.contains(text.as_str()) || words.contains(&escaped))
            }
            Value::Filed(filed) => {
                filed.content.as_ref().is_ok_and(|content| of_value(words, content))
            }
            Value::Array(values) => values.iter().any(|value| of_value(words, value)),
            Value::Table(table) => quotes(words, table),
            _ => false,
        }
    }
    table.values().any(|entry| of_value(words, &entry.value))
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // For types that wrap the mistakes of others; what people read is made by `said_in`.
        match &self.what {
            What::Wrong { found, expected } => write!(f, "{found}, expected {expected}"),
            What::Missing(key) => write!(f, "{key} is missing"),
            What::Unknown { key, help } => write!(f, "unknown key {key:?}, {help}"),
            What::Own(words) => f.write_str(words),
        }
    }
}

impl std::error::Error for Mistake {}

impl serde::de::Error for Mistake {
    fn custom<T: fmt::Display>(words: T) -> Self {
        Self::new(What::Own(words.to_string()))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::wrong(kind_of(found), expected)
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match kind_of(found) {
            "a whole number" => "a whole number that does not fit",
            "text" => "text that does not fit",
            other => other,
        };
        Self::wrong(found, expected)
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        let names: Vec<_> = expected.iter().map(|name| format!("{name:?}")).collect();
        let expected = format!("one of {}", names.join(", "));
        Self::new(What::Wrong { found: "text that does not fit", expected })
    }

    fn unknown_field(key: &str, expected: &'static [&'static str]) -> Self {
        let help = or_nearest(key, expected.iter().copied());
        Self::new(What::Unknown { key: key.to_owned(), help })
    }

    fn missing_field(key: &'static str) -> Self {
        Self::new(What::Missing(key))
    }
}

fn kind_of(found: Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "true or false",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "a whole number",
        Unexpected::Float(_) => "a number",
        Unexpected::Char(_) | Unexpected::Str(_) | Unexpected::Bytes(_) => "text",
        Unexpected::Seq => "an array",
        Unexpected::Map => "a table",
        _ => "another kind of value",
    }
}

#[cfg(test)]
mod tests {
    use serde::de::Error as _;

    use super::{super::document::Entry, *};

    #[track_caller]
    fn check(mistake: Mistake, secret: &str, said: &str) {
        let place = Place::Program;
        let entry = Entry { place: place.clone(), value: Value::Text(secret.to_owned()) };
        let table = Tree::from([("key".to_owned(), entry)]);
        assert_eq!(mistake.said_in("mail", &place, &table).1, said);
    }

    #[test]
    fn the_way_to_a_mistake_is_written_from_the_outside() {
        let missing = || Mistake::missing_field("host");
        check(missing(), "", "[app.mail] host is missing");
        check(missing().under("smtp", None), "", "[app.mail] smtp.host is missing");
        let wrong = Mistake::wrong("text", &"u8").under("[2]", None).under("ports", None);
        check(wrong, "", "[app.mail] ports[2] is text, expected u8");
        let deep = missing().under("[0]", None).under("hosts", None).under("smtp", None);
        check(deep, "", "[app.mail] smtp.hosts[0].host is missing");
    }

    #[test]
    fn a_quoted_text_is_hidden_from_four_characters_on() {
        let quoting = |text: &str| Mistake::custom(format!("{text:?} is odd"));
        check(quoting("abc"), "abc", "[app.mail] is refused: \"abc\" is odd");
        let hidden = "[app.mail] is refused: the reason is not shown, since it quotes a value";
        check(quoting("abcd"), "abcd", hidden);
        check(quoting("a\nbcd"), "a\nbcd", hidden);
    }
}
