//! Which task is due next: one entry per task, ordered by instant.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use super::task::TaskId;

/// The next instant of every task that has one. Equal instants come in id order, so that claims lock rows in
/// id order.
///
/// ```
/// use chrono::{TimeZone, Utc};
/// use scheduler_core::plan::timetable::Timetable;
///
/// let noon = Utc.with_ymd_and_hms(2026, 1, 1, 12, 0, 0).unwrap();
/// let mut timetable = Timetable::default();
/// timetable.set(7, noon);
/// assert_eq!(timetable.first(), Some(noon));
/// assert_eq!(timetable.take_due(noon, 10), [7]);
/// assert_eq!(timetable.first(), None);
/// ```
#[derive(Debug, Default)]
pub struct Timetable {
    by_instant: BTreeSet<(DateTime<Utc>, TaskId)>,
    by_task: HashMap<TaskId, DateTime<Utc>>,
}

impl Timetable {
    /// Puts `task` at `instant`, replacing what it had.
    pub fn set(&mut self, task: TaskId, instant: DateTime<Utc>) {
        if let Some(old) = self.by_task.insert(task, instant) {
            self.by_instant.remove(&(old, task));
        }
        self.by_instant.insert((instant, task));
    }

    /// Takes `task` out; nothing happens when it is not there.
    pub fn remove(&mut self, task: TaskId) {
        if let Some(old) = self.by_task.remove(&task) {
            self.by_instant.remove(&(old, task));
        }
    }

    /// The instant of `task`.
    #[must_use]
    pub fn get(&self, task: TaskId) -> Option<DateTime<Utc>> {
        self.by_task.get(&task).copied()
    }

    /// The earliest instant.
    #[must_use]
    pub fn first(&self) -> Option<DateTime<Utc>> {
        self.by_instant.first().map(|(instant, _)| *instant)
    }

    /// How many tasks have an instant.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_instant.len()
    }

    /// Whether no task has an instant.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_instant.is_empty()
    }

    /// Takes out the tasks due at `now`, earliest first, at most `limit`.
    pub fn take_due(&mut self, now: DateTime<Utc>, limit: usize) -> Vec<TaskId> {
        let mut due = Vec::new();
        while due.len() < limit {
            match self.by_instant.first() {
                Some(&(instant, task)) if instant <= now => {
                    self.by_instant.pop_first();
                    self.by_task.remove(&task);
                    due.push(task);
                }
                _ => break,
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    #[test]
    fn a_task_stands_once_and_the_last_instant_counts() {
        let mut timetable = Timetable::default();
        timetable.set(1, at(5));
        timetable.set(1, at(9));
        assert_eq!((timetable.len(), timetable.first()), (1, Some(at(9))));
        assert_eq!(timetable.take_due(at(8), 10), Vec::<TaskId>::new());
        assert_eq!(timetable.take_due(at(9), 10), [1]);
    }

    #[test]
    fn due_tasks_come_by_instant_then_by_id_and_no_more_than_asked_for() {
        let mut timetable = Timetable::default();
        for (task, second) in [(3, 2), (1, 2), (2, 1), (4, 3)] {
            timetable.set(task, at(second));
        }
        assert_eq!(timetable.take_due(at(2), 2), [2, 1]);
        assert_eq!(timetable.take_due(at(2), 2), [3]);
        assert_eq!(timetable.get(4), Some(at(3)));
        timetable.remove(4);
        assert!(timetable.is_empty());
    }
}
