//! One pattern under two dialects: where its instants part, and how it is written to mean the same in the other.
//!
//! ```
//! use scheduler_core::plan::trigger::{CronDialect, respelled};
//!
//! // Monday to Friday, where 0 is Monday.
//! let here = respelled("0 9 * * 0-4", CronDialect::Apscheduler, CronDialect::Standard);
//! assert_eq!(here.as_deref(), Some("0 9 * * mon-fri"));
//! ```

use std::{
    iter::{StepBy, successors},
    ops::RangeInclusive,
};

use chrono::{DateTime, Utc};

use super::{
    CronDialect, CronTrigger, Zone,
    field::{Field, Fields, canonical_field},
};

/// Two instants in the same place of two sequences; `None`: that one has ended.
pub type Parting = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// So many instants are looked through for the first that differ: a month of minutes.
const PLACES: usize = 45_000;

/// Where two patterns in one zone part after `after`: the first instants in one place of both that are not the same, or
/// none of either if these are too far. `None`: they never part, as far as there are days.
pub fn parting(one: &CronTrigger, other: &CronTrigger, after: DateTime<Utc>) -> Option<Parting> {
    if one.has_instants_of(other) {
        return None;
    }
    let mut places = instants(one, after).zip(instants(other, after)).take(PLACES);
    Some(places.find(|(one, other)| one != other).unwrap_or((None, None)))
}

/// One after the other, and `None` for ever after the last.
fn instants(
    trigger: &CronTrigger,
    after: DateTime<Utc>,
) -> impl Iterator<Item = Option<DateTime<Utc>>> {
    successors(Some(trigger.next_after(after)), |at| Some(at.and_then(|at| trigger.next_after(at))))
}

/// How `spec`, read in the dialect `from`, is written in `to`, weekdays by name; `None`: `from` does not read it, or `to`
/// has no such pattern.
pub fn respelled(spec: &str, from: CronDialect, to: CronDialect) -> Option<String> {
    let meant = CronTrigger::parse(spec, &Zone::utc(), from).ok()?;
    let fields = Fields::parse(spec, from).ok()?;
    let texts = Field::ALL.into_iter().zip(&fields.written).zip(&fields.canonical);
    let texts = texts.map(|((field, written), canonical)| {
        if canonical_field(field, written, to).as_ref() == Some(canonical) {
            written.clone()
        } else if field == Field::Weekday {
            by_name(canonical)
        } else if field == Field::DayOfMonth && canonical == "L" && to == CronDialect::Apscheduler {
            "last".to_owned()
        } else {
            canonical.clone()
        }
    });
    let texts: Vec<String> = texts.collect();
    let has_seconds = fields.canonical[0] != "0";
    let written = texts[usize::from(!has_seconds)..].join(" ");
    let means = CronTrigger::parse(&written, &Zone::utc(), to).ok()?;
    means.has_instants_of(&meant).then_some(written)
}

/// Days in cron's numbers by name, those in a row as a range, from Monday on; what is no list of numbers stays.
fn by_name(canonical: &str) -> String {
    const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let spans: Option<Vec<_>> = canonical.split(',').map(span).collect();
    let Some(spans) = spans else { return canonical.to_owned() };
    let numbers: Vec<usize> = spans.into_iter().flatten().collect();
    let is_named = |day: usize| numbers.iter().any(|number| (number + 6) % 7 == day);
    if (0..NAMES.len()).all(is_named) {
        return "*".to_owned();
    }
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for day in (0..NAMES.len()).filter(|day| is_named(*day)) {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == day => *last = day,
            _ => ranges.push((day, day)),
        }
    }
    let texts = ranges.into_iter().map(|(first, last)| match last - first {
        0 => NAMES[first].to_owned(),
        1 => format!("{},{}", NAMES[first], NAMES[last]),
        _ => format!("{}-{}", NAMES[first], NAMES[last]),
    });
    texts.collect::<Vec<_>>().join(",")
}

/// The numbers of `2`, `1-5`, `1-5/2` or `*/2`.
fn span(item: &str) -> Option<StepBy<RangeInclusive<usize>>> {
    let (days, step) = item.split_once('/').unwrap_or((item, "1"));
    let (first, last) = match days {
        "*" => (0, 6),
        _ => {
            let (first, last) = days.split_once('-').unwrap_or((days, days));
            (first.parse().ok()?, last.parse().ok()?)
        }
    };
    let step = step.parse().ok().filter(|step| *step > 0)?;
    Some((first..=last).step_by(step))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: CronDialect = CronDialect::Standard;
    const THERE: CronDialect = CronDialect::Apscheduler;

    /// Where `spec` parts under both dialects after Saturday, 28 November 2026, 12:00 UTC: here and there.
    fn shown_parting(spec: &str) -> Option<(String, String)> {
        let now = "2026-11-28T12:00:00Z".parse().unwrap();
        let trigger = |dialect| CronTrigger::parse(spec, &Zone::utc(), dialect).unwrap();
        let (here, there) = parting(&trigger(HERE), &trigger(THERE), now)?;
        let shown = |at: Option<DateTime<Utc>>| {
            at.map_or("never".to_owned(), |at| at.format("%a %m-%d").to_string())
        };
        Some((shown(here), shown(there)))
    }

    #[test]
    fn patterns_part_where_numbers_of_weekdays_mean_other_days() {
        let parts = |spec: &str, here: &str, there: &str| {
            assert_eq!(shown_parting(spec), Some((here.to_owned(), there.to_owned())), "{spec}");
        };
        parts("0 9 * * 1", "Mon 11-30", "Tue 12-01");
        parts("0 9 * * 0-4", "Sun 11-29", "Mon 11-30");
        parts("0 9 * * 1-5", "Mon 11-30", "Tue 12-01");
        parts("0 9 * * 0", "Sun 11-29", "Mon 11-30");
        // Either day, or both on one day.
        parts("0 0 13 * fri", "Fri 12-04", "Fri 08-13");
        // A step after names is passed over there.
        parts("0 9 * * mon-fri/2", "Wed 12-02", "Tue 12-01");
        // Thousands of instants later: today, a Saturday, is a day of both.
        parts("*/10 * * * 2-6", "Tue 12-01", "Sun 11-29");
        parts("* * * * 5-6", "Fri 12-04", "Sun 11-29");
    }

    #[test]
    fn patterns_without_numbers_of_weekdays_do_not_part() {
        for spec in
            ["* * * * *", "0 9 * * mon-fri", "0 9 * * 0-6", "0 0 29 2 *", "@weekly", "5 4 1 * *"]
        {
            assert_eq!(shown_parting(spec), None, "{spec}");
        }
    }

    #[test]
    fn patterns_that_part_beyond_a_month_of_minutes_part_all_the_same() {
        let now = "2026-03-01T00:00:00Z".parse().unwrap();
        let trigger = |spec| CronTrigger::parse(spec, &Zone::utc(), HERE).unwrap();
        let (march, april) = (trigger("* * * 3 *"), trigger("* * * 3,4 *"));
        assert_eq!(
            parting(&march, &april, now).map(|(one, other)| (one.is_some(), other.is_some())),
            Some((true, true))
        );
        let june = trigger("* * * 3,4,5,6 *");
        assert_eq!(parting(&trigger("* * * 3,4,5 *"), &june, now), Some((None, None)));
        assert_eq!(parting(&june, &june, now), None);
    }

    #[test]
    fn a_pattern_is_respelled_by_names() {
        let check = |there: &str, here: &str| {
            assert_eq!(respelled(there, THERE, HERE).as_deref(), Some(here), "{there}");
        };
        check("0 9 * * 0-4", "0 9 * * mon-fri");
        check("0 9 * * 6", "0 9 * * sun");
        check("0 9 * * 5,6", "0 9 * * sat,sun");
        check("0 9 * * 0,2-4,6", "0 9 * * mon,wed-fri,sun");
        check("*/5 9 * * */2", "*/5 9 * * mon,wed,fri,sun");
        check("0 9 last * *", "0 9 L * *");
        check("5/10 9 * * mon", "5-59/10 9 * * mon");
        check("0 9 * JAN 0", "0 9 * JAN mon");
        check("0 9 13 * 0-6", "0 9 13 * *");
        check("0 9 * jan-mar/2 mon-fri/2", "0 9 * 1-3 mon-fri");
        let back = |here: &str| respelled(here, HERE, THERE);
        assert_eq!(back("0 9 * * 1-5").as_deref(), Some("0 9 * * mon-fri"));
        assert_eq!(back("0 9 * * 0,7").as_deref(), Some("0 9 * * sun"));
        assert_eq!(back("0 9 * * 5-7").as_deref(), Some("0 9 * * fri-sun"));
        assert_eq!(back("0 9 * * 1-5/2").as_deref(), Some("0 9 * * mon,wed,fri"));
        assert_eq!(back("0 9 L * *").as_deref(), Some("0 9 last * *"));
        assert_eq!(back("@weekly").as_deref(), Some("0 0 * * SUN"));
    }

    #[test]
    fn what_the_other_dialect_cannot_say_is_not_respelled() {
        assert_eq!(respelled("0 0 13 * 4", THERE, HERE), None, "both days must match");
        assert_eq!(respelled("0 0 13 * 4", HERE, THERE), None, "one is enough");
        assert_eq!(respelled("0 9 * * 1#2", HERE, THERE), None);
        assert_eq!(respelled("30 0 9 * * 1", HERE, THERE), None, "seconds");
        assert_eq!(respelled("61 9 * * 1", HERE, THERE), None, "not a pattern");
    }
}
