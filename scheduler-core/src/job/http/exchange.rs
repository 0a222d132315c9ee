//! Makes a call: attempt after attempt, within the time that the run has.

use std::{error::Error, iter, time::Duration};

use reqwest::{Client, Request};

use super::{Call, Http, HttpError, Response, TIMEOUT, client, headers, response, retry};
use crate::plan::words::join_causes;

/// A call that can be made.
pub(super) struct Exchange {
    pub(super) http: Http,
    pub(super) client: Client,
    pub(super) call: Call,
    pub(super) request: Request,
    /// Whether a server may get the request twice.
    pub(super) is_idempotent: bool,
}

impl Exchange {
    /// The answer with a status of 2xx.
    pub(super) async fn run(self) -> Result<Response, HttpError> {
        let (ctx, call) = (self.http.ctx.clone(), self.call.clone());
        if !self.http.minds_stop {
            return self.attempts().await;
        }
        tokio::select! {
            biased;
            () = ctx.cancelled() => Err(HttpError::Stopped { call }),
            answer = self.attempts() => answer,
        }
    }

    async fn attempts(self) -> Result<Response, HttpError> {
        let mut waits = retry::waits(self.http.retries);
        let mut next = Some(self.request);
        let Self { http, client, call, is_idempotent, .. } = self;
        let attempts = Attempts { http: &http, client: &client, call: &call };
        loop {
            let request = next.take().expect("the loop ends where there is no next one");
            // None of a body that is a stream, which is sent once.
            next = request.try_clone();
            let failure = match attempts.one(request).await {
                Ok(response) => return Ok(response),
                Err(failure) => failure,
            };
            let wait = next.as_ref().and_then(|_| waits.next());
            let wait = wait.and_then(|wait| retry::wait_after(&failure, is_idempotent, wait));
            let left = http.ctx.time_left().unwrap_or(Duration::MAX);
            let Some(wait) = wait.filter(|wait| *wait < left) else { return Err(failure) };
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(wait_ms, error = with_causes(&failure), "the call is made again");
            http.ctx.parts().clock.sleep(wait).await;
        }
    }
}

/// By so much a call outlasts the deadline of its run, which ends the run by then: as timed out, and not as failed. A job
/// that goes on behind its deadline, as in a thread that nobody can end, gets its answer all the same.
const BEHIND_DEADLINE: Duration = Duration::from_secs(1);

struct Attempts<'c> {
    http: &'c Http,
    client: &'c Client,
    call: &'c Call,
}

impl Attempts<'_> {
    /// One attempt, from connecting to the end of the answer.
    async fn one(&self, mut request: Request) -> Result<Response, HttpError> {
        let ctx = &self.http.ctx;
        let after = self.http.timeout.unwrap_or(TIMEOUT);
        let left = ctx.time_left().unwrap_or(Duration::MAX);
        if left.is_zero() {
            return Err(HttpError::Deadline { call: self.call.clone() });
        }
        headers::add_trace(request.headers_mut(), ctx.trace_id());
        // That of the bare client gives way to the one below.
        *request.timeout_mut() = Some(Duration::MAX);
        let most = left.saturating_add(BEHIND_DEADLINE);
        match tokio::time::timeout(after.min(most), self.answer(request)).await {
            Ok(answer) => answer,
            Err(_) if left <= after => Err(HttpError::Deadline { call: self.call.clone() }),
            Err(_) => Err(HttpError::Timeout { call: self.call.clone(), after }),
        }
    }

    async fn answer(&self, request: Request) -> Result<Response, HttpError> {
        let secrets = response::query_values(request.url());
        let (answer, was_redirected) = client::execute(self.client, request).await;
        let broken = |error| HttpError::of_client(self.call.clone(), error, was_redirected);
        let answer = answer.map_err(broken)?;
        if answer.status().is_success() {
            response::read(answer, self.call.clone(), self.http.max_body_bytes).await
        } else {
            let now = self.http.ctx.parts().clock.wall();
            Err(response::refusal(answer, self.call.clone(), &secrets, now).await)
        }
    }
}

fn with_causes(error: &HttpError) -> String {
    let causes = iter::successors(error.source(), |cause| (*cause).source());
    join_causes(iter::once(error.to_string()).chain(causes.map(ToString::to_string)))
}
