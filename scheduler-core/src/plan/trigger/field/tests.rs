//! How specs become fields.

use super::*;

#[track_caller]
fn check(dialect: CronDialect, spec: &str, pattern: &str) {
    assert_eq!(Fields::parse(spec, dialect).map(|fields| fields.pattern()), Ok(pattern.to_owned()));
}

#[test]
fn names_become_numbers_in_their_own_field() {
    let check = |spec, pattern| check(CronDialect::Standard, spec, pattern);
    check("0 9 * jan-Mar mon-FRI", "0 0 9 * 1-3 1-5");
    check("5 0 9 1,15 DEC Sun", "5 0 9 1,15 12 0");
    check("0 9 * * FRI-SUN", "0 0 9 * * 5-7");
    check("0 9 * * SUN-TUE", "0 0 9 * * 0-2");
    check("0 9 * * SUN-SUN", "0 0 9 * * 0-0");
    check("0 9 * * FRIL,MON#2,1-3#2,7l", "0 0 9 * * 5L,1#2,1-3#2,7L");
    check("0 9 LW,15w,l * ?", "0 0 9 LW,15W,L * *");
}

#[test]
fn nicknames_are_read_in_any_case() {
    let check = |spec, pattern| check(CronDialect::Standard, spec, pattern);
    check("@Yearly", "0 0 0 1 1 *");
    check("@annually", "0 0 0 1 1 *");
    check("@monthly", "0 0 0 1 * *");
    check("@WEEKLY", "0 0 0 * * 0");
    check("@Daily", "0 0 0 * * *");
    check(" @midnight\n", "0 0 0 * * *");
    check("@hourly", "0 0 * * * *");
    self::check(CronDialect::Apscheduler, "@weekly", "0 0 0 * * 0");
}

#[test]
fn apscheduler_counts_weekdays_from_monday() {
    let check = |weekday: &str, numbers: &str| {
        let (spec, pattern) = (format!("0 9 * * {weekday}"), format!("0 0 9 * * {numbers}"));
        self::check(CronDialect::Apscheduler, &spec, &pattern);
    };
    check("*", "*");
    check("0", "1");
    check("6", "0");
    check("0-4", "1,2,3,4,5");
    check("*/2", "1,3,5,0");
    check("1/2", "2,4,6");
    check("1-5/3", "2,5");
    check("mon", "1");
    check("SUN", "0");
    check("sat-sun", "6,0");
    check("mon,wed,6", "1,3,0");
    let mixed = Fields::parse("0 9 * * mon-4", CronDialect::Apscheduler);
    assert!(mixed.is_err(), "there it means Monday, and nobody would guess that");
}

#[test]
fn apscheduler_steps_from_a_number_to_the_end_and_knows_the_last_day() {
    check(CronDialect::Apscheduler, "5/10 8/4 last 2/3 *", "0 5-59/10 8-23/4 L 2-12/3 *");
}

#[test]
fn apscheduler_passes_over_a_step_after_names() {
    let check = |spec, pattern| check(CronDialect::Apscheduler, spec, pattern);
    check("0 9 * jan-mar/2 mon-fri/2", "0 0 9 * 1-3 1,2,3,4,5");
    check("0 9 * feb/3 mon/2", "0 0 9 * 2 1");
}

#[test]
fn apscheduler_refuses_a_step_larger_than_its_range() {
    let read = |spec| Fields::parse(spec, CronDialect::Apscheduler).map(|fields| fields.pattern());
    for (widest, too_wide) in [
        ("*/59 * * * *", "*/60 * * * *"),
        ("5/54 * * * *", "5/55 * * * *"),
        ("1-3/2 * * * *", "1-2/2 * * * *"),
        ("0 */23 * * *", "0 */24 * * *"),
        ("0 0 */30 * *", "0 0 */31 * *"),
        ("0 0 * 11/1 *", "0 0 * 12/1 *"),
        ("0 0 * * */6", "0 0 * * */7"),
        ("0 0 * * 0-2/2", "0 0 * * 0-1/2"),
    ] {
        assert!(read(widest).is_ok(), "{widest}");
        let said = read(too_wide).unwrap_err().to_string();
        assert!(said.ends_with("a range or a step no larger than its range"), "{said}");
        assert!(Fields::parse(too_wide, CronDialect::Standard).is_ok(), "cron takes {too_wide}");
    }
}

#[test]
fn day_fields_are_joined_as_in_debian_cron() {
    #[track_caller]
    fn check(dialect: CronDialect, days: (&str, &str), days_and: bool) {
        let spec = format!("0 9 {} * {}", days.0, days.1);
        assert_eq!(Fields::parse(&spec, dialect).unwrap().days_and, days_and);
    }
    check(CronDialect::Standard, ("1", "1"), false);
    check(CronDialect::Standard, ("1-31", "1"), false);
    check(CronDialect::Standard, ("*", "1"), true);
    check(CronDialect::Standard, ("*/2", "1"), true);
    check(CronDialect::Standard, ("1", "*/2"), true);
    check(CronDialect::Standard, ("?", "1"), true);
    check(CronDialect::Standard, ("1,*/2", "1"), false);
    check(CronDialect::Apscheduler, ("1", "1"), true);
}

#[test]
fn a_pattern_is_wildcard_when_minute_or_hour_begins_with_a_star() {
    #[track_caller]
    fn check(spec: &str, wildcard: bool) {
        assert_eq!(Fields::parse(spec, CronDialect::Standard).unwrap().wildcard, wildcard);
    }
    check("30 1 * * *", false);
    check("30 1,13 * * *", false);
    check("0-59 1 * * *", false);
    check("* 30 1 * * *", false);
    check("* 1 * * *", true);
    check("*/5 1 * * *", true);
    check("30 * * * *", true);
    check("30 */2 * * *", true);
    check("*/5,7 1 * * *", true);
    check("7,*/5 1 * * *", false);
}
