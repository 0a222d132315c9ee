//! What differs between two readings of `task`: rows that stay as they were cost whoever decides nothing.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Duration,
};

use super::{
    node::Reading,
    task::{TaskId, TaskRow},
};

/// Which rows of `task` a reading brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All.
    All,
    /// Those that may be news to who has seen the others; all if the number of rows tells that others came or went.
    Edited(Lately),
}

/// What may be news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lately {
    /// Rows whose `update_at` is not older than this, by the database's clock.
    pub within: Duration,
    /// Rows whose id is beyond this.
    pub beyond: TaskId,
    /// And these.
    pub also: Vec<TaskId>,
    /// So many rows up to `beyond` were seen.
    pub known: usize,
}

impl Lately {
    /// Whether these `rows` of `count` tell all that came or went.
    #[must_use]
    pub fn explains(&self, rows: &[TaskRow], count: usize) -> bool {
        let new = rows.iter().filter(|row| row.id > self.beyond).count();
        self.known + new == count
    }
}

/// So many rows are looked at again by their ids; of more all are read.
const MOST_AGAIN: usize = 1_000;

/// What the last reading showed of each row, and which rows the next one tells of in any case. It travels with the call that
/// reads and comes back with the answer, so that the comparing is done where the rows arrive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The rows by digests of what people write there, in id order.
    rows: Vec<(TaskId, u64)>,
    again: BTreeSet<TaskId>,
    all_again: bool,
    only_edited_within: Option<Duration>,
}

impl Seen {
    /// The next reading tells of the row, whether it differs or not; if there is none, that it is gone.
    pub fn look_again(&mut self, id: TaskId) {
        self.again.insert(id);
    }

    /// The next reading tells of all rows.
    pub fn look_at_all_again(&mut self) {
        self.all_again = true;
    }

    /// The next reading tells of those rows, too, of which `other` wanted it.
    pub fn look_again_as(&mut self, other: Self) {
        self.again.extend(other.again);
        self.all_again |= other.all_again;
    }

    /// Of rows that nobody wants to look at again the next reading need bring only those that were edited within this time;
    /// `None`: it brings all.
    pub fn only_edited(&mut self, within: Option<Duration>) {
        self.only_edited_within = within;
    }

    /// What the next reading is to bring.
    #[must_use]
    pub fn scope(&self) -> Scope {
        match self.only_edited_within {
            Some(within) if !self.all_again && self.again.len() <= MOST_AGAIN => {
                Scope::Edited(Lately {
                    within,
                    beyond: self.rows.last().map_or(TaskId::MIN, |(id, _)| *id),
                    also: self.again.iter().copied().collect(),
                    known: self.rows.len(),
                })
            }
            _ => Scope::All,
        }
    }
}

impl Reading {
    /// What is new in it to who has `seen` the one before, which is then this one: the rows that are new, that differ in
    /// what people write or are looked at again, and those that are gone. It is a reading of `seen.scope()`; where it
    /// does not show all, only what was looked at again can be gone.
    #[must_use]
    pub fn news_to(self, seen: &mut Seen) -> Box<Self> {
        seen.only_edited_within = None;
        let mut news =
            if self.shows_all { self.all_compared(seen) } else { self.edited_compared(seen) };
        news.rows.shrink_to_fit();
        Box::new(news)
    }

    fn all_compared(mut self, seen: &mut Seen) -> Self {
        let mut wanted = std::mem::take(&mut seen.again);
        let all_again = std::mem::take(&mut seen.all_again);
        let digests = Vec::with_capacity(self.rows.len());
        let mut before = std::mem::replace(&mut seen.rows, digests).into_iter().peekable();
        let (gone, doing, again) = (&mut self.gone, &mut self.doing, &mut self.again);
        self.rows.retain(|row| {
            while let Some((id, _)) = before.next_if(|(id, _)| *id < row.id) {
                gone.push(id);
            }
            if row.status.as_deref() == Ok("doing") {
                doing.push(row.id);
            }
            let stands = (row.id, digest(row));
            seen.rows.push(stands);
            let is_wanted = wanted.remove(&row.id) || all_again;
            let differs = before.next_if(|(id, _)| *id == row.id) != Some(stands);
            if is_wanted && !differs {
                again.push(row.id);
            }
            is_wanted || differs
        });
        gone.extend(before.map(|(id, _)| id));
        // So far they are in id order.
        wanted.retain(|id| gone.binary_search(id).is_err());
        gone.extend(wanted);
        self
    }

    fn edited_compared(mut self, seen: &mut Seen) -> Self {
        let mut wanted = std::mem::take(&mut seen.again);
        let (again, mut new) = (&mut self.again, Vec::new());
        self.rows.retain(|row| {
            let stands = (row.id, digest(row));
            let is_wanted = wanted.remove(&row.id);
            let differs = match seen.rows.binary_search_by_key(&row.id, |(id, _)| *id) {
                Ok(place) => std::mem::replace(&mut seen.rows[place], stands) != stands,
                Err(_) => {
                    new.push(stands);
                    true
                }
            };
            if is_wanted && !differs {
                again.push(row.id);
            }
            is_wanted || differs
        });
        if !new.is_empty() {
            seen.rows.extend(new);
            seen.rows.sort_unstable();
        }
        if !wanted.is_empty() {
            seen.rows.retain(|(id, _)| !wanted.contains(id));
            self.gone.extend(wanted);
        }
        self
    }
}

/// Of everything, but of `status` only what is no status that schedulers move.
pub(super) fn digest(row: &TaskRow) -> u64 {
    let TaskRow {
        id: _,
        task_key,
        description,
        execute_func,
        trigger,
        spec,
        args,
        is_valid,
        status,
        extra,
        created_at,
        updated_at,
    } = row;
    let is_ours = matches!(status.as_deref(), Ok("ready" | "doing"));
    let mut hasher = DefaultHasher::new();
    let texts = [task_key, description, execute_func, trigger, spec, args, is_valid, extra];
    (texts, (!is_ours).then_some(status), created_at, updated_at).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    fn row(id: TaskId) -> TaskRow {
        let text = |text: &str| Ok(text.to_owned());
        TaskRow {
            id,
            task_key: Ok(format!("task {id}")),
            description: text(""),
            execute_func: text("job"),
            trigger: text("interval"),
            spec: text("5"),
            args: text(""),
            is_valid: text("1"),
            status: text("ready"),
            extra: text("{}"),
            created_at: Some(DateTime::UNIX_EPOCH),
            updated_at: Some(DateTime::UNIX_EPOCH),
        }
    }

    fn ids(news: &Reading) -> Vec<TaskId> {
        news.rows.iter().map(|row| row.id).collect()
    }

    fn news(seen: &mut Seen, rows: Vec<TaskRow>) -> (Vec<TaskId>, Vec<TaskId>, Vec<TaskId>) {
        let news = Reading { rows, shows_all: true, ..Reading::default() }.news_to(seen);
        (ids(&news), news.gone, news.doing)
    }

    fn again(seen: &mut Seen, rows: Vec<TaskRow>) -> Vec<TaskId> {
        Reading { rows, shows_all: true, ..Reading::default() }.news_to(seen).again
    }

    #[test]
    fn rows_are_told_of_once() {
        let mut seen = Seen::default();
        let rows = || (1..=3).map(row).collect();
        assert_eq!(news(&mut seen, rows()), (vec![1, 2, 3], vec![], vec![]));
        assert_eq!(news(&mut seen, rows()), (vec![], vec![], vec![]));
        assert_eq!(news(&mut seen, vec![row(2), row(4)]), (vec![4], vec![1, 3], vec![]));
        assert_eq!(news(&mut seen, vec![]), (vec![], vec![2, 4], vec![]));
        assert_eq!(news(&mut seen, rows()), (vec![1, 2, 3], vec![], vec![]));
    }

    #[test]
    fn whatever_people_change_is_told_and_what_schedulers_move_is_not() {
        type Change = fn(&mut TaskRow);
        let changes: [Change; 10] = [
            |row| row.task_key = Ok("b".to_owned()),
            |row| row.description = Ok("b".to_owned()),
            |row| row.execute_func = Ok("b".to_owned()),
            |row| row.trigger = Ok("b".to_owned()),
            |row| row.spec = Ok("b".to_owned()),
            |row| row.args = Ok("b".to_owned()),
            |row| row.is_valid = Ok("0".to_owned()),
            |row| row.extra = Ok("b".to_owned()),
            |row| row.created_at = None,
            |row| row.updated_at = row.updated_at.map(|at| at + TimeDelta::seconds(1)),
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut seen = Seen::default();
            news(&mut seen, vec![row(1)]);
            let mut changed = row(1);
            change(&mut changed);
            assert_eq!(news(&mut seen, vec![changed]).0, [1], "change {number}");
        }
        let mut seen = Seen::default();
        news(&mut seen, vec![row(1)]);
        let doing = TaskRow { status: Ok("doing".to_owned()), ..row(1) };
        assert_eq!(news(&mut seen, vec![doing.clone()]), (vec![], vec![], vec![1]));
        assert_eq!(news(&mut seen, vec![doing]), (vec![], vec![], vec![1]), "as long as it is so");
        let wrong = TaskRow { status: Ok("todo".to_owned()), ..row(1) };
        assert_eq!(news(&mut seen, vec![wrong.clone()]).0, [1]);
        assert_eq!(news(&mut seen, vec![wrong]).0, [0; 0]);
        assert_eq!(news(&mut seen, vec![row(1)]).0, [1], "somebody mended it");
    }

    #[test]
    fn what_is_to_be_looked_at_again_is_told_once_more() {
        let mut seen = Seen::default();
        news(&mut seen, vec![row(1), row(2)]);
        let mut wishes = Seen::default();
        wishes.look_again(2);
        wishes.look_again(9);
        seen.look_again_as(wishes);
        let (told, gone, _) = news(&mut seen.clone(), vec![row(1), row(2)]);
        assert_eq!((told, gone), (vec![2], vec![9]), "of 9 there is nothing");
        assert_eq!(again(&mut seen, vec![row(1), row(2)]), [2], "it does not differ");
        assert_eq!(news(&mut seen, vec![row(1), row(2)]).0, [0; 0]);
        seen.look_at_all_again();
        assert_eq!(news(&mut seen.clone(), vec![row(1), row(2), row(3)]).0, [1, 2, 3]);
        assert_eq!(again(&mut seen, vec![row(1), row(2), row(3)]), [1, 2]);
        assert_eq!(news(&mut seen, vec![row(1), row(2), row(3)]).0, [0; 0]);
    }

    /// What a reading of no more than what was edited lately finds that brings these rows.
    fn edited(seen: &mut Seen, rows: Vec<TaskRow>) -> (Vec<TaskId>, Vec<TaskId>) {
        seen.only_edited(Some(Duration::from_secs(70)));
        assert_ne!(seen.scope(), Scope::All);
        let news = Reading { rows, ..Reading::default() }.news_to(seen);
        assert_eq!(seen.scope(), Scope::All, "once");
        (ids(&news), news.gone)
    }

    #[test]
    fn of_what_was_edited_lately_that_is_told_which_differs_and_what_is_not_there_need_not_be_gone()
    {
        let mut seen = Seen::default();
        let edit = |id| TaskRow { spec: Ok("7".to_owned()), ..row(id) };
        news(&mut seen, (1..=4).map(row).collect());
        assert_eq!(edited(&mut seen, vec![row(2)]), (vec![], vec![]), "it was seen before");
        assert_eq!(edited(&mut seen, vec![row(1), edit(2), row(9)]), (vec![2, 9], vec![]));
        assert_eq!(edited(&mut seen, vec![row(5), row(9)]), (vec![5], vec![]), "between others");
        seen.look_again(3);
        seen.look_again(4);
        assert_eq!(edited(&mut seen, vec![row(4)]), (vec![4], vec![3]));
        assert_eq!(edited(&mut seen, vec![row(4)]), (vec![], vec![]));
        let all = vec![row(1), edit(2), row(4), row(5)];
        assert_eq!(
            news(&mut seen, all),
            (vec![], vec![9], vec![]),
            "a whole reading finds the rest"
        );
    }

    #[test]
    fn a_reading_brings_all_rows_unless_that_would_tell_nothing_more() {
        let mut seen = Seen::default();
        assert_eq!(seen.scope(), Scope::All);
        news(&mut seen, vec![row(1), row(8)]);
        let within = Duration::from_secs(70);
        seen.only_edited(Some(within));
        seen.look_again(3);
        assert_eq!(
            seen.scope(),
            Scope::Edited(Lately { within, beyond: 8, also: vec![3], known: 2 })
        );
        let mut all = seen.clone();
        all.look_at_all_again();
        assert_eq!(all.scope(), Scope::All);
        (10..).take(MOST_AGAIN).for_each(|id| seen.look_again(id));
        assert_eq!(seen.scope(), Scope::All, "they are too many to be asked for one by one");
    }

    #[test]
    fn a_number_of_rows_that_new_ones_at_the_end_do_not_explain_tells_of_others() {
        let lately = Lately { within: Duration::ZERO, beyond: 8, also: vec![], known: 2 };
        let rows = [row(1), row(9)];
        assert!(lately.explains(&rows, 3));
        assert!(!lately.explains(&rows, 2), "one is gone");
        assert!(!lately.explains(&rows, 4), "one came between the others");
        assert!(lately.explains(&[], 2));
    }
}
