//! A message by HTTP. It is told no further by a redirect.

use std::{sync::OnceLock, time::Duration};

use reqwest::{Client, Response, header, redirect::Policy};

use super::channel::{Arrived, Letter, Refused, judge, letter};
use crate::{
    clock,
    config::Channel,
    job::{error_chain, http},
    plan::alarm::Message,
};

/// For the whole exchange.
const PATIENCE: Duration = Duration::from_secs(5);

/// More than any answer to it has.
const MOST_BYTES: usize = 64 * 1024;

pub(super) async fn send(
    channel: &Channel,
    node: &str,
    message: &Message,
) -> Result<Arrived, Refused> {
    let Letter { url, signature, body } = letter(channel, node, message, clock::wall())?;
    let mut request = client()?.post(url).header(header::CONTENT_TYPE, "application/json");
    if let Some(signature) = signature {
        request = request.header("x-scheduler-signature", signature);
    }
    let answer = request.body(body).send().await.map_err(refused)?;
    let status = answer.status().as_u16();
    let retry_after = http::retry_after(answer.headers(), clock::wall());
    let body = beginning_of(answer).await?;
    judge(channel.kind, status, retry_after, &body).map(|()| Arrived::Everywhere)
}

/// One for all channels, made when the first message is sent.
fn client() -> Result<Client, Refused> {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    if let Some(client) = CLIENT.get() {
        return Ok(client.clone());
    }
    let client = http::client_builder().timeout(PATIENCE).redirect(Policy::none()).build();
    let client = client.map_err(refused)?;
    Ok(CLIENT.get_or_init(|| client).clone())
}

async fn beginning_of(mut answer: Response) -> Result<String, Refused> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(refused)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MOST_BYTES {
            return Err(Refused::new(format!("it answers more than {MOST_BYTES} bytes")));
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Without its address, which is a secret.
fn refused(error: reqwest::Error) -> Refused {
    Refused::new(error_chain(&error.without_url().into()))
}
