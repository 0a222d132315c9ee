//! One message on its way. It waits for nobody for long.

use super::{channel::Refused, post};
use crate::{config::Channel, plan::alarm::Message};

/// Tells `channel` that it is one, in the name of `node`.
///
/// # Errors
/// Why it did not arrive.
pub async fn test_channel(channel: &Channel, node: &str) -> Result<(), String> {
    let text = "[test] this is how an alarm arrives".to_owned();
    let sent = send(channel, node, &Message { alarms: 1, text }).await;
    sent.map_err(|refused| refused.text)
}

pub(super) async fn send(channel: &Channel, node: &str, message: &Message) -> Result<(), Refused> {
    post::send(channel, node, message).await
}
