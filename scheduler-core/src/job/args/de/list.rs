//! Values in a row, read as a sequence, a tuple or a struct.
//!
//! A tuple may end in `Option`s that have no value: to each element beyond the last value is offered
//! [`Missing`], which is `None` to an `Option` and an error to all others. A struct is read as a map of its
//! fields in their order, so that serde's own rules say which of them may be left out.

use std::fmt::Display;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::super::misfit::Misfit;
use super::super::place::Step;

/// Values in a row.
pub(super) struct List<'a, V>(pub(super) &'a [V]);

impl<'de, V: Display> List<'de, V>
where
    &'de V: Deserializer<'de, Error = Misfit>,
{
    /// Any number of values.
    pub(super) fn sequence<Vis: Visitor<'de>>(self, visitor: Vis) -> Result<Vis::Value, Misfit> {
        let length = self.0.len();
        self.elements(length, visitor)
    }

    /// At most `length` values, and fewer where the last elements are `Option`s.
    pub(super) fn tuple<Vis: Visitor<'de>>(
        self,
        length: usize,
        visitor: Vis,
    ) -> Result<Vis::Value, Misfit> {
        self.at_most(length)?;
        self.elements(length, visitor)
    }

    /// One value for each of `fields` from the first on.
    pub(super) fn structure<Vis: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: Vis,
    ) -> Result<Vis::Value, Misfit> {
        self.at_most(fields.len())?;
        visitor
            .visit_map(Fields { fields, values: self.0, next: 0 })
            .map_err(|misfit| misfit.positional(fields))
    }

    fn at_most(&self, limit: usize) -> Result<(), Misfit> {
        match self.0.len() {
            count if count > limit => Err(Misfit::count(count, format!("at most {limit}"))),
            _ => Ok(()),
        }
    }

    fn elements<Vis: Visitor<'de>>(
        self,
        length: usize,
        visitor: Vis,
    ) -> Result<Vis::Value, Misfit> {
        let mut elements = Elements { values: self.0, next: 0, length };
        let value = visitor.visit_seq(&mut elements)?;
        // A visitor may stop before the end, and what it left would be lost in silence.
        self.at_most(elements.next)?;
        Ok(value)
    }
}

/// The values one after the other, and then nothing up to `length`.
struct Elements<'a, V> {
    values: &'a [V],
    next: usize,
    length: usize,
}

impl<'de, V: Display> SeqAccess<'de> for &mut Elements<'de, V>
where
    &'de V: Deserializer<'de, Error = Misfit>,
{
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        if self.next == self.length {
            return Ok(None);
        }
        let index = self.next;
        self.next += 1;
        let read = match self.values.get(index) {
            Some(value) => seed.deserialize(value).map_err(|misfit| misfit.about(value)),
            None => seed.deserialize(Missing),
        };
        read.map(Some).map_err(|misfit| misfit.at(Step::Index(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.length - self.next)
    }
}

/// The fields that have a value.
struct Fields<'a, V> {
    fields: &'static [&'static str],
    values: &'a [V],
    next: usize,
}

impl<'de, V: Display> MapAccess<'de> for Fields<'de, V>
where
    &'de V: Deserializer<'de, Error = Misfit>,
{
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        if self.next == self.values.len() {
            return Ok(None);
        }
        seed.deserialize(StrDeserializer::<Misfit>::new(self.fields[self.next])).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Misfit> {
        let index = self.next;
        self.next += 1;
        let value = &self.values[index];
        let step = Step::Positional(index, self.fields[index]);
        seed.deserialize(value).map_err(|misfit| misfit.about(value).at(step))
    }
}

/// Nothing where an element of a tuple was expected.
struct Missing;

impl<'de> Deserializer<'de> for Missing {
    type Error = Misfit;

    fn deserialize_any<Vis: Visitor<'de>>(self, visitor: Vis) -> Result<Vis::Value, Misfit> {
        Err(Misfit::missing(&visitor))
    }

    fn deserialize_option<Vis: Visitor<'de>>(self, visitor: Vis) -> Result<Vis::Value, Misfit> {
        visitor.visit_none()
    }

    fn deserialize_newtype_struct<Vis: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: Vis,
    ) -> Result<Vis::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
