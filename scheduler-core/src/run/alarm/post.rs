//! A message by HTTP.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use super::{
    Speaker,
    channel::{Arrived, Letter, Refused, judge, letter},
};
use crate::{clock, config::Channel, plan::alarm::Message, run::courier};

const SIGNATURE: HeaderName = HeaderName::from_static("x-scheduler-signature");

pub(super) async fn send(
    channel: &Channel,
    speaker: &Speaker,
    message: &Message,
) -> Result<Arrived, Refused> {
    let Letter { url, signature, body } = letter(channel, speaker, message, clock::wall())?;
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(signature) = signature {
        headers.insert(SIGNATURE, signature.parse().expect("figures and letters"));
    }
    let answer = courier::post(url, headers, body.into_bytes()).await.map_err(Refused::new)?;
    let said = String::from_utf8_lossy(&answer.body);
    judge(channel.kind, answer.status.as_u16(), answer.wait, &said).map(|()| Arrived::Everywhere)
}
