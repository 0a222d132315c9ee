//! What is asked, read so that what is wrong is a problem that says so.

use axum::{
    Json,
    body::HttpBody as _,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::HeaderMap,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{MOST, Problem};
use crate::{
    plan::words::quote,
    store::{NewTask, TaskChange, Version},
};

/// The JSON of a request.
#[derive(FromRequest)]
#[from_request(via(Json), rejection(Problem))]
pub(super) struct Body<T>(pub(super) T);

/// The JSON of a request that may come without.
pub(super) struct MaybeBody<T>(pub(super) Option<T>);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for MaybeBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        // The whole of it is here already; a client may name a type and send nothing.
        if request.body().is_end_stream() {
            return Ok(Self(None));
        }
        Body::<Option<T>>::from_request(request, state).await.map(|Body(given)| Self(given))
    }
}

/// The parameters behind `?`.
#[derive(FromRequestParts)]
#[from_request(via(Query), rejection(Problem))]
pub(super) struct Asked<T>(pub(super) T);

/// The id in the path.
#[derive(FromRequestParts)]
#[from_request(via(Path), rejection(Problem))]
pub(super) struct Id<T>(pub(super) T);

/// How many a list has at most.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u32")]
pub(super) struct Limit(u32);

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl TryFrom<u32> for Limit {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        let is_right = (1..=MOST).contains(&number);
        is_right.then_some(Self(number)).ok_or_else(|| format!("expected 1 to {MOST}"))
    }
}

impl Limit {
    pub(super) fn get(self) -> u32 {
        self.0
    }

    pub(super) fn as_usize(self) -> usize {
        self.0 as usize
    }
}

/// An instant in RFC 3339.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct At(pub(super) DateTime<Utc>);

impl TryFrom<String> for At {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let at = DateTime::parse_from_rfc3339(&text).map_err(|_| {
            format!(
                "{} is no instant, expected RFC 3339 such as 2026-12-24T18:00:00Z",
                quote(&text)
            )
        })?;
        Ok(Self(at.to_utc()))
    }
}

/// The version of `If-Match`, or `*` for any, which is `None`.
pub(super) fn version(headers: &HeaderMap) -> Result<Option<Version>, Problem> {
    let given = headers.get("if-match").map(|value| value.to_str().unwrap_or_default().trim());
    let unquoted = |text: &str| Some(text.strip_prefix('"')?.strip_suffix('"')?.to_owned());
    match given {
        None => Err(Problem::version_required()),
        Some("*") => Ok(None),
        Some(text) => match unquoted(text) {
            Some(version) => Ok(Some(Version::named(&version))),
            None => Err(Problem::bad(
                "If-Match is not understood, expected one `version` in double quotes, or *",
            )),
        },
    }
}

/// `is_valid` of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u8")]
pub(super) struct IsValid(bool);

impl TryFrom<u8> for IsValid {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, &'static str> {
        match number {
            0 => Ok(Self(false)),
            1 => Ok(Self(true)),
            _ => Err("it is another number, expected 0 or 1"),
        }
    }
}

/// A row to be inserted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRow {
    /// A name of its own.
    #[schema(min_length = 1, max_length = 255)]
    task_key: String,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 255)]
    desc: String,
    /// The job that it runs.
    execute_func: String,
    /// `cron`, `date` or `interval`.
    trigger: String,
    /// When, as the trigger reads it.
    spec: String,
    /// Arguments of the job.
    #[serde(default)]
    args: String,
    /// Whether it is on.
    #[serde(default = "on")]
    #[schema(value_type = u8, minimum = 0, maximum = 1)]
    is_valid: IsValid,
    /// Settings of this task, see docs/tasks.md.
    #[serde(default)]
    extra: Map<String, Value>,
}

fn on() -> IsValid {
    IsValid(true)
}

impl NewRow {
    pub(super) fn task_key(&self) -> &str {
        &self.task_key
    }
}

impl From<NewRow> for NewTask {
    fn from(row: NewRow) -> Self {
        Self {
            id: None,
            task_key: row.task_key,
            description: row.desc,
            execute_func: row.execute_func,
            trigger: row.trigger,
            spec: row.spec,
            args: row.args,
            is_enabled: row.is_valid.0,
            extra: Value::Object(row.extra).to_string(),
        }
    }
}

/// The columns that change; the others stay as they are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangedRow {
    #[schema(min_length = 1, max_length = 255)]
    task_key: Option<String>,
    #[schema(max_length = 255)]
    desc: Option<String>,
    execute_func: Option<String>,
    trigger: Option<String>,
    spec: Option<String>,
    args: Option<String>,
    #[schema(value_type = Option<u8>, minimum = 0, maximum = 1)]
    is_valid: Option<IsValid>,
    extra: Option<Map<String, Value>>,
}

impl ChangedRow {
    pub(super) fn task_key(&self) -> Option<&str> {
        self.task_key.as_deref()
    }
}

impl From<ChangedRow> for TaskChange {
    fn from(row: ChangedRow) -> Self {
        Self {
            task_key: row.task_key,
            description: row.desc,
            execute_func: row.execute_func,
            trigger: row.trigger,
            spec: row.spec,
            args: row.args,
            is_enabled: row.is_valid.map(|IsValid(is_valid)| is_valid),
            extra: row.extra.map(|extra| Value::Object(extra).to_string()),
        }
    }
}
