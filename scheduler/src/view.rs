//! Values as people see them in a table.

use chrono::{DateTime, Utc};
use scheduler_core::{
    admin::Judged,
    plan::{task::Field, trigger::Zone},
};

/// What a table shows where there is nothing.
pub(crate) const NOTHING: &str = "-";

/// When a task fires next, in its zone.
pub(crate) fn next_local(judged: &Judged) -> String {
    let Some(scheduled) = judged.scheduled() else { return NOTHING.to_owned() };
    scheduled.next().map_or_else(|| "never".to_owned(), |at| scheduled.task.zone.to_local(at))
}

/// An instant in `zone`.
pub(crate) fn local(zone: &Zone, at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(|| NOTHING.to_owned(), |at| zone.to_local(at))
}

/// A column, however wrong.
pub(crate) fn shown(field: &Field) -> String {
    field.clone().unwrap_or_else(|fault| format!("({fault})"))
}
