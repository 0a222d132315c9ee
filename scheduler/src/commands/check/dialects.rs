//! `check --against`: which cron rows would fire at other instants in another dialect, however far ahead, and how they are
//! written here to fire as they would there.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use scheduler_core::{
    admin::Judged,
    config::Config,
    plan::{
        task::{Reader, TaskRow},
        trigger::{self, CronDialect, CronTrigger, Trigger, TriggerKind, Zone},
    },
    run::reader,
};
use serde::Serialize;

use crate::{
    context::Context,
    output::{table, utc},
    view::{NOTHING, local, shown},
};

/// What the comparison found.
#[derive(Debug, Serialize)]
pub(super) struct Compared {
    /// The dialect in force.
    dialect: String,
    against: String,
    /// How many rows are cron patterns, those that are switched off included.
    cron_rows: usize,
    pub(super) differing: Vec<Difference>,
    /// Those that neither dialect reads; why, `tasks` says.
    unread: Vec<i64>,
}

/// A row that fires otherwise there.
#[derive(Debug, Serialize)]
pub(super) struct Difference {
    id: i64,
    task_key: Option<String>,
    spec: String,
    timezone: String,
    /// The first instant that is not the same: here and there.
    here: Option<String>,
    there: Option<String>,
    /// Why one of the two does not read the row.
    reason: Option<String>,
    /// The spec that fires here as the row does there.
    same_as_there: Option<String>,
    #[serde(skip)]
    local: [String; 2],
}

/// Compares the instants of each cron row with those that it would have in the dialect `against`.
pub(super) fn compare(
    context: &Context,
    judged: &[Judged],
    against: CronDialect,
    now: DateTime<Utc>,
) -> Compared {
    let config = context.config();
    let dialect = config.common.cron_dialect;
    let mut other = Config::clone(config);
    other.common.cron_dialect = against;
    let mut here = reader(config, context.registry());
    let mut there = reader(&other, context.registry());
    let is_cron = |row: &&TaskRow| {
        row.trigger.as_deref().is_ok_and(|text| text.parse() == Ok(TriggerKind::Cron))
    };
    let rows: Vec<&TaskRow> = judged.iter().map(|judged| &judged.row).filter(is_cron).collect();
    let (mut differing, mut unread) = (Vec::new(), Vec::new());
    for row in &rows {
        let (zone, parting, reason) = match (cron(&mut here, row), cron(&mut there, row)) {
            (Ok((here, zone)), Ok((there, _))) => match trigger::parting(&here, &there, now) {
                Some(parting) => (zone, parting, None),
                None => continue,
            },
            (Ok((here, zone)), Err(error)) => {
                (zone, (here.next_after(now), None), Some(format!("there: {error}")))
            }
            (Err(error), Ok((there, zone))) => {
                (zone, (None, there.next_after(now)), Some(format!("here: {error}")))
            }
            (Err(_), Err(_)) => {
                unread.push(row.id);
                continue;
            }
        };
        let spec = shown(&row.spec);
        differing.push(Difference {
            id: row.id,
            task_key: row.task_key.clone().ok(),
            timezone: zone.name().to_owned(),
            here: parting.0.map(utc),
            there: parting.1.map(utc),
            reason,
            same_as_there: trigger::respelled(&spec, against, dialect),
            local: [local(&zone, parting.0), local(&zone, parting.1)],
            spec,
        });
    }
    Compared {
        dialect: dialect.to_string(),
        against: against.to_string(),
        cron_rows: rows.len(),
        differing,
        unread,
    }
}

/// When it fires, and in which zone; `Err`: why it is not read.
fn cron(reader: &mut Reader, row: &TaskRow) -> Result<(Arc<CronTrigger>, Zone), String> {
    match reader.timing(row) {
        Ok((Trigger::Cron(trigger), zone)) => Ok((trigger, zone)),
        Ok(_) => Err("bug: no cron row".to_owned()),
        Err(error) => Err(error.fault.to_string()),
    }
}

impl Compared {
    /// As people see it, below what is said of all rows.
    pub(super) fn text(&self) -> String {
        let Self { dialect, against, cron_rows, differing, unread } = self;
        let unread = match unread.len() {
            0 => String::new(),
            count => format!("; {count} cannot be compared, since neither reads them"),
        };
        if differing.is_empty() {
            return format!(
                "\n\nnone of {cron_rows} cron rows would fire otherwise under {against}{unread}"
            );
        }
        let count = differing.len();
        let rows = differing.iter().map(|found| {
            let [here, there] = &found.local;
            [
                found.id.to_string(),
                found.task_key.clone().unwrap_or_default(),
                found.spec.clone(),
                here.clone(),
                there.clone(),
                found.same_as_there.clone().unwrap_or_else(|| NOTHING.to_owned()),
                found.reason.clone().unwrap_or_default(),
            ]
        });
        let (here, there) = (format!("first under {dialect}"), format!("first under {against}"));
        let same = format!("as under {against}");
        let header =
            ["id", "task_key", "spec", here.as_str(), there.as_str(), same.as_str(), "reason"];
        format!(
            "\n\n{count} of {cron_rows} cron rows would fire otherwise under {against}{unread}:\n{}",
            table(header, rows)
        )
    }
}
