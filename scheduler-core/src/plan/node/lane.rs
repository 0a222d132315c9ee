//! Two ways of doing one thing at a time: a lane of transactions, and a chore that comes round.

use std::time::Duration;

use crate::plan::Now;

/// How long what failed alone is put off.
pub(super) const PUT_OFF: Duration = Duration::from_secs(5);

/// How soon what found the row of its task locked is tried again: the lock of another claim or record is short.
pub(super) const LOCKED_FOR: Duration = Duration::from_millis(100);

/// A kind of transaction of which one is in flight at most.
///
/// After a failure the batch is halved, so that a row that makes every transaction fail is soon alone in its
/// own; when even that fails it backs off (200 ms, doubled up to 5 s, of which between a half and all is waited). After
/// a success the batch doubles again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lane {
    /// Rows of the transaction in flight; 0: none is.
    pub(super) in_flight: usize,
    failures: u32,
    pub(super) resumes_at: Option<Duration>,
    pub(super) batch: usize,
    most: usize,
    chance: u64,
}

impl Lane {
    /// Each `seed` draws waits of its own.
    pub(super) fn new(most: usize, seed: u64) -> Self {
        Self { in_flight: 0, failures: 0, resumes_at: None, batch: most, most, chance: seed }
    }

    pub(super) fn is_open(&self, now: Now) -> bool {
        self.in_flight == 0 && self.resumes_at.is_none_or(|at| at <= now.mono)
    }

    pub(super) fn begin(&mut self, rows: usize) {
        self.in_flight = rows;
    }

    pub(super) fn succeeded(&mut self) {
        let batch = (self.batch * 2).min(self.most);
        *self = Self { batch, ..Self::new(self.most, self.chance) };
    }

    /// The transaction in flight failed: it is tried in halves, and backs off when it cannot be halved.
    pub(super) fn failed(&mut self, now: Now) {
        let size = self.in_flight;
        self.batch = (size / 2).max(1);
        if size > 1 {
            self.in_flight = 0;
            self.pause(Duration::from_millis(50), now);
        } else {
            self.back_off(now);
        }
    }

    /// The transaction in flight failed for a reason of its own, which the others do not share.
    pub(super) fn passed_over(&mut self, now: Now) {
        self.in_flight = 0;
        self.pause(Duration::from_millis(50), now);
    }

    /// What is in flight went unanswered and has no smaller parts.
    pub(super) fn back_off(&mut self, now: Now) {
        self.in_flight = 0;
        self.failures += 1;
        let wait = Duration::from_millis(100 << self.failures.min(6)).min(Duration::from_secs(5));
        let wait = wait / 2 + self.draw_below(wait / 2);
        self.pause(wait, now);
    }

    /// Nodes that failed together shall not try again together, nor one node in the rhythm of what breaks it. The
    /// multiplier and the increment are those of Knuth's MMIX.
    fn draw_below(&mut self, span: Duration) -> Duration {
        self.chance = self
            .chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        span * u32::try_from(self.chance >> 48).unwrap_or_default() / (1 << 16)
    }

    /// What kept it waiting is over.
    pub(super) fn resume(&mut self) {
        self.failures = 0;
        self.resumes_at = None;
    }

    /// Nothing is begun before `wait` is over.
    pub(super) fn pause(&mut self, wait: Duration, now: Now) {
        self.resumes_at = Some(now.mono + wait);
    }
}

/// Something that is done again and again, at most once at a time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chore {
    pub(super) in_flight: bool,
    pub(super) due_at: Duration,
    /// When it was last done.
    ended_at: Duration,
    /// Wanted this long after what is in flight, which may have begun too early.
    wanted_after: Option<Duration>,
}

impl Chore {
    pub(super) fn is_due(&self, now: Now) -> bool {
        !self.in_flight && self.due_at <= now.mono
    }

    pub(super) fn begin(&mut self) {
        self.in_flight = true;
    }

    /// It is done, and due again at `next`.
    pub(super) fn end(&mut self, now: Now, next: Duration) {
        self.in_flight = false;
        self.ended_at = now.mono;
        let wanted = self.wanted_after.take().map(|pause| now.mono + pause);
        self.due_at = wanted.map_or(next, |wanted| wanted.min(next));
    }

    /// Has it done as soon as possible.
    pub(super) fn hurry(&mut self) {
        self.hurry_after(Duration::ZERO);
    }

    /// Has it done as soon as possible, but `pause` after the last time: for wishes that may come again each time.
    pub(super) fn hurry_after(&mut self, pause: Duration) {
        if self.in_flight {
            let sooner = self.wanted_after.map_or(pause, |other| other.min(pause));
            self.wanted_after = Some(sooner);
        } else {
            self.due_at = self.due_at.min(self.ended_at + pause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_five_seconds_and_differ() {
        let now = Now { wall: chrono::DateTime::UNIX_EPOCH, mono: Duration::from_secs(100) };
        let mut lane = Lane::new(1_000, 7);
        let waits: Vec<Duration> = (0..40)
            .map(|_| {
                lane.begin(1);
                lane.failed(now);
                lane.resumes_at.expect("it waits") - now.mono
            })
            .collect();
        assert!((100..=200).contains(&waits[0].as_millis()), "{:?}", waits[0]);
        let last = &waits[10..];
        assert!(last.iter().all(|wait| (2_500..=5_000).contains(&wait.as_millis())), "{last:?}");
        let shortest = last.iter().min().expect("there are some");
        assert!(last.iter().any(|wait| *wait > *shortest + Duration::from_secs(1)), "{last:?}");
    }

    #[test]
    fn what_is_wanted_while_it_is_under_way_is_done_once_more() {
        let now = Now { wall: chrono::DateTime::UNIX_EPOCH, mono: Duration::from_secs(100) };
        let next = Duration::from_secs(110);
        let mut chore = Chore::default();
        chore.begin();
        chore.hurry_after(Duration::from_secs(1));
        chore.hurry();
        assert!(!chore.is_due(now), "one at a time");
        chore.end(now, next);
        assert!(chore.is_due(now));
        chore.begin();
        chore.end(now, next);
        assert!(!chore.is_due(now));
    }

    #[test]
    fn what_is_wanted_after_a_pause_has_it_from_the_last_time_on() {
        let at = |ms| Now { wall: chrono::DateTime::UNIX_EPOCH, mono: Duration::from_millis(ms) };
        let pause = Duration::from_millis(500);
        let next = Duration::from_millis(10_000);
        let mut chore = Chore::default();
        // While it is under way, and after it.
        chore.begin();
        chore.hurry_after(pause);
        chore.end(at(1_000), next);
        assert!(!chore.is_due(at(1_499)));
        assert!(chore.is_due(at(1_500)));
        chore.begin();
        chore.end(at(2_000), next);
        chore.hurry_after(pause);
        assert!(!chore.is_due(at(2_499)));
        assert!(chore.is_due(at(2_500)));
        // What is due sooner stays so.
        chore.begin();
        chore.end(at(3_000), next);
        chore.hurry_after(Duration::from_secs(60));
        assert!(!chore.is_due(at(9_999)));
        assert!(chore.is_due(at(10_000)));
    }
}
