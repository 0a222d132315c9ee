//! One value of comma-separated text, taken as it is meant: `5` is a number to a number and text to a
//! `String`.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, Expected, Unexpected, VariantAccess, Visitor,
};

use super::super::json::Json;
use super::super::misfit::Misfit;
use super::super::text::Value;

/// What to do where one value cannot hold what is expected.
const LIST_ADVICE: &str = "write the args as JSON, such as [1, [2, 3]]";
const OBJECT_ADVICE: &str = "write the args as JSON, such as [1, {\"key\": \"value\"}]";

impl Value {
    fn is_absent(&self) -> bool {
        self.text.is_empty() && !self.is_quoted
    }

    fn misfit(&self, expected: &dyn Expected) -> Misfit {
        Misfit::invalid_value(Unexpected::Str(&self.text), expected)
    }

    fn needs_json(&self, expected: &dyn Expected, advice: &str) -> Misfit {
        self.misfit(&format!("{expected}: {advice}").as_str())
    }

    /// What a value without quotes is where any type will do.
    ///
    /// Only what JSON writes alike is a number: `007` and `+5` stay text, and so does a whole number that
    /// would lose digits as a float.
    fn number(&self) -> Option<Json> {
        if self.is_quoted
            || !self.text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
        {
            return None;
        }
        Json::parse(&self.text).ok().filter(|number| match number {
            Json::Float(_) => self.text.contains(['.', 'e', 'E']),
            _ => true,
        })
    }
}

/// Methods for numbers: `method, type, visit`.
macro_rules! numbers {
    ($($method:ident $type:ident $visit:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            match self.text.parse::<$type>() {
                Ok(number) => visitor.$visit(number),
                Err(_) => Err(self.misfit(&visitor)),
            }
        })*
    };
}

/// The same for floats, of which only finite ones are numbers that a row can mean.
macro_rules! floats {
    ($($method:ident $type:ident $visit:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            match self.text.parse::<$type>() {
                Ok(number) if number.is_finite() => visitor.$visit(number),
                Ok(_) => Err(self.misfit(&format!("a finite {}", &visitor as &dyn Expected).as_str())),
                Err(_) => Err(self.misfit(&visitor)),
            }
        })*
    };
}

/// Methods for what is text in any case.
macro_rules! texts {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            visitor.visit_str(&self.text)
        })*
    };
}

impl<'de> Deserializer<'de> for &'de Value {
    type Error = Misfit;

    numbers! {
        deserialize_i8 i8 visit_i8
        deserialize_i16 i16 visit_i16
        deserialize_i32 i32 visit_i32
        deserialize_i64 i64 visit_i64
        deserialize_i128 i128 visit_i128
        deserialize_u8 u8 visit_u8
        deserialize_u16 u16 visit_u16
        deserialize_u32 u32 visit_u32
        deserialize_u64 u64 visit_u64
        deserialize_u128 u128 visit_u128
    }
    floats! {
        deserialize_f32 f32 visit_f32
        deserialize_f64 f64 visit_f64
    }
    texts! {
        deserialize_char deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf
        deserialize_identifier
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.text.as_str() {
            "" if !self.is_quoted => visitor.visit_unit(),
            "true" if !self.is_quoted => visitor.visit_bool(true),
            "false" if !self.is_quoted => visitor.visit_bool(false),
            text => match self.number() {
                Some(Json::Unsigned(number)) => visitor.visit_u64(number),
                Some(Json::Signed(number)) => visitor.visit_i64(number),
                Some(Json::Float(number)) => visitor.visit_f64(number),
                _ => visitor.visit_str(text),
            },
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.text.to_ascii_lowercase().as_str() {
            "true" | "1" => visitor.visit_bool(true),
            "false" | "0" => visitor.visit_bool(false),
            _ => Err(self.misfit(&"true, false, 1 or 0")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.is_absent() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.is_absent() { visitor.visit_unit() } else { Err(self.misfit(&"an empty value")) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        Err(self.needs_json(&visitor, LIST_ADVICE))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        Err(self.needs_json(&visitor, OBJECT_ADVICE))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_enum(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }
}

impl<'de> EnumAccess<'de> for &'de Value {
    type Error = Misfit;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), Misfit> {
        let variant = seed.deserialize(StrDeserializer::<Misfit>::new(&self.text))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for &'de Value {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _seed: T) -> Result<T::Value, Misfit> {
        Err(self.needs_json(&"a variant with its content", OBJECT_ADVICE))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        Err(self.needs_json(&visitor, OBJECT_ADVICE))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        Err(self.needs_json(&visitor, OBJECT_ADVICE))
    }
}
