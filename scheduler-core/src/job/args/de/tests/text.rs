//! Comma-separated text.

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
    refuses::<u64>("18446744073709551616", r#"value 1 is "18446744073709551616", expected u64"#);
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
    #[derive(Debug, Deserialize)]
    struct Flat {
        #[serde(flatten)]
        _item: Item,
    }
    refuses::<(u8, Vec<u8>)>(
        "1,2",
        r#"value 2 is "2", expected a sequence: write the args as JSON, such as [1, [2, 3]]"#,
    );
    refuses::<Vec<Item>>(
        "ink",
        r#"value 1 is "ink", expected struct Item: write the args as JSON, such as [1, {"key": "value"}]"#,
    );
    refuses::<Flat>(
        "ink,1",
        r#"the values have no names, expected struct Flat: write JSON, such as {"key": "value"}"#,
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
fn what_a_types_own_reader_leaves_is_not_lost_in_silence() {
    check("1", First(1));
    refuses::<First>("1,2", "there are 2 values, expected at most 1");
}

#[test]
fn an_authors_own_words_stand_beside_the_value() {
    check("1,2", (1_u8, Even(2)));
    refuses::<(u8, Even)>("1,3", r#"value 2 is "3": not\u{a}even"#);
    refuses::<(u8, Even)>("1,x", r#"value 2 is "x", expected u8"#);
}
