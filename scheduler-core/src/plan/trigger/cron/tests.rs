//! What cron patterns mean, and which are refused.

use super::*;

fn parse(spec: &str, zone: &str) -> CronTrigger {
    CronTrigger::parse(spec, &Zone::named(zone).unwrap(), CronDialect::Standard).unwrap()
}

fn refused(spec: &str, dialect: CronDialect) -> String {
    CronTrigger::parse(spec, &Zone::utc(), dialect).unwrap_err().to_string()
}

/// The local times of the instants after `after`, as many as are expected.
#[track_caller]
fn check(spec: &str, zone: &str, after: &str, expected: &[&str]) {
    let (trigger, zone) = (parse(spec, zone), Zone::named(zone).unwrap());
    let mut at: DateTime<Utc> = after.parse().unwrap();
    let start = at;
    for (index, expected) in expected.iter().enumerate() {
        let next = trigger.next_after(at).unwrap();
        assert_eq!(zone.to_local(next), *expected, "instant {index} of {spec:?}");
        assert_eq!(trigger.last_until(next), Some(next));
        assert_eq!(trigger.count(start, next), index as u64 + 1);
        at = next;
    }
}

#[test]
fn a_fixed_time_in_a_gap_runs_once_right_after_it() {
    let eve = "2026-03-28T12:00:00Z";
    let gap = ["2026-03-29T02:00:00+01:00", "2026-03-30T01:30:00+01:00"];
    check("30 1 * * *", "Europe/London", eve, &gap);
    // Two matches in the gap and one at its end are one instant.
    let collapsed = ["2026-03-29T02:00:00+01:00", "2026-03-30T01:10:00+01:00"];
    check("10,20 1 29,30 3 *", "Europe/London", eve, &collapsed);
    let meeting = ["2026-03-29T02:00:00+01:00", "2026-03-29T03:00:00+01:00"];
    check("0 1,2,3 29 3 *", "Europe/London", eve, &meeting);
    // croner alone takes a list for a wildcard, and would skip this one.
    let list = ["2026-03-28T13:30:00+00:00", "2026-03-29T02:00:00+01:00"];
    check("30 1,13 * * *", "Europe/London", eve, &list);
}

#[test]
fn a_fixed_time_in_an_overlap_runs_in_the_first_pass_only() {
    let eve = "2026-10-24T12:00:00Z";
    let overlap = ["2026-10-25T01:30:00+01:00", "2026-10-26T01:30:00+00:00"];
    check("30 1 * * *", "Europe/London", eve, &overlap);
    check("30 1 * * *", "Europe/London", "2026-10-25T01:10:00Z", &overlap[1..]);
    let seconds = ["2026-10-25T01:30:59+01:00", "2026-10-26T01:30:00+00:00"];
    check("* 30 1 * * *", "Europe/London", "2026-10-25T00:30:58Z", &seconds);
}

#[test]
fn a_wildcard_follows_elapsed_time() {
    let gap =
        ["2026-03-29T00:30:00+00:00", "2026-03-29T02:00:00+01:00", "2026-03-29T02:30:00+01:00"];
    check("*/30 * * * *", "Europe/London", "2026-03-29T00:00:00Z", &gap);
    check("*/30 1 * * *", "Europe/London", "2026-03-29T00:00:00Z", &["2026-03-30T01:00:00+01:00"]);
    let overlap =
        ["2026-10-25T01:30:00+01:00", "2026-10-25T01:30:00+00:00", "2026-10-25T02:30:00+00:00"];
    check("30 * * * *", "Europe/London", "2026-10-25T00:00:00Z", &overlap);
}

#[test]
fn a_skipped_day_runs_when_the_next_begins() {
    let apia =
        ["2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00", "2011-12-31T12:00:00+14:00"];
    check("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00:00Z", &apia);
    let midnight = ["2026-04-24T01:00:00+03:00", "2026-04-25T00:30:00+03:00"];
    check("30 0 * * *", "Africa/Cairo", "2026-04-23T12:00:00Z", &midnight);
}

#[test]
fn day_fields_are_ored_unless_one_begins_with_a_star() {
    let after = "2026-01-01T00:00:00Z";
    let utc = |days: &[&'static str]| {
        days.iter().map(|day| format!("2026-{day}T00:00:00+00:00")).collect::<Vec<_>>()
    };
    let check = |spec, days: &[&'static str]| {
        let expected = utc(days);
        self::check(spec, "UTC", after, &expected.iter().map(String::as_str).collect::<Vec<_>>());
    };
    check("0 0 13 * 5", &["01-02", "01-09", "01-13", "01-16"]);
    check("0 0 */2 * 5", &["01-09", "01-23", "02-13"]);
    check("0 0 13 * */2", &["01-13", "06-13"]);
    check("0 0 ? * 7", &["01-04", "01-11"]);
    check("0 0 L * *", &["01-31", "02-28", "03-31"]);
    check("0 0 15W 8 *", &["08-14"]);
    check("0 0 LW 5 ?", &["05-29"]);
    check("0 0 * * 5L", &["01-30", "02-27"]);
    check("0 0 * * 1#2", &["01-12", "02-09"]);
}

#[test]
fn apscheduler_counts_from_monday_and_both_days_must_match() {
    let trigger = CronTrigger::parse("0 0 13 * 4", &Zone::utc(), CronDialect::Apscheduler).unwrap();
    let next = trigger.next_after("2026-01-01T00:00:00Z".parse().unwrap()).unwrap();
    assert_eq!(next.to_rfc3339(), "2026-02-13T00:00:00+00:00");
    let apscheduler = CronDialect::Apscheduler;
    let weekday = "expected 0-6 (0 is Monday), MON-SUN, *, a list, a range or a step no larger than its range";
    for bad in ["7", "SUN-MON", "5L", "1#2", "?", "*/0"] {
        let spec = format!("0 0 * * {bad}");
        let text = format!("spec {spec:?}: weekday {bad:?} is not valid, {weekday}");
        assert_eq!(refused(&spec, apscheduler), text);
    }
    let count = r#"spec "0 0 0 * * *" has 6 fields, expected 5"#;
    assert_eq!(refused("0 0 0 * * *", apscheduler), count);
}

#[test]
fn a_bad_field_is_named_with_what_it_takes() {
    #[track_caller]
    fn check(spec: &str, text: &str) {
        let refused = refused(spec, CronDialect::Standard);
        assert!(refused.starts_with(&format!("spec {spec:?}{text}")), "{refused}");
    }
    assert_eq!(
        refused("61 * * * *", CronDialect::Standard),
        r#"spec "61 * * * *": minute "61" is not valid, expected 0-59, *, a list, a range or a step"#
    );
    check("60 * * * *", r#": minute "60" is not valid, expected 0-59"#);
    check("60 0 0 * * *", r#": second "60" is not valid, expected 0-59"#);
    check("0 24 * * *", r#": hour "24" is not valid, expected 0-23"#);
    check("0 0 0 * *", r#": day of month "0" is not valid, expected 1-31"#);
    check("0 0 32 * *", r#": day of month "32" is not valid"#);
    check("0 0 * 13 *", r#": month "13" is not valid, expected 1-12, JAN-DEC"#);
    check("0 0 * 0 *", r#": month "0" is not valid"#);
    check("0 0 * * 8", r#": weekday "8" is not valid, expected 0-7, SUN-SAT"#);
    for minute in ["*/0", "/5", "5/", "5/10", "5-", "-5", "5-1", "1,,2", ",", "1,", "*,1", "**"] {
        check(&format!("{minute} * * * *"), &format!(": minute {minute:?} is not valid"));
    }
    for minute in
        ["1-2-3", "*/5/5", "1.5", "+5", "0x1", "JAN", "SUN", "L", "?", "1#1", "%", "65536"]
    {
        check(&format!("{minute} * * * *"), &format!(": minute {minute:?} is not valid"));
    }
    for day in ["W", "15WX", "15W3", "WL", "L-3", "1-5W", "32W", "0W", "5L", "MON", "?/2", "1,?"] {
        check(&format!("0 0 {day} * *"), &format!(": day of month {day:?} is not valid"));
    }
    for weekday in
        ["L", "#", "1#", "1#0", "1#6", "1#2#3", "5#3L", "+1", "1-3L", "*#2", "JAN", "MONDAY", "1W"]
    {
        check(&format!("0 0 * * {weekday}"), &format!(": weekday {weekday:?} is not valid"));
    }
    check("0 0 * MON *", r#": month "MON" is not valid"#);
    check("0 0 * ? *", r#": month "?" is not valid"#);
}

#[test]
fn the_number_of_fields_is_named() {
    #[track_caller]
    fn check(spec: &str, found: &str) {
        let text = format!("spec {spec:?} has {found}, expected 5, or 6 with seconds first");
        assert_eq!(refused(spec, CronDialect::Standard), text);
    }
    check("", "0 fields");
    check(" \n", "0 fields");
    check("*", "1 field");
    check("* * * *", "4 fields");
    check("0 0 0 1 1 * 2030", "7 fields");
    check("* * * * * * * *", "8 fields");
}

#[test]
fn what_is_not_ascii_not_a_name_or_never_fires_is_refused() {
    let standard = CronDialect::Standard;
    for (spec, found) in
        [("１ * * * *", '１'), ("¹ * * * *", '¹'), ("٥ * * * *", '٥'), ("0\u{a0}0 * * *", '\u{a0}')]
    {
        let text = format!("spec {spec:?} contains {found:?}, expected ASCII characters only");
        assert_eq!(refused(spec, standard), text);
    }
    for spec in ["@reboot", "@every 5m", "@", "@daily @daily"] {
        assert!(refused(spec, standard).starts_with(&format!("spec {spec:?} is not a known name")));
    }
    for spec in ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 30 2 */2", "0 0 30W 2 *"] {
        let text = format!("spec {spec:?} never fires: no such instant before the year 5000");
        assert_eq!(refused(spec, standard), text);
    }
    assert!(refused("0 0 * * *\0", standard).contains(r#"weekday "*\0" is not valid"#));
}

#[test]
fn blanks_of_any_kind_part_the_fields() {
    check("\t0  0\t1 1 *\r\n", "UTC", "2026-01-01T00:00:00Z", &["2027-01-01T00:00:00+00:00"]);
}

#[test]
fn a_rare_day_is_found_however_far_it_is() {
    check("0 0 29 2 *", "Europe/London", "2096-03-01T00:00:00Z", &["2104-02-29T00:00:00+00:00"]);
    check("0 0 29 2 */7", "Europe/London", "2032-03-01T00:00:00Z", &["2060-02-29T00:00:00+00:00"]);
    let utc = parse("0 0 1 1 *", "UTC");
    let last = "4999-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(utc.next_after("4998-06-01T00:00:00Z".parse().unwrap()), Some(last));
    assert_eq!(utc.next_after(last), None);
    assert_eq!(utc.last_until(DateTime::<Utc>::MAX_UTC), Some(last));
    assert_eq!(utc.last_until(DateTime::<Utc>::MIN_UTC), None);
    assert_eq!(utc.count(DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC), 4_998);
    for zone in ["Europe/London", "Asia/Shanghai", "America/New_York"] {
        let far = parse("0 0 1 1 *", zone);
        assert_eq!(far.next_after(DateTime::<Utc>::MAX_UTC), None);
        assert!(far.next_after(DateTime::<Utc>::MIN_UTC).is_some());
    }
}

#[test]
fn fractions_of_a_second_do_not_shift_an_instant() {
    let trigger = parse("* * * * * *", "UTC");
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let second = at("2026-01-01T00:00:01Z");
    assert_eq!(trigger.next_after(at("2026-01-01T00:00:00.999Z")), Some(second));
    assert_eq!(trigger.next_after(at("2026-01-01T00:00:00Z")), Some(second));
    assert_eq!(trigger.last_until(at("2026-01-01T00:00:01.999Z")), Some(second));
    assert_eq!(trigger.count(at("2026-01-01T00:00:00.5Z"), at("2026-01-01T00:00:01.5Z")), 1);
    assert_eq!(trigger.next_after(at("1969-12-31T23:59:58.5Z")), Some(at("1969-12-31T23:59:59Z")));
}

#[test]
fn counting_costs_a_look_per_day_not_per_instant() {
    let trigger = parse("* * * * * *", "Europe/London");
    let (from, to) =
        ("2020-01-01T00:00:00Z".parse().unwrap(), "2030-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(trigger.count(from, to), 3_653 * 86_400);
    assert_eq!(trigger.count(to, from), 0);
    assert_eq!(parse("30 1 * * *", "Europe/London").count(from, to), 3_653);
}
