//! `next`.

use crate::support::Home;

#[track_caller]
fn check_next(common: &str, args: &[&str], expected: &[&str]) {
    let home = Home::new(common);
    let stdout = home.ok(&[&["next"], args].concat());
    assert_eq!(stdout.lines().collect::<Vec<_>>(), expected);
    assert!(!home.path().join("data").exists(), "no database is touched");
}

#[test]
fn next_places_a_time_that_does_not_exist_right_after_the_gap_and_says_so() {
    let from = "2026-03-28T00:00:00Z";
    check_next(
        "",
        &["cron", "30 1 * * *", "--tz", "Europe/London", "--from", from, "-n", "3"],
        &[
            "2026-03-28T01:30:00+00:00  2026-03-28T01:30:00Z",
            "2026-03-29T02:00:00+01:00  2026-03-29T01:00:00Z  (moved: 01:30 does not exist on that day)",
            "2026-03-30T01:30:00+01:00  2026-03-30T00:30:00Z",
        ],
    );
    check_next(
        "",
        &[
            "cron",
            "0 2 * * *",
            "--tz",
            "Europe/London",
            "--from",
            "2026-03-29T00:00:00Z",
            "-n",
            "1",
        ],
        &["2026-03-29T02:00:00+01:00  2026-03-29T01:00:00Z"],
    );
}

#[test]
fn next_takes_zone_and_dialect_from_the_configuration() {
    check_next(
        "timezone = \"Asia/Shanghai\"\ncron_dialect = \"apscheduler\"",
        &["cron", "0 8 * * 0", "--from", "2026-01-01 00:00:00", "-n", "1"],
        // 0 is Monday there: 5 January 2026.
        &["2026-01-05T08:00:00+08:00  2026-01-05T00:00:00Z"],
    );
}

#[test]
fn next_counts_an_interval_from_from_and_shows_what_is_due_at_from_itself() {
    let from = "2026-01-01T00:00:00Z";
    check_next(
        "",
        &["interval", "250ms", "--from", from, "-n", "2"],
        &[
            "2026-01-01T00:00:00.250+00:00  2026-01-01T00:00:00.250Z",
            "2026-01-01T00:00:00.500+00:00  2026-01-01T00:00:00.500Z",
        ],
    );
    let due = &["2026-01-01T00:00:00+00:00  2026-01-01T00:00:00Z"];
    check_next("", &["date", "2026-01-01 00:00:00", "--from", from], due);
    check_next("", &["cron", "@daily", "--from", from, "-n", "1"], due);
}

#[test]
fn next_needs_no_configuration_but_says_what_it_assumes() {
    let home = Home::new("");
    let ran = home.run(&[
        "--conf",
        "none",
        "next",
        "date",
        "2030-01-01 00:00:00",
        "--from",
        "2026-01-01T00:00:00Z",
    ]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "2030-01-01T00:00:00+00:00  2030-01-01T00:00:00Z\n")
    );
    assert!(ran.stderr.starts_with("warning: "), "{ran:?}");
}

#[test]
fn next_refuses_what_it_does_not_understand_and_says_why() {
    let home = Home::new("");
    home.fails(
        &["next", "crom", "* * * * *"],
        2,
        "error: trigger \"crom\" is not known, expected cron, date or interval (nearest: cron)",
    );
    home.fails(
        &["next", "cron", "61 * * * *"],
        2,
        "error: spec \"61 * * * *\": minute \"61\" is not valid, expected 0-59, *, a list, a range or a step",
    );
    home.fails(
        &["next", "cron", "@daily", "--tz", "Europe/Lundon"],
        2,
        "error: timezone \"Europe/Lundon\" is not known, expected a name such as Europe/London \
         (nearest: Europe/London)",
    );
    home.fails(
        &["next", "cron", "@daily", "--from", "soon\u{1b}"],
        2,
        "error: --from \"soon\\u{1b}\" is no instant, expected RFC 3339 or YYYY-MM-DD HH:MM:SS",
    );
    home.fails(
        &["next", "date", "2020-01-01 00:00:00", "--from", "2026-01-01T00:00:00Z"],
        1,
        "never: date \"2020-01-01 00:00:00\" has no instant at or after 2026-01-01T00:00:00Z",
    );
}
