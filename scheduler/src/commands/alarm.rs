//! `alarm`: do alarms arrive?

use scheduler_core::run::{Speaker, node_id, test_channel};
use serde::Serialize;

use crate::{
    cli::Alarm,
    context::Context,
    exit::{Exit, usage},
};

#[derive(Serialize)]
struct Line {
    channel: String,
    arrived: bool,
    reason: Option<String>,
}

/// Sends a message to each channel, or to one, one after the other.
///
/// # Errors
/// When there is no such channel. One that is not reached is a finding, and so is that there is none.
pub(crate) async fn alarm(context: &Context, verb: Alarm) -> anyhow::Result<Exit> {
    let Alarm::Test { channel } = verb;
    let channels = &context.config().alarms.channels;
    if let Some(name) = channel.as_ref().filter(|name| !channels.contains_key(*name)) {
        let known: Vec<&str> = channels.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "there is none".to_owned() } else { known.join(", ") };
        return Err(usage(format!("channel {name:?} is not known, expected one of: {known}")));
    }
    let environment = context.config().app_env.as_str().into();
    let speaker = Speaker { environment, node: node_id().into() };
    let mut lines = Vec::new();
    for (name, told) in
        channels.iter().filter(|(name, _)| channel.as_ref().is_none_or(|it| it == *name))
    {
        let reason = test_channel(told, &speaker).await.err();
        lines.push(Line { channel: name.clone(), arrived: reason.is_none(), reason });
    }
    let cells = |line: &Line| {
        let arrived = if line.arrived { "arrived" } else { "refused" };
        [line.channel.clone(), arrived.to_owned(), line.reason.clone().unwrap_or_default()]
    };
    let none = "nobody is told: [alarms.channels] in common.toml names no channel";
    context.output.list(&lines, ["channel", "message", "reason"], cells, none)?;
    let is_told = !lines.is_empty() && lines.iter().all(|line| line.arrived);
    Ok(if is_told { Exit::Done } else { Exit::Finding })
}
