//! Something that is done again and again: readings, renewals, looking after the dead.

use std::time::Duration;

use crate::plan::Now;

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
