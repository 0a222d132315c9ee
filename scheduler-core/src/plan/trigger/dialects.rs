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
    CronDialect, CronTrigger, Trigger, Zone,
    field::{Field, Fields, canonical_field},
};

/// Two instants in the same place of two sequences; `None`: that one has ended.
pub type Parting = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// The first of the `n` places after `after` where two triggers name different instants.
pub fn first_parting(
    one: &Trigger,
    other: &Trigger,
    after: DateTime<Utc>,
    n: usize,
) -> Option<Parting> {
    let instants = |trigger: &'_ Trigger| {
        let trigger = trigger.clone();
        let first = trigger.next_after(after);
        successors(Some(first), move |at| Some(at.and_then(|at| trigger.next_after(at))))
    };
    instants(one).zip(instants(other)).take(n).find(|(one, other)| one != other)
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
    use super::super::{Anchor, Parser, TriggerKind};
    use super::*;

    const HERE: CronDialect = CronDialect::Standard;
    const THERE: CronDialect = CronDialect::Apscheduler;

    /// Where `spec` parts under both dialects after Saturday, 28 November 2026, 12:00 UTC: here and there.
    fn parting(spec: &str) -> Option<(String, String)> {
        let now = "2026-11-28T12:00:00Z".parse().unwrap();
        let anchor = Anchor { created_at: now, updated_at: now };
        let trigger = |dialect| {
            Parser::new(dialect).parse(TriggerKind::Cron, spec, &Zone::utc(), anchor).unwrap()
        };
        let (here, there) = first_parting(&trigger(HERE), &trigger(THERE), now, 50)?;
        let shown = |at: Option<DateTime<Utc>>| {
            at.map_or("never".to_owned(), |at| at.format("%a %m-%d").to_string())
        };
        Some((shown(here), shown(there)))
    }

    #[test]
    fn patterns_part_where_numbers_of_weekdays_mean_other_days() {
        let parts = |spec: &str, here: &str, there: &str| {
            assert_eq!(parting(spec), Some((here.to_owned(), there.to_owned())), "{spec}");
        };
        parts("0 9 * * 1", "Mon 11-30", "Tue 12-01");
        parts("0 9 * * 0-4", "Sun 11-29", "Mon 11-30");
        parts("0 9 * * 1-5", "Mon 11-30", "Tue 12-01");
        parts("0 9 * * 0", "Sun 11-29", "Mon 11-30");
        // Either day, or both on one day.
        parts("0 0 13 * fri", "Fri 12-04", "Fri 08-13");
    }

    #[test]
    fn patterns_without_numbers_of_weekdays_do_not_part() {
        for spec in
            ["* * * * *", "0 9 * * mon-fri", "0 9 * * 0-6", "0 0 29 2 *", "@weekly", "5 4 1 * *"]
        {
            assert_eq!(parting(spec), None, "{spec}");
        }
    }

    #[test]
    fn one_that_ends_parts_from_one_that_goes_on() {
        let now: DateTime<Utc> = "2026-11-28T12:00:00Z".parse().unwrap();
        let anchor = Anchor { created_at: now, updated_at: now };
        let mut parser = Parser::new(HERE);
        let mut trigger = |kind, spec| parser.parse(kind, spec, &Zone::utc(), anchor).unwrap();
        let once = trigger(TriggerKind::Date, "2026-11-29 00:00:00");
        let daily = trigger(TriggerKind::Cron, "@daily");
        let second = "2026-11-30T00:00:00Z".parse().ok();
        assert_eq!(first_parting(&once, &daily, now, 50), Some((None, second)));
        assert_eq!(first_parting(&once, &daily, now, 1), None, "beyond the places that count");
        assert_eq!(first_parting(&once, &once, now, 50), None, "both end");
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
        let back = |here: &str| respelled(here, HERE, THERE);
        assert_eq!(back("0 9 * * 1-5").as_deref(), Some("0 9 * * mon-fri"));
        assert_eq!(back("0 9 * * 0,7").as_deref(), Some("0 9 * * sun"));
        assert_eq!(back("0 9 * * 5-7").as_deref(), Some("0 9 * * fri-sun"));
        assert_eq!(back("0 9 * * 1-5/2").as_deref(), Some("0 9 * * mon,wed,fri"));
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
