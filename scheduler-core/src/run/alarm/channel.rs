//! How each kind of channel is spoken to: how often, what is sent, and what its answer means; of mail, `mail` says it. The
//! facts are those of the vendors' pages on custom robots and incoming webhooks.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    config::{Channel, ChannelKind},
    plan::alarm::{Message, Pace},
    run::alarm::Speaker,
};

/// What is sent.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) url: Url,
    /// Of a webhook: `X-Scheduler-Signature`.
    pub(super) signature: Option<String>,
    /// JSON.
    pub(super) body: String,
}

/// Where a message arrived.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrived {
    Everywhere,
    /// At some, but not at all of those to whom it went; at whom not, and why.
    #[cfg_attr(not(feature = "email"), expect(dead_code, reason = "only mail goes to several"))]
    NotAt(String),
}

/// Why a message did not arrive.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) text: String,
    /// How long the channel wants to be left alone.
    pub(super) wait: Option<Duration>,
}

impl Refused {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), wait: None }
    }
}

/// How often a channel may be told; DingTalk and WeCom take 20 messages a minute, Slack one a second. Mail that comes in
/// floods is taken for spam, and a mailbox holds each of them: so it waits for what belongs to the same trouble, and two
/// are half a minute apart.
pub(super) fn pace(kind: ChannelKind, repeat: Duration) -> Pace {
    let (gather, between, most_bytes) = match kind {
        ChannelKind::Dingtalk => (2, 5, 4_000),
        // Beside the line that names the node.
        ChannelKind::Wecom => (2, 5, 1_800),
        ChannelKind::Feishu | ChannelKind::Slack => (2, 2, 4_000),
        ChannelKind::Webhook => (2, 1, 16_000),
        ChannelKind::Email => (10, 30, 64_000),
    };
    let [gather, between] = [gather, between].map(Duration::from_secs);
    Pace { gather, repeat, between, most_bytes }
}

/// `message` of `speaker` for `channel`; `Err`: its address is none.
pub(super) fn letter(
    channel: &Channel,
    speaker: &Speaker,
    message: &Message,
    now: DateTime<Utc>,
) -> Result<Letter, Refused> {
    let mut url = Url::parse(channel.url.expose_secret())
        .map_err(|error| Refused::new(format!("its url is none: {error}")))?;
    let secret = channel.secret.as_ref();
    let plain = format!("{speaker}\n{}", message.text);
    let body = match channel.kind {
        ChannelKind::Dingtalk => {
            if let Some(secret) = secret {
                let ms = now.timestamp_millis();
                let sign = sign_dingtalk(secret, ms);
                url.query_pairs_mut()
                    .append_pair("timestamp", &ms.to_string())
                    .append_pair("sign", &sign);
            }
            json!({ "msgtype": "text", "text": { "content": plain } })
        }
        ChannelKind::Feishu => {
            // `<at user_id="all">` in a text calls everybody.
            let text = plain.replace('<', "(");
            let mut body = json!({ "msg_type": "text", "content": { "text": text } });
            if let Some(secret) = secret {
                let seconds = now.timestamp();
                body["timestamp"] = seconds.to_string().into();
                body["sign"] = sign_feishu(secret, seconds).into();
            }
            body
        }
        ChannelKind::Wecom => {
            let text = plain.replace('<', "(");
            json!({ "msgtype": "text", "text": { "content": text } })
        }
        ChannelKind::Slack => {
            // Slack's own three escapes, without which `<!channel>` calls everybody.
            let text = plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            json!({ "text": text })
        }
        ChannelKind::Webhook => {
            let alarms: Vec<&str> = message.text.lines().collect();
            json!({
                "environment": *speaker.environment,
                "node": *speaker.node,
                "at": now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
                "count": message.alarms,
                "alarms": alarms,
            })
        }
        ChannelKind::Email => return Err(Refused::new("bug: mail goes by SMTP")),
    };
    let body = body.to_string();
    let secret = secret.filter(|_| channel.kind == ChannelKind::Webhook);
    let signature = secret.map(|secret| {
        let seconds = now.timestamp();
        format!("t={seconds},v1={}", sign_webhook(secret, seconds, &body))
    });
    Ok(Letter { url, signature, body })
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length will do");
    hmac.update(message);
    hmac.finalize().into_bytes().to_vec()
}

fn sign_dingtalk(secret: &SecretString, ms: i64) -> String {
    let secret = secret.expose_secret();
    BASE64.encode(hmac(secret.as_bytes(), format!("{ms}\n{secret}").as_bytes()))
}

/// The key is what others sign, and what is signed is empty.
fn sign_feishu(secret: &SecretString, seconds: i64) -> String {
    BASE64.encode(hmac(format!("{seconds}\n{}", secret.expose_secret()).as_bytes(), b""))
}

fn sign_webhook(secret: &SecretString, seconds: i64, body: &str) -> String {
    let signed = hmac(secret.expose_secret().as_bytes(), format!("{seconds}.{body}").as_bytes());
    signed.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the answer of a channel means. Robots answer 200 whatever becomes of a message, and say it in the body.
pub(super) fn judge(
    kind: ChannelKind,
    status: u16,
    retry_after: Option<Duration>,
    body: &str,
) -> Result<(), Refused> {
    const MINUTE: Duration = Duration::from_secs(60);
    if status == 429 {
        let wait = Some(retry_after.unwrap_or(MINUTE).min(60 * MINUTE));
        return Err(Refused { text: "it is told too often (429)".to_owned(), wait });
    }
    if !(200..300).contains(&status) {
        return Err(Refused::new(format!("it answers {status}: {}", beginning(body))));
    }
    let (key, text) = match kind {
        ChannelKind::Dingtalk | ChannelKind::Wecom => ("errcode", "errmsg"),
        ChannelKind::Feishu => ("code", "msg"),
        ChannelKind::Slack | ChannelKind::Webhook | ChannelKind::Email => return Ok(()),
    };
    let Ok(answer) = serde_json::from_str::<Value>(body) else {
        let body = beginning(body);
        return Err(Refused::new(format!("it answers {status} where JSON is expected: {body}")));
    };
    let wait = match (kind, answer[key].as_i64()) {
        (_, Some(0)) => return Ok(()),
        // Whoever sends more than 20 in a minute is not heard for ten.
        (ChannelKind::Dingtalk, Some(130_101)) => Some(10 * MINUTE),
        (ChannelKind::Wecom, Some(45_009)) | (ChannelKind::Feishu, Some(11_232)) => Some(MINUTE),
        _ => None,
    };
    let said = answer[text].as_str().unwrap_or(body);
    Err(Refused { text: format!("it answers {key} {}: {}", answer[key], beginning(said)), wait })
}

/// On one line, and no more than anybody needs.
pub(super) fn beginning(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

#[cfg(test)]
mod tests;
