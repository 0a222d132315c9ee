//! Sessions of people: who has logged in shows a key with each request, in a cookie, until he logs out or stays away.
//!
//! The table keeps a digest of the key, so that who reads the table has nothing to show; and each request looks there, so
//! that a session that has ended has ended on every node. What somebody may do stands in the configuration and is not kept.

use axum::http::HeaderMap;
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use chrono::{DateTime, TimeDelta};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    access::{self, Caller},
    site::Site,
};
use crate::{
    clock,
    config::Access,
    store::{SessionRow, Sessions, StoreError, Via},
};

/// Who stays away for so long is logged out.
const IDLE: TimeDelta = TimeDelta::hours(12);

/// Who logged in so long ago is logged out.
const LONGEST: TimeDelta = TimeDelta::days(7);

/// When somebody was there last is written down no more often than this.
const EXTENDED_EVERY: TimeDelta = TimeDelta::minutes(5);

/// How long a link to log in may be followed.
const LINK_LASTS: TimeDelta = TimeDelta::minutes(10);

/// What is known of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Visitor {
    name: String,
    /// When he logged in, in seconds since 1970.
    since: i64,
    /// By which password, as a digest of its hash: with another password the session ends. `None`: he followed a link.
    password: Option<String>,
}

/// A link that may be followed once.
#[derive(Debug, Serialize, Deserialize)]
struct Link {
    name: String,
}

/// The caller whose session this request shows.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn caller(site: &Site, headers: &HeaderMap) -> Result<Option<Caller>, StoreError> {
    let Some(key) = access::cookie(headers, cookie_name(site)) else { return Ok(None) };
    let store = site.store().await?;
    let digest = digest("session", key);
    let Some(session) = store.session(&digest).await? else { return Ok(None) };
    let Ok(visitor) = serde_json::from_str::<Visitor>(&session.content) else { return Ok(None) };
    let now = clock::wall();
    let since = DateTime::from_timestamp(visitor.since, 0).unwrap_or_default();
    let ends = since.checked_add_signed(LONGEST).unwrap_or_default();
    let Some(access) = access(site, &visitor).filter(|_| now < ends) else { return Ok(None) };
    let expires_at = (now + IDLE).min(ends);
    if expires_at - session.expires_at > EXTENDED_EVERY {
        store.change_session(&SessionRow { expires_at, ..session }).await?;
    }
    Ok(Some(Caller { name: visitor.name, via: Via::Page, access }))
}

/// What `visitor` may do by now; `None`: he may no longer be here.
fn access(site: &Site, visitor: &Visitor) -> Option<Access> {
    let Some(password) = &visitor.password else { return Some(Access::full()) };
    let user = site.config.http.users.get(&visitor.name)?;
    let is_same = *password == digest("password", user.password_hash.expose_secret());
    is_same.then(|| user.access.clone())
}

/// Begins a session of a user of the configuration, whose password was right.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn begin(
    site: &Site,
    cookies: CookieJar,
    name: &str,
) -> Result<CookieJar, StoreError> {
    let user = site.config.http.users.get(name);
    let password = user.map(|user| digest("password", user.password_hash.expose_secret()));
    begin_as(site, cookies, name.to_owned(), Some(password.unwrap_or_default())).await
}

/// Begins a session of whoever follows a link for the first time; `None`: there is no such link any more.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn follow(
    site: &Site,
    cookies: CookieJar,
    code: &str,
) -> Result<Option<CookieJar>, StoreError> {
    let link = site.store().await?.end_session(&digest("link", code)).await?;
    let link = link.and_then(|link| serde_json::from_str::<Link>(&link.content).ok());
    let Some(Link { name }) = link else { return Ok(None) };
    begin_as(site, cookies, name, None).await.map(Some)
}

async fn begin_as(
    site: &Site,
    cookies: CookieJar,
    name: String,
    password: Option<String>,
) -> Result<CookieJar, StoreError> {
    // A new key for each login: whatever a browser showed before becomes nothing.
    let cookies = end(site, cookies).await?;
    let (key, now) = (new_key(), clock::wall());
    let visitor = Visitor { name, since: now.timestamp(), password };
    let content = serde_json::to_string(&visitor).unwrap_or_default();
    let session = SessionRow { digest: digest("session", &key), content, expires_at: now + IDLE };
    site.store().await?.add_session(&session).await?;
    Ok(cookies.add(cookie(site, key)))
}

/// Ends the session that this request shows, on every node.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn end(site: &Site, cookies: CookieJar) -> Result<CookieJar, StoreError> {
    let Some(shown) = cookies.get(cookie_name(site)) else { return Ok(cookies) };
    site.store().await?.end_session(&digest("session", shown.value())).await?;
    Ok(cookies.remove(cookie(site, String::new())))
}

/// Makes a link with which `name` logs in once, within 10 min: what stands behind `/login#`.
///
/// # Errors
/// When the database does not answer.
pub async fn make_link(store: &dyn Sessions, name: &str) -> Result<String, StoreError> {
    let code = new_key();
    let content = serde_json::to_string(&Link { name: name.to_owned() }).unwrap_or_default();
    let expires_at = clock::wall() + LINK_LASTS;
    store.add_session(&SessionRow { digest: digest("link", &code), content, expires_at }).await?;
    Ok(code)
}

/// The prefix binds a cookie to this host, and to https.
fn cookie_name(site: &Site) -> &'static str {
    if site.config.http.secure_cookies { "__Host-scheduler" } else { "scheduler" }
}

fn cookie(site: &Site, key: String) -> Cookie<'static> {
    Cookie::build((cookie_name(site), key))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(site.config.http.secure_cookies)
        .build()
}

/// 244 random bits of the system.
fn new_key() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// Of what is shown as `kind`, so that none is taken for another.
fn digest(kind: &str, shown: &str) -> String {
    let hash = Sha256::new().chain_update(kind).chain_update([0]).chain_update(shown).finalize();
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;
    use crate::web::tests::{config_of, site_on};

    #[tokio::test]
    async fn a_session_is_extended_by_who_comes_but_not_beyond_seven_days() {
        let site = site_on(config_of("ann"));
        let store = site.store().await.unwrap();
        let password =
            digest("password", site.config.http.users["ann"].password_hash.expose_secret());
        let headers = |key: &str| {
            let shown = format!("language=en; scheduler={key}; scheduler2=x");
            HeaderMap::from_iter([(header::COOKIE, shown.parse().unwrap())])
        };
        for (key, days, is_known) in [("a", 1, true), ("b", 6, true), ("c", 7, false)] {
            let since = (clock::wall() - TimeDelta::days(days)).timestamp();
            let visitor =
                Visitor { name: "ann".to_owned(), since, password: Some(password.clone()) };
            let content = serde_json::to_string(&visitor).unwrap();
            let expires_at = clock::wall() + TimeDelta::hours(1);
            let session = SessionRow { digest: digest("session", key), content, expires_at };
            store.add_session(&session).await.unwrap();
            assert_eq!(caller(&site, &headers(key)).await.unwrap().is_some(), is_known, "{days}");
            let stands = store.session(&session.digest).await.unwrap().unwrap();
            assert_eq!(stands.expires_at > expires_at, is_known, "{days}");
            assert!(stands.expires_at < clock::wall() + IDLE + TimeDelta::minutes(1));
        }
    }
}
