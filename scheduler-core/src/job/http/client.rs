//! The one client of a program.

use std::{
    cell::Cell,
    sync::{Arc, OnceLock},
    time::Duration,
};

use reqwest::{
    Client, ClientBuilder, Request, Response, Url,
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
    client_builder().timeout(TIMEOUT).redirect(Policy::custom(redirect)).build()
}

/// What all clients of ours have in common.
pub(crate) fn client_builder() -> ClientBuilder {
    // Refused only if somebody has installed one already, which does as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .user_agent(concat!("scheduler/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        // It would tell the next host the query of the last one.
        .referer(false)
        // What is repeated is decided in one place, which is ours.
        .retry(reqwest::retry::never())
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Refused {
    #[error("redirected more than {MAX_REDIRECTS} times")]
    TooOften,
    #[error("redirected from https to http")]
    Downgrade,
}

fn redirect(attempt: Attempt<'_>) -> Action {
    // Without a scope: a call of the bare client, whose errors nobody sorts.
    let _ = WAS_REDIRECTED.try_with(|was_redirected| was_redirected.set(true));
    match refused(attempt.previous(), attempt.url()) {
        Some(refused) => attempt.error(refused),
        None => attempt.follow(),
    }
}

/// Why a redirect is not followed, if it is not. `previous` are all addresses that were called.
fn refused(previous: &[Url], next: &Url) -> Option<Refused> {
    let comes_from_https = previous.last().is_some_and(|url| url.scheme() == "https");
    if previous.len() > MAX_REDIRECTS {
        Some(Refused::TooOften)
    } else if comes_from_https && next.scheme() == "http" {
        Some(Refused::Downgrade)
    } else {
        None
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_is_followed_unless_it_is_one_too_many_or_leaves_https() {
        #[track_caller]
        fn check(previous: &[&str], next: &str, expected: Option<Refused>) {
            let url = |url: &str| Url::parse(url).unwrap();
            let previous: Vec<Url> = previous.iter().map(|previous| url(previous)).collect();
            assert_eq!(refused(&previous, &url(next)), expected);
        }
        check(&["http://h"; 5], "http://h", None);
        check(&["http://h"; 6], "http://h", Some(Refused::TooOften));
        check(&["https://h"], "http://h", Some(Refused::Downgrade));
        check(&["http://h", "https://h"], "http://h", Some(Refused::Downgrade));
        check(&["https://h"], "https://other", None);
        check(&["http://h"], "https://h", None);
    }
}
