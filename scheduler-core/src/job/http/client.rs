//! The one client of a program.

use std::{
    cell::Cell,
    sync::{Arc, OnceLock},
    time::Duration,
};

use reqwest::{
    Client, Request, Response,
    redirect::{Action, Attempt, Policy},
};

use super::{HttpError, TIMEOUT};

/// 5 s: how long connecting may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How often one call is redirected at most.
pub const MAX_REDIRECTS: usize = 5;

/// Made when a job first asks for it: a machine without certificates is an error of that job, not of the program. Clones
/// are the same client.
#[derive(Clone, Default)]
pub(crate) struct SharedClient(Arc<OnceLock<Client>>);

impl SharedClient {
    pub(super) fn get(&self) -> Result<Client, HttpError> {
        if let Some(client) = self.0.get() {
            return Ok(client.clone());
        }
        let client = client().map_err(HttpError::Client)?;
        Ok(self.0.get_or_init(|| client).clone())
    }
}

fn client() -> reqwest::Result<Client> {
    // Refused only if somebody has installed one already, which does as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .user_agent(concat!("scheduler/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        // It would tell the next host the query of the last one.
        .referer(false)
        .redirect(Policy::custom(redirect))
        // What is repeated is decided in one place, which is ours.
        .retry(reqwest::retry::never())
        .build()
}

#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("redirected more than {MAX_REDIRECTS} times")]
    TooOften,
    #[error("redirected from https to http")]
    Downgrade,
}

fn redirect(attempt: Attempt<'_>) -> Action {
    // Without a scope: a call of the bare client, whose errors nobody sorts.
    let _ = WAS_REDIRECTED.try_with(|was_redirected| was_redirected.set(true));
    let comes_from_https = attempt.previous().last().is_some_and(|url| url.scheme() == "https");
    if attempt.previous().len() > MAX_REDIRECTS {
        attempt.error(Refused::TooOften)
    } else if comes_from_https && attempt.url().scheme() == "http" {
        attempt.error(Refused::Downgrade)
    } else {
        attempt.follow()
    }
}

tokio::task_local! {
    /// Whether the call of this task has been redirected: then a server has had it, also if the next one cannot be
    /// reached.
    static WAS_REDIRECTED: Cell<bool>;
}

/// The answer, and whether the call was redirected on its way.
pub(super) async fn execute(
    client: &Client,
    request: Request,
) -> (reqwest::Result<Response>, bool) {
    let call = async {
        let answer = client.execute(request).await;
        (answer, WAS_REDIRECTED.with(Cell::get))
    };
    WAS_REDIRECTED.scope(Cell::new(false), call).await
}
