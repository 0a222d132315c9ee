//! One message on its way, by HTTP or by mail. It waits for nobody for long.

#[cfg(feature = "email")]
use super::mail;
use super::{
    channel::{Arrived, Refused},
    post,
};
use crate::{
    config::{Channel, ChannelKind},
    plan::alarm::Message,
};

/// Tells `channel` that it is one, in the name of `node`.
///
/// # Errors
/// Why it did not arrive, or not at everybody.
pub async fn test_channel(channel: &Channel, node: &str) -> Result<(), String> {
    let text = "[test] this is how an alarm arrives".to_owned();
    match send(channel, node, &Message { alarms: 1, text }).await {
        Ok(Arrived::Everywhere) => Ok(()),
        Ok(Arrived::NotAt(text)) => Err(text),
        Err(refused) => Err(refused.text),
    }
}

pub(super) async fn send(
    channel: &Channel,
    node: &str,
    message: &Message,
) -> Result<Arrived, Refused> {
    match channel.kind {
        #[cfg(feature = "email")]
        ChannelKind::Email => mail::send(channel, node, message).await,
        #[cfg(not(feature = "email"))]
        ChannelKind::Email => {
            let text = "this program was built without the feature \"email\"";
            Err(Refused::new(text))
        }
        _ => post::send(channel, node, message).await,
    }
}
