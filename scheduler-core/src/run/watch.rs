//! What others may see of a running scheduler. Its loop leaves word of each turn; nobody who looks holds it up.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use super::{alarm::ChannelSight, metrics::Metrics};
use crate::{clock, plan::node::Survey, store::SharedStore};

/// The loop turns every 5 s at the least.
const LONGEST_TURN: Duration = Duration::from_secs(30);

/// A running scheduler, seen from outside. Clones see the same.
#[derive(Clone, Debug)]
pub struct Watch {
    last: Arc<Mutex<Option<(Duration, Survey)>>>,
    metrics: Arc<Metrics>,
    store: SharedStore,
    /// Somebody here wants the tables to be read.
    wanted: Arc<Notify>,
    channels: Arc<Mutex<Channels>>,
}

/// The channels of alarms by name.
type Channels = BTreeMap<String, ChannelSight>;

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// What the node said at its last turn; all `false` and 0 before the first.
    pub survey: Survey,
    /// How long ago that was; `None`: it did not turn yet.
    pub turned_ago: Option<Duration>,
}

impl Watch {
    pub(crate) fn new(node_id: &str, store: &SharedStore) -> Self {
        Self {
            last: Arc::default(),
            metrics: Arc::new(Metrics::new(node_id)),
            store: Arc::clone(store),
            wanted: Arc::default(),
            channels: Arc::default(),
        }
    }

    pub(super) fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    pub(super) fn wanted(&self) -> &Arc<Notify> {
        &self.wanted
    }

    /// Lets it read the tables soon: a row was edited.
    pub(crate) fn wake(&self) {
        self.wanted.notify_one();
    }

    pub(super) fn saw_channels(&self, channels: Channels) {
        *self.channels.lock().unwrap_or_else(PoisonError::into_inner) = channels;
    }

    /// How the channels of alarms fare, by name.
    #[must_use]
    pub fn channels(&self) -> Channels {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Leaves word of a turn.
    pub(crate) fn turned(&self, survey: Survey) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((clock::mono(), survey));
    }

    /// How it fares.
    #[must_use]
    pub fn look(&self) -> Sight {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some((at, survey)) = last else { return Sight::default() };
        Sight { survey, turned_ago: Some(clock::mono().saturating_sub(at)) }
    }

    /// Whether the database answers the loop: one in trouble is left to it, who finds out when that is over.
    pub(super) fn is_database_well(&self) -> bool {
        self.look().survey.is_database_well
    }

    /// What it counted and measured, as OpenMetrics 1.0 text.
    #[must_use]
    pub fn metrics_text(&self) -> String {
        let sight = self.look();
        let is_ready = sight.obstacles().is_empty();
        self.metrics.encode(&sight.survey, is_ready, self.store.connections())
    }
}

impl Sight {
    /// Whether its loop turns: it did within the last 30 s.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.turned_ago.is_some_and(|ago| ago < LONGEST_TURN)
    }

    /// Why it claims nothing now; empty: it may claim.
    #[must_use]
    pub fn obstacles(&self) -> Vec<&'static str> {
        let Survey { has_read, is_trusted, is_clock_right, is_database_well, is_stopping, .. } =
            self.survey;
        let obstacles = [
            (!self.is_alive(), "its loop does not turn"),
            (is_stopping, "it is stopping"),
            (!is_database_well, "the database is in trouble"),
            (!has_read, "the tables are not read yet"),
            (!is_trusted, "its lease is not renewed"),
            (!is_clock_right, "its clock is off that of the database"),
        ];
        obstacles.into_iter().filter_map(|(is_so, what)| is_so.then_some(what)).collect()
    }
}

#[cfg(test)]
impl Sight {
    /// Of one that may claim.
    pub(super) fn well() -> Self {
        let survey = Survey {
            has_read: true,
            is_trusted: true,
            is_clock_right: true,
            is_database_well: true,
            ..Survey::default()
        };
        Self { survey, turned_ago: Some(Duration::from_secs(5)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_may_claim_has_no_obstacle() {
        assert!(Sight::well().is_alive());
        assert_eq!(Sight::well().obstacles(), [""; 0]);
    }

    #[test]
    fn one_that_did_not_turn_yet_or_no_longer_turns_is_not_alive() {
        for turned_ago in [None, Some(LONGEST_TURN)] {
            let sight = Sight { turned_ago, ..Sight::well() };
            assert!(!sight.is_alive());
            assert_eq!(sight.obstacles(), ["its loop does not turn"]);
        }
    }

    #[test]
    fn each_obstacle_is_named() {
        let named = |change: fn(&mut Survey)| {
            let mut sight = Sight::well();
            change(&mut sight.survey);
            sight.obstacles()
        };
        assert_eq!(named(|survey| survey.has_read = false), ["the tables are not read yet"]);
        assert_eq!(named(|survey| survey.is_trusted = false), ["its lease is not renewed"]);
        assert_eq!(
            named(|survey| survey.is_clock_right = false),
            ["its clock is off that of the database"]
        );
        assert_eq!(named(|survey| survey.is_database_well = false), ["the database is in trouble"]);
        assert_eq!(named(|survey| survey.is_stopping = true), ["it is stopping"]);
    }
}
