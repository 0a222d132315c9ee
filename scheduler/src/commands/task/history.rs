//! `task history`: who edited what.

use scheduler_core::{
    admin::{self, Changed, EditPause, EditView},
    plan::trigger::Zone,
    store::EditFilter,
};
use serde_json::Value;

use super::Desk;
use crate::{exit::Exit, view::NOTHING};

pub(super) async fn history(desk: &Desk<'_>, filter: EditFilter) -> anyhow::Result<Exit> {
    let rows = desk.store.edits(filter).await?;
    let edits: Vec<EditView> = rows.iter().map(EditView::from).collect();
    let zone = admin::zone(desk.context.config());
    let header = ["id", "task", "edited_at", "author", "via", "action", "changed"];
    let none = "no edit is kept: those before this version are not";
    desk.context.output.list(&edits, header, |edit| cells(&zone, edit), none)?;
    Ok(Exit::Done)
}

fn cells(zone: &Zone, edit: &EditView) -> [String; 7] {
    let or_nothing = |text: &str| if text.is_empty() { NOTHING } else { text }.to_owned();
    [
        edit.id.to_string(),
        edit.task_id.to_string(),
        edit.at.map_or_else(|| NOTHING.to_owned(), |at| zone.to_local(at)),
        or_nothing(&edit.author),
        edit.via.clone(),
        edit.action.clone(),
        changed(edit),
    ]
}

/// `until 2026-12-24T18:00:00Z: the bank is closed`.
fn paused(pause: &EditPause) -> String {
    let until = pause.until.as_deref().unwrap_or("somebody enables it");
    let why = if pause.reason.is_empty() { String::new() } else { format!(": {}", pause.reason) };
    format!("until {until}{why}")
}

/// `spec "5" to "10", is_valid "1" to "0"`; of a new or deleted row which it was.
fn changed(edit: &EditView) -> String {
    const LONGEST: usize = 100;
    let text = match (&edit.before, &edit.after) {
        _ if let Some(pause) = &edit.pause => paused(pause),
        (Some(row), None) | (None, Some(row)) => {
            let said = ["task_key", "trigger", "spec"].map(|column| {
                let value = row.get(column).unwrap_or(&Value::Null);
                format!("{column} {value}")
            });
            said.join(", ")
        }
        _ => {
            let one = |Changed { column, from, to }: &Changed| format!("{column} {from} to {to}");
            edit.changed.iter().map(one).collect::<Vec<_>>().join(", ")
        }
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
