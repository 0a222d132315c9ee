//! Instants that people type.

use chrono::{DateTime, NaiveDateTime, Utc};
use scheduler_core::{
    clock,
    plan::{
        trigger::{Anchor, CronDialect, Parser, Trigger, TriggerKind, Zone},
        words::quote,
    },
};

use crate::exit;

/// RFC 3339, or `YYYY-MM-DD HH:MM:SS` in `zone`, as a `date` task reads it; `name` is the argument's.
///
/// # Errors
/// A mistake of usage that names the argument, the text, and what was expected.
pub(crate) fn instant(name: &str, text: &str, zone: &Zone) -> anyhow::Result<DateTime<Utc>> {
    let now = clock::wall();
    let anchor = Anchor { created_at: now, updated_at: now };
    match Parser::new(CronDialect::default()).parse(TriggerKind::Date, text, zone, anchor) {
        Ok(Trigger::Date(date)) => Ok(date.at()),
        _ => Err(exit::usage(format!(
            "{name} {} is no instant, expected RFC 3339 or YYYY-MM-DD HH:MM:SS",
            quote(text)
        ))),
    }
}

/// Whether `text` is a local time that `zone` does not have, so that `at` was taken for it.
pub(crate) fn is_moved(text: &str, at: DateTime<Utc>, zone: &Zone) -> bool {
    let typed = NaiveDateTime::parse_from_str(text.trim(), "%Y-%m-%d %H:%M:%S");
    let taken = DateTime::parse_from_rfc3339(&zone.to_local(at));
    typed.is_ok_and(|typed| taken.is_ok_and(|taken| taken.naive_local() != typed))
}
