//! All rows as of one moment, in every order that people ask for: what a list is picked from, whose rows are then read anew.

use std::{cmp::Ordering, collections::BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Judged, Scheduled, State};
use crate::plan::{
    task::{Field, TaskId},
    trigger::Trigger,
};

/// What it takes to find, sort and count rows. A row costs some 200 bytes.
#[derive(Debug, Default)]
pub struct Board {
    /// By id.
    rows: Vec<BoardRow>,
    /// Of each row, if it fires.
    triggers: Vec<Option<Trigger>>,
    /// Places in `rows` by key, and by next instant.
    by_key: Vec<u32>,
    by_next: Vec<u32>,
}

/// A row in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardRow {
    /// `task.id`.
    pub id: TaskId,
    /// `task_key`, empty where it cannot be read.
    pub key: Box<str>,
    /// `execute_func`, empty where it cannot be read.
    pub job: Box<str>,
    /// What a search looks through: key and description, a line each, in small letters.
    says: Box<str>,
    /// What the scheduler makes of it.
    pub state: State,
    /// Its next instant.
    pub next: Option<DateTime<Utc>>,
    /// Its first instant that is due and not accounted for.
    pub due: Option<DateTime<Utc>>,
}

/// Which rows of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Only with this text somewhere in `task_key` or `desc`, whatever its case.
    pub text: Option<String>,
    /// Only of this job.
    pub job: Option<String>,
    /// Only in this state.
    pub state: Option<State>,
    /// Only these.
    pub among: Option<BTreeSet<TaskId>>,
}

/// In which order; rows that share what is sorted by follow each other by id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// By id.
    #[default]
    Id,
    /// By `task_key`.
    Key,
    /// The soonest first; those that never fire last.
    Next,
}

/// Where a page ended: the next one begins behind it, whatever was inserted or deleted meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cursor {
    /// Of a list by id.
    Id(TaskId),
    /// Of one by key.
    Key(Box<str>, TaskId),
    /// Of one by next instant.
    Next(Option<DateTime<Utc>>, TaskId),
}

impl Cursor {
    /// The place of `row` in this order.
    #[must_use]
    pub fn of(row: &BoardRow, order: Order) -> Self {
        match order {
            Order::Id => Cursor::Id(row.id),
            Order::Key => Cursor::Key(row.key.clone(), row.id),
            Order::Next => Cursor::Next(row.next, row.id),
        }
    }

    /// The order that it is a place in.
    #[must_use]
    pub fn order(&self) -> Order {
        match self {
            Cursor::Id(_) => Order::Id,
            Cursor::Key(..) => Order::Key,
            Cursor::Next(..) => Order::Next,
        }
    }

    /// Where `row` stands, seen from here.
    fn compare(&self, row: &BoardRow) -> Ordering {
        match self {
            Cursor::Id(id) => row.id.cmp(id),
            Cursor::Key(key, id) => (&row.key, row.id).cmp(&(key, *id)),
            Cursor::Next(next, id) => (late(row.next), row.id).cmp(&(late(*next), *id)),
        }
    }
}

/// How many rows are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// [`State::Enabled`].
    pub enabled: usize,
    /// [`State::Disabled`].
    pub disabled: usize,
    /// [`State::Rejected`].
    pub rejected: usize,
}

impl Board {
    /// That of all rows, which come in id order.
    #[must_use]
    pub fn of<'a>(judged: impl IntoIterator<Item = &'a Judged>) -> Self {
        let trigger =
            |judged: &Judged| judged.scheduled().map(|scheduled| scheduled.task.trigger.clone());
        let both = judged.into_iter().map(|judged| (BoardRow::of(judged), trigger(judged)));
        let (rows, triggers) = both.unzip();
        Self { triggers, ..Self::of_rows(rows) }
    }

    /// The rows of which something was due before `at` and is not accounted for, what was due first at the front.
    #[must_use]
    pub fn late(&self, at: DateTime<Utc>) -> Vec<&BoardRow> {
        let is_late = |row: &&BoardRow| row.due.is_some_and(|due| due < at);
        let mut late: Vec<&BoardRow> = self.rows.iter().filter(is_late).collect();
        late.sort_by_key(|row| row.due);
        late
    }

    /// The rows that fire, by id.
    pub fn triggers(&self) -> impl Iterator<Item = (&BoardRow, &Trigger)> {
        self.rows
            .iter()
            .zip(&self.triggers)
            .filter_map(|(row, trigger)| Some((row, trigger.as_ref()?)))
    }

    fn of_rows(rows: Vec<BoardRow>) -> Self {
        let places = || (0..rows.len()).filter_map(|place| u32::try_from(place).ok());
        let at = |place: &u32| &rows[*place as usize];
        let (mut by_key, mut by_next): (Vec<u32>, Vec<u32>) =
            (places().collect(), places().collect());
        // Stable: the places are in id order.
        by_key.sort_by(|a, b| at(a).key.cmp(&at(b).key));
        by_next.sort_by_key(|place| late(at(place).next));
        Self { rows, triggers: Vec::new(), by_key, by_next }
    }

    /// The rows that `filter` lets through, in `order` or its reverse, from behind `after` on.
    pub fn find<'a>(
        &'a self,
        filter: &TaskFilter,
        order: Order,
        is_descending: bool,
        after: Option<&'a Cursor>,
    ) -> impl Iterator<Item = &'a BoardRow> {
        let index = match order {
            Order::Id => None,
            Order::Key => Some(&self.by_key),
            Order::Next => Some(&self.by_next),
        };
        let at = move |place: usize| match index {
            Some(index) => &self.rows[index[place] as usize],
            None => &self.rows[place],
        };
        let (mut low, mut high) = (0, self.rows.len());
        if let Some(after) = after {
            let is_before = |row: &BoardRow| match after.compare(row) {
                Ordering::Less => true,
                Ordering::Equal => !is_descending,
                Ordering::Greater => false,
            };
            let split = partition_point(self.rows.len(), |place| is_before(at(place)));
            (low, high) = if is_descending { (0, split) } else { (split, high) };
        }
        let lets_through = filter.lets_through();
        (low..high)
            .map(move |step| at(if is_descending { high - 1 - (step - low) } else { step }))
            .filter(move |row| lets_through(row))
    }

    /// The row with this id.
    #[must_use]
    pub fn row(&self, id: TaskId) -> Option<&BoardRow> {
        let place = self.rows.binary_search_by_key(&id, |row| row.id).ok()?;
        self.rows.get(place)
    }

    /// The row with this key; of several the one with the smallest id.
    #[must_use]
    pub fn row_of_key(&self, key: &str) -> Option<&BoardRow> {
        let at = |place: &u32| &self.rows[*place as usize];
        let first = self.by_key.partition_point(|place| &*at(place).key < key);
        self.by_key.get(first).map(at).filter(|row| &*row.key == key)
    }

    /// Those of `among` that `filter` lets through.
    pub fn find_among<'a>(
        &'a self,
        among: &'a BTreeSet<TaskId>,
        filter: &TaskFilter,
    ) -> impl Iterator<Item = &'a BoardRow> {
        let lets_through = filter.lets_through();
        among.iter().filter_map(|id| self.row(*id)).filter(move |row| lets_through(row))
    }

    /// How many of those that `filter` lets through, and that `is_counted`, are in each state.
    pub fn counts(&self, filter: &TaskFilter, is_counted: impl Fn(&BoardRow) -> bool) -> Counts {
        let mut counts = Counts::default();
        let lets_through = filter.lets_through();
        for row in self.rows.iter().filter(|row| lets_through(row) && is_counted(row)) {
            match row.state {
                State::Enabled => counts.enabled += 1,
                State::Disabled => counts.disabled += 1,
                State::Rejected => counts.rejected += 1,
            }
        }
        counts
    }
}

impl BoardRow {
    fn of(judged: &Judged) -> Self {
        let text = |field: &Field| field.as_deref().unwrap_or_default().into();
        let row = &judged.row;
        Self {
            id: row.id,
            key: text(&row.task_key),
            job: text(&row.execute_func),
            says: says(
                row.task_key.as_deref().unwrap_or_default(),
                row.description.as_deref().unwrap_or_default(),
            ),
            state: judged.state(),
            next: judged.scheduled().and_then(Scheduled::next),
            due: judged.scheduled().and_then(Scheduled::due),
        }
    }
}

/// A search for text finds it in one of them, not across both.
fn says(key: &str, description: &str) -> Box<str> {
    format!("{key}\n{description}").to_lowercase().into()
}

impl TaskFilter {
    /// Whether it lets a row through.
    fn lets_through(&self) -> impl Fn(&BoardRow) -> bool + use<> {
        let text = self.text.as_ref().map(|text| text.to_lowercase());
        let (job, state, among) = (self.job.clone(), self.state, self.among.clone());
        move |row| {
            state.is_none_or(|state| row.state == state)
                && among.as_ref().is_none_or(|among| among.contains(&row.id))
                && job.as_ref().is_none_or(|job| *row.job == **job)
                && text.as_ref().is_none_or(|text| row.says.contains(&**text))
        }
    }
}

/// What never comes is last.
fn late(next: Option<DateTime<Utc>>) -> DateTime<Utc> {
    next.unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// As that of a slice: the first place of `0..count` for which `is_before` is not so.
fn partition_point(count: usize, is_before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low.midpoint(high);
        if is_before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    /// Rows 1 to n, each due so many seconds after 1970 or never.
    fn board(rows: &[(&str, State, Option<i64>)]) -> Board {
        let row = |(place, (key, state, due)): (usize, &(&str, State, Option<i64>))| BoardRow {
            id: place as TaskId + 1,
            key: (*key).into(),
            job: if place == 0 { "first".into() } else { "job".into() },
            says: says(key, &format!("says {place}")),
            state: *state,
            next: due.map(|due| DateTime::UNIX_EPOCH + TimeDelta::seconds(due)),
            due: None,
        };
        Board::of_rows(rows.iter().enumerate().map(row).collect())
    }

    fn some() -> Board {
        board(&[
            ("b", State::Enabled, Some(30)),
            ("a", State::Enabled, Some(10)),
            ("B_report", State::Disabled, None),
            ("", State::Rejected, None),
            ("a", State::Enabled, Some(10)),
        ])
    }

    fn ids(
        board: &Board,
        order: Order,
        is_descending: bool,
        after: Option<&Cursor>,
    ) -> Vec<TaskId> {
        let all = TaskFilter::default();
        let found = board.find(&all, order, is_descending, after);
        found.map(|row| row.id).collect()
    }

    #[test]
    fn rows_come_in_each_order_and_its_reverse() {
        for (order, expected) in [
            (Order::Id, [1, 2, 3, 4, 5]),
            (Order::Key, [4, 3, 2, 5, 1]),
            (Order::Next, [2, 5, 1, 3, 4]),
        ] {
            assert_eq!(ids(&some(), order, false, None), expected);
            let mut reversed = expected;
            reversed.reverse();
            assert_eq!(ids(&some(), order, true, None), reversed);
        }
    }

    #[test]
    fn a_page_begins_behind_the_last_row_of_the_one_before_whatever_happened_to_it() {
        let board = some();
        for order in [Order::Id, Order::Key, Order::Next] {
            for is_descending in [false, true] {
                let all = ids(&board, order, is_descending, None);
                for (place, id) in all.iter().enumerate() {
                    let after = Cursor::of(board.row(*id).unwrap(), order);
                    assert_eq!(ids(&board, order, is_descending, Some(&after)), all[place + 1..]);
                }
            }
        }
        let gone = Cursor::Key("aa".into(), 9);
        assert_eq!(ids(&board, Order::Key, false, Some(&gone)), [1]);
        assert_eq!(ids(&board, Order::Key, true, Some(&gone)), [5, 2, 3, 4]);
        assert_eq!(ids(&board, Order::Id, false, Some(&Cursor::Id(TaskId::MAX))), [0; 0]);
    }

    #[test]
    fn a_filter_asks_for_text_job_and_state() {
        let board = some();
        let found = |filter: TaskFilter| {
            board.find(&filter, Order::Id, false, None).map(|row| row.id).collect::<Vec<_>>()
        };
        let text = |text: &str| TaskFilter { text: Some(text.to_owned()), ..TaskFilter::default() };
        assert_eq!(found(text("B")), [1, 3]);
        assert_eq!(found(text("SAYS 4")), [5]);
        assert_eq!(found(text("%")), [0; 0]);
        let job = TaskFilter { job: Some("first".to_owned()), ..TaskFilter::default() };
        assert_eq!(found(job), [1]);
        let state = TaskFilter { state: Some(State::Enabled), ..text("a") };
        assert_eq!(found(state), [1, 2, 5]);
    }

    #[test]
    fn rows_are_counted_by_state() {
        let counts = Counts { enabled: 3, disabled: 1, rejected: 1 };
        let all = TaskFilter::default();
        assert_eq!(some().counts(&all, |_| true), counts);
        let one = Counts { enabled: 1, ..Counts::default() };
        assert_eq!(some().counts(&all, |row| &*row.key == "b"), one);
        let said = TaskFilter { text: Some("B".to_owned()), ..TaskFilter::default() };
        assert_eq!(some().counts(&said, |_| true), Counts { disabled: 1, ..one });
        assert_eq!(ids(&board(&[]), Order::Next, false, None), [0; 0]);
    }
}
