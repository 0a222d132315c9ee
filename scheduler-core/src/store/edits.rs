//! Edits of rows of `task` by people: what is changed, by whom, and against which version of the row.
//!
//! Every edit that goes through a store leaves a row in the history, written in the same transaction.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::Pause;
use crate::plan::task::{Field, TaskId, TaskRow};

/// The identity of an edit in the history.
pub type EditId = i64;

/// Who edits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The name of a person or a program; at most 191 characters of it are kept.
    pub name: String,
    /// The way it came.
    pub via: Via,
}

impl Author {
    /// The program itself, as one that has a scheduler inside and adds rows.
    #[must_use]
    pub fn program() -> Self {
        Self { name: String::new(), via: Via::Program }
    }

    /// Somebody who wrote SQL.
    pub(super) fn external() -> Self {
        Self { name: String::new(), via: Via::External }
    }

    /// As much of the name as the history keeps.
    pub(super) fn kept_name(&self) -> String {
        self.name.chars().take(191).collect()
    }
}

/// The way an edit came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// The command line.
    Cli,
    /// HTTP, by a program with a token.
    Api,
    /// The admin page.
    Page,
    /// A program that has a scheduler inside.
    Program,
    /// SQL, by whomever: the scheduler noticed it afterwards.
    External,
}

impl Via {
    /// Its name in the history.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Via::Cli => "cli",
            Via::Api => "api",
            Via::Page => "page",
            Via::Program => "program",
            Via::External => "external",
        }
    }
}

/// What an edit did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditAction {
    /// A row was inserted.
    Create,
    /// Columns were changed.
    Change,
    /// A task was switched off for a while, or its pause was changed.
    Pause,
    /// A pause ended: the task was switched on since it was over, or somebody switched off for good what was paused.
    Resume,
    /// A row was deleted.
    Delete,
    /// A run was asked for.
    Run,
    /// A row was found that had no history.
    Found,
}

impl EditAction {
    /// Its name in the history.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            EditAction::Create => "create",
            EditAction::Change => "change",
            EditAction::Pause => "pause",
            EditAction::Resume => "resume",
            EditAction::Delete => "delete",
            EditAction::Run => "run",
            EditAction::Found => "found",
        }
    }
}

/// The columns that an edit gives new values; the others stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskChange {
    /// `task_key`.
    pub task_key: Option<String>,
    /// `desc`.
    pub description: Option<String>,
    /// `execute_func`.
    pub execute_func: Option<String>,
    /// `trigger`.
    pub trigger: Option<String>,
    /// `spec`.
    pub spec: Option<String>,
    /// `args`.
    pub args: Option<String>,
    /// `is_valid`.
    pub is_enabled: Option<bool>,
    /// `extra`.
    pub extra: Option<String>,
}

impl TaskChange {
    /// Switches a task on or off.
    #[must_use]
    pub fn enabled(is_enabled: bool) -> Self {
        Self { is_enabled: Some(is_enabled), ..Self::default() }
    }

    /// Gives a task another spec.
    #[must_use]
    pub fn spec(spec: &str) -> Self {
        Self { spec: Some(spec.to_owned()), ..Self::default() }
    }

    /// `row` after it; `update_at` is the database's to move.
    #[must_use]
    pub fn apply(&self, row: &TaskRow) -> TaskRow {
        let or = |new: &Option<String>, old: &Field| new.clone().map_or_else(|| old.clone(), Ok);
        let is_valid = self.is_enabled.map(|is_enabled| u8::from(is_enabled).to_string());
        TaskRow {
            task_key: or(&self.task_key, &row.task_key),
            description: or(&self.description, &row.description),
            execute_func: or(&self.execute_func, &row.execute_func),
            trigger: or(&self.trigger, &row.trigger),
            spec: or(&self.spec, &row.spec),
            args: or(&self.args, &row.args),
            is_valid: or(&is_valid, &row.is_valid),
            extra: or(&self.extra, &row.extra),
            ..row.clone()
        }
    }
}

/// What a row says, without what the scheduler itself writes there: two rows of one version say the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version(String);

impl Version {
    /// That of `row`.
    #[must_use]
    pub fn of(row: &TaskRow) -> Self {
        let mut hash = Sha256::new();
        for (_, field) in columns(row) {
            match field {
                Ok(text) => {
                    hash.update([0]);
                    hash.update(text.len().to_be_bytes());
                    hash.update(text);
                }
                Err(fault) => {
                    hash.update([1]);
                    hash.update(fault.to_string());
                }
            }
        }
        Self(hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// One that was shown before.
    #[must_use]
    pub fn named(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As it is shown: 32 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The columns that people write, with their names.
fn columns(row: &TaskRow) -> [(&'static str, &Field); 8] {
    [
        ("task_key", &row.task_key),
        ("desc", &row.description),
        ("execute_func", &row.execute_func),
        ("trigger", &row.trigger),
        ("spec", &row.spec),
        ("args", &row.args),
        ("is_valid", &row.is_valid),
        ("extra", &row.extra),
    ]
}

/// `row` as the history keeps it: a JSON object of the columns that people write, `null` for what cannot be read.
pub(super) fn snapshot(row: &TaskRow) -> String {
    let column = |(name, field): (&'static str, &Field)| {
        (name.to_owned(), field.as_deref().map_or(Value::Null, Value::from))
    };
    Value::Object(columns(row).into_iter().map(column).collect::<Map<_, _>>()).to_string()
}

/// Both of what a row said before an edit and afterwards.
pub(super) fn snapshots(rows: [TaskRow; 2]) -> [Option<String>; 2] {
    rows.map(|row| Some(snapshot(&row)))
}

/// The newest edit of a row that its history knows, runs left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Newest {
    pub(super) task_id: TaskId,
    /// What the row said afterwards; `None`: it was deleted.
    pub(super) after: Option<String>,
}

/// An edit that nobody told of.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct NoticedEdit {
    pub(super) task_id: TaskId,
    pub(super) action: &'static str,
    #[serde(rename = "row_before")]
    pub(super) before: Option<String>,
    #[serde(rename = "row_after")]
    pub(super) after: Option<String>,
}

/// What was edited by others, going by the row as it stands, `None` if it is gone, and by its `newest` edit.
pub(super) fn noticed(
    task_id: TaskId,
    row: Option<&TaskRow>,
    newest: Option<&Newest>,
) -> Option<NoticedEdit> {
    let known = newest.and_then(|newest| newest.after.as_deref());
    let stands = row.map(snapshot);
    let action = match (known, &stands) {
        (None, None) => return None,
        (None, Some(_)) => EditAction::Found,
        (Some(_), None) => EditAction::Delete,
        (Some(known), Some(stands)) if says_the_same(known, stands) => return None,
        (Some(_), Some(_)) => EditAction::Change,
    };
    let before = known.map(str::to_owned);
    Some(NoticedEdit { task_id, action: action.as_str(), before, after: stands })
}

/// The order of the columns does not count.
fn says_the_same(one: &str, other: &str) -> bool {
    let read = |text| serde_json::from_str::<Value>(text).ok();
    one == other || read(one).is_some_and(|one| Some(one) == read(other))
}

/// A row of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditRow {
    /// `id`, in the order of the edits.
    pub id: EditId,
    /// The row that was edited.
    pub task_id: TaskId,
    /// When, by the database's clock.
    pub edited_at: Option<DateTime<Utc>>,
    /// Who; empty: the program itself, or not known.
    pub author: String,
    /// [`Via`] by its name.
    pub via: String,
    /// [`EditAction`] by its name.
    pub action: String,
    /// What the row said before, as a JSON object; `None`: it was not there.
    pub before: Option<String>,
    /// What it said afterwards.
    pub after: Option<String>,
    /// How it was paused.
    pub pause: Option<Pause>,
}

/// Which edits, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EditFilter {
    /// Only of this task.
    pub task_id: Option<TaskId>,
    /// Only with an id below this: the last id of the page before.
    pub before: Option<EditId>,
    /// At most so many, 1 or more.
    pub limit: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan::task::FieldFault, store::NewTask};

    fn row() -> TaskRow {
        NewTask::new("a", "f", "cron", "* * * * *").as_row(1, DateTime::UNIX_EPOCH)
    }

    #[test]
    fn a_version_tells_what_people_write_apart_and_nothing_else() {
        let version = Version::of(&row());
        assert_eq!(version.as_str().len(), 32);
        let touched = TaskRow { id: 2, status: Ok("doing".to_owned()), ..row() };
        let touched = TaskRow { updated_at: None, ..touched };
        assert_eq!(Version::of(&touched), version);
        let moved = TaskRow { args: Ok("{}".to_owned()), extra: Ok(String::new()), ..row() };
        let spaced = TaskRow { spec: Ok("* * * * * ".to_owned()), ..row() };
        let null = TaskRow { description: Err(FieldFault::Null), ..row() };
        let said = TaskRow { description: Ok("NULL".to_owned()), ..row() };
        let versions = [row(), moved, spaced, null, said].map(|row| Version::of(&row));
        for (place, version) in versions.iter().enumerate() {
            assert_eq!(versions.iter().position(|other| other == version), Some(place));
        }
    }

    #[test]
    fn a_change_touches_what_it_names() {
        let change = TaskChange { is_enabled: Some(false), ..TaskChange::spec("5") };
        let expected = TaskRow { spec: Ok("5".to_owned()), is_valid: Ok("0".to_owned()), ..row() };
        assert_eq!(change.apply(&row()), expected);
        assert_eq!(TaskChange::default().apply(&row()), row());
    }

    #[test]
    fn what_the_history_does_not_know_was_edited_by_others() {
        let newest = |after: Option<&str>| Newest { task_id: 1, after: after.map(str::to_owned) };
        let (row, said) = (row(), snapshot(&row()));
        let older = said.replace("\"f\"", "\"g\"");
        let edit = |action, before: Option<&str>, after: Option<&str>| {
            let [before, after] = [before, after].map(|text| text.map(str::to_owned));
            Some(NoticedEdit { task_id: 1, action, before, after })
        };
        let here = |known: Option<Option<&str>>| noticed(1, Some(&row), known.map(newest).as_ref());
        let gone = |known: Option<Option<&str>>| noticed(1, None, known.map(newest).as_ref());
        assert_eq!(here(None), edit("found", None, Some(&said)));
        assert_eq!(here(Some(None)), edit("found", None, Some(&said)), "the id is used again");
        assert_eq!(here(Some(Some(&older))), edit("change", Some(&older), Some(&said)));
        assert_eq!(here(Some(Some(&said))), None);
        assert_eq!(here(Some(Some(&said.replace(',', ", ")))), None);
        assert_eq!(gone(Some(Some(&said))), edit("delete", Some(&said), None));
        assert_eq!(gone(Some(None)), None);
        assert_eq!(gone(None), None);
    }

    #[test]
    fn what_cannot_be_read_is_null_in_the_history() {
        let row = TaskRow { args: Err(FieldFault::NotUtf8), ..row() };
        let expected = r#"{"args":null,"desc":"","execute_func":"f","extra":"{}","is_valid":"1","spec":"* * * * *","task_key":"a","trigger":"cron"}"#;
        assert_eq!(snapshot(&row), expected);
    }
}
