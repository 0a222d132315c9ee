//! `next`: when a trigger would fire, without a row or a database.

use crate::{
    cli::{Globals, Next},
    context::load_config,
    exit::{self, Exit},
    instant::instant,
    output::{Output, message, utc},
};
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use scheduler_core::{
    App,
    admin::{self, InstantView},
    clock,
    plan::{
        trigger::{Anchor, CronDialect, Parser, Trigger, TriggerError, TriggerKind, Zone},
        words::quote,
    },
};

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
    // In a zone without gaps every local time exists.
    let civil = parse(next, dialect, &Zone::utc(), from).ok();
    // `next_after` is strict; what is due at `from` itself shall be seen.
    let first = trigger.next_after(from - TimeDelta::milliseconds(1));
    let instants: Vec<InstantView> = std::iter::successors(first, |at| trigger.next_after(*at))
        .take(next.n.into())
        .map(|at| InstantView::of(at, &zone, civil.as_ref()))
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

fn line(instant: &InstantView) -> String {
    let InstantView { local, utc, moved_from } = instant;
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
