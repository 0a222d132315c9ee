//! `[otlp]`, as a program with the feature `otlp` obeys it; without it there is a test of the program.

use std::time::Duration;

use secrecy::SecretString;

use super::{super::*, Conf};

fn conf(lines: &str) -> Conf {
    Conf::with("common", format!("store = \"sqlite:a.db\"\n[otlp]\n{lines}\n"))
}

#[track_caller]
fn accepts(lines: &str) -> Otlp {
    conf(lines).load(&[]).unwrap().otlp.unwrap()
}

#[track_caller]
fn refuses(lines: &str, expected: &[&str]) {
    assert_eq!(conf(lines).mistakes(&[]), expected, "{lines}");
}

const HERE: &str = "endpoint = \"http://127.0.0.1:4318\"";

#[test]
fn nothing_is_sent_unless_a_table_says_where_to() {
    assert!(Conf::new().load(&[]).unwrap().otlp.is_none());
    refuses("", &["common.toml:2: [otlp] endpoint is missing"]);
    let otlp = accepts(HERE);
    assert_eq!(otlp.endpoint.as_str(), "http://127.0.0.1:4318/");
    assert!(otlp.headers.is_none() && otlp.header_map().is_empty());
    assert_eq!(otlp.interval, Some(Duration::from_secs(60)));
}

#[test]
fn an_endpoint_is_any_address_without_secrets() {
    for good in ["https://otlp.example.org/otlp", "http://collector:4318", "http://[::1]:1/"] {
        assert!(accepts(&format!("endpoint = \"{good}\"")).endpoint.as_str().starts_with(good));
    }
    for (wrong, shown) in [
        ("collector:4318", "\"collector:4318\""),
        ("grpc://collector:4317", "a url (not shown)"),
        ("http://user@collector", "a url (not shown)"),
        ("http://:pass@collector", "a url (not shown)"),
        ("https://collector/?key=x", "a url (not shown)"),
        ("https://collector/#x", "a url (not shown)"),
    ] {
        let said = format!(
            "common.toml:3: [otlp] endpoint is {shown}, expected an address such as \
             \"http://127.0.0.1:4318\", without user, password and query"
        );
        refuses(&format!("endpoint = \"{wrong}\""), &[&said]);
    }
}

#[test]
fn headers_are_read_as_the_variable_of_opentelemetry_and_never_shown() {
    let otlp = accepts(&format!(
        "{HERE}\nheaders = \"Authorization=Basic%20dTpw==, X-Tenant = 7,,api-key=a b\""
    ));
    let map = otlp.header_map();
    let value = |name: &str| map[name].to_str().unwrap();
    assert_eq!(
        (value("authorization"), value("x-tenant"), value("api-key"), map.len()),
        ("Basic dTpw==", "7", "a b", 3)
    );
    assert!(map.values().all(reqwest::header::HeaderValue::is_sensitive));
    assert!(!format!("{otlp:?}").contains("dTpw"), "{otlp:?}");
    let wrong = "common.toml:4: [otlp] headers is wrong (not shown), expected name=value, several with \
                 commas, as in OTEL_EXPORTER_OTLP_HEADERS";
    for text in ["hunter2", "a b=c", "=c", "a=%00", "a=%ff"] {
        refuses(&format!("{HERE}\nheaders = \"{text}\""), &[wrong]);
    }
}

#[test]
fn headers_go_to_no_other_machine_in_the_clear() {
    let headers = "headers = \"a=b\"";
    let said = "common.toml:3: [otlp] endpoint is http to another machine, expected https, or no headers \
                beside it";
    refuses(&format!("endpoint = \"http://collector:4318\"\n{headers}"), &[said]);
    for good in ["https://collector", "http://localhost:4318", "http://[::1]:4318"] {
        assert!(accepts(&format!("endpoint = \"{good}\"\n{headers}")).headers.is_some());
    }
}

#[test]
fn figures_are_sent_each_second_at_most_and_each_hour_at_least_or_never() {
    let interval = |text: &str| accepts(&format!("{HERE}\ninterval = {text}")).interval;
    assert_eq!(interval("1"), Some(Duration::from_secs(1)));
    assert_eq!(interval("\"1h\""), Some(Duration::from_secs(3_600)));
    assert_eq!(interval("\"never\""), None);
    for (text, shown) in [("0", "0"), ("\"999ms\"", "\"999ms\""), ("3601", "3601")] {
        let said = format!(
            "common.toml:4: [otlp] interval is {shown}, expected \"never\", or 1s to 1h, as whole seconds \
             or as text such as \"90d\""
        );
        refuses(&format!("{HERE}\ninterval = {text}"), &[&said]);
    }
}

#[test]
fn what_is_in_force_is_shown_but_for_the_headers() {
    let config = conf(&format!("{HERE}\nheaders = \"a=hunter2\"")).load(&[]).unwrap();
    let shown: Vec<_> = config
        .settings
        .iter()
        .filter(|setting| setting.table == "otlp")
        .map(|setting| format!("{} {}", setting.key, setting.value))
        .collect();
    assert_eq!(
        shown,
        [
            "endpoint \"http://127.0.0.1:4318\"",
            "headers (secret)",
            "headers_file none",
            "interval \"1m\""
        ]
    );
}

#[test]
fn what_a_program_sets_wrong_is_refused_as_well() {
    #[track_caller]
    fn check(endpoint: &str, headers: Option<&str>, interval: u64, said: &str) {
        let mut config = Config::sqlite("a.db");
        config.otlp = Some(Otlp {
            endpoint: endpoint.parse().unwrap(),
            headers: headers.map(SecretString::from),
            interval: Some(Duration::from_secs(interval)),
        });
        let found = config.check().err().map_or_else(String::new, |error| error.to_string());
        assert_eq!(found, said);
    }
    check("http://collector:4318", None, 60, "");
    check("https://collector", Some("a=b"), 60, "");
    check(
        "ftp://collector",
        None,
        60,
        "the program: [otlp] endpoint (not shown) is refused, expected an address such as \
         \"http://127.0.0.1:4318\", without user, password and query",
    );
    check(
        "https://collector",
        Some("hunter2"),
        60,
        "the program: [otlp] headers are wrong (not shown), expected name=value, several with commas, as in \
         OTEL_EXPORTER_OTLP_HEADERS",
    );
    check(
        "http://collector",
        Some("a=b"),
        60,
        "the program: [otlp] endpoint is http to another machine, expected https, or no headers beside it",
    );
    let interval = "the program: [otlp] interval is 0ns, expected 1s to 1h, or none";
    check("https://collector", None, 0, interval);
}
