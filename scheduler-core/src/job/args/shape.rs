//! What a type of the job's author looks like, as JSON Schema, for people and programs that are to fill it.
//!
//! There is no more to ask than `Deserialize`: so the type is read from values that are made up while it asks for them, and
//! what it asks for is written down. Where it refuses one, as a date refuses `a`, it is read again with another; what was
//! asked for until the last refusal is known in any case. Whether a field may be left out is found by leaving it out.
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    panic::catch_unwind,
    rc::Rc,
};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use self::probe::{Probe, Refused, Session, TEXTS};
use super::{Args, ArgsError};

mod probe;

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
