//! Why a call has no answer.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use reqwest::{Method, StatusCode, Url};

/// Why a call over HTTP has no answer. Each text begins with the [`Call`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// There is no client, on a machine without certificates for example.
    #[error("no HTTP client can be made")]
    Client(#[source] reqwest::Error),
    /// The request is not one that could be sent.
    #[error("{call}: the request cannot be sent")]
    Invalid {
        /// Which.
        call: Call,
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
    /// No connection was made, so nobody has got the request.
    #[error("{call}: no connection")]
    Connect {
        /// Which.
        call: Call,
        /// Why.
        source: reqwest::Error,
    },
    /// The connection broke before the answer was complete. What became of the request is unknown.
    #[error("{call}: the connection broke before the answer was complete")]
    Broken {
        /// Which.
        call: Call,
        /// How.
        source: reqwest::Error,
    },
    /// The server sent the call elsewhere once too often, or from `https` to `http`.
    #[error("{call}: the redirect is not followed")]
    Redirect {
        /// Which.
        call: Call,
        /// Why.
        source: reqwest::Error,
    },
    /// The answer was not complete in time. What became of the request is unknown.
    #[error("{call}: no answer within {}", humantime::format_duration(*.after))]
    Timeout {
        /// Which.
        call: Call,
        /// The time-out of one attempt.
        after: Duration,
    },
    /// The answer was not complete when the run's deadline came, or that was over already.
    #[error("{call}: no answer before the deadline of the run")]
    Deadline {
        /// Which.
        call: Call,
    },
    /// The run was asked to stop.
    #[error("{call}: the run was asked to stop before the answer was complete")]
    Stopped {
        /// Which.
        call: Call,
    },
    /// The status of the answer is not 2xx.
    #[error("{call}: answered {status}{}", shown(.body))]
    Status {
        /// Which.
        call: Call,
        /// The status.
        status: StatusCode,
        /// What the server said of another attempt: `Retry-After`, from now.
        retry_after: Option<Duration>,
        /// How the answer begins: at most 512 characters, controls escaped, values of the query masked.
        body: Box<str>,
    },
    /// The answer is too long. It was not read to its end.
    #[error("{call}: the answer is longer than {max_bytes} bytes")]
    TooLong {
        /// Which.
        call: Call,
        /// How long it may be.
        max_bytes: usize,
    },
    /// The answer is not what was expected.
    #[error("{call}: the answer is not what was expected")]
    Unreadable {
        /// Which.
        call: Call,
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl HttpError {
    /// The status of the answer, if the error is one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    pub(super) fn invalid(call: Call, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Invalid { call, source: source.into() }
    }

    /// The error of the client, without the address, which may hold secrets.
    pub(super) fn of_client(call: Call, error: reqwest::Error, was_redirected: bool) -> Self {
        let source = error.without_url();
        if source.is_builder() {
            Self::invalid(call, source)
        } else if source.is_redirect() {
            Self::Redirect { call, source }
        } else if source.is_connect() && !was_redirected {
            Self::Connect { call, source }
        } else {
            Self::Broken { call, source }
        }
    }
}

fn shown(body: &str) -> String {
    if body.is_empty() { String::new() } else { format!(": {body}") }
}

/// Method and address of a call, without what may be secret: `GET https://api.example.com/users`, or of a declared
/// request `POST /users/{id}/mails at https://api.example.com`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call(Arc<str>);

impl Call {
    pub(super) fn free(method: &Method, url: &Url) -> Self {
        let origin = url.origin().ascii_serialization();
        Self(format!("{method} {origin}{}", url.path()).into())
    }

    /// Without a `base` where that cannot be read, and therefore not be shown.
    pub(super) fn declared(method: &Method, path: &str, base: Option<&Url>) -> Self {
        let origin = base.map(|base| base.origin().ascii_serialization()).unwrap_or_default();
        let at = if path.is_empty() || origin.is_empty() { "" } else { " at " };
        Self(format!("{method} {path}{at}{origin}").into())
    }

    /// Of an address that cannot be read, and therefore not be shown.
    pub(super) fn nowhere(method: &Method) -> Self {
        Self(method.as_str().into())
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
