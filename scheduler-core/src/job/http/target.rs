//! The address of a request: read, joined, and with the values of its path in their places.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;

/// What RFC 3986 calls unreserved stays as it is, section 2.3.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why an address is none. It is never shown itself: it may hold secrets.
#[derive(Debug, thiserror::Error)]
pub(super) enum TargetError {
    #[error("its address cannot be read ({0}), expected one such as \"https://api.example.com\"")]
    Unreadable(String),
    #[error("its address begins with \"{0}:\", expected \"http:\" or \"https:\"")]
    Scheme(String),
    #[error("path value `{0}` is missing")]
    Missing(String),
    #[error("the path has a segment that is {0:?}, which means another path")]
    Dots(String),
}

/// Reads an address that can be called.
pub(super) fn parse(url: &str) -> Result<Url, TargetError> {
    let url = Url::parse(url).map_err(|error| TargetError::Unreadable(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(TargetError::Scheme(url.scheme().to_owned()));
    }
    Ok(url)
}

/// The path of `base`, if it has one, then `path` with its values.
pub(super) fn join(
    mut base: Url,
    path: &str,
    values: &BTreeMap<&'static str, String>,
) -> Result<Url, TargetError> {
    if path.is_empty() {
        return Ok(base);
    }
    let filled = fill(path, values)?;
    // The URL standard takes these for steps in the path, however they are encoded.
    if let Some(dots) = filled.split('/').find(|segment| matches!(*segment, "." | "..")) {
        return Err(TargetError::Dots(dots.to_owned()));
    }
    let whole = format!("{}{filled}", base.path().trim_end_matches('/'));
    base.set_path(&whole);
    Ok(base)
}

/// Puts each value into the place of its name, percent-encoded so that it stays a part of one segment.
fn fill(path: &str, values: &BTreeMap<&'static str, String>) -> Result<String, TargetError> {
    let mut filled = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let value = values.get(name).ok_or_else(|| TargetError::Missing(name.to_owned()))?;
        filled.push_str(before);
        filled.extend(utf8_percent_encode(value, ENCODED));
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(base: &str, path: &str, id: &str) -> Result<String, String> {
        let values = BTreeMap::from([("id", id.to_owned())]);
        let url = parse(base).and_then(|base| join(base, path, &values));
        url.map(String::from).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn check(base: &str, path: &str, id: &str, expected: &str) {
        assert_eq!(joined(base, path, id).as_deref(), Ok(expected));
    }

    #[test]
    fn the_path_of_the_base_comes_first_and_its_query_stays() {
        check("http://h", "/a/{id}", "1", "http://h/a/1");
        check("http://h/", "/a/{id}", "1", "http://h/a/1");
        check("http://h/v1", "/a/{id}/b", "1", "http://h/v1/a/1/b");
        check("http://h/v1/", "/a", "1", "http://h/v1/a");
        check("http://h/v1/?key=5", "/a", "1", "http://h/v1/a?key=5");
        check("http://u:p@h:81/v1/", "", "1", "http://u:p@h:81/v1/");
    }

    #[test]
    fn a_value_stays_in_its_segment_whatever_it_holds() {
        for (id, encoded) in [
            ("a b", "a%20b"),
            ("a/b", "a%2Fb"),
            ("../x", "..%2Fx"),
            ("a\\b", "a%5Cb"),
            ("?x=1#y", "%3Fx%3D1%23y"),
            ("%2e%2e", "%252e%252e"),
            ("{id}", "%7Bid%7D"),
            ("a;b=c&d@e:f+g", "a%3Bb%3Dc%26d%40e%3Af%2Bg"),
            ("\r\nx: y\0\t", "%0D%0Ax%3A%20y%00%09"),
            ("é 日", "%C3%A9%20%E6%97%A5"),
            ("-._~", "-._~"),
            ("...", "..."),
        ] {
            check("http://h", "/a/{id}/b", id, &format!("http://h/a/{encoded}/b"));
        }
    }

    #[test]
    fn a_segment_of_dots_is_refused_since_it_would_be_another_path() {
        for id in [".", ".."] {
            let error = joined("http://h", "/a/{id}/b", id).unwrap_err();
            assert_eq!(
                error,
                format!("the path has a segment that is {id:?}, which means another path")
            );
        }
        assert!(joined("http://h", "/a/.{id}", ".").is_err());
        check("http://h", "/a/v{id}", "..", "http://h/a/v..");
    }

    #[test]
    fn what_is_no_address_is_refused_without_showing_it() {
        #[track_caller]
        fn check(base: &str, expected: &str) {
            let error = joined(base, "/a", "1").unwrap_err();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        check("hunter2", "relative URL without a base");
        check("", "relative URL without a base");
        check("http://u:hunter2@", "empty host");
        check("http://h:hunter2/", "invalid port number");
        check("ftp://u:hunter2@h", "begins with \"ftp:\"");
        assert!(joined("http://h", "/{other}", "1").unwrap_err().contains("`other` is missing"));
    }
}
