//! Whether it is the database that fails, or one row.

use std::time::Duration;

use super::{Action, Failure, Health, Node, Notice, lane::Wanted, tasks::READ_AGAIN};

/// What is asked of the database for the sake of no row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asked {
    /// Renewals: they go on as long as the node lives.
    Lease,
    /// Readings: until the wish to stop.
    Rows,
    /// What is accounted of tasks that arrive.
    Cursors,
}

impl Node {
    /// Says once that the database is in trouble, and once that it is back. Judged by what is asked for the sake of no row.
    /// What fails is well again when it succeeds itself.
    pub(super) fn note_trouble(
        &mut self,
        of: Asked,
        failure: Option<&Failure>,
        actions: &mut Vec<Action>,
    ) {
        let (was_in_trouble, was_away) = (!self.trouble.is_empty(), self.is_away());
        match failure {
            Some(_) => drop(self.trouble.insert(of)),
            // Nothing else is asked any more.
            None if self.is_stopping() => self.trouble.clear(),
            None => drop(self.trouble.remove(&of)),
        }
        if let Some(failure) = failure.filter(|_| !was_in_trouble) {
            let text = failure.text().to_owned();
            actions.push(Action::Report(Notice::Health(Health::DatabaseTrouble(text))));
        } else if was_in_trouble && self.trouble.is_empty() {
            actions.push(Action::Report(Notice::Health(Health::DatabaseBack)));
        }
        if was_away && !self.is_away() {
            self.try_at_once_what_failed();
        }
    }

    /// Whether nothing can be written: not even the lease.
    pub(super) fn is_away(&self) -> bool {
        self.trouble.contains(&Asked::Lease)
    }

    /// What failed meanwhile did not fail for its own sake.
    fn try_at_once_what_failed(&mut self) {
        self.records.forgive();
        self.settles_at = Duration::ZERO;
        self.settle_waits.restart();
        self.reading.hurry();
        for wanted in self.claims.forgive() {
            if let Wanted::Fire(task_id) = wanted {
                self.plan_next(task_id);
            }
        }
    }

    /// Says what fails even alone. Whether it is the database that fails, a renewal tells.
    pub(super) fn note_stuck(&mut self, notice: Notice, actions: &mut Vec<Action>) {
        if !self.is_away() {
            self.renewing.hurry_after(READ_AGAIN);
            actions.push(Action::Report(notice));
        }
    }
}
