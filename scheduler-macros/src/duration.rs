//! How people write a span of time: bare digits are seconds, anything else is `humantime`.
//!
//! The same text means the same in the attribute and in a row's `extra`, which
//! `scheduler_core::plan::duration` reads. This is a copy of it, since that crate depends on this
//! one; `tests/tests/macros.rs` holds the two together.

use std::time::Duration;

/// Reads `text`, or `None` when it is no span of time. Blanks around it are ignored.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let text = text.trim_matches([' ', '\t']);
    if text.is_empty() || !text.is_ascii() {
        return None;
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Duration::from_secs);
    }
    sum(text)
}

/// One number and unit at a time: humantime 2.4.0 panics when the parts of a sum overflow
/// (`18446744073709551615s 1000ms`).
fn sum(text: &str) -> Option<Duration> {
    let mut total = None;
    let mut rest = text;
    while !rest.is_empty() {
        let unit = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let end =
            rest[unit..].find(|c: char| !c.is_ascii_alphabetic()).map_or(rest.len(), |n| unit + n);
        let part = humantime::parse_duration(&rest[..end]).ok()?;
        total = Some(part.checked_add(total.unwrap_or_default())?);
        rest = rest[end..].trim_ascii_start();
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_that_overflows_is_no_duration_and_no_panic() {
        assert_eq!(
            parse("18446744073709551615s 999ms"),
            Some(Duration::new(u64::MAX, 999_000_000))
        );
        assert_eq!(parse("18446744073709551615s 1000ms"), None);
        assert_eq!(parse("18446744073709551616s"), None);
        assert_eq!(parse("18446744073709551616"), None);
    }
}
