//! A row of `task` as a store finds it, before anything is checked.

use chrono::{DateTime, Utc};

use crate::plan::words::quote;

/// `task.id`.
pub type TaskId = i64;

/// Longest `task_key`, `execute_func` and `spec`, in characters: the width of the original's columns.
pub const LONGEST_NAME: usize = 255;
/// Longest `args`, in characters. The original's column holds 255; a wider one is served up to here.
pub const LONGEST_ARGS: usize = 4_096;
/// Longest `extra`, in characters.
pub const LONGEST_EXTRA: usize = 16_384;

/// A text column as the database gave it.
pub type Field = Result<String, FieldFault>;

/// Why a column could not be read as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum FieldFault {
    /// SQL NULL, in an old or hand-made schema.
    #[error("NULL")]
    Null,
    /// Bytes that are not UTF-8.
    #[error("not valid UTF-8")]
    NotUtf8,
}

/// A row of `task` as a store reads it; nothing is checked yet. A store reads no more than one character
/// beyond the limits above, so that a huge value costs nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TaskRow {
    /// `id`.
    pub id: TaskId,
    /// `task_key`.
    pub task_key: Field,
    /// `desc`.
    pub description: Field,
    /// `execute_func`.
    pub execute_func: Field,
    /// `trigger`.
    pub trigger: Field,
    /// `spec`.
    pub spec: Field,
    /// `args`.
    pub args: Field,
    /// `is_valid`, as text: a hand-made column may hold anything.
    pub is_valid: Field,
    /// `status`.
    pub status: Field,
    /// `extra`.
    pub extra: Field,
    /// `create_at`; `None` when it is no instant.
    pub created_at: Option<DateTime<Utc>>,
    /// `update_at`; `None` when it is no instant.
    pub updated_at: Option<DateTime<Utc>>,
}

impl TaskRow {
    /// The key for messages: what is there, however wrong.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.task_key {
            Ok(key) => format!("task {} {}", self.id, quote(key)),
            Err(_) => format!("task {}", self.id),
        }
    }
}
