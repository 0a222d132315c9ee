//! Lets serde read a table of values, for types that only the program knows.
//!
//! A value of a file is read as the type it has there. A variable of the environment is text that may stand for
//! any: it is read as what the type asks for, and where the type takes anything, as the first of true or false,
//! whole number, number and text that fits.
//!
//! A variable `KEY_FILE` is the key of that name where the type has one, else the text of a file for `KEY`, which takes
//! the place of a `KEY` in the file.
//!
//! What is said when the type refuses the value stands in `mistake`; here it learns its place and the keys on the
//! way to it.

mod entries;

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, EnumAccess, Expected, IntoDeserializer, SeqAccess,
        VariantAccess, Visitor,
        value::{MapDeserializer, StrDeserializer},
    },
};

use self::entries::{Entries, name_in};
use super::{
    document::{Entry, Value},
    mistake::Mistake,
};

/// Reads a whole table, empty where a file has none.
///
/// # Errors
/// The first mistake.
pub(super) fn deserialize_table<T: DeserializeOwned>(table: &Value) -> Result<T, Mistake> {
    T::deserialize(ValueReader(table))
}

/// How the types of the crate `toml` ask for a date or time: as a struct with a name and one field that begin so.
const TOML_PRIVATE: &str = "$__toml_private_";

/// Reads a value, after a look at what the type asks for.
#[derive(Clone, Copy)]
struct ValueReader<'a>(&'a Value);

impl<'a> ValueReader<'a> {
    fn wrong(self, expected: &dyn Expected) -> Mistake {
        Mistake::wrong(self.0.kind(), expected)
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
        visitor.visit_i128(number).map_err(|mistake: Mistake| mistake.about("a very large number"))
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
            Value::Table(table) => visitor.visit_map(Entries::of(table, &[])),
            Value::Other(_) | Value::Filed(_) => Err(self.wrong(&visitor)),
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
            Value::Table(table) => visitor.visit_map(Entries::of(table, fields)),
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
