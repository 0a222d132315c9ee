//! What a job calls over HTTP: [`Context::http`] and requests that are declared as structs.
//!
//! ```no_run
//! use scheduler_core::{Context, JobResult, Request, job};
//!
//! #[derive(Request)]
//! #[request(POST, "https://api.example.com/users/{id}/mails", answer = Sent)]
//! struct SendMail<'a> {
//!     #[request(path)]
//!     id: u64,
//!     #[request(query)]
//!     dry_run: Option<bool>,
//!     #[request(json)]
//!     subject: &'a str,
//!     #[request(json, name = "to")]
//!     recipients: Vec<String>,
//! }
//!
//! #[derive(serde::Deserialize)]
//! struct Sent {
//!     mail_id: u64,
//! }
//!
//! #[job("send_mail")]
//! async fn send_mail(_task_key: &str, to: Vec<String>, ctx: Context) -> JobResult {
//!     let request = SendMail { id: 7, dry_run: None, subject: "Hello", recipients: to };
//!     let sent = ctx.http().send(&request).await?;
//!     ctx.note("mail_id", sent.mail_id);
//!     Ok(())
//! }
//! ```
//!
//! Both ways, [declared](Http::send) and [free](Http::get), end in the same call:
//!
//! ```text
//!  Request ─▶ Parts ─┐                        ┌──────────── attempt ─────────────┐
//!                    ├─▶ Outgoing ─▶ exchange ┤ time-out ─▶ client ─▶ Response   ├─▶ answer
//!  get, post, … ─────┘                  ▲     └─ HttpError ─▶ retry: worth it? ──┘
//!                                       └───────────── wait, if time is left ┘
//! ```
//!
//! | what | default | changed by |
//! |---|---|---|
//! | connecting | [`CONNECT_TIMEOUT`], 5 s, a part of the next | |
//! | one attempt, from connecting to the end of the answer | [`TIMEOUT`], 30 s, and never beyond the run's deadline | [`Http::timeout`], `timeout` in `#[request(…)]` |
//! | attempts beyond the first | [`RETRIES`], 3, see below | [`Http::retries`] |
//! | an answer | [`MAX_BODY_BYTES`], 10 MiB | [`Http::max_body_bytes`] |
//! | redirects | [`MAX_REDIRECTS`], 5, never from `https` to `http` | |
//!
//! A proxy that the environment names (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`) is used, and certificates are those that
//! the machine trusts: one without any has no client, not even for `http`.
//!
//! # What is repeated
//!
//! | | GET, HEAD, PUT, DELETE, OPTIONS, and what its author calls `idempotent` | POST, PATCH |
//! |---|---|---|
//! | no connection was made | yes | yes |
//! | the connection broke | yes | no |
//! | 429, 502, 503, 504 | yes | no |
//! | anything else, a time-out included | no | no |
//!
//! The waits grow from 0.2 s to 10 s, each up to twice as long by chance. `Retry-After` is obeyed up to
//! [`MAX_RETRY_AFTER`], 60 s; a server that asks for more is not asked again, nor is one whose wait would end after the
//! run's deadline: the last error is then the answer. A stop ends calls and waits at once.
//!
//! # What goes along
//!
//! - `x-trace-id`: the run's trace id, as in `execute_task` and in the log, where it is called `trace_id`. A header
//!   cannot be called so: nginx and others drop names with an underscore.
//! - `traceparent`: the same in the form of W3C Trace Context, `00-<trace id>-<span id>-01`, where the span is the
//!   [run itself](crate::plan::execution::span_id): what a server makes of the call stands below it.
//! - `Idempotency-Key`, for what is `idempotent`: the run's [key](Context::idempotency_key), then a digest of method,
//!   address and body. So one request has the same key in every attempt at one instant, and two requests of one run
//!   have not. An address or body that differs from attempt to attempt, by a time for example, needs a key of its
//!   author's.
//!
//! A request that brings one of these headers keeps its own.
//!
//! # Errors
//!
//! [`HttpError`]. Secrets stand in no text of it: of an address it shows neither user, password nor query, and of a
//! declared request the path as it was declared, `/users/{id}/mails`. Where an answer repeats a value of the query, the
//! value is masked.

mod client;
mod error;
mod exchange;
mod headers;
mod outgoing;
mod parts;
mod request;
mod response;
mod retry;
mod target;

use std::time::Duration;

pub use reqwest::{self, Method, StatusCode, header};

use super::Context;

pub(super) use self::client::SharedClient;
pub(crate) use self::client::client_builder;
pub use self::client::{CONNECT_TIMEOUT, MAX_REDIRECTS};
pub use self::error::{Call, HttpError};
pub use self::outgoing::Outgoing;
pub use self::parts::{FieldError, Parts};
pub use self::request::{Addressed, Request};
pub use self::response::Response;
pub(crate) use self::response::retry_after;
pub use self::retry::{MAX_RETRY_AFTER, RETRIES};

/// 30 s: how long one attempt may take, unless the request says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// 10 MiB: how long an answer may be, unless the call says otherwise.
pub const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

/// The program's HTTP client for one run, see the [module](self). Clones are cheap and share its connections.
#[derive(Debug, Clone)]
pub struct Http {
    ctx: Context,
    timeout: Option<Duration>,
    retries: usize,
    max_body_bytes: usize,
    minds_stop: bool,
}

impl Http {
    pub(super) fn new(ctx: Context) -> Self {
        Self {
            ctx,
            timeout: None,
            retries: RETRIES,
            max_body_bytes: MAX_BODY_BYTES,
            minds_stop: true,
        }
    }

    /// The same with another time-out for one attempt. It counts before that of a declared request, and never reaches
    /// beyond the run's deadline.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The same with `retries` attempts at most beyond the first; 0 is never.
    #[must_use]
    pub fn retries(mut self, retries: usize) -> Self {
        self.retries = retries;
        self
    }

    /// The same for answers of `bytes` at most.
    #[must_use]
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.max_body_bytes = bytes;
        self
    }

    /// The same for calls that go on when the run has been asked to stop: to tidy up what was begun. The program then
    /// waits for the run as long as `shutdown_timeout` says.
    #[must_use]
    pub fn despite_stop(mut self) -> Self {
        self.minds_stop = false;
        self
    }

    /// Sends a declared request and returns its answer.
    ///
    /// # Errors
    /// [`HttpError`]: what cannot be sent, no answer, one whose status is not 2xx, or one that is not what the request
    /// declares.
    pub async fn send<R: Addressed>(&self, request: &R) -> Result<R::Answer, HttpError> {
        self.send_to(R::HOST, request).await
    }

    /// The same to the host at `base`, whatever the request itself names: `https://api.example.com`, with a path in
    /// front of that of the request or without.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn send_to<R: Request>(
        &self,
        base: &str,
        request: &R,
    ) -> Result<R::Answer, HttpError> {
        let response = Outgoing::declared(self, base, request).send().await?;
        R::read(response)
    }

    /// A free GET request.
    pub fn get(&self, url: &str) -> Outgoing {
        self.request(Method::GET, url)
    }

    /// A free POST request.
    pub fn post(&self, url: &str) -> Outgoing {
        self.request(Method::POST, url)
    }

    /// A free PUT request.
    pub fn put(&self, url: &str) -> Outgoing {
        self.request(Method::PUT, url)
    }

    /// A free PATCH request.
    pub fn patch(&self, url: &str) -> Outgoing {
        self.request(Method::PATCH, url)
    }

    /// A free DELETE request.
    pub fn delete(&self, url: &str) -> Outgoing {
        self.request(Method::DELETE, url)
    }

    /// A free request of any method.
    pub fn request(&self, method: Method, url: &str) -> Outgoing {
        Outgoing::free(self, method, url)
    }

    /// The client itself, for what is not offered here, such as an answer that is read piece by piece. Its calls have
    /// [`CONNECT_TIMEOUT`] and [`TIMEOUT`], and nothing else of what the [module](self) says.
    ///
    /// # Errors
    /// [`HttpError::Client`].
    pub fn client(&self) -> Result<reqwest::Client, HttpError> {
        self.ctx.parts().shared.http().get()
    }
}
