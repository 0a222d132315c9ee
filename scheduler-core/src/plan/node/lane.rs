//! A lane of transactions, one at a time, in which what fails lets the rest pass.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    time::Duration,
};

use crate::plan::{
    Now,
    claim::{Claim, Origin},
    task::TaskId,
};

/// How long what fails alone is put off at most.
const PUT_OFF: Duration = Duration::from_secs(5);

/// How soon what found the row of its task locked is tried again: the lock of another claim or record is short.
pub(super) const LOCKED_FOR: Duration = Duration::from_millis(100);

/// What the lane of claims keeps apart: whether what was asked for of a task can be claimed says nothing of its fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Wanted {
    Fire(TaskId),
    Asked(TaskId),
}

impl Wanted {
    pub(super) fn by(claim: &Claim) -> Self {
        match claim.origin {
            Origin::Schedule => Self::Fire(claim.task_id),
            Origin::Request(_) | Origin::Retry => Self::Asked(claim.task_id),
        }
    }
}

/// A kind of transaction of which one is in flight at most.
///
/// What fails does not take others with it. Those that failed together are tried in halves, until it is known which fail
/// alone; these are tried one by one, each after a while, of 5 s at most. Each standing has its turn, so that none waits
/// for another. When the database itself is in trouble, the lane backs off.
#[derive(Clone, Debug)]
pub(super) struct Lane<K> {
    /// Rows of the transaction in flight; 0: none is.
    pub(super) in_flight: usize,
    waits: Backoff,
    resumes_at: Option<Duration>,
    most: usize,
    /// How many of those that failed together are tried at once.
    part: usize,
    together: HashSet<K>,
    /// How often each has failed alone, and from when on it is tried again.
    alone: HashMap<K, (u32, Duration)>,
    turn: u8,
}

/// How the last transaction with something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Well.
    Fine,
    /// It failed, and so did others in it.
    Together,
    /// It failed, with nothing else in it.
    Alone,
}

impl<K: Copy + Eq + Hash> Lane<K> {
    /// Each `seed` draws waits of its own.
    pub(super) fn new(most: usize, seed: u64) -> Self {
        Self {
            in_flight: 0,
            waits: Backoff::new(seed),
            resumes_at: None,
            most,
            part: most,
            together: HashSet::new(),
            alone: HashMap::new(),
            turn: 0,
        }
    }

    pub(super) fn is_open(&self, now: Now) -> bool {
        self.in_flight == 0 && self.resumes_at.is_none_or(|at| at <= now.mono)
    }

    pub(super) fn begin(&mut self, rows: usize) {
        self.in_flight = rows;
    }

    pub(super) fn standing(&self, key: K) -> Standing {
        if self.alone.contains_key(&key) {
            Standing::Alone
        } else if self.together.contains(&key) {
            Standing::Together
        } else {
            Standing::Fine
        }
    }

    /// From when on what failed alone is tried again.
    pub(super) fn tried_again_at(&self, key: K) -> Option<Duration> {
        self.alone.get(&key).map(|(_, at)| *at)
    }

    /// For how long what failed alone is still put off.
    pub(super) fn put_off(&self, key: K, now: Now) -> Option<Duration> {
        let wait = self.tried_again_at(key)?.saturating_sub(now.mono);
        (!wait.is_zero()).then_some(wait)
    }

    /// The moments at which it may have something to do that it had not before.
    pub(super) fn moments(&self) -> impl Iterator<Item = Duration> {
        self.alone.values().map(|(_, at)| *at).chain(self.resumes_at)
    }

    /// How many do not stand well.
    pub(super) fn failing(&self) -> usize {
        self.together.len() + self.alone.len()
    }

    /// How many of them failed alone.
    pub(super) fn failing_alone(&self) -> usize {
        self.alone.len()
    }

    /// How many of one standing a transaction has at most.
    pub(super) fn most(&self, standing: Standing) -> usize {
        match standing {
            Standing::Fine => self.most,
            Standing::Together => self.part,
            Standing::Alone => 1,
        }
    }

    /// Whose turn it is; where there is nothing of that standing, the next one's.
    pub(super) fn turns(&self) -> [Standing; 3] {
        let mut turns = [Standing::Fine, Standing::Together, Standing::Alone];
        turns.rotate_left(usize::from(self.turn % 3));
        turns
    }

    /// Fires and what was asked for take turns, too.
    pub(super) fn is_turn_of_fires(&self) -> bool {
        self.turn < 3
    }

    /// A transaction begins; the next turn is the next one's.
    pub(super) fn turn_is_over(&mut self) {
        self.turn = (self.turn + 1) % 6;
    }

    /// The transaction in flight was answered, whatever it said of each of `keys`.
    pub(super) fn succeeded(&mut self, keys: impl IntoIterator<Item = K>) {
        self.ended();
        self.resume();
        let mut halves_were_right = false;
        for key in keys {
            halves_were_right |= self.together.remove(&key);
            self.alone.remove(&key);
        }
        if halves_were_right {
            self.part = (self.part * 2).min(self.most);
        }
    }

    /// The transaction in flight failed; whether it is news that the only one in it fails alone. `is_away`: so does
    /// whatever is asked of the database.
    pub(super) fn failed(&mut self, keys: &[K], is_away: bool, now: Now) -> bool {
        self.ended();
        self.pause(Duration::from_millis(50), now);
        let [key] = keys else {
            self.part = (keys.len() / 2).max(1);
            self.together.extend(keys);
            return false;
        };
        self.together.remove(key);
        let before = self.alone.get(key).map_or(0, |(failures, _)| *failures);
        // At first it is tried again soon: it may have been chance, and what is tried is not always the same.
        let later = (LOCKED_FOR * 2_u32.pow(before.min(6))).min(PUT_OFF);
        self.alone.insert(*key, (before + 1, now.mono + later));
        if is_away {
            let wait = self.waits.next();
            self.pause(wait, now);
        }
        before == 0
    }

    /// Forgets all others.
    pub(super) fn retain(&mut self, is_wanted: impl Fn(&K) -> bool) {
        self.together.retain(&is_wanted);
        self.alone.retain(|key, _| is_wanted(key));
    }

    /// The transaction in flight is over, and tells nothing of what was in it.
    pub(super) fn ended(&mut self) {
        self.in_flight = 0;
    }

    /// It is no more.
    pub(super) fn forget(&mut self, key: K) {
        self.together.remove(&key);
        self.alone.remove(&key);
    }

    /// The database is back: what failed did not fail for its own sake. What failed alone.
    pub(super) fn forgive(&mut self) -> Vec<K> {
        self.resume();
        self.part = self.most;
        self.together.clear();
        self.alone.drain().map(|(key, _)| key).collect()
    }

    /// There is little time left: nothing waits for its time to come, and for long after it failed again. It still stands
    /// as it did.
    pub(super) fn hurry(&mut self) {
        self.resume();
        self.alone.values_mut().for_each(|waits| *waits = (1, Duration::ZERO));
    }

    /// What kept it waiting is over.
    pub(super) fn resume(&mut self) {
        self.waits.restart();
        self.resumes_at = None;
    }

    /// Nothing is begun before `wait` is over.
    pub(super) fn pause(&mut self, wait: Duration, now: Now) {
        self.resumes_at = Some(now.mono + wait);
    }
}

/// Waits that grow: 200 ms, doubled up to 5 s, of which between a half and all is waited.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    failures: u32,
    chance: u64,
}

impl Backoff {
    /// Each `seed` draws waits of its own.
    pub(super) fn new(seed: u64) -> Self {
        Self { failures: 0, chance: seed }
    }

    /// The wait after one more failure.
    pub(super) fn next(&mut self) -> Duration {
        self.failures += 1;
        let wait = Duration::from_millis(100 << self.failures.min(6)).min(PUT_OFF);
        wait / 2 + self.draw_below(wait / 2)
    }

    /// It went well: the next wait is the shortest.
    pub(super) fn restart(&mut self) {
        self.failures = 0;
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
                lane.failed(&[7], true, now);
                lane.resumes_at.expect("it waits") - now.mono
            })
            .collect();
        assert!((100..=200).contains(&waits[0].as_millis()), "{:?}", waits[0]);
        let last = &waits[10..];
        assert!(last.iter().all(|wait| (2_500..=5_000).contains(&wait.as_millis())), "{last:?}");
        let shortest = last.iter().min().expect("there are some");
        assert!(last.iter().any(|wait| *wait > *shortest + Duration::from_secs(1)), "{last:?}");
    }

    /// A lane of at most eight, and a moment.
    fn lane() -> (Lane<i64>, Now) {
        (
            Lane::new(8, 7),
            Now { wall: chrono::DateTime::UNIX_EPOCH, mono: Duration::from_secs(100) },
        )
    }

    #[test]
    fn what_fails_together_is_tried_in_halves_until_it_is_known_what_fails_alone() {
        use Standing::{Alone, Fine, Together};
        let (mut lane, now) = lane();
        assert!(!lane.failed(&[1, 2, 3, 4], false, now));
        assert_eq!((lane.most(Together), lane.failing()), (2, 4));
        assert!(!lane.failed(&[1, 2], false, now));
        assert_eq!((lane.most(Together), lane.failing()), (1, 4));
        assert!(lane.failed(&[1], false, now));
        assert_eq!([1, 2, 5].map(|task| lane.standing(task)), [Alone, Together, Fine]);
        assert_eq!((lane.most(Together), lane.failing()), (1, 4));
        // Each that succeeds is well again, and so many more are tried.
        for (tasks, most, failing) in [(vec![2], 2, 3), (vec![3, 4], 4, 1), (vec![5], 4, 1)] {
            lane.succeeded(tasks);
            assert_eq!((lane.most(Together), lane.failing()), (most, failing));
        }
        lane.succeeded([1]);
        assert_eq!((lane.standing(1), lane.failing()), (Fine, 0));
        assert!(lane.failed(&[1], false, now), "news again");
        assert!(!lane.failed(&[1], false, now), "no news");
    }

    #[test]
    fn whoever_is_forgiven_or_forgotten_stands_well() {
        let (mut lane, now) = lane();
        lane.failed(&[1, 2, 3, 4], false, now);
        lane.failed(&[5], false, now);
        lane.forget(1);
        lane.forget(5);
        assert_eq!(lane.failing(), 3);
        lane.failed(&[5], true, now);
        assert_eq!(lane.forgive(), [5]);
        assert_eq!((lane.failing(), lane.most(Standing::Together)), (0, 8));
        assert!(lane.is_open(now));
    }

    #[test]
    fn each_standing_has_every_third_turn_and_of_each_fires_every_other() {
        let (mut lane, _) = lane();
        let turns: Vec<_> = (0..6)
            .map(|_| {
                let [first, ..] = lane.turns();
                let turn = (first, lane.is_turn_of_fires());
                lane.turn_is_over();
                turn
            })
            .collect();
        for standing in [Standing::Fine, Standing::Together, Standing::Alone] {
            let of_it: Vec<usize> = (0..6).filter(|turn| turns[*turn].0 == standing).collect();
            assert_eq!(of_it[1] - of_it[0], 3, "{turns:?}");
            let of_fires = of_it.iter().filter(|turn| turns[**turn].1).count();
            assert_eq!(of_fires, 1, "{turns:?}");
        }
    }
}
