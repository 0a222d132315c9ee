//! An instant of a task as people and programs see it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::plan::{
    trigger::{Trigger, TriggerKind, Zone},
    words::instant,
};

/// One instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct InstantView {
    /// In the task's zone, RFC 3339.
    pub local: String,
    /// In UTC, RFC 3339.
    pub utc: String,
    /// The local time of the pattern, when a gap has moved it.
    pub moved_from: Option<String>,
}

impl InstantView {
    /// `at` in `zone`. `civil`: the same pattern in UTC, where every local time exists.
    #[must_use]
    pub fn of(at: DateTime<Utc>, zone: &Zone, civil: Option<&Trigger>) -> Self {
        let civil = civil.filter(|civil| civil.kind() == TriggerKind::Cron);
        Self {
            local: zone.to_local(at),
            utc: instant(at),
            moved_from: civil.and_then(|civil| moved_from(civil, zone, at)),
        }
    }
}

/// The local time that `at` stands for, when that time lies in the gap that ends at `at`.
fn moved_from(civil: &Trigger, zone: &Zone, at: DateTime<Utc>) -> Option<String> {
    let second = Duration::from_secs(1);
    let before_gap = naive(zone, at - second)? + second;
    let after_gap = naive(zone, at)?;
    // In the zone without gaps, local time and instant are the same.
    let time = civil.next_after(before_gap - second).filter(|time| *time < after_gap)?;
    let is_moved = civil.next_after(after_gap - second) != Some(after_gap);
    let has_seconds = time.timestamp() % 60 != 0;
    is_moved.then(|| time.format(if has_seconds { "%H:%M:%S" } else { "%H:%M" }).to_string())
}

/// The local time at `at`, as if it were UTC.
fn naive(zone: &Zone, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let local = DateTime::parse_from_rfc3339(&zone.to_local(at)).ok()?;
    Some(local.naive_local().and_utc())
}
