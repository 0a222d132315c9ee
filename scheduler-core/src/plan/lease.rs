//! How long a node may trust that it is alive in the eyes of the others.
//!
//! ```text
//!   start of a renewal ───────────────── lease ──────────────────▶ others may reap
//!                      └── lease − margin ──▶ the node itself stops claiming
//! ```
//!
//! Measured on the monotonic clock from the *start* of the last good renewal, so that a slow answer or a step of the
//! wall clock cannot lengthen it. Three words:
//!
//! - trust: until when the node may [claim](Lease::is_trusted), and [begin](Lease::covers) what it claimed in the same
//!   term. A lease that was over and is renewed begins a new term: what was claimed in the old one may be lost to the
//!   others by now.
//! - [`slept`](Lease::slept): what the machine slept, and its monotonic clock with it, is taken off the lease. A wall
//!   clock that was set forward looks the same.
//! - contact: since when no call has failed. Nobody reaps before one lease of it: a node that just came back must first
//!   give the others the time to renew.
//!
//! That the database went away is heard of only when a call has failed, and a call may be carried out after it is back,
//! when all look dead. So each reaping says until when it may judge, by the database's clock.

use std::time::Duration;

use super::{Now, machine_clock::MachineClock};

/// Why what was claimed is lost although nothing of it ran.
pub const OVER: &str = "the lease of the node was over before the run began";

/// Under what a node may begin what it claimed. Asked once more at the first step of a job: between the decision and that
/// step the process may have been frozen, or the machine have slept.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trust {
    lease: Lease,
    machine: MachineClock,
}

impl Trust {
    /// Under `lease`, on a machine whose clocks were last compared as in `machine`.
    #[must_use]
    pub fn new(lease: Lease, machine: MachineClock) -> Self {
        Self { lease, machine }
    }

    /// Whether the others still count on what was claimed in `term`, when the machine's clocks say `local`.
    #[must_use]
    pub fn covers(self, term: u64, local: Now) -> bool {
        self.lease.covers(term, local.mono + self.machine.slept(local))
    }
}

/// One node's own view of its lease. All times are monotonic.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lease {
    length: Duration,
    renewed_at: Option<Duration>,
    term: u64,
    contact_since: Option<Duration>,
}

impl Lease {
    /// A lease of `length` that was never renewed: nothing may be claimed yet.
    #[must_use]
    pub fn new(length: Duration) -> Self {
        Self { length, renewed_at: None, term: 0, contact_since: None }
    }

    /// A renewal that began at `started` was acknowledged by the database, which was heard at `now`. If that took long,
    /// the database may have been away, and the others have to renew yet: contact begins anew.
    pub fn renewed(&mut self, started: Duration, now: Duration) {
        if !self.is_trusted(now) {
            self.term += 1;
        }
        self.renewed_at = Some(started);
        if now > started + self.length / 6 {
            self.contact_since = Some(now);
        }
        self.contact_since.get_or_insert(started);
    }

    /// The machine slept for `slept`, and its monotonic clock with it: the last renewal is older by as much. The database
    /// may have slept with it, and nobody has renewed since.
    pub fn slept(&mut self, slept: Duration) {
        self.renewed_at = self.renewed_at.and_then(|renewed| renewed.checked_sub(slept));
        if slept >= self.length / 2 {
            self.contact_lost();
        }
    }

    /// A call to the database failed: contact is broken.
    pub fn contact_lost(&mut self) {
        self.contact_since = None;
    }

    /// When the last good renewal began.
    #[must_use]
    pub fn renewed_at(&self) -> Option<Duration> {
        self.renewed_at
    }

    /// Whether the last call that kept it alive was answered.
    #[must_use]
    pub fn has_contact(&self) -> bool {
        self.contact_since.is_some()
    }

    /// Whether all of them since `at` were.
    #[must_use]
    pub fn has_contact_since(&self, at: Duration) -> bool {
        self.contact_since.is_some_and(|since| since <= at)
    }

    /// Whether this node may claim: until lease − margin after the start of the last renewal. The margin is a sixth of the
    /// lease.
    #[must_use]
    pub fn is_trusted(&self, now: Duration) -> bool {
        self.renewed_at.is_some_and(|renewed| now < renewed + self.length - self.length / 6)
    }

    /// Whether the others still count at `now` on what this node claimed in `term`.
    #[must_use]
    pub fn covers(&self, term: u64, now: Duration) -> bool {
        term == self.term && self.is_trusted(now)
    }

    /// Counts the times that the lease was over, or never held, and was renewed: while it is the same, the others cannot
    /// have found this node dead. A renewal brings the node back to life, but not what was taken from it meanwhile.
    #[must_use]
    pub fn term(&self) -> u64 {
        self.term
    }

    /// For how long from now on others may be declared dead; `None`: not now. Half a lease after the own renewal it ends:
    /// who lives has renewed within a third of the lease before the database went away.
    #[must_use]
    pub fn may_reap_for(&self, now: Duration) -> Option<Duration> {
        self.may_reap_from().filter(|from| *from <= now)?;
        self.renewed_at.and_then(|renewed| (renewed + self.length / 2).checked_sub(now))
    }

    /// When contact with the database will have been unbroken for one lease; `None`: there is none.
    #[must_use]
    pub fn may_reap_from(&self) -> Option<Duration> {
        self.contact_since.map(|since| since + self.length)
    }

    /// How long between two renewals: a third of the lease, so that two may fail.
    #[must_use]
    pub fn renew_every(&self) -> Duration {
        self.length / 3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_node_trusts_itself_until_a_sixth_before_the_end_of_its_lease() {
        let mut lease = Lease::new(30 * SECOND);
        assert!(!lease.is_trusted(SECOND), "never renewed");
        lease.renewed(10 * SECOND, 10 * SECOND);
        assert!(lease.is_trusted(34 * SECOND));
        assert!(!lease.is_trusted(35 * SECOND));
    }

    /// Renewed every ten seconds, from the first to the last of `seconds`.
    fn renewed(lease: &mut Lease, seconds: std::ops::RangeInclusive<u32>) {
        seconds.step_by(10).for_each(|second| lease.renewed(second * SECOND, second * SECOND));
    }

    #[test]
    fn a_renewal_that_is_heard_too_late_begins_a_new_term() {
        let mut lease = Lease::new(30 * SECOND);
        lease.renewed(10 * SECOND, 11 * SECOND);
        let term = lease.term();
        lease.renewed(20 * SECOND, 34 * SECOND);
        assert_eq!(lease.term(), term, "a sixth of the lease before its end it is not over");
        lease.renewed(44 * SECOND, 45 * SECOND);
        assert_eq!(lease.term(), term + 1);
        lease.slept(60 * SECOND);
        lease.renewed(46 * SECOND, 47 * SECOND);
        assert_eq!(lease.term(), term + 2);
    }

    #[test]
    fn what_the_machine_slept_is_gone_from_its_lease() {
        let mut lease = Lease::new(30 * SECOND);
        lease.renewed(100 * SECOND, 100 * SECOND);
        lease.slept(10 * SECOND);
        assert!(lease.is_trusted(114 * SECOND));
        assert!(!lease.is_trusted(115 * SECOND));
        assert!(lease.has_contact());
        lease.slept(15 * SECOND);
        assert!(!lease.has_contact(), "the database may have slept, too");
        lease.slept(1_000 * SECOND);
        assert!(!lease.is_trusted(Duration::ZERO), "longer than the clock runs");
    }

    #[test]
    fn nobody_reaps_before_one_lease_of_unbroken_contact() {
        let mut lease = Lease::new(30 * SECOND);
        renewed(&mut lease, 0..=30);
        assert_eq!(lease.may_reap_for(29 * SECOND), None);
        assert_eq!(lease.may_reap_for(30 * SECOND), Some(15 * SECOND));
        lease.contact_lost();
        renewed(&mut lease, 40..=60);
        assert_eq!(lease.may_reap_for(60 * SECOND), None);
        renewed(&mut lease, 70..=70);
        assert_eq!(lease.may_reap_for(70 * SECOND), Some(15 * SECOND));
        assert_eq!(lease.may_reap_for(85 * SECOND), Some(Duration::ZERO));
        assert_eq!(lease.may_reap_for(86 * SECOND), None);
    }

    #[test]
    fn a_renewal_that_took_long_breaks_the_contact() {
        for (took, may_reap) in [(5, true), (6, false)] {
            let mut lease = Lease::new(30 * SECOND);
            renewed(&mut lease, 0..=30);
            lease.renewed(40 * SECOND, (40 + took) * SECOND);
            assert_eq!(lease.may_reap_for(50 * SECOND).is_some(), may_reap, "{took} s");
        }
    }
}
