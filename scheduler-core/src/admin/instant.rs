//! An instant of a task as people and programs see it.

use std::{iter, sync::Arc, time::Duration};

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Judged;
use crate::{
    config::Config,
    plan::{
        task::{TaskFault, TaskRow},
        trigger::{Trigger, TriggerKind, Zone},
        words::instant,
    },
    registry::Registry,
    run::reader,
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

/// RFC 3339 ends with the year 9999.
fn is_shown(at: &DateTime<Utc>) -> bool {
    at.year() <= 9_999
}

/// The next `most` instants of a task, if it fires.
#[must_use]
pub fn coming(
    config: &Config,
    registry: &Arc<Registry>,
    judged: &Judged,
    most: usize,
) -> Vec<InstantView> {
    let Some(scheduled) = judged.scheduled() else { return Vec::new() };
    let civil = civil(config, registry, &judged.row);
    let instants = scheduled.instants().take_while(is_shown).take(most);
    instants.map(|at| InstantView::of(at, &scheduled.task.zone, civil.as_ref())).collect()
}

/// When a row fires.
#[derive(Debug)]
pub struct Coming {
    /// Its trigger.
    pub trigger: Trigger,
    /// In which it is read.
    pub zone: Zone,
    /// Its instants, soonest first.
    pub instants: Vec<InstantView>,
}

/// The first `most` instants of `row` from `from` on, whether it is on or not, and whatever its job.
///
/// # Errors
/// When its trigger cannot be read.
pub fn coming_of(
    config: &Config,
    registry: &Arc<Registry>,
    row: &TaskRow,
    from: DateTime<Utc>,
    most: usize,
) -> Result<Coming, TaskFault> {
    let timing = reader(config, registry).timing(row);
    let (trigger, zone) = timing.map_err(|error| error.fault)?;
    let civil = civil(config, registry, row);
    let first = trigger.next_after(from - TimeDelta::milliseconds(1));
    let instants = iter::successors(first, |at| trigger.next_after(*at));
    let instants = instants.take_while(is_shown).take(most);
    let instants = instants.map(|at| InstantView::of(at, &zone, civil.as_ref())).collect();
    Ok(Coming { trigger, zone, instants })
}

/// The pattern of `row` in UTC, where every local time exists.
#[must_use]
fn civil(config: &Config, registry: &Arc<Registry>, row: &TaskRow) -> Option<Trigger> {
    let extra = row.extra.as_deref().ok()?;
    let mut extra: Map<String, Value> = serde_json::from_str(extra).ok()?;
    extra.insert("timezone".to_owned(), Zone::utc().name().into());
    let row = TaskRow { extra: Ok(Value::Object(extra).to_string()), ..row.clone() };
    reader(config, registry).timing(&row).ok().map(|(trigger, _)| trigger)
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
