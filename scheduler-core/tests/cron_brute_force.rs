//! Brute force: random patterns against a walk over every second or minute, with a matcher of its own.
//!
//! Nothing here uses croner. The walk asks jiff for the local time of each moment, and applies the two
//! rules of Debian's cron as they are worded: a wildcard runs whenever the local time matches; a fixed
//! job runs when the local clock reaches or jumps over a match that it has not shown before.
//!
//! `CRON_SEED=… cargo test --test cron_brute_force` repeats a run; a failure prints its seed.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic and print, its helpers too"
)]

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, civil};
use scheduler_core::plan::trigger::{
    Anchor, CronDialect, Parser, Trigger, TriggerError, TriggerKind, Zone,
};

const ZONES: [&str; 14] = [
    "Europe/London",
    "Europe/Paris",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Africa/Cairo",
    "America/Santiago",
    "Asia/Beirut",
    "Pacific/Apia",
    "America/Caracas",
    "America/St_Johns",
    "Africa/Casablanca",
    "Asia/Shanghai",
    "UTC",
];
const DAY: i64 = 86_400;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

/// None for the few draws that never fire, such as `0 0 30 2 *`.
fn trigger(pattern: &str, zone: &str) -> Option<Trigger> {
    let anchor = Anchor { created_at: at(0), updated_at: at(0) };
    let zone = Zone::named(zone).unwrap();
    match Parser::new(CronDialect::Standard).parse(TriggerKind::Cron, pattern, &zone, anchor) {
        Ok(trigger) => Some(trigger),
        Err(TriggerError::NeverFires { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

/// SplitMix64: enough for drawing patterns, and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in `low..=high`.
    fn within(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high - low + 1).unwrap();
        low + i64::try_from(self.next() % span).unwrap()
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.next() % choices.len() as u64).unwrap()]
    }
}

/// A field drawn together with its meaning, so that nothing has to be parsed.
#[derive(Clone, Debug)]
struct Field {
    text: String,
    bits: u64,
}

fn field(random: &mut Random, (low, high): (i64, i64)) -> Field {
    let bit = |value: i64| 1_u64 << value;
    match random.within(0, 9) {
        0..=2 => Field { text: "*".into(), bits: (low..=high).map(bit).sum() },
        3 => {
            let step = random.within(1, 20);
            let bits = (low..=high).step_by(usize::try_from(step).unwrap()).map(bit).sum();
            Field { text: format!("*/{step}"), bits }
        }
        _ => {
            let (mut items, mut bits) = (Vec::new(), 0);
            for _ in 0..random.pick(&[1, 1, 1, 2, 3]) {
                let (a, b) = (random.within(low, high), random.within(low, high));
                let (first, last, step) = (a.min(b), a.max(b), random.within(1, 7));
                let (text, values): (_, Vec<i64>) = match random.within(0, 3) {
                    0 => (format!("{first}-{last}"), (first..=last).collect()),
                    1 => {
                        let step_by = usize::try_from(step).unwrap();
                        (
                            format!("{first}-{last}/{step}"),
                            (first..=last).step_by(step_by).collect(),
                        )
                    }
                    _ => (a.to_string(), vec![a]),
                };
                items.push(text);
                bits |= values.into_iter().map(bit).fold(0, |all, bit| all | bit);
            }
            Field { text: items.join(","), bits }
        }
    }
}

#[derive(Clone, Debug)]
struct Pattern {
    fields: [Field; 6],
    text: String,
}

impl Pattern {
    /// Days and months are mostly left open, so that the short windows see matches.
    fn draw(random: &mut Random, with_seconds: bool) -> Self {
        let any = |(low, high): (i64, i64)| Field {
            text: "*".into(),
            bits: (low..=high).map(|value| 1_u64 << value).sum(),
        };
        let mut rarely = |range, percent| {
            if random.within(0, 99) < percent { field(random, range) } else { any(range) }
        };
        let (day, month) = (rarely((1, 31), 30), rarely((1, 12), 10));
        let mut weekday = rarely((0, 7), 30);
        weekday.bits |= weekday.bits >> 7;
        let second =
            if with_seconds { field(random, (0, 59)) } else { Field { text: "0".into(), bits: 1 } };
        let (minute, hour) = (field(random, (0, 59)), field(random, (0, 23)));
        let fields = [second, minute, hour, day, month, weekday];
        let written = if with_seconds { &fields[..] } else { &fields[1..] };
        let text = written.iter().map(|field| field.text.as_str()).collect::<Vec<_>>().join(" ");
        Pattern { fields, text }
    }

    fn is_wildcard(&self) -> bool {
        self.fields[1].text.starts_with('*') || self.fields[2].text.starts_with('*')
    }

    fn matches(&self, local: i64, days: &mut HashMap<i64, bool>) -> bool {
        let has = |field: usize, value: i64| self.fields[field].bits >> value & 1 == 1;
        let of_day = local.rem_euclid(DAY);
        has(0, of_day % 60)
            && has(1, of_day / 60 % 60)
            && has(2, of_day / 3_600)
            && *days.entry(local.div_euclid(DAY)).or_insert_with_key(|day| self.matches_day(*day))
    }

    fn matches_day(&self, day: i64) -> bool {
        let epoch = civil::date(1970, 1, 1);
        let date = epoch.checked_add(jiff::Span::new().days(day)).unwrap();
        let has = |field: usize, value: i8| self.fields[field].bits >> value & 1 == 1;
        let (by_date, by_weekday) =
            (has(3, date.day()), has(5, date.weekday().to_sunday_zero_offset()));
        let star = self.fields[3].text.starts_with('*') || self.fields[5].text.starts_with('*');
        let on = if star { by_date && by_weekday } else { by_date || by_weekday };
        on && has(4, date.month())
    }
}

/// A stretch of real time: each moment with what the local clock shows then.
struct Window {
    zone: &'static str,
    step: i64,
    moments: Vec<(i64, i64)>,
}

impl Window {
    fn new(zone: &'static str, from: i64, to: i64, step: i64) -> Self {
        let rules = rules(zone);
        let from = from - from.rem_euclid(60);
        let shows = |at: i64| at + i64::from(rules.to_offset(timestamp(at)).seconds());
        let moments = (from..to).step_by(usize::try_from(step).unwrap()).map(|at| (at, shows(at)));
        Window { zone, step, moments: moments.collect() }
    }

    /// The instants of the pattern within the window but for its first moment.
    fn walk(&self, pattern: &Pattern) -> Vec<i64> {
        let (mut found, mut days) = (Vec::new(), HashMap::new());
        let mut shown = self.moments[0].1;
        for &(at, local) in &self.moments[1..] {
            let due = if pattern.is_wildcard() {
                pattern.matches(local, &mut days)
            } else {
                let step = usize::try_from(self.step).unwrap();
                (shown + self.step..=local)
                    .step_by(step)
                    .any(|local| pattern.matches(local, &mut days))
            };
            shown = shown.max(local);
            if due {
                found.push(at);
            }
        }
        found
    }

    fn check(&self, pattern: &Pattern, random: &mut Random) -> usize {
        let expected = self.walk(pattern);
        let Some(trigger) = trigger(&pattern.text, self.zone) else {
            assert!(expected.is_empty(), "{:?} was refused, but fires", pattern.text);
            return 0;
        };
        let (first, last) = (self.moments[0].0, self.moments[self.moments.len() - 1].0);
        let name = format!("{:?} in {} from {first} to {last}", pattern.text, self.zone);
        // The whole chain where it is short, else its ends and some of its middle.
        let mut probes = vec![first, last];
        probes.extend((0..20).map(|_| random.within(first, last)));
        probes.extend((0..20).filter(|_| !expected.is_empty()).map(|_| random.pick(&expected)));
        for &probe in &probes {
            let index = expected.partition_point(|instant| *instant <= probe);
            if let Some(next) = expected.get(index) {
                assert_eq!(
                    trigger.next_after(at(probe)),
                    Some(at(*next)),
                    "next after {probe}: {name}"
                );
            } else {
                let next = trigger.next_after(at(probe));
                assert!(next.is_none_or(|next| next > at(last)), "next after {probe}: {name}");
            }
            if let Some(newest) = index.checked_sub(1).map(|index| expected[index]) {
                assert_eq!(
                    trigger.last_until(at(probe)),
                    Some(at(newest)),
                    "last until {probe}: {name}"
                );
            } else {
                let newest = trigger.last_until(at(probe));
                assert!(
                    newest.is_none_or(|newest| newest <= at(first)),
                    "last until {probe}: {name}"
                );
            }
            let other = random.pick(&probes);
            let (from, to) = (probe.min(other), probe.max(other));
            let inside =
                expected.iter().filter(|instant| (from + 1..=to).contains(*instant)).count();
            assert_eq!(
                trigger.count(at(from), at(to)),
                inside as u64,
                "count {from} to {to}: {name}"
            );
        }
        expected.len()
    }
}

fn rules(zone: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(zone).unwrap()
}

fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// Some changes of the zone's offset from 2000 to 2037, or any moments where there are none.
fn changes(zone: &str, random: &mut Random) -> Vec<i64> {
    let all: Vec<i64> = rules(zone)
        .following(timestamp(946_684_800))
        .map(|change| change.timestamp().as_second())
        .take_while(|at| *at < 2_145_916_800)
        .collect();
    if all.is_empty() {
        return (0..4).map(|_| random.within(946_684_800, 2_145_916_800)).collect();
    }
    let mut some: Vec<i64> = (0..4).map(|_| random.pick(&all)).collect();
    if zone == "Pacific/Apia" {
        some.push(1_325_239_200); // 2011-12-30T10:00:00Z: the day that was skipped.
    }
    some
}

fn seed() -> u64 {
    let seed = std::env::var("CRON_SEED").map_or(20_260_329, |text| text.parse().unwrap());
    println!("CRON_SEED={seed}");
    seed
}

#[test]
fn five_fields_agree_with_a_walk_over_minutes() {
    let (mut random, mut patterns, mut instants) = (Random(seed()), 0, 0);
    for zone in ZONES {
        for change in changes(zone, &mut random) {
            let window = Window::new(zone, change - 30 * 3_600, change + 30 * 3_600, 60);
            for _ in 0..30 {
                let pattern = Pattern::draw(&mut random, false);
                instants += window.check(&pattern, &mut random);
                patterns += 1;
            }
        }
    }
    println!("{patterns} patterns, {instants} instants");
    assert!(patterns >= 1_500 && instants > 50_000);
}

#[test]
fn six_fields_agree_with_a_walk_over_seconds() {
    let (mut random, mut patterns, mut instants) = (Random(seed() ^ 6), 0, 0);
    for zone in ZONES {
        for change in changes(zone, &mut random) {
            let window = Window::new(zone, change - 5_400, change + 9_000, 1);
            for _ in 0..15 {
                let pattern = Pattern::draw(&mut random, true);
                instants += window.check(&pattern, &mut random);
                patterns += 1;
            }
        }
    }
    println!("{patterns} patterns, {instants} instants");
    assert!(patterns >= 700 && instants > 50_000);
}

#[test]
fn instants_strictly_increase() {
    let mut random = Random(seed() ^ 7);
    for round in 0..600 {
        let pattern = Pattern::draw(&mut random, round % 2 == 0);
        let zone = random.pick(&ZONES);
        let trigger = trigger(&pattern.text, zone);
        let mut after = at(random.within(946_684_800, 2_145_916_800));
        for _ in 0..20 {
            let Some(next) = trigger.as_ref().and_then(|trigger| trigger.next_after(after)) else {
                break;
            };
            assert!(next > after, "{} in {zone} after {after}", pattern.text);
            after = next;
        }
    }
}

#[test]
fn a_fixed_daily_job_runs_once_for_every_date() {
    for zone in ZONES {
        let zone_rules = rules(zone);
        for (hour, minute) in [(0, 0), (1, 30), (2, 15), (23, 30)] {
            let trigger = trigger(&format!("{minute} {hour} * * *"), zone).unwrap();
            let mut date = civil::date(2000, 1, 1);
            let start = date.to_zoned(zone_rules.clone()).unwrap().timestamp().as_second();
            let (mut after, mut runs) = (at(start - 1), 0_u64);
            while date < civil::date(2038, 1, 1) {
                let next = trigger.next_after(after).unwrap();
                let local = zone_rules.to_datetime(timestamp(next.timestamp()));
                // Apia had no 30 December 2011: what was due then ran as the 31st began.
                let skipped = zone == "Pacific/Apia" && date == civil::date(2011, 12, 30);
                let expected = if skipped { date.tomorrow().unwrap() } else { date };
                if skipped && (hour, minute) == (0, 0) {
                    // Both midnights are one instant, which counts for both dates.
                    date = date.tomorrow().unwrap();
                }
                assert_eq!(local.date(), expected, "{minute} {hour} in {zone}");
                (after, runs, date) = (next, runs + 1, date.tomorrow().unwrap());
            }
            assert_eq!(trigger.count(at(start - 1), after), runs);
        }
    }
}
