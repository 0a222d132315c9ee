//! The table `oracle/cron.tsv`: what two oracles written in Python say about 4,000 cron patterns, most
//! of them around a change of a zone's offset. `oracle/make.py` tells how it was made and what the
//! marks mean.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::plan::trigger::{Anchor, CronDialect, Parser, Trigger, TriggerKind, Zone};

struct Row {
    line: usize,
    zone: &'static str,
    pattern: &'static str,
    start: i64,
    instants: Vec<i64>,
    mark: &'static str,
}

impl Row {
    fn trigger(&self) -> Trigger {
        let zone = Zone::named(self.zone).unwrap();
        let anchor = Anchor { created_at: at(0), updated_at: at(0) };
        let mut parser = Parser::new(CronDialect::Standard);
        let trigger = parser.parse(TriggerKind::Cron, self.pattern, &zone, anchor);
        trigger.unwrap_or_else(|error| panic!("line {}: {error}", self.line))
    }

    fn name(&self) -> String {
        format!("line {}: {:?} in {} after {}", self.line, self.pattern, self.zone, self.start)
    }
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn rows() -> impl Iterator<Item = Row> {
    let lines = include_str!("oracle/cron.tsv").lines().enumerate();
    lines.filter(|(_, text)| !text.starts_with('#')).map(|(index, text)| {
        let cells: Vec<&str> = text.split('\t').collect();
        let [zone, pattern, start, instants, mark] = cells[..] else {
            panic!("line {}", index + 1)
        };
        let instants = instants.split(' ').map(|cell| cell.parse().unwrap()).collect();
        Row { line: index + 1, zone, pattern, start: start.parse().unwrap(), instants, mark }
    })
}

#[test]
fn the_next_five_instants_are_those_of_the_oracles() {
    let mut wrong = Vec::new();
    for row in rows() {
        let trigger = row.trigger();
        let mut after = at(row.start);
        let found: Vec<i64> = (0..row.instants.len())
            .map(|_| {
                after = trigger.next_after(after).unwrap();
                after.timestamp()
            })
            .collect();
        if found != row.instants {
            wrong.push(format!("{}: {found:?}, expected {:?}", row.name(), row.instants));
        }
    }
    assert!(wrong.is_empty(), "{} rows differ\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_newest_instant_until_each_moment_is_the_one_before_it() {
    for row in rows() {
        let trigger = row.trigger();
        let second = TimeDelta::seconds(1);
        for pair in row.instants.windows(2) {
            let (earlier, later) = (at(pair[0]), at(pair[1]));
            assert_eq!(trigger.last_until(earlier), Some(earlier), "{}", row.name());
            assert_eq!(trigger.last_until(later - second), Some(earlier), "{}", row.name());
        }
        let first = at(row.instants[0]);
        assert!(trigger.last_until(first - second).is_none_or(|last| last <= at(row.start)));
    }
}

#[test]
fn counting_finds_each_instant_once() {
    for row in rows() {
        let trigger = row.trigger();
        let (start, second) = (at(row.start), TimeDelta::seconds(1));
        for (index, instant) in row.instants.iter().enumerate() {
            let earlier = u64::try_from(index).unwrap();
            let until = at(*instant);
            assert_eq!(trigger.count(start, until - second), earlier, "{}", row.name());
            assert_eq!(trigger.count(start, until), earlier + 1, "{}", row.name());
            assert_eq!(trigger.count(until - second, until), 1, "{}", row.name());
            assert_eq!(trigger.count(until, until), 0, "{}", row.name());
        }
    }
}

#[test]
fn the_table_is_as_broad_as_it_claims() {
    let rows: Vec<Row> = rows().collect();
    let count = |mark: &str| rows.iter().filter(|row| row.mark == mark).count();
    assert_eq!(rows.len(), 4_000);
    assert_eq!(count("both") + count("start") + count("walk"), rows.len());
    assert!(count("both") > 3_800, "two oracles judge most rows, here {}", count("both"));
    let zones: std::collections::HashSet<_> = rows.iter().map(|row| row.zone).collect();
    assert_eq!(zones.len(), 18);
}

#[test]
fn the_apscheduler_dialect_reads_patterns_as_apscheduler_does() {
    let mut wrong = Vec::new();
    let text = include_str!("oracle/apscheduler.tsv");
    let rows: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    for row in &rows {
        let cells: Vec<&str> = row.split('\t').collect();
        let [pattern, start, expected] = cells[..] else { panic!("{row}") };
        let anchor = Anchor { created_at: at(0), updated_at: at(0) };
        let mut parser = Parser::new(CronDialect::Apscheduler);
        let found = match parser.parse(TriggerKind::Cron, pattern, &Zone::utc(), anchor) {
            Err(_) => "refused".to_owned(),
            Ok(trigger) => {
                let first = trigger.next_after(at(start.parse().unwrap()));
                let instants =
                    std::iter::successors(first, |last| trigger.next_after(*last)).take(3);
                instants.map(|at| at.timestamp().to_string()).collect::<Vec<_>>().join(" ")
            }
        };
        if found != expected {
            wrong.push(format!("{row}: {found}"));
        }
    }
    assert_eq!(rows.len(), 600);
    assert!(wrong.is_empty(), "{} rows differ\n{}", wrong.len(), wrong.join("\n"));
}
