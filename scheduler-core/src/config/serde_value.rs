//! Lets serde read a table of values, for types that only the program knows.
//!
//! A value of a file is read as the type it has there. A variable of the environment is text that may stand for
//! any: it is read as what the type asks for, and where the type takes anything, as the first of true or false,
//! whole number, number and text that fits.
//!
//! A mistake carries the place and the keys on the way to it, and of the value no more than its kind.

use std::{collections::btree_map, fmt};

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, EnumAccess, Error as _, Expected, IntoDeserializer,
        MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
        value::{MapDeserializer, StrDeserializer},
    },
};

use super::{
    document::{Entry, Tree, Value, folded},
    nearest::or_nearest,
    problem::Place,
};

/// Reads a whole table.
///
/// # Errors
/// The first mistake.
pub(super) fn deserialize_table<T: DeserializeOwned>(table: &Tree) -> Result<T, Mistake> {
    T::deserialize(TableReader(table))
}

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

    /// The same seen from one table further out.
    fn under(mut self, key: &str, place: Option<&Place>) -> Self {
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
        Self::new(What::Wrong { found: kind_of(found), expected: expected.to_string() })
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match kind_of(found) {
            "a whole number" => "a whole number that does not fit",
            "text" => "text that does not fit",
            other => other,
        };
        Self::new(What::Wrong { found, expected: expected.to_string() })
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

/// How the types of the crate `toml` ask for a date or time: as a struct with a name and one field that begin so.
const TOML_PRIVATE: &str = "$__toml_private_";

/// Reads a value, after a look at what the type asks for.
#[derive(Clone, Copy)]
struct ValueReader<'a>(&'a Value);

impl<'a> ValueReader<'a> {
    fn wrong(self, expected: &dyn Expected) -> Mistake {
        Mistake::new(What::Wrong { found: self.0.kind(), expected: expected.to_string() })
    }

    fn integer<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.0 {
            Value::Variable(text) => match text.parse() {
                Ok(number) => visit_integer(number, visitor),
                Err(_) => Err(self.wrong(&visitor)),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    fn float<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.0 {
            Value::Variable(text) => match text.parse() {
                Ok(number) => visitor.visit_f64(number),
                Err(_) => Err(self.wrong(&visitor)),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    /// Text; a date or time is as good, since many types of such are read from text.
    fn text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.0 {
            Value::Text(text) | Value::Variable(text) => visitor.visit_str(text),
            Value::Datetime(datetime) => visitor.visit_string(datetime.to_string()),
            _ => self.deserialize_any(visitor),
        }
    }
}

fn visit_integer<'de, V: Visitor<'de>>(number: i128, visitor: V) -> Result<V::Value, Mistake> {
    if let Ok(number) = i64::try_from(number) {
        visitor.visit_i64(number)
    } else if let Ok(number) = u64::try_from(number) {
        visitor.visit_u64(number)
    } else {
        // Most types know no such numbers, and serde then names the number.
        visitor.visit_i128(number).map_err(|mistake: Mistake| Mistake {
            what: match mistake.what {
                What::Wrong { expected, .. } => {
                    What::Wrong { found: "a very large number", expected }
                }
                what => what,
            },
            ..mistake
        })
    }
}

/// Forwards each to a method of the reader.
macro_rules! read_as {
    ($($deserialize:ident)* => $read:ident) => {$(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
            self.$read(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for ValueReader<'_> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.0 {
            Value::Text(text) => visitor.visit_str(text),
            Value::Integer(number) => visit_integer(*number, visitor),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::Datetime(datetime) => {
                let pair = [("$__toml_private_datetime", datetime.to_string())];
                visitor.visit_map(MapDeserializer::new(pair.into_iter()))
            }
            Value::Array(values) => visitor.visit_seq(Elements { values, next: 0 }),
            Value::Table(table) => TableReader(table).deserialize_any(visitor),
            Value::Other(_) => Err(self.wrong(&visitor)),
            Value::Variable(text) => {
                if let Ok(flag) = text.parse() {
                    visitor.visit_bool(flag)
                } else if let Ok(number) = text.parse() {
                    visit_integer(number, visitor)
                } else if let Ok(number) = text.parse() {
                    visitor.visit_f64(number)
                } else {
                    visitor.visit_str(text)
                }
            }
        }
    }

    read_as!(deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128 => integer);
    read_as!(deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 => integer);
    read_as!(deserialize_f32 deserialize_f64 => float);
    read_as!(deserialize_char deserialize_str deserialize_string => text);
    read_as!(deserialize_bytes deserialize_byte_buf deserialize_identifier => text);

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.0 {
            Value::Variable(text) => match text.parse() {
                Ok(flag) => visitor.visit_bool(flag),
                Err(_) => Err(self.wrong(&visitor)),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        match self.0 {
            Value::Table(table) => TableReader(table).deserialize_struct(name, fields, visitor),
            Value::Variable(_) => Err(self.wrong(&visitor)),
            // Else it would be a table with a key that nobody has written.
            Value::Datetime(_) if !name.starts_with(TOML_PRIVATE) => Err(self.wrong(&visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    /// A name, or a table with one key, which is the name and holds what belongs to it.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        match self.0 {
            Value::Text(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            // The environment names variants in the letters of its values, so these stay as they are.
            Value::Variable(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            Value::Table(table) if table.len() == 1 => {
                let (key, entry) = table.iter().next().expect("it holds one");
                visitor.visit_enum(Variant { name: name_in(key, entry, variants), entry })
            }
            _ => Err(self.wrong(&visitor)),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.0 {
            Value::Variable(_) => Err(self.wrong(&visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_seq(visitor)
    }

    serde::forward_to_deserialize_any! { unit unit_struct ignored_any }
}

/// Reads a table.
#[derive(Clone, Copy)]
struct TableReader<'a>(&'a Tree);

impl<'de> Deserializer<'de> for TableReader<'_> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_struct("", &[], visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        visitor.visit_map(Entries { fields, entries: self.0.iter(), value: None })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        match self.0.iter().next().filter(|_| self.0.len() == 1) {
            Some((key, entry)) => {
                visitor.visit_enum(Variant { name: name_in(key, entry, variants), entry })
            }
            None => Err(Mistake::invalid_type(Unexpected::Map, &visitor)),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// The name that a key of the environment stands for: capitals and hyphens are lost there.
fn name_in<'a>(key: &'a str, entry: &Entry, names: &[&'static str]) -> &'a str {
    if names.contains(&key) || !matches!(entry.place, Place::Variable(_)) {
        return key;
    }
    names.iter().copied().find(|name| folded(name) == folded(key)).unwrap_or(key)
}

struct Entries<'a> {
    fields: &'static [&'static str],
    entries: btree_map::Iter<'a, String, Entry>,
    value: Option<(&'a str, &'a Entry)>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Mistake> {
        let Some((key, entry)) = self.entries.next() else { return Ok(None) };
        self.value = Some((key, entry));
        let name = StrDeserializer::new(name_in(key, entry, self.fields));
        let at = |mut mistake: Mistake| {
            mistake.place = Some(entry.place.clone());
            mistake
        };
        seed.deserialize(name).map(Some).map_err(at)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mistake> {
        let (key, entry) = self.value.take().expect("bug: a value was asked for before its key");
        let value = seed.deserialize(ValueReader(&entry.value));
        value.map_err(|mistake| mistake.under(key, Some(&entry.place)))
    }
}

struct Elements<'a> {
    values: &'a [Value],
    next: usize,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Mistake;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Mistake> {
        let index = self.next;
        let Some(value) = self.values.get(index) else { return Ok(None) };
        self.next += 1;
        let element = seed.deserialize(ValueReader(value));
        element.map(Some).map_err(|mistake| mistake.under(&format!("[{index}]"), None))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.values.len() - self.next)
    }
}

/// A variant with what belongs to it.
struct Variant<'a> {
    name: &'a str,
    entry: &'a Entry,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = Mistake;
    type Variant = VariantBody<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, VariantBody<'a>), Mistake> {
        let name = seed.deserialize(StrDeserializer::<Mistake>::new(self.name));
        Ok((name?, VariantBody { name: self.name, entry: self.entry }))
    }
}

struct VariantBody<'a> {
    name: &'a str,
    entry: &'a Entry,
}

impl VariantBody<'_> {
    fn read<T>(
        &self,
        read: impl FnOnce(ValueReader<'_>) -> Result<T, Mistake>,
    ) -> Result<T, Mistake> {
        let value = read(ValueReader(&self.entry.value));
        value.map_err(|mistake| mistake.under(self.name, Some(&self.entry.place)))
    }
}

impl<'de> VariantAccess<'de> for VariantBody<'_> {
    type Error = Mistake;

    fn unit_variant(self) -> Result<(), Mistake> {
        let expected: &dyn Expected = &"the name alone";
        self.read(|value| Err(value.wrong(expected)))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Mistake> {
        self.read(|value| seed.deserialize(value))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Mistake> {
        self.read(|value| value.deserialize_seq(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        self.read(|value| value.deserialize_struct("", fields, visitor))
    }
}
