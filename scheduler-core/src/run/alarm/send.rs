//! One message on its way, by HTTP or by mail. It waits for nobody for long.

#[cfg(feature = "email")]
use super::mail;
use super::{
    Speaker,
    channel::{Arrived, Refused},
    post,
};
use crate::{
    config::{Channel, ChannelKind},
    plan::alarm::Message,
};

/// Tells `channel` that it is one, in the name of `speaker`.
///
/// # Errors
/// Why it did not arrive, or not at everybody.
pub async fn test_channel(channel: &Channel, speaker: &Speaker) -> Result<(), String> {
    let text = "[test] this is how an alarm arrives".to_owned();
    match send(channel, speaker, &Message { alarms: 1, text }).await {
        Ok(Arrived::Everywhere) => Ok(()),
        Ok(Arrived::NotAt(text)) => Err(text),
        Err(refused) => Err(refused.text),
    }
}

pub(super) async fn send(
    channel: &Channel,
    speaker: &Speaker,
    message: &Message,
) -> Result<Arrived, Refused> {
    match channel.kind {
        #[cfg(feature = "email")]
        ChannelKind::Email => mail::send(channel, speaker, message).await,
        #[cfg(not(feature = "email"))]
        ChannelKind::Email => {
            let text = "this program was built without the feature \"email\"";
            Err(Refused::new(text))
        }
        _ => post::send(channel, speaker, message).await,
    }
}
