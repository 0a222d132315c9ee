//! Which alarms there are, for whoever looks instead of being told: what the table is to say.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Rule, Sign, Subject, short};

/// An alarm of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Of what kind.
    pub rule: Rule,
    /// What it is about: a task's key, `task` with a row's id, or a node's id.
    pub about: Arc<str>,
    /// When its first and its last sign came.
    pub began_at: DateTime<Utc>,
    /// See there.
    pub last_at: DateTime<Utc>,
    /// How many signs came.
    pub count: u64,
    /// What the last one said.
    pub text: String,
    /// When it was over; of what has no end, when it was seen last. `None`: it goes on.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Alarm {
    fn of(sign: &Sign) -> Self {
        let Subject { rule, about } = sign.subject.clone();
        Self {
            rule,
            about,
            began_at: sign.at,
            last_at: sign.at,
            count: 1,
            text: short(&sign.text),
            ended_at: (!rule.has_end()).then_some(sign.at),
        }
    }
}

/// Alarms that are remembered at once; what else happens meanwhile is not in the table.
const MOST: usize = 500;

/// Signs of a subject without end that are closer together are one alarm.
const ONE_ALARM: TimeDelta = TimeDelta::hours(1);

/// Which alarms a node has, and what of them the table does not say yet.
#[derive(Debug, Default)]
pub struct Ledger {
    alarms: BTreeMap<Subject, Entry>,
    /// Those that were followed by another of their subject before the table had them.
    before: Vec<Alarm>,
}

#[derive(Debug)]
struct Entry {
    alarm: Alarm,
    is_kept: bool,
}

impl Ledger {
    /// Something happened.
    pub fn note(&mut self, sign: &Sign) {
        let known = self.alarms.get_mut(&sign.subject);
        if sign.is_over {
            let open = known.filter(|entry| entry.alarm.ended_at.is_none());
            if let Some(Entry { alarm, is_kept }) = open {
                (alarm.ended_at, *is_kept) = (Some(sign.at), false);
            }
            return;
        }
        let Some(entry) = known else {
            return self.begin(sign);
        };
        let Entry { alarm, is_kept } = entry;
        let goes_on = match alarm.ended_at {
            None => true,
            Some(_) => !alarm.rule.has_end() && sign.at - alarm.last_at < ONE_ALARM,
        };
        if goes_on {
            alarm.count += 1;
            (alarm.last_at, alarm.text) = (sign.at, short(&sign.text));
            alarm.ended_at = alarm.ended_at.map(|_| sign.at);
        } else {
            let alarm = std::mem::replace(alarm, Alarm::of(sign));
            if !*is_kept && self.before.len() < MOST {
                self.before.push(alarm);
            }
        }
        *is_kept = false;
    }

    fn begin(&mut self, sign: &Sign) {
        if self.alarms.len() == MOST {
            let quiet =
                |(_, entry): &(&Subject, &Entry)| entry.is_kept && entry.alarm.ended_at.is_some();
            let oldest = self.alarms.iter().filter(quiet).min_by_key(|(_, e)| e.alarm.last_at);
            let Some(oldest) = oldest.map(|(subject, _)| subject.clone()) else { return };
            self.alarms.remove(&oldest);
        }
        let entry = Entry { alarm: Alarm::of(sign), is_kept: false };
        self.alarms.insert(sign.subject.clone(), entry);
    }

    /// What the table does not say yet.
    #[must_use]
    pub fn changed(&self) -> Vec<Alarm> {
        let changed = self.alarms.values().filter(|entry| !entry.is_kept);
        self.before.iter().chain(changed.map(|entry| &entry.alarm)).cloned().collect()
    }

    /// The table says these now.
    pub fn kept(&mut self, alarms: &[Alarm]) {
        self.before.retain(|alarm| !alarms.contains(alarm));
        for kept in alarms {
            let subject = Subject { rule: kept.rule, about: Arc::clone(&kept.about) };
            let entry = self.alarms.get_mut(&subject).filter(|entry| entry.alarm == *kept);
            if let Some(entry) = entry {
                entry.is_kept = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn wrong(rule: Rule, seconds: i64) -> Sign {
        Sign::wrong(rule, &"a".into(), at(seconds), format!("at {seconds}"))
    }

    fn right(rule: Rule, seconds: i64) -> Sign {
        Sign::right(rule, &"a".into(), at(seconds), "well".to_owned())
    }

    /// What the table is given: begin, last, count, end.
    fn given(ledger: &mut Ledger) -> Vec<(i64, i64, u64, Option<i64>)> {
        let changed = ledger.changed();
        ledger.kept(&changed);
        let seconds = |at: DateTime<Utc>| at.timestamp() - 1_700_000_000;
        let told = |alarm: &Alarm| {
            let Alarm { began_at, last_at, count, ended_at, .. } = alarm;
            (seconds(*began_at), seconds(*last_at), *count, ended_at.map(seconds))
        };
        changed.iter().map(told).collect()
    }

    #[test]
    fn what_goes_on_is_one_alarm_until_it_is_over() {
        let mut ledger = Ledger::default();
        ledger.note(&wrong(Rule::Failing, 0));
        assert_eq!(given(&mut ledger), [(0, 0, 1, None)]);
        assert_eq!(given(&mut ledger), []);
        ledger.note(&wrong(Rule::Failing, 9_000));
        assert_eq!(given(&mut ledger), [(0, 9_000, 2, None)]);
        ledger.note(&right(Rule::Failing, 9_001));
        ledger.note(&right(Rule::Failing, 9_002));
        assert_eq!(given(&mut ledger), [(0, 9_000, 2, Some(9_001))]);
        ledger.note(&wrong(Rule::Failing, 9_003));
        assert_eq!(given(&mut ledger), [(9_003, 9_003, 1, None)]);
    }

    #[test]
    fn what_has_no_end_is_one_alarm_while_its_signs_are_close() {
        let mut ledger = Ledger::default();
        ledger.note(&wrong(Rule::Failed, 0));
        ledger.note(&wrong(Rule::Failed, 3_599));
        assert_eq!(given(&mut ledger), [(0, 3_599, 2, Some(3_599))]);
        ledger.note(&wrong(Rule::Failed, 3_599 + 3_600));
        assert_eq!(given(&mut ledger), [(7_199, 7_199, 1, Some(7_199))]);
    }

    #[test]
    fn what_was_never_wrong_is_no_alarm() {
        let mut ledger = Ledger::default();
        ledger.note(&right(Rule::Failing, 0));
        assert_eq!(given(&mut ledger), []);
    }

    #[test]
    fn nothing_is_left_out_while_the_table_cannot_be_written() {
        let mut ledger = Ledger::default();
        for begin in [0, 10] {
            ledger.note(&wrong(Rule::Failing, begin));
            ledger.note(&right(Rule::Failing, begin + 1));
        }
        assert_eq!(ledger.changed().len(), 2);
        assert_eq!(given(&mut ledger), [(0, 0, 1, Some(1)), (10, 10, 1, Some(11))]);
        assert_eq!(given(&mut ledger), []);
    }

    #[test]
    fn what_changed_while_it_was_written_is_written_again() {
        let mut ledger = Ledger::default();
        ledger.note(&wrong(Rule::Failing, 0));
        let under_way = ledger.changed();
        ledger.note(&wrong(Rule::Failing, 5));
        ledger.kept(&under_way);
        assert_eq!(given(&mut ledger), [(0, 5, 2, None)]);
    }

    #[test]
    fn the_oldest_that_is_over_makes_room() {
        let mut ledger = Ledger::default();
        for task in 0..MOST {
            let about = format!("task {task}").into();
            ledger.note(&Sign::wrong(Rule::Failing, &about, at(0), String::new()));
        }
        let over = Sign::right(Rule::Failing, &"task 7".into(), at(1), String::new());
        ledger.note(&over);
        ledger.note(&wrong(Rule::Failing, 2));
        assert_eq!(ledger.changed().len(), MOST, "what the table does not have yet stays");
        assert!(ledger.changed().iter().all(|alarm| *alarm.about != *"a"));
        given(&mut ledger);
        ledger.note(&wrong(Rule::Failing, 3));
        assert_eq!(given(&mut ledger), [(3, 3, 1, None)]);
    }
}
