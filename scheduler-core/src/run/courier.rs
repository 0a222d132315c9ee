//! One request to somebody who is told of something, and its answer. It is told no further by a redirect, and waits for
//! nobody for long.

use std::{sync::OnceLock, time::Duration};

use reqwest::{Client, Response, StatusCode, Url, header::HeaderMap, redirect::Policy};

use crate::{
    clock,
    job::{error_chain, http},
};

/// For the whole exchange.
const PATIENCE: Duration = Duration::from_secs(5);

/// More than any answer to it has; what is beyond is not read.
const MOST_BYTES: usize = 64 * 1024;

/// What somebody answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// How long it wants to be left alone.
    pub(super) wait: Option<Duration>,
    pub(super) body: Vec<u8>,
}

/// Sends `body` to `url` by POST.
///
/// # Errors
/// Why there is no answer, without the address, which may be a secret.
pub(super) async fn post(url: Url, headers: HeaderMap, body: Vec<u8>) -> Result<Answer, String> {
    let said = |error: reqwest::Error| error_chain(&error.without_url().into());
    let client = client(&url).map_err(said)?;
    let answer = client.post(url).headers(headers).body(body).send().await.map_err(said)?;
    let status = answer.status();
    let wait = http::retry_after(answer.headers(), clock::wall());
    Ok(Answer { status, wait, body: beginning_of(answer).await.map_err(said)? })
}

/// One for all, made when something is first sent: a machine without certificates runs its jobs all the same.
fn client(url: &Url) -> Result<Client, reqwest::Error> {
    static BY_PROXY: OnceLock<Client> = OnceLock::new();
    static STRAIGHT: OnceLock<Client> = OnceLock::new();
    // A proxy could read what goes without TLS.
    let is_plain = url.scheme() == "http";
    let known = if is_plain { &STRAIGHT } else { &BY_PROXY };
    if let Some(client) = known.get() {
        return Ok(client.clone());
    }
    let builder = http::client_builder().timeout(PATIENCE).redirect(Policy::none());
    let client = if is_plain { builder.no_proxy().build()? } else { builder.build()? };
    Ok(known.get_or_init(|| client).clone())
}

async fn beginning_of(mut answer: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut bytes = Vec::new();
    while bytes.len() < MOST_BYTES
        && let Some(chunk) = answer.chunk().await?
    {
        bytes.extend_from_slice(&chunk);
    }
    bytes.truncate(MOST_BYTES);
    Ok(bytes)
}
