//! Reads JSON into a tree, before it is known which type it shall fit.
//!
//! `serde_json::Value` would do but for two things: of a key that is given twice it keeps the last value in
//! silence, and it forgets the order of the keys, so that the first mistake is not the first in the text.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};

use super::misfit;
use super::text::Value;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    /// Finite, as every number of JSON.
    Float(f64),
    String(String),
    List(Vec<Self>),
    /// Keys in the order of the text; one may stand there twice.
    Object(Vec<(Value, Self)>),
}

impl Json {
    /// Reads all of `text`. Lists and objects may be nested 127 deep, which is `serde_json`'s own limit.
    pub(super) fn parse(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// As serde speaks of it.
    pub(super) fn unexpected(&self) -> Unexpected<'_> {
        match self {
            Self::Null => Unexpected::Unit,
            Self::Bool(value) => Unexpected::Bool(*value),
            Self::Unsigned(value) => Unexpected::Unsigned(*value),
            Self::Signed(value) => Unexpected::Signed(*value),
            Self::Float(value) => Unexpected::Float(*value),
            Self::String(value) => Unexpected::Str(value),
            Self::List(_) => Unexpected::Seq,
            Self::Object(_) => Unexpected::Map,
        }
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&misfit::found(self.unexpected()))
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Tree)
    }
}

/// Builds the tree.
struct Tree;

impl<'de> Visitor<'de> for Tree {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Unsigned(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Signed(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        self.visit_string(value.to_owned())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Json, E> {
        Ok(Json::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Json::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Json, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = object.next_entry::<String, Json>()? {
            entries.push((Value::quoted(key), value));
        }
        Ok(Json::Object(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_keeps_order_and_double_keys() {
        let text = r#"{"b": [null, true, 1, -1, 1.5, "x"], "a": {}, "b": 2}"#;
        let list = vec![
            Json::Null,
            Json::Bool(true),
            Json::Unsigned(1),
            Json::Signed(-1),
            Json::Float(1.5),
            Json::String("x".to_owned()),
        ];
        let key = |name: &str| Value::quoted(name.to_owned());
        let expected = Json::Object(vec![
            (key("b"), Json::List(list)),
            (key("a"), Json::Object(Vec::new())),
            (key("b"), Json::Unsigned(2)),
        ]);
        assert_eq!(Json::parse(text).expect("it is JSON"), expected);
    }

    #[test]
    fn lists_may_be_nested_127_deep() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Json::parse(&nested(127)).is_ok());
        let error = Json::parse(&nested(128)).expect_err("it is too deep").to_string();
        assert_eq!(error, "recursion limit exceeded at line 1 column 128");
        assert!(Json::parse(&"[".repeat(4_096)).is_err());
    }
}
