//! What all pages share: who looks, in which language, and how values are written.

mod sentences;
mod spoken;
mod words;

use std::{borrow::Cow, convert::Infallible, sync::Arc};

use askama::Template;
use axum::{
    Form,
    extract::FromRequestParts,
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
    response::{Html, IntoResponse, Redirect, Response},
};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use chrono::{DateTime, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

pub(super) use self::spoken::spoken;
use self::{
    sentences::Reader,
    spoken::units,
    words::{CHINESE, ENGLISH, Texts, Words},
};
use super::{
    access::{self, Caller},
    problem::Problem,
    site::Site,
};
use crate::{
    admin, clock,
    config::Role,
    plan::{duration, trigger::Zone, words::quote},
};

/// How an address says what was done; a script takes it away again.
const DONE: &str = "done=";

/// Leads to this page, which tells that `what` was done.
pub(super) fn led_to(path: &str, what: &str) -> Response {
    let sign = if path.contains('?') { '&' } else { '?' };
    Redirect::to(&format!("{path}{sign}{DONE}{what}")).into_response()
}

/// The cookie that keeps the language.
const LANGUAGE: &str = "language";

/// What all pages share.
pub(super) struct Frame {
    pub(super) words: &'static Words,
    pub(super) environment: String,
    pub(super) caller: Option<Arc<Caller>>,
    /// The path that was asked for, with its query.
    pub(super) path: String,
    /// Whether it can be asked for again by its path.
    pub(super) is_read: bool,
    /// The page of ours that led here.
    pub(super) from: Option<String>,
    pub(super) zone: Zone,
    pub(super) now: DateTime<Utc>,
}

impl FromRequestParts<Site> for Frame {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Infallible> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self {
            words: language(parts),
            environment: site.config.app_env.clone(),
            caller: parts.extensions.get::<Arc<Caller>>().cloned(),
            path,
            is_read: parts.method == Method::GET,
            from: referer(&parts.headers),
            zone: admin::zone(&site.config),
            now: clock::wall(),
        })
    }
}

/// The path of the page that led here: browsers name none of another site.
pub(super) fn referer(headers: &HeaderMap) -> Option<String> {
    let referer = headers.get(header::REFERER)?.to_str().ok()?;
    let path = format!("/{}", referer.splitn(4, '/').nth(3)?);
    (inside(&path) == path).then_some(path)
}

/// The chosen one, or else that of the browser.
fn language(parts: &Parts) -> &'static Words {
    let chosen = access::cookie(&parts.headers, LANGUAGE);
    let accepted = parts.headers.get(header::ACCEPT_LANGUAGE);
    let accepted = accepted.and_then(|value| value.to_str().ok()).unwrap_or_default();
    if is_chinese(chosen.unwrap_or(accepted)) { &CHINESE } else { &ENGLISH }
}

/// Whether Chinese is wanted more than English; of both alike, whether it is named first.
fn is_chinese(accepted: &str) -> bool {
    let mut best = (0.0, false);
    for wanted in accepted.split(',') {
        let (name, weight) = wanted.split_once(";q=").unwrap_or((wanted, "1"));
        let weight: f32 = weight.trim().parse().unwrap_or(0.0);
        let name = name.trim().to_ascii_lowercase();
        let is_known = name.starts_with("zh") || name.starts_with("en");
        if is_known && weight > best.0 {
            best = (weight, name.starts_with("zh"));
        }
    }
    best.1
}

impl Frame {
    pub(super) fn t(&self) -> &'static Texts {
        &self.words.texts
    }

    /// A sentence of the scheduler in the reader's language, where it is known in it.
    pub(super) fn said<'a>(&self, sentence: &'a str) -> Cow<'a, str> {
        let value = |text: &str| self.value(text);
        let reader = Reader { is_english: self.words.lang == "en", value: &value };
        sentences::in_words_of(&reader, sentence)
    }

    /// An instant in UTC, or a span, as the other ones of a page are written.
    fn value(&self, text: &str) -> Option<String> {
        if text.ends_with('Z') {
            return Some(local(&self.zone, text.parse().ok()?));
        }
        let is_span = text.starts_with(|c: char| c.is_ascii_digit())
            && text.ends_with(|c: char| c.is_ascii_lowercase());
        is_span.then(|| duration::parse(text)).flatten().map(|span| units(self.words, span))
    }

    /// What keeps a node from claiming.
    pub(super) fn obstacles(&self, obstacles: &[impl AsRef<str>]) -> String {
        let said: Vec<_> = obstacles.iter().map(|what| self.said(what.as_ref())).collect();
        said.join(if self.words.lang == "en" { ", " } else { "，" })
    }

    /// The pages that lead to all others: path and name.
    pub(super) fn nav(&self) -> [(&'static str, &'static str); 7] {
        let t = self.t();
        [
            ("/", t.overview),
            ("/tasks", t.tasks),
            ("/executions", t.executions),
            ("/forecast", t.forecast),
            ("/alarms", t.alarms),
            ("/nodes", t.nodes),
            ("/history", t.history),
        ]
    }

    /// Whether the page of this path is shown, or one below it.
    pub(super) fn is_here(&self, path: &str) -> bool {
        let here = self.path.split('?').next().unwrap_or_default();
        here == path
            || path != "/" && here.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
    }

    /// What was done by the request that led here, as [`led_to`] has it; empty: nothing that is told.
    pub(super) fn did(&self) -> &str {
        let query = self.path.split_once('?').map_or("", |(_, query)| query);
        query.split('&').find_map(|part| part.strip_prefix(DONE)).unwrap_or_default()
    }

    /// The same in words.
    pub(super) fn told(&self) -> Option<String> {
        let t = self.t();
        let did = self.did();
        let (did, counts) = did.split_once('-').unwrap_or((did, ""));
        let (count, unchanged) = counts.split_once('-').unwrap_or((counts, ""));
        let told = match did {
            "run" => t.did_run,
            "enable" => t.did_enable,
            "disable" => t.did_disable,
            "delete" => t.did_delete,
            "pause" => t.did_pause,
            "save" => t.did_save,
            "cancel" => t.did_cancel,
            _ => return None,
        };
        let unchanged = unchanged.parse().unwrap_or(0);
        Some(match count.parse() {
            Ok(count) => format!("{told} ({})", self.words.done_with(count, unchanged)),
            Err(_) => told.to_owned(),
        })
    }

    /// This page, without what led here.
    pub(super) fn here(&self) -> String {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let rest = query.split('&').filter(|part| !part.is_empty() && !part.starts_with(DONE));
        let rest = rest.collect::<Vec<_>>().join("&");
        if rest.is_empty() { path.to_owned() } else { format!("{path}?{rest}") }
    }

    pub(super) fn may(&self, role: Role) -> bool {
        self.caller.as_ref().is_some_and(|caller| caller.access.role >= role)
    }

    pub(super) fn may_operate(&self) -> bool {
        self.may(Role::Operator)
    }

    pub(super) fn may_edit(&self) -> bool {
        self.may(Role::Admin)
    }

    /// `2026-03-29 02:00:00` in the configured zone.
    pub(super) fn time(&self, at: &DateTime<Utc>) -> String {
        local(&self.zone, *at)
    }

    /// As addresses have it.
    pub(super) fn rfc3339(&self, at: &DateTime<Utc>) -> String {
        crate::plan::words::instant(*at)
    }

    /// How far away it is.
    pub(super) fn distance(&self, at: &DateTime<Utc>) -> String {
        self.words.distance((*at - self.now).num_seconds())
    }

    /// By which colour and sign a state is shown.
    pub(super) fn kind<'a>(&self, status: &'a str) -> &'a str {
        match status {
            "todo" => "running",
            "timeout" => "fail",
            "lost" | "silent" => "gone",
            "left" => "disabled",
            other => other,
        }
    }

    /// The other language.
    pub(super) fn other_language(&self) -> &'static str {
        if self.words.lang == "en" { "zh-CN" } else { "en" }
    }

    /// Its name in itself.
    pub(super) fn other_language_name(&self) -> &'static str {
        if self.words.lang == "en" { "中文" } else { "English" }
    }

    /// RFC 3339 without its sign between date and time, and without the offset.
    pub(super) fn readable(&self, instant: &str) -> String {
        instant.get(..19).unwrap_or(instant).replace('T', " ")
    }

    /// An instant in RFC 3339, in the configured zone.
    pub(super) fn readable_here(&self, instant: &str) -> String {
        DateTime::parse_from_rfc3339(instant)
            .map_or_else(|_| instant.to_owned(), |at| self.time(&at.to_utc()))
    }

    pub(super) fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }
}

/// An instant in `zone` as people read it; the offset is left out.
pub(super) fn local(zone: &Zone, at: DateTime<Utc>) -> String {
    let text = zone.to_local(at);
    text.get(..19).unwrap_or(&text).replace('T', " ")
}

/// Milliseconds as people read them.
pub(super) fn millis(millis: i64) -> String {
    match millis {
        ..1_000 => format!("{millis} ms"),
        1_000..119_950 => {
            let tenths = (millis + 50) / 100;
            format!("{}.{} s", tenths / 10, tenths % 10)
        }
        119_950.. => {
            let seconds = (millis + 500) / 1_000;
            format!("{} min {} s", seconds / 60, seconds % 60)
        }
    }
}

/// The page, or that it could not be made.
pub(super) fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!("bug: a page cannot be made: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A page that says what is wrong.
#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    frame: &'a Frame,
    status: u16,
    detail: &'a str,
}

impl Frame {
    /// The instant of `2026-12-24T18:00`, with or without seconds, in the configured zone.
    ///
    /// # Errors
    /// When `text` is none; `field` is where it was typed.
    pub(super) fn time_typed(
        &self,
        field: &'static str,
        text: &str,
    ) -> Result<DateTime<Utc>, Problem> {
        let seconds = if text.len() == "2026-12-24T18:00".len() { ":00" } else { "" };
        self.zone.instant(&format!("{text}{seconds}")).ok_or_else(|| {
            let expected = "expected YYYY-MM-DDTHH:MM";
            Problem::bad(format!("{field} {} is no time, {expected}", quote(text))).about(field)
        })
    }

    /// The page, or the one that says what is wrong.
    pub(super) fn answer(&self, made: Result<Response, Problem>) -> Response {
        made.unwrap_or_else(|problem| self.problem(&problem))
    }

    /// The page that says what is wrong.
    pub(super) fn problem(&self, problem: &Problem) -> Response {
        let (status, detail) = (problem.status(), self.said(problem.detail()));
        let mut answer =
            page(&ProblemPage { frame: self, status: status.as_u16(), detail: &detail });
        *answer.status_mut() = status;
        answer
    }
}

/// Which language.
#[derive(Deserialize)]
pub(super) struct Chosen {
    language: String,
    back: String,
}

/// Keeps the language, and goes back.
pub(super) async fn choose_language(
    cookies: CookieJar,
    Form(chosen): Form<Chosen>,
) -> impl IntoResponse {
    let known = if chosen.language.starts_with("zh") { "zh-CN" } else { "en" };
    let cookie = Cookie::build((LANGUAGE, known)).path("/").same_site(SameSite::Lax).permanent();
    (cookies.add(cookie.build()), Redirect::to(inside(&chosen.back)))
}

/// As a value behind `?`.
pub(super) fn in_query(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A path of ours, whatever was asked for: nobody is sent elsewhere.
pub(super) fn inside(path: &str) -> &str {
    let is_ours = path.starts_with('/')
        && !path.starts_with("//")
        && path.chars().all(|c| c.is_ascii_graphic() && c != '\\');
    if is_ours { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_one_that_is_wanted_most() {
        for chinese in
            ["zh", "zh-CN", "ZH-TW,en", "en;q=0.1, zh;q=0.9", "fr, zh;q=0.5", "de,zh-Hans,en;q=0.9"]
        {
            assert!(is_chinese(chinese), "{chinese}");
        }
        for english in ["", "en", "en-US,zh", "zh;q=0", "zh;q=0.5,en", "fr", "zh;q=x", "*"] {
            assert!(!is_chinese(english), "{english}");
        }
    }
}
