//! What became of the executions of a day, hour by hour.

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    plan::words::instant,
    store::{OutcomeCount, Outcomes},
};

/// What became of the executions of the last hours.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutcomesView {
    /// From when on all are counted.
    pub since: String,
    /// The same.
    #[serde(skip)]
    pub since_at: DateTime<Utc>,
    /// Each hour, the earliest first, also those without any.
    pub hours: Vec<HourView>,
}

/// Executions whose instants lie in one hour.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HourView {
    /// When the hour began.
    pub at: String,
    /// The same.
    #[serde(skip)]
    pub began_at: DateTime<Utc>,
    /// Those that run.
    pub todo: u64,
    /// By what became of them.
    pub success: u64,
    /// See docs/tasks.md.
    pub fail: u64,
    /// See docs/tasks.md.
    pub timeout: u64,
    /// See docs/tasks.md.
    pub lost: u64,
    /// See docs/tasks.md.
    pub cancelled: u64,
    /// See docs/tasks.md.
    pub missed: u64,
    /// See docs/tasks.md.
    pub skipped: u64,
    /// In a status that is not ours.
    pub other: u64,
}

impl OutcomesView {
    /// `outcomes` until `now`.
    #[must_use]
    pub fn of(outcomes: &Outcomes, now: DateTime<Utc>) -> Self {
        let hour = TimeDelta::hours(1);
        let first = outcomes.since.duration_trunc(hour).unwrap_or(outcomes.since);
        let began = std::iter::successors(Some(first), |at| at.checked_add_signed(hour));
        let mut hours: Vec<HourView> = began
            .take_while(|at| *at <= now)
            .map(|at| HourView { at: instant(at), began_at: at, ..HourView::default() })
            .collect();
        for OutcomeCount { hour, status, count } in &outcomes.counts {
            // What is due by a clock ahead of ours is left out.
            if let Ok(place) = hours.binary_search_by_key(hour, |hour| hour.began_at) {
                *hours[place].count_mut(status) += count;
            }
        }
        Self { since: instant(outcomes.since), since_at: outcomes.since, hours }
    }

    /// All hours together.
    #[must_use]
    pub fn total(&self) -> HourView {
        let mut total = HourView::default();
        for hour in &self.hours {
            for (status, count) in hour.counts() {
                *total.count_mut(status) += count;
            }
        }
        total
    }
}

impl HourView {
    fn count_mut(&mut self, status: &str) -> &mut u64 {
        match status {
            "todo" => &mut self.todo,
            "success" => &mut self.success,
            "fail" => &mut self.fail,
            "timeout" => &mut self.timeout,
            "lost" => &mut self.lost,
            "cancelled" => &mut self.cancelled,
            "missed" => &mut self.missed,
            "skipped" => &mut self.skipped,
            _ => &mut self.other,
        }
    }

    /// Each status with its count.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, u64); 9] {
        [
            ("todo", self.todo),
            ("success", self.success),
            ("fail", self.fail),
            ("timeout", self.timeout),
            ("lost", self.lost),
            ("cancelled", self.cancelled),
            ("missed", self.missed),
            ("skipped", self.skipped),
            ("other", self.other),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn each_hour_since_then_is_there_with_what_became_of_its_executions() {
        let count = |hour, status: &str, count| OutcomeCount {
            hour: at(hour),
            status: status.to_owned(),
            count,
        };
        let outcomes = Outcomes {
            since: at("2026-11-28T09:20:00Z"),
            counts: vec![
                count("2026-11-28T09:00:00Z", "success", 3),
                count("2026-11-28T11:00:00Z", "fail", 1),
                count("2026-11-28T11:00:00Z", "odd", 2),
                count("2026-11-28T13:00:00Z", "success", 9),
            ],
        };
        let view = OutcomesView::of(&outcomes, at("2026-11-28T11:59:59Z"));
        let began: Vec<_> = view.hours.iter().map(|hour| &*hour.at).collect();
        assert_eq!(began, ["2026-11-28T09:00:00Z", "2026-11-28T10:00:00Z", "2026-11-28T11:00:00Z"]);
        assert_eq!((view.hours[0].success, view.hours[2].fail, view.hours[2].other), (3, 1, 2));
        assert_eq!(view.hours[1].counts().iter().map(|(_, count)| count).sum::<u64>(), 0);
        assert_eq!((view.total().success, view.total().fail), (3, 1), "what is ahead is left out");
    }
}
