//! An answer, read within its bound.

use std::{error::Error, fmt, string::FromUtf8Error, time::Duration};

use chrono::{DateTime, Utc};
use reqwest::{
    StatusCode, Url,
    header::{HeaderMap, RETRY_AFTER},
};
use serde::de::DeserializeOwned;

use super::{Call, HttpError};

/// An answer with a status of 2xx, read to its end.
pub struct Response {
    call: Call,
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Response {
    /// The status, 2xx.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body as it came.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body as it came, without a copy.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.body
    }

    /// The body as text.
    ///
    /// # Errors
    /// [`HttpError::Unreadable`]: it is not UTF-8.
    pub fn text(self) -> Result<String, HttpError> {
        let text = String::from_utf8(self.body);
        text.map_err(|error: FromUtf8Error| unreadable(self.call, error.utf8_error()))
    }

    /// The body read as JSON; an empty one is `null`.
    ///
    /// # Errors
    /// [`HttpError::Unreadable`]: it is not JSON, or not that of a `T`.
    pub fn json<T: DeserializeOwned>(self) -> Result<T, HttpError> {
        let body: &[u8] = if self.body.is_empty() { b"null" } else { &self.body };
        serde_json::from_slice(body).map_err(|error| unreadable(self.call, error))
    }
}

/// Without headers and body, which may hold secrets.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("call", &self.call)
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

fn unreadable(call: Call, source: impl Error + Send + Sync + 'static) -> HttpError {
    HttpError::Unreadable { call, source: Box::new(source) }
}

/// Reads an answer to its end.
pub(super) async fn read(
    mut answer: reqwest::Response,
    call: Call,
    max_bytes: usize,
) -> Result<Response, HttpError> {
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(None) => break,
            Ok(Some(chunk)) if chunk.len() > max_bytes - body.len() => {
                return Err(HttpError::TooLong { call, max_bytes });
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            // The server has had the request.
            Err(error) => return Err(HttpError::of_client(call, error, true)),
        }
    }
    let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
    Ok(Response { call, status, headers, body })
}

/// How much of a refusal is shown.
const SHOWN_CHARS: usize = 512;

/// The error that an answer is whose status is not 2xx.
pub(super) async fn refusal(
    mut answer: reqwest::Response,
    call: Call,
    secrets: &[String],
    now: DateTime<Utc>,
) -> HttpError {
    let mut body = Vec::new();
    // As many bytes as the characters may have, and the whole of a secret that begins among them.
    let longest_secret = secrets.iter().map(String::len).max().unwrap_or_default();
    while body.len() < 4 * SHOWN_CHARS + longest_secret
        && let Ok(Some(chunk)) = answer.chunk().await
    {
        body.extend_from_slice(&chunk);
    }
    HttpError::Status {
        call,
        status: answer.status(),
        retry_after: retry_after(answer.headers(), now),
        body: beginning(&body, secrets).into(),
    }
}

/// The first characters, without secrets and control characters.
fn beginning(body: &[u8], secrets: &[String]) -> String {
    let text = String::from_utf8_lossy(body);
    let masked = secrets.iter().fold(text.into_owned(), |text, secret| text.replace(secret, "***"));
    let mut shown = String::new();
    for character in masked.trim().chars().take(SHOWN_CHARS) {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    if masked.trim().chars().nth(SHOWN_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

/// The values of a query, as they were given and as they are sent. Short ones are too common to be masked.
pub(super) fn query_values(url: &Url) -> Vec<String> {
    const SHORTEST: usize = 6;
    let sent = url.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let sent = sent.map(|(_, value)| value.to_owned());
    let given = url.query_pairs().map(|(_, value)| value.into_owned());
    let mut values: Vec<String> =
        sent.chain(given).filter(|value| value.len() >= SHORTEST).collect();
    // So that none is a part of a later one.
    values.sort_unstable_by_key(|value| std::cmp::Reverse(value.len()));
    values
}

/// From now: whole seconds, or the time until an instant.
pub(crate) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(secs) = text.parse() {
        return Some(Duration::from_secs(secs));
    }
    let at = DateTime::parse_from_rfc2822(text).ok()?;
    Some((at.to_utc() - now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_in_seconds_or_until_an_instant() {
        #[track_caller]
        fn check(text: &str, expected: Option<u64>) {
            let now = DateTime::from_timestamp_secs(784_111_770).unwrap();
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(retry_after(&headers, now), expected.map(Duration::from_secs), "{text:?}");
        }
        check("120", Some(120));
        check("0", Some(0));
        check("18446744073709551615", Some(u64::MAX));
        // The example of RFC 9110, section 5.6.7.
        check("Sun, 06 Nov 1994 08:49:37 GMT", Some(7));
        check("Sun, 06 Nov 1994 08:49:20 GMT", Some(0));
        check("-1", None);
        check("soon", None);
        check("", None);
        assert_eq!(retry_after(&HeaderMap::new(), DateTime::UNIX_EPOCH), None);
    }

    #[test]
    fn of_a_refusal_the_beginning_is_shown_without_controls_and_values_of_the_query() {
        #[track_caller]
        fn check(body: &[u8], expected: &str) {
            let url = Url::parse("http://h/?key=s%C3%A9cret&page=1&long=s%C3%A9cret+too").unwrap();
            assert_eq!(beginning(body, &query_values(&url)), expected);
        }
        check(b"", "");
        check(b" no such page \n", "no such page");
        check(b"a\r\n\x1b[31mb\0", "a\\r\\n\\u{1b}[31mb\\u{0}");
        check(b"a\xffb", "a\u{fffd}b");
        check("cannot GET /?key=s%C3%A9cret&page=1".as_bytes(), "cannot GET /?key=***&page=1");
        check("unknown key sécret, sécret too".as_bytes(), "unknown key ***, ***");
        let long = "é".repeat(600);
        check(long.as_bytes(), &format!("{}…", "é".repeat(512)));
        check("é".repeat(512).as_bytes(), &"é".repeat(512));
    }
}
