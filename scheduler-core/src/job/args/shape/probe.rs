//! A value that is made up while it is read, and writes down what was asked for.

use std::{cell::RefCell, fmt, rc::Rc};

use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
    value::StrDeserializer,
};
use serde_json::{Map, Value, json};

use super::{DEEPEST, Offer};

/// Texts that are offered one after the other, and what the first that is taken says of the format.
pub(super) const TEXTS: [(&str, Option<&str>); 9] = [
    ("a", None),
    ("1", None),
    ("2000-01-01", Some("date")),
    ("2000-01-01T00:00:00", None),
    ("2000-01-01T00:00:00Z", Some("date-time")),
    ("00:00:00", Some("time")),
    ("67e55044-10b1-426f-9247-bb680e5fe0c8", Some("uuid")),
    ("127.0.0.1", Some("ipv4")),
    ("http://localhost/", Some("uri")),
];
/// Why a reading ended early.
#[derive(Debug)]
pub(super) enum Refused {
    /// A field was given under two names.
    Twice,
    Otherwise,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refused {}

impl de::Error for Refused {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Otherwise
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self::Twice
    }
}

/// One reading.
pub(super) struct Session<'a> {
    pub(super) offer: &'a Offer,
    /// The paths of the fields that were given, and of the text that was asked for last.
    pub(super) fields: RefCell<Vec<String>>,
    pub(super) last_text: RefCell<Option<String>>,
}

/// A value that is made up when somebody asks for it.
pub(super) struct Probe<'a> {
    pub(super) session: &'a Session<'a>,
    /// Where it is written down what was asked for.
    pub(super) found: Rc<RefCell<Value>>,
    pub(super) path: String,
    pub(super) depth: usize,
}

impl<'a> Probe<'a> {
    fn is(&self, schema: Value) {
        *self.found.borrow_mut() = schema;
    }

    /// For a part of it, with where that is written down.
    fn part(&self, name: &str) -> (Probe<'a>, Rc<RefCell<Value>>) {
        let found = Rc::new(RefCell::new(json!({})));
        let path = format!("{}/{name}", self.path);
        let (session, depth) = (self.session, self.depth + 1);
        (Probe { session, found: Rc::clone(&found), path, depth }, found)
    }

    fn text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let place = self.session.offer.texts.get(&self.path).copied().unwrap_or_default();
        let (text, format) = TEXTS[place.min(TEXTS.len() - 1)];
        *self.session.last_text.borrow_mut() = Some(self.path.clone());
        self.is(match format {
            Some(format) => json!({"type": "string", "format": format}),
            None => json!({"type": "string"}),
        });
        visitor.visit_str(text)
    }

    fn tuple<'de, V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Refused> {
        let mut parts = Vec::with_capacity(length);
        let read = visitor.visit_seq(Elements { of: &self, left: length, parts: &mut parts });
        let parts: Vec<Value> = parts.iter().map(|part| part.borrow().clone()).collect();
        let least = parts.iter().rposition(|part| !is_nullable(part)).map_or(0, |last| last + 1);
        self.is(json!({"type": "array", "prefixItems": parts, "items": false, "minItems": least}));
        read
    }
}

fn is_nullable(schema: &Value) -> bool {
    match &schema["type"] {
        Value::Array(types) => types.contains(&"null".into()),
        one => one == "null",
    }
}

/// What may also be absent.
fn nullable(mut schema: Value) -> Value {
    match schema["type"].take() {
        Value::String(one) if one != "null" => schema["type"] = json!([one, "null"]),
        Value::Null => drop(schema.as_object_mut().map(|schema| schema.remove("type"))),
        other => schema["type"] = other,
    }
    schema
}

/// Methods for whole numbers.
macro_rules! integers {
    ($($method:ident $visit:ident $type:ty, $bounds:expr;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
            let bounds: Option<(i64, u64)> = $bounds;
            self.is(match bounds {
                Some((least, most)) => json!({"type": "integer", "minimum": least, "maximum": most}),
                None => json!({"type": "integer"}),
            });
            // None of them is refused by what must not be 0.
            visitor.$visit(1 as $type)
        })*
    };
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Refused;

    integers! {
        deserialize_i8 visit_i8 i8, Some((i8::MIN.into(), i8::MAX as u64));
        deserialize_i16 visit_i16 i16, Some((i16::MIN.into(), i16::MAX as u64));
        deserialize_i32 visit_i32 i32, Some((i32::MIN.into(), i32::MAX as u64));
        deserialize_i64 visit_i64 i64, None;
        deserialize_i128 visit_i128 i128, None;
        deserialize_u8 visit_u8 u8, Some((0, u8::MAX.into()));
        deserialize_u16 visit_u16 u16, Some((0, u16::MAX.into()));
        deserialize_u32 visit_u32 u32, Some((0, u32::MAX.into()));
        deserialize_u64 visit_u64 u64, Some((0, u64::MAX));
        deserialize_u128 visit_u128 u128, None;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.is(json!({}));
        visitor.visit_unit()
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.is(json!({"type": "boolean"}));
        visitor.visit_bool(false)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.is(json!({"type": "number"}));
        visitor.visit_f64(1.0)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.is(json!({"type": "string", "minLength": 1, "maxLength": 1}));
        visitor.visit_char('a')
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.text(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.text(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.text(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.text(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.text(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        if self.depth >= DEEPEST {
            self.is(json!({}));
            return visitor.visit_none();
        }
        let (part, found) = self.part("some");
        let read = visitor.visit_some(part);
        self.is(nullable(found.take()));
        read
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.is(json!({"type": "null"}));
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let mut parts = Vec::new();
        let left = usize::from(self.depth < DEEPEST);
        let read = visitor.visit_seq(Elements { of: &self, left, parts: &mut parts });
        let items = parts.first().map_or_else(|| json!({}), |part| part.borrow().clone());
        self.is(json!({"type": "array", "items": items}));
        read
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.tuple(length, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let (key, _) = self.part("key");
        let (value, found) = self.part("value");
        let is_deep = self.depth >= DEEPEST;
        let (key, value) = if is_deep { (None, None) } else { (Some(key), Some(value)) };
        let read = visitor.visit_map(Entry { key, value });
        self.is(json!({"type": "object", "additionalProperties": found.take()}));
        read
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let mut known = Vec::new();
        let read = visitor.visit_map(Fields { of: &self, left: fields, known: &mut known });
        let mut properties: Map<String, Value> = Map::new();
        let (mut order, mut required) = (Vec::new(), Vec::new());
        for Field { name, found, is_optional } in known {
            let found = found.borrow().clone();
            if !is_optional {
                required.push(name);
            }
            order.push(name);
            properties.insert(name.to_owned(), found);
        }
        let mut schema =
            json!({"type": "object", "properties": properties, "propertyOrder": order});
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        self.is(schema);
        read
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let Some(first) = variants.first() else { return Err(Refused::Otherwise) };
        self.is(json!({"enum": variants}));
        visitor.visit_enum(Variant { name: first, of: self })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_unit()
    }
}

/// So many values of a list.
struct Elements<'a, 'p> {
    of: &'a Probe<'a>,
    left: usize,
    parts: &'p mut Vec<Rc<RefCell<Value>>>,
}

impl<'de> SeqAccess<'de> for Elements<'_, '_> {
    type Error = Refused;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Refused> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let (part, found) = self.of.part(&self.parts.len().to_string());
        self.parts.push(found);
        seed.deserialize(part).map(Some)
    }
}

/// One value with any name, or none.
struct Entry<'a> {
    key: Option<Probe<'a>>,
    value: Option<Probe<'a>>,
}

impl<'de> MapAccess<'de> for Entry<'_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Refused> {
        self.key.take().map(|key| seed.deserialize(key)).transpose()
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Refused> {
        seed.deserialize(self.value.take().ok_or(Refused::Otherwise)?)
    }
}

struct Field {
    name: &'static str,
    found: Rc<RefCell<Value>>,
    is_optional: bool,
}

/// The fields of a struct.
struct Fields<'a, 'p> {
    of: &'a Probe<'a>,
    left: &'static [&'static str],
    known: &'p mut Vec<Field>,
}

impl<'de> MapAccess<'de> for Fields<'_, '_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Refused> {
        let Session { offer, fields, .. } = self.of.session;
        while let [name, rest @ ..] = self.left {
            self.left = rest;
            let field = format!("{}/{name}", self.of.path);
            if offer.left_out.contains(&field) {
                continue;
            }
            let is_optional = offer.optional.contains(&field);
            self.known.push(Field { name, found: Rc::default(), is_optional });
            fields.borrow_mut().push(field);
            return seed.deserialize(StrDeserializer::<Refused>::new(name)).map(Some);
        }
        Ok(None)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Refused> {
        let Some(field) = self.known.last_mut() else { return Err(Refused::Otherwise) };
        let (part, found) = self.of.part(field.name);
        field.found = found;
        seed.deserialize(part)
    }
}

/// The first of several.
struct Variant<'a> {
    name: &'static str,
    of: Probe<'a>,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Refused;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Refused> {
        let variant = seed.deserialize(StrDeserializer::<Refused>::new(self.name))?;
        Ok((variant, self))
    }
}

impl Variant<'_> {
    /// Of one that has values within little is known.
    fn holds<T>(self) -> Result<T, Refused> {
        self.of.is(json!({}));
        Err(Refused::Otherwise)
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Refused;

    fn unit_variant(self) -> Result<(), Refused> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Refused> {
        self.holds()
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Refused> {
        self.holds()
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Refused> {
        self.holds()
    }
}
