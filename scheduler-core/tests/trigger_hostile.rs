//! Rows that no scheduler should be given: whatever a spec holds, it is parsed or refused, quickly,
//! without a panic, and with a reason that fits one line.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::time::Duration;

use chrono::{DateTime, Utc};
use scheduler_core::plan::trigger::{Anchor, CronDialect, Parser, TriggerKind, Zone};

const KINDS: [TriggerKind; 3] = [TriggerKind::Cron, TriggerKind::Date, TriggerKind::Interval];

/// Parses the spec as each kind in each dialect and uses what comes out.
#[track_caller]
fn check(spec: &str) {
    let at: DateTime<Utc> = "2026-03-28T23:59:59.999Z".parse().unwrap();
    let anchor = Anchor { created_at: at, updated_at: at };
    let zone = Zone::named("Africa/Cairo").unwrap();
    for dialect in [CronDialect::Standard, CronDialect::Apscheduler] {
        for kind in KINDS {
            match Parser::new(dialect).parse(kind, spec, &zone, anchor) {
                Ok(trigger) => {
                    let next = trigger.next_after(at);
                    assert!(
                        next.is_none_or(|next| next > at && trigger.last_until(next) == Some(next))
                    );
                    assert!(trigger.last_until(at).is_none_or(|last| last <= at));
                    for after in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
                        trigger.next_after(after);
                        trigger.last_until(after);
                    }
                }
                Err(error) => {
                    let text = error.to_string();
                    assert!(!text.contains(char::is_control), "{text:?}");
                    assert!(text.chars().count() < 1_200, "{text:?}");
                }
            }
        }
    }
}

#[test]
fn injection_texts_are_inert() {
    for spec in [
        r#""); DROP TABLE task;--"#,
        "' OR 1=1",
        "__import__('os')",
        "${jndi:ldap://x}",
        "{{7*7}}",
        "$(id)",
        "../../etc/passwd",
        "\u{1b}[2J\r\n\0\u{202e}",
    ] {
        check(spec);
    }
}

#[test]
fn enormous_specs_cost_nothing() {
    for text in ["9", "*", " ", "\n", "0 ", "1,", "9y ", "é", "\u{1}", "-"] {
        check(&text.repeat(5_000));
        check(&text.repeat(100));
        check(&text.repeat(250 / text.len()));
    }
    check(&format!("0 0 {} * *", ["1-31/1"; 30].join(",")));
}

#[test]
fn random_texts_never_panic() {
    let pieces = [
        "*",
        "/",
        "-",
        ",",
        "#",
        "L",
        "W",
        "?",
        "+",
        "@",
        " ",
        " ",
        " ",
        " ",
        "\t",
        "0",
        "1",
        "2",
        "5",
        "7",
        "29",
        "31",
        "59",
        "60",
        "99",
        "JAN",
        "SUN",
        "FRI",
        "last",
        "now",
        "daily",
        "h",
        "m",
        "ms",
        "y",
        ".",
        ":",
        "T",
        "Z",
        "2026-02-29",
        "23:59:59",
        "18446744073709551615",
        "1000ms",
        "é",
        "１",
        "0 0 * * ",
        "* * * * ",
        "9999-12-31 23:59:59",
        "+14:00",
        "\0",
    ];
    let seed = std::env::var("CRON_SEED").map_or(43, |text| text.parse().unwrap());
    println!("CRON_SEED={seed}");
    let mut state: u64 = seed;
    for _ in 0..3_000 {
        let mut spec = String::new();
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut draws = state;
        for _ in 0..(state >> 60) {
            draws = draws.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            spec.push_str(pieces[usize::try_from(draws >> 33).unwrap() % pieces.len()]);
        }
        check(&spec);
    }
}

/// 5 ms for parsing and the next instant in a release build; a tenth of the speed is allowed here.
#[test]
#[allow(clippy::disallowed_methods, reason = "this measures, it does not schedule")]
fn hostile_patterns_are_quick() {
    let at: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    let anchor = Anchor { created_at: at, updated_at: at };
    let zone = Zone::named("Africa/Cairo").unwrap();
    let ten_years_on: DateTime<Utc> = "2036-01-01T00:00:00Z".parse().unwrap();
    for spec in ["0 0 29 2 */7", "59 59 23 29 2 5L", "* * * * * *", "0 0 31 12 5#5", "30 0 L * 5L"]
    {
        let started = std::time::Instant::now();
        let mut parser = Parser::new(CronDialect::Standard);
        let trigger = parser.parse(TriggerKind::Cron, spec, &zone, anchor).unwrap();
        trigger.next_after(at);
        trigger.last_until(at);
        let parsed = started.elapsed();
        trigger.count(at, ten_years_on);
        let counted = started.elapsed() - parsed;
        println!("{spec}: parse, next, last {parsed:?}; count of ten years {counted:?}");
        let unoptimised = if cfg!(debug_assertions) { 10 } else { 1 };
        assert!(parsed < Duration::from_millis(5) * unoptimised, "{spec}: {parsed:?}");
        assert!(counted < Duration::from_millis(50), "{spec}: {counted:?}");
    }
}
