//! Which args fit which type, and what is said of those that do not.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::net::IpAddr;

use proptest::prelude::*;
use serde::de::{DeserializeOwned, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::job::Args;

mod json;
mod text;

#[track_caller]
fn check<T: DeserializeOwned + PartialEq + Debug>(raw: &str, expected: T) {
    assert_eq!(Args::parse(raw).read::<T>(), Ok(expected), "args {raw:?}");
}

#[track_caller]
fn refuses<T: DeserializeOwned + Debug>(raw: &str, message: &str) {
    let error = Args::parse(raw).read::<T>().expect_err("it is refused");
    assert_eq!(error.to_string(), message, "args {raw:?}");
}

#[derive(Debug, PartialEq, Deserialize)]
struct Report {
    to: String,
    copies: u8,
    subject: Option<String>,
    #[serde(default = "normal")]
    priority: u8,
}

fn normal() -> u8 {
    5
}

fn report(copies: u8, subject: Option<&str>, priority: u8) -> Report {
    Report { to: "ops".to_owned(), copies, subject: subject.map(str::to_owned), priority }
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Colour {
    Red,
    Green,
}

#[derive(Debug, PartialEq, Deserialize)]
enum Action {
    Stop,
    Wait(u32),
    Move(i64, Option<i64>),
    Mail { to: String },
}

#[derive(Debug, PartialEq, Deserialize)]
struct Metres(f64);

#[derive(Debug, PartialEq, Deserialize)]
struct Point(i64, Option<i64>);

#[derive(Debug, PartialEq, Deserialize)]
struct Nothing;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    items: Vec<Item>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Item {
    name: String,
    count: u32,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(try_from = "u8")]
struct Even(u8);

impl TryFrom<u8> for Even {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        if number.is_multiple_of(2) { Ok(Self(number)) } else { Err("not\neven") }
    }
}

/// Reads one element of a sequence and stops.
#[derive(Debug, PartialEq)]
struct First(u8);

impl<'de> Deserialize<'de> for First {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(FirstOnly)
    }
}

struct FirstOnly;

impl<'de> Visitor<'de> for FirstOnly {
    type Value = First;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<First, A::Error> {
        Ok(First(list.next_element()?.unwrap_or_default()))
    }
}

fn text(text: &str) -> String {
    text.to_owned()
}

#[test]
fn a_message_stays_on_one_short_line_whatever_a_row_holds() {
    let long = "x\n".repeat(1_000);
    let nested = format!("{}\"x\"{}", format!("{{{long:?}: ").repeat(9), "}".repeat(9));
    let errors = [
        Args::parse(&long).read::<u8>().map(drop),
        Args::parse(&format!("[{long:?}]")).read::<Colour>().map(drop),
        Args::parse(&format!("{{{long:?}: 1}}")).read::<Order>().map(drop),
        Args::parse(&nested).read::<Deep>().map(drop),
    ];
    for error in errors {
        let error = error.expect_err("it is refused").to_string();
        assert!(error.chars().count() <= 501, "{error}");
        assert!(!error.contains(char::is_control), "{error}");
        assert!(error.contains(r"x\nx\n"), "{error}");
    }
}

/// A map of maps.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Deep(#[expect(dead_code, reason = "only read")] BTreeMap<String, Deep>);

proptest! {
    #[test]
    fn every_text_fits_or_is_refused_in_one_line(raw in r#"[\[\]{}]?[\[\]{}:,'"\\ a1.\-ntrue\n]{0,30}"#) {
        fn read<T: DeserializeOwned>(raw: &str) -> Result<(), TestCaseError> {
            if let Err(error) = Args::parse(raw).read::<T>() {
                let error = error.to_string();
                prop_assert!(!error.is_empty() && !error.contains('\n'), "{}", error);
            }
            Ok(())
        }
        read::<(i64, Option<String>)>(&raw)?;
        read::<Report>(&raw)?;
        read::<Vec<Option<f64>>>(&raw)?;
        read::<Action>(&raw)?;
        read::<Order>(&raw)?;
        read::<Value>(&raw)?;
        read::<()>(&raw)?;
        read::<BTreeMap<String, bool>>(&raw)?;
        prop_assert!(Args::parse(&raw).read::<Args>().is_ok());
    }

    #[test]
    fn what_json_writes_it_reads(value: (i64, String, Option<bool>, Vec<u8>)) {
        check(&serde_json::to_string(&value).expect("it is written"), value);
    }

    #[test]
    fn quoted_values_come_back(first in any::<i64>(), second in "[a-z, é]{0,9}", third in any::<u8>()) {
        check(&format!("{first}, \"{second}\",'{third}'"), (first, second, third));
    }
}
