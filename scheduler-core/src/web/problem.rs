//! What is answered instead of what was asked for: problem details of RFC 9457, which name the field where one is wrong.

use axum::{
    Json,
    extract::rejection::{JsonRejection, PathRejection, QueryRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::frame::Frame;
use crate::{admin::EditError, config::Role, plan::task::TaskFault, store::StoreError};

/// Why a request was not answered.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// The status.
    #[serde(serialize_with = "number")]
    #[schema(value_type = u16)]
    status: StatusCode,
    /// What the status is called.
    title: &'static str,
    /// What is wrong, and what was expected.
    detail: String,
    /// The column of the row, or the parameter, that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

fn number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or_default();
        Self { status, title, detail: detail.into(), field: None }
    }

    pub(super) fn about(self, field: &str) -> Self {
        Self { field: Some(field.to_owned()), ..self }
    }

    /// For a reader of a page.
    pub(super) fn in_words_of(self, frame: &Frame) -> Self {
        Self { detail: frame.said(&self.detail).into_owned(), ..self }
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// The detail of the problem that this JSON is.
    pub(super) fn detail_of(json: &[u8]) -> Option<String> {
        let problem: serde_json::Value = serde_json::from_slice(json).ok()?;
        problem["detail"].as_str().map(str::to_owned)
    }

    pub(super) fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// 400.
    pub(super) fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 422.
    pub(super) fn rejected(fault: &TaskFault) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, fault.to_string()).about(fault.column())
    }

    /// 428.
    pub(super) fn version_required() -> Self {
        const EXPECTED: &str =
            "If-Match is missing, expected the `version` that was read, in double quotes, or *";
        Self::new(StatusCode::PRECONDITION_REQUIRED, EXPECTED)
    }

    /// 401.
    pub(super) fn nobody() -> Self {
        const EXPECTED: &str = "nobody known asks, expected the header `Authorization: Bearer TOKEN` with a token of [http.tokens]";
        Self::new(StatusCode::UNAUTHORIZED, EXPECTED)
    }

    /// 403.
    pub(super) fn of_no_page() -> Self {
        const EXPECTED: &str = "a cookie comes without Origin or Sec-Fetch-Site, which browsers send: programs show a token";
        Self::new(StatusCode::FORBIDDEN, EXPECTED)
    }

    /// 403.
    pub(super) fn takes(role: Role) -> Self {
        let detail = format!("this takes the role {} or a higher one", role.as_str());
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// 404.
    pub(super) fn no_such(what: &str, id: i64) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} {id} does not exist"))
    }
}

impl Problem {
    /// What the library could not read: it says what it was about to do, then the place, and then what is wrong there.
    fn not_read(status: StatusCode, said: &str) -> Self {
        let about_to = [
            "Failed to deserialize the JSON body into the target type: ",
            "Failed to deserialize query string: ",
        ];
        let Some(detail) = about_to.into_iter().find_map(|doing| said.strip_prefix(doing)) else {
            return Self::new(status, said);
        };
        let problem = Self::new(status, detail);
        let is_name = |name: &&str| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        // A field that is none, or is not there, has no place of its own.
        let quoted = ["unknown field `", "missing field `", "duplicate field `"];
        let quoted = quoted.into_iter().find_map(|what| {
            detail.split_once(what).and_then(|(_, behind)| Some(behind.split_once('`')?.0))
        });
        let place = || detail.split([':', '.', '[']).next().filter(is_name);
        match quoted.or_else(place) {
            Some(field) => problem.about(field),
            None => problem,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
        let status = self.status;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, PROBLEM);
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<StoreError> for Problem {
    /// The words of the driver stay in the log: they may name hosts and users.
    fn from(error: StoreError) -> Self {
        if let Some(column) = error.column_too_short() {
            let detail = format!("{column} is longer than its column of this database takes");
            return Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail).about(&column);
        }
        let (status, field) = match &error {
            StoreError::NotFound { .. } => (StatusCode::NOT_FOUND, None),
            StoreError::KeyTaken { .. } => (StatusCode::CONFLICT, Some("task_key")),
            StoreError::Edited { .. } => (StatusCode::PRECONDITION_FAILED, None),
            StoreError::Ended { .. } => (StatusCode::CONFLICT, None),
            _ => {
                tracing::warn!("a request is not answered: {}", error.chain());
                let what = if error.is_unknown() {
                    "the database's answer was lost: it may be done, or not"
                } else {
                    "the database does not answer, or refuses; nothing is done"
                };
                return Self::new(StatusCode::SERVICE_UNAVAILABLE, what);
            }
        };
        let problem = Self::new(status, error.to_string());
        field.into_iter().fold(problem, Self::about)
    }
}

impl From<EditError> for Problem {
    fn from(error: EditError) -> Self {
        let text = error.to_string();
        match error {
            EditError::Store(error) => error.into(),
            EditError::Rejected { fault, .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, text).about(fault.column())
            }
            EditError::Pause { field, .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, text).about(field)
            }
            EditError::Disabled { .. } => Self::new(StatusCode::CONFLICT, text).about("is_valid"),
            EditError::IsRejected { fault, .. } => {
                Self::new(StatusCode::CONFLICT, text).about(fault.column())
            }
        }
    }
}

impl From<JsonRejection> for Problem {
    /// The status is that of the library: 400, 413, 415 or 422.
    fn from(rejection: JsonRejection) -> Self {
        Self::not_read(rejection.status(), &rejection.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::not_read(StatusCode::BAD_REQUEST, &rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        match rejection {
            PathRejection::FailedToDeserializePathParams(_) => {
                Self::bad("what stands in the path for an id is none, expected a number")
            }
            rejection => Self::bad(rejection.body_text()),
        }
    }
}
