//! JSON.

use super::*;

#[test]
fn an_object_is_read_by_its_names() {
    check(r#" {"copies": 2, "to": "ops", "more": [1]}"#, report(2, None, 5));
    check(r#"{"to": "ops", "copies": 2, "subject": "x", "priority": 1}"#, report(2, Some("x"), 1));
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
    refuses::<(u8, Order)>(
        r#"[1, {"itens": []}]"#,
        r#"[1]: unknown field "itens", expected `items`"#,
    );
    refuses::<Order>(r#"{"items": 5}"#, "items is 5, expected a sequence");
    refuses::<BTreeMap<String, u8>>(r#"{"a b\n": "x"}"#, r#"["a b\n"] is "x", expected u8"#);
    refuses::<Vec<Even>>("[2, 3]", r"[1] is 3: not\u{a}even");
    refuses::<Vec<(u8, Even)>>("[[1, 2], [2, 3]]", r"[1][1] is 3: not\u{a}even");
    refuses::<Vec<(u8, Point)>>("[[1, [2]], [1, [2, \"x\"]]]", r#"[1][1][1] is "x", expected i64"#);
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
    refuses::<Action>("{}", "the whole is an object, expected an object with one key, the variant");
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
