//! `[alarms]` in `common.toml`: from when on something is an alarm, and who is told.

use std::{collections::BTreeMap, time::Duration};

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    mail::{self, Mail, MailServer, Protection},
    reader::Reader,
};
use crate::plan::alarm::Rule;

/// What `[alarms]` in `common.toml` says.
#[derive(Debug, Clone)]
pub struct Alarms {
    /// So many failures of a task in a row are an alarm of their own. Default 3, 2 to 1000.
    pub failing: u32,
    /// A fire that begins so long after its instant is late. Default 10 s, 1 s to 1 day.
    pub late: Duration,
    /// A run that takes so many times as long as the longest of the last 20 is slow. Default 3, 2 to 100.
    pub slow: u32,
    /// What goes on is told again after so long. Default 10 min, 1 min to 7 days.
    pub repeat: Duration,
    /// `[alarms.channels.NAME]`, by name: who is told.
    pub channels: BTreeMap<String, Channel>,
}

/// Who is told.
#[derive(Debug, Clone)]
pub struct Channel {
    /// How. Required.
    pub kind: ChannelKind,
    /// Where. Required; `https`, or `http` to this machine; of mail `smtps` or `smtp`, see
    /// [`mail_server`](Channel::mail_server).
    pub url: SecretString,
    /// What messages are signed with. Required by a webhook; default none.
    pub secret: Option<SecretString>,
    /// Of mail: from whom and to whom. Required by it, none with the others.
    pub mail: Option<Mail>,
    /// Of what. Default all but `failing`, `late` and `skipped`.
    pub rules: Vec<Rule>,
}

/// How somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelKind {
    /// A robot of DingTalk.
    Dingtalk,
    /// A robot of Feishu.
    Feishu,
    /// A robot of WeCom.
    Wecom,
    /// An incoming webhook of Slack.
    Slack,
    /// Any other program: the alarms as JSON, signed.
    Webhook,
    /// Mail by SMTP, in a program with the feature `email`.
    Email,
}

impl ChannelKind {
    /// As `kind` names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        let known = KINDS.iter().find(|(_, kind)| *kind == Some(self));
        known.map_or("", |(name, _)| name)
    }
}

impl Channel {
    /// Which server takes its mail; `None`: it sends none.
    #[must_use]
    pub fn mail_server(&self) -> Option<MailServer> {
        let mail = self.mail.as_ref()?;
        let server = MailServer::parse(self.url.expose_secret())?;
        // Who says how a server is to be checked wants it checked, here, too.
        let is_checked = server.protection == Protection::Nothing && mail.ssl_ca.is_some();
        let protection = if is_checked { Protection::StartTls } else { server.protection };
        Some(MailServer { protection, ..server })
    }
}

impl Default for Alarms {
    /// The documented defaults, and nobody to tell.
    fn default() -> Self {
        Self {
            failing: 3,
            late: Duration::from_secs(10),
            slow: 3,
            repeat: Duration::from_secs(600),
            channels: BTreeMap::new(),
        }
    }
}

const KINDS: &[(&str, Option<ChannelKind>)] = &[
    ("dingtalk", Some(ChannelKind::Dingtalk)),
    ("feishu", Some(ChannelKind::Feishu)),
    ("wecom", Some(ChannelKind::Wecom)),
    ("slack", Some(ChannelKind::Slack)),
    ("webhook", Some(ChannelKind::Webhook)),
    ("email", Some(ChannelKind::Email)),
];

const URL: &str = "an address that begins with https://, or http:// to this machine";

/// The table `[alarms]`.
pub(super) fn read(t: &mut Reader<'_>) -> Alarms {
    const DAY: Duration = Duration::from_secs(86_400);
    let default = Alarms::default();
    let secs = Duration::from_secs;
    t.table("alarms", "[alarms] ", |t| Alarms {
        failing: t.integer("failing", default.failing, 2..=1_000),
        late: t.duration("late", default.late, secs(1)..=DAY),
        slow: t.integer("slow", default.slow, 2..=100),
        repeat: t.duration("repeat", default.repeat, secs(60)..=7 * DAY),
        channels: t
            .tables("channels", "[alarms.channels.*] ", |_, t| channel(t))
            .into_iter()
            .filter_map(|(name, channel)| Some((name, channel?)))
            .collect(),
    })
}

/// `None` after a mistake.
fn channel(t: &mut Reader<'_>) -> Option<Channel> {
    t.require(&["kind"]);
    if !t.has("url_file") {
        t.require(&["url"]);
    }
    let kind = t.choice("kind", None, KINDS);
    let mail = mail::read(t, kind.map(|kind| kind == ChannelKind::Email));
    let url = match kind {
        Some(ChannelKind::Email) => t.secret(["url", "url_file"], mail::FORM, is_mail_url),
        Some(_) => t.secret(["url", "url_file"], URL, is_url),
        // Which of them is meant is not known.
        None => t.secret(["url", "url_file"], URL, |text| is_url(text) || is_mail_url(text)),
    };
    let is_secret = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
    let secret =
        t.secret(["secret", "secret_file"], "letters, digits and signs of ASCII", is_secret).text;
    if kind == Some(ChannelKind::Webhook) && !t.has("secret_file") {
        t.require(&["secret"]);
    }
    if matches!(kind, Some(ChannelKind::Wecom | ChannelKind::Slack | ChannelKind::Email)) {
        for key in ["secret", "secret_file"].into_iter().filter(|key| t.has(key)) {
            t.remark(key, "is given, expected none: this kind of channel signs nothing");
        }
    }
    let quiet = [Rule::Failing, Rule::Late, Rule::Skipped];
    let all = Rule::NAMES.into_iter().map(|(_, rule)| rule);
    let default = all.filter(|rule| !quiet.contains(rule)).collect();
    let rules = t.words("rules", default, &Rule::NAMES);
    if t.has("rules") && rules.is_empty() {
        t.remark(
            "rules",
            "names none that is right, expected at least one: the channel would be told nothing",
        );
    }
    let kind = kind?;
    if kind == ChannelKind::Email && mail.is_none() {
        return None;
    }
    Some(Channel { kind, url: url.text?, secret, mail, rules })
}

fn is_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let is_bare = url.username().is_empty() && url.password().is_none();
        is_bare && (url.scheme() == "https" || url.scheme() == "http" && is_here)
    })
}

fn is_mail_url(text: &str) -> bool {
    MailServer::parse(text).is_some()
}
