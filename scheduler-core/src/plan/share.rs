//! Which node takes a task's fires first, so that n nodes do not all ask for each of them.
//!
//! ```text
//!   instant ──▶ the task's own node claims it
//!      └─ handicap ─▶ the others look whether it is accounted for, and only if not claim it
//! ```
//!
//! Each node ranks the living nodes for each task by a hash of both (rendezvous hashing, Thaler and Ravishankar 1998): all
//! find the same first one, a node that comes or goes moves only its own share, and nobody has to agree on anything. It
//! is a preference and no more: who runs a fire is decided by its key.
//!
//! ```
//! use scheduler_core::plan::share::Share;
//!
//! let mut share = Share::new("a");
//! assert!((1..=100).all(|task| share.is_mine(task)), "alone, everything is its own");
//! share.alive(["a", "b"]);
//! let mine = (1..=1_000).filter(|task| share.is_mine(*task)).count();
//! assert!((400..=600).contains(&mine));
//! ```

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{hash::fnv1a, task::TaskId};

/// One node's view of who comes first.
#[derive(Clone, Debug)]
pub struct Share {
    own: u64,
    /// The other living nodes.
    others: Vec<u64>,
}

/// How long a fire is left to its own node. A dead node's share comes so much later until it is known to be dead.
const HANDICAP: Duration = Duration::from_secs(1);

impl Share {
    /// The view of a node that knows of no other.
    #[must_use]
    pub fn new(own: &str) -> Self {
        Self { own: fnv1a(own), others: Vec::new() }
    }

    /// These nodes are alive; oneself counts in any case. Whether it is news.
    pub fn alive<'a>(&mut self, nodes: impl IntoIterator<Item = &'a str>) -> bool {
        let others: Vec<u64> =
            nodes.into_iter().map(fnv1a).filter(|node| *node != self.own).collect();
        others != std::mem::replace(&mut self.others, others.clone())
    }

    /// How many nodes are alive, oneself among them.
    #[must_use]
    pub fn company(&self) -> usize {
        self.others.len() + 1
    }

    /// Whether `task` is one's own.
    #[must_use]
    pub fn is_mine(&self, task: TaskId) -> bool {
        let own = (weight(self.own, task), self.own);
        self.others.iter().all(|other| (weight(*other, task), *other) < own)
    }

    /// How long a fire of `task` is left to others: not at all if it is one's own, and at most half of the time after
    /// which it would be too late, or the next one due.
    #[must_use]
    pub fn handicap(&self, task: TaskId, patience: Duration) -> TimeDelta {
        if self.is_mine(task) {
            return TimeDelta::zero();
        }
        TimeDelta::from_std(HANDICAP.min(patience / 2)).unwrap_or(TimeDelta::zero())
    }

    /// When what is due at `instant` is due here: after the [`handicap`](Self::handicap). A row may say any instant that
    /// there is, and after the last there is no other.
    #[must_use]
    pub fn due_here(
        &self,
        task: TaskId,
        instant: DateTime<Utc>,
        patience: Duration,
    ) -> DateTime<Utc> {
        let handicap = self.handicap(task, patience);
        instant.checked_add_signed(handicap).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

/// The finalizer of splitmix64 (Steele, Lea and Flood 2014): ids that follow each other are spread.
fn weight(node: u64, task: TaskId) -> u64 {
    let mixed = node ^ task.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: [&str; 4] = ["web-1:7:a", "web-1:8:b", "web-2:7:c", "web-3:1:d"];

    fn shares(nodes: &[&str]) -> Vec<Share> {
        let share = |own: &&str| {
            let mut share = Share::new(own);
            share.alive(nodes.iter().copied());
            share
        };
        nodes.iter().map(share).collect()
    }

    fn owner(shares: &[Share], task: TaskId) -> Vec<usize> {
        let owners = shares.iter().enumerate().filter(|(_, share)| share.is_mine(task));
        owners.map(|(index, _)| index).collect()
    }

    #[test]
    fn every_task_has_one_owner_and_each_node_a_fair_share() {
        let shares = shares(&NODES);
        let mut count = [0; NODES.len()];
        for task in 1..=10_000 {
            let owners = owner(&shares, task);
            assert_eq!(owners.len(), 1, "task {task}");
            count[owners[0]] += 1;
        }
        assert!(count.iter().all(|share| (2_300..=2_700).contains(share)), "{count:?}");
    }

    #[test]
    fn a_node_counts_itself_and_the_others() {
        assert_eq!(Share::new("web-1:7:a").company(), 1);
        assert!(shares(&NODES).iter().all(|share| share.company() == NODES.len()));
    }

    #[test]
    fn a_node_that_leaves_moves_only_its_own_share() {
        let (before, after) = (shares(&NODES), shares(&NODES[..3]));
        for task in 1..=1_000 {
            let owner_before = owner(&before, task);
            if owner_before != [3] {
                assert_eq!(owner(&after, task), owner_before, "task {task}");
            }
        }
    }

    #[test]
    fn a_fire_is_never_left_to_others_until_it_is_too_late() {
        let shares = shares(&NODES);
        let task = (1..).find(|task| !shares[0].is_mine(*task)).unwrap();
        let ms = |grace| shares[0].handicap(task, Duration::from_secs(grace)).num_milliseconds();
        assert_eq!([ms(1), ms(2), ms(60)], [500, 1_000, 1_000]);
        let own = (1..).find(|task| shares[0].is_mine(*task)).unwrap();
        assert_eq!(shares[0].handicap(own, Duration::from_secs(60)), TimeDelta::zero());
    }
}
