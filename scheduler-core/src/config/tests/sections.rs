//! `[app.NAME]`: what a type of the program can be read from, and what is said when it cannot.

use std::{any::TypeId, collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, de::DeserializeOwned};

use super::{super::*, Conf};

/// Looked for in everything that is shown.
const MARKER: &str = "hunter2-marker";

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Mail {
    host: String,
    port: u16,
    #[serde(default)]
    use_tls: bool,
    smtp: Option<Smtp>,
    mode: Option<Mode>,
    relay: Option<IpAddr>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Smtp {
    user: String,
    #[serde(default)]
    retries: Vec<u8>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Plain,
    Login { token: String },
    Weighted(f32),
    Pair(u8, u8),
}

/// Needs nothing.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(default)]
struct Limits {
    per_hour: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_hour: 100 }
    }
}

fn common(app: &str) -> Conf {
    Conf::with("common", format!("store = \"mysql\"\n{app}"))
}

fn read<T: DeserializeOwned + Send + Sync + 'static>(
    conf: &Conf,
    env: &[(&str, &str)],
) -> Result<T, Vec<String>> {
    let sections = [Section::of::<T>("mail")];
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let config = Config::load_with(conf.folder(), "local", env.iter().map(own), &sections);
    let folder = format!("{}/", conf.folder().join("local").display());
    let config = config.map_err(|error| {
        error.to_string().replace(&folder, "").lines().map(str::to_owned).collect::<Vec<_>>()
    })?;
    let mut values = config.read_sections(&sections).unwrap();
    let value = values.remove(0).downcast::<T>().unwrap();
    Ok(std::sync::Arc::into_inner(value).unwrap())
}

/// A key of `[app.mail]` that is read into a `T`.
#[track_caller]
fn gives<T: DeserializeOwned + Send + Sync + PartialEq + std::fmt::Debug + 'static>(
    value: &str,
    expected: T,
) {
    let conf = common(&format!("[app.mail]\nkey = {value}\n"));
    let mut table = read::<BTreeMap<String, T>>(&conf, &[]).unwrap();
    assert_eq!(table.remove("key"), Some(expected), "{value}");
}

/// The same from the environment.
#[track_caller]
fn variable_gives<T: DeserializeOwned + Send + Sync + PartialEq + std::fmt::Debug + 'static>(
    value: &str,
    expected: T,
) {
    let variable = ("SCHEDULER__COMMON__APP__MAIL__KEY", value);
    let mut table = read::<BTreeMap<String, T>>(&common(""), &[variable]).unwrap();
    assert_eq!(table.remove("key"), Some(expected), "{value}");
}

#[track_caller]
fn says(app: &str, env: &[(&str, &str)], said: &[&str]) {
    assert_eq!(read::<Mail>(&common(app), env).unwrap_err(), said, "{app}");
}

const GOOD: &str = "[app.mail]\nhost = \"h\"\nport = 25\n";

#[test]
fn a_section_is_read_into_its_type_with_all_that_toml_has() {
    let text = "[app.mail]\nhost = \"h\"\nport = 25\nuse-tls = true\nrelay = \"10.0.0.1\"\n\
                mode = { login = { token = \"t\" } }\n[app.mail.smtp]\nuser = \"u\"\nretries = [1, 2]\n";
    let expected = Mail {
        host: "h".to_owned(),
        port: 25,
        use_tls: true,
        relay: Some("10.0.0.1".parse().unwrap()),
        mode: Some(Mode::Login { token: "t".to_owned() }),
        smtp: Some(Smtp { user: "u".to_owned(), retries: vec![1, 2] }),
    };
    assert_eq!(read::<Mail>(&common(text), &[]), Ok(expected));
    gives("1.5", 1.5_f64);
    gives("2", 2.0_f32);
    gives("-inf", f64::NEG_INFINITY);
    gives("1_000.25", 1_000.25_f64);
    gives("9_223_372_036_854_775_807", i64::MAX);
    gives("0xff", 255_u8);
    gives("\"plain\"", Mode::Plain);
    gives("{ weighted = 0.5 }", Mode::Weighted(0.5));
    gives("{ pair = [1, 2] }", Mode::Pair(1, 2));
    gives("[[1, 2], [3]]", vec![vec![1, 2], vec![3]]);
    gives("[1, \"a\"]", (1, "a".to_owned()));
    gives("\"x\"", 'x');
    gives("[{ user = \"a\" }]", vec![Smtp { user: "a".to_owned(), retries: Vec::new() }]);
    gives("2026-01-02", "2026-01-02".to_owned());
    let instant = "2026-01-02T03:04:05Z";
    gives(instant, instant.parse::<toml::value::Datetime>().unwrap());
    let table = toml::from_str::<toml::Table>("a = [1, 2.5, true, \"x\", { b = 1979-05-27 }]");
    gives("{ a = [1, 2.5, true, \"x\", { b = 1979-05-27 }] }", table.unwrap());
}

#[test]
fn a_variable_is_read_as_what_the_type_asks_for() {
    variable_gives("25", 25_u16);
    variable_gives("-1", -1_i64);
    variable_gives("25", "25".to_owned());
    variable_gives("true", true);
    variable_gives("true", "true".to_owned());
    variable_gives("0.5", 0.5_f32);
    variable_gives("", String::new());
    variable_gives("x", 'x');
    variable_gives("plain", Mode::Plain);
    variable_gives("7", Some(7_u8));
    variable_gives("10.0.0.1", "10.0.0.1".parse::<IpAddr>().unwrap());
    variable_gives("7", toml::Value::Integer(7));
    variable_gives("7.5", toml::Value::Float(7.5));
    variable_gives("seven", toml::Value::String("seven".to_owned()));
}

#[test]
fn a_variable_finds_keys_and_tables_of_any_case_and_with_hyphens() {
    let env = [
        ("SCHEDULER__COMMON__APP__MAIL__PORT", "587"),
        ("SCHEDULER__COMMON__APP__MAIL__USE_TLS", "true"),
        ("SCHEDULER__COMMON__APP__MAIL__SMTP__USER", "u"),
    ];
    let mail = read::<Mail>(&common(GOOD), &env).unwrap();
    assert_eq!((mail.port, mail.use_tls, mail.smtp.unwrap().user.as_str()), (587, true, "u"));
    let written = common("[app.mail]\nKey = \"a\"\n");
    let env = [("SCHEDULER__COMMON__APP__MAIL__KEY", "b")];
    let table = read::<BTreeMap<String, String>>(&written, &env).unwrap();
    assert_eq!(table, BTreeMap::from([("Key".to_owned(), "b".to_owned())]));
    let sections = [Section::of::<Limits>("mail-limits")];
    let env = [("SCHEDULER__COMMON__APP__MAIL_LIMITS__PER_HOUR".to_owned(), "5".to_owned())];
    let conf = Conf::new();
    let config = Config::load_with(conf.folder(), "local", env, &sections).unwrap();
    let values = config.read_sections(&sections).unwrap();
    assert_eq!(values[0].downcast_ref(), Some(&Limits { per_hour: 5 }));
}

#[test]
fn a_section_that_is_missing_is_refused_unless_its_type_needs_nothing() {
    assert_eq!(read::<Limits>(&common(""), &[]), Ok(Limits { per_hour: 100 }));
    let missing = format!(
        "[app.mail] is missing, expected the settings of {}",
        std::any::type_name::<Mail>()
    );
    says("", &[], &[&format!("common.toml: {missing}")]);
    says("[app]\n", &[], &[&format!("common.toml:2: {missing}")]);
    says("[app.mail]\n", &[], &["common.toml:2: [app.mail] host is missing"]);
    let said = "environment SCHEDULER__COMMON__APP__MAIL__HOST: [app.mail] port is missing";
    says("", &[("SCHEDULER__COMMON__APP__MAIL__HOST", "h")], &[said]);
}

#[rustfmt::skip] // One case per line.
#[test]
fn a_wrong_value_is_refused_with_its_line_its_kind_and_what_was_expected() {
    let with = |line: &str| format!("{GOOD}{line}\n");
    says("[app.mail]\nhost = \"h\"\nport = \"x\"\n", &[], &["common.toml:4: [app.mail] port is text, expected u16"]);
    says("[app.mail]\nhost = 7\nport = 1\n", &[], &["common.toml:3: [app.mail] host is a whole number, expected a string"]);
    says("[app.mail]\nhost = \"h\"\nport = 65536\n", &[], &["common.toml:4: [app.mail] port is a whole number that does not fit, expected u16"]);
    says("[app.mail]\nhost = \"h\"\nport = 99999999999999999999\n", &[], &["common.toml:4: [app.mail] port is a very large number, expected u16"]);
    says(&with("use-tls = 1"), &[], &["common.toml:5: [app.mail] use-tls is a whole number, expected a boolean"]);
    says(&with("use-tsl = true"), &[], &["common.toml:5: [app.mail] unknown key \"use-tsl\", did you mean \"use-tls\"?"]);
    says(&with("mode = \"palin\""), &[], &["common.toml:5: [app.mail] mode is text that does not fit, expected one of \"plain\", \"login\", \"weighted\", \"pair\""]);
    says(&with("mode = { plain = 1 }"), &[], &["common.toml:5: [app.mail] mode.plain is a whole number, expected the name alone"]);
    says(&with("mode = { login = { token = 1 } }"), &[], &["common.toml:5: [app.mail] mode.login.token is a whole number, expected a string"]);
    says(&with("relay = \"here\""), &[], &["common.toml:5: [app.mail] relay is refused: invalid IP address syntax"]);
    says(&with("smtp = 2026-01-02"), &[], &["common.toml:5: [app.mail] smtp is a date or time, expected struct Smtp"]);
    says(&with("\n[app.mail.smtp]\n"), &[], &["common.toml:6: [app.mail] smtp.user is missing"]);
    says(&with("[app.mail.smtp]\nuser = \"u\"\nretries = [1, 300]"), &[], &["common.toml:7: [app.mail] smtp.retries[1] is a whole number that does not fit, expected u8"]);
    says(&with("[app.mial]"), &[], &["common.toml:5: [app] unknown table \"mial\", did you mean \"mail\"?"]);
    says(&with("[app]\nport = 1"), &[], &["common.toml:6: [app] unknown key \"port\", expected one of mail"]);
    says("[app]\nmail = 5\n", &[], &["common.toml:3: [app.mail] is a whole number, expected a table"]);
    says("app = 5\n", &[], &["common.toml:2: [app] is a whole number, expected a table"]);
}

#[rustfmt::skip] // One case per line.
#[test]
fn a_wrong_variable_is_refused_by_its_name() {
    const PORT: &str = "SCHEDULER__COMMON__APP__MAIL__PORT";
    let place = |name: &str, said: &str| format!("environment {name}: {said}");
    says(GOOD, &[(PORT, "x")], &[&place(PORT, "the value (not shown) is refused, expected u16")]);
    says(GOOD, &[(PORT, "65536")], &[&place(PORT, "the value (not shown) is refused, expected u16")]);
    for (name, said) in [
        ("SCHEDULER__COMMON__APP__MAIL__PROT", "[app.mail] unknown key \"prot\", did you mean \"port\"?"),
        ("SCHEDULER__COMMON__APP__MAIL", "\"mail\" is a table, expected SCHEDULER__<FILE>__<TABLE>__<KEY>"),
        ("SCHEDULER__COMMON__APP__MIAL__PORT", "[app] unknown table \"mial\", did you mean \"mail\"?"),
        ("SCHEDULER__COMMON__APP__MAIL__SMTP", "the value (not shown) is refused, expected struct Smtp"),
        ("SCHEDULER__COMMON__APP__MAIL__USE_TLS", "the value (not shown) is refused, expected a boolean"),
        ("SCHEDULER__COMMON__APP__MAIL__MODE", "the value (not shown) is refused, expected one of \"plain\", \"login\", \"weighted\", \"pair\""),
    ] {
        says(GOOD, &[(name, MARKER)], &[&place(name, said)]);
    }
    says("", &[("SCHEDULER__COMMON__APP__MAIL", "x")], &[&place("SCHEDULER__COMMON__APP__MAIL", "the value (not shown) is refused, expected a table")]);
}

#[test]
fn the_mistakes_of_all_sections_are_reported_with_all_others() {
    let conf = common("lease = 0\n[app.a]\nper_hour = true\n[app.b]\nper_hour = -1\n[app.c]\n");
    conf.write("redis", "[default]\n");
    let sections = [Section::of::<Limits>("a"), Section::of::<Limits>("b")];
    let error = Config::load_with(conf.folder(), "local", [], &sections).unwrap_err().to_string();
    let folder = format!("{}/", conf.folder().join("local").display());
    let text = error.replace(&folder, "");
    let places: Vec<_> = text.lines().map(|line| line.split(": ").next().unwrap()).collect();
    let expected =
        ["common.toml:2", "common.toml:4", "common.toml:6", "common.toml:7", "redis.toml:1"];
    assert_eq!(places, expected, "{text}");
}

#[test]
fn a_mistake_of_syntax_does_not_invent_missing_keys() {
    for text in ["[app.mail]\nhost \"h\"\nport = 25\n", "[app.mail\nhost = \"h\"\nport = 25\n"] {
        let said = read::<Mail>(&common(text), &[]).unwrap_err();
        assert!(said.iter().all(|line| line.contains(": column ")), "{said:?}");
    }
}

#[test]
fn without_a_declaration_every_section_is_unknown_once_somebody_asks() {
    let config = common(GOOD).load(&[]).unwrap();
    let said = config.read_sections(&[]).unwrap_err().problems;
    assert_eq!(said.len(), 1);
    assert_eq!(
        said[0].text,
        "[app] unknown table \"mail\", expected what the program declares with App::config, which is nothing"
    );
}

/// A type that quotes what it refuses, as many do.
#[derive(Debug)]
struct Even;

impl<'de> Deserialize<'de> for Even {
    fn deserialize<D: serde::Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        let text = String::deserialize(value)?;
        Err(serde::de::Error::custom(format!("{text:?} is odd")))
    }
}

#[test]
fn no_value_is_ever_shown_whatever_is_wrong_with_it() {
    for line in [
        format!("port = \"{MARKER}\""),
        format!("port = [\"{MARKER}\"]"),
        format!("port = {{ a = \"{MARKER}\" }}"),
        format!("host = [\"{MARKER}\"]"),
        format!("mode = \"{MARKER}\""),
        format!("relay = \"{MARKER}\""),
        format!("password = \"{MARKER}\""),
        format!("host = \"{MARKER}"),
    ] {
        let said = read::<Mail>(&common(&format!("[app.mail]\n{line}\n")), &[]).unwrap_err();
        assert!(!said.join("\n").contains(MARKER), "{said:?}");
    }
    let said = read::<BTreeMap<String, Even>>(
        &common(&format!("[app.mail]\nkey = \"\\\"{MARKER}\\u0007\"\n")),
        &[],
    );
    let hidden = "[app.mail] key is refused: the reason is not shown, since it quotes a value";
    assert_eq!(said.unwrap_err(), [format!("common.toml:3: {hidden}")]);
    let config = common(&format!("[app.mail]\nkey = \"{MARKER}\"\n")).load(&[]).unwrap();
    let debug = format!("{config:?}");
    assert!(debug.contains("\"mail\"") && !debug.contains(MARKER), "{debug}");
}

#[test]
fn a_section_says_what_it_is() {
    let section = Section::of::<u8>("mail");
    assert_eq!(format!("{section:?}"), "[app.mail] as u8");
    assert_eq!((section.name(), section.type_id()), ("mail", TypeId::of::<u8>()));
}

const TOKEN_FILE: &str = "SCHEDULER__COMMON__APP__MAIL__API_TOKEN_FILE";

/// Reads `[app.mail]` with the variable above, which names a file with `content`; F stands for it in what is said.
fn with_file<T: DeserializeOwned + Send + Sync + 'static>(
    app: &str,
    content: &[u8],
) -> Result<T, Vec<String>> {
    let conf = common(app);
    let path = conf.folder().join("secret");
    std::fs::write(&path, content).unwrap();
    let path = path.to_str().unwrap();
    read(&conf, &[(TOKEN_FILE, path)])
        .map_err(|said| said.iter().map(|line| line.replace(path, "F")).collect())
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Api {
    api_token: String,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct ApiByFile {
    api_token_file: std::path::PathBuf,
}

#[test]
fn a_variable_may_name_a_file_that_holds_the_value() {
    let expected = Api { api_token: "t".to_owned() };
    assert_eq!(with_file::<Api>("", b"t\n"), Ok(expected));
    let expected = Api { api_token: "several\nlines".to_owned() };
    let written = "[app.mail]\napi-token = \"written\"\n";
    assert_eq!(with_file::<Api>(written, b"several\nlines\n"), Ok(expected));
    let table = with_file::<BTreeMap<String, u16>>("", b"25").unwrap();
    assert_eq!(table, BTreeMap::from([("api_token".to_owned(), 25)]));
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ApiBothWays {
    api_token: String,
    api_token_file: std::path::PathBuf,
}

#[test]
fn a_variable_whose_name_is_that_of_a_key_is_that_key() {
    let both = with_file::<ApiBothWays>("[app.mail]\napi-token = \"written\"\n", b"t").unwrap();
    assert_eq!(both.api_token, "written");
    assert!(both.api_token_file.ends_with("secret"), "{both:?}");
    let by_file = with_file::<ApiByFile>("", b"t").unwrap();
    assert!(by_file.api_token_file.ends_with("secret"), "{by_file:?}");
    let written = "[app.mail]\napi_token_file = \"x\"\n";
    let table = with_file::<BTreeMap<String, String>>(written, b"t").unwrap();
    assert!(table["api_token_file"].ends_with("/secret"), "{table:?}");
}

#[rustfmt::skip] // One case per line.
#[test]
fn a_file_of_a_variable_that_holds_no_value_is_refused_by_variable_and_path() {
    let said = |content: &[u8], reason: &str| {
        assert_eq!(with_file::<Api>("", content).unwrap_err(), [format!("environment {TOKEN_FILE}: {reason}")]);
    };
    said(b"", "[app.mail] api-token is refused: names F, which is empty, expected a secret");
    said(&[b'x'; 65_537], "[app.mail] api-token is refused: names F, which is larger than 64 KiB");
    let number = with_file::<BTreeMap<String, u16>>("", MARKER.as_bytes()).unwrap_err();
    assert_eq!(number, [format!("environment {TOKEN_FILE}: the value (not shown) is refused, expected u16")]);
    let quoted = with_file::<BTreeMap<String, Even>>("", MARKER.as_bytes()).unwrap_err();
    assert_eq!(quoted, [format!("environment {TOKEN_FILE}: [app.mail] api_token is refused: the reason is not shown, since it quotes a value")]);
    let missing = read::<Api>(&common(""), &[(TOKEN_FILE, "/no/such")]).unwrap_err();
    assert_eq!(missing, [format!("environment {TOKEN_FILE}: [app.mail] api-token is refused: names /no/such, which cannot be read: entity not found")]);
    let url = format!("https://h/{MARKER}");
    let itself = read::<Api>(&common(""), &[(TOKEN_FILE, &url)]).unwrap_err();
    assert_eq!(itself, [format!("environment {TOKEN_FILE}: [app.mail] api-token is refused: names a url (not shown), which cannot be read: entity not found")]);
    let plain = TOKEN_FILE.trim_end_matches("_FILE");
    let both = read::<Api>(&common(""), &[(TOKEN_FILE, "/no/such"), (plain, MARKER)]).unwrap_err();
    assert_eq!(both, [format!("environment {TOKEN_FILE}: {plain} gives the same value, expected one of the two")]);
    let section = "SCHEDULER__COMMON__APP__MAIL_FILE";
    let unknown = read::<Limits>(&common(""), &[(section, "/no/such")]).unwrap_err();
    assert_eq!(unknown, [format!("environment {section}: [app] unknown key \"mail_file\", expected one of mail")]);
}
