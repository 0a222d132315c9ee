//! One value of JSON, taken as it is written: `"3"` is text and no number.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::super::json::Json;
use super::super::misfit::Misfit;
use super::super::place::Step;
use super::super::text::Value;
use super::list::List;

impl<'de> Deserializer<'de> for &'de Json {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self {
            Json::Null => visitor.visit_unit(),
            Json::Bool(value) => visitor.visit_bool(*value),
            Json::Unsigned(value) => visitor.visit_u64(*value),
            Json::Signed(value) => visitor.visit_i64(*value),
            Json::Float(value) => visitor.visit_f64(*value),
            Json::String(value) => visitor.visit_str(value),
            Json::List(values) => List(values).sequence(visitor),
            Json::Object(entries) => visitor.visit_map(Entries { entries, value: None }),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self {
            // serde would make infinity of it.
            Json::Float(value) if value.abs() > f64::from(f32::MAX) => {
                Err(Misfit::invalid_value(self.unexpected(), &visitor))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self {
            Json::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self {
            Json::List(values) => List(values).tuple(length, visitor),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self {
            Json::List(values) => List(values).structure(fields, visitor),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self {
            Json::String(variant) => visitor.visit_enum(Variant { variant, content: None }),
            Json::Object(entries) => match entries.as_slice() {
                [(key, content)] => {
                    visitor.visit_enum(Variant { variant: &key.text, content: Some(content) })
                }
                _ => Err(Misfit::invalid_value(
                    Unexpected::Map,
                    &"an object with one key, the variant",
                )),
            },
            _ => Err(Misfit::invalid_type(self.unexpected(), &visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f64 char str string bytes byte_buf unit
        unit_struct seq map identifier
    }
}

/// The entries of an object, in the order of the text.
struct Entries<'a> {
    entries: &'a [(Value, Json)],
    /// The entry whose key was read last.
    value: Option<&'a (Value, Json)>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        let Some((entry, rest)) = self.entries.split_first() else {
            return Ok(None);
        };
        self.entries = rest;
        self.value = Some(entry);
        // A key is text, from which a map of numbers reads its own.
        seed.deserialize(&entry.0).map(Some).map_err(Misfit::at_key)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Misfit> {
        let (key, value) = self.value.take().expect("serde asks for a key before its value");
        seed.deserialize(value)
            .map_err(|misfit| misfit.about(value).at(Step::Field(key.text.clone())))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// `"variant"` or `{"variant": content}`.
struct Variant<'a> {
    variant: &'a str,
    content: Option<&'a Json>,
}

impl<'de> Variant<'de> {
    fn content<T>(
        self,
        expected: &str,
        read: impl FnOnce(&'de Json) -> Result<T, Misfit>,
    ) -> Result<T, Misfit> {
        match self.content {
            Some(content) => read(content)
                .map_err(|misfit| misfit.about(content).at(Step::Field(self.variant.to_owned()))),
            None => Err(Misfit::invalid_type(Unexpected::Str(self.variant), &expected)),
        }
    }
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Misfit;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), Misfit> {
        let variant = seed.deserialize(StrDeserializer::<Misfit>::new(self.variant))?;
        Ok((variant, self))
    }
}

/// What a variant with content is written as.
const WITH_CONTENT: &str = "an object of the variant and its content";

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        match self.content {
            None | Some(Json::Null) => Ok(()),
            Some(content) => Err(Misfit::invalid_type(content.unexpected(), &"null")
                .at(Step::Field(self.variant.to_owned()))),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Misfit> {
        self.content(WITH_CONTENT, |content| seed.deserialize(content))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Misfit> {
        self.content(WITH_CONTENT, |content| content.deserialize_tuple(length, visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.content(WITH_CONTENT, |content| content.deserialize_struct("", fields, visitor))
    }
}
