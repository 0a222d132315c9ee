//! `next`: when a trigger would fire, without a row or a database.

use std::time::Duration;

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use scheduler_core::{
    App, admin, clock,
    plan::{
        trigger::{Anchor, CronDialect, Parser, Trigger, TriggerError, TriggerKind, Zone},
        words::quote,
    },
};
use serde::Serialize;

use crate::{
    cli::{Globals, Next},
    context::load_config,
    exit::{self, Exit},
    instant::instant,
    output::{Output, message, utc},
};

/// One instant.
#[derive(Debug, Serialize)]
struct Instant {
    local: String,
    utc: String,
    /// The local time of the pattern, when a gap has moved it.
    moved_from: Option<String>,
}

/// Prints the first instants at or after `--from`.
///
/// # Errors
/// When trigger, spec, zone or instant are not understood.
pub(crate) fn next(globals: &Globals, next: &Next, app: &App) -> anyhow::Result<Exit> {
    let (dialect, configured) = settings(globals, app);
    let zone = next.tz.as_deref().map_or(Ok(configured), Zone::named).map_err(exit::usage)?;
    // Rows are written on whole seconds, so an interval that counts from now looks like a row's.
    let now = clock::wall().trunc_subsecs(0);
    let from = next.from.as_deref().map_or(Ok(now), |text| instant("--from", text, &zone))?;
    let trigger = parse(next, dialect, &zone, from).map_err(exit::usage)?;
    let civil = civil_trigger(next, dialect, from);
    // `next_after` is strict; what is due at `from` itself shall be seen.
    let first = trigger.next_after(from - TimeDelta::milliseconds(1));
    let instants: Vec<Instant> = std::iter::successors(first, |at| trigger.next_after(*at))
        .take(next.n.into())
        .map(|at| Instant {
            local: zone.to_local(at),
            utc: utc(at),
            moved_from: civil.as_ref().and_then(|civil| moved_from(civil, &zone, at)),
        })
        .collect();
    Output::new(globals.json).lines(&instants, |instant| Some(line(instant)))?;
    if instants.is_empty() {
        message(&format!(
            "never: {} {} has no instant at or after {}",
            next.trigger,
            quote(&next.spec),
            utc(from)
        ));
        return Ok(Exit::Finding);
    }
    Ok(Exit::Done)
}

fn line(instant: &Instant) -> String {
    let Instant { local, utc, moved_from } = instant;
    match moved_from {
        Some(time) => format!("{local}  {utc}  (moved: {time} does not exist on that day)"),
        None => format!("{local}  {utc}"),
    }
}

/// Dialect and zone of the configuration. One that is not there or refused must not keep anybody from
/// trying out a pattern.
fn settings(globals: &Globals, app: &App) -> (CronDialect, Zone) {
    match load_config(&globals.conf, app) {
        Ok(config) => (config.common.cron_dialect, admin::zone(&config)),
        Err(_) => {
            message(
                "warning: no configuration that can be read, so zone UTC and the standard dialect are taken",
            );
            (CronDialect::default(), Zone::utc())
        }
    }
}

fn parse(
    next: &Next,
    dialect: CronDialect,
    zone: &Zone,
    from: DateTime<Utc>,
) -> Result<Trigger, TriggerError> {
    let kind: TriggerKind = next.trigger.parse()?;
    let anchor = Anchor { created_at: from, updated_at: from };
    Parser::new(dialect).parse(kind, &next.spec, zone, anchor)
}

/// The same cron pattern in a zone without gaps, where every local time exists.
fn civil_trigger(next: &Next, dialect: CronDialect, from: DateTime<Utc>) -> Option<Trigger> {
    parse(next, dialect, &Zone::utc(), from)
        .ok()
        .filter(|trigger| trigger.kind() == TriggerKind::Cron)
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
