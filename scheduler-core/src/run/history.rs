//! Notices what was edited by SQL: the history of edits then tells of it as of an edit by `external`.
//!
//! ```text
//!   loop ─ what is new in each reading ─▶ Edited: ids that wait ─▶ Historian ─▶ store
//! ```
//!
//! Whether something was really edited, and by whom, is for the store to say, apart from
//! all else and a few rows at a time, on one of the living nodes; the others keep what waits, and go on when that one is
//! gone. The first reading makes all rows wait: what was edited while nobody ran is noticed, too, and a row without history
//! begins one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use super::{
    Watch,
    beside::{self, Retried},
};
use crate::{
    plan::{
        node::{Event, Reading},
        task::TaskId,
    },
    store::{SharedStore, StoreError},
};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// After a look that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// While another node does it.
const LEFT_TO_OTHERS: Duration = Duration::from_secs(30);

/// Rows that are locked at once, for the time of a few statements: a fire that meets them waits 100 ms.
const AT_ONCE: usize = 50;

/// Between two transactions: others come between them.
const PAUSE: Duration = Duration::from_millis(20);

/// `update_at` has whole seconds: an edit this close to a reading may not have been the last of its second.
const SAME_SECOND: TimeDelta = TimeDelta::seconds(3);

/// Ids of rows that may have been edited.
type Waiting = Arc<Mutex<BTreeSet<TaskId>>>;

fn lock(waiting: &Waiting) -> MutexGuard<'_, BTreeSet<TaskId>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the loop holds of all this.
#[derive(Debug, Default)]
pub(super) struct Edited {
    /// Rows that are to be looked at once more, by when they were edited.
    fresh: BTreeMap<TaskId, DateTime<Utc>>,
    waiting: Waiting,
}

impl Edited {
    /// Starts to look after the rows that wait, until `stop`.
    pub(super) fn start(
        store: &SharedStore,
        node_id: &Arc<str>,
        lease: Duration,
        watch: &Watch,
        stop: &CancellationToken,
    ) -> Self {
        let edited = Self::default();
        let (store, node_id, stop) = (Arc::clone(store), Arc::clone(node_id), stop.clone());
        let waiting = Arc::clone(&edited.waiting);
        let watch = watch.clone();
        tokio::spawn(Historian { store, node_id, lease, waiting, watch, stop }.run());
        edited
    }

    /// Something happened.
    pub(super) fn heard(&mut self, event: &Event, now: DateTime<Utc>) {
        if let Event::Read(_, Ok(reading)) = event {
            self.read(reading, now);
        }
    }

    fn read(&mut self, Reading { rows, gone, again, .. }: &Reading, now: DateTime<Utc>) {
        let mut edited: Vec<TaskId> = gone.iter().chain(self.fresh.keys()).copied().collect();
        let is_fresh = |at: &DateTime<Utc>| now - *at < SAME_SECOND;
        self.fresh.retain(|_, at| is_fresh(at));
        // Both are in id order.
        let mut again = again.iter().peekable();
        for row in rows.iter().filter(|row| again.next_if(|id| **id == row.id).is_none()) {
            edited.push(row.id);
            self.fresh.extend(row.updated_at.filter(is_fresh).map(|at| (row.id, at)));
        }
        if !edited.is_empty() {
            lock(&self.waiting).extend(edited);
        }
    }
}

struct Historian {
    store: SharedStore,
    node_id: Arc<str>,
    lease: Duration,
    waiting: Waiting,
    watch: Watch,
    stop: CancellationToken,
}

impl Historian {
    async fn run(self) {
        let (mut retried, mut pause) = (Retried::default(), LOOK_EVERY);
        while beside::pause(&self.stop, pause).await {
            if lock(&self.waiting).is_empty() || !self.watch.is_database_well() {
                continue;
            }
            let result = self.look().await;
            retried.note(&result, "what was edited by SQL cannot be kept");
            pause = match result {
                Ok(true) => LOOK_EVERY,
                Ok(false) => LEFT_TO_OTHERS,
                Err(_) => AFTER_FAILURE,
            };
        }
    }

    /// All that waits, a few rows at a time; what somebody holds waits on. `false`: another node does it.
    async fn look(&self) -> Result<bool, StoreError> {
        if !beside::does_it_here(&self.store.nodes().await?, &self.node_id, self.lease) {
            return Ok(false);
        }
        let mut after = TaskId::MIN;
        loop {
            let ids = self.take_from(after);
            let Some(last) = ids.last() else { return Ok(true) };
            after = last.saturating_add(1);
            match self.store.notice_edits(&ids).await {
                Ok(locked) => lock(&self.waiting).extend(locked),
                Err(error) => {
                    lock(&self.waiting).extend(ids);
                    return Err(error);
                }
            }
            if !beside::pause(&self.stop, PAUSE).await {
                return Ok(true);
            }
        }
    }

    /// Some of what waits, in id order: what is edited from now on waits anew.
    fn take_from(&self, first: TaskId) -> Vec<TaskId> {
        let mut waiting = lock(&self.waiting);
        let ids: Vec<TaskId> = waiting.range(first..).take(AT_ONCE).copied().collect();
        for id in &ids {
            waiting.remove(id);
        }
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        plan::{difference::Seen, task::TaskRow},
        store::NewTask,
    };

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn row(id: TaskId, updated_at: i64) -> TaskRow {
        NewTask::new("a", "f", "cron", "* * * * *").as_row(id, at(updated_at))
    }

    #[track_caller]
    fn waits(
        (edited, seen): &mut (Edited, Seen),
        rows: &[(TaskId, i64)],
        now: i64,
        expected: &[TaskId],
    ) {
        let rows = rows.iter().map(|(id, updated_at)| row(*id, *updated_at)).collect();
        let news = Reading { rows, shows_all: true, ..Reading::default() }.news_to(seen);
        edited.heard(&Event::Read(Seen::default(), Ok(news)), at(now));
        let waiting: Vec<_> = std::mem::take(&mut *lock(&edited.waiting)).into_iter().collect();
        assert_eq!(waiting, expected);
    }

    #[test]
    fn rows_that_are_new_gone_or_moved_are_looked_at() {
        let mut edited = Default::default();
        waits(&mut edited, &[(1, 0), (2, 0), (5, 0)], 100, &[1, 2, 5]);
        waits(&mut edited, &[(1, 0), (2, 0), (5, 0)], 110, &[]);
        waits(&mut edited, &[(2, 50), (3, 0), (5, 0)], 120, &[1, 2, 3]);
        waits(&mut edited, &[], 130, &[2, 3, 5]);
        waits(&mut edited, &[], 140, &[]);
    }

    #[test]
    fn what_is_told_again_without_a_difference_was_not_edited() {
        let mut edited = <(Edited, Seen)>::default();
        waits(&mut edited, &[(1, 0), (2, 0), (3, 0)], 100, &[1, 2, 3]);
        edited.1.look_again(1);
        edited.1.look_again(2);
        waits(&mut edited, &[(1, 0), (2, 50), (3, 0)], 110, &[2]);
        edited.1.look_at_all_again();
        waits(&mut edited, &[(1, 0), (2, 50), (3, 60), (4, 0)], 120, &[3, 4]);
    }

    #[test]
    fn a_row_that_was_edited_just_before_a_reading_is_looked_at_again() {
        let mut edited = Default::default();
        waits(&mut edited, &[(1, 98)], 100, &[1]);
        waits(&mut edited, &[(1, 98)], 100, &[1]);
        waits(&mut edited, &[(1, 98)], 110, &[1]);
        waits(&mut edited, &[(1, 98)], 120, &[]);
    }
}
