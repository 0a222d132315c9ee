//! What a type of the job's author looks like, as JSON Schema, for people and programs that are to fill it.
//!
//! There is no more to ask than `Deserialize`: so the type is read from values that are made up while it asks for them, and
//! what it asks for is written down. Where it refuses one, as a date refuses `a`, it is read again with another; what was
//! asked for until the last refusal is known in any case. Whether a field may be left out is found by leaving it out.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fmt,
    panic::catch_unwind,
    rc::Rc,
};

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess,
    VariantAccess, Visitor, value::StrDeserializer,
};
use serde_json::{Map, Value, json};

use super::{Args, ArgsError};

/// Texts that are offered one after the other, and what the first that is taken says of the format.
const TEXTS: [(&str, Option<&str>); 9] = [
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

/// A type is read at most so often, and so deep.
const MOST_READINGS: usize = 500;
const DEEPEST: usize = 8;

thread_local! {
    /// Somebody asks here what the next type that is read looks like; then what it does.
    static ASKED: RefCell<Option<Value>> = const { RefCell::new(None) };
}

/// The schema of the type that `read` reads; of one that takes any text, anything.
pub(in crate::job) fn schema_of(read: fn(&Args) -> Result<(), ArgsError>) -> Value {
    ASKED.set(Some(json!({})));
    // The author's code may panic: then nothing is known.
    let _ = catch_unwind(|| read(&Args::parse("")));
    ASKED.take().unwrap_or_default()
}

/// Whether `T` is read for its shape alone, which then is found out.
pub(super) fn is_asked<T: DeserializeOwned>() -> bool {
    if ASKED.with_borrow(Option::is_none) {
        return false;
    }
    let schema = of::<T>();
    ASKED.set(Some(schema));
    true
}

/// The schema of `T`, as far as it can be found out.
fn of<T: DeserializeOwned>() -> Value {
    let mut offer = Offer::default();
    let mut known = Value::Null;
    for _ in 0..MOST_READINGS {
        let reading = Reading::of::<T>(&offer);
        let Some(refused) = reading.refused else {
            // What stands a reading without a field need not have it.
            for field in reading.fields {
                let mut without = offer.clone();
                without.left_out.insert(field.clone());
                if Reading::of::<T>(&without).refused.is_none() {
                    offer.optional.insert(field);
                }
            }
            return Reading::of::<T>(&offer).schema;
        };
        known = reading.schema;
        match (refused, reading.fields.last(), reading.last_text) {
            // Another name of a field that was given before.
            (Refused::Twice, Some(field), _) => drop(offer.left_out.insert(field.clone())),
            (_, _, Some(text)) => {
                let place = offer.texts.entry(text).or_default();
                *place += 1;
                if *place == TEXTS.len() {
                    break;
                }
            }
            _ => break,
        }
    }
    known
}

/// What is offered to a reading, by path.
#[derive(Clone, Debug, Default)]
struct Offer {
    /// The place in [`TEXTS`] of each text.
    texts: BTreeMap<String, usize>,
    left_out: BTreeSet<String>,
    /// Fields that need not be there.
    optional: BTreeSet<String>,
}

/// What a reading found out.
struct Reading {
    refused: Option<Refused>,
    schema: Value,
    /// The paths of the fields that were given, and of the text that was asked for last.
    fields: Vec<String>,
    last_text: Option<String>,
}

impl Reading {
    fn of<T: DeserializeOwned>(offer: &Offer) -> Self {
        let session = Session { offer, fields: RefCell::default(), last_text: RefCell::default() };
        let found = Rc::new(RefCell::new(json!({})));
        let probe =
            Probe { session: &session, found: Rc::clone(&found), path: String::new(), depth: 0 };
        let refused = T::deserialize(probe).err();
        let (fields, last_text) = (session.fields.take(), session.last_text.take());
        Self { refused, schema: found.take(), fields, last_text }
    }
}

/// Why a reading ended early.
#[derive(Debug)]
enum Refused {
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

struct Session<'a> {
    offer: &'a Offer,
    fields: RefCell<Vec<String>>,
    last_text: RefCell<Option<String>>,
}

/// A value that is made up when somebody asks for it.
struct Probe<'a> {
    session: &'a Session<'a>,
    /// Where it is written down what was asked for.
    found: Rc<RefCell<Value>>,
    path: String,
    depth: usize,
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

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, net::Ipv4Addr, num::NonZeroU8};

    use serde::Deserialize;

    use super::*;

    #[track_caller]
    fn check<T: DeserializeOwned>(expected: &Value) {
        assert_eq!(of::<T>(), *expected);
    }

    #[test]
    fn plain_types_and_lists_of_them() {
        check::<()>(&json!({"type": "null"}));
        check::<String>(&json!({"type": "string"}));
        check::<bool>(&json!({"type": "boolean"}));
        check::<f64>(&json!({"type": "number"}));
        check::<i64>(&json!({"type": "integer"}));
        check::<u8>(&json!({"type": "integer", "minimum": 0, "maximum": 255}));
        check::<NonZeroU8>(&json!({"type": "integer", "minimum": 0, "maximum": 255}));
        check::<Option<i64>>(&json!({"type": ["integer", "null"]}));
        check::<Vec<bool>>(&json!({"type": "array", "items": {"type": "boolean"}}));
        check::<BTreeMap<String, i64>>(
            &json!({"type": "object", "additionalProperties": {"type": "integer"}}),
        );
        check::<Value>(&json!({}));
        check::<(String, i64, Option<bool>)>(&json!({
            "type": "array", "items": false, "minItems": 2,
            "prefixItems": [{"type": "string"}, {"type": "integer"}, {"type": ["boolean", "null"]}],
        }));
    }

    #[test]
    fn a_struct_says_which_of_its_fields_may_be_left_out() {
        #[derive(Deserialize)]
        #[expect(dead_code, reason = "only its shape counts")]
        struct Report {
            // Of several names serde gives the first of the alphabet first.
            #[serde(alias = "whom")]
            to: String,
            copies: Option<u8>,
            #[serde(default)]
            is_draft: bool,
            #[serde(rename = "when")]
            at: chrono::NaiveDate,
            inner: Inner,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "only its shape counts")]
        struct Inner {
            level: Level,
            #[serde(default = "home")]
            from: Ipv4Addr,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "lowercase")]
        enum Level {
            Low,
            High,
        }
        fn home() -> Ipv4Addr {
            Ipv4Addr::LOCALHOST
        }
        check::<Report>(&json!({
            "type": "object",
            "properties": {
                "to": {"type": "string"},
                "copies": {"type": ["integer", "null"], "minimum": 0, "maximum": 255},
                "is_draft": {"type": "boolean"},
                "when": {"type": "string", "format": "date"},
                "inner": {
                    "type": "object",
                    "properties": {
                        "level": {"enum": ["low", "high"]},
                        "from": {"type": "string", "format": "ipv4"},
                    },
                    "propertyOrder": ["level", "from"],
                    "required": ["level"],
                },
            },
            "propertyOrder": ["to", "copies", "is_draft", "when", "inner"],
            "required": ["to", "when", "inner"],
        }));
        let _ = (Level::Low, Level::High);
    }

    #[test]
    fn of_what_refuses_all_that_is_made_up_is_known_what_it_asked_for() {
        #[derive(Deserialize)]
        #[expect(dead_code, reason = "only its shape counts")]
        struct Odd {
            first: i64,
            code: Even,
        }
        #[derive(Deserialize)]
        #[serde(try_from = "i64")]
        struct Even;
        impl TryFrom<i64> for Even {
            type Error = &'static str;
            fn try_from(number: i64) -> Result<Self, &'static str> {
                if number % 2 == 0 { Ok(Self) } else { Err("odd") }
            }
        }
        check::<Odd>(&json!({
            "type": "object",
            "properties": {"first": {"type": "integer"}, "code": {"type": "integer"}},
            "propertyOrder": ["first", "code"],
            "required": ["first", "code"],
        }));
    }

    #[test]
    fn a_type_that_holds_itself_has_an_end() {
        #[derive(Deserialize)]
        #[expect(dead_code, reason = "only its shape counts")]
        struct Chain {
            next: Option<Box<Chain>>,
            all: Vec<Chain>,
        }
        assert_eq!(of::<Chain>()["type"], "object");
    }

    #[test]
    fn of_what_may_be_of_several_kinds_nothing_is_said() {
        #[derive(Deserialize)]
        #[serde(untagged)]
        #[expect(dead_code, reason = "only its shape counts")]
        enum Either {
            Number(i64),
            Text(String),
        }
        check::<Either>(&json!({}));
        #[derive(Deserialize)]
        #[expect(dead_code, reason = "only its shape counts")]
        enum Holding {
            One(i64),
            Two,
        }
        check::<Holding>(&json!({}));
    }
}
