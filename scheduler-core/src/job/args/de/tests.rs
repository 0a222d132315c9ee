//! Which args fit which type, and what is said of those that do not.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::IpAddr;

use proptest::prelude::*;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::job::Args;

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

fn text(text: &str) -> String {
    text.to_owned()
}

mod in_text {
    use super::*;

    #[test]
    fn a_tuple_takes_one_value_for_each_element() {
        check("1,2,3", (1_i64, 2_i64, 3_i64));
        check(r#""a, b",c"#, (text("a, b"), text("c")));
        check("7", (7_u8,));
        check("1,2,3,4,5,6,7,8", (1, 2, 3, 4, 5, 6, 7, 8));
        check("1,2", [1, 2]);
        check("1,2", Point(1, Some(2)));
        refuses::<(i64, i64, i64)>("1,x,3", r#"value 2 is "x", expected i64"#);
        refuses::<(i64, i64, i64)>("1,2", "value 3 is missing, expected i64");
        refuses::<(i64, i64, i64)>("1,2,3,4", "there are 4 values, expected at most 3");
        refuses::<(i64, i64)>("1,2,", "there are 3 values, expected at most 2");
        refuses::<(i64,)>("", "value 1 is missing, expected i64");
        refuses::<Point>("1,2,3", "there are 3 values, expected at most 2");
    }

    #[test]
    fn options_at_the_end_of_a_tuple_may_be_left_out() {
        type Two = (i64, Option<String>, Option<u8>);
        check::<Two>("5", (5, None, None));
        check::<Two>("5,a", (5, Some(text("a")), None));
        check::<Two>("5,,6", (5, None, Some(6)));
        check("", (None::<i64>,));
        check("5", Point(5, None));
        refuses::<(Option<u8>, i64)>("5", "value 2 is missing, expected i64");
        refuses::<Two>("5,a,b", r#"value 3 is "b", expected u8"#);
    }

    #[test]
    fn an_empty_value_is_none_unless_it_is_quoted() {
        check(r#",'',"""#, (None::<String>, Some(text("")), Some(text(""))));
        check(",", (text(""), text("")));
        refuses::<(Option<i64>,)>(r#""""#, r#"value 1 is "", expected i64"#);
        refuses::<(i64, i64)>("1,", r#"value 2 is "", expected i64"#);
    }

    #[test]
    fn a_struct_takes_its_fields_in_order() {
        check("ops, 2", report(2, None, 5));
        check("ops,2,hello,9", report(2, Some("hello"), 9));
        check("ops,2,", report(2, None, 5));
        check("ops,2,,9", report(2, None, 9));
        refuses::<Report>("ops,x", r#"value 2 (copies) is "x", expected u8"#);
        refuses::<Report>("ops,256", r#"value 2 (copies) is "256", expected u8"#);
        refuses::<Report>("ops", "value 2 (copies) is missing");
        refuses::<Report>("", "value 1 (to) is missing");
        refuses::<Report>("ops,1,a,2,3", "there are 5 values, expected at most 4");
    }

    #[test]
    fn a_field_with_an_alias_is_refused_where_it_would_shift_the_others() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Aliased {
            #[serde(alias = "recipient")]
            to: String,
            copies: u8,
        }
        refuses::<Aliased>(
            "ops,2",
            "field `to` has an alias, so values in a row do not tell the fields apart: write JSON, such \
             as {\"to\": \"value\"}",
        );
        check(r#"{"recipient": "ops", "copies": 2}"#, Aliased { to: text("ops"), copies: 2 });
    }

    #[test]
    fn a_single_type_takes_exactly_one_value() {
        check("5", 5_i64);
        check("'a, b'", text("a, b"));
        check(r#""""#, text(""));
        check("2.5", Metres(2.5));
        check("red", Colour::Red);
        check("::1", "::1".parse::<IpAddr>().expect("an address"));
        refuses::<String>("", "value 1 is missing, expected a string");
        refuses::<String>("a,b", "there are 2 values, expected 1");
        refuses::<i64>("5,", "there are 2 values, expected 1");
        refuses::<IpAddr>("x,", "there are 2 values, expected 1");
        refuses::<IpAddr>("x", r#"value 1 is "x": invalid IP address syntax"#);
    }

    #[test]
    fn an_option_takes_no_text_or_what_its_type_takes() {
        check("", None::<i64>);
        check(" ", None::<(i64, i64)>);
        check("5", Some(5_i64));
        check("1,2", Some((1_i64, 2_i64)));
        check("ops,2", Some(report(2, None, 5)));
        refuses::<Option<i64>>("5,6", "there are 2 values, expected 1");
    }

    #[test]
    fn a_unit_takes_no_value() {
        check("", ());
        check(" ", Nothing);
        refuses::<()>("5", "there is 1 value, expected none");
        refuses::<()>(r#""""#, "there is 1 value, expected none");
        refuses::<Nothing>(",", "there are 2 values, expected none");
    }

    #[test]
    fn a_vec_takes_any_number_of_values() {
        check("", Vec::<String>::new());
        check("a,'b, c',", vec![text("a"), text("b, c"), text("")]);
        check("1,,3", vec![Some(1), None, Some(3)]);
        refuses::<Vec<u8>>("1,2,-3", r#"value 3 is "-3", expected u8"#);
    }

    #[test]
    fn a_number_fits_with_and_without_quotes_within_its_range() {
        check("255,'-128',+1", (255_u8, -128_i8, 1_i8));
        check("18446744073709551615", u64::MAX);
        check("-170141183460469231731687303715884105728", i128::MIN);
        check(r#""1e3",-.5"#, (1000.0_f64, -0.5_f32));
        refuses::<u8>("256", r#"value 1 is "256", expected u8"#);
        refuses::<u64>(
            "18446744073709551616",
            r#"value 1 is "18446744073709551616", expected u64"#,
        );
        refuses::<i64>("1.0", r#"value 1 is "1.0", expected i64"#);
        refuses::<std::num::NonZeroU8>("0", "value 1 is 0, expected a nonzero u8");
    }

    #[test]
    fn a_float_is_finite() {
        check("1.7976931348623157e308", f64::MAX);
        refuses::<f64>("1e309", r#"value 1 is "1e309", expected a finite f64"#);
        refuses::<f32>("1e39", r#"value 1 is "1e39", expected a finite f32"#);
        refuses::<f64>("nan", r#"value 1 is "nan", expected a finite f64"#);
        refuses::<f64>("-inf", r#"value 1 is "-inf", expected a finite f64"#);
        refuses::<f64>("x", r#"value 1 is "x", expected f64"#);
    }

    #[test]
    fn a_bool_is_true_false_1_or_0_in_any_case() {
        check("true,FALSE,1,'0',True", [true, false, true, false, true]);
        refuses::<bool>("yes", r#"value 1 is "yes", expected true, false, 1 or 0"#);
        refuses::<(bool,)>(",", "there are 2 values, expected at most 1");
    }

    #[test]
    fn a_char_is_one_character() {
        check("é,','", ('é', ','));
        refuses::<char>("ab", r#"value 1 is "ab", expected a character"#);
        refuses::<char>("''", r#"value 1 is "", expected a character"#);
    }

    #[test]
    fn an_enum_is_one_of_its_names() {
        check("green, 'red'", (Colour::Green, Colour::Red));
        check("Stop", Action::Stop);
        refuses::<Colour>("Red", r#"value 1 is "Red", expected `red` or `green`"#);
        refuses::<Action>("Run", r#"value 1 is "Run", expected `Stop`, `Wait`, `Move` or `Mail`"#);
    }

    #[test]
    fn what_one_value_cannot_hold_is_to_be_written_as_json() {
        refuses::<(u8, Vec<u8>)>(
            "1,2",
            r#"value 2 is "2", expected a sequence: write the args as JSON, such as [1, [2, 3]]"#,
        );
        refuses::<Vec<Item>>(
            "ink",
            r#"value 1 is "ink", expected struct Item: write the args as JSON, such as [1, {"key": "value"}]"#,
        );
        refuses::<BTreeMap<String, u8>>(
            "a,1",
            r#"the values have no names, expected a map: write JSON, such as {"key": "value"}"#,
        );
        refuses::<Action>(
            "Wait",
            r#"value 1 is "Wait", expected a variant with its content: write the args as JSON, such as [1, {"key": "value"}]"#,
        );
    }

    #[test]
    fn a_json_value_is_the_list_of_values_as_they_look() {
        check("", json!([]));
        check("1,-2,0.5,1e2", json!([1, -2, 0.5, 100.0]));
        check("true,false,True,null", json!([true, false, "True", "null"]));
        check(r#""1",'true',,"""#, json!(["1", "true", null, ""]));
        check("007,+5,1.,a b", json!(["007", "+5", "1.", "a b"]));
        check("18446744073709551615", json!([u64::MAX]));
        check("18446744073709551616", json!(["18446744073709551616"]));
        check("1e999", json!(["1e999"]));
        check("a,1", (json!("a"), json!(1)));
    }

    #[test]
    fn an_authors_own_words_stand_beside_the_value() {
        check("1,2", (1_u8, Even(2)));
        refuses::<(u8, Even)>("1,3", r#"value 2 is "3": not\u{a}even"#);
        refuses::<(u8, Even)>("1,x", r#"value 2 is "x", expected u8"#);
    }
}

mod in_json {
    use super::*;

    #[test]
    fn an_object_is_read_by_its_names() {
        check(r#" {"copies": 2, "to": "ops", "more": [1]}"#, report(2, None, 5));
        check(
            r#"{"to": "ops", "copies": 2, "subject": "x", "priority": 1}"#,
            report(2, Some("x"), 1),
        );
        check(r#"{"to": "ops", "copies": 2, "subject": null}"#, report(2, None, 5));
        check(r#"{"a": 1}"#, BTreeMap::from([(text("a"), 1)]));
        check(r#"{"1": "a"}"#, BTreeMap::from([(1, text("a"))]));
        refuses::<Report>(r#"{"to": 5}"#, "to is 5, expected a string");
        refuses::<Report>("{}", "missing field `to`");
        refuses::<Report>(r#"{"to": "a", "to": "b"}"#, "field `to` is given twice");
        refuses::<BTreeMap<u8, u8>>(r#"{"256": 1}"#, r#"a key is "256", expected u8"#);
        refuses::<(i64,)>("{}", "the whole is an object, expected a tuple of size 1");
        refuses::<i64>("{}", "the whole is an object, expected i64");
    }

    #[test]
    fn a_list_fits_what_the_same_values_fit_as_text() {
        check("[1, 2, 3]", (1_i64, 2_i64, 3_i64));
        check(r#"[5]"#, (5_i64, None::<String>));
        check(r#"[5, null]"#, (5_i64, None::<String>));
        check(r#"["ops", 2]"#, report(2, None, 5));
        check("[]", ());
        check(r#"["[draft]"]"#, text("[draft]"));
        check(r#"["Stop"]"#, Action::Stop);
        check("[]", Some(Vec::<u8>::new()));
        refuses::<(i64, i64, i64)>("[1, 2]", "[2] is missing, expected i64");
        refuses::<(i64, i64)>("[1, 2, 3]", "there are 3 values, expected at most 2");
        refuses::<Report>(r#"["ops", "x"]"#, r#"[1] (copies) is "x", expected u8"#);
        refuses::<Report>(r#"["ops"]"#, "[1] (copies) is missing");
        refuses::<Report>(r#"["ops", 1, null, 2, 3]"#, "there are 5 values, expected at most 4");
        refuses::<()>("[null]", "there is 1 value, expected none");
        refuses::<i64>("[]", "[0] is missing, expected i64");
        refuses::<i64>("[1, 2]", "there are 2 values, expected 1");
    }

    #[test]
    fn a_mistake_is_named_by_its_path() {
        let order = Order { items: vec![Item { name: text("ink"), count: 3 }] };
        check(r#"{"items": [{"name": "ink", "count": 3}]}"#, order);
        refuses::<Order>(
            r#"{"items": [{"name": "a", "count": 1}, {"name": "b", "count": "x"}]}"#,
            r#"items[1].count is "x", expected u32"#,
        );
        refuses::<Order>(r#"{"items": [{"name": "a"}]}"#, "items[0]: missing field `count`");
        refuses::<Order>(r#"{"items": [["a", 1], ["b"]]}"#, "items[1][1] (count) is missing");
        refuses::<Order>(
            r#"{"items": [["a", 1, 2]]}"#,
            "items[0]: there are 3 values, expected at most 2",
        );
        refuses::<Order>(r#"{"itens": []}"#, r#"unknown field "itens", expected `items`"#);
        refuses::<Order>(r#"{"items": 5}"#, "items is 5, expected a sequence");
        refuses::<BTreeMap<String, u8>>(r#"{"a b\n": "x"}"#, r#"["a b\n"] is "x", expected u8"#);
        refuses::<Vec<Even>>("[2, 3]", r"[1] is 3: not\u{a}even");
        refuses::<Vec<(u8, Point)>>(
            "[[1, [2]], [1, [2, \"x\"]]]",
            r#"[1][1][1] is "x", expected i64"#,
        );
    }

    #[test]
    fn types_are_strict() {
        refuses::<(i64,)>(r#"["3"]"#, r#"[0] is "3", expected i64"#);
        refuses::<(i64,)>("[3.0]", "[0] is 3.0, expected i64");
        refuses::<(u8,)>("[256]", "[0] is 256, expected u8");
        refuses::<(bool,)>("[1]", "[0] is 1, expected a boolean");
        refuses::<(String,)>("[null]", "[0] is null, expected a string");
        refuses::<(f32,)>("[1e39]", "[0] is 1e39, expected f32");
        check("[1, -1, true]", (1.0_f64, -1_i128, true));
    }

    #[test]
    fn an_enum_may_have_content() {
        check(r#"["Stop", {"Wait": 5}]"#, (Action::Stop, Action::Wait(5)));
        check(r#"{"Mail": {"to": "ops"}}"#, Action::Mail { to: text("ops") });
        check(r#"[{"Move": [1]}, {"Stop": null}]"#, (Action::Move(1, None), Action::Stop));
        refuses::<Action>(r#"{"Wait": "x"}"#, r#"Wait is "x", expected u32"#);
        refuses::<Action>(r#"{"Mail": {}}"#, "Mail: missing field `to`");
        refuses::<Action>(
            r#"["Wait"]"#,
            r#"[0] is "Wait", expected an object of the variant and its content"#,
        );
        refuses::<Action>(r#"{"Stop": 1}"#, "Stop is 1, expected null");
        refuses::<Action>(
            "{}",
            "the whole is an object, expected an object with one key, the variant",
        );
        refuses::<Action>("[5]", "[0] is 5, expected enum Action");
    }

    #[test]
    fn a_json_value_is_the_json() {
        check(r#"{"a": [1, "x", null, 1.5]}"#, json!({"a": [1, "x", null, 1.5]}));
    }

    #[test]
    fn what_is_no_json_is_an_error() {
        refuses::<Vec<String>>(
            "[draft],x",
            "text that begins with [ is read as JSON and is none: expected value at line 1 column 2",
        );
        refuses::<Value>(
            "{} x",
            "text that begins with { is read as JSON and is none: trailing characters at line 1 column 4",
        );
        refuses::<Value>(
            "[1e999]",
            "text that begins with [ is read as JSON and is none: number out of range at line 1 column 6",
        );
        let deep = "[".repeat(4_096);
        let error = Args::parse(&deep).read::<Value>().expect_err("it is too deep").to_string();
        assert!(error.ends_with("recursion limit exceeded at line 1 column 128"), "{error}");
        check("'[draft]',x", vec![text("[draft]"), text("x")]);
    }
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
