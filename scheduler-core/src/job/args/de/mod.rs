//! Reads the `args` of a row as any type that implements `serde::Deserialize`.
//!
//! ```text
//!  1,x,3             Value, Value, Value ─▶ Whole ─▶ List ─▶ each &Value
//!  [1, "x", 3]       Json::List          ─▶ Whole ─▶ List ─▶ each &Json
//!  {"to": "x"}       Json::Object        ─▶ &Json
//! ```
//!
//! The values stand in a row whether they were written as text or as a JSON list, so one [`List`] makes
//! tuples and structs of both. They differ in what a single value may be: [`text`] takes it as it is meant,
//! [`json`] as it is written.

use std::fmt::Display;

use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::error::ArgsError;
use super::json::Json;
use super::misfit::Misfit;
use super::place::{Form, Step};
use super::text::Value;
use list::List;

mod json;
mod list;
#[cfg(test)]
mod tests;
mod text;

/// Reads `raw`, whose values as text are `values`.
pub(super) fn read<T: DeserializeOwned>(raw: &str, values: &[Value]) -> Result<T, ArgsError> {
    let raw = raw.trim();
    let Some(first) = raw.chars().next().filter(|first| "[{".contains(*first)) else {
        let whole = Whole { list: List(values), form: Form::Text };
        return T::deserialize(whole).map_err(|misfit| ArgsError::new(misfit.words(Form::Text)));
    };
    let json = Json::parse(raw).map_err(|error| {
        ArgsError::new(format!(
            "text that begins with {first} is read as JSON and is none: {error}"
        ))
    })?;
    let read = match &json {
        Json::List(values) => T::deserialize(Whole { list: List(values), form: Form::Json }),
        object => T::deserialize(object),
    };
    read.map_err(|misfit| ArgsError::new(misfit.words(Form::Json)))
}

/// All values of a row: for a type that is no list, there must be exactly one.
struct Whole<'a, V> {
    list: List<'a, V>,
    form: Form,
}

impl<'de, V: Display> Whole<'de, V>
where
    &'de V: Deserializer<'de, Error = Misfit>,
{
    fn one<Vis: Visitor<'de>>(
        self,
        visitor: Vis,
        read: impl FnOnce(&'de V, Vis) -> Result<Vis::Value, Misfit>,
    ) -> Result<Vis::Value, Misfit> {
        match self.list.0 {
            [] => Err(Misfit::missing(&visitor).at(Step::Index(0))),
            [value] => {
                read(value, visitor).map_err(|misfit| misfit.about(value).at(Step::Index(0)))
            }
            values => Err(Misfit::count(values.len(), "1")),
        }
    }
}

/// Methods for what is written as one value.
macro_rules! one {
    ($($method:ident)*) => {
        $(fn $method<Vis: Visitor<'de>>(self, visitor: Vis) -> Result<Vis::Value, Misfit> {
            self.one(visitor, |value, visitor| value.$method(visitor))
        })*
    };
}

impl<'de, V: Display> Deserializer<'de> for Whole<'de, V>
where
    &'de V: Deserializer<'de, Error = Misfit>,
{
    type Error = Misfit;

    one! {
        deserialize_bool deserialize_char deserialize_str deserialize_string
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
        deserialize_bytes deserialize_byte_buf deserialize_identifier
    }

    fn deserialize_any<Vis: Visitor<'de>>(self, visitor: Vis) -> Result<Vis::Value, Misfit> {
        self.list.sequence(visitor)
    }

    fn deserialize_option<Vis: Visitor<'de>>(self, visitor: Vis) -> Result<Vis::Value, Misfit> {
        // A JSON list without values is itself a value, for an `Option<Vec<_>>`.
        if self.form == Form::Text && self.list.0.is_empty() {
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_unit<Vis: Visitor<'de>>(self, visitor: Vis) -> Result<Vis::Value, Misfit> {
        match self.list.0 {
            [] => visitor.visit_unit(),
            values => Err(Misfit::count(values.len(), "none")),
        }
    }

    fn deserialize_unit_struct<Vis: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: Vis,
    ) -> Result<Vis::Value, Misfit> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<Vis: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: Vis,
    ) -> Result<Vis::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<Vis: Visitor<'de>>(
        self,
        length: usize,
        visitor: Vis,
    ) -> Result<Vis::Value, Misfit> {
        self.list.tuple(length, visitor)
    }

    fn deserialize_tuple_struct<Vis: Visitor<'de>>(
        self,
        _name: &'static str,
        length: usize,
        visitor: Vis,
    ) -> Result<Vis::Value, Misfit> {
        self.list.tuple(length, visitor)
    }

    fn deserialize_struct<Vis: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: Vis,
    ) -> Result<Vis::Value, Misfit> {
        self.list.structure(fields, visitor)
    }

    fn deserialize_map<Vis: Visitor<'de>>(self, visitor: Vis) -> Result<Vis::Value, Misfit> {
        Err(Misfit::rule(format!(
            "the values have no names, expected {}: write JSON, such as {{\"key\": \"value\"}}",
            &visitor as &dyn serde::de::Expected
        )))
    }

    fn deserialize_enum<Vis: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: Vis,
    ) -> Result<Vis::Value, Misfit> {
        self.one(visitor, |value, visitor| value.deserialize_enum(name, variants, visitor))
    }

    forward_to_deserialize_any! { <Vis: Visitor<'de>> seq ignored_any }
}
